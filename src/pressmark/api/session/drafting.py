"""Prompts, versions and drafts, as the workbench sees them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from pressmark.api.planning import plan_call
from pressmark.api.session.bodies import as_text, body_of, check_body, empty_body, short, unit_of
from pressmark.api.session.part import Part
from pressmark.api.trying import Attempt, try_once
from pressmark.errors import EndpointNotFoundError, PressmarkError, PromptNotFoundError
from pressmark.prompts import MISSING, Unit, Variable, check_name
from pressmark.prompts.canonical import unit_digest
from pressmark.prompts.digest import sha256_digest
from pressmark.providers.practice.requests import PRACTICE_MODEL
from pressmark.rendering import compiled
from pressmark.widgets.commands import told
from pressmark.widgets.protocols import (
    CallEstimateView,
    CheckError,
    CheckView,
    CompactedView,
    DeletionView,
    DraftView,
    PreviewView,
    PromptView,
    SavedView,
    TryView,
    UnitBody,
    VersionView,
)

if TYPE_CHECKING:
    from pressmark.rendering import PromptVersion


class Drafting(Part):
    """Drafts and versions."""

    def prompts(self) -> list[PromptView]:
        """Every prompt with a version or a draft, the last changed first."""
        views: list[PromptView] = []
        for row in self._store.prompts().to_dict("records"):
            count = int(row["versions"])
            views.append(
                {
                    "name": str(row["prompt"]),
                    "versions": count,
                    "latest": str(row["latest"]) if count else None,
                    "updated_at": row["changed_at"].isoformat(),
                    "draft": bool(row["draft"]),
                }
            )
        return views

    def versions(self, name: str) -> list[VersionView]:
        """The versions of a prompt, the newest first."""
        try:
            found = self._store.versions(name)
        except PromptNotFoundError:
            return []
        published: dict[str, str] = {}
        for row in self._store.publications(name).to_dict("records"):
            published.setdefault(str(row["digest"]), str(row["version"]))
        return [_version_view(version, published.get(version.digest)) for version in found]

    def check(self, body: UnitBody) -> CheckView:
        """Look for variables, and for what would keep the draft from being saved."""
        return check_body(body)

    def draft(self, name: str) -> DraftView:
        """The draft, else the newest version, else an empty form."""
        check_name(name)
        newest = self._newest(name)
        start = body_of(newest.unit) if newest else empty_body(self._usual_model())
        kept = self._store.draft(name)
        steps = self._store.draft_steps(name)
        stands: Any = {
            "changes": steps.revision,
            "undo": steps.undo,
            "redo": steps.redo,
            "place": sha256_digest(str(self._store.path).encode("utf-8", "surrogateescape"))[7:23],
        }
        if kept is None:
            clean: Any = {
                "name": name,
                "body": start,
                "base": newest.version if newest else None,
                "saved_at": None,
                "unsaved": False,
            }
            return cast("DraftView", stands | clean)
        body = cast("UnitBody", empty_body() | kept.body)
        base = self._base(name, kept.base)
        written: Any = {
            "name": name,
            "body": body,
            "base": kept.base,
            "saved_at": kept.saved_at.isoformat(),
            "unsaved": _differs(body, base.unit if base else None, start),
        }
        return cast("DraftView", stands | written)

    def save_draft(
        self, name: str, body: UnitBody, base: str | None, changes: int | None = None, view: str = ""
    ) -> DraftView:
        """Autosave."""
        steps = self._store.draft_steps(name)
        # Before the first change, what stands there is kept too, so that one can return to it.
        start = None if steps.undo or steps.redo else self.draft(name)["body"]
        self._store.save_draft(
            name,
            cast("dict[str, Any]", body),
            base,
            expected=changes,
            start=cast("dict[str, Any] | None", start),
            view=view,
        )
        return self.draft(name)

    def walk_draft(self, name: str, by: int) -> DraftView:
        """Undo, or do again."""
        self._store.walk_draft(name, by)
        return self.draft(name)

    def discard_draft(self, name: str) -> DraftView:
        """End the draft; it can be undone."""
        newest = self._newest(name)
        start = body_of(newest.unit) if newest else empty_body(self._usual_model())
        self._store.close_draft(name, cast("dict[str, Any]", start), newest.version if newest else None, saved=False)
        return self.draft(name)

    def delete_draft(self, name: str) -> DraftView:
        """Forget the draft and its steps."""
        self._workspace.delete_draft(name)
        return self.draft(name)

    def weigh_dataset(self, dataset: str) -> DeletionView:
        """What deleting would take away."""
        found = self._store.weigh_dataset(dataset)
        return {
            "dataset": found.name,
            "versions": found.versions,
            "rows": found.rows,
            "suites": list(found.suites),
            "runs": len(found.runs),
            "outputs": found.outputs,
            "also_in": list(found.also_in),
            "bytes": self._store.path.stat().st_size,
        }

    def delete_dataset(self, dataset: str, reason: str, runs: bool) -> CompactedView:
        """Delete and compact."""
        before = self._store.path.stat().st_size
        self._workspace.delete_dataset(dataset, reason=reason, runs=runs)
        return {"before": before, "after": self._store.path.stat().st_size}

    def weigh_file(self) -> CompactedView:
        """What compacting would come to."""
        before, after = self._store.weigh_file()
        return {"before": before, "after": after}

    def compact(self) -> CompactedView:
        """Compact."""
        before, after = self._workspace.compact()
        return {"before": before, "after": after}

    def try_once(
        self, body: UnitBody, dataset: str | None, row: int, endpoint: str, tell: Callable[[TryView], None]
    ) -> Callable[[], None]:
        """Ask once."""
        where = self._workspace.choose_endpoint(endpoint or None)
        unit, values = self._filled(unit_of(body), dataset, row)
        request = compiled(unit, unit_digest(unit)).request(values)
        return try_once(request, where, lambda attempt: tell(_try_view(attempt, where.name, dataset, row)))

    def _filled(self, unit: Unit, dataset: str | None, row: int) -> tuple[Unit, dict[str, Any]]:
        return unit, _values(unit, self._one_row(dataset, row)[2])

    def preview(self, body: UnitBody, dataset: str | None, row: int, endpoint: str = "") -> PreviewView:
        """Render a draft with a row of a dataset, or with examples and defaults."""
        rows, number, given = self._one_row(dataset, row)
        checked = check_body(body)
        blocking = [error for error in checked["errors"] if error["where"] not in ("model", "tools")]
        view: PreviewView = {"messages": [], "values": {}, "row": number, "rows": rows, "error": None, "estimate": None}
        if blocking:
            view["error"] = blocking[0]
            return view
        try:
            unit = unit_of(body, placeholder_model="unset")
            values = _values(unit, given)
            template = compiled(unit, unit_digest(unit))
            rendered = template.render(values)
            if body["model"]:
                view["estimate"] = self._estimate(unit, template.request(values), endpoint)
        except PressmarkError as error:
            view["error"] = _told(error)
            return view
        view["values"] = {name: short(value) for name, value in values.items()}
        view["messages"] = _messages(rendered)
        return view

    def _one_row(self, dataset: str | None, row: int) -> tuple[int, int | None, Mapping[str, Any]]:
        """How many rows a dataset has, the number of the one nearest to that asked for, and that one, alone read."""
        if dataset is None:
            return 0, None, {}
        told = {str(each["name"]): each for each in self._store.datasets().to_dict("records")}
        if dataset not in told:
            self._store.dataset(dataset)  # says what there is instead
        digest, rows = str(told[dataset]["digest"]), int(told[dataset]["rows"])
        number = min(max(row, 0), rows - 1)
        return rows, number, self._store.dataset_rows(digest, [number])[number]

    def save(self, name: str, body: UnitBody, message: str, base: str | None) -> SavedView:
        """Save a version and forget the draft."""
        check_name(name)
        parent = self._base(name, base)
        saved = self._store.save_version(
            name, unit_of(body), message, self._workspace.author, parent=parent.version if parent else None
        )
        self._store.close_draft(name, cast("dict[str, Any]", body), saved.version.version, saved=True)
        self._workspace.changes.tell("prompts", name=name)
        return {**_version_view(saved.version, None), "created": saved.created}

    def _estimate(self, unit: Unit, request: dict[str, Any], endpoint: str) -> CallEstimateView | None:
        try:
            where = self._workspace.choose_endpoint(endpoint or None)
        except EndpointNotFoundError:
            return None
        return cast("CallEstimateView", plan_call(self._store, unit_digest(unit), request, where)._asdict())

    def _newest(self, name: str) -> PromptVersion | None:
        try:
            return self._store.version(name, "latest")
        except PromptNotFoundError:
            return None

    def _base(self, name: str, base: str | None) -> PromptVersion | None:
        if base is None or not base.startswith("#"):
            return None
        return self._store.version(name, base)

    def _usual_model(self) -> str:
        """The model that the last changed prompt uses: most workspaces have one."""
        for row in self._store.prompts().to_dict("records"):
            if row["versions"]:
                return self._store.version(str(row["prompt"]), "latest").unit.model
        return ""


def _try_view(attempt: Attempt, endpoint: str, dataset: str | None, row: int) -> TryView:
    answer = attempt.answer
    return {
        "status": attempt.status,
        "text": attempt.text,
        "endpoint": endpoint,
        "dataset": dataset,
        "row": row if dataset is not None else None,
        "seconds": attempt.seconds,
        "ttft": attempt.ttft,
        "tokens_in": answer.tokens_in if answer else None,
        "tokens_out": answer.tokens_out if answer else None,
        "cost": (0.0 if answer.model == PRACTICE_MODEL else answer.cost) if answer else None,
        "model": answer.model if answer else None,
        "finish_reason": answer.finish_reason if answer else None,
        "error": told(attempt.error) if attempt.error else None,
    }


def _version_view(version: PromptVersion, published: str | None) -> VersionView:
    return {
        "version": version.version,
        "digest": version.digest,
        "message": version.message,
        "author": version.author,
        "created_at": version.created_at.isoformat(),
        "parent": f"#{version.parent}" if version.parent else None,
        "restores": f"#{version.restores}" if version.restores else None,
        "published": published,
    }


def _differs(body: UnitBody, base: Unit | None, start: UnitBody) -> bool:
    if base is None:
        return body != start
    try:
        return unit_digest(unit_of(body)) != unit_digest(base)
    except PressmarkError:
        return True  # what cannot be saved is not what was saved


def _values(unit: Unit, found: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, variable in unit.variables.items():
        if found.get(name) is not None:
            values[name] = found[name]
        elif variable.default is MISSING:
            values[name] = _sample(variable)
    return values


def _sample(variable: Variable) -> Any:
    """What a preview shows where nothing was given."""
    if variable.example is not None:
        return variable.example
    by_type = {"number": 0, "integer": 0, "boolean": False, "list": [], "messages": [], "object": {}}
    return by_type.get(variable.type, f"‹{variable.name}›")


def _messages(rendered: Any) -> list[dict[str, str]]:
    if isinstance(rendered, str):
        return [{"role": "text", "content": rendered}]
    return [
        {
            "role": str(message.get("role", "")),
            "content": as_text(message["content"])
            if message.get("content") is not None
            else as_text(message.get("tool_calls", "")),
        }
        for message in rendered
    ]


def _told(error: PressmarkError) -> CheckError:
    return {
        "message": str(error),
        "line": getattr(error, "line", None),
        "column": getattr(error, "column", None),
        "where": "",
    }

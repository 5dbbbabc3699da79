"""Prompts, versions and drafts, as the workbench sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pressmark.api.session.bodies import as_text, body_of, check_body, empty_body, short, unit_of
from pressmark.api.session.part import Part
from pressmark.errors import PressmarkError, PromptNotFoundError
from pressmark.prompts import MISSING, Unit, Variable, check_name
from pressmark.prompts.canonical import unit_digest
from pressmark.rendering import compiled
from pressmark.widgets.protocols import (
    CheckError,
    CheckView,
    DraftView,
    PreviewView,
    PromptView,
    SavedView,
    UnitBody,
    VersionView,
)

if TYPE_CHECKING:
    from pressmark.evals import Dataset
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
        if kept is None:
            return {
                "name": name,
                "body": start,
                "base": newest.version if newest else None,
                "saved_at": None,
                "unsaved": False,
            }
        body = cast("UnitBody", empty_body() | kept.body)
        base = self._base(name, kept.base)
        return {
            "name": name,
            "body": body,
            "base": kept.base,
            "saved_at": kept.saved_at.isoformat(),
            "unsaved": _differs(body, base.unit if base else None, start),
        }

    def save_draft(self, name: str, body: UnitBody, base: str | None) -> DraftView:
        """Autosave."""
        self._store.save_draft(name, cast("dict[str, Any]", body), base)
        return self.draft(name)

    def discard_draft(self, name: str) -> DraftView:
        """Forget the draft."""
        self._store.delete_draft(name)
        return self.draft(name)

    def preview(self, body: UnitBody, dataset: str | None, row: int) -> PreviewView:
        """Render a draft with a row of a dataset, or with examples and defaults."""
        chosen = self._store.dataset(dataset) if dataset is not None else None
        checked = check_body(body)
        blocking = [error for error in checked["errors"] if error["where"] not in ("model", "tools")]
        rows = len(chosen) if chosen else 0
        number = min(max(row, 0), rows - 1) if chosen else None
        view: PreviewView = {"messages": [], "values": {}, "row": number, "rows": rows, "error": None}
        if blocking:
            view["error"] = blocking[0]
            return view
        try:
            unit = unit_of(body, placeholder_model="unset")
            values = _values(unit, chosen, number)
            rendered = compiled(unit, unit_digest(unit)).render(values)
        except PressmarkError as error:
            view["error"] = _told(error)
            return view
        view["values"] = {name: short(value) for name, value in values.items()}
        view["messages"] = _messages(rendered)
        return view

    def save(self, name: str, body: UnitBody, message: str, base: str | None) -> SavedView:
        """Save a version and forget the draft."""
        check_name(name)
        parent = self._base(name, base)
        saved = self._store.save_version(
            name, unit_of(body), message, self._workspace.author, parent=parent.version if parent else None
        )
        self._store.delete_draft(name)
        self._workspace.changes.tell("prompts", name=name)
        return {**_version_view(saved.version, None), "created": saved.created}

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


def _values(unit: Unit, dataset: Dataset | None, row: int | None) -> dict[str, Any]:
    values: dict[str, Any] = {}
    found = dataset.rows[row] if dataset is not None and row is not None else {}
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

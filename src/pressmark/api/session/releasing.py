"""The registry's side of the workbench."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from pressmark import gate as gates
from pressmark import publishing
from pressmark.api import impact
from pressmark.api.session.acts import act_for
from pressmark.api.session.evaluating import plain_sentence
from pressmark.api.session.following import Following
from pressmark.api.shelf import RegistryShelf
from pressmark.errors import (
    AuthenticationError,
    GraphCycleError,
    PermissionDeniedError,
    PressmarkError,
    PromptNotFoundError,
    RegistryError,
)
from pressmark.graph import DependencyGraph
from pressmark.prompts import LATEST, Entry, LabelPointer, Version
from pressmark.prompts.sentences import entry_sentence
from pressmark.registry.values import Published
from pressmark.widgets.protocols import (
    EntryView,
    GateView,
    LabelView,
    MovedView,
    PublishedView,
    ReasonView,
    RegistryPromptView,
    RegistryView,
    Verdict,
    VersionView,
)

if TYPE_CHECKING:
    from pressmark.api.impact import ChangeEvaluation
    from pressmark.api.registry import Registry
    from pressmark.api.shelf import Change
    from pressmark.api.workspace import Workspace
    from pressmark.gate import GateDecision
    from pressmark.prompts.evidence import Evidence
    from pressmark.rendering import PromptVersion
    from pressmark.workspace import SavedEvaluation

LOG_ENTRIES = 50
EVIDENCE_RUNS = 10


class Releasing(Following):
    """Publishing and moving labels, as the workbench sees it."""

    def __init__(self, workspace: Workspace | None = None, registry: Registry | None = None) -> None:
        super().__init__(workspace, registry)
        # The evaluation that was looked at last: its reports take longer to make than the gate to answer.
        self._evaluation: ChangeEvaluation | None = None

    def registry(self) -> RegistryView:
        """Whether a registry is there, and as whom it is used."""
        if self._registry is None:
            return _no_registry()
        backend = self._registry.backend
        try:
            who = backend.whoami()
        except (AuthenticationError, PermissionDeniedError) as error:
            return _state("refused", backend.where, str(error))
        except RegistryError as error:
            return _state("down", backend.where, str(error))
        return {
            "state": "connected",
            "where": backend.where,
            "principal": who.name,
            "role": who.role,
            "message": "",
        }

    def registry_prompt(self, name: str) -> RegistryPromptView:
        """What the registry holds of a prompt."""
        backend = self._known().backend
        try:
            versions, labels = backend.versions(name), backend.labels(name)
            entries = backend.log(name, limit=LOG_ENTRIES)
        except PromptNotFoundError:
            return {"name": name, "versions": [], "labels": [], "log": []}
        return {
            "name": name,
            "versions": [_version_view(version, labels) for version in versions],
            "labels": [
                _label_view(pointer, backend.previous(name, pointer.label))
                for pointer in labels
                if pointer.label != LATEST
            ],
            "log": [_entry_view(entry, name) for entry in entries],
        }

    def older_entries(self, name: str, before: int) -> list[EntryView]:
        """The entries of the change log before one."""
        entries = self._known().backend.log(name, limit=LOG_ENTRIES, before=before)
        return [_entry_view(entry, name) for entry in entries]

    def gate(self, name: str, label: str, to: str) -> GateView:
        """What the gate would say; a version that is not published yet is judged as if it were."""
        backend = self._known().backend
        version = self._version(name, to)
        target = publishing.published_as(version, backend)
        held = self._held(name, label)
        request = gates.MoveRequest(label, target or version, "to be given")
        if target is not None:
            # The reason is typed afterwards and asked for beside the button: here it counts as given.
            decision = backend.gate_check(name, label, target.version, reason="to be given")
        else:
            current = backend.version(name, held.version).unit if held else None
            who = backend.whoami()
            decision = gates.decide(
                backend.policy(name, label),
                request,
                pointers=[],
                current=current,
                graph=self._graph(version, label),
                principal=gates.Principal(who.name, who.role),
                now=datetime.now(UTC),
            )
        reasons = _reasons(decision, *self._evaluated(request, held))
        view: GateView = {
            "name": name,
            "label": label,
            "to": to,
            "target": target.version if target else None,
            "current": held.version if held else None,
            "allowed": decision.allowed,
            "reasons": reasons,
        }
        found = self._found(version, label, held)
        for reason in reasons:
            if act := act_for(reason, view, found, found is not None and self._is_submitted(found.evidence)):
                reason["act"] = act
        return view

    def _graph(self, version: PromptVersion, label: str) -> DependencyGraph | None:
        try:
            inputs = RegistryShelf(self._known().backend).inputs(label)
            return DependencyGraph({**inputs, version.name: version.unit.inputs})
        except GraphCycleError:
            return None  # the registry refuses the publication itself, and says why

    def _found(self, version: PromptVersion, label: str, held: LabelPointer | None) -> ChangeEvaluation | None:
        """The evaluation of exactly this change that this workspace keeps."""
        kept = self._kept(version, label, held.digest if held else None)
        return None if kept is None else self._of_today(self._change(version, label), kept)

    def _change(self, version: PromptVersion, label: str) -> Change:
        return impact.change_of(self._workspace, version, label, self._known())

    def _kept(self, version: PromptVersion, label: str, baseline: str | None) -> SavedEvaluation | None:
        if self._opened is None:
            return None
        return self._store.evaluation(version.name, label, version.digest, baseline)

    def _of_today(self, change: Change, kept: SavedEvaluation) -> ChangeEvaluation | None:
        if not impact.speaks_of(kept.evidence, change):
            return None
        if self._evaluation is None or self._evaluation.evidence != kept.evidence:
            self._evaluation = impact.evaluation_of(self._workspace, change, kept)
        return self._evaluation

    def _is_submitted(self, evidence: Evidence) -> bool:
        try:
            held = self._known().backend.evidence(evidence.name, label=evidence.label, candidate=evidence.candidate)
        except PressmarkError:
            return False
        from pressmark.prompts.canonical import evidence_digest

        return evidence_digest(evidence) in {info.digest for info in held}

    def publish(self, name: str, version: str, reason: str) -> PublishedView:
        """Publish a workspace version and move no label."""
        registry = self._known()
        published = publishing.publish(
            self._version(name, version),
            registry.backend,
            reason=reason,
            workspace=self._store,
            where=registry.backend.where,
        )
        self._tell("registry", name)
        return {
            "version": published.version,
            "created": published.created,
            "restores": published.restored,
        }

    def move(self, name: str, label: str, to: str, reason: str, expected: str | None) -> MovedView:
        """Move a label, publishing the version first where that is needed."""
        registry, clock = self._known(), time.monotonic()
        done = publishing.release(
            self._version(name, to),
            registry.backend,
            label=label,
            reason=reason,
            expected=expected,
            workspace=None if self._opened is None else self._store,
            where=registry.backend.where,
        )
        self.sent(name, label, done.entry.seq, clock)
        self._tell("registry", name)
        return _moved(done.entry, done.published)

    def rollback(self, name: str, label: str, reason: str, expected: str, to: str | None = None) -> MovedView:
        """Move a label back to what it held before, or to an older version."""
        clock = time.monotonic()
        entry = self._known().backend.rollback(name, label=label, reason=reason, expected=expected, to=to)
        self.sent(name, label, entry.seq, clock)
        self._tell("registry", name)
        return _moved(entry, None)

    def _known(self) -> Registry:
        if self._registry is None:
            raise RegistryError(_no_registry()["message"], code="no_registry")
        return self._registry

    def _version(self, name: str, reference: str) -> PromptVersion:
        if reference.startswith("#"):
            return self._store.version(name, reference)
        return self._known().backend.version(name, reference)

    def _evaluated(self, request: gates.MoveRequest, held: LabelPointer | None) -> tuple[gates.Reason, Verdict | None]:
        """What this workspace's runs say of a version, against what the label holds where they say it."""
        told: tuple[Verdict, str] | None = None
        for against, verdict, sentence in self._comparisons(request.target, held):
            # What was held against the label's own version says most.
            if told is None or (held is not None and against == held.digest):
                told = verdict, sentence
            if held is None or against == held.digest:
                break
        if told is None:
            return gates.evaluated(request), None
        return gates.evaluated(request, verdict=told[0], sentence=told[1]), told[0]

    def _comparisons(self, version: Version, held: LabelPointer | None) -> Iterator[tuple[str, Verdict, str]]:
        """The newest runs' comparisons of a version: the baseline's digest, the verdict, the sentence."""
        if self._opened is None:
            return
        for kept in self._store.runs(version.name, EVIDENCE_RUNS):
            digests = [told["digest"] for told in kept.spec["versions"]]
            if kept.status != "done" or version.digest not in digests or len(digests) < 2:
                continue
            run = self._workspace.run(kept.run_id)
            against = held.digest if held is not None and held.digest in digests else digests[0]
            if against == version.digest:
                continue
            try:
                told = run.compare(run.name_of(against), run.name_of(version.digest))
            except PressmarkError:
                continue  # a run without common scores says nothing
            yield against, told.verdict, f"{plain_sentence(told)} ({run.suite_name}, against {told.baseline})"

    def _held(self, name: str, label: str) -> LabelPointer | None:
        try:
            labels = self._known().backend.labels(name)
        except PromptNotFoundError:
            return None
        return next((pointer for pointer in labels if pointer.label == label), None)


def _no_registry() -> RegistryView:
    return _state(
        "none",
        "",
        "No registry is connected, so nothing can be published: open the workbench with"
        " `ws.workbench(registry=pm.Registry(…))`, or set `PRESSMARK_URL` and `PRESSMARK_TOKEN`.",
    )


def _state(state: str, where: str, message: str) -> RegistryView:
    told = {"state": state, "where": where, "principal": None, "role": None, "message": message}
    return cast("RegistryView", told)


def _version_view(version: Published, labels: list[LabelPointer]) -> VersionView:
    return {
        "version": version.version,
        "digest": version.digest,
        "message": version.message,
        "author": version.author,
        "created_at": version.created_at.isoformat(),
        "parent": None if version.parent is None else f"v{version.parent}",
        "restores": version.restored,
        "labels": [pointer.label for pointer in labels if pointer.number == version.number],
    }


def _label_view(pointer: LabelPointer, previous: str | None) -> LabelView:
    return {
        "label": pointer.label,
        "version": pointer.version,
        "digest": pointer.digest,
        "seq": pointer.seq,
        "moved_at": pointer.moved_at.isoformat(),
        "moved_by": pointer.moved_by,
        "reason": pointer.reason,
        "previous": previous,
    }


def _entry_view(entry: Entry, name: str) -> EntryView:
    moves = [move for move in entry.data.get("moves", ()) if move["name"] == name]
    move = moves[0] if moves else None
    published = entry.data.get("version")
    before = move["from"] if move else None
    after = move["to"] if move else published
    return {
        "seq": entry.seq,
        "kind": entry.kind,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "reason": entry.reason or str(entry.data.get("message", "")),
        "sentence": entry_sentence(entry),
        "label": move["label"] if move else None,
        "before": f"v{before}" if before else None,
        "after": f"v{after}" if after else None,
    }


def _reasons(decision: GateDecision, evaluated: gates.Reason, verdict: Verdict | None) -> list[ReasonView]:
    """The checklist. The reason is asked for beside the button; what the registry does not know, the workspace may."""
    others = [reason for reason in decision.reasons if reason.code != "reason"]
    known = [reason for reason in others if reason.code == evaluated.code and (reason.met or reason.blocking)]
    if not known:
        others = [*(reason for reason in others if reason.code != evaluated.code), evaluated]
    told = sorted(others, key=lambda reason: (reason.met, not reason.blocking))
    views = [cast("ReasonView", reason.to_dict()) for reason in told]
    for view in views:
        if view["code"] == evaluated.code and not known:
            view["verdict"] = verdict
    return views


def _moved(entry: Entry, published: Published | None) -> MovedView:
    moves = entry.data.get("moves", ())
    if not moves:
        raise PressmarkError(f"entry {entry.seq} of the change log moved nothing: reload to see where the label stands")
    move = moves[0]
    return {
        "label": move["label"],
        "before": f"v{move['from']}" if move["from"] else None,
        "after": f"v{move['to']}",
        "published": published.version if published else None,
        "seq": entry.seq,
    }

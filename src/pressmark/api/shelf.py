"""Where references such as `support/triage@production` lead: to the registry's labels, or to the workspace's newest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from pressmark.errors import LabelNotFoundError, NotFoundError, PressmarkError
from pressmark.evals.chain import Chain, resolve
from pressmark.graph import DependencyGraph
from pressmark.prompts import LATEST
from pressmark.rendering import PromptVersion

if TYPE_CHECKING:
    from pressmark import workspace as files
    from pressmark.registry import RegistryBackend


class Shelf(Protocol):
    """Where versions stand."""

    def inputs(self, label: str) -> dict[str, Mapping[str, str]]:
        """Return what every prompt takes from others at a label; of one without that label, its newest version."""

    def find(self, name: str, label: str) -> PromptVersion:
        """Return the version that a prompt's label points to.

        Raises:
            NotFoundError: There is none.
        """


class WorkspaceShelf:
    """The workspace's newest versions: a file without a registry has no labels, so any label means the newest.

    Args:
        store: The workspace's file.
        besides: A version that is on trial: of its prompt, the newest other one stands.
        today: The version of that prompt that stands instead.
    """

    def __init__(
        self, store: files.Store, besides: PromptVersion | None = None, today: PromptVersion | None = None
    ) -> None:
        self._store, self._besides, self._today = store, besides, today

    def inputs(self, label: str) -> dict[str, Mapping[str, str]]:
        """Return what every prompt takes from others."""
        found: dict[str, Mapping[str, str]] = {}
        for name in map(str, self._store.prompts()["prompt"]):
            try:
                found[name] = self.find(name, label).unit.inputs
            except NotFoundError:  # a draft, or nothing besides what is on trial
                continue
        return found

    def find(self, name: str, label: str) -> PromptVersion:
        """Return the newest version.

        Raises:
            NotFoundError: There is none.
        """
        if self._besides is None or name != self._besides.name:
            return self._store.version(name, LATEST)
        if self._today is not None:
            return self._today
        for version in self._store.versions(name):
            if version.digest != self._besides.digest:
                return version
        raise LabelNotFoundError(f"{name} has no other version than {self._besides.version}")


class RegistryShelf:
    """What a registry's labels point to."""

    def __init__(self, backend: RegistryBackend) -> None:
        self._backend = backend

    def inputs(self, label: str) -> dict[str, Mapping[str, str]]:
        """Return what every prompt that may be seen takes from others, by one question, however many there are."""
        answer = self._backend.sync([label, LATEST])
        units, found = answer["units"], {}
        for pointer in sorted(answer["pointers"], key=lambda each: bool(each["label"] == label)):
            if pointer["targets"]:
                found[str(pointer["name"])] = json.loads(units[pointer["targets"][0]["digest"]]).get("inputs") or {}
        return found

    def find(self, name: str, label: str) -> PromptVersion:
        """Return the version that the label points to.

        Raises:
            NotFoundError: There is none that may be seen.
        """
        return self._backend.version(name, label)


class Change:
    """A version that shall take a label's place, and what depends on it.

    Args:
        version: The candidate.
        label: The label that it is meant for.
        shelf: Where everything else stands.

    Attributes:
        today: The prompt's version at the label now; None where there is none.
        before: The chain of each affected prompt as it is now, in the order in which they run; the changed prompt's
            own first, where the label exists.
        after: The same chains with the change.
        broken: Prompts whose chain cannot be followed today, with the reason.
        graph: What feeds what.
    """

    def __init__(self, version: PromptVersion, label: str, shelf: Shelf) -> None:
        self.version, self.label = version, label
        self.reference = f"{version.name}@{label}"
        self.today: PromptVersion | None
        try:
            self.today = shelf.find(version.name, label)
        except NotFoundError:
            self.today = None
        replaced = {self.reference: version}
        self.before: dict[str, Chain] = {}
        self.after: dict[str, Chain] = {version.name: resolve(version, shelf.find, replaced)}
        self.broken: dict[str, str] = {}
        if self.today is not None:
            self.before[version.name] = resolve(self.today, shelf.find)
        self.graph = DependencyGraph({**shelf.inputs(label), version.name: version.unit.inputs})
        for name in self.graph.downstream(version.name):
            try:
                standing = self._standing(shelf, name)
                after = resolve(standing, shelf.find, replaced)
                # It may feed on another label of the changed prompt, which stays where it is.
                if self.reference in after.lock:
                    self.after[name] = after
                    if self.today is not None:
                        self.before[name] = resolve(standing, shelf.find)
            except PressmarkError as error:
                self.broken[name] = str(error)

    @property
    def downstream(self) -> tuple[str, ...]:
        """The prompts that the change reaches, in the order in which they run."""
        return tuple(name for name in self.after if name != self.version.name)

    @property
    def edges(self) -> list[tuple[str, str]]:
        """From each prompt that gives its output to each one that takes it, as far as the change reaches."""
        return [(feed.version.name, name) for name, chain in self.after.items() for feed in chain.upstream.values()]

    @property
    def lock(self) -> dict[str, str]:
        """What every reference resolved to today, the changed label among them."""
        resolved = {reference: digest for chain in self.before.values() for reference, digest in chain.lock.items()}
        if self.today is not None:
            resolved[self.reference] = self.today.digest
        else:
            resolved = {
                reference: digest
                for chain in self.after.values()
                for reference, digest in chain.lock.items()
                if reference != self.reference
            }
        return dict(sorted(resolved.items()))

    def _standing(self, shelf: Shelf, name: str) -> PromptVersion:
        """A prompt's version at the same label; where it has no such label, its newest."""
        try:
            return shelf.find(name, self.label)
        except LabelNotFoundError:
            return shelf.find(name, LATEST)

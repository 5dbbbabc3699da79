"""Prompts of a workspace: saving versions, deriving and comparing them, bringing published ones in."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pressmark import publishing
from pressmark.api.derived import DerivedVersion, derived
from pressmark.api.difference import Difference
from pressmark.api.opened import Opened
from pressmark.errors import DatasetNotFoundError, VersionNotFoundError
from pressmark.prompts import Version, parse_input
from pressmark.rendering import PromptVersion, build_unit

if TYPE_CHECKING:
    import pandas

    from pressmark.api.registry import Registry


class Prompts(Opened):
    """What is done with prompts and their versions."""

    def save(
        self,
        name: str,
        *,
        messages: Sequence[Mapping[str, Any]] | None = None,
        text: str | None = None,
        model: str | None = None,
        params: Mapping[str, Any] | None = None,
        variables: Mapping[str, Any] | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        tool_choice: Any = None,
        response_format: Mapping[str, Any] | None = None,
        inputs: Mapping[str, str] | None = None,
        message: str = "",
        parent: str | Version | None = None,
    ) -> PromptVersion:
        """Save a version of a prompt; what equals the newest version makes nothing new.

        Args:
            name: The prompt's name, such as `support/triage`.
            messages: Chat messages with Jinja2 in their strings; or
            text: One text with Jinja2 in it.
            model: The model's name.
            params: Request parameters, such as `{"temperature": 0}`.
            variables: Declarations by name; left out, they are found in the template.
            tools: Tools of the chat completions interface.
            tool_choice: Which tool to use.
            response_format: The answer's form.
            inputs: Variables that are another prompt's output, as `prompt@label`.
            message: What changed, for those who look at it later.
            parent: The version that this one was made from; else the newest.

        Returns:
            The version; `.version` is its name here, such as `#2`.

        Raises:
            InvalidUnitError: A part is wrong; `field` names it.
            TemplateError: A template is wrong; with line and column.
            InvalidNameError: The name is not of the allowed form.
            GraphCycleError: Its inputs would close a circle.
        """
        unit = build_unit(
            messages=messages,
            text=text,
            model=model,
            params=params,
            variables=variables,
            tools=tools,
            tool_choice=tool_choice,
            response_format=response_format,
            inputs=inputs,
        )
        saved = self.store.save_version(name, unit, message, self.author, parent=parent)
        self.changes.tell("prompts", name=name)
        return saved.version

    def derive(
        self, version: PromptVersion, *, model: str | None = None, params: Mapping[str, Any] | None = None
    ) -> DerivedVersion:
        """Return a version with another model or other parameters, to be run beside the original without saving it.

        It has a digest of its own, and its name is the original's with a star, such as `#1*3fa9`. `keep` saves it, and
        so does publishing it with `workspace=`.

        Args:
            version: The original.
            model: Another model.
            params: Parameters to set, such as `{"temperature": 0}`; None as a value takes one away.

        Raises:
            InvalidUnitError: A part is wrong; `field` names it.
        """
        return derived(version, model, params, self.author)

    def keep(self, version: PromptVersion, message: str = "") -> PromptVersion:
        """Save a derived version, and return it with the number that it got; what is saved already is returned.

        Args:
            version: What `derive` returned.
            message: What changed; else what was derived.
        """
        if not isinstance(version, DerivedVersion):
            return version
        parent = f"#{version.number}" if version.store == "workspace" else None
        saved = self.store.save_version(
            version.name, version.unit, message or version.message, self.author, parent=parent
        )
        self.changes.tell("prompts", name=version.name)
        return saved.version

    def version(self, name: str, reference: str = "latest") -> PromptVersion:
        """Return a version: by `#2`, `latest`, or digest.

        Raises:
            NotFoundError: There is no such prompt or version.
        """
        return self.store.version(name, reference)

    def prompts(self) -> pandas.DataFrame:
        """Return every prompt: prompt, versions, latest, digest, message, changed_at, draft; the last changed first."""
        return self.store.prompts()

    def versions(self, name: str) -> pandas.DataFrame:
        """Return a prompt's versions, newest first: version, message, author, created_at, parent, restores, digest."""
        from pressmark.api.frames import told

        columns = ["version", "message", "author", "created_at", "parent", "restores", "digest"]
        rows = [
            [
                version.version,
                version.message,
                version.author,
                version.created_at,
                f"#{version.parent}" if version.parent else None,
                f"#{version.restores}" if version.restores else None,
                version.digest,
            ]
            for version in self.store.versions(name)
        ]
        return told(rows, columns, optional=["parent", "restores"])

    def diff(self, before: Version, after: Version) -> Difference:
        """Return what differs between two versions, tools and parameters included."""
        return Difference.of(before, after)

    def pull(self, registry: Registry, reference: str, *, trusted: Collection[str] = ()) -> PromptVersion:
        """Bring a published version into the file, where it gets a number of its own.

        What it takes its inputs from comes with it, and so do the published suites that name it or one of those. A
        suite on rows that were deleted here is left out, with a warning.

        Args:
            registry: Where from.
            reference: `name@label` or `name@v3`.
            trusted: Packages from which functions of suites may be imported; others fail each row, saying so.

        Raises:
            NotFoundError: The registry holds no such version.
        """
        name, at, wanted = reference.partition("@")
        if not at:
            raise VersionNotFoundError(
                f"{reference!r} does not say which version: write {reference}@production or {reference}@v3"
            )
        backend = registry.backend
        pulled = publishing.pull(self.store, backend, name, wanted, where=backend.where)
        names, waiting = {name}, list(pulled.unit.inputs.values())
        while waiting:
            upstream, label = parse_input(waiting.pop())
            if upstream not in names:
                names.add(upstream)
                fed = publishing.pull(self.store, backend, upstream, label, where=backend.where)
                waiting.extend(fed.unit.inputs.values())
        for published in backend.suites():
            if published.spec.get("prompt") not in names:
                continue
            try:
                suite = publishing.pull_suite(self.store, backend, published.name, trusted=trusted)
            except DatasetNotFoundError as deleted:
                warnings.warn(f"suite {published.name!r} was left out of the pull: {deleted}", stacklevel=2)
            else:
                self._learn_functions(suite)
        for each in sorted(names):
            self.changes.tell("prompts", name=each)
        self.changes.tell("catalog")
        return pulled

    def delete_draft(self, name: str) -> None:
        """Delete the draft of a prompt and all its steps; where there is none, nothing happens."""
        self.store.delete_draft(name)
        self.changes.tell("prompts", name=name)

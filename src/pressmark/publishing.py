"""Use cases that span a workspace and a registry: publish, publish and move, pull; suites likewise.

Every way in (Python, widget, command line) comes through here, so that all of them do the same. A failure half-way
leaves each side whole: a version that was published stays published, and the error says so.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pressmark.errors import PressmarkError, PromptNotFoundError, SuiteError, VersionNotFoundError
from pressmark.prompts import Entry, Version
from pressmark.prompts.canonical import unit_bytes
from pressmark.registry.values import UNSET, Expected

if TYPE_CHECKING:
    from pressmark.evals import Suite
    from pressmark.evals.scorers.custom import ScoreFunction
    from pressmark.registry import Published, RegistryBackend
    from pressmark.registry.values import PublishedSuite
    from pressmark.rendering import PromptVersion
    from pressmark.workspace import Store


@dataclass(frozen=True, slots=True)
class Release:
    """A label that was moved, and what was published on the way.

    Attributes:
        entry: The entry of the change log.
        published: The version that the label now points to, where publishing made it; else None.
    """

    entry: Entry
    published: Published | None


def publish(
    version: Version, registry: RegistryBackend, *, reason: str, workspace: Store | None = None, where: str = ""
) -> Published:
    """Publish a version; the newest published one again makes nothing new.

    Args:
        version: A version of a workspace, or of another registry.
        registry: Where to.
        reason: Why; it stands in the change log.
        workspace: Where to remember that it was published.
        where: The registry's address, as it is remembered.

    Raises:
        RegistryError: It was not published; nothing changed.
    """
    published = registry.publish(
        version.name,
        unit_bytes(version.unit),
        message=version.message or reason,
        reason=reason,
        author=version.author or None,
        source={"store": version.store, "version": version.version},
    )
    if workspace is not None:
        workspace.record_publication(version.name, version.number, version.digest, where, published.version)
    return published


def release(
    version: Version,
    registry: RegistryBackend,
    *,
    label: str,
    reason: str,
    expected: Expected = UNSET,
    workspace: Store | None = None,
    where: str = "",
) -> Release:
    """Move a label to a version, publishing it first where the registry does not hold it.

    Raises:
        ConflictError: The label has moved meanwhile.
        GateError: The gate refused; `decision` says why.
        RegistryError: Anything else. Where the version was published and only the move failed, the message says so.
    """
    target, published = published_as(version, registry), None
    if target is None:
        target = published = publish(version, registry, reason=reason, workspace=workspace, where=where)
    try:
        entry = registry.move(version.name, label=label, to=target.version, reason=reason, expected=expected)
    except PressmarkError as error:
        if published is not None and published.created:
            told = f"{version.version} was published as {published.version}, but {label} was not moved: {error}"
            raise type(error)(told, **error.facts) from error
        raise
    return Release(entry, published)


def published_as(version: Version, registry: RegistryBackend) -> PromptVersion | None:
    """Return the registry's newest version with this digest, or None where it holds none."""
    try:
        return registry.version(version.name, version.digest)
    except (VersionNotFoundError, PromptNotFoundError):
        return None


def pull(workspace: Store, registry: RegistryBackend, name: str, reference: str, *, where: str = "") -> PromptVersion:
    """Bring a published version into a workspace, where it gets a number of the workspace's own.

    Args:
        workspace: Where to.
        registry: Where from.
        name: The prompt.
        reference: `v3`, a label or a digest.
        where: The registry's address, as it is remembered.

    Raises:
        NotFoundError: The registry holds no such version, or it may not be seen.
    """
    published = registry.version(name, reference)
    held = workspace.versions_with_digest(published.digest)
    mine = next((version for version in held if version.name == name), None)
    if mine is None:
        source = {"registry": where, "version": published.version}
        message = published.message or f"pulled {published.version}"
        mine = workspace.save_version(name, published.unit, message, published.author, source=source).version
    workspace.record_publication(name, mine.number, mine.digest, where, published.version)
    return mine


def publish_suite(suite: Suite, registry: RegistryBackend) -> PublishedSuite:
    """Publish a suite with its dataset; what equals the newest of that name makes nothing new.

    Functions go by the path from which they are imported, and never as code.

    Args:
        suite: A suite that others can run.
        registry: Where to.

    Raises:
        SuiteError: Others could not run it; the message says which scorer is the reason and what to do.
        RegistryError: It was not published; nothing changed.
    """
    from pressmark.evals.parquet import to_parquet

    if why := suite.why_not_publishable:
        raise SuiteError(f"suite {suite.name!r} cannot be published: {why}")
    functions = {scorer.name: path for scorer in suite.scorers if (path := _import_path(scorer))}
    spec = {**suite.spec(), **({"functions": functions} if functions else {})}
    return registry.publish_suite(suite.name, spec, to_parquet(suite.dataset))


def pull_suite(
    workspace: Store,
    registry: RegistryBackend,
    name: str,
    reference: str | None = None,
    *,
    functions: Mapping[str, ScoreFunction] | None = None,
    trusted: Collection[str] = (),
) -> Suite:
    """Bring a published suite, with its dataset, into a workspace.

    A function scorer names where its function is imported from. Nothing is imported because a registry says so: only
    what lies in a package that the caller trusts. Else the scorer is a stand-in, which fails each row with a message
    that names the function.

    Args:
        workspace: Where to.
        registry: Where from.
        name: The suite.
        reference: `v2` or a digest; the newest one where it is not given.
        functions: Functions by scorer name, in place of what would be imported.
        trusted: Packages or modules from which functions may be imported.

    Raises:
        SuiteNotFoundError: The registry holds no such suite, or it may not be seen.
        SuiteError: A trusted function cannot be imported; or what came is not what was published.
    """
    from pressmark.evals import Suite
    from pressmark.evals.parquet import from_parquet

    published = registry.suite(name, reference)
    spec = {key: part for key, part in published.spec.items() if key != "functions"}
    dataset = from_parquet(str(spec["dataset"]["name"]), registry.suite_dataset(name, published.version))
    # Held against its digest with stand-ins: a function of the caller's own may have another name.
    described = Suite.from_spec(spec, dataset)
    if described.digest != published.digest:
        raise SuiteError(
            f"suite {name!r} came with another digest than it was published with: upgrade pressmark, or publish it"
            " again",
            expected=published.digest,
            found=described.digest,
        )
    found = _imported(published.spec.get("functions") or {}, trusted)
    # What was pulled or made here before stays the version that it is: newer ones are not undone.
    workspace.save_dataset(dataset, again=False)
    workspace.save_suite(described.name, described.digest, described.spec(), again=False)
    return Suite.from_spec(spec, dataset, {**found, **(functions or {})})


def _import_path(scorer: object) -> str | None:
    function = getattr(scorer, "function", None)
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    return f"{module}:{name}" if module and name and "<" not in name else None


def _imported(paths: Mapping[str, str], trusted: Collection[str]) -> dict[str, ScoreFunction]:
    found: dict[str, ScoreFunction] = {}
    for scorer, path in paths.items():
        module, _, name = path.partition(":")
        if not any(module == package or module.startswith(f"{package}.") for package in trusted):
            continue
        try:
            function: Any = importlib.import_module(module)
            for step in name.split("."):
                function = getattr(function, step)
        except (ImportError, AttributeError) as error:
            raise SuiteError(
                f"the function of scorer {scorer!r} cannot be imported from {path} ({error}): install the package that"
                f" has it, or pass functions={{{scorer!r}: …}}"
            ) from error
        found[scorer] = function
    return found

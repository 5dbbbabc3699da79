"""Use cases that span a workspace and a registry: publish, publish and move, pull.

Every way in (Python, widget, command line) comes through here, so that all of them do the same. A failure half-way
leaves each side whole: a version that was published stays published, and the error says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pressmark.errors import PressmarkError, PromptNotFoundError, VersionNotFoundError
from pressmark.prompts import Entry, Version
from pressmark.prompts.canonical import unit_bytes
from pressmark.registry.values import UNSET, Expected

if TYPE_CHECKING:
    from pressmark.registry import Published, RegistryBackend
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

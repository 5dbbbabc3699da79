"""`pressmark publish`, `pull`, `promote` and `rollback`: what changes a registry, a workspace or a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pressmark.cli.output import RefusedError, emit, json_option, needing, registry_options, told
from pressmark.cli.places import open_registry, open_workspace, typed, workspace_option

if TYPE_CHECKING:
    from pressmark.prompts import Entry
    from pressmark.registry import Published, RegistryBackend


def _sentence(context: click.Context, parameter: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("it is empty: write why, in a sentence")
    return value


_REASON = click.option(
    "--reason", required=True, callback=_sentence, metavar="TEXT", help="Why; it stands in the change log."
)
_LABEL = click.option("--label", required=True, help="The label to move, such as production.")


def _expected(context: click.Context, parameter: click.Parameter, value: str | None) -> Any:
    from pressmark.registry.values import UNSET

    if value is None:
        return UNSET
    return None if value == "none" else value


_EXPECTED = click.option(
    "--expected",
    callback=_expected,
    metavar="VERSION",
    help="What the label must hold now, such as v2, or none for a new label; else the move is refused.",
)


@click.command()
@click.argument("source", metavar="NAME|FILE")
@click.argument("version", required=False)
@workspace_option("The workspace that holds NAME.")
@_REASON
@click.option("--name", metavar="NAME", help="With FILE: the prompt's name, where the file does not tell it.")
@click.option("--message", metavar="TEXT", help="With FILE: what changed in this version; else the reason.")
@registry_options
@json_option
@told
def publish(
    source: str,
    version: str | None,
    workspace: Path | None,
    reason: str,
    name: str | None,
    message: str | None,
    registry_url: str,
    as_json: bool,
) -> None:
    """Publish a version to the registry.

    That is either VERSION (such as #2; else the newest) of NAME from a workspace, or a prompt's FILE (.toml or .json),
    as `pressmark pull --file` writes it. What equals the newest published version makes nothing new.
    """
    from pressmark.interop.files import is_prompt_file

    if is_prompt_file(source) and not (workspace and typed("workspace")):
        if version is not None:
            raise click.UsageError(f"{source} is a file and has no versions: leave {version!r} out.")
        _tell_published(_publish_file(source, registry_url, reason=reason, name=name, message=message), as_json)
        return
    if workspace is None:
        raise click.UsageError(
            f"Where is {source!r}? Give the workspace that holds it, --workspace prompts.duckdb, or a prompt's file,"
            " such as triage.toml."
        )
    if name or message:
        raise click.UsageError("--name and --message belong to a prompt's file: a workspace's version has both.")
    space = open_workspace(workspace)
    from pressmark import publishing

    found = space.version(source, version or "latest")
    registry = open_registry(registry_url, new=True)
    _tell_published(publishing.publish(found, registry, reason=reason, workspace=space, where=registry.where), as_json)


def _publish_file(path: str, registry_url: str, *, reason: str, name: str | None, message: str | None) -> Published:
    from pressmark.interop import files

    with needing("units"):
        file = files.read(path)
        from pressmark.prompts.canonical import unit_bytes
    name = name or file.name
    if name is None:
        raise click.UsageError(f"{path} does not tell the prompt's name: write it there, or give --name.")
    return open_registry(registry_url, new=True).publish(
        name, unit_bytes(file.unit), message=message or reason, reason=reason, source={"file": Path(path).name}
    )


def _tell_published(published: Published, as_json: bool) -> None:
    if as_json:
        emit(
            {
                "name": published.name,
                "version": published.version,
                "digest": published.digest,
                "created": published.created,
                "restores": published.restored,
            }
        )
    elif not published.created:
        click.echo(f"{published} says the same already; nothing new was made.")
    else:
        restored = f", which restores {published.restored}" if published.restored else ""
        click.echo(f"Published {published}{restored}.")


@click.command()
@click.argument("reference", metavar="NAME@LABEL")
@workspace_option("The workspace to bring it into; a new one is made where there is none.")
@click.option("--file", type=click.Path(path_type=Path), metavar="FILE", help="Write it to this .toml or .json file.")
@click.option("--force", is_flag=True, help="With --file: replace a file that says something else.")
@registry_options
@json_option
@told
def pull(
    reference: str, workspace: Path | None, file: Path | None, force: bool, registry_url: str, as_json: bool
) -> None:
    """Bring a published version here.

    The version is NAME@production, NAME@v3 or NAME@DIGEST. It comes into a workspace, where it gets a number of its
    own, or into a file that people can read and git can compare.
    """
    name, at, wanted = reference.partition("@")
    if not at or not wanted:
        raise click.UsageError(f"{reference!r} does not say which version: write {name}@production or {name}@v3.")
    if file is not None and not (workspace and typed("workspace")):
        _pull_to_file(open_registry(registry_url), name, wanted, file, force=force, as_json=as_json)
        return
    if workspace is None or file is not None:
        raise click.UsageError("Where to? Give either --workspace prompts.duckdb or --file triage.toml.")
    registry = open_registry(registry_url)
    registry.version(name, wanted)  # before a new workspace is made for nothing
    space = open_workspace(workspace, new=True)
    from pressmark import publishing

    version = publishing.pull(space, registry, name, wanted, where=registry.where)
    if as_json:
        emit({"name": version.name, "version": version.version, "digest": version.digest})
        return
    click.echo(f"{reference} is {version} in {workspace}.")


def _pull_to_file(registry: RegistryBackend, name: str, wanted: str, path: Path, *, force: bool, as_json: bool) -> None:
    from pressmark.interop import files

    published = registry.version(name, wanted)
    changed = force or not path.exists() or not _says(path, name, published.digest)
    if changed and path.exists() and not force:
        raise RefusedError(f"{path} says something else than {published}: give --force to replace it")
    if changed:
        files.write(path, files.PromptFile(name, published.unit))
    if as_json:
        emit(
            {
                "name": name,
                "version": published.version,
                "digest": published.digest,
                "file": str(path),
                "changed": changed,
            }
        )
        return
    click.echo(f"{published} is in {path}." if changed else f"{path} says the same as {published} already.")


def _says(path: Path, name: str, digest: str) -> bool:
    from pressmark.errors import PressmarkError
    from pressmark.interop import files

    try:
        held = files.read(path)
    except PressmarkError:
        return False
    return held.name == name and held.digest == digest


@click.command()
@click.argument("name")
@click.argument("to", metavar="VERSION")
@_LABEL
@_REASON
@_EXPECTED
@registry_options
@json_option
@told
def promote(name: str, to: str, label: str, reason: str, expected: Any, registry_url: str, as_json: bool) -> None:
    """Move a label of NAME to VERSION.

    VERSION is v3, another label, or a digest.
    """
    entry = open_registry(registry_url).move(name, label=label, to=to, reason=reason, expected=expected)
    _tell_moved(entry, as_json)


@click.command()
@click.argument("name")
@_LABEL
@_REASON
@_EXPECTED
@click.option("--to", metavar="VERSION", help="The version to go back to; else the one that the label held before.")
@registry_options
@json_option
@told
def rollback(
    name: str, label: str, reason: str, expected: Any, to: str | None, registry_url: str, as_json: bool
) -> None:
    """Move a label of NAME back.

    The rollback is one more move in the change log, to the version that the label held before.
    """
    registry = open_registry(registry_url)
    _tell_moved(registry.rollback(name, label=label, reason=reason, expected=expected, to=to), as_json)


def _tell_moved(entry: Entry, as_json: bool) -> None:
    if as_json:
        from pressmark import wire

        emit(wire.entry_to_dict(entry))
        return
    from pressmark.prompts.sentences import entry_sentence

    said = entry_sentence(entry)
    click.echo(f"{said[:1].upper()}{said[1:]} (entry {entry.seq}).")

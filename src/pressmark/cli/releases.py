"""`pressmark publish`, `pull`, `promote` and `rollback`: what changes a registry or a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pressmark.cli.output import emit, json_option, registry_options, told
from pressmark.cli.places import open_registry, open_workspace

_WORKSPACE = click.option(
    "--workspace",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    envvar="PRESSMARK_WORKSPACE",
    show_envvar=True,
    help="The workspace file.",
)
_REASON = click.option("--reason", required=True, help="Why; it stands in the change log.")
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
@click.argument("name")
@click.argument("version", default="latest")
@_WORKSPACE
@_REASON
@registry_options
@json_option
@told
def publish(name: str, version: str, workspace: Path, reason: str, registry_url: str, as_json: bool) -> None:
    """Publish VERSION (#2, or the newest) of NAME from a workspace to the registry."""
    space = open_workspace(workspace)
    published = open_registry(registry_url).publish(space.version(name, version), reason=reason, workspace=space)
    if as_json:
        emit(
            {
                "name": name,
                "version": published.version,
                "digest": published.digest,
                "created": published.created,
                "restores": published.restored,
            }
        )
        return
    if not published.created:
        click.echo(f"{name} {published.version} says the same already; nothing new was made.")
        return
    restored = f" (restores {published.restored})" if published.restored else ""
    click.echo(f"Published {name} {published.version}{restored}.")


@click.command()
@click.argument("reference", metavar="NAME@LABEL")
@_WORKSPACE
@registry_options
@json_option
@told
def pull(reference: str, workspace: Path, registry_url: str, as_json: bool) -> None:
    """Bring a published version into a workspace: NAME@production, NAME@v3."""
    from pressmark.api import Workspace

    version = Workspace(workspace).pull(open_registry(registry_url), reference)
    if as_json:
        emit({"name": version.name, "version": version.version, "digest": version.digest})
        return
    click.echo(f"{reference} is {version} here.")


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
    """Move a label of NAME to VERSION: v3, another label, or a digest."""
    entry = open_registry(registry_url).move(name, label=label, to=to, reason=reason, expected=expected)
    _tell(entry, as_json)


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
    """Move a label of NAME back."""
    registry = open_registry(registry_url)
    _tell(registry.rollback(name, label=label, reason=reason, expected=expected, to=to), as_json)


def _tell(entry: Any, as_json: bool) -> None:
    from pressmark import wire
    from pressmark.prompts.words import entry_sentence

    if as_json:
        emit(wire.entry_to_dict(entry))
    else:
        click.echo(f"{entry_sentence(entry).capitalize()} (entry {entry.seq}).")

"""`pressmark get`, `log`, `diff` and `verify`: looking, without changing anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pressmark.cli.output import emit, json_option, registry_options, table, told
from pressmark.cli.places import open_registry, open_workspace, version_of

if TYPE_CHECKING:
    from pressmark.prompts import Entry

_COLOURS = {"+": "blue", "-": "yellow", "@": "cyan"}


@click.command()
@click.argument("name")
@click.option("--label", default="production", show_default=True, help="The label to read.")
@click.option("--version", "version", help="A version such as v3, instead of a label.")
@click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="Fill a variable and print the request.")
@registry_options
@json_option
@told
def get(
    name: str, label: str, version: str | None, variables: tuple[str, ...], registry_url: str, as_json: bool
) -> None:
    """Show what NAME says under a label; with --var, the request that it makes."""
    found = open_registry(registry_url).version(name, version or label)
    if variables:
        values = dict(_assignment(text) for text in variables)
        emit(found.request(**values))
        return
    if as_json:
        emit({"name": found.name, "version": found.version, "digest": found.digest, "unit": found.unit.to_dict()})
        return
    click.echo(f"{found}  {found.digest}")
    click.echo(f"{found.author}, {found.created_at:%Y-%m-%d %H:%M} UTC: {found.message}\n")
    click.echo(json.dumps(found.unit.to_dict(), ensure_ascii=False, indent=2))


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not of the form NAME=VALUE", param_hint="--var")
    return name, value


@click.command()
@click.argument("name", required=False)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@registry_options
@json_option
@told
def log(name: str | None, limit: int, registry_url: str, as_json: bool) -> None:
    """Show the change log, of NAME or of the whole registry, newest first."""
    entries = open_registry(registry_url).log(name, limit=limit)
    if as_json:
        from pressmark import wire

        emit([wire.entry_to_dict(entry) for entry in entries])
        return
    rows = [(entry.seq, f"{entry.at:%Y-%m-%d %H:%M:%S}", entry.actor, _what(entry), entry.reason) for entry in entries]
    table(("seq", "when (UTC)", "who", "what", "why"), rows, empty="Nothing has been published yet.")


def _what(entry: Entry) -> str:
    from pressmark.prompts.words import entry_sentence

    return entry_sentence(entry)


@click.command()
@click.argument("name")
@click.argument("before")
@click.argument("after")
@click.option(
    "--workspace", type=click.Path(dir_okay=False, path_type=Path), help="Compare #1 and #2 of a workspace file."
)
@registry_options
@json_option
@told
def diff(name: str, before: str, after: str, workspace: Path | None, registry_url: str, as_json: bool) -> None:
    """Show what differs between two versions of NAME: v1 and v2, labels, digests, or #1 and #2 of a workspace."""
    from pressmark.prompts.diff import compare_units

    place: Any = open_workspace(workspace) if workspace else open_registry(registry_url)
    one, two = version_of(place, name, before), version_of(place, name, after)
    changes = compare_units(one.unit, two.unit)
    if as_json:
        emit([{"part": change.part, "before": change.before, "after": change.after} for change in changes])
        return
    if not changes:
        click.echo(f"{one.version} and {two.version} say the same ({one.digest[:19]}…).")
    for change in changes:
        click.secho(change.part, bold=True)
        for line in change.unified():
            click.secho(f"  {line}", fg=_COLOURS.get(line[:1]))


@click.command()
@registry_options
@json_option
@told
def verify(registry_url: str, as_json: bool) -> None:
    """Check the change log from its first entry; names the first one that was altered, removed or reordered."""
    result = open_registry(registry_url).verify()
    if as_json:
        emit({"entries": result.count, "head": result.head})
        return
    click.echo(f"{result.count} entries, every one in its place. Head: {result.head}")

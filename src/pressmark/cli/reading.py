"""`pressmark get`, `log`, `diff` and `verify`: looking, without changing anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pressmark.cli.output import emit, json_option, plain, registry_options, table, told
from pressmark.cli.places import Versions, open_registry, open_workspace

if TYPE_CHECKING:
    from pressmark.rendering import PromptVersion

_COLOURS = {"+": "blue", "-": "yellow", "@": "cyan"}


@click.command()
@click.argument("name")
@click.option("--label", default="production", show_default=True, help="The label to read.")
@click.option("--version", "version", metavar="VERSION", help="A version such as v3, or a digest, instead of a label.")
@click.option("--request", "as_request", is_flag=True, help="Print the request that it makes, as JSON.")
@click.option(
    "--var",
    "variables",
    multiple=True,
    metavar="NAME=VALUE",
    help="Fill a variable and print the request, as --request does; several times for several. The value of a number,"
    " list or object is JSON.",
)
@registry_options
@json_option
@told
def get(
    name: str,
    label: str,
    version: str | None,
    as_request: bool,
    variables: tuple[str, ...],
    registry_url: str,
    as_json: bool,
) -> None:
    """Show what NAME says under a label.

    It is printed in the form of a prompt's file. With --var or --request, the keyword arguments of
    chat.completions.create are printed instead, as JSON.
    """
    found = open_registry(registry_url).version(name, version or label)
    if variables or as_request:
        emit(found.request(**dict(_filled(text, found) for text in variables)))
        return
    if as_json:
        emit({"name": found.name, "version": found.version, "digest": found.digest, "unit": found.unit.to_dict()})
        return
    from pressmark.interop.files import PromptFile, dumps

    # Comments, so that what is printed can be kept as a file.
    click.echo(f"# {found}  {found.digest}")
    said = plain(f"{found.author}, {found.created_at:%Y-%m-%d %H:%M} UTC: {' '.join(found.message.split())}")
    click.echo(f"# {said}\n")
    click.echo(dumps(PromptFile(found.name, found.unit)), nl=False)


def _filled(text: str, version: PromptVersion) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not of the form NAME=VALUE", param_hint="--var")
    declared = version.variables.get(name)
    if declared is None or declared.type in ("any", "string"):
        return name, value
    try:
        return name, json.loads(value)
    except ValueError:
        raise click.BadParameter(
            f"{name} is of type {declared.type}, so its value is JSON, and {value!r} is not", param_hint="--var"
        ) from None


@click.command()
@click.argument("name", required=False)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many entries.")
@registry_options
@json_option
@told
def log(name: str | None, limit: int, registry_url: str, as_json: bool) -> None:
    """Show the change log, newest first.

    Of NAME, or of the whole registry: every publication and move, with who, when and why.
    """
    entries = open_registry(registry_url).log(name, limit=limit)
    if as_json:
        from pressmark import wire

        emit([wire.entry_to_dict(entry) for entry in entries])
        return
    from pressmark.prompts.sentences import entry_sentence

    rows = [
        (entry.seq, f"{entry.at:%Y-%m-%d %H:%M:%S}", entry.actor, entry_sentence(entry), entry.reason)
        for entry in entries
    ]
    table(("seq", "when (UTC)", "who", "what", "why"), rows, empty="Nothing has been published yet.")


@click.command()
@click.argument("name")
@click.argument("before")
@click.argument("after")
@click.option(
    "--workspace",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Compare #1 and #2 of this workspace, instead of versions of the registry.",
)
@registry_options
@json_option
@told
def diff(name: str, before: str, after: str, workspace: Path | None, registry_url: str, as_json: bool) -> None:
    """Show what differs between two versions of NAME.

    BEFORE and AFTER are versions such as v1 and v2, labels, or digests; in a workspace #1 and #2.
    """
    from pressmark.prompts.diff import compare_units

    place: Versions = open_workspace(workspace) if workspace else open_registry(registry_url)
    one, two = place.version(name, before), place.version(name, after)
    changes = compare_units(one.unit, two.unit)
    if as_json:
        emit([{"part": change.part, "before": change.before, "after": change.after} for change in changes])
        return
    if not changes:
        click.echo(f"{one.version} and {two.version} say the same ({one.digest[:19]}…).")
    for change in changes:
        click.secho(plain(change.part), bold=True)
        for line in change.unified():
            click.secho(plain(f"  {line}"), fg=_COLOURS.get(line[:1]))


@click.command()
@registry_options
@json_option
@told
def verify(registry_url: str, as_json: bool) -> None:
    """Check the change log from its first entry.

    Names the first entry that was altered, removed or reordered, and then ends with status 1.
    """
    result = open_registry(registry_url).verify()
    if as_json:
        emit({"entries": result.count, "head": result.head})
        return
    entries = "1 entry" if result.count == 1 else f"{result.count} entries, every one"
    click.echo(f"{entries} in place. Head: {result.head}")

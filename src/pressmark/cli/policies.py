"""`pressmark policy`: what labels demand."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pressmark.cli.output import emit, json_option, plain, registry_options, table, told
from pressmark.cli.places import open_registry
from pressmark.errors import PolicyError

if TYPE_CHECKING:
    from pressmark.prompts.policy import Policy


@click.group()
def policy() -> None:
    """Show and set what labels demand."""


@policy.command()
@click.argument("name", required=False)
@click.option("--label", default="production", show_default=True, help="With NAME: the label.")
@registry_options
@json_option
@told
def show(name: str | None, label: str, registry_url: str, as_json: bool) -> None:
    """Show what the labels of NAME demand, or all that was set.

    A label demands what the most specific pattern says that NAME fits; where none was set, it is `solo`.
    """
    registry = open_registry(registry_url)
    if name is None:
        rules = registry.policies()
        if as_json:
            emit([rule.to_dict() for rule in rules])
            return
        rows = [
            (rule.label, rule.names, rule.policy.name, "; ".join(_demands(rule.policy)), rule.seq) for rule in rules
        ]
        empty = "No policy was set: every label is `solo`, which demands a reason and keeps callers."
        table(("label", "names", "policy", "demands", "entry"), rows, empty=empty)
        return
    found = registry.policy(name, label)
    if as_json:
        emit(found.to_dict())
        return
    click.echo(plain(f"{label} of {name}: {found.name}"))
    for demand in _demands(found):
        click.echo(plain(f"  {demand}"))


@policy.command("set")
@click.argument("policy", metavar="solo|team|FILE")
@click.option("--label", required=True, help="The label, such as production.")
@click.option("--names", default="**", show_default=True, help="A pattern of prompt names, such as support/**.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stands in the change log.")
@registry_options
@json_option
@told
def set_policy(policy: str, label: str, names: str, reason: str, registry_url: str, as_json: bool) -> None:
    """Let a label demand something from now on.

    That is a preset, or a policy in a FILE (.toml or .json) with the keys that `show --json` prints.
    """
    from pressmark.prompts.policy import policy_of

    wanted = policy_of(_read(Path(policy)) if policy.endswith((".toml", ".json")) else policy)
    entry = open_registry(registry_url).set_policy(label, wanted, names=names, reason=reason)
    if as_json:
        from pressmark import wire

        emit(wire.entry_to_dict(entry))
        return
    from pressmark.prompts.sentences import entry_sentence

    said = entry_sentence(entry)
    click.echo(plain(f"{said[:1].upper()}{said[1:]} (entry {entry.seq})."))


def _read(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    try:
        return tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except ValueError as error:
        raise PolicyError(f"{path} is no {path.suffix[1:].upper()} ({error}): correct it") from error


def _demands(found: Policy) -> list[str]:
    told = []
    if found.require_reason:
        told.append("a reason")
    if found.keep_callers:
        told.append("a version that today's callers can fill")
    if not found.require_evidence:
        return told
    told.append("evidence" + ("" if found.practice_counts else ", not from the practice model"))
    if found.fresh:
        told.append("nothing that it builds on has moved since")
    if found.unseen:
        told.append("rows that the version was not tuned on")
    if found.suites:
        told.append(f"run: {', '.join(found.suites)}")
    if found.least_rows:
        told.append(f"{found.least_rows} rows or more a suite")
    told += [f"{scorer} reaches {bound:g}" for scorer, bound in found.must_reach.items()]
    told += [f"{scorer} loses {margin:g} at most" for scorer, margin in found.must_not_regress.items()]
    if found.downstream:
        told.append("every prompt downstream evaluated")
    return told

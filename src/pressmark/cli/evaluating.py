"""`pressmark eval`: a change held to a bound, for CI."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pressmark.cli.output import REFUSED, emit, json_option, needing, told
from pressmark.cli.places import open_registry, workspace_option
from pressmark.errors import SuiteNotFoundError

if TYPE_CHECKING:
    from pressmark.api import Registry, Workspace
    from pressmark.api.checking import Check
    from pressmark.evals import Suite
    from pressmark.providers import Endpoint
    from pressmark.rendering import PromptVersion

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("eval")
@click.option(
    "--suite",
    "suites",
    required=True,
    multiple=True,
    metavar="NAME",
    help="A suite of the prompt; several may be given.",
)
@click.option(
    "--candidate",
    required=True,
    metavar="FILE|VERSION",
    help="A prompt's file (.toml, .json), or #3, v4, a label or a digest with --prompt.",
)
@click.option("--prompt", "name", metavar="NAME", help="The prompt, where --candidate does not tell it.")
@click.option(
    "--baseline",
    default="production",
    show_default=True,
    metavar="LABEL",
    help="The label that the candidate is meant for.",
)
@click.option(
    "--max-regression",
    default=0.02,
    show_default=True,
    type=float,
    metavar="LOSS",
    help="The loss of the primary scorer that is put up with; 0.02 is 2 points.",
)
@click.option(
    "--least-rows",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="Rows that each suite must have compared at least.",
)
@click.option(
    "--registry",
    "registry_url",
    envvar="PRESSMARK_URL",
    show_envvar=True,
    metavar="URL",
    help="Whose labels and suites count; without one, the workspace's newest versions.",
)
@workspace_option("Keeps what was answered, so that it is not asked again; else a temporary one.")
@click.option(
    "--endpoint",
    metavar="NAME|URL",
    help="Where to ask: an endpoint of the workspace or an address; else OPENAI_BASE_URL and OPENAI_API_KEY.",
)
@click.option("--key-env", metavar="VARIABLE", help="With an address: the name of the variable that holds its key.")
@click.option("--concurrency", default=8, show_default=True, type=click.IntRange(min=1), help="Calls at once.")
@click.option(
    "--repeats", default=1, show_default=True, type=click.IntRange(min=1), help="How often each row is asked."
)
@click.option("--junit", type=_FILE, metavar="FILE", help="Write JUnit XML there.")
@click.option("--markdown", type=_FILE, metavar="FILE", help="Write a summary for the pull request there.")
@click.option("--evidence", type=_FILE, metavar="FILE", help="Write the evidence there.")
@click.option("--submit", is_flag=True, help="Submit the evidence to the registry.")
@json_option
@told
def evaluate(
    suites: tuple[str, ...],
    candidate: str,
    name: str | None,
    baseline: str,
    max_regression: float,
    least_rows: int,
    registry_url: str | None,
    workspace: Path | None,
    endpoint: str | None,
    key_env: str | None,
    concurrency: int,
    repeats: int,
    junit: Path | None,
    markdown: Path | None,
    evidence: Path | None,
    submit: bool,
    as_json: bool,
) -> None:
    """Hold a candidate to a bound, with everything downstream.

    Exit status 0 where nothing regresses by more than --max-regression; 1 where something does, or where too few rows
    cannot rule it out: the reasons name the prompt, and how many rows would tell.
    """
    if submit and registry_url is None:
        raise click.UsageError("--submit needs the registry that takes the evidence: give --registry.")
    with needing("evals"):
        from pressmark.api.checking import check
    with _workspace(workspace) as space, _registry(registry_url) as registry:
        version = _candidate(space, registry, candidate, name)
        chosen = _below(space, registry, version, baseline)
        chosen[version.name] = [_suite(space, registry, suite) for suite in suites]
        found = space.evaluate_change(
            version,
            baseline,
            registry=registry,
            suites=chosen,
            endpoint=_endpoint(endpoint, key_env),
            concurrency=concurrency,
            repeats=repeats,
            progress=not as_json,
        )
        result = check(found, version, max_regression=max_regression, least_rows=least_rows)
        if evidence is not None:
            found.to_file(evidence)
        if submit and registry is not None:
            registry.submit_evidence(found)
    _write(result, junit, markdown)
    if as_json:
        emit(result.to_dict())
    else:
        _tell(result)
    if not result.passed:
        raise SystemExit(REFUSED)


@contextmanager
def _workspace(path: Path | None) -> Iterator[Workspace]:
    with needing("evals"):
        from pressmark.api import Workspace
    if path is not None:
        yield Workspace(path)
        return
    with tempfile.TemporaryDirectory(prefix="pressmark-eval-") as folder:
        yield Workspace(Path(folder) / "eval.duckdb")


@contextmanager
def _registry(url: str | None) -> Iterator[Registry | None]:
    if url is None:
        yield None
        return
    open_registry(url).close()  # a mistyped path must not make a registry
    from pressmark.api import Registry

    with Registry(url) as registry:
        yield registry


def _candidate(space: Workspace, registry: Registry | None, given: str, name: str | None) -> PromptVersion:
    from pressmark.interop import files

    if files.is_prompt_file(given):
        file = files.read(given)
        name = name or file.name
        if name is None:
            raise click.UsageError(f"{given} does not tell the prompt's name: write it there, or give --prompt.")
        return space.store.save_version(name, file.unit, f"candidate from {Path(given).name}", space.author).version
    if name is None:
        raise click.UsageError(f"Which prompt's version is {given!r}? Give --prompt, or a prompt's file.")
    if registry is not None and not given.startswith("#"):
        return space.pull(registry, f"{name}@{given}")
    return space.version(name, given)


def _suite(space: Workspace, registry: Registry | None, name: str) -> Suite:
    try:
        return space.suite(name)
    except SuiteNotFoundError:
        if registry is None:
            raise
        from pressmark import publishing

        return publishing.pull_suite(space.store, registry.backend, name)


def _below(
    space: Workspace, registry: Registry | None, version: PromptVersion, label: str
) -> dict[str, list[Suite | str]]:
    """The registry's suites of the prompts downstream, beside those that the workspace has."""
    chosen: dict[str, list[Suite | str]] = {}
    if registry is None:
        return chosen
    for name in space.affected(version, label, registry=registry):
        told = [each.name for each in registry.backend.suites() if each.spec.get("prompt") == name]
        if told:
            chosen[name] = [_suite(space, registry, suite) for suite in told]
    return chosen


def _endpoint(given: str | None, key_env: str | None) -> str | Endpoint | None:
    if given is None or "://" not in given:
        return given
    from pressmark.providers import Endpoint

    return Endpoint("eval", given, key_env)


def _write(result: Check, junit: Path | None, markdown: Path | None) -> None:
    if junit is not None:
        junit.write_text(result.to_junit(), encoding="utf-8")
    if markdown is not None:
        markdown.write_text(result.to_markdown(), encoding="utf-8")


def _tell(result: Check) -> None:
    click.echo(str(result.evaluation))
    for reason in result.decision.reasons:
        mark = "✓" if reason.met else "✗" if reason.blocking else "!"
        step = f": {reason.next_step}" if reason.next_step else ""
        click.echo(f"  {mark} {reason.sentence}{step}")
    click.echo("Passed." if result.passed else "Refused.")

"""Every command and every option tells what it is for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pressmark.cli import main
from pressmark.interop.files import loads

NAMED = {"lab", "serve", "practice-model", "publish", "pull", "promote", "rollback", "log", "get", "diff", "verify"}


def commands(group: click.Group = main, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def find(path: tuple[str, ...]) -> click.Command:
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    return command


def test_commands_are_those_of_the_design():
    """The commands are the ones that users were told of."""
    assert set(main.commands) == NAMED | {"eval", "policy", "token"}


@pytest.mark.parametrize("path", [*commands()], ids=" ".join)
def test_command_and_its_options_are_explained(path):
    """A command's help begins with a sentence that the list of commands shows whole, and every option has one."""
    command = find(path)
    assert command.help
    assert "…" not in command.get_short_help_str(60)
    assert not command.get_short_help_str(60).endswith("...")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{' '.join(path)} {parameter.opts[0]} has no help"
    shown = CliRunner().invoke(main, [*path, "--help"])
    assert shown.exit_code == 0
    assert max(map(len, shown.stdout.splitlines())) <= 80


@pytest.mark.parametrize("path", [*commands()], ids=" ".join)
def test_what_tells_something_has_json(path):
    """Whatever prints what it found or did can print JSON; what runs until it is stopped need not."""
    if path in {("token",), ("policy",), ("lab",), ("practice-model",)}:
        return
    assert any("--json" in parameter.opts for parameter in find(path).params)


def test_every_command_is_documented():
    """docs/command-line.md tells every command, and its prompt file is one."""
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text()
    for path in commands():
        if path[0] == "token" and len(path) > 1:
            assert f"`{path[1]}`" in page or f"`pressmark {' '.join(path)}`" in page
        else:
            assert f"pressmark {' '.join(path)}" in page
    example = page.partition("```toml\n")[2].partition("```")[0]
    assert loads(example).unit.response_format == {"type": "json_object"}


def test_version():
    """--version tells the version that is installed."""
    from pressmark import __version__

    assert CliRunner().invoke(main, ["--version"]).stdout == f"pressmark, version {__version__}\n"

"""The command line beside a registry that runs and a workspace with two versions."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import pressmark as pm
from pressmark.cli import main
from pressmark.testing import RegistrySimulator, registry_in_memory

NAME = "support/triage"


@pytest.fixture
def registry() -> Iterator[RegistrySimulator]:
    """An empty registry that is served."""
    with registry_in_memory() as simulator:
        yield simulator


@pytest.fixture
def pressmark(registry: RegistrySimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run the command in this process, in an empty folder, as a user of that registry."""
    monkeypatch.chdir(tmp_path)
    for name in ("PRESSMARK_URL", "PRESSMARK_TOKEN", "PRESSMARK_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    known = {"PRESSMARK_URL": registry.url, "PRESSMARK_TOKEN": registry.token}

    def run(*arguments: Any, **environment: str | None) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments], env={**known, **environment})

    return run


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace file with two versions of a prompt."""
    ws = pm.Workspace(tmp_path / "prompts.duckdb", author="ana")
    for text, message in (("Which category? {{ text }}", "first cut"), ("One category: {{ text }}", "shorter")):
        ws.save(NAME, messages=[{"role": "user", "content": text}], model="gpt-5-mini", message=message)
    return tmp_path / "prompts.duckdb"


@pytest.fixture
def spawn() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command as a process of its own; what still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: Any, **options: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "pressmark.cli", *map(str, arguments)],
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()

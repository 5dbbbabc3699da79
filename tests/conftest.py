"""Fixtures that every test may use."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

# Started in the background, a shell lets its children ignore Ctrl-C; what is tested here is that they heed it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass
class RecordedModel:
    """A running `recorded_model.py`: real recorded answers behind an OpenAI-compatible endpoint.

    Attributes:
        url: Where it serves; `base_url` is what a client takes.
        process: The server.
    """

    url: str
    process: subprocess.Popen[bytes]

    @property
    def base_url(self) -> str:
        """The address for an OpenAI client."""
        return f"{self.url}/v1"

    def stats(self, *, reset: bool = False) -> dict[str, Any]:
        """Calls so far, faults sent and the peak in flight; `reset` starts the counts anew afterwards."""
        request = urllib.request.Request(f"{self.url}/stats", method="POST" if reset else "GET")
        with urllib.request.urlopen(request, timeout=10) as reply:
            told: dict[str, Any] = json.load(reply)
        return told

    def close(self) -> None:
        """Stop the server."""
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="session")
def recorded_model(shared: Path) -> Iterator[Callable[..., RecordedModel]]:
    """Start a recorded model with command line options, such as `faults="429=0.05"`; equal options share one."""
    running: dict[tuple[tuple[str, object], ...], RecordedModel] = {}
    with ExitStack() as stack:

        def start(**options: object) -> RecordedModel:
            key = tuple(sorted(options.items()))
            if key not in running or running[key].process.poll() is not None:
                running[key] = _start_recorded_model(shared, options)
                stack.callback(running[key].close)
            return running[key]

        yield start


def _start_recorded_model(shared: Path, options: dict[str, object]) -> RecordedModel:
    told = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    # Another process may take the free port before the server does.
    for _ in range(5):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        script = str(shared / "servers" / "recorded_model.py")
        process = subprocess.Popen([sys.executable, script, f"--port={port}", *told], stderr=subprocess.DEVNULL)
        model = RecordedModel(f"http://127.0.0.1:{port}", process)
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            try:
                model.stats(reset=True)
            except OSError:
                time.sleep(0.05)
            else:
                return model
        model.close()
    pytest.fail("the recorded model did not start")


@pytest.fixture(scope="session")
def practice_url() -> Iterator[str]:
    """The practice model's address."""
    from pressmark.providers import practice  # the packaging tests run where its packages are missing

    with practice.running() as url:
        yield url


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and servers; tests that need it skip where it is absent."""
    place = Path(os.environ.get("PRESSMARK_SHARED") or Path(__file__).parents[2] / "shared")
    if not (place / "servers" / "recorded_model.py").is_file():
        pytest.skip(f"no shared data at {place}: set PRESSMARK_SHARED to the folder that holds it")
    return place.resolve()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a browser test that lacks what the project itself installs fails: a skip would hide that it never ran."""
    report = yield
    if (
        os.environ.get("CI")
        and report.skipped
        and item.get_closest_marker("browser")
        and not hasattr(report, "wasxfail")
    ):
        told = str(report.longrepr)
        if re.search(r"chromium|not built|not installed", told):
            report.outcome, report.longrepr = "failed", f"skipped in CI: {told}"
    return report

"""Requests made up from the OpenAPI document: never a 500, always the one form of error, no step past the gate."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from pressmark.registry.remote import Remote
from pressmark.registry.serving import Running, running
from pressmark.registry.store import Store

from .making import publish

NAME = "support/triage"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with a prompt, a label and tokens."""
    with Store(tmp_path_factory.mktemp("openapi") / "registry.db") as store, running(store) as server:
        admin = Remote(server.url, server.token)
        publish(admin, NAME, "one", "two")
        admin.move(NAME, label="production", to="v1", reason="go", expected=None)
        yield server
        admin.verify()


def test_every_operation(api: Running) -> None:
    """Whatever is sent, the answer is no 5xx, and from 400 on it is `{"error": {code, message, hint}}`."""
    document = schemathesis.openapi.from_url(f"{api.url}/openapi.json")
    operations = [found.ok() for found in document.get_all_operations()]
    assert len(operations) > 20
    for operation in operations:
        if operation.path == "/v1/events":  # it never ends
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try_out(operation, mode, api)


def try_out(operation: Any, mode: GenerationMode, api: Running) -> None:
    """Send made-up requests to one operation."""

    @settings(
        max_examples=8,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        answer = case.call(headers={"Authorization": f"Bearer {api.token}"}, timeout=10)
        assert answer.status_code < 500, answer.text
        if answer.status_code < 400:
            return
        error = json.loads(answer.content)["error"]
        assert error["code"]
        assert error["message"]
        assert isinstance(error["hint"], str)

    with contextlib.suppress(Unsatisfiable):  # some operations have nothing that could be wrong
        check()

"""The public helpers for users' own tests are real, and fail when they are told to."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openai
import pytest

import pressmark as pm
from pressmark.errors import ClientClosedError, GateError, InvalidUnitError, LabelNotFoundError
from pressmark.testing import RecordedEndpoint, registry_in_memory

NAME = "support/triage"


def test_published_prompt_is_served():
    """What is published under a label is what a client reads, over HTTP."""
    with registry_in_memory() as registry:
        published = registry.publish(NAME, text="Sort: {{ text }}", params={"temperature": 0}, label="production")
        prompt = registry.client().get(NAME)
        assert (prompt.version, prompt.digest, prompt.source) == (published.version, published.digest, "live")
        assert prompt.request(text="hi")["temperature"] == 0


def test_move_reaches_the_client():
    """A move is seen by a client, and wait_for waits for just that."""
    with registry_in_memory() as registry:
        registry.publish(NAME, text="one", label="production")
        registry.publish(NAME, text="two")
        client = registry.client(labels=["production", "staging"])
        for label, version in (("production", "v2"), ("staging", "v1"), ("production", "v1")):
            registry.move(NAME, label=label, to=version)
            registry.wait_for(client)
            assert client.get(NAME, label).version == version
        with pytest.raises(LabelNotFoundError):
            client.get(NAME, "canary")


def test_registry_goes_away_and_comes_back():
    """While the registry is away a client serves what it has, and a new one starts from its fallback."""
    with registry_in_memory() as registry:
        registry.publish(NAME, text="one", label="production")
        client = registry.client(poll_interval=0.1)
        address = registry.url
        with registry.away():
            assert client.get(NAME).version == "v1"
            late = registry.client(fallback={NAME: {"text": "spare", "model": "m"}}, start_timeout=0.2)
            assert late.get(NAME).source == "fallback"
            with pytest.raises(TimeoutError, match="does not serve support/triage@production"):
                registry.publish(NAME, text="two", label="production")
                registry.wait_for(client, timeout=0.1)
        assert registry.url == address
        registry.wait_for(client)
        assert client.get(NAME).version == "v2"


def test_nothing_is_left(tmp_path, monkeypatch):
    """After the block the clients are closed, nobody listens, and the temporary file is gone."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = threading.active_count()
    with registry_in_memory() as registry:
        registry.publish(NAME, text="one", label="production")
        client = registry.client()
        assert list(tmp_path.iterdir())
    with pytest.raises(ClientClosedError):
        client.get(NAME)
    assert not list(tmp_path.iterdir())
    deadline = time.monotonic() + 5
    while threading.active_count() > before:
        assert time.monotonic() < deadline, threading.enumerate()
        time.sleep(0.01)


def test_wrong_prompts_are_refused_as_by_the_real_registry():
    """A wrong unit is refused before anything is published, and the gate's rules hold."""
    with registry_in_memory() as registry:
        with pytest.raises(InvalidUnitError):
            registry.publish(NAME, text="{{ a }}", variables={"b": "string"})
        registry.publish(NAME, text="{{ a }}", label="production")
        registry.publish(NAME, text="{{ a }} {{ b }}")
        with pytest.raises(GateError):
            registry.move(NAME)
        assert len(registry.store.versions(NAME)) == 2


def test_registry_is_whole():
    """The Python interface works on it like on any other registry."""
    with registry_in_memory() as simulator, pm.Registry(simulator.url, token=simulator.token) as registry:
        simulator.publish(NAME, text="one", label="production")
        simulator.publish(NAME, text="two", label="production")
        assert registry.rollback(NAME, label="production", expected="v2", reason="worse").seq == 5
        assert {pointer.label: pointer.version for pointer in registry.labels(NAME)} == {
            "latest": "v2",
            "production": "v1",
        }
        assert registry.verify().count == 5


def ask(endpoint: RecordedEndpoint, text: str = "refund please", **options: object) -> openai.types.chat.ChatCompletion:
    """One call by the real openai client, without its retries."""
    with openai.OpenAI(base_url=endpoint.base_url, api_key="a-key", max_retries=0, timeout=10) as client:
        told = [{"role": "system", "content": "Sort."}, {"role": "user", "content": text}]
        return client.chat.completions.create(model="a-model", messages=told, **options)  # type: ignore[call-overload]


def test_recorded_answer():
    """The answer to the last user message is returned as a chat completion, and the request is kept."""
    with RecordedEndpoint({"refund please": "billing"}, model="recorded-1") as endpoint:
        answer = ask(endpoint, temperature=0)
        assert answer.choices[0].message.content == "billing"
        assert (answer.model, answer.choices[0].finish_reason) == ("recorded-1", "stop")
        assert answer.usage is not None
        assert answer.usage.total_tokens > 2
        [request] = endpoint.requests
        assert (request["temperature"], request["model"]) == (0, "a-model")
        assert endpoint.stats == {"calls": 1, "in_flight": 0, "peak": 1, "sent": {}}


def test_computed_answer_and_tool_call():
    """A function computes the answer, which may be a whole message."""
    call = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": "{}"}}
    with RecordedEndpoint(lambda request: {"tool_calls": [call]}) as endpoint:
        answer = ask(endpoint)
        assert answer.choices[0].finish_reason == "tool_calls"
        assert answer.choices[0].message.tool_calls
        assert answer.model == "a-model"


def test_what_is_not_recorded_is_told():
    """A question without an answer, and a function that fails, are errors that nobody retries."""
    with RecordedEndpoint({}) as endpoint, pytest.raises(openai.BadRequestError, match="nothing is recorded for"):
        ask(endpoint)
    with (
        RecordedEndpoint(lambda request: request["nothing"]) as endpoint,
        pytest.raises(openai.BadRequestError, match="KeyError"),
    ):
        ask(endpoint)
    with RecordedEndpoint({"refund please": "x"}) as endpoint, pytest.raises(openai.BadRequestError, match="stream"):
        ask(endpoint, stream=True)


def test_faults_on_demand():
    """Told faults come in order, once each; then answers come again."""
    with RecordedEndpoint({"refund please": "billing"}) as endpoint:
        endpoint.fail(429, retry_after=7).fail(500).fail("garbage").fail("cut")
        with pytest.raises(openai.RateLimitError) as limited:
            ask(endpoint)
        assert limited.value.response.headers["retry-after"] == "7"
        with pytest.raises(openai.InternalServerError):
            ask(endpoint)
        with pytest.raises((openai.APIError, json.JSONDecodeError)):
            ask(endpoint)
        with pytest.raises(openai.APIConnectionError):
            ask(endpoint)
        assert ask(endpoint).choices[0].message.content == "billing"
        assert endpoint.stats["sent"] == {"429": 1, "500": 1, "garbage": 1, "cut": 1}
        with pytest.raises(ValueError, match="no fault"):
            endpoint.fail("often")  # type: ignore[arg-type]


def test_hanging_call_ends_with_the_endpoint():
    """A call that hangs is in flight until the endpoint closes."""
    endpoint = RecordedEndpoint({}).fail("hang")
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(ask, endpoint)
        while endpoint.stats["in_flight"] == 0:
            assert not asked.done()
            time.sleep(0.01)
        endpoint.close()
        with pytest.raises(openai.APIConnectionError):
            asked.result(timeout=20)


def test_wrong_key_is_refused():
    """An endpoint with a key refuses every other one."""
    with RecordedEndpoint({"refund please": "x"}, key="right") as endpoint, pytest.raises(openai.AuthenticationError):
        ask(endpoint)


def test_stats_over_http():
    """Other processes read the counters, and set them back."""
    with RecordedEndpoint({"refund please": "x"}) as endpoint:
        ask(endpoint)
        address = endpoint.base_url.removesuffix("/v1") + "/stats"
        with urllib.request.urlopen(address) as answer:
            assert json.load(answer)["calls"] == 1
        with urllib.request.urlopen(urllib.request.Request(address, method="POST")) as answer:
            assert json.load(answer)["calls"] == 1
        assert endpoint.stats["calls"] == 0
        assert endpoint.requests == []


def test_evaluation_runs_against_it(tmp_path: Path):
    """A whole run goes over it: faults are retried, and each row has the recorded answer."""
    answers = {f"message {number}": "billing" if number % 2 else "shipping" for number in range(20)}
    rows = [{"text": text, "category": category} for text, category in answers.items()]
    ws = pm.Workspace(tmp_path / "prompts.duckdb")
    version = ws.save(NAME, messages=[{"role": "user", "content": "{{ text }}"}], model="m", message="a start")
    suite = ws.suite("support/basics", dataset=rows, scorers=[pm.scorers.Exact("category")])
    with RecordedEndpoint(answers) as endpoint:
        endpoint.fail(503, times=3, retry_after=0)
        ws.endpoint("recorded", base_url=endpoint.base_url)
        run = ws.evaluate([version], suite, endpoint="recorded", progress=False, concurrency=4)
        assert run.results["category"].eq(1).all()
        assert endpoint.stats["calls"] == 23
        assert endpoint.stats["peak"] <= 4

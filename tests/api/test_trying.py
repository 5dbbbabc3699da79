"""One answer tried while a draft is written: told as it comes, stopped, too late, too long, and what goes wrong."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pressmark.api import trying
from pressmark.api.trying import Attempt, try_once
from pressmark.errors import EndpointAuthError
from pressmark.providers import Endpoint, practice
from pressmark.testing import RecordedEndpoint
from tests.providers.scripted import Reply, Server, completion

PATIENCE = 60
REQUEST = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
# The practice model answers it in sentences, so that it comes in several pieces.
STREAMED = {"model": practice.PRACTICE_MODEL, "messages": [{"role": "user", "content": "Tell me what you can do."}]}
ENDS = ("done", "stopped", "failed")


class Told:
    """What a try told, in order."""

    def __init__(self) -> None:
        self.all: list[Attempt] = []
        self._news: queue.SimpleQueue[Attempt] = queue.SimpleQueue()
        self.threads: set[str] = set()

    def __call__(self, attempt: Attempt) -> None:
        """Take the next."""
        self.threads.add(threading.current_thread().name)
        self.all.append(attempt)
        self._news.put(attempt)

    def until(self, *statuses: str) -> Attempt:
        """Wait for one of these."""
        while True:
            attempt = self._news.get(timeout=PATIENCE)
            if attempt.status in statuses:
                return attempt


@pytest.fixture
def endpoint() -> Iterator[RecordedEndpoint]:
    """One that fails as it is told."""
    with RecordedEndpoint(lambda request: "never heard", model="m") as serving:
        yield serving


@pytest.fixture
def scripted() -> Iterator[Callable[[Reply], Endpoint]]:
    """Endpoints that answer with what they are given."""
    running: list[Server] = []

    def start(reply: Reply) -> Endpoint:
        running.append(Server(lambda request: reply))
        return Endpoint("scripted", running[-1].base_url)

    yield start
    for server in running:
        server.close()


def at(serving: RecordedEndpoint, **more: Any) -> Endpoint:
    """Where it is asked."""
    return Endpoint("local", serving.base_url, **more)


def test_done(practice_url: str) -> None:
    """It is asking, then answering with ever more text, then done, with the whole answer; nothing comes after."""
    told = Told()
    stop = try_once(STREAMED, Endpoint("practice", practice_url), told)
    last = told.until(*ENDS)
    assert (last.status, last.error) == ("done", None)
    assert last.answer is not None
    assert last.answer.output == last.text != ""
    assert last.ttft is not None
    assert 0 < last.ttft <= last.seconds
    assert (told.all[0].status, told.all[0].text, told.all[0].ttft) == ("asking", "", None)
    texts = [attempt.text for attempt in told.all]
    assert all(later.startswith(sooner) for sooner, later in itertools.pairwise(texts))
    stop()  # too late to matter
    assert told.all[-1] is last


def test_stopped(endpoint: RecordedEndpoint) -> None:
    """Stopped by hand, it says so, without an error; stopped again, nothing happens."""
    endpoint.fail("hang")
    told = Told()
    stop = try_once(REQUEST, at(endpoint), told)
    told.until("asking")
    stop()
    last = told.until(*ENDS)
    assert (last.status, last.text, last.answer, last.error) == ("stopped", "", None, None)
    stop()
    assert told.all[-1] is last


def test_an_endpoint_that_hangs(endpoint: RecordedEndpoint) -> None:
    """After its time it has failed, and the error says what to do."""
    endpoint.fail("hang")
    told = Told()
    try_once(REQUEST, at(endpoint), told, seconds=0.2)
    last = told.until(*ENDS)
    assert last.status == "failed"
    assert "'local' was not done after 0.2 s: it hangs or is overloaded; try again" in str(last.error)


def test_an_answer_without_end(practice_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is longer than anybody reads is cut off, and what came stays."""
    monkeypatch.setattr(trying, "MOST_CHARACTERS", 5)
    told = Told()
    try_once(STREAMED, Endpoint("practice", practice_url), told)
    last = told.until(*ENDS)
    assert last.status == "failed"
    assert len(last.text) == 5
    assert "did not stop: its answer has over 5 characters" in str(last.error)


def test_an_endless_answer_in_one_piece(scripted: Callable[[Reply], Endpoint], monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that does not stream is held to the same: nobody is given more to show than that."""
    monkeypatch.setattr(trying, "MOST_CHARACTERS", 5)
    told = Told()
    try_once(REQUEST, scripted(Reply(completion("0123456789"))), told)
    last = told.until(*ENDS)
    assert (last.status, last.text) == ("failed", "01234")
    assert "did not stop" in str(last.error)


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        ([r"hi \ud83d", r"\ude00 end"], "hi 😀 end"),
        ([r"a \ud83d", "b"], "a �b"),
        (["a", r" \ude00"], "a �"),
    ],
    ids=["split", "first half alone", "second half alone"],
)
def test_halves_of_characters(scripted: Callable[[Reply], Endpoint], pieces: list[str], whole: str) -> None:
    """A character that comes in two pieces is joined; a half alone is replaced: what is told can be sent on."""
    chunk = '{{"id": "1", "model": "m", "choices": [{{"index": 0, "delta": {{{}}}, "finish_reason": {}}}]}}'
    chunks = [
        *(chunk.format(f'"content": "{piece}"', "null") for piece in pieces),
        chunk.format("", '"stop"'),
        "[DONE]",
    ]
    body = "".join(f"data: {each}\n\n" for each in chunks).encode()
    told = Told()
    try_once(REQUEST, scripted(Reply(body, headers={"Content-Type": "text/event-stream"})), told)
    last = told.until(*ENDS)
    assert (last.status, last.text) == ("done", whole)
    for attempt in told.all:
        attempt.text.encode()


@pytest.mark.parametrize("fault", [400, 500, "cut", "garbage"])
def test_what_goes_wrong_is_told_once(endpoint: RecordedEndpoint, fault: Any) -> None:
    """It is asked once, and the one end of it is the error."""
    endpoint.fail(fault)
    told = Told()
    try_once(REQUEST, at(endpoint), told)
    last = told.until(*ENDS)
    assert last.status == "failed"
    assert str(last.error)
    assert [attempt.status for attempt in told.all if attempt.status in ENDS] == ["failed"]
    assert endpoint.stats["calls"] == 1


def test_without_a_key_nothing_begins(endpoint: RecordedEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal is the caller's, at once; nothing is asked or told."""
    monkeypatch.delenv("PRESSMARK_TEST_TRY_KEY", raising=False)
    told = Told()
    with pytest.raises(EndpointAuthError, match="PRESSMARK_TEST_TRY_KEY"):
        try_once(REQUEST, at(endpoint, key_env="PRESSMARK_TEST_TRY_KEY"), told)
    assert (told.all, endpoint.stats["calls"]) == ([], 0)

"""While the registry is away: prompts go on, age is told, requests are few, and closing is quick."""

from __future__ import annotations

import os
import threading
import time

import pytest

from pressmark import errors
from pressmark.client import fetcher

from .simulator import Book, unit_text, until

NAME = "support/triage"


def test_no_read_fails_while_the_registry_is_killed_and_comes_back(sim, connect):
    """Killed, restarted and moved meanwhile: not one `get()` fails, none goes back, and the move arrives."""
    client = connect()
    until(lambda: client.status().state == "live", "the stream is open")
    failures: list[BaseException] = []
    versions: list[int] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                versions.append(client.get(NAME).seq)
            except BaseException as error:
                failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    sim.down()
    until(lambda: client.status().state == "stale", "the outage is seen")
    age = client.status().age
    until(lambda: client.status().age > age, "the age grows")
    assert client.get(NAME).source == "live"
    assert "could not be reached" in str(client.status().last_error)
    sim.put((NAME, "production", unit_text("Sort anew: {{ text }}")))
    sim.up()
    until(lambda: client.get(NAME).version == "v2", "the move is served")
    until(lambda: client.status().state == "live", "the stream is open again")
    done.set()
    reader.join()
    assert failures == []
    assert versions == sorted(versions)


def test_a_stream_that_is_cut_goes_on_where_it_stopped(sim, connect):
    """After a cut the stream is opened again from the position held; nothing is missed and nothing synced anew."""
    client = connect(poll_interval=5)
    until(lambda: client.status().state == "live", "the stream is open")
    sim.cut_streams()
    sim.put((NAME, "production", unit_text("Sort anew: {{ text }}")))
    until(lambda: client.get(NAME).version == "v2", "the move is served")
    streams = [query["after"] for path, query, _ in sim.requests if path == "/v1/events"]
    assert streams == [["1"], ["1"]]
    assert sim.count("/v1/sync") == 1


def test_polling_carries_on_while_the_stream_fails_and_the_stream_comes_back(sim, connect):
    """With a proxy that refuses streams, moves arrive by polling; once streams work again, they are used."""
    sim.fault["events"] = "502"
    client = connect(poll_interval=0.1)
    until(lambda: sim.count("/v1/sync") > 3, "it polls")
    assert client.status().state == "polling"
    assert client.status().age < 5
    sim.put((NAME, "production", unit_text("Sort anew: {{ text }}")))
    until(lambda: client.get(NAME).version == "v2", "the move is served")
    assert "502" in str(client.status().last_error)
    asked = [headers.get("if-none-match") for path, _, headers in sim.requests if path == "/v1/sync"]
    assert asked[:3] == [None, '"reg-1-1-1"', '"reg-1-1-1"']
    sim.fault.clear()
    until(lambda: client.status().state == "live", "the stream is used again")
    sim.put((NAME, "production", unit_text("Sort thrice: {{ text }}")))
    until(lambda: client.get(NAME).version == "v3", "the stream brings the next move")


def test_a_silent_stream_is_given_up(sim, connect, monkeypatch):
    """A stream that stays open and says nothing (a frozen registry) is closed and the state asked for again."""
    monkeypatch.setattr(fetcher, "STREAM_SILENCE", 0.3)
    sim.heartbeat = 60
    client = connect()
    until(lambda: sim.count("/v1/events") >= 2, "the stream was opened again")
    assert client.get(NAME).source == "live"


def test_a_registry_restored_from_a_backup_is_followed(sim, connect):
    """A new epoch that begins lower is followed by a running client, and its past is not served again."""
    sim.put((NAME, "production", unit_text("Sort anew: {{ text }}")))
    client = connect()
    until(lambda: client.status().state == "live", "the stream is open")
    with sim.news:
        sim.book = sim.book.restored(1)
        sim.news.notify_all()
    until(lambda: client.get(NAME).version == "v1", "the restored state is served")
    assert client.status().position == ("reg-1", 2, 1)


def test_another_registry_at_the_same_url_is_not_followed(sim, connect):
    """A live client keeps its prompts when another registry answers at its URL, and says what to do."""
    client = connect()
    until(lambda: client.status().state == "live", "the stream is open")
    with sim.news:
        sim.book = Book("reg-2")
        sim.book.put((NAME, "production", unit_text("Elsewhere: {{ text }}")))
        sim.news.notify_all()
    until(lambda: getattr(client.status().last_error, "code", "") == "other_registry", "it is refused")
    assert client.get(NAME).version == "v1"
    assert client.status().state == "stale"


def test_retry_after_is_honoured(sim, connect):
    """A registry that asks for a second is left alone for a second, however eager the polling."""
    client = connect(poll_interval=0.05)
    until(lambda: client.status().state == "live", "the stream is open")
    sim.fault.update(sync="retry", events="retry")
    sim.cut_streams()
    until(lambda: "503" in str(client.status().last_error), "the 503 is seen")
    began, asked = time.monotonic(), len(sim.requests)
    until(lambda: len(sim.requests) > asked, "it asks again")
    assert time.monotonic() - began > 0.9


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("3", 3), ("0", 0), ("900", 300), ("soon", None), ("", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0), ("-1", None)],
)
def test_retry_after_in_each_form(told, seconds):
    """Seconds and dates are read, nonsense is ignored, and nobody can silence a client for hours."""
    assert fetcher._retry_after(told) == seconds


def test_back_off_grows_and_differs(sim, connect):
    """While the registry is away, a client with a long poll interval asks ever less often."""
    client = connect(poll_interval=60)
    until(lambda: client.status().state == "live", "the stream is open")
    sim.fault.update(sync="500", events="500")
    sim.requests.clear()
    sim.cut_streams()
    until(lambda: sim.count("/v1/sync") >= 2, "two attempts")
    assert client._feed._refresher._failures >= 2
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 1.0, "a second went by")
    assert sim.count("/v1/sync") <= 4


def test_start_up_is_one_question_for_many_prompts(sim, connect):
    """A hundred prompts are one sync and one stream; sixteen threads that read at once add none."""
    sim.put(*((f"many/p{number}", "production", unit_text(f"P{number}: {{{{ text }}}}")) for number in range(100)))
    client = connect()
    until(lambda: client.status().state == "live", "the stream is open")
    threads = [
        threading.Thread(target=lambda: [client.get(f"many/p{n}").render(text="x") for n in range(100)])
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path for path, _, _ in sim.requests] == ["/v1/sync", "/v1/events"]
    assert client.status().prompts == 101


def test_the_subscription_is_what_is_asked_for(sim, connect):
    """Labels, patterns and token travel with each question, and the position with the stream."""
    client = connect(labels=["production", "staging"], names=["support/*", "x"])
    until(lambda: client.status().state == "live", "the stream is open")
    (_, sync, headers), (_, events, _) = sim.requests
    assert (sync["label"], sync["name"]) == (["production", "staging"], ["support/*", "x"])
    assert headers["authorization"] == f"Bearer {sim.token}"
    assert headers["user-agent"].startswith("pressmark-client/")
    assert (events["after"], events["registry"], events["epoch"]) == (["1"], ["reg-1"], ["1"])


@pytest.mark.parametrize("where", ["sync", "events", "stream"])
def test_close_is_quick_against_a_hanging_registry(sim, connect, where):
    """`close()` returns within a second whatever the network does, and leaves no thread."""
    if where == "stream":
        sim.heartbeat = 60
    else:
        sim.fault[where] = "hang"
    before = set(threading.enumerate())
    client = connect(start_timeout=0.3, max_age=100)
    until(lambda: sim.count("/v1/sync" if where == "sync" else "/v1/events") == 1, "it waits for the network")
    began = time.monotonic()
    client.close()
    assert time.monotonic() - began < 1.0
    until(
        lambda: not [t for t in threading.enumerate() if t not in before and t.name.startswith("pressmark")], "gone", 3
    )


def test_closing_from_a_callback_works(sim, connect):
    """A caller may close the client from within `on_error`."""
    made: list = []
    client = connect(poll_interval=0.1, on_error=lambda error: made and made[0].close())
    made.append(client)
    until(lambda: client.status().state == "live", "the stream is open")
    sim.down()
    until(lambda: client.status().state == "closed", "it closed itself")


class Clock:
    """A clock that moves when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_max_age_stops_what_nobody_confirms(sim, connect):
    """Past `max_age` without word from the registry `get()` raises; with word it serves again."""
    clock, heard = Clock(), []
    client = connect(max_age=60, _clock=clock, on_error=heard.append)
    until(lambda: client.status().state == "live", "the stream is open")
    sim.down()
    until(lambda: client.status().state == "stale", "the outage is seen")
    clock.now += 59
    until(lambda: client.status().age > 58, "the age is told")
    assert client.get(NAME).version == "v1"
    clock.now += 5
    until(lambda: not client._map, "the map is taken away")
    with pytest.raises(
        errors.ClientNotReadyError, match=r"has not confirmed the prompts for 6\d s, and max_age is 60 s"
    ):
        client.get(NAME)
    assert client.get(NAME, fallback={"text": "x", "model": "m"}).source == "fallback"
    assert any("max_age" in str(error) for error in heard)
    sim.up()
    until(lambda: client._map, "the map is back")
    assert client.get(NAME).version == "v1"


def test_max_age_counts_from_the_last_word_before_a_restart(sim, connect, tmp_path):
    """A snapshot that nobody has confirmed for too long is not served either, and its age is told."""
    connect().close()
    path = next((tmp_path / "snapshots").glob("*.snapshot"))
    os.utime(path, (time.time() - 500,) * 2)
    sim.down()
    client = connect(start_timeout=0.2)
    assert client.get(NAME).source == "snapshot"
    assert 499 < client.status().age < 560
    strict = connect(start_timeout=0.2, max_age=60)
    with pytest.raises(errors.ClientNotReadyError, match="max_age"):
        strict.get(NAME)


def test_a_removed_label_is_an_error_that_says_so(sim, connect):
    """A label that was removed raises from then on, live and after a restart, and can come back."""
    client = connect()
    until(lambda: client.status().state == "live", "the stream is open")
    sim.put((NAME, "production", None))
    until(lambda: client.status().removed, "the removal is seen")
    with pytest.raises(errors.LabelNotFoundError, match="removed from 'support/triage' by entry 2") as caught:
        client.get(NAME)
    assert caught.value.why == "removed"
    client.close()
    sim.down()
    again = connect(start_timeout=0.2)
    with pytest.raises(errors.LabelNotFoundError, match="was removed"):
        again.get(NAME)
    assert again.status().removed == {"support/triage@production": "removed"}
    sim.up()
    sim.put((NAME, "production", unit_text("Sort anew: {{ text }}")))
    until(lambda: again.status().removed == {}, "the label is back")
    assert again.get(NAME).version == "v2"


def test_a_prompt_that_the_token_no_longer_sees_is_another_state(sim, connect):
    """What vanishes from a full answer without a tombstone is told apart from a removal."""
    sim.fault["events"] = "500"
    client = connect(poll_interval=0.05)
    with sim.news:
        sim.book.entries[0] = []
        sim.book.other()
    until(lambda: client.status().removed, "it is missed")
    with pytest.raises(errors.LabelNotFoundError, match="no longer shows support/triage@production to this token"):
        client.get(NAME)
    assert client.status().removed == {"support/triage@production": "unreadable"}


def test_keep_goes_on_serving_and_says_so(sim, connect):
    """With `when_removed="keep"` the last version is served on, marked, and after a restart too."""
    client = connect(when_removed="keep")
    assert client.get(NAME).state == "current"
    until(lambda: client.status().state == "live", "the stream is open")
    sim.put((NAME, "production", None))
    until(lambda: client.status().removed, "the removal is seen")
    assert (client.get(NAME).version, client.get(NAME).state) == ("v1", "removed")
    client.close()
    sim.down()
    assert connect(start_timeout=0.2, when_removed="keep").get(NAME).state == "removed"
    with pytest.raises(errors.ClientNotReadyError):
        connect(start_timeout=0.2).get(NAME)  # what one client keeps is no other's to serve

"""What the client accepts: every unit by its digest, every template by the allow-list, every answer by its shape."""

from __future__ import annotations

import json

import pytest

from pressmark.client.answers import read_head, read_move, read_sync
from pressmark.client.cache import View, after_moves, after_sync
from pressmark.client.sse import Event, EventReader
from pressmark.errors import LabelNotFoundError, RegistryError

from .simulator import Book, digest_of, unit_text, until

NAME = "support/triage"


@pytest.fixture
def book() -> Book:
    made = Book()
    made.put((NAME, "production", unit_text()))
    return made


def _body(book: Book) -> bytes:
    return json.dumps(book.sync(["production"]), ensure_ascii=False).encode()


def test_no_flipped_byte_is_served(book):
    """Flip any byte of an answer: it is refused with one error, or every unit that is served still has its digest."""
    body = _body(book)
    view = after_sync(View(), read_sync(body), None)
    refused = 0
    for place in range(len(body)):
        flipped = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        try:
            new = after_sync(view, read_sync(flipped), None)
        except RegistryError:
            refused += 1
            continue
        for names in new.prompts.values():
            for prompt in names.values():
                assert digest_of(prompt._content.text) == prompt.digest
    assert refused > len(body) // 2


def test_a_flipped_byte_of_a_unit_is_refused_by_a_running_client(sim, connect):
    """An altered unit never reaches `get()`, over the stream as over a sync; the last valid state stays."""
    client = connect(poll_interval=0.1)
    until(lambda: client.status().state == "live", "the stream is open")
    sim.fault.update(sync="flip", events="flip")
    sim.cut_streams()
    sim.put((NAME, "production", unit_text("Sort better: {{ text }}")))
    until(lambda: getattr(client.status().last_error, "code", "") == "digest_mismatch", "the answer is refused")
    assert client.get(NAME).version == "v1"
    until(lambda: client.status().lag == 1, "the lag is known")
    sim.fault.clear()
    until(lambda: client.get(NAME).version == "v2", "the unaltered unit is served")
    until(lambda: client.status().lag == 0, "nothing is missing")


def test_a_template_that_is_not_allowed_is_left_out_with_its_whole_move(sim, connect):
    """A unit that breaks the template rules is never served; what moved with it waits too; others go on."""
    bad = unit_text("{% macro f() %}{% endmacro %}Sort")
    sim.put(("a", "production", unit_text("A1")), ("b", "production", unit_text("B1")))
    client = connect()
    until(lambda: client.status().state == "live", "the stream is open")
    sim.put(("a", "production", bad), ("b", "production", unit_text("B2")))
    sim.put(("c", "production", unit_text("C1")))
    sim.put(("d", "production", bad))
    until(lambda: client.status().seq == 5, "all moves were heard")
    assert (client.get("a").version, client.get("b").version, client.get("c").version) == ("v1", "v1", "v1")
    with pytest.raises(LabelNotFoundError, match=r"d@production cannot be served: d v1 is not acceptable here.*macros"):
        client.get("d")
    assert client.status().removed == {"d@production": "refused"}
    assert "macros are not allowed" in str(client.status().last_error)
    sim.put(("a", "production", unit_text("A3")), ("b", "production", unit_text("B3")), ("d", "production", None))
    until(lambda: client.get("a").version == "v3", "the next good move is served")
    until(lambda: client.status().last_error is None, "nothing is left out any more")


def test_a_unit_of_a_newer_form_is_left_out(book):
    """A unit that only a newer Pressmark reads keeps the version before it in service."""
    view = after_sync(View(), read_sync(_body(book)), "etag")
    newer = json.dumps(json.loads(unit_text()) | {"format": 2}, sort_keys=True, separators=(",", ":"))
    book.put((NAME, "production", newer))
    view = after_sync(view, read_sync(_body(book)), "etag")
    assert view.prompts["production"][NAME].version == "v1"
    assert "upgrade pressmark" in view.refused["production", NAME]
    assert view.etag is None  # or a 304 would keep an upgraded client from reading it


@pytest.mark.parametrize(
    "text",
    [
        "not JSON",
        "[]",
        "[" * 50_000,
        unit_text(params={"deep": json.loads("[" * 800 + "]" * 800)}),
        unit_text("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}"),
        unit_text("{% if text %}" * 300 + "{{ text }}" + "{% endif %}" * 300),
    ],
)
def test_a_hostile_unit_stops_no_other(book, text):
    """A unit with the right digest that no reader can digest is left out; everything else is served."""
    view = after_sync(View(), read_sync(_body(book)), None)
    book.put((NAME, "production", text))
    book.put(("other", "production", unit_text()))
    view = after_sync(view, read_sync(_body(book)), None)
    assert view.prompts["production"]["other"].version == "v1"
    assert view.prompts["production"][NAME].render(text="x")


def test_a_template_that_uses_what_it_does_not_declare_is_left_out(book):
    """A prompt that no caller could render does not replace one that works."""
    view = after_sync(View(), read_sync(_body(book)), None)
    book.put((NAME, "production", unit_text("{{ other }}", declared=[])))
    view = after_sync(view, read_sync(_body(book)), None)
    assert view.prompts["production"][NAME].version == "v1"
    assert "without declaring it" in view.refused["production", NAME]


def _without(told, *path):
    for key in path[:-1]:
        told = told[key]
    del told[path[-1]]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda told: told.clear(),
        lambda told: _without(told, "position"),
        lambda told: told.update(position=3),
        lambda told: told["position"].update(seq="7"),
        lambda told: told["position"].update(seq=-1),
        lambda told: told["position"].update(epoch=True),
        lambda told: told["position"].update(registry=""),
        lambda told: told.update(pointers={}),
        lambda told: told.update(pointers=[3]),
        lambda told: _without(told, "pointers", 0, "name"),
        lambda told: _without(told, "pointers", 0, "targets"),
        lambda told: told["pointers"][0].update(targets=[3]),
        lambda told: told["pointers"][0].update(targets=[{"version": None, "digest": "d"}]),
        lambda told: told["pointers"][0]["targets"].append(told["pointers"][0]["targets"][0]),
        lambda told: told.update(units=[]),
        lambda told: told.update(units={}),
        lambda told: told.update(units={next(iter(told["units"])): 3}),
        lambda told: told.update(units={next(iter(told["units"])): "\ud800"}),
        lambda told: told.update(full=False),
    ],
)
def test_an_answer_of_another_shape_is_refused(book, spoil):
    """Whatever is missing or of another kind in an answer: one RegistryError, and nothing is served from it."""
    told = json.loads(_body(book))
    spoil(told)
    with pytest.raises(RegistryError):
        after_sync(View(), read_sync(json.dumps(told).encode()), None)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_an_answer_that_is_not_an_object_is_refused(body):
    """Bytes that are no JSON object are refused in words."""
    with pytest.raises(RegistryError, match="the registry's answer was refused"):
        read_sync(body)


def test_events_of_another_shape_are_refused(book):
    """An event without a number, or without pointers, is refused."""
    view = after_sync(View(), read_sync(_body(book)), None)
    with pytest.raises(RegistryError, match="sequence number"):
        read_head("{}", "")
    with pytest.raises(RegistryError, match="pointers are not a list"):
        read_move("{}", "2")
    with pytest.raises(RegistryError, match="before any state"):
        after_moves(View(), [read_head("{}", "2")])
    told = dict(book.event(1, ["production"]), seq=2, units={})
    told["pointers"] = [
        dict(told["pointers"][0], seq=2, targets=[{"version": "v2", "digest": "sha256:0", "weight": 1}])
    ]
    with pytest.raises(RegistryError, match="is missing"):
        after_moves(view, [read_move(json.dumps(told), "2")])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_come_out_whole_however_the_network_cuts_them(size):
    """Pieces of any size, any line ending, comments, several data lines, characters cut in half: the same events."""
    stream = (
        ': hello\r\n\r\nevent: move\r\nid: 7\r\ndata: {"a":\r\ndata: "é→"}\r\n\r\n'
        "event:head\nid:8\ndata:{}\n\nid: 9\n\nevent: resync\n\nevent: move\rdata: x\r\r: end\n\n"
    ).encode()
    reader = EventReader()
    events = [event for start in range(0, len(stream), size) for event in reader.feed(stream[start : start + size])]
    assert events == [
        Event("move", "7", '{"a":\n"é→"}'),
        Event("head", "8", "{}"),
        Event("resync", "", ""),
        Event("move", "", "x"),
    ]


def test_a_stream_that_is_no_text_is_refused():
    """Bytes that are not UTF-8 are refused in words."""
    with pytest.raises(RegistryError, match="not UTF-8"):
        EventReader().feed(b"event: move\ndata: \xff\n\n")

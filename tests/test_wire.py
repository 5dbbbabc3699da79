"""The forms that registry and client share: what goes over the wire comes back as it was, or as one error."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pressmark import errors, wire
from pressmark.prompts import GENESIS, Entry, LabelPointer, Position
from pressmark.prompts.canonical import unit_bytes, unit_digest
from pressmark.prompts.changelog import chained, verify_chain
from pressmark.prompts.entry import timestamp
from pressmark.rendering import PromptVersion, build_unit

steady = settings(derandomize=True, deadline=None)
UNIT = build_unit(text="Größe: {{ a }} 🙂", model="m", params={"temperature": 0.2})
TIMES = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
NUMBER = st.integers(1, 2**53 - 1)
DATA = st.dictionaries(TEXT, st.none() | TEXT | NUMBER | st.lists(TEXT, max_size=3), max_size=4)


def over_the_wire(told: Any) -> Any:
    """Send it as JSON."""
    return json.loads(json.dumps(told))


@steady
@given(number=NUMBER, message=TEXT, author=TEXT, at=TIMES, parent=st.none() | NUMBER, restores=st.none() | NUMBER)
def test_versions(
    number: int, message: str, author: str, at: datetime, parent: int | None, restores: int | None
) -> None:
    """A version comes back with its unit beside it; what a newer registry adds is passed over."""
    digest = unit_digest(UNIT)
    version = PromptVersion("a/b", number, UNIT, digest, message, author, at, "registry", parent, restores)
    told = over_the_wire(wire.version_to_dict(version))
    assert "unit" not in told
    assert told["version"] == f"v{number}"
    assert wire.version_from_dict(told, UNIT) == version
    assert wire.version_from_dict({**told, "added later": [1]}, UNIT) == version


@steady
@given(number=NUMBER, seq=NUMBER, at=TIMES, by=TEXT, reason=TEXT)
def test_pointers(number: int, seq: int, at: datetime, by: str, reason: str) -> None:
    """A label's pointer comes back as it was."""
    pointer = LabelPointer("a/b", "production", number, unit_digest(UNIT), seq, at, by, reason)
    assert wire.pointer_from_dict(over_the_wire(wire.pointer_to_dict(pointer))) == pointer


@steady
@given(at=TIMES, actor=TEXT, reason=TEXT, data=DATA)
def test_entries(at: datetime, actor: str, reason: str, data: dict[str, Any]) -> None:
    """An entry of the change log comes back as it was, frozen, and verifies at the other end."""
    entry = chained(seq=1, kind="move", at=at, actor=actor, reason=reason, data=data, previous=GENESIS)
    back = wire.entry_from_dict(over_the_wire(wire.entry_to_dict(entry)))
    assert back == entry
    assert verify_chain([back]) == (1, entry.hash)
    with pytest.raises(TypeError, match="immutable"):
        back.data["x"] = 1


@steady
@given(TIMES)
def test_times(at: datetime) -> None:
    """A moment comes back to the microsecond, in UTC, whatever zone it was told in."""
    zoned = at.astimezone(timezone(timedelta(hours=-3, minutes=-30)))
    assert wire.read_time(timestamp(zoned)) == at
    assert wire.read_time(zoned.isoformat()) == at
    assert wire.read_time(timestamp(zoned)).tzinfo is UTC


def test_positions() -> None:
    """A position comes back as it was, and positions of one registry are ordered by epoch, then number."""
    position = Position("r1", 2, 30)
    assert wire.position_from_dict(over_the_wire(wire.position_to_dict(position))) == position
    assert Position("r1", 1, 99) < position < Position("r1", 2, 31)


def test_units() -> None:
    """A unit comes back from its canonical bytes or text, checked against its digest."""
    data, digest = unit_bytes(UNIT), unit_digest(UNIT)
    for told in (data, data.decode()):
        assert wire.unit_from_text(told) == UNIT
        assert wire.unit_from_text(told, digest) == UNIT


def test_an_altered_unit() -> None:
    """Whichever byte of a unit is changed on the way, the unit is refused."""
    data, digest = unit_bytes(UNIT), unit_digest(UNIT)
    for place in range(len(data)):
        altered = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises(errors.InvalidUnitError, match="so it was altered on the way: fetch it again"):
            wire.unit_from_text(altered, digest)
    with pytest.raises(errors.InvalidUnitError, match="altered on the way"):
        wire.unit_from_text(data[:-1], digest)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not readable JSON"),
        ("{", "not readable JSON"),
        (b"\xff\xfe", "not readable JSON"),
        ("[" * 100_000, "not readable JSON"),
        ("\ud800", "not valid Unicode"),
        ("[]", "a unit is a JSON object"),
        ("{}", "a unit says its format"),
        ('{"format": 2}', "upgrade pressmark"),
        ('{"format": 1, "template": {"text": "x"}, "model": "m", "params": {"x": NaN}}', "nan has no JSON form"),
    ],
)
def test_what_is_no_unit(text: str | bytes, said: str) -> None:
    """What is no unit gives one error."""
    with pytest.raises(errors.InvalidUnitError, match=said):
        wire.unit_from_text(text)


ENTRY = wire.entry_to_dict(
    chained(seq=1, kind="move", at=datetime(2026, 1, 1, tzinfo=UTC), actor="a", reason="r", data={}, previous=GENESIS)
)
POINTER = wire.pointer_to_dict(
    LabelPointer("a", "production", 1, "sha256:0", 1, datetime(2026, 1, 1, tzinfo=UTC), "a", "r")
)
VERSION = wire.version_to_dict(
    PromptVersion("a", 1, UNIT, "sha256:0", "m", "a", datetime(2026, 1, 1, tzinfo=UTC), "registry")
)
POSITION = wire.position_to_dict(Position("r", 1, 1))
READERS: dict[str, tuple[dict[str, Any], Callable[[Any], Any]]] = {
    "an entry of the change log": (ENTRY, wire.entry_from_dict),
    "a label": (POINTER, wire.pointer_from_dict),
    "a version": (VERSION, lambda told: wire.version_from_dict(told, UNIT)),
    "a position": (POSITION, wire.position_from_dict),
}
WRONG = [None, 3.5, True, [], {}, "", "x", "v", "#1", "v-1", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z"]


@pytest.mark.parametrize("what", READERS)
def test_malformed_forms(what: str) -> None:
    """A missing member, one of another type and what is no object at all give one error, which names what it was."""
    told, read = READERS[what]
    read(told)
    for value in (None, [], "x", 3):
        with pytest.raises(errors.MalformedAnswerError, match=f"^{what} cannot be read"):
            read(value)
    for key in told:
        if key not in ("parent", "restores"):
            rest = {name: value for name, value in told.items() if name != key}
            with pytest.raises(errors.MalformedAnswerError, match=f"'{key}' is missing"):
                read(rest)
        for value in WRONG:
            fits = (
                isinstance(value, str)
                and isinstance(told[key], str)
                and key not in ("version", "at", "moved_at", "created_at")
            )
            if fits or (value is None and key in ("parent", "restores")) or (key == "data" and value == {}):
                read({**told, key: value})
                continue
            with pytest.raises(errors.MalformedAnswerError) as caught:
                read({**told, key: value})
            assert caught.value.status == 502
            assert caught.value.hint


def test_errors() -> None:
    """An error's body holds its code, message and hint; what is no registry's error is `invalid`."""
    conflict = errors.ConflictError("label moved", hint="reload")
    assert wire.error_to_dict(conflict) == {"error": {"code": "conflict", "message": "label moved", "hint": "reload"}}
    wrong = errors.InvalidNameError("bad name")
    assert wire.error_to_dict(wrong) == {"error": {"code": "invalid", "message": "bad name", "hint": ""}}


def test_an_entry_of_another_python_type_is_the_same() -> None:
    """An entry made by hand with plain data equals the one that came over the wire."""
    entry = Entry(1, "move", datetime(2026, 1, 1, tzinfo=UTC), "a", "r", {"x": [1]}, GENESIS, "h")  # type: ignore[arg-type]
    assert wire.entry_from_dict(over_the_wire(wire.entry_to_dict(entry))) == entry

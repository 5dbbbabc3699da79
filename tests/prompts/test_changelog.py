"""The change log's chain: whatever is altered, missing or out of order is found and named."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pressmark.errors import LogTamperedError
from pressmark.prompts import GENESIS, Entry
from pressmark.prompts.changelog import chained, entry_hash, verify_chain
from pressmark.prompts.entry import timestamp

AT = datetime(2026, 3, 1, 12, 30, 15, 120034, tzinfo=UTC)


def chain(length: int) -> list[Entry]:
    """A chain of that many entries."""
    entries: list[Entry] = []
    for seq in range(1, length + 1):
        entries.append(
            chained(
                seq=seq,
                kind="publish" if seq % 2 else "move",
                at=AT + timedelta(seconds=seq),
                actor="ana",
                reason=f"reason {seq}",
                data={"name": "support/triage", "to": seq, "moves": [{"label": "production"}]},
                previous=entries[-1].hash if entries else GENESIS,
            )
        )
    return entries


def test_a_whole_chain() -> None:
    """A chain that nobody touched verifies, whole or from any point of it, and gives its head."""
    entries = chain(8)
    assert verify_chain(entries) == (8, entries[-1].hash)
    assert verify_chain([]) == (0, GENESIS)
    assert verify_chain(entries[5:], after=5, previous=entries[4].hash) == (8, entries[-1].hash)
    assert verify_chain(iter(entries)) == (8, entries[-1].hash)


CHANGES: dict[str, Any] = {
    "kind": "rollback",
    "at": AT,
    "actor": "eve",
    "reason": "reason",
    "data": {"name": "support/triage", "to": 99},
    "hash": "sha256:" + "1" * 64,
}


@pytest.mark.parametrize("field", CHANGES)
@pytest.mark.parametrize("place", range(6))
def test_an_altered_entry_is_named(field: str, place: int) -> None:
    """A change of any field of any entry is found, and the entry is named."""
    entries = chain(6)
    entries[place] = dataclasses.replace(entries[place], **{field: CHANGES[field]})
    with pytest.raises(LogTamperedError, match=f"entry {place + 1} .* altered after it was written") as caught:
        verify_chain(entries)
    assert caught.value.seq == place + 1


@pytest.mark.parametrize("place", range(5))
def test_an_entry_that_was_forged_with_its_hash_is_found_by_the_next(place: int) -> None:
    """Who alters an entry and gives it the right hash breaks the link of the next one."""
    entries = chain(6)
    old = entries[place]
    entries[place] = chained(
        seq=old.seq, kind=old.kind, at=old.at, actor="eve", reason=old.reason, data=old.data, previous=old.previous
    )
    with pytest.raises(LogTamperedError, match=f"entry {place + 2} .* does not follow the entry before it") as caught:
        verify_chain(entries)
    assert caught.value.seq == place + 2


@pytest.mark.parametrize("place", range(5))
def test_a_missing_entry_is_named(place: int) -> None:
    """Where an entry was deleted, its number is named, also when those behind it were numbered anew."""
    entries = chain(6)
    del entries[place]
    with pytest.raises(LogTamperedError, match=f"has entry {place + 2} where {place + 1} should stand") as caught:
        verify_chain(entries)
    assert caught.value.seq == place + 1
    renumbered = [*entries[:place], *(dataclasses.replace(entry, seq=entry.seq - 1) for entry in entries[place:])]
    with pytest.raises(LogTamperedError) as again:
        verify_chain(renumbered)
    assert again.value.seq == place + 1


@given(order=st.permutations(range(6)))
def test_reordered_entries_are_named(order: list[int]) -> None:
    """In any other order, the first entry that stands out of place is named."""
    entries = chain(6)
    first = next((place for place, number in enumerate(order) if place != number), None)
    if first is None:
        verify_chain(entries)
        return
    with pytest.raises(LogTamperedError) as caught:
        verify_chain([entries[number] for number in order])
    assert caught.value.seq == first + 1
    swapped = [dataclasses.replace(entries[number], seq=place + 1) for place, number in enumerate(order)]
    with pytest.raises(LogTamperedError) as again:
        verify_chain(swapped)
    assert again.value.seq == first + 1


def test_a_repeated_and_an_inserted_entry() -> None:
    """An entry that stands there twice, or was put in between, is named."""
    entries = chain(4)
    with pytest.raises(LogTamperedError) as caught:
        verify_chain([*entries[:2], entries[1], *entries[2:]])
    assert caught.value.seq == 3
    with pytest.raises(LogTamperedError):
        verify_chain(entries, previous="sha256:" + "1" * 64)


def test_a_cut_tail_shows_in_the_head_only() -> None:
    """A chain that was cut verifies up to the cut: its head is not the one that was known."""
    entries = chain(6)
    seq, head = verify_chain(entries[:4])
    assert (seq, head) == (4, entries[3].hash)
    assert head != entries[-1].hash


def test_the_golden_hash() -> None:
    """The hash of a fixed entry is what it was when Pressmark began."""
    first = chain(1)[0]
    assert first.previous == GENESIS == "sha256:" + "0" * 64
    assert first.hash == "sha256:2381cf77f532a30b2122572558e9b1afe7ed2350893b7b3192e273ec7e39fd81"


def test_one_time_in_any_zone() -> None:
    """A moment is hashed and sent in one form, whatever zone it is told in; a time without a zone is refused."""
    assert timestamp(AT) == "2026-03-01T12:30:15.120034Z"
    assert timestamp(AT.replace(microsecond=0)) == "2026-03-01T12:30:15.000000Z"
    assert timestamp(AT.astimezone(timezone(timedelta(hours=5, minutes=30)))) == timestamp(AT)
    with pytest.raises(ValueError, match="has no time zone: give it one"):
        timestamp(AT.replace(tzinfo=None))


def test_the_hash_covers_json_and_not_python() -> None:
    """Frozen or plain, in whatever order of keys, the same data has the same hash."""
    told: dict[str, Any] = {"seq": 1, "kind": "move", "at": AT, "actor": "a", "reason": "r", "previous": GENESIS}
    one = entry_hash(**told, data={"a": [1, {"b": 2}], "c": None})
    assert entry_hash(**told, data=chained(**told, data={"c": None, "a": (1.0, {"b": 2})}).data) == one
    assert entry_hash(**told, data={"a": [1, {"b": 3}], "c": None}) != one


def test_an_entry_is_frozen() -> None:
    """An entry's data cannot be changed, neither through it nor through what it was made of."""
    data: dict[str, Any] = {"moves": [{"label": "production"}]}
    told: dict[str, Any] = {"seq": 1, "kind": "move", "at": AT, "actor": "a", "reason": "r", "previous": GENESIS}
    made, direct = chained(**told, data=data), Entry(**told, data=data, hash="h")  # type: ignore[arg-type]
    data["moves"][0]["label"] = "staging"
    for entry in (made, direct):
        assert entry.data == {"moves": [{"label": "production"}]}
        with pytest.raises(TypeError, match="immutable"):
            entry.data["moves"][0]["label"] = "x"
        assert copy.deepcopy(entry) is entry
        assert pickle.loads(pickle.dumps(entry)) == entry

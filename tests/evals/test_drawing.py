"""Rows drawn from a dataset: the same on every machine, in whatever order they come, and never on both sides."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pressmark.errors import DatasetError
from pressmark.evals import Dataset
from pressmark.evals.drawing import allocate, identity

CELLS = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-1, 1) | st.text("ab é😀\"'", max_size=3)
ROWS = st.lists(
    st.fixed_dictionaries({'te"xt 😀': CELLS, "kind": st.sampled_from(["a", "b", None, 1, True]), "talk": CELLS}),
    min_size=1,
    max_size=40,
)


def contents(data: Dataset) -> list[bytes]:
    """The rows, whatever their order."""
    return sorted(identity(row) for row in data.rows)


@settings(max_examples=80, deadline=None)
@given(ROWS)
def test_unique_rows(rows: list[dict[str, Any]]) -> None:
    """Each content stands once, the first of it where it stood, and what was left out is told."""
    data = Dataset.of("d", rows)
    once = data.unique()
    assert [identity(row) for row in once.rows] == list(dict.fromkeys(identity(row) for row in data.rows))
    left = len(data) - len(once)
    assert (f"{left} repeated row" in once.origin.told) == (left > 0)
    assert once.unique() is once
    assert (once is data) == (left == 0)
    assert len(data.unique("kind")) == len({identity(row, ["kind"]) for row in data.rows})


def test_nearly_equal_rows() -> None:
    """What differs by a letter, by case or by spaces is left out; what differs by more stays."""
    texts = ["where is my parcel? it is late", "Where is my  parcel? It is late", "where is my parcel? it is latt",
             "my parcel is broken", "", ""]  # fmt: skip
    data = Dataset.of("d", [{"text": text, "n": n} for n, text in enumerate(texts)])
    found = data.unique("text", near=0.95)
    assert [row["n"] for row in found.rows] == [0, 3, 4]
    assert found.origin.told == "1 repeated row left out; 2 nearly equal rows left out"
    assert "nearly equal" in repr(found)


def test_nearly_equal_rows_are_found_whatever_their_length() -> None:
    """Looking only at rows of about the same length finds the same pairs as looking at all."""
    from rapidfuzz import fuzz

    drawn = random.Random(5)
    texts = ["".join(drawn.choice("ab ") for _ in range(drawn.randint(0, 30))) for _ in range(150)]
    data = Dataset.of("d", [{"text": text, "n": n} for n, text in enumerate(texts)])
    kept: list[str] = []
    for text in (" ".join(text.split()) for text in texts):
        if all(fuzz.ratio(text, other) < 80 for other in kept):
            kept.append(text)
    assert [" ".join(row["text"].split()) for row in data.unique("text", near=0.8).rows] == kept


@settings(max_examples=80, deadline=None)
@given(ROWS, st.integers(1, 45), st.integers(-5, 5), st.sampled_from([None, "kind"]), st.randoms(use_true_random=False))
def test_samples(rows: list[dict[str, Any]], number: int, seed: int, by: str | None, drawn: random.Random) -> None:
    """A sample has the asked number of rows, in their order, and is the same when the rows come in another order."""
    data = Dataset.of("d", rows)
    taken = data.sample(number, by=by, seed=seed)
    assert len(taken) == min(number, len(data))
    assert not Counter(contents(taken)) - Counter(contents(data))
    shuffled = drawn.sample(rows, len(rows))
    assert contents(Dataset.of("d", shuffled).sample(number, by=by, seed=seed)) == contents(taken)
    if by is not None and number >= len({identity(row, [by]) for row in data.rows}):
        assert {identity(row, [by]) for row in taken.rows} == {identity(row, [by]) for row in data.rows}


def test_a_sample_is_the_same_everywhere() -> None:
    """The draw is fixed: these rows, on every machine and with every release."""
    data = Dataset.of("d", [{"n": n, "kind": "rare" if n % 10 == 0 else "usual"} for n in range(100)])
    assert [row["n"] for row in data.sample(5).rows] == [15, 28, 30, 51, 63]
    assert [row["n"] for row in data.sample(5, seed=1).rows] == [3, 11, 51, 52, 61]
    taken = data.sample(20, by="kind")
    assert Counter(row["kind"] for row in taken.rows) == {"usual": 18, "rare": 2}
    assert taken.origin.told == "20 of 100 rows drawn by kind, seed 0"
    assert "1 of 2 values of kind have no row" in data.sample(1, by="kind").origin.told


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=12), st.data())
def test_shares(sizes: list[int], data: st.DataObject) -> None:
    """Shares add up, stay within their bounds, and are within one row of proportional where no bound is met."""
    total = data.draw(st.integers(1, sum(sizes)))
    given_ = allocate(sizes, total, [1] * len(sizes), sizes)
    assert sum(given_) == total
    assert all(0 <= share <= size for share, size in zip(given_, sizes, strict=True))
    if total >= len(sizes):
        assert min(given_) >= 1
    free = allocate(sizes, total, [0] * len(sizes), sizes)
    assert all(abs(share - size * total / sum(sizes)) < 1 for share, size in zip(free, sizes, strict=True))


@settings(max_examples=120, deadline=None)
@given(
    ROWS,
    st.floats(0.01, 0.99),
    st.integers(-3, 3),
    st.sampled_from([None, "kind"]),
    st.sampled_from([None, "talk"]),
    st.randoms(use_true_random=False),
)
def test_splits(
    rows: list[dict[str, Any]],
    share: float,
    seed: int,
    by: str | None,
    clusters: str | None,
    drawn: random.Random,
) -> None:
    """Every row stands in one part, none of its equals or its cluster in the other, whatever order they come in."""
    data = Dataset.of("d", rows)
    try:
        train, held = data.split(share, by=by, clusters=clusters, seed=seed)
    except DatasetError as error:
        assert "cannot be parted" in str(error)
        assert clusters is not None or len(set(contents(data))) == 1
        return
    assert sorted([*contents(train), *contents(held)]) == contents(data)
    assert not set(contents(train)) & set(contents(held))
    if clusters is not None:
        sides = [
            {identity(row, [clusters]) for row in part.rows if row[clusters] is not None} for part in (train, held)
        ]
        assert not sides[0] & sides[1]
    if by is None and clusters is None and len(set(contents(data))) == len(data):
        assert len(held) == min(max(int(share * len(data) + 0.5), 1), len(data) - 1)
    again = Dataset.of("d", drawn.sample(rows, len(rows))).split(share, by=by, clusters=clusters, seed=seed)
    assert contents(again.holdout) == contents(held)
    for part, name in ((train, "train"), (held, "holdout")):
        assert (part.name, part.origin.part, part.origin.parent) == (f"d/{name}", name, data.digest)


def test_a_stratified_split() -> None:
    """Each value keeps its share in both parts, and what stands twice or more is on both sides."""
    kinds = ["a"] * 60 + ["b"] * 30 + ["c"] * 8 + ["d"] * 2
    data = Dataset.of("d", [{"n": n, "kind": kind} for n, kind in enumerate(kinds)])
    train, held = data.split(0.3, by="kind")
    assert Counter(row["kind"] for row in held.rows) == {"a": 18, "b": 9, "c": 2, "d": 1}
    assert {row["kind"] for row in train.rows} == set("abcd")
    assert "by kind, seed 0" in held.origin.told


def test_a_correction_does_not_move_a_cluster() -> None:
    """After a correction of an expected value the same conversations are held out, and corrected parts stay parts."""
    data = Dataset.of("d", [{"talk": n // 3, "n": n, "kind": "a"} for n in range(60)])
    held = data.split(0.3, clusters="talk").holdout
    corrected = data.corrected(7, {"kind": "b"})
    again = corrected.split(0.3, clusters="talk").holdout
    assert {row["talk"] for row in again.rows} == {row["talk"] for row in held.rows}
    assert held.corrected(0, {"kind": "c"}).origin.part == "holdout"
    assert held.sample(3).origin.part == "holdout"


DATA = Dataset.of("d", [{"a": 1, "b": 1}, {"a": 2, "b": 1}])


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: DATA.sample(0), "1 row or more"),
        (lambda: DATA.sample(True), "1 row or more"),
        (lambda: DATA.sample(1, by="x"), "no column 'x': it has a, b"),
        (lambda: DATA.sample(1, seed="x"), "a seed is a whole number"),  # type: ignore[arg-type]
        (lambda: DATA.unique("x"), "no column 'x'"),
        (lambda: DATA.unique(near=1.5), "between 0 and 1"),
        (lambda: DATA.split(1), "between 0 and 1, such as 0.3"),
        (lambda: DATA.split(0.5, by="x"), "no column 'x'"),
        (lambda: DATA.split(0.5, clusters="b"), "all of them share one value of 'b'"),
        (lambda: Dataset.of("d", [{"a": 1}]).split(), "the 1 row of dataset 'd' cannot be parted: give more"),
        (lambda: Dataset.of("d", [{"a": 1}] * 3).split(), "all of them are equal"),
    ],
)  # fmt: skip
def test_bad_draws(draw: Any, message: str) -> None:
    """What cannot be drawn is refused with what to give instead."""
    with pytest.raises(DatasetError, match=message):
        draw()


def test_too_many_rows_to_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for nearly equal rows among very many is refused, not begun."""
    from pressmark.evals import drawing

    monkeypatch.setattr(drawing, "MOST_COMPARED", 1)
    with pytest.raises(DatasetError, match="take a sample first"):
        DATA.unique(near=0.9)

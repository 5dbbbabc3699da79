"""Rows drawn from a dataset: without repetitions, as a sample, or parted into train and holdout.

Every draw goes by SHA-256 over the seed and what a row holds, so that it is the same on every machine, with every
Python, and in whatever order the rows come.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from pressmark.errors import DatasetError
from pressmark.evals.dataset import Dataset
from pressmark.evals.origin import HOLDOUT, TRAIN, Origin, Part
from pressmark.prompts.canonical import canonical_bytes
from pressmark.prompts.quoting import shown

MOST_COMPARED: Final = 10_000
"""Each row is held against every other one: 10,000 take some seconds."""

_PAIRS: Final = 128


class Split(NamedTuple):
    """A dataset in two parts.

    Attributes:
        train: What a prompt may be tuned on.
        holdout: What it is judged by.
    """

    train: Dataset
    holdout: Dataset


def identity(row: Mapping[str, Any], columns: Iterable[str] | None = None) -> bytes:
    """What a row holds, in all columns or some, as bytes that are equal where it is."""
    return canonical_bytes(dict(row) if columns is None else [row[column] for column in columns])


def unique(dataset: Dataset, columns: Sequence[str] | str | None, near: float | None) -> Dataset:
    """Return the rows without repetitions, as `Dataset.unique` describes it."""
    named = dataset.columns if columns is None else (columns,) if isinstance(columns, str) else tuple(columns)
    dataset.check_columns(named)
    if near is not None and not (isinstance(near, int | float) and 0 < near < 1):
        raise DatasetError(f"near is how similar two rows are, between 0 and 1, such as 0.95, not {shown(near)}")
    seen: dict[bytes, int] = {}
    for number, row in enumerate(dataset.rows):
        seen.setdefault(identity(row, named), number)
    kept = list(seen.values())
    repeated = len(dataset) - len(kept)
    told = [_count(repeated, "repeated row") + " left out"] if repeated else []
    if near is not None:
        apart = _apart(dataset, kept, named, near)
        if similar := len(kept) - len(apart):
            told.append(_count(similar, "nearly equal row") + " left out")
        kept = apart
    return _part(dataset, kept, "unique", "; ".join(told)) if told else dataset


def _apart(dataset: Dataset, rows: Sequence[int], columns: Sequence[str], near: float) -> list[int]:
    """The rows that are like none that was kept before them."""
    from rapidfuzz import fuzz, process

    if len(rows) > MOST_COMPARED:
        raise DatasetError(
            f"{len(rows):,} rows are too many to look for nearly equal ones (at most {MOST_COMPARED:,}): take a sample"
            " first"
        )
    texts = [" ".join(_words(dataset.rows[row][column]) for column in columns) for row in rows]
    kept: list[int] = []
    pairs = np.zeros((len(rows), _PAIRS), np.uint8)
    lengths = np.zeros(len(rows))
    for place, text in enumerate(texts):
        own = _pairs_of(text)
        # So many letters may be inserted or deleted, at least one for each that one of the two is longer. To insert or
        # delete a letter changes three pairs of neighbours at most. That rules out nearly everything, and only the rest
        # is compared letter by letter.
        allowed = (1 - near) * (lengths[: len(kept)] + len(text)) + 1e-6
        alike = np.flatnonzero(np.abs(lengths[: len(kept)] - len(text)) <= allowed)
        theirs = pairs[alike]
        apart = (np.maximum(theirs, own) - np.minimum(theirs, own)).sum(axis=1, dtype=np.uint16)
        others = [texts[kept[n]] for n in alike[apart <= 3 * allowed[alike]]]
        if process.extractOne(text, others, scorer=fuzz.ratio, score_cutoff=100 * near) is None:
            pairs[len(kept)], lengths[len(kept)] = own, len(text)
            kept.append(place)
    return [rows[place] for place in kept]


def _pairs_of(text: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """How often each pair of neighbouring letters stands in a text; several pairs share a count."""
    letters = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    found = np.bincount((letters[:-1] * 31 + letters[1:]) % _PAIRS, minlength=_PAIRS)
    return np.minimum(found, 255).astype(np.uint8)


def _words(value: Any) -> str:
    return " ".join((value if isinstance(value, str) else canonical_bytes(value).decode()).casefold().split())


def sample(dataset: Dataset, rows: int, by: str | None, seed: int) -> Dataset:
    """Return a random part of the rows, as `Dataset.sample` describes it."""
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < 1:
        raise DatasetError(f"a sample has 1 row or more, not {shown(rows)}")
    _check_seed(seed)
    strata = _strata(dataset, by)
    if rows >= len(dataset):
        return dataset
    ranks = _ranks(dataset, seed)
    names = sorted(strata)
    sizes = [len(strata[name]) for name in names]
    taken: list[int] = []
    for name, number in zip(names, allocate(sizes, rows, [1] * len(sizes), sizes), strict=True):
        taken += sorted(strata[name], key=ranks.__getitem__)[:number]
    chosen = set(taken)
    drawn = f"{rows:,} of {len(dataset):,} rows drawn" + (f" by {by}" if by else "") + f", seed {seed}"
    if empty := sum(chosen.isdisjoint(strata[name]) for name in names):
        drawn += f"; {empty:,} of {len(names):,} values of {by} have no row"
    return _part(dataset, sorted(taken), "sample", drawn)


def split(dataset: Dataset, holdout: float, by: str | None, clusters: str | None, seed: int) -> Split:
    """Part the rows in two, as `Dataset.split` describes it."""
    if isinstance(holdout, bool) or not isinstance(holdout, int | float) or not 0 < holdout < 1:
        raise DatasetError(f"holdout is the share that is held out, between 0 and 1, such as 0.3, not {shown(holdout)}")
    _check_seed(seed)
    dataset.check_columns(column for column in (by, clusters) if column is not None)
    groups = _groups(dataset, by, clusters, seed)
    if len(groups) < 2:
        why = (
            f"all of them share one value of {clusters!r}" if clusters and len(dataset) > 1 else "all of them are equal"
        )
        raise DatasetError(
            f"the {_count(len(dataset), 'row')} of dataset {dataset.name!r} cannot be parted"
            + (f", since {why}" if len(dataset) > 1 else "")
            + ": give more rows"
        )
    held = _held(groups, holdout, len(dataset))
    rows: dict[Part, list[int]] = {
        TRAIN: sorted(row for group in groups if group not in held for row in group.rows),
        HOLDOUT: sorted(row for group in held for row in group.rows),
    }
    how = "".join([f" by {by}" if by else "", f", each {clusters} whole" if clusters else "", f", seed {seed}"])
    parts = {
        part: Dataset.of(
            f"{dataset.name}/{part}",
            [dataset.rows[row] for row in chosen],
            dataset.columns,
            origin=Origin(
                "split",
                dataset.digest,
                part,
                f"{part}, {len(chosen):,} of {len(dataset):,} rows of {dataset.name}{how}",
            ),
        )
        for part, chosen in rows.items()
    }
    return Split(parts[TRAIN], parts[HOLDOUT])


def allocate(sizes: Sequence[int], total: int, least: Sequence[int], most: Sequence[int]) -> list[int]:
    """Share a number among strata by their sizes (largest remainder), each within its bounds as far as that goes.

    Args:
        sizes: Of the strata.
        total: What is shared; at most the sum of `most`.
        least: What each gets at least, where the total allows it.
        most: What each gets at most.
    """
    whole = sum(sizes)
    # In whole numbers: a remainder that two machines round otherwise would draw other rows.
    wanted = [size * total for size in sizes]
    given = [min(max(share // whole, low), high) for share, low, high in zip(wanted, least, most, strict=True)]
    if sum(least) > total:
        given = [min(share // whole, high) for share, high in zip(wanted, most, strict=True)]
    while (left := total - sum(given)) != 0:
        open_ = [
            place
            for place in range(len(sizes))
            if (given[place] < most[place] if left > 0 else given[place] > least[place])
        ]
        if not open_:
            break
        lacks = {place: wanted[place] - given[place] * whole for place in open_}
        place = max(open_, key=lambda p: (lacks[p], -p)) if left > 0 else min(open_, key=lambda p: (lacks[p], p))
        given[place] += 1 if left > 0 else -1
    return given


class _Group(NamedTuple):
    """Rows that stay together.

    Attributes:
        draw: Where it stands in the draw.
        stratum: The value of most of its rows.
        rows: Their numbers.
    """

    draw: bytes
    stratum: bytes
    rows: tuple[int, ...]


def _held(groups: Sequence[_Group], holdout: float, rows: int) -> set[_Group]:
    """The groups that are held out: from each stratum, in the order of the draw, what comes closest to its share."""
    strata: dict[bytes, list[_Group]] = defaultdict(list)
    for group in sorted(groups):
        strata[group.stratum].append(group)
    names = sorted(strata)
    sizes = [sum(len(group.rows) for group in strata[name]) for name in names]
    # What can be on both sides is.
    several = [len(strata[name]) > 1 for name in names]
    target = min(max(math.floor(holdout * rows + 0.5), 1), rows - 1)
    shares = allocate(
        sizes,
        target,
        [int(each) for each in several],
        [size - int(each) for size, each in zip(sizes, several, strict=True)],
    )
    held: set[_Group] = set()
    for name, share in zip(names, shares, strict=True):
        have = 0
        for group in strata[name]:
            if abs(have + len(group.rows) - share) < abs(have - share):
                held.add(group)
                have += len(group.rows)
    by_size = sorted(groups, key=lambda group: (len(group.rows), group.draw))
    if not held:
        held.add(by_size[0])
    if len(held) == len(groups):
        held.discard(by_size[0])
    return held


def _groups(dataset: Dataset, by: str | None, clusters: str | None, seed: int) -> list[_Group]:
    """Rows that are equal or share a cluster, together; a row without a cluster is one of its own."""
    known = [identity(row) for row in dataset.rows]
    shared = [None if clusters is None or row[clusters] is None else identity(row, [clusters]) for row in dataset.rows]
    over = list(range(len(dataset)))

    def top(row: int) -> int:
        while over[row] != row:
            over[row] = over[over[row]]
            row = over[row]
        return row

    first: dict[tuple[str, bytes], int] = {}
    for number, (row, cluster) in enumerate(zip(known, shared, strict=True)):
        for what in (("row", row), *([("cluster", cluster)] if cluster is not None else [])):
            over[top(number)] = top(first.setdefault(what, number))
    members: dict[int, list[int]] = defaultdict(list)
    for number in range(len(dataset)):
        members[top(number)].append(number)
    groups = []
    for rows in members.values():
        # By what its rows share, so that a corrected value does not move a cluster to the other part.
        named = min(shared[row] or known[row] for row in rows)
        values = Counter(b"" if by is None else identity(dataset.rows[row], [by]) for row in rows)
        stratum = min(values, key=lambda value: (-values[value], value))
        groups.append(_Group(_draw(seed, named), stratum, tuple(rows)))
    return groups


def _strata(dataset: Dataset, by: str | None) -> dict[bytes, list[int]]:
    if by is None:
        return {b"": list(range(len(dataset)))}
    dataset.check_columns([by])
    strata: dict[bytes, list[int]] = defaultdict(list)
    for number, row in enumerate(dataset.rows):
        strata[identity(row, [by])].append(number)
    return strata


def _ranks(dataset: Dataset, seed: int) -> list[tuple[int, bytes]]:
    """Where each row stands in the draw. An equal one comes a round later, so that repetitions are drawn last."""
    rounds: Counter[bytes] = Counter()
    ranks = []
    for row in dataset.rows:
        known = identity(row)
        ranks.append((rounds[known], _draw(seed, known)))
        rounds[known] += 1
    return ranks


def _draw(seed: int, content: bytes) -> bytes:
    return hashlib.sha256(b"%d\n" % seed + content).digest()


def _check_seed(seed: int) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise DatasetError(f"a seed is a whole number, not {shown(seed)}")


def _part(dataset: Dataset, rows: Sequence[int], kind: Any, told: str) -> Dataset:
    before = dataset.origin
    return Dataset.of(
        dataset.name,
        [dataset.rows[row] for row in rows],
        dataset.columns,
        origin=Origin(kind, dataset.digest, before.part, "; ".join(said for said in (before.told, told) if said)),
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

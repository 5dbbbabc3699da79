"""Whether a prompt is judged on rows that it was tuned on.

Two things can be known for certain: that a row's text stands in what the prompt always sends, as an example does, and
that a row is one of a train part. That somebody looked at a row's output before writing the next version cannot be
known, and is not claimed: for that there is the holdout.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pressmark.evals.dataset import Dataset
from pressmark.evals.drawing import identity
from pressmark.evals.examples import unescaped
from pressmark.evals.origin import TRAIN
from pressmark.prompts import MISSING, Unit

# A text this long does not stand in a template by chance; a shorter one counts where it is a whole message or line.
_LONG: Final = 16
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Tuned:
    """The rows of a dataset that a prompt was tuned on, as far as that can be known.

    Attributes:
        examples: Rows whose text stands in the template.
        train: Rows that are among those of a train part.
    """

    examples: tuple[int, ...] = ()
    train: tuple[int, ...] = ()

    @property
    def rows(self) -> tuple[int, ...]:
        """All of them."""
        return tuple(sorted({*self.examples, *self.train}))

    def sentences(self, version: str, dataset: Dataset) -> Iterator[str]:
        """Tell it, with what to do.

        Args:
            version: What to call the version.
            dataset: The dataset.
        """
        if self.examples:
            yield (
                f"{version} is judged on {_of(self.examples, dataset)} that its own text holds as examples"
                f" ({_numbers(self.examples)}): judge it on rows that it does not show, such as a holdout"
            )
        if self.train:
            # Not of one version alone: whoever tunes, tunes on these.
            yield f"{_of(self.train, dataset)} are of a train part, which is for tuning: judge on the holdout"


def tuned(units: Iterable[Unit], dataset: Dataset, train: Iterable[Dataset] = ()) -> Tuned:
    """Find the rows that a prompt was tuned on.

    Args:
        units: What the version says, and what is upstream of it.
        dataset: What it is judged on.
        train: Datasets that are train parts.
    """
    given = list(units)
    columns = [name for name in dataset.columns if any(name in unit.variables for unit in given)]
    if not columns:
        return Tuned()
    if dataset.origin.part == TRAIN:
        trained = tuple(range(len(dataset)))
    else:
        known = {identity(row, columns) for part in train if set(columns) <= set(part.columns) for row in part.rows}
        trained = tuple(n for n, row in enumerate(dataset.rows) if known and identity(row, columns) in known)
    return Tuned(_examples(given, dataset, columns), trained)


def _examples(units: Sequence[Unit], dataset: Dataset, columns: Sequence[str]) -> tuple[int, ...]:
    """The rows of which a text stands in a unit; what most rows have in common tells nothing."""
    texts = [_plain(text) for unit in units for text in _sent(unit)]
    # A row's text may stand in several lines there.
    said = "\n".join(" ".join(text.split()) for text in texts)
    whole = {part for text in texts for part in (text, *_lines(text))}
    values = [{" ".join(v.split()) for column in columns if isinstance(v := row[column], str)} for row in dataset.rows]
    often = Counter(value for row in values for value in row)
    usual = {value for value, count in often.items() if count > 2 and 2 * count > len(values)}
    standing = {value for value in often if value and (value in said if len(value) >= _LONG else value in whole)}
    return tuple(number for number, row in enumerate(values) if row & (standing - usual))


def _sent(unit: Unit) -> Iterator[str]:
    """Every text that a unit sends whatever it is filled with."""
    told = unit.to_dict()
    for part in ("template", "tools", "response_format"):
        yield from _strings(told.get(part))
    for variable in unit.variables.values():
        if variable.default is not MISSING:
            yield from _strings(variable.default)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, Sequence):
        for item in value:
            yield from _strings(item)


def _plain(text: str) -> str:
    """A template's text as it is sent, its lines apart."""
    lines = unescaped(text).splitlines()
    return "\n".join(" ".join(line.split()) for line in lines)


def _lines(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield line
        # As in "Message: where is my parcel".
        yield line.partition(": ")[2]


def _of(rows: Sequence[int], dataset: Dataset) -> str:
    return f"{len(rows):,} of {len(dataset):,} row{'' if len(dataset) == 1 else 's'}"


def _numbers(rows: Sequence[int]) -> str:
    first = ", ".join(str(row) for row in rows[:_SHOWN])
    return f"row{'' if len(rows) == 1 else 's'} {first}{', …' if len(rows) > _SHOWN else ''}"

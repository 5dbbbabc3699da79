"""Tables to be read: a DataFrame that shows its texts whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd


class Told(pd.DataFrame):
    """A DataFrame of texts.

    pandas cuts a text at 50 characters, and of a change log's sentence the end is what matters. What is selected from
    one shows its texts whole too.
    """

    @property
    def _constructor(self) -> Callable[..., Told]:
        return Told

    def __repr__(self) -> str:
        with pd.option_context("display.max_colwidth", None):
            return super().__repr__()

    def _repr_html_(self) -> str | None:
        with pd.option_context("display.max_colwidth", None):
            told: str | None = super()._repr_html_()  # type: ignore[misc]  # its types leave it out
        return told


def told(rows: Sequence[Sequence[Any]], columns: Sequence[str], *, optional: Sequence[str] = ()) -> Told:
    """Return rows as a table.

    Args:
        rows: The rows.
        columns: Their columns.
        optional: Columns of texts that may be missing; such a text is None, where pandas would make it a number (NaN).
    """
    frame = Told(rows, columns=list(columns))
    for column in optional:
        frame[column] = frame[column].astype(object).where(frame[column].notna(), None)
    return frame

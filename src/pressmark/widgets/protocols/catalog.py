"""What there is to run: datasets, suites with their scorers, and endpoints."""

from __future__ import annotations

from typing import Literal, TypedDict


class DatasetView(TypedDict):
    """A dataset to preview with.

    Attributes:
        name: Its name.
        rows: How many rows it has.
        columns: Their names, in order.
    """

    name: str
    rows: int
    columns: list[str]


class ScorerView(TypedDict):
    """A scorer of a suite.

    Attributes:
        name: Its name; the key of `CellView.scores`.
        kind: A score is in [0, 1] and shown in points of 100; a measurement has a unit.
        direction: Which way is better.
        unit: Of a measurement, such as "s", "USD" or "tokens"; empty for a score.
        primary: Whether the suite's verdict is this scorer's.
        column: The dataset's column with what it expects, or None where it expects nothing of the row.
    """

    name: str
    kind: Literal["score", "measurement"]
    direction: Literal["higher", "lower"]
    unit: str
    primary: bool
    column: str | None


class SuiteView(TypedDict):
    """A suite to run.

    Attributes:
        name: Its name.
        dataset: The dataset's name.
        rows: How many rows it has.
        scorers: The primary one first.
        slice: The slice column, or None.
        prompt: The prompt that it judges, or None where it was made for no certain one.
        publishable: Whether the registry would take it.
        why_not: Why it would not, or None.
    """

    name: str
    dataset: str
    rows: int
    scorers: list[ScorerView]
    slice: str | None
    prompt: str | None
    publishable: bool
    why_not: str | None


class EndpointView(TypedDict):
    """An endpoint that can be asked.

    Attributes:
        name: Its name.
        base_url: Where it is.
        key_env: Name of the environment variable with the key, or None where it needs none. Never the key.
        key_present: Whether that variable is set now.
        practice: Whether it is the practice model.
        models: Names to offer in the model field; may be empty, any name can be typed.
    """

    name: str
    base_url: str
    key_env: str | None
    key_present: bool
    practice: bool
    models: list[str]

"""Suites: parts that fit together, and a digest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pressmark.errors import InvalidNameError, SuiteError
from pressmark.evals import Suite, scorers

from .making import dataset, suite

DATA = dataset("a", "b", category=["x", "y"], channel=["mail", "chat"])


def test_primary_and_guards() -> None:
    """The first scorer is primary unless told otherwise; the others are guards."""
    made = suite(DATA, scorers.Exact("category"), scorers.Length())
    assert (made.primary, [guard.name for guard in made.guards]) == ("category", ["length"])
    assert suite(DATA, scorers.Exact("category"), scorers.Length(), primary="length").primary == "length"
    assert made.scorer().name == "category"
    assert made.scorer("length").name == "length"


def test_digest_is_of_the_content() -> None:
    """Rows, scorers, primary and slice make the digest; names do not."""
    base = suite(DATA, scorers.Exact("category"), scorers.Length())
    again = Suite.of("other/name", DATA, [scorers.Exact("category"), scorers.Length()])
    assert again.digest == base.digest
    others = [
        suite(DATA, scorers.Length(), scorers.Exact("category"), primary="category"),
        suite(DATA, scorers.Exact("category"), scorers.Length(), primary="length"),
        suite(DATA, scorers.Exact("category"), scorers.Length(), slice="channel"),
        suite(DATA, scorers.Exact("category", ignore_case=True), scorers.Length()),
        suite(dataset("a", "c", category=["x", "y"]), scorers.Exact("category"), scorers.Length()),
    ]
    assert len({made.digest for made in (base, *others)}) == 6


def test_description_round_trips() -> None:
    """From its description, sent as JSON, and its dataset, an equal suite is made."""
    made = suite(DATA, scorers.Exact("category"), scorers.Cost(), slice="channel")
    again = Suite.from_spec(json.loads(json.dumps(made.spec())), DATA)
    assert again == made


def test_publishable() -> None:
    """A suite tells why it cannot be published."""
    assert suite(DATA, scorers.Exact("category")).publishable
    made = suite(DATA, scorers.Function("f", lambda output, row: 1))
    assert not made.publishable
    assert made.why_not_publishable == ("scorer 'f' is a lambda: write it as a named function and give it a version=")


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        ([], {}, "has no scorer"),
        ([scorers.Exact("nothing")], {}, "'nothing' reads column 'nothing', which dataset 'tests/data' does not have"),
        ([scorers.Exact("category"), scorers.FieldEquals("category")], {}, "two scorers called 'category'"),
        ([lambda output, row: 1], {}, "wrap a function"),
        ([scorers.Exact], {}, "wrap a function"),
        ([scorers.Length()], {"primary": "category"}, "no scorer 'category' to be primary; it has length"),
        ([scorers.Length()], {"slice": "place"}, "no column 'place' to slice by; it has text, category, channel"),
    ],
)
def test_parts_that_do_not_fit(given: list[Any], options: dict[str, Any], message: str) -> None:
    """What does not fit together is refused by name, with what there is."""
    with pytest.raises(SuiteError, match=message):
        Suite.of("tests/suite", DATA, given, **options)


def test_bad_name_and_dataset() -> None:
    """A suite has a name of a prompt's form and takes a dataset."""
    with pytest.raises(InvalidNameError):
        Suite.of("Bad Name", DATA, [scorers.Length()])
    with pytest.raises(SuiteError, match="takes a Dataset, not list"):
        Suite.of("s", [{"a": 1}], [scorers.Length()])  # type: ignore[arg-type]


def test_another_dataset_is_refused() -> None:
    """A description is not joined with a dataset that it was not made of."""
    with pytest.raises(SuiteError, match="was made of dataset sha256:"):
        Suite.from_spec(suite(DATA).spec(), dataset("a"))


@pytest.mark.parametrize("spec", [{}, {"format": 2}, {"format": 1}, {"format": 1, "dataset": 3}, "text"])
def test_malformed_descriptions(spec: Any) -> None:
    """What is no suite's description is refused in words."""
    with pytest.raises(SuiteError):
        Suite.from_spec(spec, DATA)


def test_unknown_scorer() -> None:
    """Asking for a scorer that is not there tells those that are."""
    with pytest.raises(SuiteError, match="no scorer 'cost'; it has length"):
        suite(DATA).scorer("cost")

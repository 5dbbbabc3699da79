"""Plans: every request rendered and keyed before the first call."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pressmark.errors import DatasetError, RenderError, VariableTypeError
from pressmark.evals import Task, answer_key, plan

from .making import dataset, version

URL = "http://127.0.0.1:1/v1"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(-1e6, 1e6) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ORDER_OF_FIVE = (1, 2, 4, 0, 3)
REQUESTS = st.dictionaries(st.text(max_size=6), JSON, max_size=4)


@settings(max_examples=200, deadline=None)
@given(REQUESTS, REQUESTS, st.integers(0, 3), st.integers(0, 3), st.sampled_from(["http://a/v1", "http://b/v1"]))
def test_cache_key(one: dict[str, object], other: dict[str, object], r1: int, r2: int, url: str) -> None:
    """Two keys are equal exactly where endpoint, the whole request and repeat are."""
    key = answer_key("http://a/v1", one, r1)
    assert (answer_key(url, other, r2) == key) == (url == "http://a/v1" and r1 == r2 and same_json(one, other))
    assert answer_key("http://a/v1/", dict(reversed(one.items())), r1) == key


def same_json(one: object, other: object) -> bool:
    """Equality as JSON has it: True is not 1, and 1.0 is."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def test_every_version_row_and_repeat() -> None:
    """The tasks are versions × rows × repeats, those of one row side by side, and of one version in it likewise."""
    versions = [version("one"), version("two")]
    data = dataset("a", "b", "c")
    made = plan(versions, data, base_url=URL, repeats=2)
    tasks = [task for call in made.calls for task in call.tasks]
    assert made.total == len(tasks) == 12
    assert [(task.row, task.repeat) for task in tasks] == [(r, n) for r in made.order for _ in versions for n in (0, 1)]
    assert {(task.version, task.row) for task in tasks[::2]} == {(v.digest, r) for v in versions for r in range(3)}
    assert all(one.version == other.version for one, other in zip(tasks[::2], tasks[1::2], strict=True))
    assert made.calls[0].request["messages"][-1]["content"] == data.rows[made.order[0]]["text"]


def test_rows_are_asked_in_a_random_order_that_stays() -> None:
    """The order is a permutation drawn from the dataset's digest: the same at every time, however rows are sorted."""
    texts = [f"text {n:03}" for n in range(400)]
    order = plan([version()], dataset(*texts), base_url=URL).order
    assert sorted(order) == list(range(400))
    assert order == plan([version("other")], dataset(*texts), base_url=URL, repeats=2).order
    assert order != plan([version()], dataset(*texts, "more"), base_url=URL).order
    # The first half of a random order holds about as many rows of the file's first half as of its second.
    first = sum(row < 200 for row in order[:200])
    assert 80 < first < 120
    # As files of the first release have it; a run that was begun there goes on in the same order.
    assert plan([version()], dataset("a", "b", "c", "d", "e"), base_url=URL).order == ORDER_OF_FIVE


def test_which_version_goes_first_is_drawn_for_each_row() -> None:
    """Each of three is asked first in about a third of the rows, whatever the order in which they were given."""
    versions = [version("one"), version("two"), version("three")]
    data = dataset(*(f"text {n:03}" for n in range(600)))
    asked = [call.tasks[0] for call in plan(versions, data, base_url=URL).calls]
    first = Counter(task.version for task in asked[::3])
    assert sorted(first) == sorted(v.digest for v in versions)
    assert all(160 < count < 240 for count in first.values())
    # Not in turns: whether the next row begins with the same version is a matter of chance.
    again = sum(one.version == other.version for one, other in itertools.pairwise(asked[::3]))
    assert 160 < again < 240
    assert asked == [call.tasks[0] for call in plan(versions[::-1], data, base_url=URL).calls]


def test_a_run_that_goes_on_keeps_the_order() -> None:
    """What is left of a run comes in the order in which it would have come."""
    v = version()
    data = dataset(*(f"text {n}" for n in range(30)))
    whole = plan([v], data, base_url=URL)
    answered = {task for call in whole.calls[:11] for task in call.tasks}
    assert plan([v], data, base_url=URL, answered=answered).calls == whole.calls[11:]


def test_equal_requests_are_one_call() -> None:
    """Rows that hold the same, and versions that render the same, are asked once for each repeat."""
    same = [version("one"), version("one")]
    made = plan(same, dataset("a", "a", "b"), base_url=URL, repeats=2)
    assert len(made.calls) == 4
    assert made.total == 6
    assert sorted(len(call.tasks) for call in made.calls) == [1, 1, 2, 2]


def test_answered_tasks_are_left_out() -> None:
    """What was answered is not planned again, and counts as done."""
    v = version()
    made = plan([v], dataset("a", "b"), base_url=URL, answered={(v.digest, 0, 0)})
    assert [call.tasks for call in made.calls] == [(Task(v.digest, 1, 0),)]
    assert (made.total, made.answered) == (2, 1)


def test_missing_column() -> None:
    """A variable without a column is one error that names both, and what there is."""
    with pytest.raises(DatasetError, match=r"needs 'name', which dataset 'tests/data' has no column for; it has text"):
        plan([version(user="{{ text }} {{ name }}")], dataset("a"), base_url=URL)


def test_columns_fill_defaults_where_they_are_filled() -> None:
    """A variable with a default may lack a column, or a cell; a filled cell goes before the default."""
    v = version(user="{{ tone }}", variables={"tone": {"type": "string", "default": "calm"}})
    made = plan([v], dataset("a", "b", tone=["loud", None]), base_url=URL)
    contents = {call.tasks[0].row: call.request["messages"][-1]["content"] for call in made.calls}
    assert contents == {0: "loud", 1: "calm"}
    assert plan([v], dataset("a"), base_url=URL).calls[0].request["messages"][-1]["content"] == "calm"


def test_a_row_that_does_not_fit_is_an_error_row() -> None:
    """One row of another type costs this row, not the run."""
    v = version(user="{{ text }}", variables={"text": {"type": "string"}})
    made = plan([v], dataset("a", "b"), base_url=URL)
    assert len(made.calls) == 2
    mixed = plan([v], dataset("a", 3, "c"), base_url=URL, repeats=2)  # type: ignore[arg-type]
    assert [(task.row, error.kind) for task, error in mixed.unrendered] == [(1, "render"), (1, "render")]
    assert "declared as string, got int 3" in mixed.unrendered[0].error.message
    assert len(mixed.calls) == 4


def test_no_row_that_fits_is_an_error() -> None:
    """Where every row is of another type, the run is refused before the first call."""
    v = version(user="{{ text }}", variables={"text": {"type": "integer"}})
    with pytest.raises(VariableTypeError, match="no row of dataset 'tests/data' fits tests/prompt #"):
        plan([v], dataset("a", "b"), base_url=URL)
    with pytest.raises(RenderError):
        plan([version(), v], dataset("a", "b"), base_url=URL)


def test_inputs_need_a_column() -> None:
    """An input without a column is refused with the upstream's name; with one it is a variable like any other."""
    v = version(user="{{ summary }}", inputs={"summary": "support/summarise@production"})
    with pytest.raises(DatasetError, match="takes 'summary' from support/summarise@production"):
        plan([v], dataset("a"), base_url=URL)
    made = plan([v], dataset("a", summary=["short"]), base_url=URL)
    assert made.calls[0].request["messages"][-1]["content"] == "short"


def test_bad_repeats_and_versions() -> None:
    """No versions and no repeats are refused."""
    for repeats in (0, -1, True, 1.5):
        with pytest.raises(ValueError, match="repeats is how often"):
            plan([version()], dataset("a"), base_url=URL, repeats=repeats)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one version"):
        plan([], dataset("a"), base_url=URL)


def test_seeds() -> None:
    """Where asked for, each repeat's request has a seed of its own, above the prompt's own; it is part of the key."""
    data = dataset("a")
    plain = plan([version()], data, base_url=URL, repeats=3)
    assert all("seed" not in call.request for call in plain.calls)
    seeded = plan([version()], data, base_url=URL, repeats=3, seeds=True)
    assert [call.request["seed"] for call in seeded.calls] == [1, 2, 3]
    own = plan([version(params={"seed": 40})], data, base_url=URL, repeats=3, seeds=True)
    assert [call.request["seed"] for call in own.calls] == [40, 41, 42]
    assert not {call.key for call in plain.calls} & {call.key for call in seeded.calls}
    assert [call.key for call in plan([version()], data, base_url=URL, repeats=2, seeds=True).calls] == [
        call.key for call in seeded.calls[:2]
    ]

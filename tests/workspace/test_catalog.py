"""Datasets, suites and endpoints."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pressmark.errors import DatasetNotFoundError, EndpointError, EndpointNotFoundError, SuiteNotFoundError
from pressmark.evals.dataset import Dataset
from pressmark.workspace import SavedEndpoint, Store

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab\"'é😀.$", max_size=4), inner, max_size=3),
    max_leaves=6,
)
columns = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(str.strip)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(columns, min_size=1, max_size=4, unique=True), data=st.data())
def test_a_dataset_is_read_back_as_it_was(names: list[str], data: st.DataObject, store: Store) -> None:
    """Any JSON values under any column names (quotes, emoji, line breaks) come back equal, with the same digest."""
    rows = data.draw(st.lists(st.fixed_dictionaries(dict.fromkeys(names, values)), min_size=1, max_size=4))
    dataset = Dataset.of("d", rows)
    store.save_dataset(dataset)
    found = store.dataset("d")
    assert found == dataset
    assert Dataset.of("d", found.rows, found.columns).digest == dataset.digest


def test_datasets_have_versions(store: Store) -> None:
    """The newest again makes nothing new; each digest stays readable, and its rows are kept once."""
    first = Dataset.of("inbox", [{"text": "a"}])
    second = Dataset.of("inbox", [{"text": "b"}, {"text": "c"}])
    for dataset in (first, first, second, first):
        store.save_dataset(dataset)
    store.save_dataset(Dataset.of("copy", second.rows))
    assert store.dataset("inbox") == first
    assert store.dataset("inbox", second.digest) == second
    listed = store.datasets().set_index("name")
    assert listed["versions"].to_dict() == {"copy": 1, "inbox": 3}
    assert listed["rows"].to_dict() == {"copy": 2, "inbox": 1}
    assert listed["columns"]["copy"] == ["text"]
    assert store.sql("select count(*) as n from dataset_rows")["n"][0] == 3


def test_rows_are_read_one_by_one(store: Store) -> None:
    """Single rows come without the others."""
    dataset = store.save_dataset(Dataset.of("d", [{"n": number} for number in range(50)]))
    assert store.dataset_rows(dataset.digest, [7, 3, 99]) == {3: {"n": 3}, 7: {"n": 7}}
    assert len(store.dataset_rows(dataset.digest)) == 50


def test_unknown_datasets_and_suites_name_the_known_ones(store: Store) -> None:
    """What is not there is answered with what is."""
    with pytest.raises(DatasetNotFoundError, match="none yet"):
        store.dataset("inbox")
    store.save_dataset(Dataset.of("inbox", [{"text": "a"}]))
    with pytest.raises(DatasetNotFoundError, match="inbox"):
        store.dataset("inbux")
    with pytest.raises(DatasetNotFoundError, match="sha256:00"):
        store.dataset("inbox", "sha256:00")
    with pytest.raises(SuiteNotFoundError, match="none yet"):
        store.suite_spec("basics")
    with pytest.raises(EndpointNotFoundError, match="none yet"):
        store.endpoint("local")


def test_suites_have_versions(store: Store) -> None:
    """A suite is found by name (the newest) and by digest (any); saving the newest again makes nothing new."""
    assert store.save_suite("basics", "sha256:1", {"scorers": [1]}) == 1
    assert store.save_suite("basics", "sha256:1", {"scorers": [1]}) == 1
    assert store.save_suite("basics", "sha256:2", {"scorers": [1, "é"]}) == 2
    assert store.suite_spec("basics") == {"scorers": [1, "é"]}
    assert store.suite_spec("sha256:1") == {"scorers": [1]}
    assert store.suites()["versions"].tolist() == [2]
    assert store.suites()["spec"][0] == {"scorers": [1, "é"]}


def test_endpoints_replace_each_other(store: Store) -> None:
    """An endpoint is a name, an address and the name of a variable; the last one said holds."""
    store.save_endpoint("local", "http://127.0.0.1:8901/v1")
    store.save_endpoint("local", "https://example.org/v1", "LOCAL_KEY")
    assert store.endpoints() == [SavedEndpoint("local", "https://example.org/v1", "LOCAL_KEY")]
    assert store.endpoint("local").key_env == "LOCAL_KEY"


SECRETS = [
    "sk-proj-4f9aK2mTq81bVx0c",
    "sk_live_4f9aK2mTq81bVx0c",
    "4f9aK2mTq81bVx0cLw7Zp3Yd",
    "AIzaSyD4f9aK2mTq81bVx0cLw7Zp3Yd",
    "0123456789abcdef0123456789abcdef",
    "my secret key",
    "",
    "KEY\n",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_key_in_the_place_of_its_variable_is_refused(store: Store, path: Path, secret: str) -> None:
    """What is a key, or no variable's name, is neither stored nor repeated in the error."""
    with pytest.raises(EndpointError) as caught:
        store.save_endpoint("local", "http://127.0.0.1:8901/v1", secret)
    assert store.endpoints() == []
    if secret:
        assert secret not in str(caught.value)
        assert secret not in repr(caught.value.facts)
        assert secret.encode() not in path.read_bytes()


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "_KEY", "k", "AZURE_OPENAI_KEY_2", "PRESSMARK_TOKEN_FOR_TESTS_1"])
def test_ordinary_variable_names_are_taken(store: Store, name: str) -> None:
    """The names that people give to variables with keys are not mistaken for keys."""
    assert store.save_endpoint("local", "http://127.0.0.1:8901/v1", name).key_env == name


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hunter2hunter2@example.org/v1",
        "https://example.org/v1?api_key=hunter2hunter2",
        "https://example.org/v1#hunter2hunter2",
        "hunter2hunter2",
        "ftp://example.org/hunter2hunter2",
        "http://:80/hunter2hunter2",
        "http://example.org:99999/hunter2hunter2",
        "http://[hunter2hunter2/",
        "",
    ],
)
def test_an_address_with_a_secret_or_without_a_host_is_refused(store: Store, url: str) -> None:
    """Addresses that could hold a key, or lead nowhere, are neither stored nor repeated."""
    with pytest.raises(EndpointError) as caught:
        store.save_endpoint("local", url)
    assert "hunter2" not in str(caught.value)
    assert store.endpoints() == []


def test_a_large_dataset_is_saved_within_seconds(store: Store) -> None:
    """100,000 rows are kept, with their digest, well within the 5 seconds that are promised on a free machine."""
    rows = [{"text": f"message {number}", "category": str(number % 77)} for number in range(100_000)]
    begin = time.process_time()
    dataset = Dataset.of("large", rows)
    store.save_dataset(dataset)
    assert time.process_time() - begin < 10
    assert store.dataset_rows(dataset.digest, [99_999])[99_999]["text"] == "message 99999"

"""Datasets of a workspace: where they come from, versions, corrections, splits, and what a run says of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import pressmark as pm
from pressmark.errors import DatasetError, DatasetNotFoundError, PressmarkError, WorkspaceError
from pressmark.prompts.evidence import Evidence
from pressmark.providers import practice
from tests.api.conftest import MESSAGES

ROWS = [
    {"text": f"message number {n}", "category": "billing" if n % 4 else "refund", "talk": n // 2} for n in range(40)
]


def test_sql_over_the_workspace(ws: pm.Workspace) -> None:
    """A query's rows are a dataset, with whole numbers left whole beside nothing, and names as they are."""
    ws.dataset("all", ROWS)
    found = ws.dataset(
        "some",
        sql="select data ->> 'text' as \"te\"\"xt 😀\", case when row > 1 then row end as n, {'a': [1, null]} as nested"
        " from dataset_rows order by row limit 3",
    )
    assert [row["n"] for row in found.rows] == [None, None, 2]
    assert type(found.rows[2]["n"]) is int
    assert dict(found.rows[0]) == {'te"xt 😀': "message number 0", "n": None, "nested": {"a": [1, None]}}
    assert found.origin.kind == "sql"
    assert ws.dataset("some") == found


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("delete from dataset_rows", "only reads, so DELETE is refused and nothing was changed"),
        ("insert into datasets select * from datasets", "only reads"),
        ("copy dataset_rows to 'rows.csv'", "only reads"),
        ("attach 'other.duckdb'", "only reads"),
        ("explain analyze copy dataset_rows to 'rows.csv'", "only reads"),
        ("select 1; drop table datasets", "takes one statement"),
        ("selec 1", "not SQL that DuckDB understands"),
        ("select * from nothing", "DuckDB refused this query"),
        ("select 'a' as n, 'b' as n", "column 'n' more than once"),
        ("select 1 as n where false", "the dataset is empty"),
        ("select 'x'::blob as b", "no JSON form"),
    ],
)
def test_sql_that_makes_no_dataset(ws: pm.Workspace, query: str, message: str) -> None:
    """What is no query, or finds no rows, is refused; nothing is changed and nothing is kept."""
    ws.dataset("all", ROWS)
    with pytest.raises((DatasetError, WorkspaceError), match=message):
        ws.dataset("some", sql=query)
    assert ws.datasets()[["name", "rows", "versions"]].values.tolist() == [["all", 40, 1]]


def log_file(path: Path, number: int = 30) -> Path:
    """A log of calls, half of them asked again."""
    file = path / "log.jsonl"
    lines = [
        {
            "id": f"o{n}",
            "type": "GENERATION",
            "traceId": f"t{n}",
            "model": "gpt" if n % 3 else "old",
            "input": [{"role": "user", "content": "x"}],
            "output": "billing",
            "metadata": {"variables": {"text": f"question {n // 2}", "who": {"n": None}}},
        }
        for n in range(number)
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines) + "cut {\n")
    return file


def test_logs(ws: pm.Workspace, tmp_path: Path) -> None:
    """Repeated questions are left out, a sample is drawn, and all of it is told, also when it is read again."""
    found = ws.dataset("prod", logs=log_file(tmp_path), sample=6, by="model", seed=3)
    assert (len(found), found.columns) == (6, ("text", "who", "output", "model", "trace"))
    told = (
        "30 calls of models; 1 lines that cannot be read (line 31 is not JSON (Expecting value: line 1 column 1"
        " (char 0))); 15 repeated rows left out; 6 of 15 rows drawn by model, seed 3"
    )
    assert found.origin.told == told
    for data in (found, ws.dataset("prod")):
        assert told in repr(data)
        assert (data.digest, data.origin) == (found.digest, found.origin)
    assert len(ws.dataset("prod", logs=log_file(tmp_path), unique=False)) == 30
    assert len(ws.dataset("prod", logs=log_file(tmp_path), unique="model")) == 2
    assert len(ws.dataset("prod", logs=log_file(tmp_path), near=0.8)) == 1
    assert ws.dataset("prod", logs=log_file(tmp_path), sample=6, by="model", seed=3).digest == found.digest


def test_sql_over_logs(ws: pm.Workspace, tmp_path: Path) -> None:
    """A log is the table `logs` of a query, beside the workspace's own; it is gone afterwards."""
    ws.dataset("all", ROWS)
    query = "select text, output as category, who ->> '$.n' as n, (select count(*) from datasets) as kept from logs"
    found = ws.dataset("prod", logs=log_file(tmp_path), sql=f"{query} where model = 'old'")
    assert (len(found), found.columns) == (10, ("text", "category", "n", "kept"))
    assert found.rows[0]["kept"] == 1
    assert found.origin.told.startswith("by SQL over 30 calls of models; 1 lines")
    with pytest.raises(WorkspaceError, match="logs"):
        ws.sql("select * from logs")
    with pytest.raises(WorkspaceError, match="only reads"):
        ws.dataset("prod", logs=log_file(tmp_path), sql="delete from logs")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"source": ROWS, "sql": "select 1"}, "rows come from one place"),
        ({"source": ROWS, "logs": "x"}, "rows come from one place"),
        ({"source": ROWS, "by": "talk"}, "give sample="),
        ({"source": ROWS, "near": 0.9, "unique": False}, "give one of them"),
        ({"source": ROWS, "version": "#1"}, "leave one of them out"),
        ({"source": ROWS, "sample": 3, "by": "x"}, "no column 'x'"),
        ({"source": ROWS, "unique": ["text", "x"]}, "no column 'x'"),
        ({"logs": "nowhere.jsonl"}, "is not there"),
        ({"version": "#9"}, "'all' has no version #9"),
    ],
)
def test_arguments_that_do_not_fit(ws: pm.Workspace, given: dict[str, Any], message: str) -> None:
    """Arguments that contradict each other are refused, and nothing is kept."""
    ws.dataset("all", ROWS[:1])
    with pytest.raises((DatasetError, DatasetNotFoundError), match=message):
        ws.dataset("all", given.pop("source", None), **given)
    assert len(ws.dataset_versions("all")) == 1


def test_hostile_sources(ws: pm.Workspace, tmp_path: Path) -> None:
    """A binary file, another encoding, columns twice and nothing at all are refused in words."""
    binary = tmp_path / "rows.csv"
    binary.write_bytes(b"PK\x03\x04\x00\x00")
    mixed = tmp_path / "mixed.csv"
    mixed.write_bytes("text\nä\n".encode() + "ö\n".encode("latin-1"))
    twice = pd.DataFrame([[1, 2]], columns=["a", "a"])
    for source, message in (
        (binary, "is not text"),
        (mixed, "line 3 is not UTF-8"),
        (twice, "more than once"),
        ([], "give at least one row"),
    ):
        with pytest.raises(DatasetError, match=message):
            ws.dataset("d", source)
    marked = tmp_path / "marked.jsonl"
    marked.write_bytes(b"\xef\xbb\xbf" + b'{"a": {"b": [null, {}]}}\n')
    assert dict(ws.dataset("d", marked).rows[0]) == {"a": {"b": [None, {}]}}


def test_versions(ws: pm.Workspace) -> None:
    """A name stands for its versions: each is found, and what made it is told."""
    first = ws.dataset("inbox", ROWS)
    second = ws.correct("inbox", 3, {"category": "refund"}, message="asks for money")
    third = ws.dataset("inbox", ROWS[:30])
    told = ws.dataset_versions("inbox")
    assert told["version"].tolist() == ["#3", "#2", "#1"]
    assert told["digest"].tolist() == [third.digest, second.digest, first.digest]
    assert told["kind"].tolist() == ["rows", "correction", "rows"]
    assert told["parent"].tolist() == [None, first.digest, None]
    assert told["part"].tolist() == [None, None, None]
    assert told["author"].tolist() == ["ana"] * 3
    assert told["told"].tolist() == ["", "row 3 corrected in category", ""]
    assert ws.dataset("inbox", version="#2") == second == ws.dataset("inbox", version=second.digest)
    assert ws.dataset("inbox", version="#2").origin.changes[0]["message"] == "asks for money"
    assert ws.diff_datasets("inbox").sentence.endswith("rows: 10 removed, 1 changed")
    assert ws.diff_datasets(first, second).changed[0].cells == (("category", "billing", "refund"),)
    assert ws.diff_datasets(first, "inbox", key="text").sentence.endswith("rows: 10 removed")
    with pytest.raises(DatasetNotFoundError, match="no version before"):
        ws.diff_datasets(first)
    with pytest.raises(DatasetNotFoundError, match="it holds inbox"):
        ws.dataset_versions("x")


def test_corrections_of_a_row_that_was_looked_at(ws: pm.Workspace) -> None:
    """A click on an old run's row corrects the newest version, unless that row is another one by now."""
    seen = ws.dataset("inbox", ROWS)
    ws.correct("inbox", 1, {"category": "delivery"})
    newest = ws.correct(seen, 2, {"category": "delivery"})
    assert [newest.rows[n]["category"] for n in (0, 1, 2)] == ["refund", "delivery", "delivery"]
    with pytest.raises(DatasetError, match=r"another one by now.*ws.diff_datasets"):
        ws.correct(seen, 1, {"category": "refund"})
    with pytest.raises(DatasetError, match="holds that already"):
        ws.correct("inbox", 1, {"category": "delivery"})
    with pytest.raises(DatasetError, match="no row 99"):
        ws.correct("inbox", 99, {"category": "delivery"})
    with pytest.raises(DatasetNotFoundError):
        ws.correct("x", 1, {"category": "delivery"})
    assert len(ws.dataset_versions("inbox")) == 3


def test_corrections_at_once(ws: pm.Workspace) -> None:
    """Corrections from several threads and workspaces on one file are all kept."""
    ws.dataset("inbox", ROWS)
    other = pm.Workspace(ws.store.path, author="ben")
    failed: list[BaseException] = []

    def correct(space: pm.Workspace, row: int) -> None:
        try:
            space.correct("inbox", row, {"category": f"new {row}"})
        except PressmarkError as error:
            failed.append(error)

    threads = [threading.Thread(target=correct, args=((ws, other)[row % 2], row)) for row in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [row["category"] for row in ws.dataset("inbox").rows[:8]] == [f"new {row}" for row in range(8)]
    assert set(ws.dataset_versions("inbox")["author"]) == {"ana", "ben"}


def test_a_run_of_an_old_suite_leaves_the_correction_newest(ws: pm.Workspace) -> None:
    """Running a suite that was made before a correction does not bring the old rows back under the name."""
    ws.dataset("inbox", practice.example_messages()[:6])
    suite = ws.suite("basics", dataset="inbox", scorers=[pm.scorers.Exact("category")])
    version = ws.save("p", messages=MESSAGES, model=practice.PRACTICE_MODEL)
    corrected = ws.correct("inbox", 0, {"category": "refund"})
    ws.evaluate(version, suite, progress=False)
    assert ws.dataset("inbox") == corrected
    assert "has other rows now" in repr(ws.suite("basics"))


@pytest.fixture
def judged(ws: pm.Workspace) -> Callable[[str], Any]:
    """Two versions, the second of which shows rows of the train part, and a suite on a dataset."""
    ws.dataset("inbox", practice.example_messages()[:60])
    ws.split("inbox", by="category")
    shown = ws.examples("inbox", 3).messages("text", "category")
    versions = [
        ws.save("p", messages=messages, model=practice.PRACTICE_MODEL)
        for messages in (MESSAGES, [MESSAGES[0], *shown, MESSAGES[1]])
    ]

    def make(dataset: str) -> Any:
        suite = ws.suite("basics", dataset=dataset, scorers=[pm.scorers.Exact("category")], prompt="p")
        return (*versions, suite)

    return make


def test_judged_on_rows_that_it_was_tuned_on(ws: pm.Workspace, judged: Callable[[str], Any]) -> None:
    """The plan, the report and the evidence say so, each in its form; of other rows they say nothing."""
    first, second, suite = judged("inbox/train")
    plan = ws.plan([first, second], suite)
    rows = len(suite.dataset)
    assert plan.warnings == (
        f"{rows} of {rows} rows are of a train part, which is for tuning: judge on the holdout",
        plan.warnings[1],
    )
    assert plan.warnings[1].startswith(f"#2 is judged on 3 of {rows} rows that its own text holds as examples (rows ")
    assert all(f"⚠ {warning}" in str(plan) for warning in plan.warnings)
    assert "⚠" in plan._repr_html_()
    run = ws.evaluate([first, second], suite, progress=False)
    assert run.report().notes[:2] == plan.warnings
    assert all(warning in str(run.report()) for warning in plan.warnings)
    assert run.tuned_on(second) == tuple(range(rows))
    evidence = ws.evaluate_change(second, progress=False).evidence
    assert set(evidence.trials[0].tuned_on) == set(evidence.trials[0].rows)
    assert Evidence.from_dict(json.loads(json.dumps(evidence.to_dict()))) == evidence


def test_judged_on_a_holdout(ws: pm.Workspace, judged: Callable[[str], Any]) -> None:
    """On the holdout there is nothing to warn of, and evidence has the form that it always had."""
    first, second, suite = judged("inbox/holdout")
    assert ws.plan([first, second], suite).warnings == ()
    evidence = ws.evaluate_change(second, progress=False).evidence
    assert evidence.trials[0].tuned_on == ()
    assert "tuned_on" not in evidence.to_dict()["trials"][0]


def test_rows_of_a_train_part_under_another_name(ws: pm.Workspace, judged: Callable[[str], Any]) -> None:
    """Copied or corrected, rows of a train part stay what they are; so does a suite of the whole dataset."""
    *versions, _ = judged("inbox/train")
    train = ws.dataset("inbox/train")
    ws.dataset("copy", [{"text": row["text"], "category": "refund"} for row in train.rows][:9])
    suite = ws.suite("other", dataset="copy", scorers=[pm.scorers.Exact("category")])
    assert ws.plan(versions, suite).warnings[0].startswith("9 of 9 rows are of a train part")
    assert ws.correct("inbox/train", 0, {"category": "other"}).origin.part == "train"
    whole = ws.suite("whole", dataset="inbox", scorers=[pm.scorers.Exact("category")])
    assert ws.plan(versions, whole).warnings[0].startswith(f"{len(train)} of {len(whole.dataset)} rows")


def test_examples(ws: pm.Workspace) -> None:
    """Examples come from the train part only; from a holdout, or without a split, there are none."""
    ws.dataset("inbox", ROWS)
    with pytest.raises(DatasetError, match=r"was not split.*ws.split\('inbox'"):
        ws.examples("inbox", 3)
    parts = ws.split("inbox", 0.25, clusters="talk", by="category")
    held = {row["text"] for row in parts.holdout.rows}
    for source in ("inbox", "inbox/train", parts.train, ws.dataset("inbox")):
        found = ws.examples(source, 5, by="category")
        assert len(found) == 5
        assert not {row["text"] for row in found} & held
    assert len(ws.examples("inbox", 99)) == len(parts.train)
    for source in (parts.holdout, "inbox/holdout"):
        with pytest.raises(DatasetError, match=r"is a holdout.*Take examples from the train part"):
            ws.examples(source, 3)
    ws.correct("inbox", 0, {"category": "x"})
    with pytest.raises(DatasetError, match="was not split, at least not in this version"):
        ws.examples("inbox", 3)
    again = ws.dataset_versions("inbox/holdout").iloc[0]
    assert (again["part"], again["kind"], again["parent"]) == ("holdout", "split", parts.train.origin.parent)
    assert ws.sql("select part, count(*) as n from datasets group by part order by part")["n"].tolist() == [2, 1, 1]


def test_a_run_of_an_older_suite_leaves_the_newer_one_newest(ws: pm.Workspace) -> None:
    """Running a suite that its name no longer stands for does not bring it back; making it again does."""
    ws.dataset("inbox", practice.example_messages()[:6])
    version = ws.save("p", messages=MESSAGES, model=practice.PRACTICE_MODEL)
    old = ws.suite("basics", dataset="inbox", scorers=[pm.scorers.Exact("category")])
    new = ws.suite("basics", dataset="inbox", scorers=[pm.scorers.Exact("category"), pm.scorers.Length()])
    run = ws.evaluate(version, old, progress=False)
    assert ws.suite("basics") == new
    assert ws.suites()["versions"].tolist() == [2]
    assert ws.run(run.id).suite == old
    assert ws.suite("basics", dataset="inbox", scorers=[pm.scorers.Exact("category")]).note == "version 3"
    assert ws.suite("basics") == old

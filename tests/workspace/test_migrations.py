"""The file's form, from release to release."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pressmark.errors import WorkspaceFormatError, WorkspaceFullError, WorkspaceVersionError
from pressmark.prompts import Unit
from pressmark.workspace import Store, migrations


def _columns(path: Path) -> list[tuple[str, str, str]]:
    with duckdb.connect(str(path)) as connection:
        return connection.execute(
            "select table_name, column_name, data_type from duckdb_columns() where not internal order by all"
        ).fetchall()


STEPS = [
    "m001_initial",
    "m002_limits_and_records",
    "m003_rated_again",
    "m004_origins",
    "m005_steps_and_deletions",
    "m006_evaluations",
]
KNOWN = len(STEPS)
FIRST_FORM = "sha256:7fe52af2e46af27a73ef4e5ebff09816dfda4b9109aec68c4ffcd1c0505c59f3"


def first_release(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a file as the first release made it."""
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:1])
        patch.setattr(migrations, "NEWEST", 1)
        Store(path)


def test_the_first_form_is_frozen(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of the first release are in the world: its step makes exactly these tables and columns, for ever."""
    first_release(path, monkeypatch)
    told = "\n".join(" ".join(column) for column in _columns(path))
    assert f"sha256:{hashlib.sha256(told.encode()).hexdigest()}" == FIRST_FORM
    assert [step.__name__ for step in migrations.MIGRATIONS] == STEPS


def test_tables(store: Store, path: Path) -> None:
    """A workspace has these tables."""
    tables = {table for table, _, _ in _columns(path)}
    assert tables == {
        "answers",
        "dataset_rows",
        "datasets",
        "deletions",
        "draft_heads",
        "draft_steps",
        "drafts",
        "endpoints",
        "evaluations",
        "journals",
        "outputs",
        "pressmark_migrations",
        "publications",
        "ratings",
        "runs",
        "scores",
        "suites",
        "versions",
    }


def test_a_file_of_the_first_release_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Endpoints, runs and answers of the first release are there after the step, and new ones beside them."""
    first_release(path, monkeypatch)
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """
            insert into endpoints values ('old', 'http://127.0.0.1:1/v1', null, now());
            insert into runs values ('r', 'p', null, '{"format": 1}', 'done', now(), now(), null);
            insert into datasets values ('d', 1, 'sha256:rows', '["a"]', 1, now());
            insert into dataset_rows values ('sha256:rows', 0, '{"a": 1}');
            insert into outputs (run_id, version, row, repeat, output, model, latency, cached, request_digest)
                values ('r', 'v', 0, 0, 'said', 'm', 0.5, false, 'sha256:key');
            """
        )
    store = Store(path)
    store.save_endpoint("new", "http://127.0.0.1:2/v1", rpm=60, tpm=1000.5, transport="aiohttp")
    assert [(e.name, e.rpm, e.tpm, e.transport) for e in store.endpoints()] == [
        ("new", 60, 1000.5, "aiohttp"),
        ("old", None, None, None),
    ]
    assert dict(store.dataset("d", "#1").rows[0]) == {"a": 1}
    assert store.dataset_versions("d")[["kind", "told", "part", "parent", "author"]].values.tolist() == [
        ["rows", "", None, None, ""]
    ]
    assert store.correct_dataset("d", 0, {"a": 2}).origin.parent == "sha256:rows"
    assert store.run("r").record == {}
    told = store.cached_answers(["sha256:key"])["sha256:key"]
    assert (told["output"], told["latency"], told["ttft"]) == ("said", 0.5, None)
    store.create_run("r", {"format": 1}, record={"planned": 3})
    store.finish_run("r", "stopped", "told")
    kept = store.run("r")
    assert (kept.status, kept.note, kept.record) == ("stopped", "told", {"planned": 3})


def test_an_older_file_is_brought_up_to_date(
    store: Store, path: Path, unit: Callable[[str], Unit], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening takes the steps that a file has not seen, once, in order, and keeps what is in it."""
    store.save_version("p", unit("a"))

    def colour(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("alter table runs add column colour varchar")

    def shade_of_it(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("update runs set colour = 'blue'; alter table runs rename column colour to shade")

    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, colour, shade_of_it))
    monkeypatch.setattr(migrations, "NEWEST", KNOWN + 2)
    for _ in range(2):
        newer = Store(path)
        assert newer.version("p").number == 1
    assert ("runs", "shade", "VARCHAR") in _columns(path)
    assert newer.sql("select number, name from pressmark_migrations order by number").values.tolist() == [
        *([number, name] for number, name in enumerate(STEPS, 1)),
        [KNOWN + 1, "colour"],
        [KNOWN + 2, "shade_of_it"],
    ]


def test_a_step_that_fails_leaves_the_file_as_it_was(store: Store, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step is taken whole or not at all, and is taken again at the next opening."""
    before = _columns(path)

    def half(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("alter table runs add column colour varchar; create table half (n int)")
        raise RuntimeError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, half))
        patch.setattr(migrations, "NEWEST", KNOWN + 1)
        with pytest.raises(RuntimeError):
            Store(path)
    assert _columns(path) == before
    assert Store(path).prompts().empty


def test_a_file_of_a_newer_pressmark_is_refused_in_words(store: Store, path: Path) -> None:
    """A file with a step from the future is left as it is, by opening it and by a store that has it open already."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("insert into pressmark_migrations values (?, 'future', now())", [KNOWN + 1])
    with pytest.raises(WorkspaceVersionError, match=r"newer Pressmark.*upgrade") as caught:
        Store(path)
    assert (caught.value.facts["found"], caught.value.facts["known"]) == (KNOWN + 1, KNOWN)
    with pytest.raises(WorkspaceVersionError):
        store.save_draft("p", {})


def test_a_duckdb_file_of_something_else_is_left_alone(path: Path) -> None:
    """A DuckDB file with other tables is refused and nothing is added to it; an empty one becomes a workspace."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table versions (n integer)")
    with pytest.raises(WorkspaceFormatError, match="not a Pressmark workspace"):
        Store(path)
    assert _columns(path) == [("versions", "n", "INTEGER")]
    with duckdb.connect(str(path)) as connection:
        connection.execute("drop table versions")
    assert Store(path).prompts().empty


def test_processes_that_begin_at_once_share_one_file(path: Path) -> None:
    """Six processes that open a new workspace in the same moment all write to the same file."""
    script = f"from pressmark.workspace import Store; import sys; Store({str(path)!r}).save_draft(sys.argv[1], {{}})"
    processes = [subprocess.Popen([sys.executable, "-c", script, f"p{number}"]) for number in range(6)]
    assert [process.wait(120) for process in processes] == [0] * 6
    assert sorted(Store(path).prompts()["prompt"]) == [f"p{number}" for number in range(6)]
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


FULL = """
import resource, sys
from pressmark.errors import PressmarkError
from pressmark.workspace import Store
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    Store(sys.argv[1])
except PressmarkError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("limit", [0, 1000, 5_000, 20_000, 100_000, 300_000])
def test_a_full_disk_at_the_beginning_leaves_nothing_behind(path: Path, limit: int) -> None:
    """A workspace that cannot be made whole is not made at all."""
    told = subprocess.run([sys.executable, "-c", FULL, path, str(limit)], capture_output=True, text=True, check=True)
    if told.stdout:
        assert told.stdout.startswith(WorkspaceFullError.__name__)
        assert "make room" in told.stdout
        assert list(path.parent.iterdir()) == []
    assert Store(path).prompts().empty

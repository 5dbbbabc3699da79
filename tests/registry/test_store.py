"""Opening a store: making it ready, refusing what is none, staying out of a server's way."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from pressmark.errors import RegistryError, RegistryUnavailableError
from pressmark.prompts.policy import TEAM
from pressmark.registry import database, migrate, schema
from pressmark.registry.serving import running
from pressmark.registry.store import Store

from .making import Listener, publish, unit, until
from .proving import prove

NAME = "support/triage"


def test_migrations_make_what_the_code_reads(store: Store) -> None:
    """The migrated schema and the tables in the code are the same."""
    with store.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []


def test_opening_again(store: Store, store_url: str) -> None:
    """What one store wrote, another on the same address reads, with the same identity."""
    publish(store)
    with Store(store_url) as again:
        assert again.position() == store.position()
        assert again.version(NAME, "v1") == store.version(NAME, "v1")


def test_opening_at_once(store_url: str) -> None:
    """Many that open a new store at the same moment agree on one registry."""
    start = threading.Barrier(5)
    ids = []

    def open_it() -> None:
        start.wait()
        with Store(store_url) as store:
            ids.append(store.position().registry)

    threads = [threading.Thread(target=open_it) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 5
    assert len(set(ids)) == 1


def test_newer_schema(store: Store, store_url: str) -> None:
    """A store that a newer Pressmark made is refused in words and left alone."""
    with store.database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(RegistryError, match=r"newer Pressmark.*upgrade") as told:
        Store(store_url)
    assert told.value.code == "newer_schema"


def test_older_schema_is_brought_up_to_date(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Migrations that are missing run when a store is opened, and no others."""
    with Store(store_url):
        pass
    monkeypatch.setattr(migrate, "upgrade", pytest.fail)
    with Store(store_url):
        pass


def test_first_schema_is_brought_up_to_date(store: Store, store_url: str) -> None:
    """A store of the first schema keeps what it holds, and takes evidence, suites and policies from then on."""
    publish(store, NAME, "one", "two")
    store.move(NAME, label="production", to="v1", reason="go", expected=None)
    with store.database.engine.begin() as connection:
        for table in ("suites", "datasets", "evidence", "policies"):
            connection.execute(sa.text(f"DROP TABLE {table}"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    store.close()
    with Store(store_url) as again:
        assert again.verify().count == 3
        again.set_policy("production", TEAM, reason="a team now")
        digest = again.submit_evidence(prove(again, "v2"))
        entry = again.move(NAME, label="production", to="v2", reason="go", expected="v1")
        assert entry.data["moves"][0]["evidence"] == digest
        test_migrations_make_what_the_code_reads(again)


def test_another_programs_database(tmp_path: Path) -> None:
    """A database with other tables is refused and left alone."""
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (title)")
    before = path.read_bytes()
    with pytest.raises(RegistryError, match="songs"):
        Store(path)
    assert path.read_bytes()[100:] == before[100:]


def test_no_database(tmp_path: Path) -> None:
    """A file that is no database is refused and left alone."""
    path = tmp_path / "notes.txt"
    path.write_text("these are notes, " * 100)
    with pytest.raises(RegistryError, match="not a Pressmark registry"):
        Store(path)
    assert path.read_text().startswith("these are notes")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("no/such/folder/registry.db", "no folder"),
        ("sqlite:////no/such/folder/registry.db", "no folder"),
        ("sqlite://", "memory"),
        ("sqlite:///:memory:", "memory"),
        ("mysql://host/db", "SQLite or PostgreSQL"),
        ("what://", "SQLite or PostgreSQL"),
        ("://", "not a registry's address"),
    ],
)
def test_wrong_address(url: str, said: str) -> None:
    """An address that is none is refused with what would do."""
    with pytest.raises(RegistryError, match=said):
        Store(url)


def test_database_that_is_away() -> None:
    """A PostgreSQL server that does not answer is told as unavailable, without its password."""
    with pytest.raises(RegistryUnavailableError) as told:
        Store("postgresql://ana:hidden@127.0.0.1:1/registry")
    assert "hidden" not in str(told.value)


def test_embedded_writes_while_a_server_runs(store: Store, store_url: str) -> None:
    """A store that belongs to a server may be read, not written, by others; afterwards it may again."""
    publish(store)
    with Store(store_url) as other:
        with running(store):
            assert other.version(NAME, "v1").number == 1
            for write in (
                lambda: publish(other, NAME, "two"),
                lambda: other.move(NAME, label="staging", to="v1", reason="r", expected=None),
                lambda: other.create_token("eve", "admin"),
            ):
                with pytest.raises(RegistryError, match="belongs to a running server") as told:
                    write()
                assert (told.value.status, told.value.code) == (409, "served")
        publish(other, NAME, "two")
        assert other.position().seq == 2


def test_two_embedded_writers(store: Store, store_url: str) -> None:
    """Embedded writers share a store; none mistakes another one for a server."""
    with running(store):
        pass
    others = [Store(store_url) for _ in range(4)]
    errors = []

    def write(other: Store, number: int) -> None:
        try:
            for turn in range(5):
                publish(other, f"prompt-{number}", f"text {turn}")
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(other, number)) for number, other in enumerate(others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert store.verify().count == 20
    for other in others:
        other.close()


def test_file_that_is_locked(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that another program keeps locked is told as unavailable; nothing is written, and later it works."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    publish(sqlite_store)
    with Store(sqlite_store.where) as impatient:
        with sqlite3.connect(sqlite_store.where, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(RegistryUnavailableError, match="nothing was changed"):
                publish(impatient, NAME, "two")
            assert impatient.version(NAME, "latest").number == 1
            other.execute("ROLLBACK")
        publish(impatient, NAME, "two")


FULL = """
import resource, signal, sys
from pressmark.errors import RegistryUnavailableError
from pressmark.registry.store import Store
from tests_making import unit
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    for turn in range(1000):
        store.publish("support/triage", unit("x" * 50_000 + f"{turn} {{{{ q }}}}"), message="m", reason="r")
        done = turn + 1
except RegistryUnavailableError as error:
    print(done, "nothing was changed" in str(error))
"""


def test_full_disk(tmp_path: Path) -> None:
    """A full disk is told as such; what was acknowledged before is there, and nothing else."""
    path = tmp_path / "registry.db"
    (tmp_path / "tests_making.py").write_text((Path(__file__).parent / "making.py").read_text())
    run = subprocess.run(
        [sys.executable, "-c", FULL, str(path), str(2_000_000)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(tmp_path)},
        check=False,
    )
    assert run.returncode == 0, run.stderr
    done, clear = run.stdout.split()
    assert clear == "True"
    assert resource.RLIMIT_FSIZE is not None
    with Store(path) as store:
        assert store.verify().count == int(done) > 3
        publish(store, NAME, "room again")


def test_closing_ends_the_watchers(store: Store) -> None:
    """A store that is closed ends the iterators over its events."""
    publish(store)
    listener = Listener(store.events())
    until(lambda: listener.heard)
    store.close()
    until(lambda: not listener.thread.is_alive())
    assert listener.error is None


def test_unit_that_differs_by_nothing(store: Store) -> None:
    """One unit under two names is kept once and belongs to both."""
    for name in ("one", "two"):
        store.publish(name, unit(), message="m", reason="r")
    with store.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.units)).scalar() == 1
    assert store.version("one", "v1").digest == store.version("two", "v1").digest

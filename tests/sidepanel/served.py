"""A registry that can go and come back at one address, and a JupyterLab that is told of it."""

from __future__ import annotations

import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa

from pressmark.cli.jupyter import Jupyter
from pressmark.registry.serving import running
from pressmark.registry.store import Store
from pressmark.registry.values import UNSET

from ..registry.making import unit


def free_port() -> int:
    """A port that nobody holds now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


class Registry:
    """A registry's server that is started and stopped as a test wants.

    Attributes:
        store: What it serves; tests publish there.
        url: Where it listens.
        token: A token of an editor called bea.
    """

    def __init__(self, file: Path) -> None:
        self._port = free_port()
        self._up = ExitStack()
        self.store = Store(file, actor="ana")
        self.url = f"http://127.0.0.1:{self._port}"
        self.token = self.store.create_token("bea", "editor").secret

    def start(self) -> None:
        """Serve."""
        self._up.enter_context(running(self.store, port=self._port))

    def stop(self) -> None:
        """Be gone."""
        self._up.close()

    def close(self) -> None:
        """Be gone for good."""
        self.stop()
        self.store.close()

    def publish(self, name: str, *labels: str, texts: int = 1) -> None:
        """Publish versions of a prompt and let labels point to the newest."""
        for number in range(texts):
            published = self.store.publish(
                name, unit(f"Sort {number}: {{{{ text }}}}"), message=f"cut {number + 1}", reason="for a test"
            )
        for label in labels:
            self.move(name, label, published.version)

    def move(self, name: str, label: str, to: str) -> None:
        """Move a label."""
        self.store.move(name, label=label, to=to, reason="for a test", expected=UNSET)

    def multiply(self, name: str, count: int) -> None:
        """Put copies of a prompt into the tables; publishing so many would take minutes."""
        with self.store.database.engine.begin() as connection:
            for table in ("versions", "labels"):
                rows = connection.execute(sa.text(f"SELECT * FROM {table} WHERE name = :name"), {"name": name})
                rows = rows.mappings().all()
                copies = [{**row, "name": f"many/prompt-{at:05d}"} for at in range(count) for row in rows]
                columns = list(rows[0])
                values = ", ".join(f":{column}" for column in columns)
                connection.execute(sa.text(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"), copies)


class Lab:
    """A JupyterLab with the side panel.

    Attributes:
        folder: What it shows.
        log: The file with all that the server said.
    """

    def __init__(self, jupyter: Jupyter, folder: Path, log: Path) -> None:
        self._jupyter = jupyter
        self.folder = folder
        self.log = log

    def address(self, notebook: str | None = None) -> str:
        """What a browser opens."""
        return self._jupyter.address(notebook)

    @property
    def base(self) -> str:
        """Its address without path."""
        return self.address().partition("/lab")[0]

    @property
    def token(self) -> str:
        """Jupyter's own token."""
        return self.address().partition("token=")[2]

    def ask(self, path: str, *, headers: dict[str, str] | None = None, method: str = "GET", **query: str) -> Answer:
        """Ask the panel's half in the server, as the page does where no other headers are given."""
        url = f"{self.base}/pressmark/api/{path}?{urlencode(query)}"
        sent = {"Authorization": f"token {self.token}"} if headers is None else headers
        request = urllib.request.Request(url, headers=sent, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())
        try:
            with opener.open(request, timeout=30) as answer:
                return Answer(answer.status, answer.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode())


class Answer:
    """What came back.

    Attributes:
        status: HTTP status.
        text: The body.
    """

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        self.text = text

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *asked: Any) -> None:
        return None


@contextmanager
def jupyter_lab(folder: Path, environment: dict[str, str], *options: str) -> Iterator[Lab]:
    """Run JupyterLab while the block runs, as `pressmark lab` does.

    Args:
        folder: Where the notebooks are, and its log beside.
        environment: What it is told of the registry.
        options: Lines for its configuration file.
    """
    own = folder.parent / f"{folder.name}-jupyter"
    for each in (folder, own):
        each.mkdir(parents=True)
    settings = own / "lab" / "user-settings" / "pressmark" / "panel.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"poll": 1}')
    (own / "jupyter_server_config.py").write_text("\n".join(["c.ServerApp.log_level = 10", *options]))
    jupyter = Jupyter(folder, own, free_port())
    try:
        jupyter.go({"PRESSMARK_URL": "", "PRESSMARK_TOKEN": "", **environment})
        assert jupyter.wait_until_up(threading.Event())
        yield Lab(jupyter, folder, own / "jupyter.log")
    finally:
        jupyter.end()

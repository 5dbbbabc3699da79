"""What goes wrong: one clear sentence, the right exit status, nothing changed half-way, never a traceback."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

import pressmark as pm
from pressmark.cli import main, places
from pressmark.testing import RegistrySimulator, registry_in_memory

NAME = "support/triage"
TOML = 'name = "support/triage"\nmodel = "m"\n'
# What is typed, the exit status, and a part of the sentence.
CASES = [
    ("publish support/triage --workspace none.duckdb --reason x", 2, "there is no workspace at none.duckdb"),
    ("publish support/triage --workspace notes.txt --reason x", 2, "is not a DuckDB file"),
    ("publish support/triage --workspace . --reason x", 2, "is a directory"),
    ("publish support/none --workspace prompts.duckdb --reason x", 2, "there is no prompt 'support/none'"),
    ("publish support/triage #9 --workspace prompts.duckdb --reason x", 2, "has no version '#9'"),
    ("publish support/triage 1 --workspace prompts.duckdb --reason x", 2, "write '#1'"),
    ("publish support/triage v1 --workspace prompts.duckdb --reason x", 2, "is a registry version"),
    ("publish support/triage --reason x", 2, "Give the workspace that holds it"),
    ("publish support/triage --workspace prompts.duckdb", 2, "Missing option '--reason'"),
    ("publish support/triage --workspace prompts.duckdb --reason ", 2, "it is empty: write why"),
    ("publish support/triage --workspace prompts.duckdb --reason x --message y", 2, "belong to a prompt's file"),
    ("publish none.toml --reason x", 2, "none.toml: there is no such file"),
    ("publish good.toml v1 --reason x", 2, "has no versions"),
    ("publish syntax.toml --reason x", 2, "syntax.toml: it is not readable TOML"),
    ("publish jinja.toml --reason x", 2, "jinja.toml: "),
    ("publish name.toml --reason x", 2, "such as 'support/triage'"),
    ("publish part.toml --reason x", 2, "has no part called 'temperature'"),
    ("publish variable.toml --reason x", 2, "declare 'txt', which the template does not use"),
    ("publish tool.json --reason x", 2, "which its properties do not declare"),
    ("publish folder.toml --reason x", 2, "folder.toml: it cannot be read"),
    ("publish latin.toml --reason x", 2, "it is not UTF-8 text"),
    ("publish good.toml --name Bad/Name --reason x", 2, "such as 'bad/name'"),
    ("pull support/triage --file t.toml", 2, "does not say which version"),
    ("pull support/triage@staging --file t.toml", 2, "no label 'staging'"),
    ("pull support/triage@v9 --workspace new.duckdb", 2, "no version v9"),
    ("pull support/triage@v1 --file t.yaml", 2, "does not end in .toml or .json"),
    ("pull support/triage@v1 --file none/t.toml", 2, "cannot be written"),
    ("pull support/triage@v1", 2, "Where to?"),
    ("pull support/triage@v1 --workspace notes.txt", 2, "is not a DuckDB file"),
    ("promote support/triage v9 --label production --reason x", 2, "no version v9"),
    ("promote support/none v1 --label production --reason x", 2, "no prompt called 'support/none'"),
    ("promote support/triage v1 --label latest --reason x", 2, "'latest' always points to the newest"),
    ("promote support/triage v1 --label Production --reason x", 2, "cannot be a label"),
    ("promote support/triage v1 --label staging --reason x --expected v1", 1, "v1"),
    ("rollback support/triage --label production --reason x", 1, "name a version with --to, or publish"),
    ("get support/triage/../other", 2, "cannot be a prompt name"),
    ("get support/triage ../tokens", 2, "unexpected extra argument"),
    ("get support/triage --label a/b", 2, "cannot be a label"),
    ("log ../../tokens", 2, "cannot be a prompt name"),
    ("diff support/triage v1 ..", 2, "cannot be a label"),
    ("pull support/triage@.. --file t.toml", 2, "cannot be a label"),
    ("promote ../tokens v1 --label production --reason x", 2, "cannot be a prompt name"),
    ("promote support/triage v1 --label a/b --reason x", 2, "cannot be a label"),
    ("rollback support/triage --label .. --reason x", 2, "cannot be a label"),
    ("token revoke ../x", 2, "there is no token '../x': see `pressmark token list`"),
    ("promote support/triage v1 --label production --reason bad\udcff", 2, "no valid Unicode"),
    ("log support/\udcff", 2, "cannot be a prompt name"),
    ("log --registry http://[::bad", 2, "'http://[::bad' is no registry's address"),
    ("log --registry http://x:99999", 2, "is no registry's address"),
    ("log --registry http://a..b", 2, "is no registry's address"),
    ("log --registry http://ana:hidden@x:99999", 2, "'http://…@x:99999' is no"),
    ("log --registry postgresql://ana:hidden@x:port/y", 2, "is not a registry's address"),
    ("log --registry mysql://ana:hidden@x/y", 2, "'mysql://…@x/y' is no registry's address"),
    ("get support/none", 2, "`pressmark log`"),
    ("get support/triage --label staging", 2, "`pressmark log support/triage`"),
    ("get support/triage --request", 2, "the prompt needs 'text'"),
    ("get support/triage --var text", 2, "is not of the form NAME=VALUE"),
    ("get support/triage --var txt=1", 2, "no variable 'txt'"),
    ("log support/none", 2, "no prompt called 'support/none'"),
    ("log --limit 0", 2, "1<=x<=1000"),
    ("diff support/triage v1 v9", 2, "no version v9"),
    ("token revoke nothing", 2, "there is no token 'nothing': see `pressmark token list`"),
    ("token create ana --role boss", 2, "'boss' is not one of"),
    ("log --registry ftp://example", 2, "is no registry's address"),
    ("log --registry sqlite:///none.db", 2, "there is no registry at none.db"),
    ("log --registry sqlite:///notes.txt", 2, "is not a Pressmark registry"),
    ("log --registry http://127.0.0.1:1", 3, "cannot be reached"),
    ("serve notes.txt --port 0", 2, "is not a Pressmark registry"),
    ("serve none/registry.db --port 0", 2, "there is no folder"),
    ("nothing", 2, "No such command 'nothing'"),
]


@dataclass(frozen=True)
class Traps:
    """A folder with files that are wrong in one way each, and a registry with one version in production."""

    folder: Path
    registry: RegistrySimulator
    workspace: Path

    def everything(self) -> tuple[object, ...]:
        """All that a command could have changed."""
        ws = pm.Workspace(self.workspace)
        kept = ws.store.versions(NAME), len(ws.sql("select * from publications"))
        files = {path.name: path.stat().st_size for path in self.folder.iterdir()}
        return self.registry.store.sync(), kept, files


@pytest.fixture(scope="module")
def traps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traps]:
    """Lay the traps out once: no command may change any of them."""
    folder = tmp_path_factory.mktemp("traps")
    (folder / "notes.txt").write_text("milk, eggs and several other things that are no database\n" * 40)
    (folder / "folder.toml").mkdir()
    (folder / "latin.toml").write_bytes('name = "a"\nmodel = "m"\ntext = "caf\xe9"\n'.encode("latin-1"))
    for name, text in {
        "good": TOML + "text = 'Sort: {{ text }}'",
        "syntax": TOML + "text = 'Sort",
        "jinja": TOML + "text = '''\nSort:\n{{ text }'''",
        "name": "name = 'Support/Triage'\nmodel = 'm'\ntext = 'hi'",
        "part": TOML + "temperature = 0\ntext = 'hi'",
        "variable": TOML + "text = '{{ text }}'\n[variables]\ntext = 'string'\ntxt = 'string'",
    }.items():
        (folder / f"{name}.toml").write_text(text)
    schema = {"type": "object", "properties": {}, "required": ["order"]}
    tool = {"type": "function", "function": {"name": "find", "parameters": schema}}
    (folder / "tool.json").write_text(json.dumps({"name": "a/b", "model": "m", "text": "hi", "tools": [tool]}))
    pm.Workspace(folder / "prompts.duckdb").save(NAME, text="Which category? {{ text }}", model="m", message="first")
    with registry_in_memory() as registry:
        registry.publish(NAME, text="Sort: {{ text }}", label="production")
        yield Traps(folder, registry, folder / "prompts.duckdb")


@pytest.mark.parametrize(("line", "status", "part"), CASES)
def test_wrong_input_is_one_sentence(
    traps: Traps, monkeypatch: pytest.MonkeyPatch, line: str, status: int, part: str
) -> None:
    """Each wrong input ends with its status and a sentence on stderr, and changes nothing."""
    monkeypatch.chdir(traps.folder)
    before = traps.everything()
    known = {"PRESSMARK_URL": traps.registry.url, "PRESSMARK_TOKEN": traps.registry.token, "PRESSMARK_WORKSPACE": None}
    said = CliRunner().invoke(main, line.split(" "), env=known)
    assert part in said.stderr, said.stderr
    assert "hidden" not in said.stderr
    assert "Errno" not in said.stderr
    assert said.exit_code == status
    assert said.stdout == ""
    assert isinstance(said.exception, SystemExit)
    assert len([text for text in said.stderr.splitlines() if text.startswith("Error: ")]) == 1, said.stderr
    assert traps.everything() == before


def test_bad_template_names_its_line(pressmark, tmp_path):
    """A bad template in a file is told with the file, the message, the line and the column."""
    (tmp_path / "bad.toml").write_text(TOML + "[[messages]]\nrole = 'user'\ncontent = '''\nSort:\n{{ text }'''\n")
    said = pressmark("publish", "bad.toml", "--reason", "x", "--json")
    message = json.loads(said.stdout)["error"]["message"]
    assert message.startswith("bad.toml: ")
    assert re.search(r"line 2", message)
    assert "messages[0]" in message


@pytest.mark.parametrize("token", ["pm_wrong", ""])
def test_wrong_token(pressmark, registry, token):
    """A wrong token and none at all are refused in a sentence that names the variable."""
    for command in (("log",), ("publish", "t.toml", "--reason", "x"), ("verify",), ("token", "list")):
        Path("t.toml").write_text(TOML + "text = 'hi'")
        said = pressmark(*command, PRESSMARK_TOKEN=token)
        assert said.exit_code == 1
        assert "PRESSMARK_TOKEN" in said.stderr
    assert registry.store.log() == []


@pytest.mark.parametrize("token", ["pm_sec\nret", "pm_sec ret", "pm_secret\u20ac", "pm_secret\udcff"])
def test_token_that_no_header_can_carry(pressmark, registry, token):
    """A token with a line break or another stray character is refused in a sentence that does not repeat it."""
    for command in (("log",), ("token", "list"), ("verify", "--json")):
        said = pressmark(*command, PRESSMARK_TOKEN=token)
        assert said.exit_code == 2
        assert "check how it was copied into token= or PRESSMARK_TOKEN" in said.stderr
        assert "pm_sec" not in said.output
    assert pressmark("log", PRESSMARK_TOKEN=f"{registry.token}\n").exit_code == 0


def test_rolled_back_twice(pressmark, registry):
    """A second rollback says that what the label held before was itself rolled back, and how to go there."""
    registry.publish(NAME, text="one", label="production")
    registry.publish(NAME, text="two", label="production")
    assert pressmark("rollback", NAME, "--label", "production", "--reason", "x").exit_code == 0
    said = pressmark("rollback", NAME, "--label", "production", "--reason", "x")
    assert said.exit_code == 1
    assert "held before (v2) was itself rolled back" in said.stderr
    assert "say --to v2 to go there all the same" in said.stderr
    assert pressmark("rollback", NAME, "--label", "production", "--reason", "x", "--to", "v2").exit_code == 0


def test_label_moved_meanwhile(pressmark, registry):
    """With --expected, a label that somebody moved is left alone, and the error tells who, when and why."""
    registry.publish(NAME, text="one", label="production")
    registry.publish(NAME, text="two")
    registry.publish(NAME, text="three")
    registry.move(NAME, to="v2", reason="a hotfix")
    moved = pressmark(
        "promote", NAME, "v3", "--label", "production", "--reason", "x", "--expected", "v1", "--json"
    )  # fmt: skip
    assert moved.exit_code == 1
    error = json.loads(moved.stdout)["error"]
    assert error["kind"] == "ConflictError"
    assert "points to v2, and you expected v1" in error["message"]
    assert "a hotfix" in error["message"]
    assert error["message"].endswith("run it again with `--expected v2`")
    assert pressmark(
        "rollback", NAME, "--label", "production", "--reason", "x", "--expected", "v1"
    ).exit_code == 1  # fmt: skip
    assert pressmark("get", NAME, "--json").stdout.count('"v2"') == 1


def test_gate_refuses_with_reasons(pressmark, registry):
    """A version that current callers cannot fill is refused with the gate's reason and next step."""
    registry.publish(NAME, text="{{ text }}", label="production")
    registry.publish(NAME, text="{{ text }} {{ tone }}")
    said = pressmark("promote", NAME, "v2", "--label", "production", "--reason", "x", "--json")
    assert said.exit_code == 1
    error = json.loads(said.stdout)["error"]
    assert error["kind"] == "GateError"
    assert "tone" in error["reasons"][0]["sentence"]
    assert f"! {error['reasons'][0]['sentence']}" in said.stderr


def test_registry_down_while_publishing(pressmark, registry, workspace):
    """With the registry gone, publishing ends with status 3, says that nothing changed, and nothing did."""
    with registry.away():
        said = pressmark("publish", NAME, "--workspace", workspace, "--reason", "x")
    assert said.exit_code == 3
    assert "nothing was changed" in said.stderr
    assert registry.store.log() == []
    assert len(pm.Workspace(workspace).sql("select * from publications")) == 0
    assert pressmark("publish", NAME, "--workspace", workspace, "--reason", "x").exit_code == 0


def test_reply_that_never_comes_is_an_unknown_outcome(pressmark, workspace):
    """Where the connection breaks after the request was sent, the error says that it may have been done."""
    with _hangs_up() as url:
        said = pressmark("publish", NAME, "--workspace", workspace, "--reason", "x", PRESSMARK_URL=url)
    assert said.exit_code == 3
    assert "it may have been done all the same: look at the log" in said.stderr


def test_address_of_another_server(pressmark, workspace):
    """An address where something else answers is told so, with status 3."""
    with _hangs_up(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello") as url:
        said = pressmark("log", PRESSMARK_URL=url)
    assert said.exit_code == 3
    assert "check the URL" in said.stderr


@contextlib.contextmanager
def _hangs_up(answer: bytes = b"") -> Iterator[str]:
    """A server that reads a request, sends these bytes and closes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(65536)
                        connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)


def test_locked_workspace(pressmark, workspace, monkeypatch):
    """A workspace that another process keeps open is told with that process, with status 1."""
    monkeypatch.setattr(places, "LOCK_SECONDS", 0.3)
    script = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(workspace)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        said = pressmark("publish", NAME, "--workspace", workspace, "--reason", "x")
    finally:
        holder.kill()
        holder.communicate()
    assert said.exit_code == 1
    assert f"process {holder.pid}" in said.stderr
    assert pressmark("publish", NAME, "--workspace", workspace, "--reason", "x").exit_code == 0


@pytest.mark.parametrize(("target", "status"), [("--file=full.toml", 2), ("--workspace=full.duckdb", 1)])
def test_full_disk(registry, tmp_path, target, status):
    """On a full disk a pull ends in a sentence and leaves no file that looks whole."""
    registry.publish(NAME, text="word " * 60_000, label="production")
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
    run = "from pressmark.cli import main; main(sys.argv[1:], prog_name='pressmark')"
    done = subprocess.run(
        [sys.executable, "-c", limited + run, "pull", f"{NAME}@production", target, f"--registry={registry.url}"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PRESSMARK_TOKEN": registry.token},
        cwd=tmp_path,
    )
    assert done.returncode == status, done.stderr
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "full.toml").exists()


def test_closed_pipe_is_no_error(registry, spawn):
    """A reader that has seen enough, such as `head`, makes no error."""
    registry.publish(NAME, text="x" * 900_000, label="production")
    process = spawn("get", NAME, "--registry", registry.url, env={"PRESSMARK_TOKEN": registry.token})
    assert process.stdout is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait(timeout=120) == 0

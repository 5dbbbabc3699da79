"""Bad input: one clear error each, with what to do next, and nothing changed half-way."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import pressmark as pm
from pressmark import errors
from pressmark.providers import practice
from pressmark.registry import serving
from tests.api.conftest import MESSAGES

MODEL = practice.PRACTICE_MODEL
ROWS = [{"text": "Where is my parcel?", "category": "delivery"}, {"text": "Refund me", "category": "refund"}]


def save(ws: pm.Workspace, **changes: Any) -> Any:
    """Save the usual prompt with something changed."""
    told: dict[str, Any] = {"messages": MESSAGES, "model": MODEL} | changes
    return ws.save(told.pop("name", "support/triage"), **told)


def message(content: str) -> list[dict[str, str]]:
    """One user message."""
    return [{"role": "user", "content": content}]


TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": {"id": {}}}}}
CALL = {"id": "1", "type": "function", "function": {"name": "find", "arguments": '{"place": 1}'}}


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"messages": message("{{ text }")}, errors.TemplateError, ("line 1, column 9",)),
        ({"messages": message("a\n{{ text | shout }}")}, errors.TemplateError, ("line 2", "column", "shout")),
        ({"variables": {"txt": "string"}}, errors.InvalidUnitError, ("'text'", "declare")),
        (
            {"tools": [TOOL], "messages": [*MESSAGES, {"role": "assistant", "tool_calls": [CALL]}]},
            errors.InvalidUnitError,
            ("'place'", "find"),
        ),
        ({"name": "Support Triage"}, errors.InvalidNameError, ("lower-case", "support-triage")),
        ({"model": ""}, errors.InvalidUnitError, ("model",)),
        ({"params": {"stream": True}}, errors.InvalidUnitError, ("stream",)),
        ({"messages": []}, errors.InvalidUnitError, ("message",)),
        ({"parent": "#7", "params": {"top_p": 1}}, errors.NotFoundError, ("#7",)),
    ],
)
def test_bad_prompt_is_refused(
    ws: pm.Workspace, changes: dict[str, Any], kind: type[errors.PressmarkError], words: tuple[str, ...]
) -> None:
    """A prompt that cannot work is refused when it is saved, in words, and no version is made."""
    save(ws)
    with pytest.raises(kind) as caught:
        save(ws, **changes)
    for word in words:
        assert word in str(caught.value)
    assert list(ws.prompts()["prompt"]) == ["support/triage"]
    assert len(ws.versions("support/triage")) == 1


def test_what_belongs_to_the_caller_never_reaches_the_file(ws: pm.Workspace, tmp_path: Path) -> None:
    """A key among the parameters is refused without being repeated, and is not in the file; a vendor's own are kept."""
    for params in (
        {"api_key": "sk-live-51Habc"},
        {"extra_headers": {"Authorization": "Bearer sk-live-51Habc"}},
        {"extra_body": {"provider_options": {"api_key": "sk-live-51Habc"}}},
    ):
        with pytest.raises(errors.InvalidUnitError, match=r"ws\.endpoint\(") as caught:
            save(ws, params=params)
        assert "sk-live" not in str(caught.value)
    assert save(ws, params={"extra_body": {"top_k": 20, "min_p": 0.1}}).unit.params["extra_body"]["top_k"] == 20
    assert b"sk-live" not in b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())


def test_save_without_what_it_needs(ws: pm.Workspace) -> None:
    """A prompt without a model, and a change message that is no text, are refused in words."""
    with pytest.raises(errors.InvalidUnitError, match="model must be a model's name, such as 'gpt-5-mini'; got None"):
        ws.save("support/triage", text="hi")
    for message in (None, 5, b"x"):
        with pytest.raises(errors.InvalidUnitError, match="the message of a version is text"):
            ws.save("support/triage", text="hi", model=MODEL, message=message)  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidUnitError, match="the author of a version is text"):
        pm.Workspace(ws.store.path, author=5).save("a", text="hi", model=MODEL)  # type: ignore[arg-type]
    assert ws.prompts().empty


def test_prompts_that_feed_each_other(ws: pm.Workspace) -> None:
    """Inputs that lead back to the prompt are refused when it is saved, with the circle; what breaks it is taken."""

    def fed(name: str, by: str | None) -> Any:
        inputs = {"x": f"{by}@production"} if by else {}
        return ws.save(name, text="{{ x }}", model=MODEL, inputs=inputs)

    with pytest.raises(errors.GraphCycleError, match="i1 → i1"):
        fed("i1", by="i1")
    assert ws.prompts().empty
    fed("i1", by="i2")
    fed("i2", by="i3")
    with pytest.raises(errors.GraphCycleError, match="i1 → i3 → i2 → i1") as caught:
        fed("i3", by="i1")
    assert caught.value.cycle == ("i1", "i3", "i2", "i1")
    fed("i1", by=None)
    assert fed("i3", by="i1").version == "#1"


@pytest.mark.parametrize(
    ("versions", "words"),
    [
        ("#1", r"which prompt's version is meant.*ws\.version\('support/triage', '#1'\)"),
        (["#1", "#2"], "which prompt's version is meant"),
        (["support/triage#1"], "which prompt's version is meant"),
        ([], "no version was given"),
        (None, "None is no version of a prompt"),
        ([3], "3 is no version of a prompt"),
    ],
)
def test_what_is_no_version_to_run(ws: pm.Workspace, practice_url: str, versions: Any, words: str) -> None:
    """What is given in the place of versions is told so, with what to pass; one version alone is run."""
    ws.endpoint("practice", base_url=practice_url)
    suite = ws.suite("basics", dataset=ROWS, scorers=[pm.scorers.Exact("category")])
    for call in (ws.evaluate, ws.plan):
        with pytest.raises(errors.PressmarkError, match=words):
            call(versions, suite)
    assert ws.runs().empty


def test_one_version_and_no_suite(ws: pm.Workspace, practice_url: str) -> None:
    """One version needs no list; a dataset in the place of a suite is told so; a suite is loaded by its name."""
    ws.endpoint("practice", base_url=practice_url)
    data = ws.dataset("inbox", ROWS)
    suite = ws.suite("basics", dataset=data, scorers=[pm.scorers.Exact("category")])
    version = save(ws)
    assert ws.evaluate(version, suite, progress=False).status == "done"
    assert ws.plan(version, "basics").calls == 0
    assert ws.load_suite("basics").digest == suite.digest
    for call in (ws.evaluate, ws.plan):
        for wrong in (data, [suite], None):
            with pytest.raises(errors.SuiteError, match=r"is no suite: make one of rows and scorers with ws\.suite\("):
                call([version], wrong)  # type: ignore[arg-type]


def test_values_that_do_not_fit(ws: pm.Workspace) -> None:
    """Missing, unknown and mistyped variables are each told by name."""
    version = save(ws, variables={"text": "string"})
    with pytest.raises(errors.MissingVariablesError, match="text=…"):
        version.request()
    with pytest.raises(errors.UnknownVariablesError, match=r"'txt'.*takes text"):
        version.request(text="a", txt="b")
    with pytest.raises(errors.VariableTypeError, match="declared as string, got int 3"):
        version.request(text=3)


@pytest.mark.parametrize(
    ("content", "words"),
    [([], "empty"), (pd.DataFrame(), "empty"), ("nowhere.csv", "nowhere.csv"), (42, "DataFrame")],
)
def test_dataset_without_rows(ws: pm.Workspace, content: Any, words: str) -> None:
    """A dataset that holds nothing, or is nowhere, is refused, and nothing is kept under its name."""
    with pytest.raises(errors.DatasetError, match=words):
        ws.dataset("inbox", content)
    with pytest.raises(errors.DatasetNotFoundError):
        ws.dataset("inbox")


def test_binary_file_as_dataset(ws: pm.Workspace, tmp_path: Path) -> None:
    """A file that is no table is told by its name."""
    file = tmp_path / "picture.csv"
    file.write_bytes(bytes(range(256)) * 8)
    with pytest.raises(errors.DatasetError, match=r"picture\.csv"):
        ws.dataset("inbox", file)


def test_suite_that_does_not_fit(ws: pm.Workspace) -> None:
    """A scorer's missing column and a name taken twice are refused when the suite is made."""
    data = ws.dataset("inbox", ROWS)
    with pytest.raises(errors.SuiteError, match=r"'label'.*it has text, category"):
        ws.suite("basics", dataset=data, scorers=[pm.scorers.Exact("label")])
    with pytest.raises(errors.SuiteError, match="two scorers called 'category'"):
        ws.suite("basics", dataset=data, scorers=[pm.scorers.Exact("category"), pm.scorers.Exact("category")])
    with pytest.raises(errors.SuiteNotFoundError):
        ws.suite("basics")


def test_column_missing_for_a_variable(ws: pm.Workspace) -> None:
    """A run whose dataset lacks a variable's column does not begin."""
    version = save(ws, messages=message("{{ text }} {{ tone }}"))
    suite = ws.suite("basics", dataset=ROWS, scorers=[pm.scorers.Exact("category")])
    with pytest.raises(errors.DatasetError, match=r"'tone'.*it has text, category"):
        ws.evaluate([version], suite, progress=False)
    assert ws.runs().empty


def test_nothing_listens_at_the_endpoint(ws: pm.Workspace) -> None:
    """A wrong address ends the run at once, and says which address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    ws.endpoint("nowhere", base_url=url)
    suite = ws.suite("basics", dataset=ROWS, scorers=[pm.scorers.Exact("category")])
    with pytest.raises(errors.EndpointConnectionError, match=url):
        ws.evaluate([save(ws)], suite, endpoint="nowhere", progress=False)
    assert list(ws.runs()["status"]) == ["failed"]


def test_key_that_is_not_set(ws: pm.Workspace, practice_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint whose key's variable is empty is refused by the variable's name, before anything is asked."""
    monkeypatch.delenv("MY_KEY", raising=False)
    ws.endpoint("paid", base_url=practice_url, key_env="MY_KEY")
    suite = ws.suite("basics", dataset=ROWS, scorers=[pm.scorers.Exact("category")])
    with pytest.raises(errors.EndpointAuthError, match="MY_KEY"):
        ws.evaluate([save(ws)], suite, endpoint="paid", progress=False)


def test_a_key_in_place_of_its_name(ws: pm.Workspace, practice_url: str, tmp_path: Path) -> None:
    """A key given where its variable's name belongs is refused without being repeated or stored."""
    key = "sk-live-51Habcdef0123456789"
    with pytest.raises(errors.EndpointError) as caught:
        ws.endpoint("paid", base_url=practice_url, key_env=key)
    assert key not in str(caught.value)
    assert key.encode() not in (tmp_path / "prompts.duckdb").read_bytes()


def test_unknown_endpoint_and_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an endpoint the error says how to make one, and names the practice model."""
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    ws = pm.Workspace(tmp_path / "bare.duckdb")
    suite = ws.suite("basics", dataset=ROWS, scorers=[pm.scorers.Exact("category")])
    with pytest.raises(errors.EndpointNotFoundError, match="practice-model"):
        ws.evaluate([save(ws)], suite)
    with pytest.raises(errors.EndpointNotFoundError, match="'missing'"):
        ws.evaluate([save(ws)], suite, endpoint="missing")


def test_registry_down_while_publishing(ws: pm.Workspace, tmp_path: Path) -> None:
    """A registry that went away is told with its address, and the workspace remembers no publication."""
    with serving.running(tmp_path / "registry.db") as running:
        registry = pm.Registry(running.url, token=running.token)
    with pytest.raises(errors.RegistryUnavailableError, match=running.url):
        registry.publish(save(ws), reason="now", workspace=ws)
    assert ws.store.publications().empty
    with serving.running(tmp_path / "registry.db") as running:
        assert running.store.prompts() == []


def test_label_moved_meanwhile(ws: pm.Workspace, registry: pm.Registry) -> None:
    """Who expects what no longer holds learns who moved the label, when and why, and moves nothing."""
    first = registry.publish(save(ws), reason="first")
    second = registry.publish(save(ws, params={"temperature": 1}), reason="second")
    registry.move("support/triage", label="production", to=first, reason="go live", expected=None)
    registry.move("support/triage", label="production", to=second, reason="warmer", expected="v1")
    with pytest.raises(errors.ConflictError, match=r"points to v2.*warmer.*[Rr]eload"):
        registry.move("support/triage", label="production", to=first, reason="no", expected="v1")
    with pytest.raises(errors.ConflictError):
        registry.rollback("support/triage", label="production", reason="no", expected="v1")
    assert registry.version("support/triage", "production").version == "v2"
    assert len(registry.log()) == 4


def test_move_without_reason_or_to_latest(ws: pm.Workspace, registry: pm.Registry) -> None:
    """A move needs a reason, and `latest` moves by itself."""
    published = registry.publish(save(ws), reason="first")
    with pytest.raises(errors.PressmarkError, match="reason"):
        registry.move("support/triage", label="production", to=published, reason=" ")
    with pytest.raises(errors.InvalidNameError, match="latest"):
        registry.move("support/triage", label="latest", to=published, reason="why not")
    assert [pointer.label for pointer in registry.labels("support/triage")] == ["latest"]


def test_callers_that_could_not_fill_it(ws: pm.Workspace, registry: pm.Registry) -> None:
    """A version that asks for a variable which today's callers do not pass is refused, with the next step."""
    registry.publish(save(ws), reason="first")
    registry.move("support/triage", label="production", to="v1", reason="go live")
    asks = [*MESSAGES, {"role": "user", "content": "Answer in {{ language }}."}]
    wider = registry.publish(save(ws, messages=asks), reason="asks for more")
    with pytest.raises(errors.GateError, match="'language'") as caught:
        registry.move("support/triage", label="production", to=wider, reason="more")
    [reason] = caught.value.decision.unmet  # type: ignore[attr-defined]
    assert reason.code == "callers_cannot_fill"
    assert "default" in reason.next_step
    assert registry.version("support/triage", "production").version == "v1"


def test_wrong_token(served: serving.Running) -> None:
    """A token that the registry does not know is refused as one."""
    with pytest.raises(errors.AuthenticationError):
        pm.Registry(served.url, token="pm_wrong").prompts()


def test_file_that_is_no_workspace(tmp_path: Path) -> None:
    """Something else at the path is refused, and left as it is."""
    file = tmp_path / "notes.txt"
    file.write_text("these are notes")
    with pytest.raises(errors.WorkspaceFormatError, match=r"notes\.txt"):
        pm.Workspace(file)
    assert file.read_text() == "these are notes"


def test_file_locked_by_another_program(tmp_path: Path) -> None:
    """A file that another program keeps open is told after the deadline, with what to do."""
    from pressmark.workspace import Store

    file = tmp_path / "prompts.duckdb"
    pm.Workspace(file)
    holding = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    child = subprocess.Popen(
        [sys.executable, "-c", holding, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline().strip() == "held"
        with pytest.raises(errors.WorkspaceLockedError, match=rf"{child.pid}|close"):
            Store(file, deadline=0.5)
    finally:
        child.communicate()
    assert Store(file).prompts().empty


def test_disk_full(tmp_path: Path) -> None:
    """A disk that is full costs no version that was saved, and is told as what it is."""
    file = tmp_path / "prompts.duckdb"
    script = (
        "import resource, signal, sys, pressmark as pm\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "ws = pm.Workspace(sys.argv[1])\n"
        "ws.save('a', text='first {{ x }}', model='m')\n"
        "size = __import__('os').path.getsize(sys.argv[1])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))\n"
        "try:\n"
        "    for number in range(200):\n"
        "        ws.dataset(f'd{number}', [{'x': str(number) * 1000 + str(row)} for row in range(200)])\n"
        "except pm.errors.WorkspaceFullError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(file)], capture_output=True, text=True, timeout=120, check=False
    )
    assert "room" in done.stdout or "full" in done.stdout, done.stderr[-2000:]
    assert pm.Workspace(file).version("a").render(x=1) == "first 1"

"""`pressmark eval`: what CI asks before a prompt is merged."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

import pressmark as pm
from pressmark.interop import files
from pressmark.prompts.evidence import Evidence
from pressmark.testing import RecordedEndpoint

NAME = "c/top"
ROWS = [{"text": f"order {number}", "number": str(number)} for number in range(120)]


def answer(request):
    verb, _, rest = str(request["messages"][-1]["content"]).partition(": ")
    number = re.search(r"\d+", rest)[0]
    return {"number": number, "verbose": f"It is {number}.", "nearly": "0" if number == "7" else number}[verb]


@pytest.fixture
def endpoint() -> Iterator[RecordedEndpoint]:
    with RecordedEndpoint(answer, model="m") as serving:
        yield serving


@pytest.fixture
def released(registry, tmp_path: Path) -> Path:
    """A registry that holds a prompt in production, one that takes its output, and a suite of each."""
    ws = pm.Workspace(tmp_path / "made.duckdb", author="ana")
    online = pm.Registry(registry.url, token=registry.token)
    for name, text, inputs in (
        (NAME, "number: {{ text }}", None),
        ("c/next", "number: {{ got }}", {"got": f"{NAME}@production"}),
    ):
        published = online.publish(ws.save(name, text=text, model="m", inputs=inputs), reason="first")
        online.move(name, label="production", to=published, reason="first")
        suite = ws.suite(f"s/{name[2:]}", dataset=ROWS, scorers=[pm.scorers.Exact("number")], prompt=name)
        online.publish_suite(suite)
    return tmp_path


def candidate(folder: Path, text: str) -> Path:
    ws = pm.Workspace(folder / "draft.duckdb")
    version = ws.save(NAME, text=text, model="m")
    path = folder / "top.toml"
    files.write(path, files.PromptFile(NAME, version.unit))
    return path


def test_a_change_that_regresses_is_refused(pressmark, registry, released, endpoint, tmp_path):
    """The prompt and its reader downstream are run; the refusal names what regresses, and files tell the same."""
    path = candidate(tmp_path, "verbose: {{ text }}")
    said = pressmark(
        *("eval", "--suite", "s/top", "--candidate", path, "--endpoint", endpoint.base_url, "--concurrency", 16),
        *("--junit", "out.xml", "--markdown", "out.md", "--evidence", "out.json"),
    )
    assert said.exit_code == 1, said.output
    assert "c/top gets worse by s/top" in said.stdout
    assert "? c/next, s/next" in said.stdout
    assert "✗ c/top regresses" in said.stdout
    assert said.stdout.endswith("Refused.\n")
    root = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert int(root[0].get("failures")) == len(root.findall(".//failure")) >= 1
    assert "must_not_regress" in [
        case.get("name") for case in root.iter("testcase") if case.find("failure") is not None
    ]
    markdown = (tmp_path / "out.md").read_text()
    assert markdown.startswith("### Prompt check refused")
    assert "| c/top | s/top | worse |" in markdown
    made = Evidence.from_dict(json.loads((tmp_path / "out.json").read_text()))
    assert {trial.prompt for trial in made.trials} == {NAME, "c/next"}


def test_a_change_that_keeps_its_level_passes(pressmark, released, endpoint, tmp_path):
    """The same answers in other words pass; nothing is asked twice, and JSON says it all."""
    path = candidate(tmp_path, "number: {{ text }} please")
    said = pressmark(
        "eval",
        "--suite",
        "s/top",
        "--candidate",
        path,
        "--endpoint",
        endpoint.base_url,
        "--max-regression",
        0.05,
        "--json",
    )
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout)
    assert told["passed"] is True
    assert [part["prompt"] for part in told["parts"]] == [NAME, "c/next"]


def test_too_few_rows_do_not_pass(pressmark, released, endpoint, tmp_path):
    """Where the rows cannot rule the loss out, the command says how many would."""
    path = candidate(tmp_path, "nearly: {{ text }}")
    said = pressmark("eval", "--suite", "s/top", "--candidate", path, "--endpoint", endpoint.base_url)
    assert said.exit_code == 1
    assert re.search(r"Too few rows to tell.*run it on about [\d,]+ rows", said.stdout)


def test_a_workspace_alone(pressmark, endpoint, tmp_path):
    """Without a registry the workspace's newest versions are the baseline."""
    ws = pm.Workspace(tmp_path / "w.duckdb")
    ws.endpoint("local", base_url=endpoint.base_url)
    ws.save(NAME, text="number: {{ text }}", model="m")
    ws.suite("s/top", dataset=ROWS, scorers=[pm.scorers.Exact("number")], prompt=NAME)
    ws.save(NAME, text="verbose: {{ text }}", model="m")
    common = ("eval", "--suite", "s/top", "--workspace", tmp_path / "w.duckdb", "--endpoint", "local", "--prompt", NAME)
    assert pressmark(*common, "--candidate", "#2", PRESSMARK_URL=None).exit_code == 1
    asked = endpoint.stats["calls"]
    assert pressmark(*common, "--candidate", "#2", PRESSMARK_URL=None).exit_code == 1
    assert endpoint.stats["calls"] == asked


def test_evidence_of_a_published_version_goes_to_the_registry(pressmark, registry, released, endpoint, tmp_path):
    """A candidate that is published can be named by its version, and its evidence submitted."""
    path = candidate(tmp_path, "number: {{ text }}.")
    assert pressmark("publish", path, "--reason", "a candidate").exit_code == 0
    said = pressmark(
        *("eval", "--suite", "s/top", "--candidate", "v2", "--prompt", NAME, "--endpoint", endpoint.base_url),
        *("--max-regression", 0.05, "--submit"),
    )
    assert said.exit_code == 0, said.output
    held = registry.store.evidence(NAME, label="production")
    assert [evidence.candidate for evidence in held] == [registry.store.version(NAME, "v2").digest]


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (("--suite", "s/top", "--candidate", "v1"), 2, "Which prompt's version is 'v1'?"),
        (("--suite", "s/none", "--candidate", "top.toml"), 2, "s/none"),
        (("--suite", "s/top", "--candidate", "missing.toml"), 2, "missing.toml"),
        (("--suite", "s/top", "--candidate", "top.toml", "--max-regression", "-1"), 2, "0 or more"),
        (("--suite", "s/top", "--candidate", "top.toml", "--endpoint", "http://127.0.0.1:9/v1"), 3, "127.0.0.1:9"),
        (("--candidate", "top.toml"), 2, "--suite"),
    ],
)
def test_wrong_use(pressmark, released, endpoint, tmp_path, arguments, status, sentence):
    """What cannot be evaluated is told in a sentence, with the right status."""
    candidate(tmp_path, "number: {{ text }}!")
    more = () if "--endpoint" in arguments else ("--endpoint", endpoint.base_url)
    said = pressmark("eval", *arguments, *more)
    assert said.exit_code == status, said.output
    assert sentence in said.output
    assert "Traceback" not in said.output


def test_submit_needs_a_registry(pressmark, tmp_path):
    """Evidence goes to a registry or nowhere."""
    said = pressmark("eval", "--suite", "s", "--candidate", "x.toml", "--submit", PRESSMARK_URL=None)
    assert said.exit_code == 2
    assert "--submit needs the registry" in said.output

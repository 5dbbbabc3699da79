"""A change at the top of a chain, tried on everything that it reaches."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pressmark as pm
from pressmark.errors import DatasetError, GateError, GraphCycleError, SuiteNotFoundError, VersionNotFoundError
from pressmark.evals.chain import Chain, resolve
from pressmark.prompts.evidence import Evidence
from pressmark.testing import RecordedEndpoint

ROWS = [{"text": f"order {number}", "number": str(number), "tag": f"<{number}>"} for number in range(40)]


def answer(request: dict[str, Any]) -> str:
    """Do what the last message says, as a model would that follows instructions to the letter."""
    said = str(request["messages"][-1]["content"])
    verb, _, rest = said.partition(": ")
    number = re.search(r"\d+", rest)
    return {
        "number": number[0] if number else "none",
        "verbose": f"The number is {number[0]}." if number else "none",
        "tag": f"<{rest}>",
        "echo": rest,
        "shout": rest.upper(),
    }[verb]


@pytest.fixture
def endpoint() -> Iterator[RecordedEndpoint]:
    with RecordedEndpoint(answer, model="m") as serving:
        yield serving


@pytest.fixture
def ws(tmp_path: Path, endpoint: RecordedEndpoint) -> pm.Workspace:
    space = pm.Workspace(tmp_path / "chain.duckdb", author="ana")
    space.endpoint("local", base_url=endpoint.base_url)
    return space


def save(ws: pm.Workspace, name: str, text: str, **inputs: str) -> Any:
    return ws.save(name, text=text, model="m", inputs=inputs or None)


def chain_of_five(ws: pm.Workspace) -> Any:
    """top → second → third → fourth, and top → fifth; each with a suite; the changed top is returned.

    The change makes the top answer in a sentence: its own suite, which wants the number somewhere, likes that no less
    and the style scorer more; the third, which puts the answer into a tag, is broken by it.
    """
    save(ws, "c/top", "number: {{ text }}")
    save(ws, "c/second", "echo: {{ got }}", got="c/top@production")
    save(ws, "c/third", "tag: {{ got }}", got="c/second@production")
    save(ws, "c/fourth", "echo: fixed {{ got | length > 0 }}", got="c/third@production")
    save(ws, "c/fifth", "number: {{ got }}", got="c/top@production")
    save(ws, "c/apart", "echo: {{ text }}")
    polite = pm.scorers.Function("sentence", lambda output, row: float(output.endswith(".")), version="1")
    ws.suite("s/top", dataset=ROWS, scorers=[polite, pm.scorers.Contains("number")], prompt="c/top")
    ws.suite("s/second", dataset=ROWS, scorers=[pm.scorers.Contains("number")], prompt="c/second")
    ws.suite("s/third", dataset=ROWS, scorers=[pm.scorers.Exact("tag")], prompt="c/third")
    ws.suite("s/fourth", dataset=ROWS, scorers=[pm.scorers.Contains(text="fixed True")], prompt="c/fourth")
    ws.suite("s/fifth", dataset=ROWS, scorers=[pm.scorers.Exact("number")], prompt="c/fifth")
    ws.suite("s/apart", dataset=ROWS, scorers=[pm.scorers.Exact("text")], prompt="c/apart")
    return save(ws, "c/top", "verbose: {{ text }}")


def test_the_third_is_named(ws: pm.Workspace, endpoint: RecordedEndpoint) -> None:
    """A change that helps its own suite and harms the third prompt of a chain: the report names the third."""
    changed = chain_of_five(ws)
    assert ws.affected(changed) == ("c/fifth", "c/second", "c/third", "c/fourth")
    found = ws.evaluate_change(changed, progress=False)
    outcomes = {part.prompt: part.outcome for part in found.parts}
    assert outcomes == {
        "c/top": "better",
        "c/fifth": "cannot tell",
        "c/second": "cannot tell",
        "c/third": "worse",
        "c/fourth": "cannot tell",
    }
    assert found.verdict == "worse"
    assert found.sentence.startswith("c/third gets worse by s/third")
    assert "c/apart" not in str(found)
    page = found._repr_html_()
    assert "c/third: worse" in page
    assert "<svg" in page
    # What is left where a notebook is not trusted, and tags are taken out of it.
    drawn = re.sub("<[^>]+>", "", page[page.index("<svg") : page.index("</svg>")])
    assert "c/second ? cannot tell; " in drawn
    assert "c/third ▼ worse; " in drawn
    # Nothing of what the change does not reach was asked.
    assert not any("echo: order" in str(request["messages"]) for request in endpoint.requests)


def test_the_gate_refuses_what_harms_the_third(ws: pm.Workspace, tmp_path: Path) -> None:
    """With the evidence of that change at hand, a label that demands it stays, and the refusal names the third."""
    changed = chain_of_five(ws)
    with pm.Registry(f"sqlite:///{tmp_path / 'r.db'}") as registry:
        for name in ("c/top", "c/second", "c/third", "c/fourth", "c/fifth"):
            first = registry.publish(ws.version(name, "#1"), reason="first")
            registry.move(name, label="production", to=first, reason="first")
        registry.set_policy("production", "team", reason="a team works here")
        published = registry.publish(changed, reason="says it in a sentence")
        registry.submit_evidence(ws.evaluate_change(changed, registry=registry, progress=False))
        with pytest.raises(GateError) as refused:
            registry.move("c/top", label="production", to=published, reason="try", expected="v1")
        told = str(refused.value)
        assert re.findall(r"(\S+) regresses", told) == ["c/third"]
        # Of the others 40 rows are too few to rule out so small a loss, which does not pass either.
        assert told.count("Too few rows to tell") == 3
        assert registry.label("c/top", "production").version == "v1"


def test_each_prompt_costs_once_a_row(ws: pm.Workspace, endpoint: RecordedEndpoint) -> None:
    """What several suites need of a chain is asked once; evaluated again, nothing is asked."""
    changed = chain_of_five(ws)
    ws.evaluate_change(changed, progress=False)
    asked = [json.dumps(request["messages"]) for request in endpoint.requests]
    assert len(asked) == len(set(asked))
    # Both tops are asked 40 times each, and whatever differs downstream of them.
    assert sum("number: order" in each for each in asked) == 40
    assert sum("verbose: order" in each for each in asked) == 40
    again = ws.evaluate_change(changed, progress=False)
    assert endpoint.stats["calls"] == len(asked)
    assert again.verdict == "worse"


def test_evidence_says_it_all(ws: pm.Workspace, tmp_path: Path) -> None:
    """The evidence names versions, lock, suites, endpoint and models, holds row scores, and goes through a file."""
    changed = chain_of_five(ws)
    found = ws.evaluate_change(changed, progress=False)
    made = found.evidence
    baseline = ws.version("c/top", "#1")
    assert (made.name, made.label, made.candidate, made.baseline) == (
        "c/top",
        "production",
        changed.digest,
        baseline.digest,
    )
    assert made.lock == {
        "c/top@production": baseline.digest,
        "c/second@production": ws.version("c/second").digest,
        "c/third@production": ws.version("c/third").digest,
    }
    assert [trial.prompt for trial in made.trials] == ["c/top", "c/fifth", "c/second", "c/third", "c/fourth"]
    third = made.trials[3]
    assert third.by().baseline == (1.0,) * 40
    assert third.by().candidate == (0.0,) * 40
    assert (third.planned, third.method, sorted(third.rows)) == (40, "fixed", list(range(40)))
    assert third.models == ("m",)
    assert third.flipped[0]["baseline"] == "<0>"
    assert third.flipped[0]["candidate"] == "<The number is 0.>"
    assert not made.practice
    assert made.unevaluated == ()
    path = found.to_file(tmp_path / "evidence.json")
    assert Evidence.from_dict(json.loads(path.read_text())) == made


def test_a_prompt_without_a_suite_is_not_evaluated(ws: pm.Workspace) -> None:
    """Downstream of the change, a missing suite is told and stands in the evidence; the prompt's own is demanded."""
    save(ws, "c/top", "number: {{ text }}")
    save(ws, "c/next", "echo: {{ got }}", got="c/top@production")
    changed = save(ws, "c/top", "verbose: {{ text }}")
    with pytest.raises(SuiteNotFoundError, match="c/top has no suite"):
        ws.evaluate_change(changed, progress=False)
    suite = ws.suite("s/top", dataset=ROWS, scorers=[pm.scorers.Contains("number")], prompt="c/top")
    found = ws.evaluate_change(changed, progress=False)
    assert found.verdict == "not evaluated"
    assert found.evidence.unevaluated == ("c/next",)
    assert "make one with prompt='c/next'" in str(found)
    by_hand = ws.evaluate_change(changed, suites={"c/top": [suite], "c/next": ["s/top"]}, progress=False)
    assert by_hand.evidence.unevaluated == ()


def test_a_first_version_has_nothing_to_be_compared_with(ws: pm.Workspace) -> None:
    """A new prompt's evidence has its own scores and no baseline."""
    first = save(ws, "c/top", "number: {{ text }}")
    ws.suite("s/top", dataset=ROWS, scorers=[pm.scorers.Exact("number")], prompt="c/top")
    found = ws.evaluate_change(first, progress=False)
    assert found.verdict == "new"
    assert found.evidence.baseline is None
    assert found.evidence.trials[0].by().baseline == (None,) * 40
    assert found.evidence.trials[0].by().candidate == (1.0,) * 40


def test_the_registry_says_what_stands(ws: pm.Workspace, tmp_path: Path) -> None:
    """With a registry, chains stand at its labels, whatever the workspace's newest versions are."""
    changed = chain_of_five(ws)
    registry = pm.Registry(f"sqlite:///{tmp_path / 'r.db'}")
    with registry:
        for name in ("c/top", "c/second", "c/third", "c/fourth", "c/fifth"):
            published = registry.publish(ws.version(name, "#1"), reason="first")
            registry.move(name, label="production", to=published, reason="first")
        save(ws, "c/third", "shout: {{ got }}", got="c/second@production")
        found = ws.evaluate_change(changed, registry=registry, progress=False)
        assert next(part for part in found.parts if part.prompt == "c/third").outcome == "worse"
        assert found.evidence.lock["c/third@production"] == registry.version("c/third", "production").digest
        with pytest.raises(VersionNotFoundError, match="no change to evaluate"):
            ws.evaluate_change(ws.version("c/top", "#1"), registry=registry, progress=False)


def test_an_upstream_error_is_told_in_the_rows_below(ws: pm.Workspace, endpoint: RecordedEndpoint) -> None:
    """A row whose upstream prompt gave no answer is an error row that names it; the others are scored."""
    save(ws, "c/top", "number: {{ text }}")
    last = save(ws, "c/next", "echo: {{ got }}", got="c/top@production")
    suite = ws.suite("s/next", dataset=ROWS, scorers=[pm.scorers.Exact("number")])
    endpoint.fail(400, times=3)
    run = ws.evaluate([last], suite, concurrency=1, progress=False)
    assert len(run.errors) == 3
    assert run.errors["error"].str.contains("c/top #1, whose answer fills 'got', gave none").all()
    assert ", 3 of " in repr(run)
    assert "answers failed, such as: " in run._repr_html_()
    assert run.results["exact" if "exact" in run.results else "number"].dropna().eq(1.0).all()
    resumed = run.resume(progress=False)
    assert len(resumed.errors) == 0
    assert endpoint.stats["calls"] == 3 + 40 + 40


def test_plans_count_upstream(ws: pm.Workspace) -> None:
    """A plan of a chain counts the calls of every prompt in it, and afterwards knows them all."""
    save(ws, "c/top", "number: {{ text }}")
    last = save(ws, "c/next", "echo: {{ got }}", got="c/top@production")
    suite = ws.suite("s/next", dataset=ROWS, scorers=[pm.scorers.Exact("number")])
    assert ws.plan([last], suite).calls == 80
    ws.evaluate([last], suite, progress=False)
    told = ws.plan([last], suite)
    assert (told.calls, told.cached) == (0, 80)


def test_missing_columns_are_told_before_anything_is_asked(ws: pm.Workspace, endpoint: RecordedEndpoint) -> None:
    """A column that a prompt upstream needs is missed before the first call."""
    save(ws, "c/top", "number: {{ letter }}")
    last = save(ws, "c/next", "echo: {{ got }}", got="c/top@production")
    suite = ws.suite("s/next", dataset=ROWS, scorers=[pm.scorers.Exact("number")])
    with pytest.raises(DatasetError, match="c/top #1 needs 'letter'"):
        ws.evaluate([last], suite, progress=False)
    assert endpoint.stats["calls"] == 0


def test_chains_have_digests_of_their_own(ws: pm.Workspace) -> None:
    """Alone a version's chain has its digest; fed by others, one that changes with any of them."""
    top, other = save(ws, "c/top", "number: {{ text }}"), save(ws, "c/top", "verbose: {{ text }}")
    last = save(ws, "c/next", "echo: {{ got }}", got="c/top@production")
    assert resolve(top, lambda name, label: top) == Chain.of(top)
    assert Chain.of(top).digest == top.digest
    one, two = (resolve(last, lambda name, label, up=up: up) for up in (top, other))
    assert len({one.digest, two.digest, last.digest}) == 3
    assert one.lock == {"c/top@production": top.digest}
    assert [member.version for member in one.members] == [top, last]


def test_circles_are_named(ws: pm.Workspace) -> None:
    """A circle of references ends in an error that names it."""
    versions = {
        "c/a": save(ws, "c/x", "{{ got }}", got="c/b@production"),
        "c/b": save(ws, "c/y", "{{ got }}", got="c/a@production"),
    }
    with pytest.raises(GraphCycleError, match="c/a@production → c/b@production → c/a@production"):
        resolve(versions["c/b"], lambda name, label: versions[name])


def test_wide_diamonds_resolve_at_once(ws: pm.Workspace) -> None:
    """Thirty layers of diamonds have a billion paths and sixty versions."""
    layers = {"p0": save(ws, "p0", "number: {{ text }}")}
    for number in range(1, 31):
        layers[f"p{number}"] = save(
            ws, f"p{number}", "echo: {{ a }} {{ b }}", a=f"p{number - 1}@production", b=f"p{number - 1}@production"
        )
    chain = resolve(layers["p30"], lambda name, label: layers[name])
    assert len(chain.members) == 31
    assert len(chain.lock) == 30


def test_the_baseline_may_be_said(ws: pm.Workspace, tmp_path: Path) -> None:
    """A third try is compared with the second, or with the version that is named; the result says with which."""
    save(ws, "c/top", "number: {{ text }}")
    save(ws, "c/next", "echo: {{ got }}", got="c/top@production")
    for name in ("c/top", "c/next"):
        ws.suite(f"s{name[1:]}", dataset=ROWS, scorers=[pm.scorers.Exact("number")], prompt=name)
    save(ws, "c/top", "verbose: {{ text }}")
    third = save(ws, "c/top", "shout: {{ text }}")
    newest = ws.evaluate_change(third, progress=False)
    assert repr(newest) == "<ChangeEvaluation c/top #3 for production, against #2: cannot tell>"
    assert str(newest).startswith("c/top #3 for production, against #2: ")
    for baseline in ("#1", ws.version("c/top", "#1")):
        found = ws.evaluate_change(third, baseline=baseline, progress=False)
        assert repr(found) == "<ChangeEvaluation c/top #3 for production, against #1: worse>"
        assert "against #1" in found._repr_html_()
        assert found.evidence.baseline == found.evidence.lock["c/top@production"] == ws.version("c/top", "#1").digest
        assert [part.outcome for part in found.parts] == ["worse", "worse"]
    first = save(ws, "c/new", "number: {{ text }}")
    ws.suite("s/new", dataset=ROWS, scorers=[pm.scorers.Exact("number")], prompt="c/new")
    assert "where nothing stands yet" in repr(ws.evaluate_change(first, progress=False))


def test_what_is_no_baseline(ws: pm.Workspace, tmp_path: Path) -> None:
    """Another prompt's version, the same words, or a label's version beside one: each is told with what to do."""
    changed = chain_of_five(ws)
    with pytest.raises(VersionNotFoundError, match="baseline= is a version of c/top, such as '#1', not "):
        ws.evaluate_change(changed, baseline=ws.version("c/apart"), progress=False)
    with pytest.raises(VersionNotFoundError, match="#2 of c/top says what its baseline #2 says"):
        ws.evaluate_change(changed, baseline="#2", progress=False)
    with pytest.raises(VersionNotFoundError, match="c/top"):
        ws.evaluate_change(changed, baseline="#9", progress=False)
    with (
        pm.Registry(f"sqlite:///{tmp_path / 'r.db'}") as registry,
        pytest.raises(VersionNotFoundError, match="production of c/top says what stands today: leave baseline= out"),
    ):
        ws.evaluate_change(changed, registry=registry, baseline="#1", progress=False)
    assert ws.runs().empty

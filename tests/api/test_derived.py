"""Another model or other parameters in a run, without a version for each: derived versions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import pressmark as pm
from pressmark import errors
from tests.providers.scripted import Reply, Request, Server, completion


def reply(request: Request) -> Reply:
    """Answer longer the higher the temperature."""
    return Reply(completion("x" * (1 + round(10 * request.body.get("temperature", 0)))))


@pytest.fixture
def server() -> Iterator[Server]:
    """The endpoint."""
    serving = Server(reply)
    yield serving
    serving.close()


def test_a_derived_version_is_run_and_kept(tmp_path: Path, server: Server, registry: pm.Registry) -> None:
    """It has a digest of its own, is compared like any other, is found again by a resume, and is saved when kept."""
    ws = pm.Workspace(tmp_path / "derived.duckdb")
    ws.endpoint("local", base_url=server.base_url)
    v1 = ws.save("p", text="{{ word }}", model="m", params={"top_p": 1})
    rows = [{"word": word} for word in ("a", "b", "c")]
    suite = ws.suite("s", dataset=ws.dataset("d", rows), scorers=[pm.scorers.Length()])
    warm, hot = ws.derive(v1, params={"temperature": 0.5}), ws.derive(v1, params={"temperature": 1, "top_p": None})
    assert len({v1.digest, warm.digest, hot.digest}) == 3
    assert warm.version == f"#1*{warm.digest[7:11]}"
    run = ws.evaluate([v1, warm, hot], suite, budget=pm.Budget(calls=4), progress=False)
    assert run.versions == ("#1", warm.version, hot.version)
    run = ws.run(run.id).resume(progress=False)
    assert (run.status, len(server.requests)) == ("done", 9)
    assert run.results.groupby("version")["length"].mean().to_dict() == {"#1": 1, warm.version: 6, hot.version: 11}
    assert run.compare(v1, hot).difference == 10
    assert len(ws.versions("p")) == 1

    kept = ws.keep(warm)
    assert (kept.version, kept.digest, kept.parent, kept.message) == ("#2", warm.digest, 1, "#1 with temperature 0.5")
    assert ws.keep(kept) == kept
    assert run.name_of(kept) == warm.version
    published = registry.publish(hot, reason="hotter", workspace=ws)
    assert published.digest == hot.digest
    assert ws.version("p").digest == hot.digest


def test_bad_overrides(tmp_path: Path) -> None:
    """What no unit may say is refused as it is when saving."""
    ws = pm.Workspace(tmp_path / "derived.duckdb")
    v1 = ws.save("p", text="{{ word }}", model="m")
    with pytest.raises(errors.InvalidUnitError, match="stream"):
        ws.derive(v1, params={"stream": True})
    assert ws.derive(v1, model="other").unit.model == "other"

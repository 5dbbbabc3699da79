"""Pictures in the request, tool calls in the answer, streams and seeds, through run, grid and scorers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pressmark as pm
from tests.providers.scripted import Reply, Request, Server, completion

PIXEL = "data:image/png;base64,iVBORw0KGgo="
TOOL = {"type": "function", "function": {"name": "sort", "parameters": {"type": "object", "properties": {"into": {}}}}}


def reply(request: Request) -> Reply:
    """Call the tool with what stands in the row; say which model answered."""
    parts = request.body["messages"][-1]["content"]
    word = parts[0]["text"].split()[-1]
    call = {
        "id": "c",
        "type": "function",
        "function": {"name": "sort", "arguments": json.dumps({"into": word})},
    }
    return Reply(completion({"role": "assistant", "content": None, "tool_calls": [call]}))


@pytest.fixture
def server() -> Iterator[Server]:
    """The endpoint."""
    serving = Server(reply)
    yield serving
    serving.close()


def test_pictures_and_tool_calls(tmp_path: Path, server: Server) -> None:
    """A picture from a row's column goes out; tool calls come back as JSON, are scored, shown and compared."""
    ws = pm.Workspace(tmp_path / "prompts.duckdb")
    ws.endpoint("local", base_url=server.base_url)
    rows = [{"word": word, "picture": PIXEL, "into": word} for word in ("red", "green", "blue")]

    def tool_called(output: str, row: Any) -> bool:
        return bool(json.loads(output)[0]["arguments"]["into"] == row["into"])

    suite = ws.suite(
        "s", dataset=ws.dataset("d", rows), scorers=[pm.scorers.Function("right", tool_called), pm.scorers.Length()]
    )
    versions = [
        ws.save(
            "p",
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": f"{text} {{{{ word }}}}"},
                        {"type": "image_url", "image_url": {"url": "{{ picture }}"}},
                    ],
                }
            ],
            tools=[TOOL],
            model="m",
        )
        for text in ("Sort", "Please sort")
    ]
    run = ws.evaluate(versions, suite, repeats=2, seeds=True, progress=False)
    assert run.status == "done"
    results = run.results
    assert len(results) == 12
    assert (results["right"] == 1).all()
    assert json.loads(results["output"][0]) == [{"name": "sort", "arguments": {"into": "red"}}]
    # What was asked for was m; what was served is told as the endpoint tells it.
    assert set(results["model"]) == {"m-served"}
    sent = [request.body["messages"][0]["content"][1]["image_url"]["url"] for request in server.requests]
    assert sent == [PIXEL] * 12
    assert sorted(request.body["seed"] for request in server.requests) == [1] * 6 + [2] * 6
    record = ws.store.records(run.id)[0]
    assert record["answer"]["message"]["tool_calls"][0]["function"]["name"] == "sort"
    page = ws.store.run_page(run.id, [version.digest for version in versions], "right")
    assert all(json.loads(cell.output or "") for row in page.rows for cell in row.cells.values())
    assert run.compare(scorer="right").same == 3
    again = ws.evaluate(versions, suite, repeats=2, seeds=True, progress=False)
    assert again.results["cached"].all()
    assert len(server.requests) == 12


def test_a_stream_that_is_not_one(tmp_path: Path, server: Server) -> None:
    """Streaming asked of an endpoint that answers in one piece: the answers are there, without a first token's time."""
    ws = pm.Workspace(tmp_path / "prompts.duckdb")
    ws.endpoint("local", base_url=server.base_url, rpm=60_000)
    assert ws.endpoint("local").rpm == 60_000
    content = [{"type": "text", "text": "Sort {{ word }}"}]
    version = ws.save("p", messages=[{"role": "user", "content": content}], model="m")
    suite = ws.suite("s", dataset=ws.dataset("d", [{"word": "red"}]), scorers=[pm.scorers.Length()])
    results = ws.evaluate([version], suite, stream=True, progress=False).results
    assert results["error"].isna().all()
    assert results["ttft"].isna().all()
    assert server.requests[0].body["stream"] is True

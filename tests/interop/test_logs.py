"""Production logs as rows: OpenTelemetry spans and Langfuse exports, as they are found in the world."""

from __future__ import annotations

import csv
import gzip
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pressmark.errors import DatasetError
from pressmark.evals import Dataset
from pressmark.interop.logs import Logs, read_logs

NANO = "1764320400123456789"
WHEN = "2025-11-28T09:00:00.123456+00:00"


def value(given: Any) -> dict[str, Any]:
    """An attribute's value as OTLP writes it."""
    match given:
        case bool():
            return {"boolValue": given}
        case int():
            return {"intValue": str(given)}
        case float():
            return {"doubleValue": given}
        case str():
            return {"stringValue": given}
        case list():
            return {"arrayValue": {"values": [value(item) for item in given]}}
        case dict():
            return {"kvlistValue": {"values": attributes(given)}}
    raise TypeError(given)


def attributes(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Attributes as OTLP writes them."""
    return [{"key": key, "value": value(item)} for key, item in given.items()]


def span(told: dict[str, Any], *events: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """A span with attributes and events."""
    return {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "name": "chat",
        "startTimeUnixNano": NANO,
        "endTimeUnixNano": NANO,
        "attributes": attributes(told),
        "events": [{"timeUnixNano": NANO, "name": name, "attributes": attributes(given)} for name, given in events],
    }


def otlp(*spans: dict[str, Any], scopes: str = "scopeSpans") -> dict[str, Any]:
    """An export of spans."""
    resource = {"attributes": attributes({"service.name": "shop"})}
    return {"resourceSpans": [{"resource": resource, scopes: [{"scope": {"name": "x"}, "spans": list(spans)}]}]}


def read(path: Path, *documents: Any, name: str = "log.jsonl") -> Logs:
    """Write documents, a line each, and read them."""
    file = path / name
    file.write_text("".join(json.dumps(document) + "\n" for document in documents), encoding="utf-8")
    return read_logs(file)


MODEL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt", "gen_ai.response.model": "gpt-1"}
PARTS = [
    {"role": "system", "parts": [{"type": "text", "content": "Sort it."}]},
    {"role": "user", "parts": [{"type": "text", "content": "where is it?"}, {"type": "blob", "content": "AAAA"}]},
]
ANSWER = [{"role": "assistant", "parts": [{"type": "text", "content": "delivery"}], "finish_reason": "stop"}]
INDEXED = {
    "gen_ai.prompt.0.role": "system",
    "gen_ai.prompt.0.content": "Sort it.",
    "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": "where is it?",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "delivery",
}
FORMS = {
    "json attributes": span(
        {**MODEL, "gen_ai.input.messages": json.dumps(PARTS), "gen_ai.output.messages": json.dumps(ANSWER)}
    ),
    "structured attributes": span({**MODEL, "gen_ai.input.messages": PARTS, "gen_ai.output.messages": ANSWER}),
    "indexed attributes": span({**MODEL, **INDEXED}),
    "content in parts": span(
        {**MODEL, **INDEXED, "gen_ai.prompt.1.content": json.dumps([{"type": "text", "text": "where is it?"}])}
    ),
    "events with messages": span(
        MODEL,
        ("gen_ai.content.prompt", {"gen_ai.prompt": json.dumps([{"role": "user", "content": "where is it?"}])}),
        ("gen_ai.content.completion", {"gen_ai.completion": json.dumps({"role": "assistant", "content": "delivery"})}),
    ),
    "an event a message": span(
        MODEL,
        ("gen_ai.system.message", {"content": "Sort it."}),
        ("gen_ai.user.message", {"content": "where is it?", "role": "user"}),
        ("gen_ai.choice", {"index": 0, "message": json.dumps({"role": "assistant", "content": "delivery"})}),
    ),
    "an event with everything": span(
        MODEL,
        (
            "gen_ai.client.inference.operation.details",
            {"gen_ai.input.messages": json.dumps(PARTS), "gen_ai.output.messages": json.dumps(ANSWER)},
        ),
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("scopes", ["scopeSpans", "instrumentationLibrarySpans"])
def test_spans(tmp_path: Path, form: str, scopes: str) -> None:
    """What the user said and the model answered is found in each form that instrumentation has used."""
    found = read(tmp_path, otlp(FORMS[form], scopes=scopes))
    assert found.rows == [
        {
            "input": "where is it?",
            "output": "delivery",
            "model": "gpt-1",
            "trace": "5b8efff798038103d269b633813fc60c",
            "time": WHEN,
        }
    ]
    assert (found.filled, found.told) == (("input",), "1 call of models")


@pytest.mark.parametrize("given", ['{"text": "where?", "n": 2}', {"text": "where?", "n": 2}])
@pytest.mark.parametrize("name", ["traceloop.prompt.template_variables", "llm.prompt_template.variables"])
def test_variables_of_spans(tmp_path: Path, given: Any, name: str) -> None:
    """Where the prompt's variables are recorded, they are the row, with the prompt's name and version."""
    told = {**MODEL, **INDEXED, name: given, "gen_ai.prompt.name": "support/triage"}
    (row,) = read(tmp_path, otlp(span({**told, "langfuse.observation.prompt.version": 3}))).rows
    assert (row["text"], row["n"], row["prompt"], row["prompt_version"]) == ("where?", 2, "support/triage", "3")
    assert "input" not in row


def test_other_spans_are_counted(tmp_path: Path) -> None:
    """Spans of something else, and calls whose content was not recorded, are counted and told."""
    found = read(
        tmp_path,
        otlp(
            FORMS["indexed attributes"],
            span({"http.method": "GET"}),
            span({"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "e"}),
            span(MODEL),
        ),
    )
    assert len(found.rows) == 1
    assert found.told == "1 call of models; 2 spans or observations of something else; 1 calls without what was sent"
    with pytest.raises(DatasetError, match="CAPTURE_MESSAGE_CONTENT"):
        read(tmp_path, otlp(span(MODEL)))


OBSERVATION = {
    "id": "o1",
    "traceId": "t1",
    "type": "GENERATION",
    "startTime": "2026-01-02T03:04:05.000Z",
    "model": "gpt",
    "input": [{"role": "system", "content": "Sort it."}, {"role": "user", "content": "where is it?"}],
    "output": {"role": "assistant", "content": "delivery"},
    "promptName": "support/triage",
    "promptVersion": 3,
    "metadata": None,
}
EXPORTED = {
    "id": "o1",
    "trace_id": "t1",
    "type": "GENERATION",
    "start_time": "2026-01-02T03:04:05.000Z",
    "provided_model_name": "gpt",
    "input": json.dumps(OBSERVATION["input"]),
    "output": json.dumps(OBSERVATION["output"]),
    "prompt_name": "support/triage",
    "prompt_version": 3,
    "metadata": "{}",
}
ROW = {
    "input": "where is it?",
    "output": "delivery",
    "model": "gpt",
    "prompt": "support/triage",
    "prompt_version": "3",
    "trace": "t1",
    "time": "2026-01-02T03:04:05.000Z",
}
SPAN = {"id": "s", "type": "SPAN", "traceId": "t1", "input": "x", "output": "y"}
TRACE = {"id": "t1", "timestamp": "x", "input": "q", "output": "a", "observations": [SPAN, OBSERVATION]}


@pytest.mark.parametrize(
    "document",
    [OBSERVATION, EXPORTED, [OBSERVATION], {"data": [OBSERVATION], "meta": {"page": 1}}, TRACE],
    ids=["observation", "scheduled export", "list", "page of the API", "trace with observations"],
)
def test_langfuse(tmp_path: Path, document: Any) -> None:
    """Each form in which Langfuse hands out an observation gives the same row."""
    assert read(tmp_path, document).rows == [ROW]
    file = tmp_path / "pretty.json"
    file.write_text(json.dumps(document, indent=2))
    assert read_logs(file).rows == [ROW]


def test_langfuse_csv(tmp_path: Path) -> None:
    """A CSV export, with JSON in its cells, gives the same row."""
    file = tmp_path / "export.csv"
    with file.open("w", newline="", encoding="utf-8-sig") as out:
        writer = csv.DictWriter(out, list(EXPORTED))
        writer.writeheader()
        writer.writerow(EXPORTED)
    assert read_logs(file).rows == [ROW]


@pytest.mark.parametrize(
    "more",
    [
        {"metadata": {"variables": {"text": "where?"}}},
        {"metadata": '{"prompt_variables": {"text": "where?"}}'},
        {"input": {"text": "where?"}},
    ],
)
def test_variables_of_langfuse(tmp_path: Path, more: Any) -> None:
    """Variables stand in the metadata, or are what a call was given."""
    found = read(tmp_path, {**OBSERVATION, **more})
    assert (found.filled, found.rows[0]["text"]) == (("text",), "where?")


def test_a_trace_alone(tmp_path: Path) -> None:
    """A trace without observations is a row of its own input and output; other observations are counted."""
    found = read(tmp_path, {"id": "t9", "timestamp": "2026", "input": "q", "output": "a"}, SPAN)
    assert found.rows == [{"input": "q", "output": "a", "trace": "t9", "time": "2026"}]
    assert "1 spans or observations of something else" in found.told


def test_mixed_rows(tmp_path: Path) -> None:
    """Calls with and without variables stand side by side, and a variable keeps its name where a column has it, too."""
    odd = {"output": "mine", 'a "b" 😀': [None, {"x": None}]}
    found = read(tmp_path, OBSERVATION, {**OBSERVATION, "metadata": {"variables": odd}})
    assert found.columns[:4] == ("output", 'a "b" 😀', "input", "logged_output")
    assert [row["output"] for row in found.rows] == [None, "mine"]
    assert [row["input"] for row in found.rows] == ["where is it?", None]
    assert [row["logged_output"] for row in found.rows] == ["delivery", "delivery"]
    assert Dataset.of("d", found.rows, found.columns).rows[1]['a "b" 😀'] == [None, {"x": None}]


def test_what_is_malformed_is_counted(tmp_path: Path) -> None:
    """Cut lines, other encodings, numbers and other documents are counted, the first of them with its line."""
    file = tmp_path / "log.jsonl"
    good = json.dumps(OBSERVATION).encode()
    huge = json.dumps({**OBSERVATION, "metadata": {"variables": {"n": 2**70}}}).encode()
    lone = json.dumps({**OBSERVATION, "output": "\ud800"}).encode()
    deep = b"[" * 100_000
    lines = [
        b"\xef\xbb\xbf" + good,
        good[:50],
        b"",
        '{"id": "ü"}'.encode("latin-1"),
        b"17",
        b'{"a": 1}',
        huge,
        lone,
        deep,
    ]
    file.write_bytes(b"\n".join([*lines, good, b"\x00\x01"]))
    found = read_logs(file)
    assert len(found.rows) == 2
    assert "2 calls of models" in found.told
    assert "2 calls with values that have no JSON form" in found.told
    assert "1 documents of another form" in found.told
    assert "5 lines that cannot be read (line 2 is not JSON" in found.told


def test_a_first_line_that_is_cut(tmp_path: Path) -> None:
    """A log that begins in mid-line, as a rotated one does, is read from its second line on."""
    file = tmp_path / "log.jsonl"
    good = json.dumps(OBSERVATION)
    file.write_text("\n".join(["{" + good[40:], good, good]))
    found = read_logs(file)
    assert len(found.rows) == 2
    assert "1 lines that cannot be read (line 1 " in found.told


def test_packed_logs(tmp_path: Path) -> None:
    """A log packed by gzip is read as it is; one that is cut is refused."""
    file = tmp_path / "log.jsonl.gz"
    whole = gzip.compress("\n".join([json.dumps(OBSERVATION)] * 50).encode())
    file.write_bytes(whole)
    assert len(read_logs(file).rows) == 50
    file.write_bytes(whole[:-20])
    with pytest.raises(DatasetError, match="export it again"):
        read_logs(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no call of a model"),
        (b"[]", "no call of a model"),
        (b"{}", "1 documents of another form.*resourceSpans"),
        (b'{"resourceSpans": []}', "no call of a model"),
        (b'{"data": []}', "no call of a model"),
        (b'{"resourceLogs": []}', "1 documents of another form"),
        (b"nothing of the kind\n" * 3, "3 lines that cannot be read"),
        (b"{\n  broken\n", "2 lines that cannot be read"),
        ("{}".encode("utf-16"), "is UTF-16 text: export it as UTF-8"),
        (b"\x7fELF\x00\x00", "is not text, whatever its name says"),
        (b"PAR1\x00\x00", "is not text"),
    ],
)
def test_what_is_no_log(tmp_path: Path, content: bytes, message: str) -> None:
    """A file without a call that could be a row is refused with what was in it."""
    file = tmp_path / "log.json"
    file.write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        read_logs(file)


def test_no_file(tmp_path: Path) -> None:
    """What is not there, or is a directory, is told so."""
    with pytest.raises(DatasetError, match="is not there: look at the path"):
        read_logs(tmp_path / "x.json")
    with pytest.raises(DatasetError, match="cannot be read"):
        read_logs(tmp_path)
    with pytest.raises(DatasetError, match="logs is the path"):
        read_logs([OBSERVATION])  # type: ignore[arg-type]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_hostile_documents(tmp_path: Path, data: st.DataObject) -> None:
    """Anything at any place of a document gives rows or a DatasetError, and rows are always a dataset."""
    if data.draw(st.booleans()):
        document: Any = json.loads(json.dumps(otlp(*FORMS.values())))
        inner = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
        at = data.draw(st.sampled_from(inner))
    else:
        document = json.loads(json.dumps(TRACE))
        at = data.draw(st.sampled_from([document, *document["observations"]]))
    for _ in range(data.draw(st.integers(1, 3))):
        at[data.draw(st.sampled_from(sorted(at)))] = data.draw(JSON)
    file = tmp_path / "log.json"
    file.write_text(json.dumps(document, ensure_ascii=True))
    try:
        found = read_logs(file)
    except DatasetError:
        return
    Dataset.of("d", found.rows, found.columns)


def test_a_large_log(tmp_path: Path) -> None:
    """40,000 calls are read in a few seconds."""
    line = json.dumps(otlp(FORMS["indexed attributes"]))
    file = tmp_path / "log.jsonl"
    file.write_text((line + "\n") * 40_000)
    started = time.perf_counter()
    assert len(read_logs(file).rows) == 40_000
    assert time.perf_counter() - started < 120


def exported(tmp_path: Path, *more: bytes) -> Path:
    """A CSV export of one row, and lines after it."""
    file = tmp_path / "export.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(EXPORTED))
        writer.writeheader()
        writer.writerow(EXPORTED)
    file.write_bytes(file.read_bytes() + b"".join(more))
    return file


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"one,two\r\n", rf"line 3 has 2 values for {len(EXPORTED)} columns\)"),
        (b"caf\xe9" + b"," * (len(EXPORTED) - 1) + b"\r\n", r"line 3 is not UTF-8 text\)"),
        (b'"never closed\r\nnext\r\n', r"line 3 has 1 values .* goes on to line 4 for want of a quotation mark\)"),
    ],
)
def test_a_malformed_line_of_csv_is_counted(tmp_path: Path, line: bytes, why: str) -> None:
    """As in JSON Lines, a line that is none of the columns is counted with its number, and the rest is read."""
    found = read_logs(exported(tmp_path, line))
    assert found.rows == [ROW]
    assert re.search(r"1 lines that cannot be read \(" + why, found.told), found.told


def test_csv_that_is_no_log(tmp_path: Path) -> None:
    """Nothing, no names, another encoding and no text at all are refused."""
    for body, message in (
        (b"", "no line of column names"),
        (b"\n\n", "no line of column names"),
        ("a,b".encode("utf-16"), "UTF-16"),
        (b"PK\0\0", "not text"),
        (b"a,b\n1,2\n", "1 documents of another form"),
    ):
        file = tmp_path / "e.csv"
        file.write_bytes(body)
        with pytest.raises(DatasetError, match=message):
            read_logs(file)

"""Prompts as files: what is read back is what was written, and equal prompts give equal files."""

from __future__ import annotations

import json
import os
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pressmark.errors import InvalidUnitError, PressmarkError, TemplateError
from pressmark.interop import PromptFile, read, write
from pressmark.interop.files import FORMS, dumps, is_prompt_file, loads
from pressmark.prompts import Unit, thaw
from pressmark.prompts.canonical import unit_bytes
from pressmark.prompts.unit import RESERVED_PARAMS
from pressmark.rendering import build_unit

TOOL = {
    "type": "function",
    "function": {
        "name": "find_order",
        "description": "Find an order.\nOnly by its number.",
        "parameters": {"type": "object", "properties": {"id": {"type": ["string", "null"], "default": None}}},
    },
}
CALL = {"id": "call_1", "type": "function", "function": {"name": "find_order", "arguments": '{"id": "7"}'}}
FULL = build_unit(
    messages=[
        {"role": "system", "content": "You sort messages.\nAnswer 'now', in \"JSON\".\n"},
        {"placeholder": "history"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sent"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look:\n{{ text }}"},
                {"type": "image_url", "image_url": {"url": "{{ url }}"}},
            ],
        },
    ],
    model="gpt-5-mini",
    params={"temperature": 0, "top_p": 0.5, "stop": ["\n\n"], "logit_bias": {"50256": -100}, "metadata": {"a b": True}},
    variables={
        "text": {"type": "string", "description": "what the customer wrote", "example": "hi\nthere"},
        "url": {"type": "string", "default": "https://example.org/a.png"},
        "history": {"type": "messages", "default": []},
    },
    tools=[TOOL],
    tool_choice={"type": "function", "function": {"name": "find_order"}},
    response_format={"type": "json_object"},
)
# Everything JSON text may hold, with what TOML and line ends make difficult well represented.
TEXT = st.text(
    st.one_of(
        st.sampled_from("'\"\\\n\r\t\x00\x07\x1b\x7f\x85\x9b\u2028\u202e\ufeff#=[] "),
        st.characters(codec="utf-8", exclude_characters="{}"),
    ),
    max_size=30,
)
NUMBER = st.one_of(
    st.integers(-(2**53), 2**53),
    st.integers(53, 80).map(lambda power: float(2**power)),
    st.floats(allow_nan=False, allow_infinity=False),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBER, TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=8,
)
MESSAGE = st.one_of(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": TEXT}),
    st.fixed_dictionaries(
        {
            "role": st.just("user"),
            "content": st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": TEXT}), min_size=1, max_size=3),
        }
    ),
)


@st.composite
def units(draw: st.DrawFn) -> Unit:
    """Units of every shape that a person could save."""
    text = draw(TEXT) + " {{ text }}"
    messages = [*draw(st.lists(MESSAGE, max_size=3)), {"role": "user", "content": text}]
    sample = {key: draw(JSON) for key in draw(st.sets(st.sampled_from(["default", "example"])))}
    variable = {"type": "any", "description": draw(TEXT), **sample}
    params = draw(st.dictionaries(TEXT, JSON, max_size=4))
    extra: dict[str, Any] = {"tools": [TOOL], "tool_choice": draw(st.sampled_from([None, "auto"]))}
    return build_unit(
        **({"messages": messages} if draw(st.booleans()) else {"text": text}),
        model=draw(st.sampled_from(["gpt-5-mini", "a 'model' \"with\" \\ everything", "модель"])),
        params={key: value for key, value in params.items() if key not in RESERVED_PARAMS},
        variables={"text": variable},
        **(extra if draw(st.booleans()) else {}),
    )


@pytest.mark.parametrize("form", FORMS)
@settings(derandomize=True, deadline=None)
@given(unit=units())
def test_round_trip_keeps_the_digest(form: str, unit: Unit) -> None:
    """Whatever the prompt, its file reads back to the same canonical bytes, and writing that gives the same file."""
    file = PromptFile("support/triage", unit)
    text = dumps(file, form=form)
    again = loads(text, form=form)
    assert unit_bytes(again.unit) == unit_bytes(unit)
    assert (again.name, again.digest) == (file.name, file.digest)
    assert dumps(again, form=form) == text


@settings(derandomize=True, deadline=None)
@given(unit=units())
def test_line_ends_of_another_system_change_nothing(unit: Unit) -> None:
    """A checkout that turned every line end into CR LF holds the same prompt."""
    file = PromptFile("support/triage", unit)
    assert loads(dumps(file).replace("\n", "\r\n")).digest == file.digest


@pytest.mark.parametrize("form", FORMS)
def test_every_part_survives(form: str) -> None:
    """A unit with every part (tools, calls, placeholders, images, defaults, nulls) reads back whole."""
    assert loads(dumps(PromptFile("a/b", FULL), form=form), form=form).digest == PromptFile(None, FULL).digest


@pytest.mark.parametrize("form", FORMS)
def test_file_does_not_depend_on_how_the_unit_was_made(form: str) -> None:
    """Another order of keys, and 1.0 for 1, give the same file."""
    told = thaw(FULL.to_dict())
    turned = {key: told[key] for key in reversed(told)}
    turned["params"] = {key: told["params"][key] for key in sorted(told["params"], reverse=True)}
    turned["params"]["temperature"] = 0.0
    turned["variables"] = {key: told["variables"][key] for key in sorted(told["variables"])}
    assert dumps(PromptFile("a/b", Unit.from_dict(turned)), form=form) == dumps(PromptFile("a/b", FULL), form=form)


def test_file_reads_well() -> None:
    """Templates stand in the file as they are, over several lines, without escapes."""
    text = dumps(PromptFile("a/b", FULL))
    assert "You sort messages.\nAnswer 'now', in \"JSON\".\n" in text
    assert "Look:\n{{ text }}" in text
    assert "\\" not in text.replace('"\\n\\n"', "").partition("[json]")[0].replace("json = '''", "").replace('\\"', "")
    assert tomllib.loads(text)["messages"][0]["role"] == "system"


def test_unseen_characters_are_seen() -> None:
    """Control characters and those that turn the writing's order stand escaped in the file."""
    text = dumps(PromptFile("a/b", build_unit(text="one\ntwo \u202e\x9b\x1b[2J", model="m")))
    assert "two \\u202e\\u009b\\u001b[2J" in text
    assert text.isascii()


def test_variables_may_be_left_out() -> None:
    """A file that people write needs no more than a name, a model and a text."""
    file = loads('name = "a/b"\nmodel = "m"\ntext = "Sort: {{ text }}"')
    assert file.unit == build_unit(text="Sort: {{ text }}", model="m")
    assert loads('{"model": "m", "text": "hi"}', form=".json").name is None


def test_null_can_be_written_in_toml() -> None:
    """What TOML has no form for stands as JSON text, for a part, a message or a variable."""
    text = """
    model = "m"
    [variables.text]
    json = '{"type": "any", "default": null}'
    [[messages]]
    json = '{"role": "user", "content": "{{ text }}", "name": "ana"}'
    [json]
    params = '{"stop": null}'
    """
    unit = loads(text).unit
    assert unit.params == {"stop": None}
    assert unit.variables["text"].default is None
    assert unit.template.messages[0]["name"] == "ana"  # type: ignore[union-attr]


def test_bare_unit_and_published_version_are_read() -> None:
    """JSON may be a bare unit, or what `pressmark get --json` prints; its digest is checked."""
    told = FULL.to_dict()
    digest = PromptFile(None, FULL).digest
    assert loads(json.dumps(told), form=".json").digest == digest
    version = {"name": "a/b", "version": "v3", "digest": digest, "unit": told}
    assert loads(json.dumps(version), form=".json").name == "a/b"
    version["unit"] = {**told, "model": "another"}
    with pytest.raises(InvalidUnitError, match="it was changed by hand"):
        loads(json.dumps(version), form=".json")


WRONG = [
    ("[", ".toml", "not readable TOML"),
    ("{", ".json", "not readable JSON"),
    ("[]", ".json", "holds an object"),
    ('{"model": "m", "model": "n", "text": "hi"}', ".json", "'model' twice"),
    ('model = "m"', ".toml", "either messages or a text"),
    ('text = "hi"', ".toml", "model must be"),
    ('model = "m"\ntext = "hi"\nfoo = 1', ".toml", "no part called 'foo'"),
    ('name = "A b"\nmodel = "m"\ntext = "hi"', ".toml", "such as 'a-b'"),
    ('model = "m"\ntext = "hi"\n[params]\nx = nan', ".toml", "finite number"),
    ('{"model": "m", "text": "hi", "params": {"x": NaN}}', ".json", "finite number"),
    ('model = "m"\ntext = "hi"\n[params]\nx = 2026-01-01', ".toml", "params"),
    ('model = "m"\ntext = "hi"\n[json]\nparams = "{"', ".toml", "json.params is not readable JSON"),
    ('model = "m"\ntext = "hi"\n[params]\n[json]\nparams = "{}"', ".toml", "params stands twice"),
    ('model = "m"\ntext = "hi"\n[json]\nparams = 1', ".toml", "written as text"),
    ('json = 1\nmodel = "m"\ntext = "hi"', ".toml", r"write \[json\]"),
    ('model = "m"\n[[messages]]\njson = "{}"\nrole = "user"', ".toml", r"messages\[0\] has json beside other keys"),
    ('model = "m"\nmessages = "hi"', ".toml", "message"),
    ('model = "m"\n[[messages]]\nrole = "boss"\ncontent = "hi"', ".toml", r"messages\[0\] has role 'boss'"),
    ("[" * 100_000, ".json", "not readable JSON"),
]


@pytest.mark.parametrize(("text", "form", "part"), WRONG)
def test_wrong_file_is_told_in_a_sentence(tmp_path: Path, text: str, form: str, part: str) -> None:
    """A wrong file is one error that names the file and the part."""
    path = tmp_path / f"prompt{form}"
    path.write_text(text)
    with pytest.raises(PressmarkError, match=part) as raised:
        read(path)
    assert str(raised.value).startswith(f"{path}: ")


def test_bad_template_keeps_line_and_column(tmp_path: Path) -> None:
    """A template's error keeps its line, column and message number, behind the file's name."""
    path = tmp_path / "t.toml"
    path.write_text("model = 'm'\n[[messages]]\nrole = 'user'\ncontent = '''\nSort:\n{{ text }'''\n")
    with pytest.raises(TemplateError) as raised:
        read(path)
    assert (raised.value.line, raised.value.where) == (2, "messages[0].content")
    assert raised.value.column


@pytest.mark.parametrize("name", ["none.toml", "folder.toml", "prompt.yaml", "prompt"])
def test_path_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    """A missing file, a folder and another ending are each told with the path."""
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "prompt.yaml").write_text("a: b")
    with pytest.raises(InvalidUnitError, match=name):
        read(tmp_path / name)


def test_huge_file_is_not_read(tmp_path: Path) -> None:
    """A file larger than any prompt is refused by its size."""
    with (tmp_path / "huge.toml").open("wb") as opened:
        opened.truncate(2**33)
    with pytest.raises(InvalidUnitError, match="8 MiB"):
        read(tmp_path / "huge.toml")


def test_byte_order_mark_is_no_matter(tmp_path: Path) -> None:
    """A file that an editor began with a byte order mark is read."""
    (tmp_path / "t.toml").write_bytes(b'\xef\xbb\xbfmodel = "m"\ntext = "hi"\n')
    assert read(tmp_path / "t.toml").unit.model == "m"


def test_write_replaces_whole(tmp_path: Path) -> None:
    """Writing replaces the file, keeps its mode, follows a link, and leaves nothing beside it."""
    path = tmp_path / "t.toml"
    path.write_text("old")
    path.chmod(0o640)
    (tmp_path / "link.toml").symlink_to(path)
    write(tmp_path / "link.toml", PromptFile("a/b", FULL))
    assert (tmp_path / "link.toml").is_symlink()
    assert read(path).digest == PromptFile(None, FULL).digest
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["link.toml", "t.toml"]


def test_write_that_fails_changes_nothing(tmp_path: Path) -> None:
    """Where the disk is full, the old file stays and no other is left."""
    import resource

    path = tmp_path / "t.toml"
    write(path, PromptFile("a/b", FULL))
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(InvalidUnitError, match="nothing changed"):
            write(path, PromptFile("a/c", FULL))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["t.toml"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_permission(tmp_path: Path) -> None:
    """A folder that may not be written is told."""
    tmp_path.chmod(0o500)
    with pytest.raises(InvalidUnitError, match="Permission denied"):
        write(tmp_path / "t.toml", PromptFile("a/b", FULL))


def test_endings_tell_a_file() -> None:
    """Only .toml and .json make a path a prompt's file."""
    assert [is_prompt_file(text) for text in ("a.toml", "b/c.JSON", "support/triage", "x.yaml")] == [1, 1, 0, 0]

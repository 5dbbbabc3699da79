"""Writing a prompt's document as TOML that people like to read; the standard library only reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
# Control characters, and those that turn the order of what is shown: who reviews a file must see them.
_UNSEEN: Final = r"\x7f-\x9f\u202a-\u202e\u2066-\u2069"
_CONTROL: Final = re.compile(rf"[\x00-\x1f{_UNSEEN}]")
_NOT_LITERAL: Final = re.compile(rf"[\x00-\x08\x0b-\x1f{_UNSEEN}]|'''|'\Z")
_SHORT: Final = {"\b": r"\b", "\t": r"\t", "\n": r"\n", "\f": r"\f", "\r": r"\r", '"': r"\"", "\\": r"\\"}
# JSON Schemas and the like: people paste them as JSON.
_AS_JSON: Final = ("tools", "tool_choice", "response_format")
# TOML's integers have 64 bits.
_LARGEST: Final = 2**63


def to_toml(document: Mapping[str, Any]) -> str:
    """Return the document of a prompt's file as TOML; see `files` for its shape."""
    as_json = {part: value for part, value in document.items() if _belongs_in_json(part, value)}
    rest = {part: value for part, value in document.items() if part not in as_json}
    blocks = [[_pair(part, value) for part, value in rest.items() if isinstance(value, str)]]
    for part, value in rest.items():
        if isinstance(value, Mapping):
            blocks += _tables(part, value)
        elif isinstance(value, list):
            blocks += [[f"[[{part}]]", *_pairs(message)] for message in value]
    if as_json:
        blocks.append(["[json]", *(f"{part} = {_paragraph(_json(value))}" for part, value in as_json.items())])
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _belongs_in_json(part: str, value: Any) -> bool:
    if part in ("messages", "variables") or isinstance(value, str):
        return False  # messages and variables have a key of their own for it, one by one
    return part in _AS_JSON or _holds_null(value)


def _tables(part: str, value: Mapping[str, Any]) -> Iterator[list[str]]:
    if part == "variables":
        for name, told in value.items():
            yield [f"[variables.{_key(name)}]", *_pairs(told)]
    else:
        yield [f"[{part}]", *(_pair(key, item) for key, item in value.items())]


def _pairs(told: Mapping[str, Any]) -> list[str]:
    """The lines of one message or variable."""
    if _holds_null(told) or "tool_calls" in told:
        return [f"json = {_paragraph(_json(told))}"]
    return [_pair(key, value) for key, value in told.items()]


def _pair(key: str, value: Any) -> str:
    if isinstance(value, str) and "\n" in value:
        return f"{_key(key)} = {_paragraph(value)}"
    if key == "content" and isinstance(value, list):
        return "content = [\n" + "".join(f"  {_part(part)},\n" for part in value) + "]"
    return f"{_key(key)} = {_value(value)}"


def _part(told: Mapping[str, Any]) -> str:
    """A part of a message's content: a table in one line, but for the lines of its text."""
    return f"{{{', '.join(_pair(key, value) for key, value in told.items())}}}"


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _line(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if -_LARGEST <= value < _LARGEST else repr(float(value))
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_key(key)} = {_value(item)}' for key, item in value.items())}}}"
    return f"[{', '.join(map(_value, value))}]"


def _paragraph(text: str) -> str:
    """A text over several lines, as it is where that can be, else with escapes."""
    if not _NOT_LITERAL.search(text):
        return f"'''\n{text}'''"
    return '"""\n' + "\n".join(_escaped(line) for line in text.split("\n")) + '"""'


def _line(text: str) -> str:
    if ('"' in text or "\\" in text) and "'" not in text and not _CONTROL.search(text):
        return f"'{text}'"
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    text = re.sub(r'["\\]', lambda found: _SHORT[found[0]], text)
    return _CONTROL.sub(lambda found: _SHORT.get(found[0], f"\\u{ord(found[0]):04x}"), text)


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else f'"{_escaped(key)}"'


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _holds_null(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_null, value.values()))
    return any(map(_holds_null, value)) if isinstance(value, list) else value is None

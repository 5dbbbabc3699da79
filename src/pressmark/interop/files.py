"""A prompt as a readable file, for those who keep prompts in git.

A file holds a name and a unit, and nothing that changes without them, so that a file differs exactly where the prompt
does. It is TOML (`.toml`), or JSON of the same shape (`.json`)::

    name = "support/triage"
    model = "gpt-5-mini"

    [params]
    temperature = 0

    [variables.text]
    type = "string"

    [[messages]]
    role = "user"
    content = '''
    Which category is this?
    {{ text }}'''

    [json]
    response_format = '''{"type": "json_object"}'''

Variables may be left out where they are to be found in the template. What TOML has no form for (`null`), and what is a
JSON Schema by nature (tools, tool choice, response format), stands as JSON text: in the table `json` at the end, or
under the key `json` of one message or variable.

    file = files.read("prompts/triage.toml")
    files.write("prompts/triage.toml", PromptFile(version.name, version.unit))
"""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from pressmark.errors import InvalidUnitError, PressmarkError
from pressmark.interop.toml import to_toml
from pressmark.prompts import ChatTemplate, Unit, check_name
from pressmark.rendering import build_unit, check_unit

FORMS: Final = (".toml", ".json")
_PARTS: Final = (
    *("messages", "text", "model", "params", "variables"),
    *("tools", "tool_choice", "response_format", "inputs"),
)
# Escapes make a file larger than the unit in it; beyond this nothing in it could be a unit.
_LARGEST: Final = 8 * 2**20
# Canonical JSON writes larger whole numbers with an exponent.
_WRITTEN_OUT: Final = 1e21


@dataclass(frozen=True, slots=True)
class PromptFile:
    """What a prompt's file says.

    Attributes:
        name: The prompt's name; None where the file does not tell it.
        unit: What the prompt says.
    """

    name: str | None
    unit: Unit

    @property
    def digest(self) -> str:
        """The unit's digest: the same as in every store."""
        from pressmark.prompts.canonical import unit_digest

        return unit_digest(self.unit)


def is_prompt_file(text: str) -> bool:
    """Say whether this is the path of a prompt's file, by its ending."""
    return text.lower().endswith(FORMS)


def read(path: str | os.PathLike[str]) -> PromptFile:
    """Read a prompt's file, checked whole.

    Args:
        path: A `.toml` or `.json` file.

    Raises:
        InvalidUnitError: It cannot be read, or a part of it is wrong; the message names the file and the part.
        TemplateError: A template is wrong; with line and column within the template.
    """
    path = Path(path)
    try:
        return loads(_text_of(path), form=_form_of(path))
    except PressmarkError as error:
        raise type(error)(f"{path}: {error}", **error.facts) from error


def write(path: str | os.PathLike[str], file: PromptFile) -> None:
    """Write a prompt's file, whole or not at all; what was there is replaced.

    Args:
        path: A `.toml` or `.json` file, in a folder that exists.
        file: What to write.

    Raises:
        InvalidUnitError: The path has another ending, or cannot be written.
    """
    path = Path(os.path.realpath(path))
    text = dumps(file, form=_form_of(path))
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        if path.exists():
            shutil.copymode(path, beside)
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise InvalidUnitError(
            f"{path} cannot be written ({error.strerror}), so nothing changed: see to its folder, the permissions and"
            " the disk"
        ) from error


def dumps(file: PromptFile, *, form: str = ".toml") -> str:
    """Return a prompt's file as text; equal prompts give equal text.

    Args:
        file: What to write.
        form: `.toml` or `.json`.
    """
    document = _document(file)
    if form == ".json":
        return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    return to_toml(document)


def loads(text: str, *, form: str = ".toml") -> PromptFile:
    """Read the text of a prompt's file.

    Args:
        text: What stands in the file.
        form: `.toml` or `.json`.

    Raises:
        InvalidUnitError: A part is wrong; `field` names it.
        TemplateError: A template is wrong; with line and column.
    """
    document = _parse_json(text) if form == ".json" else _with_json_parts(_parse_toml(text))
    if not isinstance(document, dict):
        raise InvalidUnitError(
            f'a prompt\'s file holds an object such as {{"name": …, "model": …, "messages": […]}}; got'
            f" {type(document).__name__}"
        )
    name = document.pop("name", None)
    if name is not None:
        check_name(name)
    file = PromptFile(name, _unit_of(document))
    # Also refuses what canonical JSON has no form for, such as TOML's nan, and what is too large.
    _check_digest(document.get("digest"), file.digest)
    return file


def _document(file: PromptFile) -> dict[str, Any]:
    """The one shape of both forms."""
    told = _settled(file.unit.to_dict())
    template = told["template"]
    chat = isinstance(file.unit.template, ChatTemplate)
    document = {"name": file.name, "model": told["model"]} if file.name is not None else {"model": told["model"]}
    document |= {part: told[part] for part in ("params", "inputs", "variables") if told.get(part)}
    document |= {"messages": template["messages"]} if chat else {"text": template["text"]}
    document |= {part: told[part] for part in ("tools", "tool_choice", "response_format") if part in told}
    return document


# What a reader looks for first in an object.
_FIRST: Final = ("type", "role", "name", "description", "content", "text")


def _settled(value: Any) -> Any:
    """The value in an order, and with numbers, that do not depend on how the unit was made."""
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: (_FIRST.index(key) if key in _FIRST else len(_FIRST), key))
        return {key: _settled(value[key]) for key in keys}
    if isinstance(value, list | tuple):
        return [_settled(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < _WRITTEN_OUT:
        # As canonical JSON writes it, where 1.0 is 1; by way of its shortest digits, which are not those of `int`.
        return int(Decimal(repr(value)))
    return value


def _unit_of(document: dict[str, Any]) -> Unit:
    if "unit" in document or "template" in document:
        # What `pressmark get --json` prints, or a bare unit.
        unit = Unit.from_dict(document.get("unit", document))
        check_unit(unit)
        return unit
    if unknown := sorted(set(document) - set(_PARTS)):
        raise InvalidUnitError(
            f"a prompt's file has no part called {', '.join(map(repr, unknown))}; its parts are name,"
            f" {', '.join(_PARTS)}",
            field="unit",
        )
    return build_unit(**{**document, "model": document.get("model")})


def _check_digest(told: object, found: str) -> None:
    if told not in (None, found):
        raise InvalidUnitError(
            f"it says the digest {told!r}, but what it holds has {found}: it was changed by hand; drop the digest if"
            " that was meant, else fetch it again",
            field="digest",
        )


def _parse_toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidUnitError(f"it is not readable TOML ({error}): correct it there") from error


def _parse_json(text: str, where: str = "it") -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        told = dict(pairs)
        if len(told) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise InvalidUnitError(f"{where} gives {twice!r} twice in one object: drop one of them", field=twice)
        return told

    try:
        return json.loads(text, object_pairs_hook=once)
    except InvalidUnitError:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidUnitError(f"{where} is not readable JSON ({error}): correct it there") from error


def _with_json_parts(document: dict[str, Any]) -> dict[str, Any]:
    """Put what stands as JSON text where it belongs."""
    parts = document.pop("json", {})
    if not isinstance(parts, dict):
        raise InvalidUnitError("the table json holds parts as JSON text, such as tools: write [json]", field="json")
    if twice := sorted(set(parts) & set(document)):
        raise InvalidUnitError(
            f"{twice[0]} stands twice, once in the table json: drop one of them", field=twice[0]
        )  # fmt: skip
    document |= {part: _part(parts[part], f"json.{part}") for part in parts}
    messages, variables = document.get("messages"), document.get("variables")
    if isinstance(messages, list):
        document["messages"] = [_alone(told, f"messages[{number}]") for number, told in enumerate(messages)]
    if isinstance(variables, dict):
        document["variables"] = {name: _alone(told, f"variables.{name}") for name, told in variables.items()}
    return document


def _alone(told: Any, where: str) -> Any:
    if not isinstance(told, dict) or "json" not in told:
        return told
    if set(told) != {"json"}:
        raise InvalidUnitError(f"{where} has json beside other keys: write all of it as JSON, or nothing", field=where)
    return _part(told["json"], f"{where}.json")


def _part(text: Any, where: str) -> Any:
    if not isinstance(text, str):
        raise InvalidUnitError(f"{where} must be JSON written as text, got {type(text).__name__}", field=where)
    return _parse_json(text, where)


def _form_of(path: Path) -> str:
    form = path.suffix.lower()
    if form not in FORMS:
        raise InvalidUnitError(f"{str(path)!r} does not end in .toml or .json, which tell the form: rename it")
    return form


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise InvalidUnitError(f"it has over {_LARGEST // 2**20} MiB, more than any prompt: check the path")
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InvalidUnitError("there is no such file: check the path") from None
    except OSError as error:
        raise InvalidUnitError(f"it cannot be read ({error.strerror}): check the path and its permissions") from error
    except UnicodeDecodeError as error:
        raise InvalidUnitError(f"it is not UTF-8 text (byte {error.start}): save it as UTF-8") from error

"""A unit's template, compiled once for each digest, and the request that it makes."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jinja2 import Template as JinjaTemplate

from pressmark.errors import PressmarkError, RenderError, TemplateError
from pressmark.prompts import MISSING, TextTemplate, Unit, Variable
from pressmark.rendering.bounds import bound
from pressmark.rendering.checks import environment, read_template
from pressmark.rendering.limits import MAX_TOKENS, Budget, budget
from pressmark.rendering.values import check_values

Part = Callable[[Mapping[str, Any]], Any]
_CACHE_SIZE = 4096
_cache: dict[str, Template] = {}
_cache_change = threading.Lock()
_TAG = re.compile(r"\{[{%#]")
_NEWLINE = re.compile(r"\r\n?")
# What compiling the shortest template costs, in nodes.
_OVERHEAD = 20


def compiled(unit: Unit, digest: str) -> Template:
    """Return the compiled template of a unit; the same object for the same digest.

    Raises:
        TemplateError: The template uses what is not allowed.
    """
    found = _cache.get(digest)
    if found is None:
        made = Template(unit)
        with _cache_change:
            if len(_cache) >= _CACHE_SIZE:
                del _cache[next(iter(_cache))]
            found = _cache.setdefault(digest, made)
    return found


class Template:
    """A unit ready to be rendered.

    Args:
        unit: The unit; its template is checked against the allow-list.

    Attributes:
        unit: The unit.
        used: The variables that the template uses, with the types and defaults that its use suggests.

    Raises:
        TemplateError: With line and column.
    """

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.used: dict[str, Variable] = {}
        self._size = 0
        if isinstance(unit.template, TextTemplate):
            self._text = self._compile(unit.template.text, "text")
        else:
            self._messages = [self._message(message, place) for place, message in enumerate(unit.template.messages)]
        self._options: dict[str, Any] = {**unit.params}
        for name in ("tools", "tool_choice", "response_format"):
            if (option := getattr(unit, name)) not in (None, []):
                self._options[name] = option

    def render(self, variables: Mapping[str, Any]) -> list[dict[str, Any]] | str:
        """Fill the template.

        Args:
            variables: Values by name; those with a default may be left out.

        Returns:
            The chat messages, or the text of a text prompt.

        Raises:
            MissingVariablesError: A variable without a default is missing.
            UnknownVariablesError: A value is given for what the prompt does not declare.
            VariableTypeError: A value is not of its declared type, or no JSON value.
            RenderLimitError: The result would be too large.
            RenderError: The template met a value that it cannot use, with the line.
        """
        values = check_values(self.unit.variables, variables)
        token = budget.set(Budget())
        try:
            if isinstance(self.unit.template, TextTemplate):
                text: str = self._text(values)
                return text
            return [rendered for message in self._messages for rendered in message(values)]
        finally:
            budget.reset(token)

    def request(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return the keyword arguments of `chat.completions.create`.

        The object and its messages are the caller's own; what it shares with other requests is immutable.

        Raises:
            RenderError: As `render` does.
        """
        rendered = self.render(variables)
        messages = [{"role": "user", "content": rendered}] if isinstance(rendered, str) else rendered
        return {"model": self.unit.model, "messages": messages, **self._options}

    def _message(self, message: Mapping[str, Any], place: int) -> Part:
        if "placeholder" in message:
            name = message["placeholder"]
            self.used[name] = Variable(name, "messages")
            return lambda values: _history(values[name])
        where = f"messages[{place}]"
        parts: dict[str, Part] = {}
        for key, value in message.items():
            if key in ("content", "tool_calls"):
                parts[key] = self._tree(value, f"{where}.{key}")
            else:
                parts[key] = _constant(value)
        return lambda values: ({key: part(values) for key, part in parts.items()},)

    def _tree(self, value: Any, where: str) -> Part:
        """Compile each string of a JSON value; keys, types and ids stay as they are."""
        if isinstance(value, str):
            return self._compile(value, where)
        if isinstance(value, list | tuple):
            items = [self._tree(item, f"{where}[{place}]") for place, item in enumerate(value)]
            return lambda values: [item(values) for item in items]
        if isinstance(value, Mapping):
            members = {
                key: _constant(item) if key in ("type", "id") else self._tree(item, f"{where}.{key}")
                for key, item in value.items()
            }
            return lambda values: {key: member(values) for key, member in members.items()}
        return _constant(value)

    def _compile(self, source: str, where: str) -> Part:
        if not _TAG.search(source):
            # As Jinja does with the line ends of a template, so that a text does not change with its first variable.
            return _constant(_NEWLINE.sub("\n", source))
        reading = read_template(source, where)
        self._grow(reading.size + _OVERHEAD, where)
        for name, variable in reading.variables.items():
            self.used[name] = _stricter(self.used.get(name), variable)
        try:
            bound(reading.tree, environment)
            code = environment.compile(reading.tree, name=where)
        except (SyntaxError, RecursionError, MemoryError) as error:
            raise TemplateError(
                f"{where} cannot be compiled ({error}): simplify it", field=where, where=where
            ) from error
        template = JinjaTemplate.from_code(environment, code, {})
        return lambda values: _run(template, values, where)

    def _grow(self, size: int, where: str) -> None:
        self._size += size
        if self._size > MAX_TOKENS:
            raise TemplateError(
                f"with {where}, the prompt's templates have over {MAX_TOKENS:,} parts: move data into a variable",
                field=where,
                where=where,
            )


def _stricter(known: Variable | None, found: Variable) -> Variable:
    """Join what two templates of one prompt say of a variable."""
    if known is None or known.type == "messages":
        return known or found
    if known == found:
        return known
    return Variable(known.name, known.type if found.type == "any" else found.type, MISSING)


def _constant(value: Any) -> Part:
    return lambda values: value


def _history(messages: Any) -> Any:
    budget.get().spend(len(messages))
    return messages


def _run(template: JinjaTemplate, values: Mapping[str, Any], where: str) -> str:
    try:
        return "".join(_written(template.root_render_func(template.new_context(dict(values)))))
    except PressmarkError as error:
        if isinstance(error, RenderError):
            line = _line(template)
            raise type(error)(f"{where}, line {line}: {error}", **error.facts, line=line, where=where) from None
        raise
    except Exception as error:  # a template is foreign code: whatever it stumbles over is an error of its own
        line = _line(template)
        said = str(error).rstrip(".") or type(error).__name__
        said = said.replace("FrozenDict", "object").replace("FrozenList", "list")
        raise RenderError(
            f"{where}, line {line}: {said}: check the value against the template", line=line, where=where
        ) from error


def _written(chunks: Iterator[str]) -> Iterator[str]:
    write = budget.get().write
    for chunk in chunks:
        write(len(chunk))
        yield chunk


def _line(template: JinjaTemplate) -> int:
    """The template's line where the exception being handled arose."""
    line = 1
    trace = sys.exc_info()[2]
    while trace is not None:
        if trace.tb_frame.f_globals.get("__jinja_template__") is template:
            line = int(template.get_corresponding_lineno(trace.tb_lineno))
        trace = trace.tb_next
    return line

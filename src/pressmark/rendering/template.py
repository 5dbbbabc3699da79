"""A unit's template, compiled once for each digest, and the request that it makes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jinja2 import Template as JinjaTemplate
from jinja2.exceptions import SecurityError, UndefinedError

from pressmark.errors import (
    MissingVariablesError,
    PressmarkError,
    RenderError,
    TemplateError,
    UnknownVariablesError,
    VariableTypeError,
)
from pressmark.prompts import MISSING, ChatTemplate, TextTemplate, Unit, Variable, freeze
from pressmark.prompts.unit import ROLES
from pressmark.rendering.checks import Reading, environment, read_template
from pressmark.rendering.limits import Passes, check_length, passes

Part = Callable[[Mapping[str, Any]], Any]
_CACHE_SIZE = 4096
_cache: dict[str, Template] = {}


def compiled(unit: Unit, digest: str) -> Template:
    """Return the compiled template of a unit; the same object for the same digest.

    Raises:
        TemplateError: The template uses what is not allowed.
    """
    found = _cache.get(digest)
    if found is None:
        found = Template(unit)
        if len(_cache) >= _CACHE_SIZE:
            # The oldest goes; another thread may have taken it already.
            _cache.pop(next(iter(_cache), digest), None)
        _cache[digest] = found
    return found


class Template:
    """A unit ready to be rendered.

    Args:
        unit: The unit; its template is checked against the allow-list.

    Raises:
        TemplateError: With line and column.
    """

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.readings: dict[str, Reading] = {}
        self._parts: list[tuple[str | None, Part]] = []
        if isinstance(unit.template, TextTemplate):
            self._text = self._compile(unit.template.text, "text")
        else:
            self._messages = [self._message(message, place) for place, message in enumerate(unit.template.messages)]
        self._fixed: dict[str, Any] = {"model": unit.model}
        self._options: dict[str, Any] = {**unit.params}
        if unit.tools:
            self._options["tools"] = unit.tools
        if unit.tool_choice is not None:
            self._options["tool_choice"] = unit.tool_choice
        if unit.response_format is not None:
            self._options["response_format"] = unit.response_format

    @property
    def used(self) -> dict[str, Variable]:
        """The variables that the template uses, with the types that its use suggests."""
        found: dict[str, Variable] = {}
        for reading in self.readings.values():
            for name, variable in reading.variables.items():
                found[name] = _stricter(found.get(name), variable)
        if isinstance(self.unit.template, ChatTemplate):
            for message in self.unit.template.messages:
                if "placeholder" in message:
                    found[message["placeholder"]] = Variable(message["placeholder"], "messages")
        return found

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
        values = self._values(variables)
        token = passes.set(Passes())
        try:
            if isinstance(self.unit.template, TextTemplate):
                text: str = self._text(values)
                return text
            rendered: list[dict[str, Any]] = []
            for message in self._messages:
                rendered.extend(message(values))
            check_length(sum(len(message.get("content") or "") for message in rendered))
            return rendered
        finally:
            passes.reset(token)

    def request(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return the keyword arguments of `chat.completions.create`.

        Raises:
            RenderError: As `render` does.
        """
        rendered = self.render(variables)
        messages = [{"role": "user", "content": rendered}] if isinstance(rendered, str) else rendered
        return {**self._fixed, "messages": messages, **self._options}

    def _values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        declared: Mapping[str, Variable] = self.unit.variables
        if unknown := tuple(name for name in given if name not in declared):
            raise UnknownVariablesError(
                f"the prompt has no variable {', '.join(map(repr, unknown))}; it takes "
                + (", ".join(declared) or "none"),
                unknown=unknown,
            )
        values: dict[str, Any] = {}
        missing: list[str] = []
        for name, variable in declared.items():
            if name in given:
                values[name] = check_value(variable, given[name])
            elif variable.default is MISSING:
                missing.append(name)
            else:
                values[name] = variable.default
        if missing:
            raise MissingVariablesError(
                f"the prompt needs {', '.join(map(repr, missing))}, which {'was' if len(missing) == 1 else 'were'}"
                f" not given: pass {', '.join(f'{name}=…' for name in missing)}",
                missing=tuple(missing),
            )
        return values

    def _message(self, message: Mapping[str, Any], place: int) -> Part:
        if "placeholder" in message:
            name = message["placeholder"]
            return lambda values: values[name]
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
        reading = read_template(source, where)
        self.readings[where] = reading
        if "{" not in source:
            return _constant(source)
        try:
            code = environment.compile(reading.tree, name=where)
        except (SyntaxError, RecursionError, MemoryError) as error:
            raise TemplateError(
                f"{where} cannot be compiled ({error}): simplify it", field=where, where=where
            ) from error
        template = JinjaTemplate.from_code(environment, code, {})
        return lambda values: _run(template, values, where)


def _stricter(known: Variable | None, found: Variable) -> Variable:
    if known is None:
        return found
    kind = known.type if found.type == "any" else found.type
    default = found.default if known.default is not MISSING and found.default is not MISSING else MISSING
    return Variable(known.name, kind, default)


def _constant(value: Any) -> Part:
    return lambda values: value


def _run(template: JinjaTemplate, values: Mapping[str, Any], where: str) -> str:
    try:
        return "".join(_counted(template.root_render_func(template.new_context(dict(values)))))
    except PressmarkError as error:
        if isinstance(error, RenderError) and not hasattr(error, "line"):
            line = _line(template)
            raise type(error)(f"{where}, line {line}: {error}", **error.facts, line=line, where=where) from None
        raise
    except (UndefinedError, SecurityError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        line = _line(template)
        raise RenderError(
            f"{where}, line {line}: {error}: check the value against the template", line=line, where=where
        ) from error


def _counted(chunks: Iterator[str]) -> Iterator[str]:
    count = 0
    for chunk in chunks:
        count += len(chunk)
        check_length(count)
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


_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "list": (list, tuple),
    "object": (Mapping,),
    "messages": (list, tuple),
}


def check_value(variable: Variable, value: Any) -> Any:
    """Return the value, frozen, when it is of the variable's type.

    Raises:
        VariableTypeError: It is not, or it is no JSON value.
    """
    kinds = _KINDS.get(variable.type)
    numeric = variable.type in ("number", "integer")
    if kinds and (not isinstance(value, kinds) or (numeric and isinstance(value, bool))):
        shown = repr(value)
        raise VariableTypeError(
            f"variable {variable.name!r} is declared as {variable.type}, got {type(value).__name__}"
            f" {shown if len(shown) <= 60 else shown[:57] + '…'}: convert it, or declare another type",
            variable=variable.name,
        )
    try:
        frozen = freeze(value)
    except (TypeError, RecursionError) as error:
        raise VariableTypeError(f"variable {variable.name!r}: {error}", variable=variable.name) from None
    if variable.type == "messages":
        _check_history(variable.name, frozen)
    return frozen


def _check_history(name: str, messages: Any) -> None:
    for place, message in enumerate(messages):
        if not isinstance(message, Mapping) or message.get("role") not in ROLES:
            raise VariableTypeError(
                f"variable {name!r}: item {place} must be a message with a role among {', '.join(ROLES)}", variable=name
            )

"""The unit: everything that decides how a prompt behaves.

Its JSON form (`to_dict`) is what is made canonical, digested, stored and sent::

    {"format": 1,
     "template": {"messages": [{"role": "system", "content": "…"}, {"placeholder": "history"}, …]},   or {"text": "…"}
     "variables": {"text": {"type": "string", "description": "…", "example": …, "default": …}},
     "model": "gpt-5-mini", "params": {"temperature": 0},
     "tools": […], "tool_choice": …, "response_format": …,                       left out where there are none
     "inputs": {"summary": "support/summarise@production"}}                      likewise
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pressmark.errors import InvalidUnitError
from pressmark.prompts.frozen import FrozenDict, FrozenList, freeze, thaw
from pressmark.prompts.names import check_label, check_name

FORMAT: Final = 1
ROLES: Final = ("system", "developer", "user", "assistant", "tool")
TYPES: Final = ("any", "string", "number", "integer", "boolean", "list", "object", "messages")
RESERVED_PARAMS: Final = frozenset(
    {"model", "messages", "tools", "tool_choice", "response_format", "stream", "stream_options", "n"}
)
_KEYS = {
    "format",
    "template",
    "variables",
    "model",
    "params",
    "tools",
    "tool_choice",
    "response_format",
    "inputs",
}


class _Missing:
    """The default of a variable that has none."""

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that the template's caller fills.

    Attributes:
        name: A Python identifier.
        type: One of `TYPES`; `messages` is a history that a placeholder takes.
        default: What stands in when the caller gives none; `MISSING` makes it required.
        example: A value to show in previews.
        description: What it is, in a sentence.
    """

    name: str
    type: str = "any"
    default: Any = MISSING
    example: Any = None
    description: str = ""

    @property
    def required(self) -> bool:
        """Whether the caller must give it."""
        return self.default is MISSING

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, without the name."""
        told: dict[str, Any] = {"type": self.type}
        if self.description:
            told["description"] = self.description
        if self.example is not None:
            told["example"] = thaw(self.example)
        if self.default is not MISSING:
            told["default"] = thaw(self.default)
        return told

    @classmethod
    def from_dict(cls, name: str, told: Mapping[str, Any] | str) -> Variable:
        """Read the JSON form; a bare string is the type.

        Raises:
            InvalidUnitError: Unknown type or key, or a name that is no identifier.
        """
        where = f"variables.{name}"
        if not (isinstance(name, str) and name.isidentifier()):
            raise InvalidUnitError(
                f"{name!r} cannot be a variable's name: use letters, digits and '_', not starting with a digit",
                field=where,
            )
        if isinstance(told, str):
            told = {"type": told}
        if not isinstance(told, Mapping):
            raise InvalidUnitError(f"{where} must be a type or an object, got {type(told).__name__}", field=where)
        if unknown := set(told) - {"type", "default", "example", "description"}:
            raise InvalidUnitError(f"{where} has unknown keys: {', '.join(sorted(map(str, unknown)))}", field=where)
        kind, description = told.get("type", "any"), told.get("description", "")
        if kind not in TYPES:
            raise InvalidUnitError(f"{where} has type {kind!r}; choose one of {', '.join(TYPES)}", field=where)
        if not isinstance(description, str):
            raise InvalidUnitError(f"{where}.description must be text, got {type(description).__name__}", field=where)
        default = _frozen(told["default"], where) if "default" in told else MISSING
        return cls(name, kind, default, _frozen(told.get("example"), where), description)


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """Chat messages, each with Jinja2 in its strings, and placeholders for a history."""

    messages: FrozenList

    @property
    def kind(self) -> str:
        """`chat`."""
        return "chat"


@dataclass(frozen=True, slots=True)
class TextTemplate:
    """One text with Jinja2 in it."""

    text: str

    @property
    def kind(self) -> str:
        """`text`."""
        return "text"


@dataclass(frozen=True, slots=True)
class Unit:
    """Everything that decides behaviour; immutable to the bottom.

    Attributes:
        template: Chat messages or text.
        model: The model's name; where it is reached is the caller's endpoint.
        params: Parameters of the request, such as `temperature`.
        variables: Declared variables by name.
        tools: Tools of the chat completions interface.
        tool_choice: Which tool to use, or None.
        response_format: The answer's form, or None.
        inputs: Variables that are another prompt's output, as `prompt@label`.
    """

    template: ChatTemplate | TextTemplate
    model: str
    params: FrozenDict = field(default_factory=FrozenDict)
    variables: FrozenDict = field(default_factory=FrozenDict)
    tools: FrozenList = field(default_factory=FrozenList)
    tool_choice: Any = None
    response_format: Any = None
    inputs: FrozenDict = field(default_factory=FrozenDict)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the variables that a caller must give; inputs are not among them."""
        return tuple(name for name, variable in self.variables.items() if variable.required and name not in self.inputs)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        template: dict[str, Any] = (
            {"messages": thaw(self.template.messages)}
            if isinstance(self.template, ChatTemplate)
            else {"text": self.template.text}
        )
        told: dict[str, Any] = {
            "format": FORMAT,
            "template": template,
            "model": self.model,
            "params": thaw(self.params),
            "variables": {name: variable.to_dict() for name, variable in self.variables.items()},
        }
        if self.tools:
            told["tools"] = thaw(self.tools)
        if self.tool_choice is not None:
            told["tool_choice"] = thaw(self.tool_choice)
        if self.response_format is not None:
            told["response_format"] = thaw(self.response_format)
        if self.inputs:
            told["inputs"] = thaw(self.inputs)
        return told

    @classmethod
    def from_dict(cls, told: Any) -> Unit:
        """Read the JSON form.

        Raises:
            InvalidUnitError: A part is missing or of the wrong shape; `field` names it.
        """
        if not isinstance(told, Mapping):
            raise InvalidUnitError(f"a unit is a JSON object, got {type(told).__name__}")
        if told.get("format") != FORMAT:
            raise InvalidUnitError(
                f"this unit has format {told.get('format')!r}; this Pressmark reads format {FORMAT}: upgrade pressmark",
                field="format",
            )
        if unknown := set(told) - _KEYS:
            raise InvalidUnitError(f"a unit has no part called {', '.join(sorted(map(str, unknown)))}", field="unit")
        variables = told.get("variables", {})
        if not isinstance(variables, Mapping):
            raise InvalidUnitError("variables must be an object of name to declaration", field="variables")
        return cls(
            template=_template(told.get("template")),
            model=_model(told.get("model")),
            params=_params(told.get("params", {})),
            variables=FrozenDict({name: Variable.from_dict(name, body) for name, body in variables.items()}),
            tools=_list(told.get("tools", []), "tools"),
            tool_choice=_frozen(told.get("tool_choice"), "tool_choice"),
            response_format=_frozen(told.get("response_format"), "response_format"),
            inputs=_inputs(told.get("inputs", {}), variables),
        )


def parse_input(reference: str) -> tuple[str, str]:
    """Split `prompt@label` into its two parts.

    Raises:
        InvalidUnitError: It has another form.
    """
    name, at, label = reference.partition("@") if isinstance(reference, str) else ("", "", "")
    if not at:
        raise InvalidUnitError(
            f"an input names a prompt and a label, such as 'support/summarise@production'; got {reference!r}",
            field="inputs",
        )
    return check_name(name), check_label(label)


def _template(told: Any) -> ChatTemplate | TextTemplate:
    if isinstance(told, Mapping) and set(told) == {"text"}:
        if not isinstance(told["text"], str) or not told["text"].strip():
            raise InvalidUnitError("the text of a prompt must not be empty: write it", field="template.text")
        return TextTemplate(told["text"])
    if isinstance(told, Mapping) and set(told) == {"messages"}:
        messages = told["messages"]
        if not isinstance(messages, list | tuple) or not messages:
            raise InvalidUnitError("a chat prompt needs at least one message: add one", field="template.messages")
        return ChatTemplate(FrozenList([_message(message, place) for place, message in enumerate(messages)]))
    raise InvalidUnitError('a template is {"messages": […]} or {"text": "…"}', field="template")


def _message(told: Any, place: int) -> FrozenDict:
    where = f"messages[{place}]"
    if not isinstance(told, Mapping):
        raise InvalidUnitError(
            f"{where} must be an object with role and content, got {type(told).__name__}", field=where
        )
    if "placeholder" in told:
        name = told["placeholder"]
        if set(told) != {"placeholder"} or not (isinstance(name, str) and name.isidentifier()):
            raise InvalidUnitError(f'{where} must be {{"placeholder": "variable name"}} and nothing else', field=where)
        return FrozenDict({"placeholder": name})
    if told.get("role") not in ROLES:
        raise InvalidUnitError(f"{where} has role {told.get('role')!r}; choose one of {', '.join(ROLES)}", field=where)
    if unknown := set(told) - {"role", "content", "name", "tool_calls", "tool_call_id"}:
        raise InvalidUnitError(f"{where} has unknown keys: {', '.join(sorted(map(str, unknown)))}", field=where)
    content = told.get("content")
    if content is None and not told.get("tool_calls"):
        raise InvalidUnitError(f"{where} has neither content nor tool_calls: add one of them", field=where)
    if isinstance(content, list | tuple):
        for number, part in enumerate(content):
            if not isinstance(part, Mapping) or not isinstance(part.get("type"), str):
                raise InvalidUnitError(f"{where}.content[{number}] must be an object with a type", field=where)
    elif content is not None and not isinstance(content, str):
        raise InvalidUnitError(
            f"{where}.content must be text or a list of parts, got {type(content).__name__}", field=where
        )
    _check_tool_calls(told.get("tool_calls"), where)
    frozen: FrozenDict = _frozen(told, where)
    return frozen


def _check_tool_calls(calls: Any, where: str) -> None:
    if calls is None:
        return
    if not isinstance(calls, list | tuple):
        raise InvalidUnitError(f"{where}.tool_calls must be a list", field=where)
    for number, call in enumerate(calls):
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise InvalidUnitError(f"{where}.tool_calls[{number}] must hold a function with a name", field=where)
        if not isinstance(function.get("arguments", ""), str):
            raise InvalidUnitError(
                f"{where}.tool_calls[{number}].function.arguments must be JSON text, not an object",
                field=where,
            )


def _model(told: Any) -> str:
    if not isinstance(told, str) or not told.strip() or told != told.strip():
        raise InvalidUnitError(f"model must be a model's name, such as 'gpt-5-mini'; got {told!r}", field="model")
    return told


def _params(told: Any) -> FrozenDict:
    if not isinstance(told, Mapping):
        raise InvalidUnitError(f"params must be an object, got {type(told).__name__}", field="params")
    if taken := sorted(set(told) & RESERVED_PARAMS):
        raise InvalidUnitError(
            f"params cannot hold {', '.join(taken)}: the prompt or the runner sets it; give it by its own argument",
            field="params",
        )
    frozen: FrozenDict = _frozen(told, "params")
    return frozen


def _list(told: Any, where: str) -> FrozenList:
    if not isinstance(told, list | tuple):
        raise InvalidUnitError(f"{where} must be a list, got {type(told).__name__}", field=where)
    frozen: FrozenList = _frozen(told, where)
    return frozen


def _inputs(told: Any, variables: Mapping[str, Any]) -> FrozenDict:
    if not isinstance(told, Mapping):
        raise InvalidUnitError("inputs must be an object of variable to 'prompt@label'", field="inputs")
    for variable, reference in told.items():
        parse_input(reference)
        if variable not in variables:
            raise InvalidUnitError(
                f"input {variable!r} is not a variable of the template: use it there or drop it",
                field="inputs",
            )
    return FrozenDict(told)


def _frozen(value: Any, where: str) -> Any:
    try:
        return freeze(value)
    except TypeError as error:
        raise InvalidUnitError(f"{where}: {error}", field=where) from error
    except RecursionError:
        raise InvalidUnitError(f"{where} is nested too deeply", field=where) from None

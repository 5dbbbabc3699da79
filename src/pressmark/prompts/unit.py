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

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pressmark.errors import InvalidUnitError
from pressmark.prompts.frozen import FrozenDict, FrozenList, Immutable, freeze, thaw
from pressmark.prompts.messages import read_message
from pressmark.prompts.names import check_label, check_name
from pressmark.prompts.quoting import listed, shown
from pressmark.prompts.variable import Variable

FORMAT: Final = 1
RESERVED_PARAMS: Final = frozenset(
    {"model", "messages", "tools", "tool_choice", "response_format", "stream", "stream_options", "n"}
)
# What the client's `create` takes beside the request's body, and what the client itself is made with: who calls, with
# which key, through which connection. A unit is read by everybody who may see the prompt, so none of it belongs there.
CALLERS_PARAMS: Final = frozenset(
    {
        "admin_api_key", "api_key", "base_url", "data_residency", "default_headers", "default_query", "extra_headers",
        "extra_query", "http_client", "max_retries", "organization", "project", "provider", "timeout",
        "webhook_secret", "websocket_base_url", "workload_identity",
    }
)  # fmt: skip
# Names under which people write down secrets, without case and punctuation.
_SECRETS: Final = frozenset(
    {"accesstoken", "apikey", "authorization", "authtoken", "bearertoken", "clientsecret", "password", "xapikey"}
)
_KEYS: Final = frozenset(
    {"format", "template", "variables", "model", "params", "tools", "tool_choice", "response_format", "inputs"}
)


@dataclass(frozen=True, slots=True)
class ChatTemplate(Immutable):
    """Chat messages, each with Jinja2 in its strings, and placeholders for a history."""

    messages: FrozenList

    def __post_init__(self) -> None:
        object.__setattr__(self, "messages", freeze(self.messages))

    @property
    def kind(self) -> str:
        """`chat`."""
        return "chat"


@dataclass(frozen=True, slots=True)
class TextTemplate(Immutable):
    """One text with Jinja2 in it."""

    text: str

    @property
    def kind(self) -> str:
        """`text`."""
        return "text"


@dataclass(frozen=True, slots=True)
class Unit(Immutable):
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

    def __post_init__(self) -> None:
        for name in ("params", "tools", "tool_choice", "response_format", "inputs"):
            object.__setattr__(self, name, freeze(getattr(self, name)))
        object.__setattr__(self, "variables", FrozenDict(self.variables))

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
            raise InvalidUnitError(
                f"a unit is a JSON object with the parts {', '.join(sorted(_KEYS))}; got {type(told).__name__}",
                field="unit",
            )
        _check_format(told.get("format"))
        if unknown := set(told) - _KEYS:
            raise InvalidUnitError(
                f"a unit has no part called {listed(sorted(map(str, unknown)))}; its parts are"
                f" {', '.join(sorted(_KEYS))}",
                field="unit",
            )
        variables = told.get("variables", {})
        if not isinstance(variables, Mapping):
            raise InvalidUnitError(
                f'variables must be an object such as {{"text": "string"}}, got {type(variables).__name__}',
                field="variables",
            )
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


def _check_format(told: object) -> None:
    if type(told) is int and told == FORMAT:
        return
    if type(told) is int and told > FORMAT:
        raise InvalidUnitError(
            f"this unit has format {told}, and this Pressmark reads format {FORMAT}: upgrade pressmark", field="format"
        )
    raise InvalidUnitError(f"a unit says its format: {FORMAT}; got {shown(told)}: correct it", field="format")


def parse_input(reference: str) -> tuple[str, str]:
    """Split `prompt@label` into its two parts.

    Raises:
        InvalidUnitError: It has another form.
    """
    name, at, label = reference.partition("@") if isinstance(reference, str) else ("", "", "")
    if not at:
        raise InvalidUnitError(
            f"an input names a prompt and a label, such as 'support/summarise@production'; got {shown(reference)}",
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
        return ChatTemplate(FrozenList([read_message(message, place) for place, message in enumerate(messages)]))
    raise InvalidUnitError('a template is {"messages": […]} or {"text": "…"}', field="template")


def _model(told: Any) -> str:
    if not isinstance(told, str) or not told.strip() or told != told.strip():
        raise InvalidUnitError(f"model must be a model's name, such as 'gpt-5-mini'; got {shown(told)}", field="model")
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
    _check_callers(frozen, "params")
    return frozen


def _check_callers(told: Mapping[str, Any], where: str) -> None:
    """Refuse what is the caller's and no part of a request, in the parameters and in a vendor's own, `extra_body`."""
    if taken := sorted(key for key in told if key in CALLERS_PARAMS):
        raise InvalidUnitError(
            f"{where} cannot hold {', '.join(taken)}, which belongs to whoever makes the call and not to the prompt:"
            " name the address and the variable of its key with ws.endpoint(), and give timeout= to the run",
            field="params",
        )
    if "extra_body" in told:
        extra = told["extra_body"]
        if not isinstance(extra, Mapping):
            raise InvalidUnitError(
                f"{where}.extra_body holds a vendor's own parameters as an object, got {shown(extra)}:"
                " write it as {…}",
                field="params",
            )
        if taken := sorted(set(extra) & (RESERVED_PARAMS | {"extra_body"})):
            raise InvalidUnitError(
                f"{where}.extra_body cannot hold {', '.join(taken)}: the prompt or the runner sets it; give it by its"
                " own argument",
                field="params",
            )
        _check_callers(extra, f"{where}.extra_body")
    _check_secrets(told, where)


def _check_secrets(value: Any, where: str) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if re.sub(r"[^a-z]", "", str(key).lower()) in _SECRETS:
                raise InvalidUnitError(
                    f"{where} cannot hold {shown(key)}: everybody who sees the prompt could read it; name the variable"
                    " that holds a key with ws.endpoint(…, key_env='…')",
                    field="params",
                )
            _check_secrets(item, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for item in value:
            _check_secrets(item, where)


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
        if not isinstance(variable, str) or variable not in variables:
            raise InvalidUnitError(
                f"input {shown(variable)} is not a variable of the template: use it there or drop it",
                field="inputs",
            )
    return FrozenDict(told)


def _frozen(value: Any, where: str) -> Any:
    try:
        return freeze(value)
    except TypeError as error:
        raise InvalidUnitError(f"{where}: {error}", field=where) from error

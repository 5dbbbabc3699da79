"""What a page may ask of its widget: methods marked as commands, by name, with checked arguments, and nothing else.

A message `{"kind": "command", "id": 7, "command": "save", "args": {...}}` runs the method `save` on one of the widget's
lanes and is answered with `{"kind": "reply", "id": 7, "ok": true, "value": ...}` or `"ok": false, "error": {...}`.
"""

from __future__ import annotations

import inspect
import traceback
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pressmark.errors import PressmarkError
from pressmark.prompts import LabelPointer

_MARK = "_pressmark_command"
_SHOWN_ATTRIBUTES = ("line", "column", "hint", "status", "current", "field")

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Command:
    """A method that a page may call.

    Attributes:
        name: What the page calls it.
        lane: Where it runs: "workspace", "registry", "comparison", or "now" for what only sets a trait or a flag.
        latest: Whether a newer call of it makes one that still waits pointless.
        parameters: Its arguments with the types that are let in, and whether each is required.
    """

    name: str
    lane: str
    latest: bool
    parameters: Mapping[str, tuple[tuple[type, ...], bool]]

    def checked(self, args: object) -> dict[str, Any]:
        """The arguments as they came, once every one is known, given and of its type.

        Raises:
            PressmarkError: One is not.
        """
        if not isinstance(args, dict):
            raise PressmarkError(f"the command {self.name!r} came without named arguments: reload the page")
        unknown = sorted(set(args) - set(self.parameters))
        if unknown:
            raise PressmarkError(
                f"the command {self.name!r} does not take {', '.join(map(repr, unknown))}: the page and the kernel run "
                "different versions of Pressmark; restart the kernel and reload the page"
            )
        for name, (accepted, required) in self.parameters.items():
            if name not in args:
                if required:
                    raise PressmarkError(f"the command {self.name!r} lacks {name!r}: reload the page")
            elif not _is_of(args[name], accepted):
                wanted = " or ".join(each.__name__ for each in accepted)
                raise PressmarkError(
                    f"the command {self.name!r} got {name}={args[name]!r:.80}, which is not {wanted}: reload the page"
                )
        return args


def _is_of(value: object, accepted: tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return bool in accepted
    return isinstance(value, accepted)


def command(*, lane: str = "workspace", latest: bool = False) -> Callable[[F], F]:
    """Marks a method as one that the page may call.

    Args:
        lane: Where it runs.
        latest: Whether a newer call makes a waiting one pointless.
    """

    def mark(method: F) -> F:
        setattr(method, _MARK, (lane, latest))
        return method

    return mark


def commands_of(cls: type) -> dict[str, Command]:
    """The commands that a class marks, by name."""
    found: dict[str, Command] = {}
    methods = {name: value for each in reversed(cls.__mro__) for name, value in vars(each).items()}
    for name, method in methods.items():
        marked = getattr(method, _MARK, None) if inspect.isfunction(method) else None
        if marked is None:
            continue
        hints = typing.get_type_hints(method)
        parameters = {
            parameter.name: (_accepted(hints[parameter.name]), parameter.default is inspect.Parameter.empty)
            for parameter in list(inspect.signature(method).parameters.values())[1:]
        }
        found[name] = Command(name, marked[0], marked[1], parameters)
    return found


def _accepted(hint: Any) -> tuple[type, ...]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return tuple(kind for part in typing.get_args(hint) for kind in _accepted(part))
    origin = typing.get_origin(hint) or hint
    if origin is typing.Literal:
        return (str,)
    if typing.is_typeddict(origin):
        return (dict,)
    return (origin,)


def told(error: BaseException) -> dict[str, Any]:
    """An error as the page shows it: the sentence first, what it knows beside it, the traceback folded below."""
    if isinstance(error, PressmarkError):
        shown = {name: getattr(error, name, None) for name in _SHOWN_ATTRIBUTES}
        return {
            "message": str(error),
            "kind": type(error).__name__,
            **{name: value for name, value in shown.items() if isinstance(value, str | int)},
            **_pointer(getattr(error, "current", None)),
        }
    return {
        "message": f"Pressmark stumbled: {type(error).__name__}: {error}. Nothing else was changed; try again, and "
        "report it with the details below if it stays",
        "kind": type(error).__name__,
        "details": "".join(traceback.format_exception(error)),
    }


def _pointer(current: object) -> dict[str, Any]:
    """Where a label stands, of a conflict: who moved it there, when and why."""
    if not isinstance(current, LabelPointer):
        return {}
    return {
        "current": {
            "version": current.version,
            "seq": current.seq,
            "moved_by": current.moved_by,
            "moved_at": current.moved_at.isoformat(),
            "reason": current.reason,
        }
    }

"""JSON values that cannot be changed.

They are subclasses of `dict` and `list`, so `json.dumps` and the openai client take them as they are; every method
that would change them raises.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any, NoReturn


def _refuse(self: object, *args: object, **kwargs: object) -> NoReturn:
    raise TypeError("this value belongs to an immutable prompt version: copy it with pressmark.prompts.thaw() first")


class FrozenDict(dict[str, Any]):
    """A dict that refuses changes; hashable when its values are."""

    __slots__ = ()
    __setitem__ = __delitem__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse
    __ior__ = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __copy__(self) -> FrozenDict:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return {key: copy.deepcopy(value, memo) for key, value in self.items()}

    def __reduce__(self) -> tuple[object, ...]:
        return FrozenDict, (dict(self),)


class FrozenList(list[Any]):
    """A list that refuses changes; hashable when its items are."""

    __slots__ = ()
    __setitem__ = __delitem__ = _refuse
    append = extend = insert = remove = pop = clear = sort = reverse = _refuse
    __iadd__ = __imul__ = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self))

    def __copy__(self) -> FrozenList:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        return [copy.deepcopy(item, memo) for item in self]

    def __reduce__(self) -> tuple[object, ...]:
        return FrozenList, (list(self),)


def freeze(value: Any) -> Any:
    """Return the JSON value with each dict and list in it made immutable.

    Raises:
        TypeError: The value holds something that JSON has no form for.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise TypeError(f"{value} has no JSON form: use a finite number or null")
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, FrozenDict | FrozenList):
        return value
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"a JSON object's keys are strings, got {type(key).__name__} {key!r}")
        return FrozenDict({key: freeze(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return FrozenList([freeze(item) for item in value])
    raise TypeError(f"{type(value).__name__} has no JSON form: use str, int, float, bool, None, list or dict")


def thaw(value: Any) -> Any:
    """Return a plain copy of the value that its owner may change."""
    if isinstance(value, Mapping):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [thaw(item) for item in value]
    return value

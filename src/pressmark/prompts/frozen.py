"""JSON values that cannot be changed.

They are subclasses of `dict` and `list`, so `json.dumps` and the openai client take them as they are; every method
that would change them raises. They seal what they are made of, so immutable is true all the way down.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, Self

MAX_DEPTH = 64


class Immutable:
    """A value that is its own copy, shallow or deep."""

    __slots__ = ()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


def _refuse(self: object, *args: object, **kwargs: object) -> NoReturn:
    raise TypeError("this value belongs to an immutable prompt version: copy it with pressmark.prompts.thaw() first")


class FrozenDict(dict[str, Any]):
    """A dict that refuses changes; hashable when its values are.

    `copy.deepcopy` and `thaw` give a plain copy that its owner may change.
    """

    __slots__ = ()
    __setitem__ = __delitem__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse
    __ior__ = _refuse

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Make one of what `dict` takes, with each dict and list in it made immutable too."""
        self = super().__new__(cls)
        dict.update(self, {key: _sealed(value) for key, value in dict(*args, **kwargs).items()})
        return self

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: filled by `__new__`, so that a second call changes nothing."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return {key: copy.deepcopy(value, memo) for key, value in self.items()}

    def __reduce__(self) -> tuple[object, ...]:
        return FrozenDict, (dict(self),)


class FrozenList(list[Any]):
    """A list that refuses changes; hashable when its items are.

    `copy.deepcopy` and `thaw` give a plain copy that its owner may change.
    """

    __slots__ = ()
    __setitem__ = __delitem__ = _refuse
    append = extend = insert = remove = pop = clear = sort = reverse = _refuse
    __iadd__ = __imul__ = _refuse

    def __new__(cls, items: Iterable[Any] = ()) -> Self:
        """Make one of the items, with each dict and list in it made immutable too."""
        self = super().__new__(cls)
        list.extend(self, map(_sealed, items))
        return self

    def __init__(self, items: Iterable[Any] = ()) -> None:
        """Do nothing: filled by `__new__`, so that a second call changes nothing."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        return [copy.deepcopy(item, memo) for item in self]

    def __reduce__(self) -> tuple[object, ...]:
        return FrozenList, (list(self),)


def _sealed(value: Any) -> Any:
    if isinstance(value, FrozenDict | FrozenList):
        return value
    if isinstance(value, Mapping):
        return FrozenDict(value)
    if isinstance(value, list):
        return FrozenList(value)
    return tuple(map(_sealed, value)) if type(value) is tuple else value


def freeze(value: Any) -> Any:
    """Return the JSON value with each dict and list in it made immutable.

    Subclasses of text and numbers (an enum's member, numpy's float64, Markup) become what they are a subclass of.

    Raises:
        TypeError: The value holds something that JSON has no form for, or is nested over 64 deep.
    """
    return _frozen(value, MAX_DEPTH)


def _frozen(value: Any, depth: int) -> Any:
    if value is None or type(value) in (str, bool, int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise TypeError(f"{value} has no JSON form: use a finite number or null")
        return float(value)
    if isinstance(value, FrozenDict | FrozenList):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if depth <= 0 and isinstance(value, Mapping | list | tuple):
        raise TypeError(f"a value is nested over {MAX_DEPTH} deep: flatten it")
    # Their members are sealed already, so the constructors, which would look at each again, are gone around.
    if isinstance(value, list | tuple):
        items = list.__new__(FrozenList)
        list.extend(items, [_frozen(item, depth - 1) for item in value])
        return items
    if isinstance(value, Mapping):
        members = dict.__new__(FrozenDict)
        if set(map(type, value)) == _TEXT and set(map(type, value.values())) <= _FLAT:
            # A dataset's row, nearly always: there are hundreds of thousands, and nothing in them to look into.
            dict.update(members, value)
            return members
        dict.update(members, {_key(key): _frozen(item, depth - 1) for key, item in value.items()})
        return members
    raise TypeError(f"{type(value).__name__} has no JSON form: use str, int, float, bool, None, list or dict")


_TEXT = {str}
_FLAT = {str, int, bool, type(None)}


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a JSON object's keys are strings, got {type(key).__name__} {key!r}: convert it with str()")
    return str.__str__(key)


def thaw(value: Any) -> Any:
    """Return a plain copy of the value that its owner may change."""
    if isinstance(value, Mapping):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [thaw(item) for item in value]
    return value

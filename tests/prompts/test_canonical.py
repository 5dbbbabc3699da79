"""Canonical JSON as RFC 8785 says, and digests that never change."""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pressmark.errors import InvalidUnitError
from pressmark.prompts import Unit, freeze, sha256_digest
from pressmark.prompts.canonical import MAX_UNIT_BYTES, canonical_bytes, unit_bytes, unit_digest
from pressmark.rendering import build_unit

# RFC 8785, appendix B: the bits of a double and its one form.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


@pytest.mark.parametrize(("bits", "written"), NUMBERS.items())
def test_numbers_of_the_standard(bits: str, written: str) -> None:
    """Each number of the standard's table has the form given there, and keeps it when it is read and written again."""
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical_bytes(number).decode() == written
    assert canonical_bytes(json.loads(written)).decode() == written


@pytest.mark.parametrize("bits", ["7fffffffffffffff", "7ff0000000000000", "fff0000000000000"])
def test_numbers_without_a_form(bits: str) -> None:
    """Not-a-number and the infinities have no form."""
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    with pytest.raises(InvalidUnitError, match=r"no canonical JSON form .*: use finite numbers"):
        canonical_bytes({"a": [number]})


def test_the_standards_example() -> None:
    """The standard's example of literals, numbers and texts (section 3.2.2) gives its bytes."""
    told = json.loads(
        r"""{
          "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
          "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
          "literals": [null, true, false]
        }"""
    )
    assert canonical_bytes(told) == (
        rb'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        rb'"string":"' + "€".encode() + rb"$\u000f\nA'B" + rb'\"\\\\\"/"}'
    )


def test_the_standards_order() -> None:
    """Keys are sorted by UTF-16 code units, as in the standard's example (section 3.2.3)."""
    told = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    assert list(json.loads(canonical_bytes(told)).values()) == [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]


@pytest.mark.parametrize("value", [2**53 + 1, -(2**60), 10**400, {"a": "\ud800"}, {"\udfff": 1}, 12345678901234567890])
def test_values_without_a_form(value: Any) -> None:
    """Integers that a double would change and text that is no Unicode are refused, never rounded."""
    with pytest.raises(InvalidUnitError, match="no canonical JSON form"):
        canonical_bytes(value)


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
NUMBER = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_canonical_is_stable(value: Any) -> None:
    """Reading canonical bytes and making them canonical again gives the same bytes, whatever the order of the keys."""
    data = canonical_bytes(value)
    assert canonical_bytes(json.loads(data)) == data
    assert canonical_bytes(freeze(value)) == data
    assert canonical_bytes(_backwards(value)) == data


def _backwards(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _backwards(item) for key, item in reversed(value.items())}
    return [_backwards(item) for item in value] if isinstance(value, list) else value


def test_digests_of_bytes() -> None:
    """A digest is SHA-256 in lower-case hexadecimal, with its name in front."""
    assert sha256_digest(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert sha256_digest(b"abc") == "sha256:" + hashlib.sha256(b"abc").hexdigest()


# Digests are names for ever: these may never change, in no later version of Pressmark.
GOLDEN = {
    "text": (
        build_unit(text="Sort this message: {{ text }}", model="gpt-5-mini", params={"temperature": 0}),
        "sha256:515b31712ac2ede6016b23d04e125c0619364caafc7584fdcbb880dbe3fe8d16",
    ),
    "chat": (
        build_unit(
            messages=[
                {"role": "system", "content": "Antworte höflich. 🙂"},
                {"placeholder": "history"},
                {"role": "user", "content": [
                    {"type": "text", "text": "{% for row in rows %}{{ row.a }}\r\n{% endfor %}"},
                    {"type": "image_url", "image_url": {"url": "{{ picture }}"}},
                ]},
            ],
            model="gpt-5-mini",
            params={"temperature": 0.2, "top_p": 1.0, "seed": 7},
            variables={
                "history": {"type": "messages", "default": []},
                "rows": {"type": "list", "example": [{"a": 1}], "description": "The rows"},
                "picture": "string",
            },
            tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}],
            tool_choice="auto",
            response_format={"type": "json_object"},
            inputs={"picture": "art/draw@production"},
        ),
        "sha256:55795f58eaa271876e6fabd434a937518acd69c2b55cce233188669882952e51",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_digests(name: str) -> None:
    """The digests of two fixed units are what they were when Pressmark began, from whatever form they come."""
    unit, digest = GOLDEN[name]
    assert unit_digest(unit) == digest
    assert sha256_digest(unit_bytes(unit)) == digest
    loaded = Unit.from_dict(json.loads(unit_bytes(unit)))
    assert loaded == unit
    assert unit_digest(loaded) == digest
    assert unit_digest(Unit.from_dict(_backwards(unit.to_dict()))) == digest


def test_everything_that_decides_behaviour_is_in_the_digest() -> None:
    """A change of any part changes the digest."""
    unit, _ = GOLDEN["chat"]
    told = unit.to_dict()
    changes: dict[str, Any] = {
        "template": {"text": "x"}, "model": "other", "params": {}, "variables": {**told["variables"], "rows": "list"},
        "tools": [], "tool_choice": "none", "response_format": None, "inputs": {},
    }  # fmt: skip
    digests = {unit_digest(Unit.from_dict({**told, key: value})) for key, value in changes.items()}
    assert len(digests | {unit_digest(unit)}) == len(changes) + 1


def test_a_unit_of_over_a_mebibyte() -> None:
    """A unit may take 1 MiB of canonical bytes and not one more."""
    empty = len(unit_bytes(build_unit(text="x", model="m"))) - 1
    unit_bytes(build_unit(text="x" * (MAX_UNIT_BYTES - empty), model="m"))
    with pytest.raises(InvalidUnitError, match="takes 1,048,577 bytes; at most 1,048,576 are allowed: move"):
        unit_bytes(build_unit(text="x" * (MAX_UNIT_BYTES - empty + 1), model="m"))

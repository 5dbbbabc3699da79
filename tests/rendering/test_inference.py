"""What a template's use says of its variables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pressmark.prompts import MISSING
from pressmark.rendering import build_unit, read_template


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{{ b }} {{ a }} {{ b }}", {"a": "any", "b": "any"}),
        ("{% for x in xs %}{{ x }}{% endfor %}", {"xs": "list"}),
        ("{% for x in xs | sort %}{{ x.y }}{% endfor %}", {"xs": "list"}),
        ("{% for k, v in o | items %}{{ k }}{% endfor %}", {"o": "object"}),
        ("{% for k, v in o | dictsort %}{{ k }}{% endfor %}", {"o": "object"}),
        ("{{ o.name }}", {"o": "object"}),
        ("{{ o['name'] }}", {"o": "object"}),
        ("{{ xs[0] }}", {"xs": "any"}),
        ("{% for row in t.rows %}{% endfor %}", {"t": "object"}),
        ("{% for k in o %}{{ o.name }}{% endfor %}", {"o": "object"}),
        ("{% set y = x %}{{ y }}", {"x": "any"}),
        ("{% for x in xs %}{% set y = x %}{{ loop.index }}{% endfor %}", {"xs": "list"}),
        ("{% for _, v in pairs %}{{ v }}{% endfor %}", {"pairs": "list"}),
        ("{% if flag %}{% elif other %}{% endif %}", {"flag": "any", "other": "any"}),
        ("{{ x if y else z }}", {"x": "any", "y": "any", "z": "any"}),
        ("{# {{ x }} #}{% raw %}{{ y }}{% endraw %}text", {}),
        ("{{ größe }}", {"größe": "any"}),
        ("{{ class }} {{ from }}", {"class": "any", "from": "any"}),
    ],
)
def test_names_and_types(text: str, found: dict[str, str]) -> None:
    """Names from outside are found, in order, each with the type that its use asks for."""
    unit = build_unit(text=text, model="m")
    assert {name: variable.type for name, variable in unit.variables.items()} == found
    assert list(unit.variables) == sorted(found)
    assert unit.required == tuple(sorted(found))


@pytest.mark.parametrize(
    ("text", "default"),
    [
        ("{{ x | default('a') }}", "a"),
        ("{{ x | d(3) }}", 3),
        ("{{ x | default }}", ""),
        ("{{ x | default(none) }}", None),
        ("{{ x | default('a') }} {{ x | default('a') | upper }}", "a"),
        ("{{ x | default('a') }} {{ x | default('b') }}", MISSING),
        ("{{ x | default(1) }} {{ x | default(true) }}", MISSING),
        ("{{ x | default('a') }} {{ x }}", MISSING),
        ("{{ x | default(y) }}", MISSING),
        ("{{ x.y | default('a') }}", MISSING),
        ("{{ x | upper | default('a') }}", MISSING),
    ],
)
def test_defaults(text: str, default: object) -> None:
    """A default is taken over where every use of the variable has the same one."""
    found = build_unit(text=text, model="m").variables["x"]
    assert found.default == default
    assert type(found.default) is type(default)
    assert found.required is (default is MISSING)


def test_uses_in_several_messages_are_joined() -> None:
    """Two messages that use a variable differently give one declaration that suits both."""

    def variable(*texts: str) -> tuple[str, bool]:
        unit = build_unit(messages=[{"role": "user", "content": text} for text in texts], model="m")
        return unit.variables["x"].type, unit.variables["x"].required

    assert variable("{{ x }}", "{% for a in x %}{% endfor %}") == ("list", True)
    assert variable("{% for a in x %}{% endfor %}", "{{ x }}") == ("list", True)
    assert variable("{{ x | default('a') }}", "{{ x | default('a') }}") == ("any", False)
    assert variable("{{ x | default('a') }}", "{{ x }}") == ("any", True)
    assert variable("{{ x }}", "{{ x | default('a') }}") == ("any", True)


def test_a_placeholder_is_a_history() -> None:
    """A placeholder's variable is of type messages, whatever else uses it."""
    unit = build_unit(messages=[{"placeholder": "past"}, {"role": "user", "content": "{{ past | length }}"}], model="m")
    assert unit.variables["past"].type == "messages"
    unit = build_unit(messages=[{"role": "user", "content": "{{ past | length }}"}, {"placeholder": "past"}], model="m")
    assert unit.variables["past"].type == "messages"


@given(st.sets(st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True).map(lambda name: f"v_{name}"), max_size=12))
def test_every_name_is_found(names: set[str]) -> None:
    """However many variables there are, all of them are found, and nothing else."""
    text = "".join(f"{{{{ {name} }}}} and " for name in names)
    assert set(read_template(text).variables) == names

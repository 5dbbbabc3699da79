"""Nothing of Python can be reached from a template, and values are data, never templates."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pressmark.errors import PressmarkError, RenderError, TemplateError
from pressmark.rendering import Template, build_unit
from pressmark.rendering.environment import PromptEnvironment

# Ways out of sandboxes that were published over the years, and cousins of them.
ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ a.__class__ }}",
    "{{ a['__class__'] }}",
    "{{ a | attr('__class__') }}",
    "{{ [a] | map(attribute='__class__') | first }}",
    "{{ [a] | selectattr('__class__') | list }}",
    "{{ [a, a] | sort(attribute='__class__') }}",
    "{{ [a, a] | max(attribute='__class__') }}",
    "{{ [a] | unique(attribute='__class__') | list }}",
    "{{ [a] | join(',', '__class__') }}",
    "{{ [a] | groupby('__class__') }}",
    "{{ [a] | map('attr', '__class__') | list }}",
    "{{ [a] | map('format', a) | list }}",
    "{{ '{0.__class__}'.format(a) }}",
    "{{ '{0.__class__}' | format(a) }}",
    "{{ ('{0.__class__}'.format)(a) }}",
    "{{ '%s' % a }}",
    "{{ a.format_map }}",
    "{{ self._TemplateReference__context }}",
    "{{ self.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ cycler }}",
    "{{ joiner }}",
    "{{ namespace() }}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ config.items() }}",
    "{{ request.application }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ dict(a=1) }}",
    "{{ range.__class__ }}",
    "{% for x in l %}{{ loop.__class__ }}{% endfor %}",
    "{% for x in l %}{{ loop._iterator.gi_frame }}{% endfor %}",
    "{% for x in l %}{{ loop['__init__'] }}{% endfor %}",
    "{% for x in l %}{{ loop.cycle }}{% endfor %}",
    "{% for x in l %}{{ loop.changed(x) }}{% endfor %}",
    "{% for x in l %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "{{ l.append(1) }}",
    "{{ a.upper() }}",
    "{{ o.update({'x': 1}) }}",
    "{{ o.items }}",
    "{{ o.__class__ }}",
    "{{ o.pop('k') }}",
    "{% set x = a.__class__ %}{{ x }}",
    "{% set ns = namespace(x=1) %}{% set ns.x = 2 %}",
    "{% import 'os' as os %}",
    "{% from 'os' import path %}",
    "{% include '/etc/passwd' %}",
    "{% extends a %}",
    "{% block x %}{% endblock %}",
    "{% macro m() %}{{ caller.__globals__ }}{% endmacro %}",
    "{% call m() %}{% endcall %}",
    "{% filter upper %}x{% endfilter %}",
    "{% set x %}text{% endset %}",
    "{% with x = 1 %}{{ x }}{% endwith %}",
    "{% autoescape true %}{{ a }}{% endautoescape %}",
    "{% do l.append(1) %}",
    "{% trans %}x{% endtrans %}",
    "{% debug %}",
    "{{ a is filter }}",
    "{{ 'x' is sameas a }}",
    "{{ a is callable }}",
    "{{ ().__class__ }}",
    "{{ {}.__class__ }}",
    "{{ 1 .__class__ }}",
    "{{ true.__class__ }}",
    "{{ a | safe }}",
    "{{ a | xmlattr }}",
    "{{ a | urlize }}",
    "{{ a | pprint }}",
    "{{ a | random }}",
    "{{ l | map('_pressmark_built') }}",
    "{{ a | _pressmark_built }}",
    "{{ _context }}",
    "{{ __builtins__ }}",
    "{{ (x for x in a) }}",
    "{{ lambda: a }}",
    "{{ a if a else __import__('os') }}",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_an_escape_ends_in_one_error(text: str) -> None:
    """Every known way out of a Jinja sandbox is refused when saved, or stumbles over missing data when rendered."""
    values = {"a": "v", "l": ["i"], "o": {"k": "v"}}
    with pytest.raises(PressmarkError) as caught:
        template = Template(build_unit(text=text, model="m"))
        template.render({name: value for name, value in values.items() if name in template.used})
    assert isinstance(caught.value, TemplateError | RenderError)
    assert "<class" not in str(caught.value)
    assert " at 0x" not in str(caught.value)


def test_values_are_not_changed_by_rendering() -> None:
    """What the caller passes is as it was before."""
    values = {"rows": [{"b": [2, 1]}, {"b": []}], "o": {"x": {"y": 1}}}
    kept = copy.deepcopy(values)
    text = "{% for r in rows %}{{ r.b | sort }}{{ r.b + [3] }}{% set r = 1 %}{% endfor %}{{ o | items | list }}"
    Template(build_unit(text=text, model="m")).render(values)
    assert values == kept


SPELLS = st.sampled_from(
    [
        "{{ secret }}",
        "{% set a = 1 %}",
        "{# gone #}",
        "{{",
        "}}",
        "{%",
        "%}",
        "{{ 7 * 7 }}",
        "{% raw %}",
        "{{ a }}",
        "#}",
        "\\",
        "\n",
    ]
)
HOSTILE = st.lists(SPELLS | st.text(max_size=8), max_size=8).map("".join)


@given(value=HOSTILE)
def test_a_value_is_never_expanded(value: str) -> None:
    """Whatever a value holds, it stands in the output letter by letter."""
    text = "<{{ a }}|{{ l[0] }}|{{ o.k }}|{% for x in l %}{{ x }}{% endfor %}|{{ a ~ '' }}>"
    template = Template(build_unit(text=text, model="m"))
    assert template.render({"a": value, "l": [value], "o": {"k": value}}) == f"<{'|'.join([value] * 5)}>"


@given(value=HOSTILE)
def test_a_history_and_parts_are_never_expanded(value: str) -> None:
    """A history's messages, the parts of a message and a tool call's arguments hold values letter by letter."""
    unit = build_unit(
        messages=[
            {"placeholder": "history"},
            {"role": "user", "content": [{"type": "text", "text": "{{ a }}"}]},
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"q": {{ a | tojson }}}'}}
                ],
            },
        ],
        model="m",
        tools=[{"type": "function", "function": {"name": "f", "parameters": {"properties": {"q": {}}}}}],
    )
    history = [{"role": "user", "content": value}, {"role": "assistant", "content": [{"type": "text", "text": value}]}]
    rendered: Any = Template(unit).render({"history": history, "a": value})
    assert rendered[:2] == history
    assert rendered[2]["content"][0]["text"] == value
    assert json.loads(rendered[3]["tool_calls"][0]["function"]["arguments"]) == {"q": value}


@given(value=HOSTILE)
def test_a_default_is_never_expanded(value: str) -> None:
    """A default is a value too."""
    unit = build_unit(text="[{{ a }}]", model="m", variables={"a": {"type": "string", "default": value}})
    assert Template(unit).render({}) == f"[{value}]"


def test_markup_is_plain_text_here(render: Any) -> None:
    """A value that marks itself as HTML escapes nothing around it."""
    from markupsafe import Markup

    assert render("{{ '<' ~ a }}{{ '<' + a }}", a=Markup("<b>")) == "<<b><<b>"


def test_values_cannot_bring_behaviour() -> None:
    """Objects with methods of their own never reach a template: only JSON data does."""

    class Sneaky(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "changed"

        def __format__(self, spec: str) -> str:
            return "changed"

        def upper(self) -> str:
            return "changed"

    template = Template(build_unit(text="{{ a }} {{ a | upper }}", model="m"))
    assert template.render({"a": Sneaky("a")}) == "a A"
    for value in (object(), {1, 2}, b"x", lambda: 1, type, iter([])):
        with pytest.raises(PressmarkError, match="has no JSON form"):
            template.render({"a": value})


def test_there_are_no_globals() -> None:
    """The environment holds no function of Jinja's that a template could name."""
    assert PromptEnvironment().globals == {}

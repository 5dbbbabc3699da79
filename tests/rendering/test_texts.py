"""What a template gives for what is written: constants, comments, raw blocks, line ends, types of values."""

from __future__ import annotations

from typing import Any

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pressmark.errors import RenderError
from pressmark.rendering import Template, build_unit

# No tag in it, whatever it is joined with; all of Python's and JSON's odd characters otherwise.
LETTERS = st.text(st.characters(codec="utf-8", exclude_characters="{}%#"), max_size=20)
PLAIN = st.lists(LETTERS | st.sampled_from(["\r\n", "\n", "\r"]), max_size=8).map("".join)


@given(PLAIN)
def test_a_constant_equals_a_template_of_the_same_text(text: str) -> None:
    """A text does not change when a tag is added to it: line ends are one newline either way."""
    if not text.strip():
        text += "."
    constant = Template(build_unit(text=text, model="m")).render({})
    templated = Template(build_unit(text=text + "{# #}{{ a }}", model="m")).render({"a": ""})
    assert constant == templated == text.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb", "a\nb"),
        ("a\r\nb {{ v }}\r\n", "a\nb V\n"),
        ("ends with a newline {{ v }}\n", "ends with a newline V\n"),
        ("ends with two\n\n", "ends with two\n\n"),
        ("a {# gone\nfor good #}b", "a b"),
        ("{% raw %}{{ v }} {% if %} {#{% endraw %}", "{{ v }} {% if %} {#"),
        ("{%- raw %} x {% endraw -%} y", " x y"),
        ("a { b } } % # {v}", "a { b } } % # {v}"),
        ('{"json": {"a": 1}}', '{"json": {"a": 1}}'),
        ("}} %} #}", "}} %} #}"),
        ("# no line statement\n## nor comment {{ v }}", "# no line statement\n## nor comment V"),
        ("  {%- if v %}\n  x\n  {%- endif %}", "\n  x"),
        ("{% if v %}\nx\n{% endif %}\n", "\nx\n\n"),
        ("{{ v -}} \n z", "Vz"),
        ("<b>{{ '<&>' }}</b>", "<b><&></b>"),
        ("{{ 'it''s' }}", "its"),
        ("{{ '\\n' }}", "\n"),
    ],
)
def test_texts(render: Any, text: str, expected: str) -> None:
    """Comments go, raw blocks stay, braces that are no tags are text, and nothing is escaped as HTML."""
    assert render(text, **({"v": "V"} if " v " in text and "raw" not in text else {})) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("v.a + 1", "2"),
        ("v.a / 2", "0.5"),
        ("v.a // 2", "0"),
        ("7 % 4 * 2 - 1", "5"),
        ("-v.a", "-1"),
        ("v.s + '!'", "text!"),
        ("v.l + [4]", "[1, 2, 3, 4]"),
        ("v.s ~ v.a ~ none ~ true", "text1NoneTrue"),
        ("v.l[0]", "1"),
        ("v.l[-1]", "3"),
        ("v.l[1:]", "[2, 3]"),
        ("v.s[:2]", "te"),
        ("v.s[::-1]", "txet"),
        ("v['a']", "1"),
        ("v.o.k", "w"),
        ("v.o['k'] == 'w'", "True"),
        ("v.a in v.l", "True"),
        ("9 not in v.l", "True"),
        ("'ex' in v.s", "True"),
        ("'k' in v.o", "True"),
        ("v.a < 2 and 2 <= 2", "True"),
        ("v.a != 1 or not v.a", "False"),
        ("'x' if v.a > 5 else 'y'", "y"),
        ("v.o | items | list", "[('k', 'w')]"),
        ("v.o | tojson", '{"k": "w"}'),
        ("v.t | tojson", '["<ü>", null, true, 1.5]'),
        ("v.o | tojson(2)", '{\n  "k": "w"\n}'),
        ("v.l | map('string') | join('-')", "1-2-3"),
        ("v.rows | map(attribute='n') | list", "[2, 1]"),
        ("v.rows | sort(attribute='n') | map(attribute='n') | join", "12"),
        ("v.rows | selectattr('n', 'gt', 1) | list | length", "1"),
        ("v.rows | join(', ', attribute='n')", "2, 1"),
        ("v.rows | join(', ', 'n')", "2, 1"),
        ("v.l | select('odd') | list", "[1, 3]"),
        ("v.l | reject('==', 2) | list", "[1, 3]"),
        ("v.l | reverse", "[3, 2, 1]"),
        ("v.s | reverse", "txet"),
        ("v.l | map('upper')", "['1', '2', '3']"),
        ("v.l | first ~ v.l | last", "13"),
        ("(v.l | first) ~ (v.l | last)", "13"),
        ("v.missing | default('d')", "d"),
        ("v.missing is defined", "False"),
        ("v.n is none", "True"),
        ("'  x ' | trim", "x"),
        ("'xxa' | trim('x')", "a"),
        ("'a b c' | replace(' ', '_', 1)", "a_b c"),
        ("'a\nb' | indent(2)", "a\n  b"),
        ("'one two' | title", "One Two"),
        ("'one two' | wordcount", "2"),
        ("3.14159 | round(2)", "3.14"),
        ("3.1 | round(method='ceil') | int", "4"),
        ("'7' | int + 1", "8"),
        ("'x' | int(5)", "5"),
        ("'abcdefghij' | truncate(6, true, '…', 0)", "abcde…"),
        ("[3, 1] | max", "3"),
        ("[2, 1, 2] | unique | list", "[2, 1]"),
        ("{'a': [v.a]}", "{'a': [1]}"),
        ("6 is divisibleby 3", "True"),
        ("v.l | length", "3"),
    ],
)
def test_expressions(render: Any, expression: str, expected: str) -> None:
    """The allowed expressions, filters and tests give what Jinja's documentation promises of them."""
    value = {
        "a": 1, "s": "text", "l": [1, 2, 3], "o": {"k": "w"}, "t": ["<ü>", None, True, 1.5], "n": None,
        "rows": [{"n": 2}, {"n": 1}],
    }  # fmt: skip
    values = {"v": value} if "v." in expression or "v[" in expression else {}
    assert render("{{ " + expression + " }}", **values) == expected


@pytest.mark.parametrize(
    "source",
    [
        "{% for x in l if x > 1 %}{{ loop.index }}/{{ loop.length }} {{ x }}{{ ',' if not loop.last }}{% endfor %}",
        "{% for x in [] %}{% else %}none{% endfor %}",
        "{% for k, v in o | items %}{{ k }}={{ v }};{% endfor %}",
        "{% for row in rows %}{% for n in row.ns %}{{ loop.index0 }}{{ n }}{% endfor %}|{% endfor %}",
        "{% for x in l %}{% if loop.first %}[{% elif loop.last %}]{% else %}{{ loop.previtem }}{% endif %}{% endfor %}",
        "{% set n = 2 %}{% for x in l %}{% set n = x * n %}{{ n }} {% endfor %}{{ n }}",
        "{% if l and o %}{{ l | join(', ') }}{% endif %}",
        "{{ l | sum if false else (l | length) * 2 }}",
    ],
)
def test_blocks_do_as_in_jinja(source: str) -> None:
    """Loops, conditions and assignments give exactly what stock Jinja gives."""
    values = {"l": [1, 2, 3], "o": {"a": 1, "b": 2}, "rows": [{"ns": [1, 2]}, {"ns": []}]}
    stock = jinja2.Environment(keep_trailing_newline=True, autoescape=False)
    if "sum" in source:
        source = source.replace("l | sum", "l | max")
    template = Template(build_unit(text=source, model="m"))
    used = {name: value for name, value in values.items() if name in template.used}
    assert template.render(used) == stock.from_string(source).render(used)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("v.missing", "the object has no 'missing'; it has a, s"),
        ("v.a.b", "int has no 'b': only objects have named parts"),
        ("v.l[9]", "the list has 1 items, so there is no item 9"),
        ("v.s['k']", "str has no item 'k'"),
        ("v.a < v.s", "not supported between instances of 'int' and 'str'"),
        ("v.a + v.s", "'+' joins two texts or two lists, got int and str: use ~"),
        ("v.s - 1", "'-' works on numbers only, got str and int: convert them with | int or | float"),
        ("v.a / 0", "division by zero"),
        ("v.missing | upper", "the object has no 'missing'"),
        ("v.missing ~ ''", "the object has no 'missing'"),
        ("v.missing == 1", "the object has no 'missing'"),
        ("v.missing in v.l", "the object has no 'missing'"),
        ("v.missing is none", "the object has no 'missing'"),
        ("v.missing + 1", "the object has no 'missing'"),
        ("[v.missing] | length", "the object has no 'missing'"),
        ("v.missing | tojson", "the object has no 'missing'"),
        ("v.missing | items | list", "the object has no 'missing'"),
        ("v.missing[1:]", "the object has no 'missing'"),
        ("'x' if v.missing else 'y'", "the object has no 'missing'"),
        ("v.a[1:]", "a slice such as [1:3] works on lists and texts, got int"),
        ("v.s | abs", "bad operand"),
        ("v.s | round", "round takes a number, got str"),
        ("v.l | join(attribute='x')", "an item has no 'x' to join by"),
        ("'abc' | truncate(1)", "expected length"),
        ("[] | first + 1", "No first item"),
        ("v.l | map(v.s) | list", "there is no filter 'x' here"),
        ("v.l | select(v.s) | list", "there is no test 'x' here"),
        ("1e308 * 10", "a number that is too large"),
        ("1e308 / 1e-10", "a number that is too large"),
        ("v.l | items", "'items' cannot work with a list such as [0] (Can only get item pairs from a mapping): check"),
        ("v.s | upper | items", "'items' cannot work with a str"),
        ("v.l + 1", "got list and int"),
        ("v.l - 1", "got list and int"),
        ("v.s | trim | abs", "'abs' cannot work with a str"),
        ("(1e308 * 10) | tojson", "a number that is too large"),
    ],
)
def test_a_value_that_does_not_fit(render: Any, expression: str, said: str) -> None:
    """A value that the template cannot use gives one error with the line and what is there instead."""
    values = {"v": {"a": 1, "s": "x", "l": [0]}} if "v." in expression else {}
    with pytest.raises(RenderError) as caught:
        render("line one\n{{ " + expression + " }}", **values)
    assert str(caught.value).startswith("text, line 2: ")
    assert said in str(caught.value)
    assert "Frozen" not in str(caught.value)
    assert (caught.value.line, caught.value.where) == (2, "text")


def test_the_line_in_a_loop(render: Any) -> None:
    """The line is the one where it went wrong, also deep inside blocks."""
    with pytest.raises(RenderError, match=r"^text, line 4: "):
        render("{% for r in rows %}\n{% if true %}\n\n{{ r.x }}\n{% endif %}{% endfor %}", rows=[{"x": 1}, {}])

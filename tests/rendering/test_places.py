"""An error in a template says its line and column, and what to do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pressmark.errors import TemplateError
from pressmark.rendering import build_unit, read_template

# Faulty tags, with the place in them that is wrong, from 0.
FAULTS = {
    "{{ a b }}": 5,
    "{{ $ }}": 3,
    "{{ a] }}": 4,
    "{{ a ! }}": 5,
    "{{ }}": 3,
    "{{ a | nope }}": 7,
    "{{ a | upper | nope }}": 15,
    "{{ a is nope }}": 5,
    "{{ self }}": 3,
    "{{ 'x' * 3 }}": 3,
    "{{ a.b() }}": 6,
    "{{- a b -}}": 6,
    "{%- unknown -%}": 4,
    "{% unknown %}": 3,
    "{% set _x = 1 %}": 7,
    "{% set a.b = 1 %}": 3,
    "{% macro m() %}{% endmacro %}": 3,
    "{% include 'x' %}": 3,
    "{% autoescape true %}{% endautoescape %}": 3,
    "{% for x in a recursive %}{% endfor %}": 3,
    "{% for x in a %}{{ x y }}{% endfor %}": 21,
    "{% if a %}{% else %}{% else %}{% endif %}": 23,
    "{{ {a: 1} }}": 4,
    "{{ a < b < c }}": 13,
    "{% endif %}": 3,
}
PIECES = st.sampled_from(
    [
        "Text.",
        "\n",
        "\r\n",
        "\r",
        "\n\n",
        "    ",
        "ünïcödé 日本語",
        "{{ a }}",
        "{{- a -}}",
        "{{ a\n| upper }}",
        "{{ 'a string }} with\nlines' }}",
        "{# a comment {{ b c }} #}",
        "{# over\r\ntwo lines #}",
        "{% raw %}{{ not a tag\n{% raw %}{% endraw %}",
        "{% if a %}\n  {{ a }}\n{%- endif +%}",
        "{% for x in l -%}\n {{ x }},\n{% endfor %}",
        "{% set b = [1,\n 2] %}",
        "{ } % # { { ",
        "}} %} #}",
    ]
)


@given(before=st.lists(PIECES, max_size=12), fault=st.sampled_from(sorted(FAULTS)), after=st.lists(PIECES, max_size=3))
def test_a_fault_is_told_at_its_place(before: list[str], fault: str, after: list[str]) -> None:
    """Whatever stands before it, a fault is reported at the line and column where it stands."""
    prefix = "".join(before)
    with pytest.raises(TemplateError) as caught:
        read_template(prefix + fault + "".join(after), "messages[0].content")
    lines = (prefix + fault[: FAULTS[fault]] + "|").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert (caught.value.line, caught.value.column) == (len(lines), len(lines[-1]))
    assert str(caught.value).startswith(f"messages[0].content, line {len(lines)}, column {len(lines[-1])}: ")
    assert caught.value.where == caught.value.field == "messages[0].content"


@given(before=st.lists(PIECES, max_size=12))
def test_the_pieces_themselves_are_well_formed(before: list[str]) -> None:
    """What the property above puts before a fault is a good template without it."""
    read_template("".join(before))


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("a {{ b", 1, 6, "close the tag"),
        ("a {{ b }", 1, 8, "unexpected '}': correct it, or put literal braces in {% raw %}…{% endraw %}"),
        ("a\n{% if b", 2, 7, "close the tag"),
        ("a\n{% if b %}c", 2, 11, "'if' is not closed here: write 'elif' or 'else' or 'endif'"),
        ("{% for x in l %}\n{{ x }}", 2, 6, "'for' is not closed here: write 'endfor' or 'else'"),
        ("a\nb {# c", 2, 5, "missing end of comment tag: close the tag"),
        ("a\nb {% raw %} c", 2, 12, "missing end of raw directive: close the tag"),
        ("{{ 'a }}", 1, 4, "unexpected char"),
        ("{% endfor %}", 1, 4, "unknown tag 'endfor'"),
        ("{% if a %}{% endfor %}", 1, 14, "'if' is not closed here: write 'elif' or 'else' or 'endif'"),
        ("{{ a.strip() }}", 1, 11, "calls such as .strip() are not allowed: use | trim"),
        ("{% for k, v in a.items() %}{% endfor %}", 1, 23, "use | items"),
        ("{{ now() }}", 1, 7, "calls such as now() are not allowed: let the caller pass the value as a variable"),
        ("{{ a._b }}", 1, 5, "parts that start with '_' are read by their key: write ['_b']"),
        ("{% if a is defined %}{% endif %}", 1, 9, "give it a default and test {% if a %}"),
        ("{{ loop.index }}", 1, 4, "'loop' cannot be a variable's name"),
        ("{{ ﬁ }}", 1, 4, "write 'fi'"),
        ("a\n{{ x | shouted }}", 2, 8, "there is no filter 'shouted' here: did you mean"),
        ("{{ x | uper }}", 1, 8, "did you mean upper"),
        ("{{ x | qqqq }}", 1, 8, "there is no filter 'qqqq' here: the caller can pass"),
        ("{{ 1 if x is evn }}", 1, 11, "there is no test 'evn' here: did you mean even"),
        ("{{ x | default('a', 'b', 'c', 'd') }}", 1, 8, "too many positional arguments): write default(default_value="),
        ("{{ x | replace() }}", 1, 8, "(missing a required argument: 'old'): write replace(old, new, count=None)"),
        ("a\n{{ x | trim(chars=x) }}", 2, 8, "unexpected keyword argument 'chars'): write trim(characters=None)"),
        ("{{ x | upper('a') }}", 1, 8, "write upper without arguments"),
        ("{{ x | upper(*y) }}", 1, 8, "write them without '*'"),
        ("{{ x | map }}", 1, 8, "map is told neither a filter nor an attribute: write map('upper')"),
        ("{{ x | map('foo') }}", 1, 8, "there is no filter 'foo' here"),
        ("{{ x | map(3) }}", 1, 8, "3 is no filter's name: write map('upper')"),
        ("{{ x | map(attr='a') }}", 1, 8, "map takes no attr=: write map('upper')"),
        ("{{ x | map('replace', 'a') }}", 1, 8, "missing a required argument: 'new'"),
        ("{{ x | select('foo') }}", 1, 8, "there is no test 'foo' here"),
        ("{{ x | select('divisibleby') }}", 1, 8, "write divisibleby(other"),
        ("{{ x | selectattr }}", 1, 8, "selectattr is not told which part to look at: write selectattr('name', 'odd')"),
        ("{{ x | rejectattr('a', 'foo') }}", 1, 8, "there is no test 'foo' here"),
        ("{{ 1 if x is odd(3) }}", 1, 11, "the test 'odd' does not take this"),
        ("{% for a in b %}{{ loop }}{% endfor %}", 1, 20, "loop is used by its parts: write one of loop."),
        ("{% for a in b %}{{ loop ~ a }}{% endfor %}", 1, 20, "loop is used by its parts"),
        ("{% for a in b %}{% set c = loop %}{% endfor %}", 1, 28, "loop is used by its parts"),
        ("{{ [a, }}", 1, 8, "correct it"),
    ],
)
def test_what_is_told(text: str, line: int, column: int, said: str) -> None:
    """Each fault is named in plain words, with what to write instead."""
    with pytest.raises(TemplateError) as caught:
        build_unit(text=text, model="m")
    assert said in str(caught.value)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_the_message_is_named() -> None:
    """Among many messages and parts, the error names the one that is wrong."""
    good = {"role": "user", "content": "Hello {{ a }}"}
    part = {"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "text", "text": "\n {{ a b }}"}]}
    with pytest.raises(TemplateError, match=r"^messages\[2\]\.content\[1\]\.text, line 2, column 7: "):
        build_unit(messages=[good, good, part], model="m")
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": {{ }}}'}}
    where = r"^messages\[1\]\.tool_calls\[0\]\.function\.arguments, line 1, column 10: "
    with pytest.raises(TemplateError, match=where):
        build_unit(messages=[good, {"role": "assistant", "tool_calls": [call]}], model="m")


@given(st.text(st.characters(codec="utf-8"), max_size=200) | st.text("{}%#-+ \n\r'\"ab|.()[]~", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever is typed, reading it succeeds or gives the one error with a place inside the text."""
    try:
        read_template(text)
    except TemplateError as error:
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        assert error.line is not None
        assert error.column is not None
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1

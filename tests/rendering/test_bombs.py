"""Hostile templates end at once, with one clear error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pressmark.errors import RenderError, RenderLimitError, TemplateError
from pressmark.rendering import Template, build_unit
from pressmark.rendering.limits import MAX_CHARACTERS, MAX_STEPS

from .bombs import REFUSED, STOPPED

# A bomb that goes off would run for minutes; the fuse is long, so that a busy machine passes.
pytestmark = pytest.mark.timeout(60, method="thread")


@pytest.mark.parametrize("bomb", REFUSED)
def test_a_bomb_is_refused_when_saved(bomb: str) -> None:
    """What can be seen to be dangerous in the template itself is refused before it is compiled."""
    template, said = REFUSED[bomb]
    with pytest.raises(TemplateError, match=said.replace("(", r"\(").replace(")", r"\)").replace("*", r"\*")) as caught:
        build_unit(text=template, model="m")
    assert caught.value.where == "text"
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("bomb", STOPPED)
def test_a_bomb_is_stopped_when_rendered(bomb: str) -> None:
    """What grows only with its values is stopped by the budget, with the line where it stopped."""
    text, values = STOPPED[bomb]
    template = Template(build_unit(text=text, model="m"))
    with pytest.raises(RenderError) as caught:
        template.render(values)
    assert caught.value.where == "text"
    assert caught.value.line == 1
    assert str(caught.value).startswith("text, line 1: ")
    assert len(str(caught.value)) < 600


def test_all_bombs_in_little_memory_and_time() -> None:
    """All of them together stay within a gigabyte of memory and two minutes of processor time."""
    code = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
from bombs import REFUSED, STOPPED
from pressmark.errors import PressmarkError
from pressmark.rendering import Template, build_unit
for text, values in [(text, {}) for text, _ in REFUSED.values()] + list(STOPPED.values()):
    try:
        Template(build_unit(text=text, model="m")).render(values)
    except PressmarkError:
        print("ended")
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    assert ran.stderr == ""
    assert ran.stdout.count("ended") == len(REFUSED) + len(STOPPED)


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "user", "content": "{{ a }}"}] * 700,
        [{"role": "user", "content": [{"type": "text", "text": "{{ a }}"}] * 25}] * 25,
        [
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": {{ a }}}'}}
                ]
                * 25,
            }
        ]
        * 25,
    ],
    ids=["messages", "parts", "tool calls"],
)
def test_the_budget_is_one_for_the_whole_prompt(messages: list[dict[str, Any]]) -> None:
    """Many parts that are small enough each are stopped where they are too large together."""
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"properties": {"a": {}}}}}]
    template = Template(build_unit(messages=messages, model="m", tools=tools))
    with pytest.raises(RenderLimitError, match="characters"):
        template.render({"a": "1" * 15_000})


def test_a_history_counts_each_time_that_it_stands_there() -> None:
    """A placeholder that stands in the prompt a thousand times cannot make a request of millions of messages."""
    template = Template(build_unit(messages=[{"placeholder": "history"}] * 1000, model="m"))
    with pytest.raises(RenderLimitError):
        template.render({"history": [{"role": "user", "content": "x"}] * 2000})


def test_too_many_templated_strings_are_refused() -> None:
    """A prompt of tens of thousands of short templates, which would take seconds to compile, is refused."""
    with pytest.raises(TemplateError, match=r"with messages\[\d+\]\.content, the prompt's templates have over"):
        build_unit(messages=[{"role": "user", "content": "{{ a }}"}] * 20_000, model="m")


def test_the_bounds_leave_room_for_honest_work(render: Any) -> None:
    """A long document, a table of thousands of rows and a nested listing all render."""
    document = "word " * 1_000_000
    assert render("Read:\n{{ text }}", text=document) == "Read:\n" + document
    rows = [{"name": f"n{number}", "tags": ["a", "b"], "score": number / 7} for number in range(5000)]
    table = render(
        "{% for row in rows %}{{ loop.index }}. {{ row.name }}: {{ row.score | round(2) }}"
        "{% if row.tags %} ({{ row.tags | join(', ') }}){% endif %}\n{% endfor %}",
        rows=rows,
    )
    assert table.count("\n") == 5000
    assert table.startswith("1. n0: 0.0 (a, b)\n")
    assert render("{{ rows | tojson }}", rows=rows).startswith('[{"name": "n0"')
    assert render("{% for a in l %}{% for b in l %}.{% endfor %}{% endfor %}", l=[1] * 200) == "." * 40_000


def test_exactly_the_limit_is_allowed(render: Any) -> None:
    """Text of as many characters as are allowed passes, and one more does not."""
    assert len(render("{{ a }}", a="x" * MAX_CHARACTERS)) == MAX_CHARACTERS
    with pytest.raises(RenderLimitError, match=f"{MAX_CHARACTERS + 1:,} characters; at most {MAX_CHARACTERS:,}"):
        render("{{ a }}.", a="x" * MAX_CHARACTERS)


def test_each_rendering_has_a_budget_of_its_own(render: Any) -> None:
    """One that ran out of steps takes nothing from the next."""
    template = Template(build_unit(text="{% for a in l %}{{ a }}{% endfor %}", model="m"))
    with pytest.raises(RenderLimitError, match=f"over {MAX_STEPS:,} steps"):
        template.render({"l": [""] * MAX_STEPS})
    assert template.render({"l": ["y"]}) == "y"

"""What is known of a prompt's tuning: rows that it shows as examples, and rows of a train part."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pressmark.errors import DatasetError
from pressmark.evals import Dataset
from pressmark.evals.examples import Examples, literal, unescaped
from pressmark.evals.origin import Origin
from pressmark.evals.tuning import tuned
from pressmark.rendering import build_unit
from tests.evals.making import version

TEXTS = [
    "where is my parcel, please?",
    "the card was charged twice,\n  and nobody answers",
    "thanks",
    "hi {{ there }} {% x",
]
DATA = Dataset.of("d", [{"text": text, "category": "c", "n": n} for n, text in enumerate(TEXTS)])


def chat(*contents: str, **more: Any) -> Any:
    messages = [{"role": "system", "content": content} for content in contents]
    return build_unit(messages=[*messages, {"role": "user", "content": "{{ text }}"}], model="m", **more)


@pytest.mark.parametrize(
    ("unit", "rows"),
    [
        (chat("Sort it."), ()),
        (chat("Sort it, such as: where is my parcel, please? → delivery"), (0,)),
        (chat("As in\n\nThe card: the card was charged twice, and nobody\nanswers"), (1,)),
        (chat("thanks"), (2,)),
        (chat("Be brief.\nMessage: thanks\nCategory: none"), (2,)),
        (chat("Say thanks at the end."), ()),
        (chat("{% raw %}hi {{ there }} {% x{% endraw %}"), (3,)),
        (chat(literal(TEXTS[3])), (3,)),
        (build_unit(text="{{ text }} {{ history }}", model="m",
                    variables={"text": {}, "history": {"type": "string", "default": TEXTS[0]}}), (0,)),
        (build_unit(text="Sort {{ other }}: where is my parcel, please?", model="m"), ()),
    ],
)  # fmt: skip
def test_examples_in_a_template(unit: Any, rows: tuple[int, ...]) -> None:
    """A row is shown where its text stands in what is always sent: a long one anywhere, a short one by itself."""
    assert tuned([unit], DATA).examples == rows


def test_an_example_of_a_variable_is_not_sent() -> None:
    """What only explains a variable to people does not tune the prompt."""
    unit = build_unit(text="{{ text }}", model="m", variables={"text": {"example": TEXTS[0], "description": TEXTS[0]}})
    assert tuned([unit], DATA).rows == ()


def test_what_all_rows_share_tells_nothing() -> None:
    """A value that most rows have is no example, though it stands in the template."""
    context = "You answer for a shop that sells books."
    data = Dataset.of("d", [{"context": context, "text": text} for text in TEXTS])
    unit = build_unit(text=f"{context} {{{{ context }}}} {{{{ text }}}} {TEXTS[0]}", model="m")
    assert tuned([unit], data).examples == (0,)


def test_rows_of_a_train_part() -> None:
    """All rows of a train part are for tuning; elsewhere those that are equal in what fills the prompt."""
    train = Dataset.of("d/train", [{"text": TEXTS[1], "category": "another", "n": 7}], origin=Origin(part="train"))
    units = [chat("Sort it.")]
    assert tuned(units, DATA, [train]).train == (1,)
    assert tuned(units, replace(DATA, origin=Origin(part="train"))).train == (0, 1, 2, 3)
    assert tuned(units, DATA, [Dataset.of("x", [{"other": TEXTS[1]}])]).train == ()
    assert list(tuned(units, DATA, [train]).sentences("#1", DATA)) == [
        "1 of 4 rows are of a train part, which is for tuning: judge on the holdout"
    ]


def test_a_split_of_distinct_rows_gives_no_warning() -> None:
    """A holdout is never said to have been tuned on by examples of its train part."""
    data = Dataset.of("d", [{"text": f"message number {n} of many", "category": "abc"[n % 3]} for n in range(60)])
    train, held = data.split(0.3, by="category")
    shown = Examples(train, train.sample(5).rows)
    unit = chat(*(message["content"] for message in shown.messages("text", "category")))
    assert tuned([unit], held, [train]).rows == ()
    assert len(tuned([unit], train, [train]).examples) == 5


@settings(max_examples=200, deadline=None)
@given(st.text("{}%# \"'raw-a\n", max_size=12))
def test_any_text_can_be_an_example(text: str) -> None:
    """Whatever braces are in a text, the template says exactly it, and it is recognised there."""
    made = version(f"<{literal(text)}>")
    assert made.render(text="x")[0]["content"] == f"<{text}>"  # type: ignore[index]
    assert unescaped(literal(text)) == text


def test_examples_without_such_a_column() -> None:
    """A column that there is not is refused with those that there are."""
    with pytest.raises(DatasetError, match="no column 'question': it has text, category, n"):
        Examples(DATA, DATA.rows).messages("question", "category")
    assert "<script" not in Examples(Dataset.of("d", [{"t": "<script>"}]), DATA.rows[:0])._repr_html_()

"""Names, labels, variables and patterns."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pressmark.errors import InvalidNameError
from pressmark.prompts import LATEST, check_label, check_name, matches
from pressmark.prompts.names import check_pattern, check_variable


@pytest.mark.parametrize(
    "name", ["a", "0", "support/triage", "a.b_c-d", "a/b/c/d", "gpt-5-mini", "x" * 200, "2026/01", "a1.2-3_4"]
)
def test_names(name: str) -> None:
    """Segments of lower-case letters and digits, joined by dots, underscores and dashes, make a name."""
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "proposal"),
    [
        ("Support/Triage", "support/triage"),
        ("my prompt", "my-prompt"),
        ("a//b", "a/b"),
        ("/a/", "a"),
        ("a-", "a"),
        ("a..b", "a.b"),
        ("../../etc/passwd", "etc/passwd"),
        ("a\n", "a"),
        ("a\x00b", "a-b"),
        ("über/größe", "ber/gr-e"),
        ("ａ", None),
        ("", None),
        ("日本", None),
        (None, None),
        (3, None),
        (b"a", None),
        ("-", None),
    ],
)
def test_forbidden_names(name: object, proposal: str | None) -> None:
    """Any other form is refused, with a form that would do where there is one."""
    with pytest.raises(InvalidNameError, match="cannot be a prompt name: use lower-case") as caught:
        check_name(name)
    assert caught.value.field == "name"
    proposed = re.search(r", such as '(.*)'$", str(caught.value))
    assert (proposed[1] if proposed else None) == proposal
    if proposed:
        check_name(proposed[1])


def test_long_names() -> None:
    """A name of more than 200 characters is refused without repeating it."""
    with pytest.raises(InvalidNameError, match="has 1,000,000 characters; at most 200 are allowed: shorten it"):
        check_name("x" * 1_000_000)
    with pytest.raises(InvalidNameError, match=r"'A B' cannot be an endpoint name: use lower-case"):
        check_name("A B", "endpoint name")
    with pytest.raises(InvalidNameError, match=r"'A B' cannot be a dataset name: .*, such as 'a-b'"):
        check_name("A B", "dataset name")


@given(st.text(max_size=30) | st.text("abAB01._-/ ", max_size=30))
def test_every_proposal_is_a_name(text: str) -> None:
    """Whatever is typed, it is a name or the proposal made for it is one."""
    try:
        check_name(text)
    except InvalidNameError as error:
        if found := re.search(r", such as '(.*)'$", str(error)):
            check_name(found[1])


@pytest.mark.parametrize("label", ["production", "staging", "a", "eu-west.1", "canary_2", "x" * 36, "v1.2", "v2-beta"])
def test_labels(label: str) -> None:
    """One segment of a name makes a label."""
    assert check_label(label) == label
    assert check_label(label, movable=True) == label


@pytest.mark.parametrize("label", ["", "A", "a/b", "a b", "x" * 37, "-a", "a-", None, 1, "prod\n", "x" * 100_000])
def test_forbidden_labels(label: object) -> None:
    """Any other form is refused in a short sentence."""
    with pytest.raises(InvalidNameError, match="cannot be a label: use lower-case letters") as caught:
        check_label(label)
    assert caught.value.field == "label"
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("label", ["v3", "v0", "12", "v123456789"])
def test_labels_that_read_like_versions(label: str) -> None:
    """A label that would be taken for a version's number is refused, so that a reference has one meaning."""
    with pytest.raises(InvalidNameError, match="reads like a version's number: use a word"):
        check_label(label)


def test_latest_moves_by_itself() -> None:
    """`latest` is a label that can be read, and not moved."""
    assert check_label(LATEST) == "latest"
    with pytest.raises(InvalidNameError, match="'latest' always points to the newest published version"):
        check_label(LATEST, movable=True)


@pytest.mark.parametrize("name", ["a", "größe", "a_b1", "класс", "class", "x" * 300])
def test_variables(name: str) -> None:
    """An identifier in its normal form makes a variable's name, in any script."""
    assert check_variable(name) == name


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("support/*", "support/triage", True),
        ("support/*", "support/triage/eu", False),
        ("support/*", "support", False),
        ("support/*", "support/", True),
        ("support/**", "support/triage/eu", True),
        ("support/**", "supports/triage", False),
        ("**", "anything/at/all", True),
        ("*", "one", True),
        ("*", "one/two", False),
        ("*/*", "one/two", True),
        ("*/triage", "support/triage", True),
        ("*/triage", "eu/support/triage", False),
        ("**/triage", "eu/support/triage", True),
        ("**/triage", "triage", False),
        ("s*t/tri*", "support/triage", True),
        ("a**c", "a/b/c", True),
        ("a*c", "a/b/c", False),
        ("a*c", "ac", True),
        ("***", "a/b", True),
        ("*a*", "bab", True),
        ("**a*b", "a/ab", True),
        ("exact", "exact", True),
        ("exact", "exactly", False),
        ("a.c", "abc", False),
        ("", "", True),
        ("", "a", False),
        ("a", "", False),
    ],
)
def test_patterns(pattern: str, name: str, fits: bool) -> None:
    """A star stays within a segment, two stars cross slashes, and everything else is itself."""
    assert matches(pattern, name) is fits


@given(st.text("ab/.*", max_size=10), st.text("ab/.", max_size=12))
def test_patterns_against_a_regular_expression(pattern: str, name: str) -> None:
    """Matching gives what the same pattern as a regular expression gives."""
    parts = re.split(r"(\*\*+|\*)", pattern)
    regex = "".join(".*" if part[:2] == "**" else "[^/]*" if part == "*" else re.escape(part) for part in parts)
    assert matches(pattern, name) is (re.fullmatch(regex, name) is not None)


@pytest.mark.timeout(30, method="thread")
def test_no_pattern_takes_long() -> None:
    """A pattern of a hundred stars, which a regular expression would try for ever, is answered at once."""
    assert not matches("*a" * 100, "a" * 199 + "b")
    assert not matches("**a" * 60, "a/" * 99 + "b")
    assert matches("*a" * 100, "a" * 200)


@pytest.mark.parametrize("pattern", ["**", "support/*", "a-*.b_c/**", "exact/name"])
def test_well_formed_patterns(pattern: str) -> None:
    """A pattern is made of a name's letters and stars."""
    assert check_pattern(pattern) == pattern


@pytest.mark.parametrize("pattern", ["", "Support/*", "a b", "a?", "[a]", None, 3, "*" * 201])
def test_malformed_patterns(pattern: object) -> None:
    """A pattern that no name could match is refused."""
    with pytest.raises(InvalidNameError, match="cannot be a pattern of names: use a name in which"):
        check_pattern(pattern)

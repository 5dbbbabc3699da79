"""Saved versions and drafts."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import UTC

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pressmark.errors import InvalidNameError, InvalidUnitError, PromptNotFoundError, VersionNotFoundError
from pressmark.prompts import Unit
from pressmark.rendering import PromptVersion, build_unit
from pressmark.workspace import Store

Units = Callable[[str], Unit]


def test_a_saved_version_is_read_back_as_it_was(store: Store, unit: Units) -> None:
    """What `version` returns equals what `save_version` returned, to the last field."""
    saved, created = store.save_version("support/triage", unit("Sort {{ text }}"), "first cut", "ana")
    assert created
    assert isinstance(saved, PromptVersion)
    assert (saved.version, saved.message, saved.author, saved.parent, saved.restores) == (
        "#1",
        "first cut",
        "ana",
        None,
        None,
    )
    assert saved.created_at.tzinfo is UTC
    assert store.version("support/triage", "#1") == saved
    assert saved.render(text="this") == "Sort this"


def test_saving_what_equals_the_newest_makes_nothing_new(store: Store, unit: Units) -> None:
    """The same unit again returns the newest version, whatever message comes with it."""
    first = store.save_version("p", unit("a"), "one").version
    again = store.save_version("p", unit("a"), "two")
    assert again == (first, False)
    assert len(store.versions("p")) == 1


def test_saving_what_equals_an_older_one_restores_it(store: Store, unit: Units) -> None:
    """An older unit gets a new number with the old digest, and `restores` names the number it had last."""
    for text in ("a", "b", "a", "b"):
        store.save_version("p", unit(text))
    newest_first = store.versions("p")
    assert [version.number for version in newest_first] == [4, 3, 2, 1]
    assert [version.restores for version in newest_first] == [2, 1, None, None]
    assert newest_first[0].digest == newest_first[2].digest
    assert [version.parent for version in newest_first] == [3, 2, 1, None]


def test_the_parent_can_be_named(store: Store, unit: Units) -> None:
    """A version is made from the newest one unless another is named, by number, digest or as a version."""
    first = store.save_version("p", unit("a")).version
    store.save_version("p", unit("b"))
    assert store.save_version("p", unit("c"), parent="#1").version.parent == 1
    assert store.save_version("p", unit("d"), parent=first).version.parent == 1
    assert store.save_version("p", unit("e"), parent=2).version.parent == 2
    with pytest.raises(VersionNotFoundError, match="#9"):
        store.save_version("p", unit("f"), parent="#9")
    assert store.version("p").number == 5


def test_numbers_belong_to_a_prompt(store: Store, unit: Units) -> None:
    """Each prompt counts from 1, and one digest may stand under several names."""
    store.save_version("a", unit("same"))
    store.save_version("b", unit("other"))
    found = store.save_version("b", unit("same")).version
    assert found.number == 2
    assert {(version.name, version.number) for version in store.versions_with_digest(found.digest)} == {
        ("a", 1),
        ("b", 2),
    }


def test_a_version_is_found_by_number_label_and_digest(store: Store, unit: Units) -> None:
    """`#1`, `latest`, the digest and its beginning all name a version; a restored digest names the newest of it."""
    first = store.save_version("p", unit("a")).version
    second = store.save_version("p", unit("b")).version
    assert store.version("p", "#1") == first
    assert store.version("p") == store.version("p", "latest") == second
    assert store.version("p", first.digest) == store.version("p", first.digest[:15]) == first
    assert store.version("p", first.digest.removeprefix("sha256:")[:8]) == first
    third = store.save_version("p", unit("a")).version
    assert store.version("p", first.digest) == third


@pytest.mark.parametrize("reference", ["1", "#7", "v1", "production", "sha256:", "sha256:abc", "", "#", "é"])
def test_a_reference_to_nothing_says_what_is_there(store: Store, unit: Units, reference: str) -> None:
    """A bare number, an unknown number, a label or half a digest is refused with the way to write it."""
    store.save_version("p", unit("a"))
    with pytest.raises(VersionNotFoundError) as caught:
        store.version("p", reference)
    assert "#1" in str(caught.value) or "write" in str(caught.value)


def test_an_unknown_prompt_names_the_known_ones(store: Store, unit: Units) -> None:
    """A mistyped name is answered with those that exist."""
    with pytest.raises(PromptNotFoundError, match="empty"):
        store.versions("support/triage")
    store.save_version("support/triage", unit("a"))
    with pytest.raises(PromptNotFoundError, match="support/triage"):
        store.version("support/triag")


def test_a_refused_name_saves_nothing(store: Store, unit: Units) -> None:
    """A forbidden name raises and leaves no trace, for versions and drafts alike."""
    with pytest.raises(InvalidNameError):
        store.save_version("Not A Name", unit("a"))
    with pytest.raises(InvalidNameError):
        store.save_draft("Not A Name", {})
    assert store.prompts().empty


def test_drafts_replace_each_other(store: Store) -> None:
    """Of several saved drafts the last is there, until it is deleted; a draft need not be a valid unit."""
    assert store.draft("p") is None
    store.save_draft("p", {"text": "{{ unfinished"}, base="#3")
    at = store.save_draft("p", {"text": 'é 😀 "quoted" \n', "variables": {}})
    draft = store.draft("p")
    assert draft is not None
    assert draft.body == {"text": 'é 😀 "quoted" \n', "variables": {}}
    assert (draft.base, draft.saved_at) == (None, at)
    store.delete_draft("p")
    store.delete_draft("p")
    assert store.draft("p") is None


def test_the_list_of_prompts(store: Store, unit: Units) -> None:
    """Prompts with versions and prompts with only a draft are listed, the last changed first."""
    store.save_version("a", unit("one"))
    store.save_version("a", unit("two"), "second")
    store.save_version("b", unit("one"))
    store.save_draft("c", {})
    store.save_draft("a", {})
    listed = store.prompts()
    assert listed["prompt"].tolist() == ["a", "c", "b"]
    assert listed["versions"].tolist() == [2, 0, 1]
    assert listed["draft"].tolist() == [True, True, False]
    assert listed["latest"][0] == "#2"
    assert listed["message"][0] == "second"


def test_threads_saving_at_once_lose_and_double_nothing(store: Store, unit: Units) -> None:
    """Eight threads on one store save twenty different versions of one prompt; the numbers are 1 to 160."""

    def work(thread: int) -> None:
        for turn in range(20):
            assert store.save_version("p", unit(f"{thread} {turn}")).created

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    saved = store.versions("p")
    assert [version.number for version in saved] == list(range(160, 0, -1))
    assert len({version.digest for version in saved}) == 160


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="{}#%"), max_size=40)
texts = words.map(lambda word: f"Say {word}")
lines = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_texts=st.lists(texts, min_size=1, max_size=4), message=lines, author=lines)
def test_any_text_survives(given_texts: list[str], message: str, author: str, store: Store) -> None:
    """Whatever a unit, a message and an author hold comes back, and the newest version is what was saved last."""
    for text in given_texts:
        unit = build_unit(text=text, model="m", params={"stop": [text, message]})
        saved = store.save_version("p", unit, message, author).version
        assert store.version("p") == saved
        assert saved.unit == unit


@pytest.mark.parametrize(
    ("message", "author", "told"),
    [
        ("bad \x1b[31m", "ana", "the message of a version holds control characters: write plain text"),
        ("x" * 2001, "ana", "the message of a version has 2,001 characters; at most 2,000 are allowed: shorten it"),
        ("", "an\x00a", "the author of a version holds control characters"),
        ("", "a" * 201, "the author of a version has 201 characters"),
    ],
    ids=["escape", "endless", "zero", "endless author"],
)
def test_what_could_never_be_published_is_not_saved(
    store: Store, unit: Units, message: str, author: str, told: str
) -> None:
    """A message that the change log would refuse is refused where it can still be written otherwise."""
    with pytest.raises(InvalidUnitError, match=re.escape(told)):
        store.save_version("p", unit("a"), message, author)
    assert store.prompts().empty

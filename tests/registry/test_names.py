"""Any text as a name, label, pattern, reason or reference: it is taken, or it is refused; nothing else happens."""

from __future__ import annotations

import string
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pressmark.errors import InvalidNameError, NotFoundError, PressmarkError
from pressmark.prompts import check_label, check_name
from pressmark.registry.remote import Remote
from pressmark.registry.serving import running
from pressmark.registry.state import Subscription
from pressmark.registry.store import Store
from pressmark.registry.values import UNSET, Principal

from .making import publish, unit

QUICK = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
PART = st.text("abyz09", min_size=1, max_size=5)
SEGMENT = st.tuples(PART, st.sampled_from(["", ".", "-", "_"]), PART).map("".join)
NAMES = st.lists(SEGMENT, min_size=1, max_size=4).map("/".join)
ANYTHING = st.text(max_size=60) | st.text(string.printable, max_size=40)


def is_label(text: str) -> bool:
    """Whether a segment may be a label: some read like version numbers."""
    try:
        check_label(text, movable=True)
    except InvalidNameError:
        return False
    return True


@pytest.fixture(scope="module", params=["embedded", "http"])
def registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store | Remote]:
    """A registry that all examples share, embedded and over HTTP."""
    with Store(tmp_path_factory.mktemp("names") / "registry.db") as store:
        if request.param == "embedded":
            yield store
            return
        with running(store) as server:
            yield Remote(server.url, server.token)


@QUICK
@given(name=NAMES, label=SEGMENT)
def test_well_formed_names(registry: Store | Remote, name: str, label: str) -> None:
    """Every well-formed name and label goes all the way: publish, move, read, log, sync."""
    publish(registry, name)
    assert registry.version(name, "v1").name == name
    if not is_label(label):
        return
    if label not in {pointer.label for pointer in registry.labels(name)}:
        registry.move(name, label=label, to="v1", reason="go", expected=None)
    assert registry.version(name, label).version == "v1"
    assert registry.sync([label], [name])["pointers"][0]["name"] == name
    assert registry.log(name)


@QUICK
@given(name=ANYTHING)
def test_any_text_as_a_name(registry: Store | Remote, name: str) -> None:
    """A text that is no name publishes nothing and reads nothing, whatever is in it."""
    try:
        check_name(name)
    except InvalidNameError:
        for ask in (
            lambda: registry.publish(name, unit(), message="m", reason="r"),
            lambda: registry.version(name, "v1"),
            lambda: registry.labels(name),
            lambda: registry.move(name, label="staging", to="v1", reason="r", expected=UNSET),
        ):
            with pytest.raises(PressmarkError):
                ask()


@QUICK
@given(label=ANYTHING, ref=ANYTHING)
def test_any_text_as_a_label_or_reference(registry: Store | Remote, label: str, ref: str) -> None:
    """A text that is no label moves nothing, and one that is no reference finds nothing."""
    publish(registry, "fixed/name")
    before = registry.position()
    with pytest.raises(PressmarkError):
        check_label(label)
        registry.move("fixed/name", label=label, to="v999", reason="r", expected=UNSET)
    try:
        assert registry.version("fixed/name", ref).name == "fixed/name"
    except PressmarkError as error:
        assert isinstance(error, NotFoundError | ValueError) or error.status == 404  # type: ignore[attr-defined]
    assert registry.position() == before


@QUICK
@given(reason=ANYTHING, author=ANYTHING)
def test_any_text_as_a_reason(registry: Store | Remote, reason: str, author: str) -> None:
    """A reason is kept to the letter, or refused."""
    text = f"{reason} {author} {{{{ question }}}}".replace("{%", "").replace("{#", "")
    try:
        made = registry.publish("fixed/reasons", unit(text), message="m", reason=reason, author=author or None)
    except PressmarkError:
        return
    if made.created:
        assert registry.log("fixed/reasons", limit=1)[0].reason == reason
        assert registry.version("fixed/reasons", "latest").author == (author or registry.whoami().name)


@QUICK
@given(
    labels=st.lists(SEGMENT, max_size=3),
    names=st.lists(NAMES, max_size=3),
    other=st.lists(NAMES, max_size=3),
    right=st.sampled_from([("**",), ("support/*",), ("production",)]),
)
def test_scopes(labels: list[str], names: list[str], other: list[str], right: tuple[str, ...]) -> None:
    """The scope of a subscription is the same for the same question and rights, and another for any other."""
    one = Subscription.of(Principal("a", "reader"), labels, names)
    assert one.scope == Subscription.of(Principal("b", "admin"), labels[::-1], names * 2).scope
    assert (one.scope == Subscription.of(Principal("a", "reader"), labels, other).scope) == (
        set(names or ["**"]) == set(other or ["**"])
    )
    assert (one.scope == Subscription.of(Principal("a", "reader", right), labels, names).scope) == (right == ("**",))

"""Why `get()` found nothing, in words that say what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pressmark.client.cache import REFUSED, REMOVED, View
from pressmark.client.prompt import Prompt
from pressmark.errors import (
    ClientNotReadyError,
    InvalidNameError,
    LabelNotFoundError,
    PressmarkError,
    PromptNotFoundError,
)


def checked_label(name: object, label: object, labels: tuple[str, ...]) -> tuple[str, str]:
    """Return name and label as they are looked up.

    Raises:
        InvalidNameError: The name is no text.
        LabelNotFoundError: The client does not subscribe to the label, or to several and none was named.
    """
    if not isinstance(name, str):
        raise InvalidNameError(f"a prompt is named by text, got {type(name).__name__}: {name!r}")
    if label is None and len(labels) == 1:
        return name, labels[0]
    if label is None:
        raise LabelNotFoundError(
            f"this client subscribes to {', '.join(labels)}: say which with client.get({name!r}, label=…)",
            name=name,
            label=label,
        )
    if not isinstance(label, str) or label not in labels:
        raise LabelNotFoundError(
            f"this client subscribes to {', '.join(labels)} and not to {label!r}: add it to pm.Client(labels=[…])",
            name=name,
            label=label,
        )
    return name, label


def why_absent(view: View, name: str, label: str, heard: PressmarkError | None) -> PressmarkError:
    """Return the error for a prompt that the view does not hold.

    Args:
        view: What is served.
        name: The prompt's name.
        label: A subscribed label.
        heard: Why the registry was not heard, where it was not.
    """
    facts = {"name": name, "label": label}
    if view.position is None:
        return ClientNotReadyError(
            f"there is nothing to serve: {heard or 'the registry has not answered so far'}. Neither a snapshot nor a"
            f" bundle nor a fallback holds {name!r}; look at status(), or pass fallback=",
            reason=heard,
            **facts,
        )
    gone = view.gone.get((label, name))
    if gone is None:
        return PromptNotFoundError(
            f"no prompt {name!r} carries the label {label!r} in this subscription ({_shown(view.prompts.get(label))}):"
            " check the name, move the label, or widen names= and the token's scope",
            **facts,
        )
    if gone.why == REMOVED:
        said = (
            f"label {label!r} was removed from {name!r} by entry {gone.seq} of the change log: move it there again, or"
            " ask for another label"
        )
    elif gone.why == REFUSED:
        said = f"{name}@{label} cannot be served: {view.refused.get((label, name), 'its newest move was left out')}"
    else:
        said = (
            f"since entry {gone.seq} the registry no longer shows {name}@{label} to this token: look at the token's"
            " labels and names, and at the label"
        )
    return LabelNotFoundError(said, why=gone.why, **facts)


def too_old(age: float | None, max_age: float | None, facts: Mapping[str, str]) -> ClientNotReadyError:
    """Return the error for a state that the registry has not confirmed for too long."""
    return ClientNotReadyError(
        f"the registry has not confirmed the prompts for {age or 0:.0f} s, and max_age is {max_age or 0:g} s: bring the"
        " registry back, or pass a longer max_age",
        **facts,
    )


def _shown(there: Iterable[str] | Mapping[str, Prompt] | None) -> str:
    names = [name for name, _ in zip(there or (), range(4), strict=False)]
    return "it holds none" if not names else "it holds " + ", ".join(names[:3]) + (", …" if len(names) > 3 else "")

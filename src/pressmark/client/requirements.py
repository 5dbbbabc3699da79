"""Whether a caller can fill a prompt."""

from __future__ import annotations

from collections.abc import Iterable

from pressmark.client.prompt import Prompt
from pressmark.errors import MissingVariablesError, UnknownVariablesError


def check_requirement(prompt: Prompt, variables: Iterable[str]) -> None:
    """Check that a caller that gives exactly these variables can render the prompt.

    Raises:
        MissingVariablesError: The prompt needs another one; `missing` names it.
        UnknownVariablesError: One of them is no variable of the prompt; `unknown` names it.
    """
    given = {variables} if isinstance(variables, str) else set(variables)
    # An input is another prompt's output, so whoever renders the prompt gives it like any other variable.
    needed = {name for name, variable in prompt.variables.items() if variable.required}
    who = f"{prompt.name}@{prompt.label} {prompt.version}"
    if missing := tuple(sorted(needed - given)):
        raise MissingVariablesError(
            f"{who} needs {', '.join(map(repr, missing))}, which this service does not give: pass it, or promote a"
            " version that gives it a default",
            missing=missing,
        )
    if unknown := tuple(sorted(given - prompt.variables.keys())):
        raise UnknownVariablesError(
            f"{who} has no variable {', '.join(map(repr, unknown))}; it takes {', '.join(prompt.variables) or 'none'}:"
            " stop passing it, or promote a version that uses it",
            unknown=unknown,
        )

"""What is wrong with a request's form, as a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pressmark.prompts.quoting import shown

_SENTENCES: Final = {
    "missing": "{place} is missing: send it",
    "extra_forbidden": "{place} is not known here: leave it out, or check its spelling",
    "string_type": "{place} is a text; got {given}",
    "int_type": "{place} is a whole number; got {given}",
    "list_type": "{place} is a list; got {given}",
    "dict_type": "{place} is an object; got {given}",
    "model_attributes_type": "{place} is an object; got {given}",
    "string_too_short": "{place} is empty: write it out",
    "string_too_long": "{place} may have {max_length:,} characters at most",
    "too_short": "{place} is empty: name at least one",
    "too_long": "{place} may have {max_length:,} items at most; got {actual_length:,}",
    "greater_than_equal": "{place} is {ge} or more; got {given}",
    "less_than_equal": "{place} is {le} or less; got {given}",
    "literal_error": "{place} is one of {expected}; got {given}",
    "string_pattern_mismatch": "{place} does not have the form {pattern}; got {given}",
    "json_invalid": "{place} is no valid JSON: {error}",
}


def malformed(problem: Mapping[str, Any]) -> str:
    """Return one of pydantic's problems as a sentence that says what to send.

    Args:
        problem: One item of `RequestValidationError.errors()`, with loc, type, msg, input and ctx.
    """
    steps = [str(step) for step in problem["loc"]]
    # The position in the text is all that the place of broken JSON tells.
    place = "the body" if problem["type"] == "json_invalid" else ".".join(steps[1:]) or "the body"
    sentence = _SENTENCES.get(problem["type"])
    if sentence is None:
        return f"{place}: {problem['msg']}"
    return sentence.format(place=place, given=shown(problem.get("input")), **(problem.get("ctx") or {}))

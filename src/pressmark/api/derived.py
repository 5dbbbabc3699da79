"""Versions with another model or other parameters, made for one run without saving them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pressmark.prompts import Unit, thaw
from pressmark.prompts.canonical import unit_digest
from pressmark.prompts.version import written
from pressmark.rendering import PromptVersion, check_unit


@dataclass(frozen=True, slots=True, repr=False)
class DerivedVersion(PromptVersion):
    """A version that is not saved: another's unit with some of it replaced. `number` is that of the other."""

    @property
    def version(self) -> str:
        """The other's number with a star, and the first digits of this one's digest: `#1*3fa9`."""
        return f"{written(self.store, self.number)}*{self.digest[7:11]}"


def derived(version: PromptVersion, model: str | None, params: Mapping[str, Any] | None, author: str) -> DerivedVersion:
    """Return a version with another model or other parameters.

    Args:
        version: What it is made of.
        model: Another model.
        params: Parameters to set; None as a value takes one away.
        author: Who makes it.

    Raises:
        InvalidUnitError: A part is wrong; `field` names it.
    """
    merged = {**version.unit.params, **(params or {})}
    kept = {name: value for name, value in merged.items() if value is not None}
    # By way of the dict form, which checks all that saving would.
    unit = Unit.from_dict({**version.unit.to_dict(), "model": model or version.unit.model, "params": thaw(kept)})
    check_unit(unit)
    changes = [f"model {model}"] if model else []
    changes += [f"{name} {value}" for name, value in (params or {}).items()]
    return DerivedVersion(
        name=version.name,
        number=version.number,
        unit=unit,
        digest=unit_digest(unit),
        message=f"{version.version} with {', '.join(changes)}",
        author=author,
        created_at=datetime.now(UTC),
        store=version.store,
        parent=version.number,
    )

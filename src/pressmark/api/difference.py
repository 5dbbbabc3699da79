"""What differs between two versions, to look at."""

from __future__ import annotations

from dataclasses import dataclass

from pressmark.face import forms
from pressmark.prompts import Version
from pressmark.prompts.diff import Change, compare_units

_STYLES = {
    "+": "background:rgba(33,118,210,.14);text-decoration:underline",
    "-": "background:rgba(230,126,34,.16);text-decoration:line-through",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """The parts in which two versions differ.

    Attributes:
        before: The first version.
        after: The second.
        changes: The parts, in the order of a unit's parts; empty where both say the same.
    """

    before: Version
    after: Version
    changes: tuple[Change, ...]

    @classmethod
    def of(cls, before: Version, after: Version) -> Difference:
        """Compare two versions."""
        return cls(before, after, tuple(compare_units(before.unit, after.unit)))

    def __str__(self) -> str:
        if not self.changes:
            return f"{self.before} and {self.after} say the same"
        lines = [f"{self.before} → {self.after}"]
        for change in self.changes:
            lines.append(change.part)
            lines.extend(f"  {line}" for line in change.unified())
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = []
        for change in self.changes:
            lines = "".join(
                f"<div style='{_STYLES.get(line[:1], 'opacity:.7')}'>{forms.escaped(line)}</div>"
                for line in change.unified()
            )
            parts.append(
                f"<div style='margin-top:8px'><strong>{forms.escaped(change.part)}</strong>"
                f"<div style='font-family:monospace;white-space:pre-wrap'>{lines}</div></div>"
            )
        title = f"{self.before} → {self.after}" if parts else f"{self.before} and {self.after} say the same"
        return f"<div><div>{forms.escaped(title)}</div>{''.join(parts)}</div>"

    def _repr_markdown_(self) -> str:
        if not self.changes:
            return forms.marked(str(self))
        body = [
            f"{forms.marked(change.part)}\n\n{forms.fenced(chr(10).join(change.unified()))}" for change in self.changes
        ]
        return "\n\n".join([f"**{forms.marked(f'{self.before} → {self.after}')}**", *body])

"""A version that can be rendered: what the workspace and the registry hand out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pressmark.face import Faced
from pressmark.face.forms import Face
from pressmark.prompts import ChatTemplate, Unit, Variable, Version
from pressmark.rendering.template import compiled


@dataclass(frozen=True, slots=True)
class PromptVersion(Faced, Version):
    """An immutable version of a prompt, with its template at hand."""

    @property
    def variables(self) -> dict[str, Variable]:
        """The declared variables by name."""
        return dict(self.unit.variables)

    def render(self, **variables: Any) -> list[dict[str, Any]] | str:
        """Fill the template; see `Template.render`.

        Raises:
            RenderError: A variable is missing, unknown, or of the wrong type.
        """
        return compiled(self.unit, self.digest).render(variables)

    def request(self, **variables: Any) -> dict[str, Any]:
        """Return the keyword arguments of `chat.completions.create`; see `Template.request`.

        Raises:
            RenderError: A variable is missing, unknown, or of the wrong type.
        """
        return compiled(self.unit, self.digest).request(variables)

    def __repr__(self) -> str:
        return f"<PromptVersion {self} {self.digest[:15]} {self.message!r}>"

    def _face(self) -> Face:
        facts = [self.unit.model, *(f"{key} {json.dumps(value)}" for key, value in self.unit.params.items())]
        needed = ", ".join(self.unit.variables) or "none"
        asides = [
            f"{' · '.join(facts)} · variables: {needed}",
            f"{self.author}, {self.created_at:%Y-%m-%d %H:%M} UTC: {self.message}",
        ]
        return Face(str(self), asides, text="\n".join(template_lines(self.unit)))


def template_lines(unit: Unit) -> list[str]:
    """A template as it is read: who says it, then what."""
    if not isinstance(unit.template, ChatTemplate):
        return [unit.template.text]
    lines = []
    for message in unit.template.messages:
        if "placeholder" in message:
            lines.append(f"[{message['placeholder']}]")
            continue
        content = message.get("content")
        lines.append(f"{message['role']}:")
        if content is not None:
            lines.append(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=2))
        if message.get("tool_calls"):
            lines.append(json.dumps(message["tool_calls"], ensure_ascii=False, indent=2))
    return lines

"""A version that can be rendered: what the workspace and the registry hand out."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from typing import Any

from pressmark.prompts import ChatTemplate, Variable, Version
from pressmark.rendering.template import compiled


@dataclass(frozen=True, slots=True)
class PromptVersion(Version):
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

    def _repr_markdown_(self) -> str:
        body = "\n".join([f"model: {self.unit.model}", "", *_lines(self)])
        # A fence longer than any in the text: what a prompt says must not end the block that shows it.
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", body)), default=0))
        return f"**{self}**\n\n{fence}\n{body}\n{fence}"

    def _repr_html_(self) -> str:
        facts = [self.unit.model, *(f"{key} {json.dumps(value)}" for key, value in self.unit.params.items())]
        needed = ", ".join(self.unit.variables) or "none"
        body = "\n".join(_lines(self))
        said = f"{self.author}, {self.created_at:%Y-%m-%d %H:%M} UTC: {self.message}"
        return (
            f"<div><strong>{html.escape(str(self))}</strong> "
            f"<span style='opacity:.75'>{html.escape(' · '.join(facts))} · variables: {html.escape(needed)}</span>"
            f"<div style='opacity:.75'>{html.escape(said)}</div>"
            f"<pre style='white-space:pre-wrap;max-width:80ch'>{html.escape(body)}</pre></div>"
        )


def _lines(version: Version) -> list[str]:
    if not isinstance(version.unit.template, ChatTemplate):
        return [version.unit.template.text]
    lines = []
    for message in version.unit.template.messages:
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

"""From a unit and values to a request: sandboxed Jinja2 with an allow-list, checked when saved and when loaded."""

from __future__ import annotations

from pressmark.rendering.checks import read_template
from pressmark.rendering.template import Template, compiled
from pressmark.rendering.units import build_unit, check_unit
from pressmark.rendering.version import PromptVersion

__all__ = ["PromptVersion", "Template", "build_unit", "check_unit", "compiled", "read_template"]

"""The prompt of most tests: it sorts customers' messages, asked of the practice model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pressmark as pm
from pressmark.providers import practice

PROMPT = "support/triage"
LABELS = "account_access, billing, cancellation, damaged_item, delivery, product_question, refund, technical_issue"
VAGUE, EXACT = "Tell the category.", f"Answer with exactly one of these labels: {LABELS}."
USER = {"role": "user", "content": "{{ text }}"}


def save(ws: pm.Workspace, system: str, name: str = PROMPT, **rest: Any) -> Any:
    """Save a version that asks the practice model."""
    messages = rest.pop("messages", [{"role": "system", "content": system}, USER])
    params = rest.pop("params", {"temperature": 0})
    return ws.save(name, messages=messages, model=practice.PRACTICE_MODEL, params=params, **rest)


def workspace(folder: Path, practice_url: str) -> pm.Workspace:
    """A workspace that knows the practice model and nothing else."""
    space = pm.Workspace(folder / "prompts.duckdb", author="ana")
    space.endpoint("practice", base_url=practice_url)
    return space

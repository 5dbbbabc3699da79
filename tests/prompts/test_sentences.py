"""Sentences of the change log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pressmark.prompts import GENESIS
from pressmark.prompts.changelog import chained
from pressmark.prompts.sentences import entry_sentence

MOVE = {"name": "support/triage", "label": "production", "from": 5, "to": 6}


@pytest.mark.parametrize(
    ("kind", "data", "sentence"),
    [
        ("publish", {"name": "a", "version": 3}, "published a v3"),
        ("publish", {"name": "a", "version": 3, "restores": 1}, "published a v3, which restores v1"),
        ("move", {"moves": [MOVE]}, "moved production of support/triage from v5 to v6"),
        ("move", {"moves": [{**MOVE, "from": None}]}, "moved production of support/triage to v6"),
        ("rollback", {"moves": [MOVE]}, "rolled back production of support/triage from v5 to v6"),
        ("move", {"moves": [MOVE, {**MOVE, "name": "b"}]},
         "moved production of support/triage from v5 to v6, production of b from v5 to v6"),
        ("policy", {"label": "production", "names": "**", "policy": {"name": "team"}},
         "set the policy team for production of every prompt"),
        ("policy", {"label": "production", "names": "support/*", "policy": {"name": "solo"}},
         "set the policy solo for production of support/*"),
        ("key_change", {}, "key change"),
    ],
)  # fmt: skip
def test_sentences(kind: str, data: dict[str, Any], sentence: str) -> None:
    """An entry says in one sentence what was done."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    entry = chained(seq=1, kind=kind, at=at, actor="ana", reason="r", data=data, previous=GENESIS)
    assert entry_sentence(entry) == sentence

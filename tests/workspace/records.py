"""Outputs in their dict form, as `OutputRecord.to_dict` gives them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

BEGIN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def make_record(
    version: str = "sha256:" + "a" * 64,
    row: int = 0,
    repeat: int = 0,
    *,
    run_id: str = "run-1",
    output: str = "yes",
    error: str | None = None,
    scores: Mapping[str, float | None] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return the dict form of an output."""
    answer = {
        "output": output,
        "model": "practice-1",
        "message": {"role": "assistant", "content": output},
        "fingerprint": "fp_1",
        "finish_reason": "stop",
        "tokens_in": 12,
        "tokens_out": 3,
        "cost": 0.001,
        "latency": 0.25,
        "response_id": f"id-{row}",
        "ttft": None,
    }
    return {
        "run_id": run_id,
        "version": version,
        "row": row,
        "repeat": repeat,
        "request_digest": f"sha256:{version[-8:]}-{row}-{repeat}",
        "answer": None if error else answer,
        "error": {"kind": "server", "message": error, "status": 500} if error else None,
        "attempts": 1,
        "cached": False,
        "at": (BEGIN + timedelta(seconds=row)).isoformat(),
        "scores": dict(scores or {}),
        "score_errors": {},
        **more,
    }

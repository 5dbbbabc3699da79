"""One answer in full: what was sent beside the messages, what came back, and what judges and prompts upstream said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pressmark.api.runs import Run
from pressmark.api.session.bodies import as_text
from pressmark.errors import PressmarkError, RenderError
from pressmark.evals.chain import Chain
from pressmark.evals.stages import UPSTREAM
from pressmark.rendering import compiled
from pressmark.widgets.protocols import AnswerView, JudgementView, RepeatView, UpstreamView

Record = Mapping[str, Any]
_ANSWER: Final = "answer"


class Told:
    """What was recorded for one row of a run, sorted by what it is.

    Args:
        run: The run.
        records: Every record of the row, as `Store.records_of_row` returns them.
        values: The dataset's row.
    """

    def __init__(self, run: Run, records: Sequence[Record], values: Mapping[str, Any]) -> None:
        self._run, self._values = run, values
        self._own = [record for record in records if record["run_id"] == run.id]
        self._others: dict[str, list[Record]] = {}
        for record in records:
            _, _, part = record["run_id"].partition(f"{run.id}/")
            if part:
                self._others.setdefault(part, []).append(record)
        try:
            self._chains: dict[str, Chain] = {chain.digest: chain for chain in run.chains}
        except PressmarkError:
            # A version that is gone from the file: what was asked cannot be shown, what was answered can.
            self._chains = {}

    def of(self, version: str) -> tuple[list[dict[str, str]], AnswerView]:
        """The messages that one version was asked with, and the rest of its answer."""
        digest = self._run.digest_of(version)
        mine = [record for record in self._own if record["version"] == digest]
        messages, settings = self._request(self._chains.get(digest))
        first = next((record for record in mine if record["answer"]), mine[0] if mine else {})
        answer = first.get("answer") or {}
        calls = (answer.get("message") or {}).get("tool_calls") or []
        return messages, {
            "settings": settings,
            "ttft": answer.get("ttft"),
            "finish_reason": answer.get("finish_reason"),
            "attempts": first.get("attempts") or 0,
            "tool_calls": _json([call.get("function", call) for call in calls]) if calls else "",
            "repeats": [_repeat(record) for record in mine] if len(mine) > 1 else [],
            "judgements": self._judgements(digest, first),
            "upstream": self._upstream(self._chains.get(digest)),
        }

    def _request(self, chain: Chain | None) -> tuple[list[dict[str, str]], str]:
        if chain is None:
            return [], ""
        unit = chain.version.unit
        given = {name: self._values[name] for name in unit.variables if self._values.get(name) is not None}
        for variable, feed in chain.upstream.items():
            record = self._answer_of(feed)
            if record is not None and record["answer"]:
                given[variable] = record["answer"]["output"]
        try:
            request = dict(compiled(unit, chain.version.digest).request(given))
        except RenderError as error:
            return [{"role": "error", "content": str(error)}], ""
        messages = request.pop("messages")
        told = [
            {"role": str(message.get("role", "")), "content": as_text(message.get("content") or message)}
            for message in messages
        ]
        return told, _json(request)

    def _answer_of(self, chain: Chain) -> Record | None:
        found = [record for record in self._others.get(UPSTREAM, []) if record["version"] == chain.digest]
        return found[0] if found else None

    def _upstream(self, chain: Chain | None) -> list[UpstreamView]:
        if chain is None:
            return []
        fills = {feed.digest: variable for variable, feed in chain.upstream.items()}
        told: list[UpstreamView] = []
        for member in chain.members[:-1]:
            record = self._answer_of(member) or {}
            error = record.get("error")
            told.append(
                {
                    "version": f"{member.version.name} {member.version.version}",
                    "fills": fills.get(member.digest, ""),
                    "output": (record.get("answer") or {}).get("output") or "",
                    "error": str(error["message"]) if error else None if record else "It was not asked for this row.",
                }
            )
        return told

    def _judgements(self, digest: str, first: Record) -> list[JudgementView]:
        told: list[JudgementView] = []
        for scorer, seen in (first.get("judgements") or {}).items():
            said = next((r for r in self._others.get(scorer, []) if r["version"] == digest and r["answer"]), None)
            output = said["answer"]["output"] if said else as_text(seen.get(_ANSWER, ""))
            shown = {name: as_text(value) for name, value in seen.items() if name != _ANSWER and value is not None}
            told.append({"scorer": scorer, "told": shown, "output": output})
        return told


def _repeat(record: Record) -> RepeatView:
    error = record["error"]
    return {
        "output": (record["answer"] or {}).get("output") or "",
        "error": str(error["message"]) if error else None,
        "scores": dict(record["scores"]),
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=as_text)

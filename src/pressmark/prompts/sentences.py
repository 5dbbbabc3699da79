"""Sentences that more than one way in shows."""

from __future__ import annotations

from pressmark.prompts import Entry


def entry_sentence(entry: Entry) -> str:
    """Say what an entry of the change log did, such as `moved production of support/triage from v5 to v6`."""
    data = entry.data
    if entry.kind == "publish":
        restores = f", which restores v{data['restores']}" if data.get("restores") else ""
        return f"published {data['name']} v{data['version']}{restores}"
    if entry.kind in ("move", "rollback"):
        verb = "moved" if entry.kind == "move" else "rolled back"
        parts = []
        for move in data.get("moves", ()):
            start = f" from v{move['from']}" if move.get("from") else ""
            parts.append(f"{move['label']} of {move['name']}{start} to v{move['to']}")
        return f"{verb} {', '.join(parts)}"
    if entry.kind == "policy":
        every = "every prompt" if data["names"] == "**" else data["names"]
        return f"set the policy {data['policy']['name']} for {data['label']} of {every}"
    return entry.kind.replace("_", " ")

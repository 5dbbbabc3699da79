"""The gate: may this label move there? A pure function over what is known.

The registry calls `decide` inside the move's transaction; the workbench calls it to show what is missing. Verdicts are
worked out here again from the row scores of the evidence, by `pressmark.stats`.

- `values`: what is asked and what is answered
- `basics`, `callers`: reason, role, reserved labels; what today's callers pass
- `record`: which evidence counts for a change, and whether it is fresh
- `scores`: one scorer's row scores as a difference with its interval
- `trials`: what the evidence must show, suite by suite
"""

from __future__ import annotations

from pressmark.gate.decision import decide
from pressmark.gate.record import evaluated
from pressmark.gate.values import Downstream, GateDecision, MoveRequest, Principal, Reason

__all__ = ["Downstream", "GateDecision", "MoveRequest", "Principal", "Reason", "decide", "evaluated"]

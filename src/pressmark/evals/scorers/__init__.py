"""Scorers: what turns an output into a score or a measurement.

`Exact`, `Contains`, `Regex` and `TextSimilarity` compare texts; `ValidJSON`, `JSONSchema`, `FieldEquals` and
`NumericTolerance` read the output; `Length`, `Cost` and `Latency` measure; `Function` and `Recorded` bring your own;
`Judge` and `PairwiseJudge` ask a model.
"""

from __future__ import annotations

from pressmark.evals.scorers.base import AskingScorer, DirectScorer, Judgement, Scorer, ScoringError, ScoringInput
from pressmark.evals.scorers.custom import Function, Recorded
from pressmark.evals.scorers.judges import Judge, PairwiseJudge
from pressmark.evals.scorers.measured import Cost, Latency
from pressmark.evals.scorers.specs import from_spec
from pressmark.evals.scorers.structured import FieldEquals, JSONSchema, NumericTolerance, ValidJSON
from pressmark.evals.scorers.texts import Contains, Exact, Length, Regex, TextSimilarity

__all__ = [
    "AskingScorer",
    "Contains",
    "Cost",
    "DirectScorer",
    "Exact",
    "FieldEquals",
    "Function",
    "JSONSchema",
    "Judge",
    "Judgement",
    "Latency",
    "Length",
    "NumericTolerance",
    "PairwiseJudge",
    "Recorded",
    "Regex",
    "Scorer",
    "ScoringError",
    "ScoringInput",
    "TextSimilarity",
    "ValidJSON",
    "from_spec",
]

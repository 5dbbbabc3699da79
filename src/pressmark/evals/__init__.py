"""Evaluation: datasets, scorers and suites; the runner that asks; the comparison that tells which version is better."""

from __future__ import annotations

from pressmark.evals import scorers
from pressmark.evals.answer import Answer, Completion
from pressmark.evals.asking import Patience
from pressmark.evals.budget import Budget, Spent
from pressmark.evals.cache import Lookup, answer_key
from pressmark.evals.comparison import Comparison, Flip, Slice, compare, compare_scores, row_scores
from pressmark.evals.dataset import Dataset
from pressmark.evals.figures import Figures, Rating, gather
from pressmark.evals.judging import JudgeReport
from pressmark.evals.plan import Call, Plan, plan
from pressmark.evals.progress import Progress
from pressmark.evals.records import Memory, OutputRecord, RowError, Sink, Task
from pressmark.evals.report import CandidateReport, Report, SummaryRow, make_report, report, summarise, summary
from pressmark.evals.runner import Execution, execute, finished, start
from pressmark.evals.suite import Suite

__all__ = [
    "Answer",
    "Budget",
    "Call",
    "CandidateReport",
    "Comparison",
    "Completion",
    "Dataset",
    "Execution",
    "Figures",
    "Flip",
    "JudgeReport",
    "Lookup",
    "Memory",
    "OutputRecord",
    "Patience",
    "Plan",
    "Progress",
    "Rating",
    "Report",
    "RowError",
    "Sink",
    "Slice",
    "Spent",
    "Suite",
    "SummaryRow",
    "Task",
    "answer_key",
    "compare",
    "compare_scores",
    "execute",
    "finished",
    "gather",
    "make_report",
    "plan",
    "report",
    "row_scores",
    "scorers",
    "start",
    "summarise",
    "summary",
]

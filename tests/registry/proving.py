"""Evidence on a published change, and suites, in short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pressmark.errors import LabelNotFoundError
from pressmark.evals import Dataset, Suite
from pressmark.evals.parquet import to_parquet
from pressmark.evals.scorers import Exact
from pressmark.prompts import freeze
from pressmark.prompts.evidence import Evidence, RowScores, Trial
from pressmark.registry.backend import RegistryBackend

NAME = "support/triage"
OTHER = "sha256:" + "e" * 64
GOOD = (1.0,) * 200
BAD = tuple(float(row % 3 > 0) for row in range(200))
MODEL = {"name": "team", "base_url": "https://models.example/v1", "practice": False}


def digest_of(registry: RegistryBackend, name: str, ref: str) -> str | None:
    """The digest that a reference stands for, or None where the label is not set."""
    try:
        return registry.version(name, ref).digest
    except LabelNotFoundError:
        return None


def trial(prompt: str, baseline: str | None, candidate: str, **changes: Any) -> Trial:
    """A trial of 200 rows, all good before and after."""
    before = GOOD if baseline is not None else (None,) * 200
    told: dict[str, Any] = {
        "prompt": prompt,
        "baseline": baseline,
        "candidate": candidate,
        "suite": f"{prompt}-basics",
        "suite_digest": OTHER,
        "primary": "category",
        "planned": 200,
        "method": "fixed",
        "rows": tuple(range(200)),
        "scores": (RowScores("category", "score", "higher", "points", before, changes.pop("after", GOOD)),),
    }
    return Trial(**(told | changes))


def prove(
    registry: RegistryBackend,
    to: str,
    *,
    name: str = NAME,
    label: str = "production",
    below: Mapping[str, str] | None = None,
    lock: Sequence[str] = (),
    after: tuple[float, ...] = GOOD,
    **changes: Any,
) -> Evidence:
    """Evidence that a version may take a label, made against what stands there now.

    Args:
        registry: Where it is published.
        to: The version.
        name: The prompt.
        label: The label.
        below: Prompts downstream that were run, too, with the label of theirs that was.
        lock: Further references that the chain was made of.
        after: The candidate's scores.
    """
    candidate, held = digest_of(registry, name, to), digest_of(registry, name, label)
    assert candidate
    trials = [trial(name, held, candidate, after=after)]
    for prompt, ref in (below or {}).items():
        digest = digest_of(registry, prompt, ref)
        assert digest
        trials.append(trial(prompt, digest, digest))
    own = {} if held is None else {f"{name}@{label}": held}
    locked = {reference: digest_of(registry, *reference.split("@")) for reference in lock}
    told: dict[str, Any] = {
        "name": name,
        "label": label,
        "candidate": candidate,
        "baseline": held,
        "lock": freeze({**own, **locked}),
        "endpoint": freeze(MODEL),
        "trials": tuple(trials),
        "unevaluated": (),
        "made_at": datetime(2026, 1, 2, tzinfo=UTC),
        "made_by": "bo",
    }
    return Evidence(**(told | changes))


def suite(name: str = "support/basics", rows: int = 3, **parts: Any) -> Suite:
    """A suite that can be published."""
    dataset = Dataset.of("support/inbox", [{"text": f"mail {row}", "category": "bug"} for row in range(rows)])
    return Suite.of(name, dataset, parts.pop("scorers", [Exact("category")]), **parts)


def parquet(of: Suite) -> bytes:
    """Its dataset as it travels."""
    return to_parquet(of.dataset)

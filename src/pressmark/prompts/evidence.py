"""Evidence: what an evaluation of a change found, row by row, in a form that somebody else can check.

A record names everything that the scores depend on: the two versions, what every upstream reference resolved to (the
lock), the suites by digest, the endpoint and the models that were served. It holds row scores, not verdicts: whoever
reads it works the verdicts out again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from pressmark.errors import EvidenceError
from pressmark.face import Faced
from pressmark.prompts.entry import timestamp
from pressmark.prompts.frozen import FrozenDict, Immutable, freeze, thaw
from pressmark.prompts.quoting import shown

TYPE_CHECKING = False  # as typing's, without its import
if TYPE_CHECKING:
    from pressmark.face.forms import Face

EVIDENCE_FORMAT: Final = 1

Method = Literal["fixed", "sequence", "unplanned"]


@dataclass(frozen=True, slots=True)
class RowScores(Immutable):
    """The scores of both versions by one scorer, in the order of `Trial.rows`; None where a row has no score.

    Attributes:
        scorer: The scorer's name.
        kind: `score` in [0, 1], or `measure`.
        direction: `higher` or `lower`, whichever is better.
        unit: `points` for scores, else the measurement's.
        baseline: A score a row, the mean over repeats.
        candidate: Likewise.
    """

    scorer: str
    kind: str
    direction: str
    unit: str
    baseline: tuple[float | None, ...]
    candidate: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Trial(Immutable):
    """One prompt's suite, run on the change and on what it would replace.

    Attributes:
        prompt: Whose outputs were scored: the changed prompt, or one downstream of it.
        baseline: Digest of that prompt's version in the chain as it is today; None where there is none yet.
        candidate: Digest of its version in the chain with the change; the same for a prompt downstream.
        suite: The suite's name.
        suite_digest: Its digest.
        primary: The scorer whose verdict is the suite's.
        planned: How many rows were declared before the run.
        method: `fixed` (all planned rows were asked, the verdict is the fixed-n test), `sequence` (it was stopped on
            the confidence sequence, which also gives the verdict) or `unplanned` (stopped otherwise).
        rows: The dataset's rows that were asked, from 0, in the order in which they were asked.
        scores: The primary scorer's first, then the guards'.
        clusters: What each row shares with others, as text; empty where rows are independent.
        repeats: How often each row was asked.
        models: Models that were served.
        flipped: Rows whose primary score changed, with both outputs; a registry may forbid these.
        tuned_on: Rows that the candidate was tuned on, as far as that can be known: those that its template shows as
            examples, and those of a train part.
    """

    prompt: str
    baseline: str | None
    candidate: str
    suite: str
    suite_digest: str
    primary: str
    planned: int
    method: Method
    rows: tuple[int, ...]
    scores: tuple[RowScores, ...]
    clusters: tuple[str, ...] = ()
    repeats: int = 1
    models: tuple[str, ...] = ()
    flipped: tuple[FrozenDict, ...] = ()
    tuned_on: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "flipped", tuple(freeze(row) for row in self.flipped))
        for found in self.scores:
            if not len(self.rows) == len(found.baseline) == len(found.candidate):
                raise EvidenceError(
                    f"scorer {found.scorer!r} of suite {self.suite!r} has not one score for each of the"
                    f" {len(self.rows)} rows: make the evidence again"
                )
        if self.clusters and len(self.clusters) != len(self.rows):
            raise EvidenceError(f"the clusters of suite {self.suite!r} do not fit its rows: make the evidence again")
        if not any(found.scorer == self.primary for found in self.scores):
            raise EvidenceError(f"suite {self.suite!r} has no scores of its primary scorer {self.primary!r}")

    def by(self, scorer: str | None = None) -> RowScores:
        """Return the scores by a scorer; without a name, the primary one's.

        Raises:
            EvidenceError: There are none of that name.
        """
        for found in self.scores:
            if found.scorer == (scorer or self.primary):
                return found
        raise EvidenceError(f"suite {self.suite!r} has no scorer {scorer!r}")


@dataclass(frozen=True, slots=True)
class Evidence(Faced, Immutable):
    """What an evaluation of a change found.

    Attributes:
        name: The changed prompt.
        label: The label that the change is meant for.
        candidate: Digest of the version that it should point to.
        baseline: Digest of what it pointed to when this was made; None for a new label.
        lock: What each reference `prompt@label` resolved to, by digest: the label itself and every input of every
            prompt that was run. The evidence is fresh while they resolve to the same.
        endpoint: `name`, `base_url`, and `practice`: whether it is the practice model's.
        trials: The changed prompt's own first, then those downstream, in the order in which they run.
        unevaluated: Prompts downstream for which no suite was run.
        made_at: When, in UTC.
        made_by: Who.
    """

    name: str
    label: str
    candidate: str
    baseline: str | None
    lock: Mapping[str, str]
    endpoint: Mapping[str, Any]
    trials: tuple[Trial, ...]
    unevaluated: tuple[str, ...]
    made_at: datetime
    made_by: str
    format: int = field(default=EVIDENCE_FORMAT)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lock", freeze(self.lock))
        object.__setattr__(self, "endpoint", freeze(self.endpoint))

    def _face(self) -> Face:
        from pressmark.face.forms import Face, Table

        rows = [
            (trial.prompt, trial.suite, trial.primary, f"{len(trial.rows):,}", ", ".join(trial.models))
            for trial in self.trials
        ]
        asides = [
            f"{self.candidate[:15]} against {(self.baseline or 'nothing')[:15]}, made {self.made_at:%Y-%m-%d %H:%M} UTC"
            f" by {self.made_by} on {self.endpoint.get('name', 'an endpoint')}"
        ]
        if self.unevaluated:
            asides.append(f"not evaluated: {', '.join(self.unevaluated)}")
        head = ("prompt", "suite", "primary scorer", "rows", "models")
        return Face(f"Evidence on {self.name} for {self.label}", asides, tables=[Table(head, rows, right=(3,))])

    @property
    def practice(self) -> bool:
        """Whether the answers came from the practice model."""
        return bool(self.endpoint.get("practice"))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, which `canonical.evidence_digest` is the digest of."""
        return {
            "format": self.format,
            "name": self.name,
            "label": self.label,
            "candidate": self.candidate,
            "baseline": self.baseline,
            "lock": thaw(self.lock),
            "endpoint": thaw(self.endpoint),
            "trials": [_trial_to_dict(trial) for trial in self.trials],
            "unevaluated": list(self.unevaluated),
            "made_at": timestamp(self.made_at),
            "made_by": self.made_by,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Evidence:
        """Read the JSON form.

        Raises:
            EvidenceError: It is malformed, or of a newer Pressmark.
        """
        if not isinstance(told, Mapping) or told.get("format") != EVIDENCE_FORMAT:
            raise EvidenceError(
                f"this is no evidence that this Pressmark reads (format {EVIDENCE_FORMAT}; got"
                f" {shown(told.get('format')) if isinstance(told, Mapping) else shown(told)}): upgrade pressmark"
            )
        try:
            return cls(
                name=_text(told["name"]),
                label=_text(told["label"]),
                candidate=_text(told["candidate"]),
                baseline=_text_or_none(told["baseline"]),
                lock=freeze({_text(name): _text(digest) for name, digest in told["lock"].items()}),
                endpoint=freeze(dict(told["endpoint"])),
                trials=tuple(_trial_from_dict(trial) for trial in told["trials"]),
                unevaluated=tuple(map(_text, told["unevaluated"])),
                made_at=datetime.fromisoformat(told["made_at"]),
                made_by=_text(told["made_by"]),
            )
        except EvidenceError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            said = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise EvidenceError(f"this evidence cannot be read ({said}): make it again") from error


def _trial_to_dict(trial: Trial) -> dict[str, Any]:
    return {
        "prompt": trial.prompt,
        "baseline": trial.baseline,
        "candidate": trial.candidate,
        "suite": {"name": trial.suite, "digest": trial.suite_digest},
        "primary": trial.primary,
        "planned": trial.planned,
        "method": trial.method,
        "rows": list(trial.rows),
        "scores": [
            {
                "scorer": found.scorer,
                "kind": found.kind,
                "direction": found.direction,
                "unit": found.unit,
                "baseline": list(found.baseline),
                "candidate": list(found.candidate),
            }
            for found in trial.scores
        ],
        "clusters": list(trial.clusters),
        "repeats": trial.repeats,
        "models": list(trial.models),
        "flipped": [thaw(row) for row in trial.flipped],
        # Left out where there are none, so that records made before have the digest that they had.
        **({"tuned_on": list(trial.tuned_on)} if trial.tuned_on else {}),
    }


def _trial_from_dict(told: Mapping[str, Any]) -> Trial:
    if told["method"] not in ("fixed", "sequence", "unplanned"):
        raise ValueError(f"method is {shown(told['method'])}")
    return Trial(
        prompt=_text(told["prompt"]),
        baseline=_text_or_none(told["baseline"]),
        candidate=_text(told["candidate"]),
        suite=_text(told["suite"]["name"]),
        suite_digest=_text(told["suite"]["digest"]),
        primary=_text(told["primary"]),
        planned=_count(told["planned"]),
        method=told["method"],
        rows=tuple(map(_count, told["rows"])),
        scores=tuple(
            RowScores(
                _text(found["scorer"]),
                _one_of(found["kind"], ("score", "measure")),
                _one_of(found["direction"], ("higher", "lower")),
                _text(found["unit"]),
                tuple(map(_score, found["baseline"])),
                tuple(map(_score, found["candidate"])),
            )
            for found in told["scores"]
        ),
        clusters=tuple(map(_text, told["clusters"])),
        repeats=_count(told["repeats"]),
        models=tuple(map(_text, told["models"])),
        flipped=tuple(freeze(dict(row)) for row in told["flipped"]),
        tuned_on=tuple(map(_count, told.get("tuned_on", ()))),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{shown(value)} stands where text belongs")
    return value


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


def _one_of(value: Any, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ValueError(f"{shown(value)} is none of {', '.join(known)}")
    return str(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError(f"{shown(value)} stands where a count belongs")
    return value


def _score(value: Any) -> float | None:
    if value is None:
        return None
    # An infinity or nan has no JSON form, and a comparison in which it stands no meaning.
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e300 < value < 1e300:
        raise TypeError(f"{shown(value)} stands where a score belongs")
    return float(value)

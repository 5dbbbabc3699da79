"""Before spending: what a run would take, and what so many rows can show."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pressmark import stats
from pressmark.evals.plan import PAUSE_EVERY, Call, Plan, unhurried
from pressmark.evals.scorers import AskingScorer
from pressmark.evals.suite import Suite
from pressmark.face import Faced
from pressmark.face.forms import Face
from pressmark.stats.inputs import counted

# English text takes about four characters a token with the tokenisers in use; other languages take more tokens.
CHARACTERS_A_TOKEN = 4
# Where nothing was recorded: one row in four changes by a whole point, the usual spread of a 0/1 score.
ASSUMED_SD = 0.5


class Use(NamedTuple):
    """What one answer takes, on average.

    Attributes:
        tokens_in: Tokens of the request.
        tokens_out: Tokens of the answer.
        latency: Seconds.
        answers: How many recorded answers this is the mean of.
    """

    tokens_in: float
    tokens_out: float
    latency: float
    answers: int


class Pilot(NamedTuple):
    """Where the spread of the differences comes from.

    Attributes:
        sd: Standard deviation of the row differences.
        source: In words.
    """

    sd: float
    source: str


class CallEstimate(NamedTuple):
    """What one request would take.

    Attributes:
        tokens_in: Tokens of the request.
        tokens_out: Tokens of the answer; None where nothing says how long answers are.
        cost: US dollars, or None where a price or the length is not known.
        basis: What this is estimated from, in words.
    """

    tokens_in: int
    tokens_out: int | None
    cost: float | None
    basis: str


@dataclass(frozen=True, slots=True)
class RunPlan(Faced):
    """What a run would take.

    Attributes:
        versions: What the versions are called, the baseline first.
        rows: Rows of the suite.
        repeats: How often each row is asked.
        answers: Answers wanted: rows × versions × repeats, without those that an unfinished run has.
        calls: Requests to send; equal ones are sent once.
        cached: Requests whose answer is known.
        judge_calls: Requests of the suite's judges, for answers that are not known yet.
        unrendered: Answers that cannot be asked for, since the row does not fit the template.
        tokens_in: Tokens of what is sent, judges included where their use is known.
        tokens_out: Tokens of what comes back; None where nothing says how long answers are.
        cost: US dollars, or None where a price or a length is not known.
        seconds: How long it takes, or None where no latency is known.
        basis: What tokens and time are estimated from, in words.
        pilot: The spread of the differences that `smallest_difference` stands on; None where there is none.
        unit: Of the primary scorer.
        warnings: What speaks against the run, such as rows that a version was tuned on.
    """

    versions: tuple[str, ...]
    rows: int
    repeats: int
    answers: int
    calls: int
    cached: int
    judge_calls: int
    unrendered: int
    tokens_in: int
    tokens_out: int | None
    cost: float | None
    seconds: float | None
    basis: str
    pilot: Pilot | None = None
    unit: str = field(default="points")
    warnings: tuple[str, ...] = ()

    @property
    def smallest_difference(self) -> float | None:
        """The smallest difference that so many rows show with 80 % power, or None where no spread is known."""
        if self.pilot is None or self.rows < 2 or self.pilot.sd <= 0:
            return None
        return stats.smallest_effect(self.rows, self.pilot.sd)

    def rows_needed(self, difference: float) -> int | None:
        """How many rows a difference takes to be seen with 80 % power.

        Args:
            difference: In the scorer's unit; 0.05 is 5 points.

        Returns:
            Rows, or None where no spread is known or no number would do.

        Raises:
            StatsError: The difference is not a finite number.
        """
        if self.pilot is None or self.pilot.sd <= 0:
            return None
        return stats.rows_needed(difference, self.pilot.sd)

    def _lines(self) -> list[str]:
        versions = f"{len(self.versions)} version{'s' * (len(self.versions) != 1)}"
        repeats = f" × {self.repeats} repeats" if self.repeats > 1 else ""
        asked = f"{self.rows:,} rows × {versions}{repeats}: {self.calls:,} requests to send, {self.cached:,} known"
        if self.judge_calls:
            asked += f", and up to {self.judge_calls:,} of judges"
        lines = [asked]
        if self.unrendered:
            lines.append(f"{self.unrendered:,} rows do not fit their template and become error rows")
        if not self.calls:
            return [*lines, *self._reach()]
        out = "an unknown number" if self.tokens_out is None else f"{self.tokens_out:,}"
        lines.append(f"about {self.tokens_in:,} tokens in and {out} out ({self.basis})")
        price = "price not known" if self.cost is None else "free" if self.cost == 0 else f"about {self.cost:,.2g} USD"
        lines.append(price if self.seconds is None else f"{price}, {_span(self.seconds)}")
        return [*lines, *self._reach()]

    def _reach(self) -> list[str]:
        """What such a run shows, and what speaks against it."""
        warned = [f"⚠ {warning}" for warning in self.warnings]
        smallest = self.smallest_difference
        if smallest is None or self.pilot is None:
            return warned
        if self.unit == "points" and smallest > 1:
            return [f"{self.rows:,} rows are too few to show any difference ({self.pilot.source}): add some", *warned]
        unit, by = stats.readable(self.unit, smallest)
        amount = f"{stats.amount(by * smallest, unit)} {unit}"
        return [f"{self.rows:,} rows show a difference of {amount}, 4 times in 5 ({self.pilot.source})", *warned]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    __repr__ = __str__

    def _face(self) -> Face:
        first, *rest = self._lines()
        return Face(first, rest)


def estimate(
    plan: Plan,
    suite: Suite,
    names: Mapping[str, str],
    *,
    upstream: Sequence[Call] = (),
    known: Container[str] = (),
    repeats: int = 1,
    concurrency: int = 8,
    by_version: Mapping[str, Use] | None = None,
    by_model: Mapping[str, Use] | None = None,
    by_judge: Mapping[str, Use] | None = None,
    price: Callable[[str, int, int], float | None] = lambda model, tokens_in, tokens_out: None,
    pilot: Pilot | None = None,
    pause: Callable[[], None] = unhurried,
) -> RunPlan:
    """Work out what a plan would take.

    Args:
        plan: What is to be asked.
        suite: What it is asked for.
        names: What to call the versions, by digest, the baseline first.
        upstream: Calls of prompts upstream, whose answers are not judged.
        known: Cache keys of known answers.
        repeats: As the plan was made with.
        concurrency: Calls at once.
        by_version: Recorded use, by digest.
        by_model: Recorded use, by model; for versions that were never asked.
        by_judge: Recorded use of judges, by scorer.
        price: US dollars for so many tokens of a model.
        pilot: The spread of the differences from an earlier run; without one it is assumed for scores.
        pause: Called every few calls: whoever plans beside other work waits there.
    """
    wanted = (*upstream, *plan.calls)
    asked = [call for call in plan.calls if call.key not in known]
    first = [call for call in upstream if call.key not in known]
    total, recorded = _Total(price), dict[str, int]()
    for count, call in enumerate((*first, *asked)):
        if count % PAUSE_EVERY == 0:
            pause()
        model, digest = str(call.request["model"]), call.tasks[0].version
        own, alike = (by_version or {}).get(digest), (by_model or {}).get(model)
        sent = own.tokens_in if own else _characters(call.request) / CHARACTERS_A_TOKEN
        if use := own or alike:
            recorded[digest if own else model] = use.answers
        total.add(1, model, sent, use)
    judged = 0
    for judge in suite.scorers:
        if isinstance(judge, AskingScorer):
            number = sum(len(call.tasks) for call in asked if not _spared(judge, call.tasks[0].version, plan))
            use = (by_judge or {}).get(judge.name)
            total.add(number, str(getattr(judge, "model", "")), use.tokens_in if use else 0.0, use)
            judged += number
    primary = suite.scorer()
    if pilot is None and primary.kind == "score":
        pilot = Pilot(ASSUMED_SD, "assumed: one row in four changes; an earlier run would say better")
    return RunPlan(
        versions=tuple(names.values()),
        rows=len(suite.dataset),
        repeats=repeats,
        answers=plan.total - plan.answered,
        calls=len(first) + len(asked),
        cached=len(wanted) - len(first) - len(asked),
        judge_calls=judged,
        unrendered=len(plan.unrendered),
        tokens_in=math.ceil(total.tokens_in),
        tokens_out=math.ceil(total.tokens_out) if total.known else None,
        cost=total.cost if total.priced else None,
        seconds=total.seconds / min(concurrency, max(1, len(first) + len(asked))) if total.known else None,
        basis=_basis(
            sum(recorded.values()),
            len(first) + len(asked),
            known=total.known,
            all_versions=all(call.tasks[0].version in (by_version or {}) for call in (*first, *asked)),
        ),
        pilot=pilot,
        unit="points" if primary.kind == "score" else primary.unit,
    )


def estimate_call(
    request: Mapping[str, object],
    *,
    own: Use | None = None,
    alike: Use | None = None,
    price: Callable[[str, int, int], float | None] = lambda model, tokens_in, tokens_out: None,
) -> CallEstimate:
    """Work out what one request would take.

    Args:
        request: Keyword arguments of `chat.completions.create`.
        own: Recorded use of its version.
        alike: Recorded use of its model.
        price: US dollars for so many tokens of a model.
    """
    model = str(request["model"])
    tokens_in = math.ceil(own.tokens_in if own else _characters(request) / CHARACTERS_A_TOKEN)
    use = own or alike
    if use is None:
        free = 0.0 if price(model, 1, 1) == 0 else None
        basis = f"characters / {CHARACTERS_A_TOKEN}; no answer of {model} was recorded yet"
        return CallEstimate(tokens_in, None, free, basis)
    tokens_out = math.ceil(use.tokens_out)
    recorded = f"recorded use of {counted(use.answers, 'answer')} of"
    basis = f"{recorded} this version" if own else f"request by characters / {CHARACTERS_A_TOKEN}, {recorded} {model}"
    return CallEstimate(tokens_in, tokens_out, price(model, tokens_in, tokens_out), basis)


class _Total:
    """What all requests take together, and whether that is known."""

    def __init__(self, price: Callable[[str, int, int], float | None]) -> None:
        self._price = price
        self.tokens_in = self.tokens_out = self.seconds = self.cost = 0.0
        self.known = self.priced = True

    def add(self, number: int, model: str, tokens_in: float, use: Use | None) -> None:
        """Add requests of a model; without recorded use, nothing is known of their answers."""
        self.tokens_in += number * tokens_in
        if use is None:
            if number:
                self.known = False
                # Where tokens cost nothing, it does not matter how many there will be.
                self.priced = self.priced and self._price(model, 1, 1) == 0
            return
        self.tokens_out += number * use.tokens_out
        self.seconds += number * use.latency
        one = self._price(model, round(tokens_in), round(use.tokens_out))
        self.priced = self.priced and (one is not None or not number)
        self.cost += number * (one or 0.0)


def _spared(judge: AskingScorer, version: str, plan: Plan) -> bool:
    return judge.needs_baseline and version == plan.baseline


def _basis(recorded: int, asked: int, *, known: bool, all_versions: bool) -> str:
    if not asked:
        return "nothing is to be asked"
    if not recorded:
        return "characters / 4; nothing was recorded yet"
    told = f"recorded use of {counted(recorded, 'answer')}"
    if not all_versions:
        told += ", requests of new versions by characters / 4"
    return told if known else f"{told}, as far as it goes"


def _characters(request: Mapping[str, object]) -> int:
    parts = [request.get("messages"), request.get("tools"), request.get("response_format")]
    return sum(_texts(part) for part in parts if part)


def _texts(value: object) -> int:
    """Characters of every text in a JSON value; an image's address or bytes are no text."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        if value.get("type") == "image_url":
            return 0
        return sum(_texts(item) for item in value.values())
    if isinstance(value, Sequence):
        return sum(_texts(item) for item in value)
    return len(json.dumps(value))


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(1, math.ceil(seconds))} s"
    return f"about {math.ceil(seconds / 60):,} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"

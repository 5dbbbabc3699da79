"""What a run would take, from what the workspace has recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pressmark.api.starting import chain_of
from pressmark.api.tuning import tuning_warnings
from pressmark.errors import StatsError
from pressmark.evals import Suite
from pressmark.evals.chain import Chain
from pressmark.evals.estimate import CallEstimate, Pilot, RunPlan, Use, estimate, estimate_call
from pressmark.evals.plan import Call, plan, unhurried
from pressmark.evals.scorers import AskingScorer
from pressmark.evals.stages import ChainPlan
from pressmark.providers.practice.requests import PRACTICE_MODEL
from pressmark.providers.prices import cost

if TYPE_CHECKING:
    from pressmark import workspace as files
    from pressmark.providers import Endpoint
    from pressmark.rendering import PromptVersion

# The spread of the differences is looked for in this many of the newest runs.
_RUNS_LOOKED_AT = 50
# Stands for an answer that is not known yet: about 50 tokens, another one for each row.
_USUAL_ANSWER = "word " * 40


def plan_run(
    store: files.Store,
    versions: Sequence[PromptVersion | Chain],
    suite: Suite,
    endpoint: Endpoint,
    *,
    repeats: int = 1,
    concurrency: int = 8,
    pause: Callable[[], None] = unhurried,
) -> RunPlan:
    """Return what running versions on a suite would take; asks nobody and changes nothing.

    Args:
        store: The workspace's file, for what was answered before.
        versions: The baseline first.
        suite: What they would be run on.
        endpoint: Where they would be asked.
        repeats: How often each row is asked.
        concurrency: Calls in flight at once.
        pause: Called every few rows: whoever plans beside other work waits there.

    Raises:
        DatasetError: A column for a variable is missing.
        RenderError: No row fits a version's template.
    """
    chains = [chain_of(given, suite, store) for given in versions]
    upstream, outputs = _upstream(chains, suite, store, endpoint.base_url, repeats)
    planned = plan(chains, suite.dataset, base_url=endpoint.base_url, repeats=repeats, upstream=outputs, pause=pause)
    names = {chain.digest: chain.version.version for chain in chains}
    members = {member.digest: member for chain in chains for member in chain.members}
    judges = [scorer.name for scorer in suite.scorers if isinstance(scorer, AskingScorer)]
    models = {member.version.unit.model for member in members.values()}
    used = store.usage(versions=members, models=models, judges=judges)

    told = estimate(
        planned,
        suite,
        names,
        upstream=upstream,
        known=store.cached_answers(call.key for call in (*upstream, *planned.calls)),
        pause=pause,
        repeats=repeats,
        concurrency=concurrency,
        by_version=_uses(used["versions"]),
        by_model=_uses(used["models"]),
        by_judge=_uses(used["judges"]),
        price=price_at(endpoint),
        pilot=_pilot(store, list(names), suite),
    )
    return replace(told, warnings=tuning_warnings(store, {names[c.digest]: c for c in chains}, suite.dataset))


def plan_call(store: files.Store, digest: str, request: Mapping[str, Any], endpoint: Endpoint) -> CallEstimate:
    """Return what one request of a version, or of a draft with that digest, would take."""
    model = str(request["model"])
    used = store.usage(versions=[digest], models=[model])
    own, alike = _uses(used["versions"]).get(digest), _uses(used["models"]).get(model)
    return estimate_call(request, own=own, alike=alike, price=price_at(endpoint))


def price_at(endpoint: Endpoint) -> Callable[[str, int, int], float | None]:
    """Return what tells the US dollars for so many tokens of a model at an endpoint."""

    def price(model: str, tokens_in: int, tokens_out: int) -> float | None:
        if model == PRACTICE_MODEL:
            return 0.0
        return cost(model, endpoint.base_url, {"prompt_tokens": tokens_in, "completion_tokens": tokens_out})

    return price


def _upstream(
    chains: Sequence[Chain], suite: Suite, store: files.Store, base_url: str, repeats: int
) -> tuple[list[Call], dict[str, dict[tuple[int, int], str | None]]]:
    """The calls of what is upstream, and its answers: known ones as they are, others as a text of a usual length."""
    calls: list[Call] = []
    outputs: dict[str, dict[tuple[int, int], str | None]] = {}
    for chain in ChainPlan(tuple(chains)).upstream:
        part = plan([chain], suite.dataset, base_url=base_url, repeats=repeats, upstream=outputs)
        known = store.cached_answers(call.key for call in part.calls)
        calls.extend(part.calls)
        outputs[chain.digest] = {
            (task.row, task.repeat): known[call.key]["output"] if call.key in known else f"{_USUAL_ANSWER}{task}"
            for call in part.calls
            for task in call.tasks
        }
    return calls, outputs


def _uses(found: Mapping[str, files.Usage]) -> dict[str, Use]:
    return {key: Use(use.tokens_in, use.tokens_out, use.latency, use.answers) for key, use in found.items()}


def _pilot(store: files.Store, digests: Sequence[str], suite: Suite) -> Pilot | None:
    """The spread of the differences in an earlier run of the suite: of these versions, else of others."""
    from pressmark import stats

    if len(digests) < 2:
        return None
    for same_versions in (True, False):
        for run in store.runs(limit=_RUNS_LOOKED_AT):
            ran = [version["digest"] for version in run.spec["versions"]]
            if run.status != "done" or run.spec["suite"]["name"] != suite.name or len(ran) < 2:
                continue
            if same_versions and not {digests[0], digests[-1]} <= set(ran):
                continue
            before, after = (digests[0], digests[-1]) if same_versions else (ran[0], ran[-1])
            pairs = store.paired_scores(run.run_id, before, after, suite.primary).dropna()
            try:
                found = stats.paired(pairs["baseline"].tolist(), pairs["candidate"].tolist())
            except StatsError:
                continue
            if found.sd > 0:
                which = "these versions" if same_versions else "other versions"
                return Pilot(found.sd, f"by the spread of {found.n:,} rows in run {run.run_id} of {which}")
    return None

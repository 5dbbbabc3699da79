"""Starting a run: what is asked, checked before the first call, and which unfinished run asks for the same."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from pressmark.api.derived import DerivedVersion
from pressmark.api.runner import Runner
from pressmark.api.shelf import WorkspaceShelf
from pressmark.api.stopping import Sure
from pressmark.cluster import Spread
from pressmark.errors import VersionNotFoundError
from pressmark.evals import Budget, Sink, Spent, Suite
from pressmark.evals.asking import Patience
from pressmark.evals.chain import Chain, resolve
from pressmark.evals.plan import Plan, columns_of, order_of, plan
from pressmark.evals.records import OutputRecord
from pressmark.evals.runner import check_budget, check_concurrency, finished, start
from pressmark.evals.stages import ChainPlan
from pressmark.prompts import Version
from pressmark.prompts.quoting import shown
from pressmark.providers import Completer, completer
from pressmark.rendering import PromptVersion

if TYPE_CHECKING:
    from distributed import Client

    from pressmark import workspace as files
    from pressmark.api.workspace import Workspace
    from pressmark.providers import Endpoint

FORMAT = 1


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run asks; none of it changes what is asked, but the repeats.

    Attributes:
        concurrency: Calls in flight at once, at most; "auto" or None leaves it to what the endpoint takes.
        repeats: How often each row is asked.
        timeout: Seconds that one attempt may take.
        budget: What the run may spend.
        stop_when_sure: Whether to stop as soon as the versions are told apart.
        stream: Whether answers are streamed, for the time to the first token.
        seeds: Whether each repeat is asked with a seed of its own.
        cluster: The Dask cluster whose workers ask and score; None for this process.
    """

    concurrency: int | Literal["auto"] | None = 8
    repeats: int = 1
    timeout: float = 120.0
    budget: Budget | None = None
    stop_when_sure: bool = False
    stream: bool = False
    seeds: bool = False
    cluster: Client | None = None


class _JournalSink:
    """Hands records to the journal as they arrive."""

    def __init__(self, journal: files.Journal) -> None:
        self._journal = journal

    def record(self, record: OutputRecord) -> None:
        self._journal.append(record.to_dict())


def start_run(
    workspace: Workspace,
    versions: Sequence[PromptVersion | Chain],
    suite: Suite,
    endpoint: Endpoint,
    options: RunOptions,
) -> Runner:
    """Begin a run, or take up the newest unfinished one that asks for the same.

    Args:
        workspace: Where the run is kept.
        versions: The baseline first. A version with inputs that the suite's dataset has no column for becomes a chain
            of the workspace's newest versions.
        suite: What to run them on.
        endpoint: Where to ask.
        options: How.

    Raises:
        ClusterError: The cluster cannot do the work.
        DatasetError: A column for a variable is missing.
        EndpointAuthError: The endpoint's key is not there.
        VersionNotFoundError: No version was given.
    """
    store = workspace.store
    chains = [chain_of(given, suite, store) for given in versions]
    distinct = list({chain.digest: chain for chain in chains}.values())
    if not distinct:
        raise VersionNotFoundError("a run needs at least one version: pass the baseline first, such as [v1, v2]")
    if options.stop_when_sure and len(distinct) < 2:
        raise VersionNotFoundError(
            "a run that stops when it is sure compares versions: pass the baseline and a candidate, such as [v1, v2]"
        )
    concurrency = None if options.concurrency == "auto" else options.concurrency
    check_concurrency(concurrency)
    complete = _completion(endpoint, suite, options)
    spec = _spec(distinct, suite, endpoint, options)
    begun = _unfinished(workspace, spec, suite)
    run_id = begun.run_id
    planned = _planned(distinct, suite, endpoint.base_url, begun.done, options)
    check_budget(options.budget, planned, suite, complete)
    sequence = options.stop_when_sure or begun.record.get("method") == "sequence"
    record = begun.record | {"planned": len(suite.dataset), "method": "sequence" if sequence else "unplanned"}
    with ExitStack() as opened:
        if isinstance(complete, Spread):
            complete.open()
            opened.callback(complete.close)
        # Both are kept as they are. To run an older one changes nothing of what their names stand for.
        store.save_dataset(suite.dataset, again=False)
        store.save_suite(suite.name, suite.digest, suite.spec(), again=False)
        names = {chain.version.name for chain in distinct}
        prompt = names.pop() if len(names) == 1 else None
        store.create_run(run_id, spec, prompt=prompt, dataset=suite.dataset.digest, record=record)
        journal = store.journal(run_id)
        drainer = store.drainer(journal).start()
        sink: Sink = _JournalSink(journal)
        sure: Sure | None = None
        if options.stop_when_sure:
            digests, order = [chain.digest for chain in distinct], order_of(suite.dataset)
            repeats, earlier = options.repeats, begun.records
            sink = sure = Sure(sink, suite, digests, order, run_id=run_id, repeats=repeats, known=earlier)
        execution = start(
            planned,
            suite,
            complete,
            sink,
            run_id=run_id,
            concurrency=concurrency,
            patience=Patience(timeout=options.timeout),
            lookup=store.cached_answers,
            budget=options.budget,
            spent=begun.spent,
            stop_when=sure,
            mark=complete.mark if isinstance(complete, Spread) else None,
        )
        opened.pop_all()
    runner = Runner(workspace, run_id, execution, drainer, record=record, sure=sure)
    workspace.runners[run_id] = runner
    workspace.changes.tell("runs", run=run_id)
    return runner


def _completion(endpoint: Endpoint, suite: Suite, options: RunOptions) -> Completer | Spread:
    """What asks: this process, or the workers of a cluster."""
    if options.cluster is None:
        return completer(endpoint, stream=options.stream)
    return Spread(options.cluster, endpoint, suite, stream=options.stream)


def several(given: Any) -> list[PromptVersion | Chain]:
    """Return what is to be run as a list; one alone is a list of one.

    Raises:
        VersionNotFoundError: There is none, or something else among them; the message says what to pass.
    """
    alone = isinstance(given, Version | Chain | str) or not isinstance(given, Iterable)
    versions = [given] if alone else list(given)
    if not versions:
        raise VersionNotFoundError("no version was given to run: pass one, such as ws.version('support/triage', '#1')")
    for version in versions:
        if isinstance(version, str):
            raise VersionNotFoundError(
                f"{version!r} does not say which prompt's version is meant: pass the version itself, such as"
                " ws.version('support/triage', '#1')"
            )
        if not isinstance(version, PromptVersion | Chain):
            raise VersionNotFoundError(
                f"{shown(version)} is no version of a prompt: pass what ws.save() or ws.version('support/triage', '#1')"
                " returns"
            )
    return versions


def chain_of(given: PromptVersion | Chain, suite: Suite, store: files.Store) -> Chain:
    """Return what is to be run: a version alone, or with what feeds those inputs that are no columns of the suite."""
    if isinstance(given, Chain):
        return given
    if given.unit.inputs.keys() <= set(suite.dataset.columns):
        return Chain.of(given)
    return resolve(given, WorkspaceShelf(store).find)


def _planned(
    chains: Sequence[Chain], suite: Suite, base_url: str, known: set[Any], options: RunOptions
) -> Plan | ChainPlan:
    """What to ask, checked as far as it can be before the first answer."""
    repeats, seeds = options.repeats, options.seeds
    if not any(chain.upstream for chain in chains):
        return plan(chains, suite.dataset, base_url=base_url, repeats=repeats, seeds=seeds, answered=known)
    for member in {member.digest: member for chain in chains for member in chain.members}.values():
        columns_of(member, suite.dataset)
    return ChainPlan(tuple(chains), repeats, seeds, frozenset(known))


def _spec(chains: Sequence[Chain], suite: Suite, endpoint: Endpoint, options: RunOptions) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "versions": [_version_spec(chain, chains) for chain in chains],
        "suite": {"name": suite.name, "digest": suite.digest},
        "endpoint": {"name": endpoint.name, "base_url": endpoint.base_url},
        "repeats": options.repeats,
        # Left out where it is not asked for, so that runs of the first release are found again.
        **({"seeds": True} if options.seeds else {}),
    }


def _version_spec(chain: Chain, chains: Sequence[Chain]) -> dict[str, Any]:
    version = chain.version
    told: dict[str, Any] = {"name": version.name, "version": version.version, "digest": chain.digest}
    if isinstance(version, DerivedVersion):
        # It stands nowhere else: whoever takes the run up again needs it.
        told |= {"unit": version.unit.to_dict(), "of": version.number}
    if not chain.upstream:
        return told
    twins = [other for other in chains if other.version.digest == version.digest and other.digest != chain.digest]
    if twins:
        # The same version twice: what tells them apart is what feeds them.
        theirs = {member.digest for other in twins for member in other.members}
        fed = [str(member.version) for member in chain.members[:-1] if member.digest not in theirs]
        told["version"] = f"{version.version} after {', '.join(fed)}"
    return {**told, "version_digest": version.digest, "lock": chain.lock}


@dataclass(frozen=True, slots=True)
class _Begun:
    """What is there of a run that begins, or goes on."""

    run_id: str
    records: list[OutputRecord] = field(default_factory=list)
    done: set[Any] = field(default_factory=set)
    record: dict[str, Any] = field(default_factory=dict)
    spent: Spent = field(default_factory=Spent)


def _unfinished(workspace: Workspace, spec: dict[str, Any], suite: Suite) -> _Begun:
    """Return the newest run that asks for the same and did not come to its end, or a new one."""
    store = workspace.store
    alive = store.running()
    for kept in store.runs():
        if kept.status != "done" and kept.run_id not in alive and kept.spec == spec:
            store.recover()
            records = [OutputRecord.from_dict(told) for told in store.records(kept.run_id)]
            return _Begun(kept.run_id, records, finished(records, suite), kept.record, _spent(store, kept))
    return _Begun(f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}")


def _spent(store: files.Store, kept: files.Run) -> Spent:
    """What a run has spent: by its record, or by its outputs where a process died before it wrote one."""
    told, found = Spent.from_dict(kept.record.get("spent") or {}), Spent.from_dict(store.spent(kept.run_id))
    return Spent(
        max(told.calls, found.calls), max(told.tokens, found.tokens), max(told.money, found.money), told.minutes
    )

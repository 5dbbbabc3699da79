"""`pm.Workspace`: everything an analyst does, over one DuckDB file."""

from __future__ import annotations

import getpass
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from pressmark import publishing
from pressmark.api.changes import Changes
from pressmark.api.datasets import chosen_examples, made
from pressmark.api.derived import DerivedVersion, derived
from pressmark.api.difference import Difference
from pressmark.api.runner import Runner
from pressmark.api.runs import Run
from pressmark.api.starting import RunOptions, several, start_run
from pressmark.errors import (
    DatasetError,
    DatasetNotFoundError,
    EndpointNotFoundError,
    SuiteError,
    VersionNotFoundError,
)
from pressmark.evals import Budget, Dataset, Suite
from pressmark.evals.chain import Chain
from pressmark.evals.drawing import Split
from pressmark.evals.scorers import Scorer
from pressmark.evals.scorers.custom import ScoreFunction
from pressmark.face import Faced
from pressmark.face.forms import Face, Table
from pressmark.prompts import Version, check_name, parse_input
from pressmark.prompts.quoting import shown
from pressmark.providers import Endpoint, Transport, default_endpoint
from pressmark.rendering import PromptVersion, build_unit
from pressmark.workspace import Store

if TYPE_CHECKING:
    import pandas
    from distributed import Client

    from pressmark.api.impact import ChangeEvaluation
    from pressmark.api.rating import RatingSession
    from pressmark.api.registry import Registry
    from pressmark.evals.estimate import RunPlan
    from pressmark.evals.examples import Examples
    from pressmark.evals.rating import Kind, RatingResult
    from pressmark.evals.row_changes import DatasetDifference
    from pressmark.widgets import Workbench
    from pressmark.workspace import Compacted, Deletion, SavedEndpoint

_SHOWN = 20


class Workspace(Faced):
    """Drafts, versions, datasets, suites and runs in one file.

    Several kernels and shells may work on one file at once.

    Args:
        path: The file; it is made where there is none.
        author: Who saves versions; else `PRESSMARK_AUTHOR`, else the user of this machine.

    Raises:
        WorkspaceError: There is something else at that path, the file is of a newer Pressmark, or it is locked.
    """

    def __init__(self, path: str | os.PathLike[str], *, author: str | None = None) -> None:
        self.store = Store(path)
        self.author = author or os.environ.get("PRESSMARK_AUTHOR") or _user()
        self.changes = Changes()
        self.functions: dict[str, ScoreFunction] = {}
        self.runners: dict[str, Runner] = {}

    def __repr__(self) -> str:
        return f"<Workspace {self.store.path}>"

    def _face(self) -> Face:
        kept = self.store.prompts().to_dict("records")
        rows = [
            (
                str(each["prompt"]),
                str(each["latest"]) if each["versions"] else "draft",
                str(each["message"] or ""),
                f"{each['changed_at']:%Y-%m-%d %H:%M} UTC",
            )
            for each in kept[:_SHOWN]
        ]
        more = [f"the first {_SHOWN} of {len(kept):,} prompts"] if len(kept) > _SHOWN else []
        # The file's folder is nobody's business who reads the notebook.
        title = f"Workspace {Path(self.store.path).name}"
        told = more if rows else ["no prompt yet: ws.save(name, text=…, model=…, message=…), or ws.draft(name)"]
        return Face(title, told, tables=[Table(("prompt", "newest", "change message", "changed"), rows)])

    def save(
        self,
        name: str,
        *,
        messages: Sequence[Mapping[str, Any]] | None = None,
        text: str | None = None,
        model: str | None = None,
        params: Mapping[str, Any] | None = None,
        variables: Mapping[str, Any] | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        tool_choice: Any = None,
        response_format: Mapping[str, Any] | None = None,
        inputs: Mapping[str, str] | None = None,
        message: str = "",
        parent: str | Version | None = None,
    ) -> PromptVersion:
        """Save a version of a prompt; what equals the newest version makes nothing new.

        Args:
            name: The prompt's name, such as `support/triage`.
            messages: Chat messages with Jinja2 in their strings; or
            text: One text with Jinja2 in it.
            model: The model's name.
            params: Request parameters, such as `{"temperature": 0}`.
            variables: Declarations by name; left out, they are found in the template.
            tools: Tools of the chat completions interface.
            tool_choice: Which tool to use.
            response_format: The answer's form.
            inputs: Variables that are another prompt's output, as `prompt@label`.
            message: What changed, for those who look at it later.
            parent: The version that this one was made from; else the newest.

        Returns:
            The version; `.version` is its name here, such as `#2`.

        Raises:
            InvalidUnitError: A part is wrong; `field` names it.
            TemplateError: A template is wrong; with line and column.
            InvalidNameError: The name is not of the allowed form.
            GraphCycleError: Its inputs would close a circle.
        """
        unit = build_unit(
            messages=messages,
            text=text,
            model=model,
            params=params,
            variables=variables,
            tools=tools,
            tool_choice=tool_choice,
            response_format=response_format,
            inputs=inputs,
        )
        saved = self.store.save_version(name, unit, message, self.author, parent=parent)
        self.changes.tell("prompts", name=name)
        return saved.version

    def derive(
        self, version: PromptVersion, *, model: str | None = None, params: Mapping[str, Any] | None = None
    ) -> DerivedVersion:
        """Return a version with another model or other parameters, to be run beside the original without saving it.

        It has a digest of its own, and its name is the original's with a star, such as `#1*3fa9`. `keep` saves it, and
        so does publishing it with `workspace=`.

        Args:
            version: The original.
            model: Another model.
            params: Parameters to set, such as `{"temperature": 0}`; None as a value takes one away.

        Raises:
            InvalidUnitError: A part is wrong; `field` names it.
        """
        return derived(version, model, params, self.author)

    def keep(self, version: PromptVersion, message: str = "") -> PromptVersion:
        """Save a derived version, and return it with the number that it got; what is saved already is returned.

        Args:
            version: What `derive` returned.
            message: What changed; else what was derived.
        """
        if not isinstance(version, DerivedVersion):
            return version
        parent = f"#{version.number}" if version.store == "workspace" else None
        saved = self.store.save_version(
            version.name, version.unit, message or version.message, self.author, parent=parent
        )
        self.changes.tell("prompts", name=version.name)
        return saved.version

    def version(self, name: str, reference: str = "latest") -> PromptVersion:
        """Return a version: by `#2`, `latest`, or digest.

        Raises:
            NotFoundError: There is no such prompt or version.
        """
        return self.store.version(name, reference)

    def prompts(self) -> pandas.DataFrame:
        """Return every prompt: prompt, versions, latest, digest, message, changed_at, draft; the last changed first."""
        return self.store.prompts()

    def versions(self, name: str) -> pandas.DataFrame:
        """Return a prompt's versions, newest first: version, message, author, created_at, parent, restores, digest."""
        from pressmark.api.frames import told

        columns = ["version", "message", "author", "created_at", "parent", "restores", "digest"]
        rows = [
            [
                version.version,
                version.message,
                version.author,
                version.created_at,
                f"#{version.parent}" if version.parent else None,
                f"#{version.restores}" if version.restores else None,
                version.digest,
            ]
            for version in self.store.versions(name)
        ]
        return told(rows, columns, optional=["parent", "restores"])

    def diff(self, before: Version, after: Version) -> Difference:
        """Return what differs between two versions, tools and parameters included."""
        return Difference.of(before, after)

    def pull(self, registry: Registry, reference: str, *, trusted: Collection[str] = ()) -> PromptVersion:
        """Bring a published version into the file, where it gets a number of its own.

        What it takes its inputs from comes with it, and so do the published suites that name it or one of those.

        Args:
            registry: Where from.
            reference: `name@label` or `name@v3`.
            trusted: Packages from which functions of suites may be imported; others fail each row, saying so.

        Raises:
            NotFoundError: The registry holds no such version.
        """
        name, at, wanted = reference.partition("@")
        if not at:
            raise VersionNotFoundError(
                f"{reference!r} does not say which version: write {reference}@production or {reference}@v3"
            )
        backend = registry.backend
        pulled = publishing.pull(self.store, backend, name, wanted, where=backend.where)
        names, waiting = {name}, list(pulled.unit.inputs.values())
        while waiting:
            upstream, label = parse_input(waiting.pop())
            if upstream not in names:
                names.add(upstream)
                fed = publishing.pull(self.store, backend, upstream, label, where=backend.where)
                waiting.extend(fed.unit.inputs.values())
        for published in backend.suites():
            if published.spec.get("prompt") in names:
                suite = publishing.pull_suite(self.store, backend, published.name, trusted=trusted)
                self._learn_functions(suite)
        for each in sorted(names):
            self.changes.tell("prompts", name=each)
        self.changes.tell("catalog")
        return pulled

    def dataset(
        self,
        name: str,
        source: Any = None,
        *,
        version: str | None = None,
        sql: str | None = None,
        logs: str | os.PathLike[str] | None = None,
        unique: bool | str | Sequence[str] | None = None,
        near: float | None = None,
        sample: int | None = None,
        by: str | None = None,
        seed: int = 0,
    ) -> Dataset:
        """Keep rows under a name, or return the dataset of that name.

        Args:
            name: The dataset's name.
            source: A DataFrame, a path to a CSV, JSONL or Parquet file, a list of dicts or a dataset; without any
                source the dataset that is kept under the name is returned.
            version: Which version of it: `#2` or a digest; else the newest.
            sql: A query over the workspace, whose rows are kept; with `logs`, those stand in the table `logs`.
            logs: An export of OpenTelemetry spans (OTLP as JSON, whole or a line each), or of Langfuse traces or
                observations (JSON, JSON Lines or CSV). Rows hold the prompt's variables where they are recorded, else
                what the user said as `input`; and output, model, prompt, trace and time.
            unique: Whether to leave out rows that repeat an earlier one, or the columns that make them the same. Of
                logs they are left out, by the variables, unless this says False.
            near: Also leave out rows whose text is so similar to that of one kept, such as 0.95.
            sample: Keep so many rows, drawn at random.
            by: A column whose values keep their shares in the sample.
            seed: Another one draws other rows; the same one draws the same on every machine.

        Returns:
            The dataset; its `repr` tells what was left out.

        Raises:
            DatasetError: The source is empty or cannot be read, or the arguments do not fit together.
            DatasetNotFoundError: Nothing is kept under the name.
            WorkspaceError: The SQL is no query.
        """
        if source is None and sql is None and logs is None:
            return self.store.dataset(name, version)
        if version is not None:
            raise DatasetError("version= returns what is kept under a name, and takes no rows: leave one of them out")
        if isinstance(source, Dataset) and all(drawn is None for drawn in (unique, near, sample, by)):
            found = replace(source, name=check_name(name, "dataset name"), note="")
        else:
            rows = [dict(row) for row in source.rows] if isinstance(source, Dataset) else source
            found = made(
                self.store, name, rows, sql=sql, logs=logs, unique=unique, near=near, sample=sample, by=by, seed=seed
            )
        return self._keep_dataset(found)

    def dataset_versions(self, name: str) -> pandas.DataFrame:
        """Return a dataset's versions, newest first.

        Columns: version (`#2`), digest, rows, kind (how it was made), told, part, parent (digest), author, created_at.

        Raises:
            DatasetNotFoundError: Nothing is kept under the name.
        """
        return self.store.dataset_versions(name)

    def diff_datasets(
        self, before: Dataset | str, after: Dataset | str | None = None, *, key: str | Sequence[str] | None = None
    ) -> DatasetDifference:
        """Return which rows were added, removed and changed between two datasets.

        Args:
            before: A dataset, or a name: its newest version.
            after: Another one; without it, `before` is held against the version before.
            key: The column, or columns, by which a row is known; else rows are matched where they are equal, and those
                between by their place.

        Raises:
            DatasetNotFoundError: There is none of that name, or no version before.
            DatasetError: There is no such column, or two rows have the same key.
        """
        first = self.store.dataset(before) if isinstance(before, str) else before
        if after is not None:
            second = self.store.dataset(after) if isinstance(after, str) else after
            return first.diff(second, key=key)
        digests = self.store.dataset_versions(first.name)["digest"].tolist()
        older = digests[digests.index(first.digest) + 1 :] if first.digest in digests else []
        if not older:
            raise DatasetNotFoundError(
                f"dataset {first.name!r} has no version before {first.digest[:15]}: give the other dataset, too",
                name=first.name,
            )
        return self.store.dataset(first.name, older[0]).diff(first, key=key)

    def correct(self, dataset: Dataset | str, row: int, values: Mapping[str, Any], *, message: str = "") -> Dataset:
        """Keep other values in a row of a dataset, as its next version, and return it.

        Args:
            dataset: A name: its newest version is corrected. Or a dataset that was looked at: likewise, where the row
                still stands there as it was seen.
            row: Which row, from 0.
            values: The new value by column, such as `{"category": "refund"}`.
            message: Why.

        Raises:
            DatasetError: There is no such row or column, it holds that already, or it was changed by now.
            DatasetNotFoundError: Nothing is kept under the name.
        """
        name, seen = (dataset, None) if isinstance(dataset, str) else (dataset.name, dataset.row(row))
        corrected = self.store.correct_dataset(name, row, values, author=self.author, message=message, seen=seen)
        self.changes.tell("catalog")
        return corrected

    def split(
        self,
        dataset: Dataset | str,
        holdout: float = 0.3,
        *,
        by: str | None = None,
        clusters: str | None = None,
        seed: int = 0,
    ) -> Split:
        """Part a dataset into what a prompt may be tuned on and what it is judged by, and keep both.

        Args:
            dataset: A dataset, or the name of one.
            holdout: The share that is held out.
            by: A column whose values keep their shares in both parts.
            clusters: A column that names what rows share, such as a conversation; such rows stay together.
            seed: Another one parts the rows otherwise.

        Returns:
            `train` and `holdout`, kept as `NAME/train` and `NAME/holdout`.

        Raises:
            DatasetError: There is no such column, the share is none, or the rows cannot be parted.
        """
        whole = self.store.dataset(dataset) if isinstance(dataset, str) else dataset
        parts = whole.split(holdout, by=by, clusters=clusters, seed=seed)
        return Split(self._keep_dataset(parts.train), self._keep_dataset(parts.holdout))

    def examples(self, dataset: Dataset | str, rows: int, *, by: str | None = None, seed: int = 0) -> Examples:
        """Return rows to show a model as examples, drawn from the train part; never from the holdout.

        Args:
            dataset: A train part, or a dataset that was split, or the name of one.
            rows: How many.
            by: A column whose values keep their shares.
            seed: Another one draws other rows.

        Returns:
            The rows; `.messages(user="text", assistant="category")` makes messages for a template of them.

        Raises:
            DatasetError: It is a holdout, or was not split.
        """
        found = self.store.dataset(dataset) if isinstance(dataset, str) else dataset
        return chosen_examples(self.store, found, rows, by, seed)

    def _keep_dataset(self, dataset: Dataset) -> Dataset:
        kept = self.store.save_dataset(dataset, self.author)
        self.changes.tell("catalog")
        return kept

    def datasets(self) -> pandas.DataFrame:
        """Return every dataset: name, digest, columns, rows, versions, when it was kept."""
        return self.store.datasets()

    def delete_dataset(self, name: str, *, reason: str, runs: bool = False, compact: bool = True) -> Deletion:
        """Delete every version of a dataset and the suites on it, and have its bytes leave the file.

        Saved versions and drafts that quote rows stay, and so do other datasets with the same rows: `also_in` names
        those. What was deleted, by whom and why is remembered.

        Args:
            name: The dataset.
            reason: Why, for those who miss it later.
            runs: Whether its runs go too, with their outputs, scores and ratings; else these stay.
            compact: Whether to compact the file, without which the bytes stay in it until they are overwritten.

        Raises:
            DatasetNotFoundError: There is none.
            WorkspaceError: There is no reason, or a run is working on it; nothing was deleted.
        """
        gone = self.store.delete_dataset(name, reason, self.author, runs=runs)
        try:
            if compact:
                self.store.compact()
        finally:
            self.changes.tell("catalog")
            if gone.runs:
                self.changes.tell("runs")
        return gone

    def delete_draft(self, name: str) -> None:
        """Delete the draft of a prompt and all its steps; where there is none, nothing happens."""
        self.store.delete_draft(name)
        self.changes.tell("prompts", name=name)

    def compact(self) -> Compacted:
        """Rewrite the file without what was deleted, and return its bytes before and after; others wait meanwhile.

        Raises:
            WorkspaceError: Others use the file all the time, or there is no room for the copy; it is as it was.
        """
        return self.store.compact()

    def suite(
        self,
        name: str,
        *,
        dataset: Dataset | str | Any = None,
        scorers: Sequence[Scorer] | None = None,
        primary: str | None = None,
        slice: str | None = None,
        prompt: str | None = None,
    ) -> Suite:
        """Make and keep a suite, or return the suite of that name.

        Args:
            name: The suite's name.
            dataset: A dataset, the name of one, or rows (which are kept under the suite's name).
            scorers: What scores the outputs; without them, the suite that is kept under the name is returned.
            primary: The scorer whose verdict is the suite's; else the first.
            slice: A column by which results are told apart.
            prompt: The prompt that it judges: `evaluate_change` runs it when that prompt or one upstream of it changes.

        Raises:
            SuiteError: The parts do not fit together.
            SuiteNotFoundError: Nothing is kept under the name.
        """
        if scorers is None and dataset is None:
            return self._noted(self.load_suite(self.store.suite_spec(name)))
        if isinstance(dataset, str):
            dataset = self.store.dataset(dataset)
        elif not isinstance(dataset, Dataset):
            dataset = self.dataset(name, dataset)
        suite = Suite.of(name, dataset, scorers or (), primary=primary, slice=slice, prompt=prompt)
        self._learn_functions(suite)
        number = self.store.save_suite(name, suite.digest, suite.spec())
        self.changes.tell("catalog")
        return replace(suite, note=f"version {number}") if number > 1 else suite

    def load_suite(self, spec: Mapping[str, Any] | str) -> Suite:
        """Return the suite that a description tells of, or the one of that name, with this process's functions."""
        if not isinstance(spec, Mapping) or "dataset" not in spec:
            return self.suite(spec) if isinstance(spec, str) else self._suite(spec)
        told = spec["dataset"]
        return Suite.from_spec(spec, self.store.dataset(told["name"], told["digest"]), self.functions)

    def _noted(self, suite: Suite) -> Suite:
        """Return a suite found by its name, saying so where its dataset's name stands for other rows by now."""
        kept = self.store.datasets()
        newest = kept[kept["name"] == suite.dataset.name]["digest"].tolist()
        if newest in ([], [suite.dataset.digest]):
            return suite
        return replace(
            suite,
            note=f"dataset {suite.dataset.name!r} has other rows now: make the suite again to run on those",
        )

    def suites(self) -> pandas.DataFrame:
        """Return every suite: name, digest, spec, versions, created_at."""
        return self.store.suites()

    def endpoint(
        self,
        name: str,
        *,
        base_url: str | None = None,
        key_env: str | None = None,
        rpm: float | None = None,
        tpm: float | None = None,
        transport: Transport = "httpx2",
    ) -> Endpoint:
        """Keep where a model is reached, or return what is kept under the name.

        Args:
            name: What to call it.
            base_url: Its address, such as `https://host/v1`; without one, what is kept under the name is returned.
            key_env: The *name* of the environment variable that holds its key. The key itself is never kept.
            rpm: Requests that it takes a minute; runs keep to it.
            tpm: Tokens that it takes a minute, in and out together; runs keep to it.
            transport: What makes the connections: `httpx2`, or `aiohttp`, which takes less of the processor where many
                calls are under way and needs the extra of that name.

        Raises:
            EndpointError: An argument is malformed, or looks like a key.
            EndpointNotFoundError: Nothing is kept under the name.
        """
        if base_url is None:
            kept = self.store.endpoint(name)
        else:
            given = Endpoint(name, base_url, key_env, rpm, tpm, transport)
            kept = self.store.save_endpoint(name, base_url, key_env, rpm=rpm, tpm=tpm, transport=given.transport)
            self.changes.tell("catalog")
        return _endpoint(kept)

    def endpoints(self) -> list[Endpoint]:
        """Return every endpoint that is kept, and the one that the environment names, where it names one."""
        kept = [_endpoint(saved) for saved in self.store.endpoints()]
        named = os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_KEY")
        if named and "default" not in {endpoint.name for endpoint in kept}:
            kept.append(default_endpoint())
        return kept

    def choose_endpoint(self, endpoint: str | Endpoint | None) -> Endpoint:
        """Return the endpoint that is meant; without a name, the only one there is.

        Raises:
            EndpointNotFoundError: There is none of that name, or none or several to choose from.
        """
        if isinstance(endpoint, Endpoint):
            return endpoint
        known = self.endpoints()
        if endpoint is not None:
            for candidate in known:
                if candidate.name == endpoint:
                    return candidate
            return self.endpoint(endpoint)
        if len(known) == 1:
            return known[0]
        if known:
            names = ", ".join(candidate.name for candidate in known)
            raise EndpointNotFoundError(f"there are several endpoints ({names}): say which one, endpoint='…'")
        raise EndpointNotFoundError(
            "there is no endpoint to ask: make one with ws.endpoint('local', base_url='http://…/v1', key_env='…'),"
            " or set OPENAI_API_KEY. `pressmark practice-model` serves one that needs no key"
        )

    def plan(
        self,
        versions: Sequence[PromptVersion | Chain] | PromptVersion | Chain,
        suite: Suite | str,
        *,
        endpoint: str | Endpoint | None = None,
        concurrency: int = 8,
        repeats: int = 1,
    ) -> RunPlan:
        """Return what `evaluate` with the same arguments would take, and what it could show; nobody is asked.

        Returns:
            Calls, tokens, cost and time, and the smallest difference that so many rows show; `rows_needed(difference)`
            tells how many rows a difference takes.

        Raises:
            VersionNotFoundError: What was given as versions are none.
            DatasetError: A column for a variable is missing.
            EndpointNotFoundError: There is no such endpoint.
        """
        from pressmark.api.planning import plan_run

        where = self.choose_endpoint(endpoint)
        given = several(versions)
        return plan_run(self.store, given, self._suite(suite), where, repeats=repeats, concurrency=concurrency)

    def evaluate(
        self,
        versions: Sequence[PromptVersion | Chain] | PromptVersion | Chain,
        suite: Suite | str,
        *,
        endpoint: str | Endpoint | None = None,
        concurrency: int | Literal["auto"] | None = 8,
        repeats: int = 1,
        timeout: float = 120.0,
        budget: Budget | None = None,
        stop_when_sure: bool = False,
        stream: bool = False,
        seeds: bool = False,
        cluster: Client | None = None,
        progress: bool = True,
    ) -> Run:
        """Run versions over a suite and wait for the end; works in a script and in a notebook cell.

        What was answered before is not asked again: the same call after a kill or an interrupt goes on where it
        stopped, and equal requests are answered from the file.

        Args:
            versions: The baseline first, or one alone. What a version takes from prompts upstream is asked first, each
                prompt once a row: of their newest versions, or of those that a chain fixes.
            suite: What to run them on.
            endpoint: Where to ask: a name or an endpoint; else the only one there is.
            concurrency: Calls in flight at once, at most: a run begins with a few and rises to it as long as the
                endpoint keeps up. "auto" or None sets no limit but what the endpoint takes.
            repeats: How often each row is asked.
            timeout: Seconds that one attempt may take.
            budget: What the run may spend in all, such as `pm.Budget(money=2)`. Where the next call could exceed it,
                the run stops: its answers are kept, and the same call with a larger budget goes on.
            stop_when_sure: Stop as soon as the confidence sequence of the primary scorer tells every version from the
                first, with a look every 10 rows. The run's `method` is then `sequence`.
            seeds: Ask each repeat with a `seed` of its own, so that an endpoint that heeds it gives answers that can
                be had again.
            stream: Have answers streamed, which tells the time to the first token (`ttft` in the results).
            cluster: A Dask client: its workers ask and score, and answers come into this file as they arrive. Budget,
                `concurrency` and the endpoint's limits hold for all workers together. Each reads the endpoint's key
                from its own environment.
            progress: Whether to show a progress bar.

        Returns:
            The run. Rows that could not be answered are error rows, with the reason. Its status is `stopped` where its
            budget or `stop_when_sure` ended it; its `note` says which.

        Raises:
            BudgetError: Money is budgeted for a model whose price is not known.
            ClusterError: The cluster's workers cannot do the work, or none is left.
            VersionNotFoundError: What was given as versions are none.
            DatasetError: A column for a variable is missing.
            EndpointAuthError: The endpoint refuses the key, or the key's variable is empty.
            EndpointConnectionError: Nothing answers at the endpoint's address.
            KeyboardInterrupt: The cell was interrupted; what was answered is kept.
        """
        options = RunOptions(
            concurrency=concurrency,
            repeats=repeats,
            timeout=timeout,
            budget=budget,
            stop_when_sure=stop_when_sure,
            stream=stream,
            seeds=seeds,
            cluster=cluster,
        )
        runner = start_run(self, several(versions), self._suite(suite), self.choose_endpoint(endpoint), options)
        return runner.wait(progress=progress)

    async def aevaluate(
        self,
        versions: Sequence[PromptVersion | Chain] | PromptVersion | Chain,
        suite: Suite | str,
        *,
        endpoint: str | Endpoint | None = None,
        concurrency: int | Literal["auto"] | None = 8,
        repeats: int = 1,
        timeout: float = 120.0,
        budget: Budget | None = None,
        stop_when_sure: bool = False,
        stream: bool = False,
        seeds: bool = False,
        cluster: Client | None = None,
        progress: bool = True,
    ) -> Run:
        """Run versions over a suite from an async caller; see `evaluate`. Cancelling the caller stops the run."""
        options = RunOptions(
            concurrency=concurrency,
            repeats=repeats,
            timeout=timeout,
            budget=budget,
            stop_when_sure=stop_when_sure,
            stream=stream,
            seeds=seeds,
            cluster=cluster,
        )
        runner = start_run(self, several(versions), self._suite(suite), self.choose_endpoint(endpoint), options)
        return await runner.finished(progress=progress)

    def affected(
        self, version: PromptVersion, label: str = "production", *, registry: Registry | None = None
    ) -> tuple[str, ...]:
        """Return the prompts downstream that a version would reach as that label, in the order in which they run.

        Args:
            version: The candidate.
            label: The label that it is meant for.
            registry: Whose labels everything stands at; else the newest versions of this workspace stand.

        Raises:
            GraphCycleError: Prompts feed each other in a circle.
        """
        from pressmark.api.impact import change_of

        return change_of(self, version, label, registry).downstream

    def evaluate_change(
        self,
        version: PromptVersion,
        label: str = "production",
        *,
        registry: Registry | None = None,
        baseline: PromptVersion | str | None = None,
        suites: Mapping[str, Sequence[Suite | str]] | None = None,
        endpoint: str | Endpoint | None = None,
        concurrency: int = 8,
        repeats: int = 1,
        timeout: float = 120.0,
        progress: bool = True,
    ) -> ChangeEvaluation:
        """Run the suites of a prompt and of everything downstream, with the version as that label and as it is now.

        Each prompt of a chain is asked once a row; what a chain has answered before is not asked again.

        Args:
            version: The candidate.
            label: The label that it is meant for.
            registry: Whose labels everything stands at; else the newest versions of this workspace stand.
            baseline: Without a registry, the version to compare with, such as `"#1"`; else the newest other one.
            suites: Suites by prompt; else those made with `ws.suite(…, prompt=…)`.
            endpoint: Where to ask.
            concurrency: Calls in flight at once.
            repeats: How often each row is asked.
            timeout: Seconds that one attempt may take.
            progress: Whether to show progress bars.

        Returns:
            The verdicts; `.evidence` is what a registry's gate takes, `.to_file(path)` writes it.

        Raises:
            SuiteNotFoundError: The prompt itself has no suite.
            VersionNotFoundError: The label holds this version already, or the baseline is none of this prompt's.
            GraphCycleError: Prompts feed each other in a circle.
            EndpointError: No call could go well.
        """
        from pressmark.api.impact import evaluate_change

        return evaluate_change(
            self,
            version,
            label,
            self.choose_endpoint(endpoint),
            RunOptions(concurrency=concurrency, repeats=repeats, timeout=timeout),
            registry=registry,
            baseline=baseline,
            suites=suites,
            progress=progress,
        )

    def run(self, run_id: str) -> Run:
        """Return a run by its id, also after a kernel restart.

        Raises:
            RunNotFoundError: There is none.
        """
        return Run(self, self.store.run(run_id))

    def runs(self) -> pandas.DataFrame:
        """Return every run, newest first: run, prompt, versions, suite, endpoint, status, started_at."""
        import pandas as pd

        columns = ["run", "prompt", "versions", "suite", "endpoint", "status", "started_at"]
        rows = []
        for kept in self.store.runs():
            run = Run(self, kept)
            names = ", ".join(run.versions)
            rows.append([run.id, kept.prompt, names, run.suite_name, run.endpoint_name, run.status, kept.started_at])
        return pd.DataFrame(rows, columns=columns)

    def rate(
        self,
        run: Run,
        baseline: Version | str | None = None,
        candidate: Version | str | None = None,
        *,
        rater: str | None = None,
        kind: Kind = "pairwise",
        scale: tuple[int, int] = (1, 5),
        again: float = 0.1,
        rows: Sequence[int] | None = None,
        show: Sequence[str] | str = (),
    ) -> RatingSession:
        """Begin to rate a run's outputs blind, or go on where this rater stopped.

        Args:
            run: Whose outputs.
            baseline: A version of the run; else its first.
            candidate: Another; else its last.
            rater: Who rates; else the workspace's author.
            kind: `pairwise` shows two outputs side by side, sides drawn; `pointwise` one at a time, to be graded.
            scale: The worst grade and the best.
            again: Share of the questions that are asked twice, for the rater's agreement with themselves.
            rows: Which rows; else all.
            show: Columns to show beside those that fill the prompts' variables. A column that a scorer expects is
                shown only where it is named here: it tells the answer.

        Returns:
            The session: `question`, `answer(choice)`, `back()`, and `reveal()` at the end.

        Raises:
            DatasetError: There is no such column to show.
            RatingError: There is nothing to rate.
            VersionNotFoundError: The run has no such version.
        """
        from pressmark.api.rating import RatingSession

        pair = run.pair(baseline, candidate)
        return RatingSession(
            self, run, pair, rater or self.author, kind=kind, scale=scale, again=again, rows=rows, show=show
        )

    def ratings(
        self,
        run: Run,
        baseline: Version | str | None = None,
        candidate: Version | str | None = None,
        *,
        kind: Kind = "pairwise",
        scale: tuple[int, int] = (1, 5),
    ) -> RatingResult:
        """Return what everybody's ratings say of two versions of a run.

        Raises:
            RatingError: Nobody has rated them yet.
        """
        from pressmark.api.rating import rated

        return rated(self.store, run, run.pair(baseline, candidate), kind, scale)

    def sql(self, query: str) -> pandas.DataFrame:
        """Return what one SQL query finds in the file; it cannot change the file.

        Raises:
            WorkspaceError: It is no query, or DuckDB refuses it.
        """
        return self.store.sql(query)

    def draft(self, name: str) -> Workbench:
        """Return the Draft panel alone, opened on a prompt; a name that is not known yet begins a new one.

        Args:
            name: The prompt.

        Raises:
            InvalidNameError: The name is not of the allowed form.
        """
        from pressmark.api.session import Session
        from pressmark.widgets import Workbench

        return Workbench(Session(self), check_name(name), panels=("draft",))

    def workbench(self, name: str | None = None, *, registry: Registry | None = None) -> Workbench:
        """Return the widget: draft, compare, evaluate, rate, publish.

        Args:
            name: The prompt to open.
            registry: The registry to publish to; else the one that `PRESSMARK_URL` names, where it is set.
        """
        from pressmark.api.registry import Registry
        from pressmark.api.session import Session
        from pressmark.widgets import Workbench

        if registry is None and os.environ.get("PRESSMARK_URL"):
            registry = Registry()
        return Workbench(Session(self, registry), prompt=name or "")

    def _learn_functions(self, suite: Suite) -> None:
        """Remember the Python functions of a suite: the file holds their names only."""
        for scorer in suite.scorers:
            if (function := getattr(scorer, "function", None)) is not None:
                self.functions[scorer.name] = function

    def _suite(self, suite: Any) -> Suite:
        if isinstance(suite, str):
            return self.suite(suite)
        if not isinstance(suite, Suite):
            raise SuiteError(
                f"{shown(suite)} is no suite: make one of rows and scorers with"
                " ws.suite('basics', dataset=…, scorers=[…]), and pass it or its name"
            )
        return suite


def _endpoint(kept: SavedEndpoint) -> Endpoint:
    transport = cast("Transport", kept.transport or "httpx2")
    return Endpoint(kept.name, kept.base_url, kept.key_env, kept.rpm, kept.tpm, transport)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"  # a container's user id without a name

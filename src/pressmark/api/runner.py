"""A run under way in this process: the asking, the journal, and its way into the file."""

from __future__ import annotations

import atexit
import threading
import time
from typing import TYPE_CHECKING, Any

from pressmark.api.stopping import Sure
from pressmark.errors import PressmarkError, RunCancelledError
from pressmark.evals.runner import Execution

if TYPE_CHECKING:
    from pressmark import workspace as files
    from pressmark.api.runs import Run
    from pressmark.api.workspace import Workspace
    from pressmark.evals import Progress

_LOOK_EVERY = 0.1
_STOP_SECONDS = 10.0
_TELL_EVERY = 0.2

# Runs under way in this process. A thread that is still inside the database when the interpreter ends would take the
# whole process down with it, so they are stopped and waited for first; what was answered is in the journal.
_living: set[Runner] = set()


@atexit.register
def _stop_runs() -> None:
    runners = list(_living)
    for runner in runners:
        runner.cancel()
    for runner in runners:
        runner.join(_STOP_SECONDS)


class Runner:
    """A run under way in this process: the asking, the journal and its way into the file."""

    def __init__(
        self,
        workspace: Workspace,
        run_id: str,
        execution: Execution,
        drainer: files.Drainer,
        *,
        record: dict[str, Any],
        sure: Sure | None,
    ) -> None:
        self.run_id = run_id
        self._record, self._sure = record, sure
        self.started = time.monotonic()
        self._workspace = workspace
        self._execution = execution
        self._drainer = drainer
        self._trouble: PressmarkError | None = None
        self._settled = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"pressmark-follow-{run_id}", daemon=True)
        _living.add(self)
        self._thread.start()

    @property
    def progress(self) -> Progress:
        """Where it stands now."""
        return self._execution.progress

    def join(self, seconds: float) -> None:
        """Wait until nothing of it is under way any more."""
        self._thread.join(seconds)

    def cancel(self) -> None:
        """Ask it to stop; what was answered is kept."""
        self._execution.cancel()

    def wait(self, *, progress: bool = False) -> Run:
        """Wait for the end; an interrupt stops the run first, and what was answered is kept.

        Raises:
            EndpointError: No further call could go well.
            RunCancelledError: It was cancelled.
            WorkspaceError: The answers could not be moved into the file; they stay in the journal.
        """
        try:
            self._execution.wait(bar=progress)
        finally:
            self._settle()
        return self._outcome()

    async def finished(self, *, progress: bool = False) -> Run:
        """Wait for the end from an event loop; see `wait`."""
        import asyncio

        try:
            await self._execution.finished(bar=progress)
        finally:
            await asyncio.to_thread(self._settle)
        return self._outcome()

    def _outcome(self) -> Run:
        if self._trouble is not None:
            raise self._trouble
        return self._workspace.run(self.run_id)

    def _settle(self) -> None:
        while not self._settled.wait(_LOOK_EVERY):
            pass

    def _follow(self) -> None:
        """Wait for the end whoever else does, so that a run started by a button is finished too."""
        teller = threading.Thread(target=self._tell, daemon=True)
        teller.start()
        status, note = "done", None
        try:
            self._execution.wait()
        except RunCancelledError:
            status, note = "cancelled", "The run was stopped; run it again to ask only what is missing."
        except BaseException as error:  # noqa: BLE001 - told in the run's note, and raised where somebody waits
            status, note = "failed", str(error) or type(error).__name__
        if status == "done" and self._execution.stopped is not None:
            status, note = "stopped", self._why_stopped()
        try:
            self._drainer.stop()
            self._workspace.store.finish_run(self.run_id, status, note, self._final_record(status))
        except PressmarkError as error:
            self._trouble = error
        finally:
            self._workspace.runners.pop(self.run_id, None)
            self._settled.set()
            teller.join()
            self._workspace.changes.tell("runs", run=self.run_id)
            _living.discard(self)

    def _why_stopped(self) -> str:
        stopped, now = self._execution.stopped, self.progress
        assert stopped is not None
        if stopped.by == "sequence":
            return (
                f"Stopped after {self._execution.rows_done:,} of {self._record['planned']:,} rows: the confidence"
                " sequence tells the versions apart."
            )
        return (
            f"Stopped at {now.done:,} of {now.total:,} answers: {stopped.why}. Run it again with a larger budget to go"
            " on."
        )

    def _final_record(self, status: str) -> dict[str, Any]:
        record = self._record | {"rows_done": self._execution.rows_done, "spent": self._execution.spent.to_dict()}
        if record["method"] != "sequence":
            record["method"] = "fixed" if status == "done" else "unplanned"
        if self._sure is not None:
            record["sequence"] = self._sure.told
        return record

    def _tell(self) -> None:
        while not self._settled.wait(_TELL_EVERY):
            self._workspace.changes.tell("run", run=self.run_id)
        self._workspace.changes.tell("run", run=self.run_id)

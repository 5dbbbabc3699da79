"""A run whose calls and scoring are spread over a Dask cluster.

The run itself stays with the caller: its rows, its journal and its limits. Each call gets its place in the budget and
in the limits a minute before it travels, as without a cluster, so the workers together keep to them; a worker's share
is what it is given, and one that is slow or dead leaves its share to the others::

    spread = Spread(client, endpoint, suite)
    spread.open()                 # checks the workers; nothing is asked
    start(plan, suite, spread, sink, run_id=…, mark=spread.mark)
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pressmark.cluster.crew import Crew
from pressmark.cluster.hand import WorkerLostError
from pressmark.errors import ClusterError, EndpointConnectionError
from pressmark.evals import Answer, Suite
from pressmark.evals.scorers import DirectScorer, ScoringInput
from pressmark.evals.scoring import Marks
from pressmark.prompts.quoting import shown
from pressmark.providers import Completer, Endpoint

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")

# Workers that may be lost over one answer before its scorers are held to be the reason.
_LOSSES = 3


class Spread:
    """A completion function and a scoring function, both done by workers.

    Args:
        client: The cluster's; an ordinary one, whose event loop runs on a thread of its own.
        endpoint: Where the workers ask. The key is read by each from its own environment.
        suite: Its scorers travel, but for judges, whose requests are asked like any other.
        stream: Whether answers are streamed.

    Attributes:
        base_url: The endpoint's address.

    Raises:
        ClusterError: It is no Dask client, is closed or asynchronous, or a scorer cannot travel.
    """

    def __init__(self, client: Client, endpoint: Endpoint, suite: Suite, *, stream: bool = False) -> None:
        _check_client(client)
        self.base_url, self.rpm, self.tpm = endpoint.base_url, endpoint.rpm, endpoint.tpm
        self.price = Completer(endpoint).price
        loop: Any = client.loop
        self._loop: asyncio.AbstractEventLoop = loop.asyncio_loop
        self._scorers = _pickled(suite)
        self._crew = Crew(client, endpoint, self._scorers, stream=stream)

    def open(self) -> None:
        """Gather the workers.

        Raises:
            ClusterError: They cannot do the work; the message says what to do.
            EndpointAuthError: One of them lacks the endpoint's key.
        """
        opening = asyncio.run_coroutine_threadsafe(self._crew.open(), self._loop)
        try:
            opening.result()
        except BaseException:
            opening.cancel()
            self.close()
            raise

    async def __call__(self, request: Mapping[str, Any]) -> Answer:
        """Answer the keyword arguments of `chat.completions.create`.

        Raises:
            EndpointError: There is no proper answer; `retryable` tells whether asking again may help.
        """
        try:
            return await self._there(self._crew.answer(request))
        except WorkerLostError as lost:
            # Whether the endpoint answered it nobody knows, so it counts in the budget; another worker asks again.
            raise EndpointConnectionError(
                f"worker {lost} was lost with the call under way: run again to ask it",
                kind="worker lost",
                retryable=True,
                retry_after=0.0,
            ) from None

    async def mark(self, given: ScoringInput) -> Marks:
        """Score an answer by the suite's scorers that need no model.

        An answer over which worker after worker is lost stays without scores, and says so.

        Raises:
            ClusterError: No worker is left.
        """
        lost = ""
        for _ in range(_LOSSES):
            try:
                return await self._there(self._crew.marks(given))
            except WorkerLostError as error:
                lost = str(error)
            except ClusterError as error:
                if not lost:
                    raise
                # The same call would lose the next workers over the same answer.
                raise ClusterError(
                    f"{error}. Worker {lost} was scoring row {given.number} when it was lost"
                    f" ({', '.join(self._scorers)}): if that comes again, a scorer ends the process",
                    **error.facts,
                ) from error
        marks = Marks()
        for name in self._scorers:
            marks.miss(
                name,
                f"scorer {name!r}: {_LOSSES} workers were lost one after the other while they scored this answer: see"
                " their logs, whether it ends the process or takes all the memory, and run again to have it scored",
            )
        return marks

    async def aclose(self) -> None:
        """Let the workers go."""
        await self._there(self._crew.close())

    def close(self) -> None:
        """Let the workers go, where no run has begun."""
        asyncio.run_coroutine_threadsafe(self._crew.close(), self._loop).result()

    async def _there(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))


def _check_client(client: Any) -> None:
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise ImportError(
            f"cluster= needs {error.name}, which is not installed: pip install 'pressmark[cluster]'", name=error.name
        ) from error
    if not isinstance(client, Client):
        raise ClusterError(
            f"cluster= is a Dask client, such as dask.distributed.Client('tcp://scheduler:8786'), not {shown(client)}"
        )
    if client.asynchronous:
        raise ClusterError(
            "cluster= was given an asynchronous Dask client: give one made without asynchronous=True; ws.aevaluate"
            " takes it too"
        )
    if client.status != "running":
        raise ClusterError(f"the Dask client is {client.status}: connect a new one; nothing was asked")


def _pickled(suite: Suite) -> dict[str, bytes]:
    import cloudpickle

    found = {}
    for scorer in suite.scorers:
        if not isinstance(scorer, DirectScorer):
            continue
        try:
            found[scorer.name] = cloudpickle.dumps(scorer)
        except Exception as error:
            raise ClusterError(
                f"scorer {scorer.name!r} cannot travel to the workers ({type(error).__name__}: {error}): let its"
                " function open what it needs by itself (a file, a connection, a lock) instead of taking it from around"
                " it, or run without cluster=. Nothing was asked",
                scorer=scorer.name,
            ) from error
    return found

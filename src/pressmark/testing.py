"""For your own tests: a real registry that lives as long as a block, and an endpoint that answers what you tell it.

Nothing here is a mock. The registry is the one that `pressmark serve` runs, on a temporary file, over real HTTP; the
endpoint speaks the chat completions interface over real HTTP and can be told to fail::

    from pressmark.testing import RecordedEndpoint, registry_in_memory

    def test_triage_reads_the_new_prompt():
        with registry_in_memory() as registry:
            registry.publish("support/triage", text="Which category? {{ text }}", label="production")
            client = registry.client()
            assert "refund" in client.get("support/triage").render(text="refund please")
            with registry.away():
                assert client.get("support/triage").version == "v1"

    def test_evaluation_counts_refusals(workspace, suite, version):
        with RecordedEndpoint({"refund please": "billing"}) as endpoint:
            endpoint.fail(429, times=2)
            workspace.endpoint("recorded", base_url=endpoint.base_url)
            run = workspace.evaluate([version], suite, endpoint="recorded")
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pressmark.errors import ClientError, NotFoundError

if TYPE_CHECKING:
    from pressmark.client import Client
    from pressmark.prompts import Entry
    from pressmark.registry import Published
    from pressmark.registry.store import Store

__all__ = ["RecordedEndpoint", "RegistrySimulator", "registry_in_memory"]

_POLL: Final = 0.005


@contextmanager
def registry_in_memory() -> Iterator[RegistrySimulator]:
    """Serve a new, empty registry while the block runs, and forget it afterwards.

    Yields:
        The registry.

    Raises:
        ImportError: The extra `registry` is not installed.
    """
    try:
        from pressmark.registry.store import Store
    except ModuleNotFoundError as error:
        raise ImportError(
            f"a registry needs {error.name}, which is not installed: pip install 'pressmark[registry]'",
            name=error.name,
        ) from error
    with tempfile.TemporaryDirectory(prefix="pressmark-") as folder, ExitStack() as stack:
        store = Store(Path(folder) / "registry.db", actor="test")
        stack.callback(store.close)
        simulator = RegistrySimulator(store)
        stack.callback(simulator.close)
        yield simulator


class RegistrySimulator:
    """A real registry with shortcuts for tests; `registry_in_memory` makes one.

    Args:
        store: The registry's store; whoever made it closes it.

    Attributes:
        store: The registry itself, for what has no shortcut here.
        url: Where it is served.
        token: A token of an admin.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.token = store.create_token("test", "admin").secret
        self._clients: list[Client] = []
        self._server = ExitStack()
        self._serve(port=0)

    def __repr__(self) -> str:
        return f"<RegistrySimulator {self.url}>"

    def publish(
        self,
        name: str,
        *,
        messages: Sequence[Mapping[str, Any]] | None = None,
        text: str | None = None,
        model: str = "a-model",
        label: str | None = None,
        **parts: Any,
    ) -> Published:
        """Publish a version, and let a label point to it where one is named.

        Args:
            name: The prompt.
            messages: Chat messages; or
            text: one text.
            model: The model's name.
            label: The label to move to it.
            **parts: Any other part that `Workspace.save` takes, such as `params`.

        Raises:
            InvalidUnitError: A part is wrong; nothing was published.
        """
        from pressmark.prompts.canonical import unit_bytes
        from pressmark.rendering import build_unit

        unit = build_unit(messages=messages, text=text, model=model, **parts)
        published = self.store.publish(name, unit_bytes(unit), message="a test's version", reason="a test")
        if label is not None:
            self.move(name, label=label, to=published.version)
        return published

    def move(self, name: str, *, label: str = "production", to: str = "latest", reason: str = "a test") -> Entry:
        """Let a label point to a version: `v2`, another label, or a digest."""
        from pressmark.registry import UNSET

        return self.store.move(name, label=label, to=to, reason=reason, expected=UNSET)

    def client(self, **options: Any) -> Client:
        """Return a production client of this registry, closed together with it.

        Args:
            **options: As `pressmark.Client` takes them. Unless they say otherwise it keeps no snapshot, so that one
                test does not start from what another one left.
        """
        from pressmark.client import Client

        made = Client(self.url, **{"token": self.token, "snapshot_dir": False, **options})
        self._clients.append(made)
        return made

    def wait_for(self, client: Client, timeout: float = 5.0) -> None:
        """Wait until a client serves what its labels point to now.

        Args:
            client: A client of this registry.
            timeout: Seconds to wait.

        Raises:
            TimeoutError: It does not; the message tells the client's state.
        """
        labels, names = client.status().scope
        pointers = self.store.sync(labels, names, units=False)["pointers"]
        deadline = time.monotonic() + timeout
        while behind := [pointer for pointer in pointers if not _serves(client, pointer)]:
            if time.monotonic() > deadline:
                first = f"{behind[0]['name']}@{behind[0]['label']}"
                raise TimeoutError(f"the client does not serve {first} after {timeout:g} s: {client.status()}")
            time.sleep(_POLL)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Stop serving while the block runs: connections are cut and new ones refused. Nothing is lost."""
        port = urlsplit(self.url).port
        self._server.close()
        try:
            yield
        finally:
            self._serve(port=port or 0)

    def close(self) -> None:
        """Close its clients and stop serving."""
        while self._clients:
            self._clients.pop().close()
        self._server.close()

    def _serve(self, port: int) -> None:
        from pressmark.registry import serving

        self.url = self._server.enter_context(serving.running(self.store, port=port)).url


def _serves(client: Client, pointer: Mapping[str, Any]) -> bool:
    wanted = pointer["targets"][0]["version"] if pointer["targets"] else None
    try:
        return client.get(pointer["name"], pointer["label"]).version == wanted
    except NotFoundError:
        return wanted is None
    except ClientError:
        return False


Answer = str | Mapping[str, Any]
Fault = int | Literal["cut", "garbage", "hang"]


class RecordedEndpoint(AbstractContextManager["RecordedEndpoint"]):
    """A local OpenAI-compatible endpoint that answers chat completions as it is told, and fails on demand.

    It listens from the moment it is made until `close`. `GET /stats` tells the counters too, for other processes;
    `POST /stats` sets them back.

    Args:
        answers: What to answer to a last user message, as text or as a whole assistant message (with `tool_calls`); or
            a function from the request's JSON to that.
        model: The model's name in the answers; the requested one where none is given.
        key: The API key that it demands; None takes any.

    Attributes:
        base_url: The address for an OpenAI client, such as `http://127.0.0.1:49153/v1`.
        requests: The requests that arrived, in order, as JSON; those that were answered with a fault too.
    """

    def __init__(
        self,
        answers: Mapping[str, Answer] | Callable[[dict[str, Any]], Answer],
        *,
        model: str | None = None,
        key: str | None = None,
    ) -> None:
        self.requests: list[dict[str, Any]] = []
        self._answers = answers
        self._model = model
        self._key = key
        self._faults: deque[tuple[Fault, float | None]] = deque()
        self._sent: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._calls = self._in_flight = self._peak = 0
        self._closed = threading.Event()
        self._server = _Server(("127.0.0.1", 0), type("_Handler", (_Handler,), {"endpoint": self}))
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="recorded-endpoint", daemon=True
        )
        self._thread.start()

    def __repr__(self) -> str:
        return f"<RecordedEndpoint {self.base_url} {self._calls} calls>"

    def fail(self, fault: Fault, *, times: int = 1, retry_after: float | None = None) -> Self:
        """Let the next calls fail.

        Args:
            fault: An HTTP status; or `cut` (the connection breaks within the answer), `garbage` (an answer that is no
                JSON), `hang` (no answer, until the endpoint is closed).
            times: How many calls.
            retry_after: What the header of that name says.

        Raises:
            ValueError: There is no such fault.
        """
        if fault not in ("cut", "garbage", "hang") and not (isinstance(fault, int) and 400 <= fault <= 599):
            raise ValueError(f"{fault!r} is no fault: give a status from 400 to 599, 'cut', 'garbage' or 'hang'")
        with self._lock:
            self._faults.extend([(fault, retry_after)] * times)
        return self

    @property
    def stats(self) -> dict[str, Any]:
        """Counters: `calls`, those `in_flight`, the `peak` of these, and the faults `sent` by kind."""
        with self._lock:
            return {
                "calls": self._calls,
                "in_flight": self._in_flight,
                "peak": self._peak,
                "sent": dict(self._sent),
            }

    def reset(self) -> None:
        """Set the counters back and forget requests and faults to come."""
        with self._lock:
            self._calls, self._peak = 0, self._in_flight
            self._sent.clear()
            self._faults.clear()
            self.requests.clear()

    def close(self) -> None:
        """Stop listening; what hangs ends."""
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self, request: dict[str, Any]) -> tuple[int, tuple[Fault, float | None] | None]:
        """Count a call; return its number and the fault that it meets."""
        with self._lock:
            self._calls += 1
            self._in_flight += 1
            self._peak = max(self._peak, self._in_flight)
            self.requests.append(request)
            fault = self._faults.popleft() if self._faults else None
            if fault is not None:
                self._sent[str(fault[0])] += 1
            return self._calls, fault

    def _end(self) -> None:
        with self._lock:
            self._in_flight -= 1

    def _answer(self, request: dict[str, Any]) -> Answer:
        """Return what was recorded for a request.

        Raises:
            LookupError: Nothing was.
        """
        if callable(self._answers):
            return self._answers(request)
        asked = _last_user_text(request)
        if asked not in self._answers:
            raise LookupError(f"nothing is recorded for {asked!r}: add it to the answers")
        return self._answers[asked]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256


class _Handler(BaseHTTPRequestHandler):
    """One connection to a recorded endpoint."""

    endpoint: RecordedEndpoint
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        """Tell the counters, or which models there are."""
        if self.path == "/stats":
            return self._reply(200, self.endpoint.stats)
        if self.path == "/v1/models":
            name = self.endpoint._model or "recorded"
            listed = {"id": name, "object": "model", "created": 0, "owned_by": "pressmark"}
            return self._reply(200, {"object": "list", "data": [listed]})
        return self._refuse(404, "there is nothing here: POST /v1/chat/completions, GET /v1/models or /stats")

    def do_POST(self) -> None:
        """Answer a chat completion, or set the counters back."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/stats":
            told = self.endpoint.stats
            self.endpoint.reset()
            return self._reply(200, told)
        if self.path != "/v1/chat/completions":
            return self._refuse(404, "there is nothing here: POST /v1/chat/completions, GET /v1/models or /stats")
        try:
            request = json.loads(body)
            request["messages"][0]["role"]
        except (ValueError, LookupError, TypeError):
            return self._refuse(400, "the body is no chat completion request: send JSON with messages")
        number, fault = self.endpoint._begin(request)
        try:
            return self._chat(request, number, fault)
        finally:
            self.endpoint._end()

    def _chat(self, request: dict[str, Any], number: int, fault: tuple[Fault, float | None] | None) -> None:
        if fault is not None:
            return self._fail(*fault)
        key = self.endpoint._key
        if key is not None and self.headers.get("authorization") != f"Bearer {key}":
            return self._refuse(401, "the API key is wrong: give the one that the endpoint was made with")
        if request.get("stream"):
            return self._refuse(400, "a recorded endpoint does not stream: ask without stream")
        try:
            answer = self.endpoint._answer(request)
        except Exception as error:  # noqa: BLE001 - a user's function may raise anything, and its test should see it
            return self._refuse(400, f"{type(error).__name__}: {error}")
        return self._reply(200, _completion(request, answer, number, self.endpoint._model))

    def _fail(self, fault: Fault, retry_after: float | None) -> None:
        headers = {} if retry_after is None else {"retry-after": f"{retry_after:g}"}
        if isinstance(fault, int):
            return self._refuse(fault, f"this call was told to fail with {fault}", headers)
        self.close_connection = True
        if fault == "hang":
            self.endpoint._closed.wait()
            return None
        if fault == "garbage":
            return self._send(200, b"<html>this is no JSON</html>", headers)
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "1000")
        self.end_headers()
        self.wfile.write(b'{"id": "chatcmpl-')
        return None

    def _refuse(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        self._reply(status, {"error": {"message": message, "type": "recorded", "param": None, "code": None}}, headers)

    def _reply(self, status: int, told: Any, headers: Mapping[str, str] | None = None) -> None:
        self._send(status, json.dumps(told).encode(), headers)

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent."""


def _last_user_text(request: Mapping[str, Any]) -> str:
    for message in reversed(request["messages"]):
        if message.get("role") == "user":
            content = message.get("content")
            if isinstance(content, str):
                return content
            return "".join(part.get("text", "") for part in content or ())
    return ""


def _completion(request: Mapping[str, Any], answer: Answer, number: int, model: str | None) -> dict[str, Any]:
    message = {"role": "assistant", "content": answer} if isinstance(answer, str) else {"content": None, **answer}
    # Words stand for tokens: enough for what adds them up.
    asked = len(json.dumps(request["messages"], ensure_ascii=False).split())
    told = len(json.dumps(message, ensure_ascii=False).split())
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 0,
        "model": model or request.get("model") or "recorded",
        "system_fingerprint": "recorded",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", **message},
                "finish_reason": "tool_calls" if message.get("tool_calls") else "stop",
                "logprobs": None,
            }
        ],
        "usage": {"prompt_tokens": asked, "completion_tokens": told, "total_tokens": asked + told},
    }

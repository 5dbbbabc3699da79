"""What the side panel shows, asked of the registry in threads, so that Jupyter's event loop never waits for it.

However the registry is, there is an answer within `PATIENCE` seconds: a state in words, with what to do next.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from pressmark.address import read_address, told
from pressmark.errors import (
    AuthenticationError,
    MalformedAnswerError,
    PermissionDeniedError,
    PressmarkError,
    RegistryError,
    RegistryUnavailableError,
)
from pressmark.prompts import check_name
from pressmark.prompts.labels import Position
from pressmark.prompts.names import LATEST
from pressmark.registry.remote import Remote
from pressmark.registry.values import Principal, Published
from pressmark.wire import version_to_dict

PATIENCE: Final = 8.0
# An attempt ends before, so that a registry that never answers holds no thread for long.
_ATTEMPT: Final = 6.0
_THREADS: Final = 4
T = TypeVar("T")


class Source:
    """The registry as the side panel sees it.

    Args:
        url: Its address; empty where none was set.
        token: Its token; empty where there is none.
        in_environment: Whether kernels find the same registry by themselves.
        patience: Seconds until a registry that does not answer counts as away.
    """

    def __init__(self, url: str, token: str, *, in_environment: bool = True, patience: float = PATIENCE) -> None:
        self._url = url.strip()
        self._token = token
        self._in_environment = in_environment
        self._patience = patience
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="pressmark-panel")
        self._asking: dict[str | None, asyncio.Future[dict[str, Any]]] = {}
        self._opening = threading.Lock()
        self._opened: Remote | None = None

    async def state(self, seen: str | None = None) -> dict[str, Any]:
        """Return how the registry is and, where something changed, every prompt with its labels.

        Args:
            seen: The `position` of the answer before; `prompts` is None where nothing changed since.
        """
        # However many pages ask the same at once, the registry is asked once.
        asking = self._asking.get(seen)
        if asking is None:
            asking = self._asking[seen] = asyncio.ensure_future(self._state(seen))
            asking.add_done_callback(lambda _: self._asking.pop(seen))
        return await asyncio.shield(asking)

    async def versions(self, name: str) -> dict[str, Any]:
        """Return a prompt's versions, the newest first, and where its labels stand.

        Raises:
            PressmarkError: The name is malformed, there is no such prompt, or the registry did not answer.
        """
        check_name(name)
        return await self._within(lambda: self._versions(name))

    async def _state(self, seen: str | None) -> dict[str, Any]:
        try:
            return await self._within(lambda: self._connected(seen))
        except PressmarkError as error:
            return {"state": _name(error), "where": self._where(), **fault(error)}

    def _connected(self, seen: str | None) -> dict[str, Any]:
        remote = self._remote()
        # Asked first: what happens between this and the list is in the list, and asked for once more.
        position = _stamp(remote.position())
        answer = {
            "state": "connected",
            "where": remote.where,
            "position": position,
            "in_environment": self._in_environment,
            "prompts": None,
        }
        if position == seen:
            return answer
        prompts = [
            {
                "name": prompt.name,
                "newest": f"v{prompt.newest}",
                "labels": {label: f"v{number}" for label, number in sorted(prompt.labels.items()) if label != LATEST},
            }
            for prompt in remote.prompts()
        ]
        return {**answer, "principal": _principal(remote.whoami()), "prompts": prompts}

    def _versions(self, name: str) -> dict[str, Any]:
        remote = self._remote()
        labels = [
            {"label": pointer.label, "version": pointer.version, "moved_at": pointer.moved_at.isoformat()}
            | {"moved_by": pointer.moved_by, "reason": pointer.reason}
            for pointer in remote.labels(name)
            if pointer.label != LATEST
        ]
        return {"name": name, "labels": labels, "versions": [_version(version) for version in remote.versions(name)]}

    def _where(self) -> str:
        try:
            return str(read_address(self._url, drop_user=True))
        except RegistryError:
            return ""

    def _remote(self) -> Remote:
        if not self._url:
            raise RegistryError(
                "no registry is set for this JupyterLab",
                code="unset",
                hint="start JupyterLab with PRESSMARK_URL and PRESSMARK_TOKEN set, or by the command pressmark lab",
            )
        if not self._url.startswith(("http://", "https://")):
            raise RegistryError(
                f"{told(self._url)} is no server, and the side panel opens no file",
                code="unset",
                hint="serve it with pressmark serve, and start JupyterLab with that address in PRESSMARK_URL",
            )
        with self._opening:
            if self._opened is None:
                # One attempt: the page asks again by itself.
                self._opened = Remote(self._url, self._token or None, timeout=min(_ATTEMPT, self._patience), attempts=1)
            return self._opened

    async def _within(self, ask: Callable[[], T]) -> T:
        asked = asyncio.get_running_loop().run_in_executor(self._threads, ask)
        try:
            return await asyncio.wait_for(asked, self._patience)
        except TimeoutError:
            raise RegistryUnavailableError(
                f"the registry at {told(self._url)} said nothing for {self._patience:g} s"
            ) from None


def fault(error: PressmarkError) -> dict[str, str]:
    """Return what the page shows of an error: what happened, what to do next, and what is folded below."""
    match error:
        case RegistryUnavailableError():
            return {
                "message": "the registry does not answer",
                "hint": "check that it runs; the panel asks again by itself",
                "details": error.message,
            }
        case MalformedAnswerError():
            return {
                "message": "what answers there is no registry that this Pressmark can read",
                "hint": "check PRESSMARK_URL, or upgrade pressmark, and start JupyterLab again",
                "details": error.message,
            }
        case AuthenticationError():
            return {
                "message": "the registry does not take the token that JupyterLab was started with",
                "hint": "start JupyterLab with one that works in PRESSMARK_TOKEN; pressmark token create makes one",
                "details": error.message,
            }
        case _:
            return {"message": error.message, "hint": str(error.facts.get("hint", "")), "details": ""}


def _name(error: PressmarkError) -> str:
    match error:
        case RegistryUnavailableError() | MalformedAnswerError():
            return "down"
        case AuthenticationError() | PermissionDeniedError():
            return "refused"
        case RegistryError(code="unset" | "bad_url"):
            return "unset"
        case _:
            return "failed"


def _stamp(position: Position) -> str:
    return f"{position.registry}:{position.epoch}:{position.seq}"


def _principal(principal: Principal) -> dict[str, str]:
    return {"name": principal.name, "role": principal.role}


def _version(version: Published) -> dict[str, Any]:
    variables = [
        {"name": variable.name, "type": variable.type, "required": variable.required}
        for variable in version.variables.values()
    ]
    return {**version_to_dict(version), "variables": variables}

"""`pm.Client`: prompts for production code, read from a map that a thread keeps fresh."""

from __future__ import annotations

from pressmark.client.prompt import Prompt
from pressmark.face import Faced

TYPE_CHECKING = False  # `typing` and the rest load when a client is made, not when this module is imported
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from os import PathLike
    from types import TracebackType
    from typing import Any, Literal, NoReturn, Self

    from pressmark.client.status import Status
    from pressmark.errors import PressmarkError
    from pressmark.face.forms import Face

_SHOWN = 20


class Client(Faced):
    """Reads prompts in production: `get()` is a dictionary read, and a thread keeps the dictionary fresh.

    It starts from the registry; where that cannot be reached, from the last known good snapshot on disk, else from a
    bundle that ships with the application, else from the caller's fallbacks. `prompt.source` and `status()` say which.
    Once it serves something, the registry may be gone for days. Where it has nothing at all to serve and the registry
    refuses plainly (a wrong token, a URL that is no registry), it raises; where the registry is only away, it goes on
    trying and `get()` raises until it is there.

    Args:
        url: The registry; else the environment variable PRESSMARK_URL.
        token: The bearer token; else PRESSMARK_TOKEN.
        labels: Labels to subscribe to. Where it is one, `get()` needs no label.
        names: Patterns of names to subscribe to: `*` stays within a segment, `**` crosses `/`.
        snapshot_dir: Where the last known good state is kept; None for the user's cache directory, False for nowhere.
        bundle: A file with a state that ships with the application.
        fallback: Units by prompt name, served wherever `get()` would otherwise find none.
        max_age: Seconds after which a state that the registry no longer confirms is not served any more; None for ever.
            A bundle and fallbacks, which the registry never confirmed, are served all the same.
        start_timeout: Seconds to wait for the first answer.
        poll_interval: Seconds between questions while the event stream cannot be used.
        when_removed: What to do with a label that was removed or can no longer be read: `raise`, or `keep` serving its
            last version with `prompt.state` saying so.
        on_error: Called with an error when it is another than the one before; without it they are logged. It is called
            from the client's thread, and must not block.
        on_change: Called with name, label and the new Prompt (None: removed), likewise.

    Raises:
        RegistryError: No URL, a wrong one, or a refusal with nothing else to serve.
        AuthenticationError: The registry does not know the token, and there is nothing else to serve.
        PermissionDeniedError: The token may not read what was asked for, and there is nothing else to serve.
        InvalidUnitError: A fallback is no unit.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        labels: Iterable[str] = ("production",),
        names: Iterable[str] = ("**",),
        snapshot_dir: str | PathLike[str] | Literal[False] | None = None,
        bundle: str | PathLike[str] | None = None,
        fallback: Mapping[str, Any] | None = None,
        max_age: float | None = None,
        start_timeout: float = 5.0,
        poll_interval: float = 30.0,
        when_removed: Literal["raise", "keep"] = "raise",
        on_error: Callable[[PressmarkError], object] | None = None,
        on_change: Callable[[str, str, Prompt | None], object] | None = None,
        _clock: Callable[[], float] | None = None,
    ) -> None:
        # Everything heavy loads here, in the caller's thread: one that imports while others compute takes seconds.
        from pressmark.client.feed import Feed
        from pressmark.client.settings import Settings

        self._map: Mapping[str | None, Mapping[str, Prompt]] = {}
        settings = Settings.of(
            url,
            token,
            labels=labels,
            names=names,
            snapshot_dir=snapshot_dir,
            bundle=bundle,
            fallback=fallback,
            max_age=max_age,
            start_timeout=start_timeout,
            poll_interval=poll_interval,
            when_removed=when_removed,
        )
        self._feed = Feed(settings, self._swap, on_error=on_error, on_change=on_change, clock=_clock)
        self._feed.start()

    # No argument is keyword-only: CPython calls such functions a quarter slower.
    def get(self, name: str, label: str | None = None, fallback: Any = None) -> Prompt:
        """Return the prompt under a label: a dictionary read, without lock, clock or network.

        Args:
            name: The prompt's name.
            label: One of the subscribed labels; needed only where there are several.
            fallback: A unit (as `Workspace.save` takes it) to serve where there is nothing else.

        Raises:
            PromptNotFoundError: The registry has no such prompt for this subscription.
            LabelNotFoundError: The label was removed from the prompt, or the client does not subscribe to it.
            ClientNotReadyError: There is no state yet, or the registry has not confirmed it for `max_age`.
            ClientClosedError: The client was closed.
        """
        try:
            return self._map[label][name]
        except (KeyError, TypeError):
            return self._feed.missing(name, label, fallback)

    def require(self, name: str, *, variables: Iterable[str] | None = None, label: str | None = None) -> Prompt:
        """Check at start-up that a prompt is there and takes what the caller will give; return it.

        Args:
            name: The prompt's name.
            variables: The variables that the caller will give.
            label: One of the subscribed labels.

        Raises:
            MissingVariablesError: The prompt needs a variable that is not among them.
            UnknownVariablesError: One of them is no variable of the prompt.
            PressmarkError: As `get`.
        """
        from pressmark.client.requirements import check_requirement

        prompt = self.get(name, label)
        if variables is not None:
            check_requirement(prompt, variables)
        return prompt

    def status(self) -> Status:
        """Say where the client stands: state, position, age, lag, last error."""
        return self._feed.status()

    def close(self) -> None:
        """Stop the thread and cut its connections, within a second; `get()` raises from now on."""
        self._feed.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client {self._feed.settings.url} {self._feed.status()}>"

    def _face(self) -> Face:
        from pressmark.face.forms import Face, Table

        served = [
            (f"{name}@{prompt.label}", prompt.version, prompt.source)
            for label, prompts in self._map.items()
            if label is not None
            for name, prompt in prompts.items()
        ]
        rows = sorted(served)[:_SHOWN]
        more = [f"the first {_SHOWN} of {len(served):,} prompts"] if len(served) > _SHOWN else []
        return Face(f"Client: {self.status()}", more, tables=[Table(("prompt", "version", "source"), rows)])

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Client holds a thread and connections and cannot be pickled: make one in each process")

    def _swap(self, prompts: Mapping[str | None, Mapping[str, Prompt]]) -> None:
        # One assignment of a map that nobody changes afterwards: a reader sees the old one or the new one.
        self._map = prompts

"""The state that is served, and how an answer of the registry changes it: values in, values out.

A `View` never changes; applying an answer gives a new one, which the client swaps in whole. What the rules refuse
raises, and the old view stays:

- a position that lies before the one that is served (a lagging replica, a reordered answer);
- another registry, once this one was heard live;
- a unit whose bytes do not have the digest that the pointer names.

A unit that is whole but not acceptable here (a template that uses what templates may not use, a newer format) would be
as unacceptable the next time, so it must not stop the other prompts: the move that brings it is left out as a whole,
what it would replace stays, and `refused` says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from pressmark.client.answers import Head, Move, Pointer, SyncAnswer, malformed
from pressmark.client.prompt import Content, Prompt
from pressmark.errors import InvalidUnitError, RegistryError
from pressmark.prompts import Position, sha256_digest
from pressmark.wire import unit_from_text

REMOVED: Final = "removed"
UNREADABLE: Final = "unreadable"
REFUSED: Final = "refused"
CHECKED_AT_ONCE: Final = 128
"""Up to so many new units are compiled, and so checked, as they arrive; of more, each before its first rendering."""

Key = tuple[str, str]  # label, name
Prompts = dict[str, dict[str, Prompt]]


class Gone(NamedTuple):
    """Why a label of a prompt serves nothing: `removed`, `unreadable` or `refused`, since which sequence number."""

    why: str
    seq: int


@dataclass(frozen=True, slots=True)
class View:
    """What the client serves at one position of one registry.

    Attributes:
        position: The position that the view holds; None before there is any.
        prompts: Prompts by label and name; never changed after it is made.
        gone: Labels that are known to serve nothing.
        scope: The registry's hash of what the subscription may see.
        etag: The ETag of the sync answer that is exactly this state.
        source: Where the state came from: `live`, `snapshot`, `bundle`, or `none`.
        refused: Labels whose newest move was left out, each with the reason.
    """

    position: Position | None = None
    prompts: Prompts = field(default_factory=dict)
    gone: Mapping[Key, Gone] = field(default_factory=dict)
    scope: str = ""
    etag: str | None = None
    source: str = "none"
    refused: Mapping[Key, str] = field(default_factory=dict)


def after_sync(view: View, answer: SyncAnswer, etag: str | None, *, keep_gone: bool = False) -> View:
    """Return the view that a full answer gives.

    Args:
        view: What is served now.
        answer: The registry's answer.
        etag: Its ETag.
        keep_gone: Go on serving labels that were removed or can no longer be read, marked as such.

    Raises:
        RegistryError: The answer was refused; the view stays.
    """
    _check_not_older(view, answer.position)
    if view.position is not None and view.position[:2] != answer.position[:2]:
        view = _of_another_history(view)
    draft = _Draft(view, source="live", keep_gone=keep_gone, whole=True)
    draft.check_not_older(answer.pointers)
    draft.place(answer.pointers, answer.units)
    draft.forget_unmentioned(answer.pointers, answer.position.seq)
    # With something left out, a 304 must not keep a later, more capable reader from what it could accept.
    return draft.view(answer.position, answer.scope, None if draft.refused else etag)


def after_moves(view: View, moves: Iterable[Move | Head], *, keep_gone: bool = False) -> View:
    """Return the view that moves and heads of the stream give, applied in order and together.

    What the view already holds is passed over.

    Raises:
        RegistryError: One of them was refused; the view stays as it was before all of them.
    """
    for move in moves:
        view = _after_one(view, move, keep_gone)
    return view


def _of_another_history(view: View) -> View:
    """Return the view without its sequence numbers: a new epoch, or another registry, counts anew."""
    prompts = {
        label: {name: _copy(prompt, seq=0) for name, prompt in names.items()} for label, names in view.prompts.items()
    }
    return replace(view, prompts=prompts, gone={key: Gone(gone.why, 0) for key, gone in view.gone.items()})


def confirmed(view: View) -> View:
    """Return the view as the registry's own word: it answered that nothing changed."""
    if view.source == "live":
        return view
    prompts = {
        label: {name: _copy(prompt, source="live") for name, prompt in names.items()}
        for label, names in view.prompts.items()
    }
    return replace(view, prompts=prompts, source="live")


def from_store(
    position: Position,
    pointers: Iterable[Pointer],
    gone: Mapping[Key, Gone],
    units: Mapping[str, str],
    *,
    scope: str,
    etag: str | None,
    source: str,
) -> View:
    """Return the view that a snapshot or bundle holds, under the same checks as an answer.

    Raises:
        RegistryError: A unit is missing or does not match its digest.
    """
    draft = _Draft(View(), source=source, keep_gone=False, whole=True)
    draft.place(tuple(pointers), units)
    draft.mark(gone)
    return draft.view(position, scope, None if draft.refused else etag)


class _Draft:
    """A view in the making.

    Args:
        view: What is served now.
        source: Where the new state comes from.
        keep_gone: Go on serving what is gone.
        whole: What comes replaces all that is held, rather than adding to it.
    """

    def __init__(self, view: View, *, source: str, keep_gone: bool, whole: bool) -> None:
        self._before = view
        self._source = source
        self._keep_gone = keep_gone
        self._prompts: Prompts = {} if whole else dict(view.prompts)
        self._gone = {} if whole else dict(view.gone)
        self._own: set[str] = set()
        self.refused = {} if whole else dict(view.refused)

    def check_not_older(self, pointers: Iterable[Pointer]) -> None:
        for pointer in pointers:
            held = self._held(pointer.label, pointer.name)
            gone = self._before.gone.get((pointer.label, pointer.name))
            before = held._seq if held else gone.seq if gone and gone.why == REMOVED else 0
            if pointer.seq < before:
                raise RegistryError(
                    f"the registry's answer puts {pointer.name}@{pointer.label} back to entry {pointer.seq}, and"
                    f" entry {before} is already served: it contradicts itself and was refused. The newer state stays",
                    status=502,
                    code="stale_answer",
                    hint="wait for the replica to catch up",
                )

    def place(self, pointers: tuple[Pointer, ...], units: Mapping[str, str]) -> None:
        """Put the pointers in; those that moved together (one sequence number) are taken or left together."""
        contents = _contents(pointers, units, self._before)
        bad: dict[int, str] = {}
        for pointer in pointers:
            content = contents.get(pointer.digest or "")
            if isinstance(content, InvalidUnitError):
                bad[pointer.seq] = f"{pointer.name} {pointer.version} is not acceptable here: {content}"
        for pointer in pointers:
            content = contents.get(pointer.digest or "")
            if pointer.seq in bad:
                self._stay(pointer)
                self.refused[pointer.label, pointer.name] = bad[pointer.seq]
            elif isinstance(content, Content):
                self._serve(
                    Prompt(pointer.name, pointer.label, pointer.version, content, source=self._source, seq=pointer.seq)
                )
            else:
                self._lose((pointer.label, pointer.name), Gone(REMOVED, pointer.seq))

    def forget_unmentioned(self, pointers: Iterable[Pointer], seq: int) -> None:
        """Note what a full answer no longer mentions: a tombstone was cleared, or the token lost the right to it."""
        before = self._before
        held = {(label, name) for label, names in before.prompts.items() for name in names}
        for key in (held | before.gone.keys()) - {(p.label, p.name) for p in pointers}:
            known = before.gone.get(key)
            self._lose(key, known if known and known.why == REMOVED else Gone(UNREADABLE, seq))

    def mark(self, gone: Mapping[Key, Gone]) -> None:
        """Note what was gone already; what was served all the same stays so, marked."""
        self._gone.update(gone)
        for label, name in gone:
            if kept := self._prompts.get(label, {}).get(name):
                self._names(label)[name] = _copy(kept, state=gone[label, name].why)

    def view(self, position: Position, scope: str, etag: str | None) -> View:
        return View(position, self._prompts, self._gone, scope, etag, self._source, self.refused)

    def _held(self, label: str, name: str) -> Prompt | None:
        return self._before.prompts.get(label, {}).get(name)

    def _names(self, label: str) -> dict[str, Prompt]:
        if label not in self._own:
            # The view before may still be read by other threads: its dictionaries are copied, never changed.
            self._own.add(label)
            self._prompts[label] = dict(self._prompts.get(label, ()))
        return self._prompts[label]

    def _serve(self, prompt: Prompt) -> None:
        self._names(prompt.label)[prompt.name] = prompt
        self._gone.pop((prompt.label, prompt.name), None)
        self.refused.pop((prompt.label, prompt.name), None)

    def _stay(self, pointer: Pointer) -> None:
        held = self._held(pointer.label, pointer.name)
        if held is not None:
            self._serve(_copy(held, source=self._source))
        else:
            self._lose((pointer.label, pointer.name), Gone(REFUSED, pointer.seq))

    def _lose(self, key: Key, gone: Gone) -> None:
        label, name = key
        self._gone[key] = gone
        self.refused.pop(key, None)
        held = self._held(label, name)
        if self._keep_gone and held is not None:
            self._names(label)[name] = _copy(held, state=gone.why)
        else:
            self._names(label).pop(name, None)


def _after_one(view: View, move: Move | Head, keep_gone: bool) -> View:
    position = view.position
    if position is None:
        raise malformed("an event came before any state")
    if (move.registry or position.registry, move.epoch or position.epoch) != position[:2]:
        raise RegistryError(
            f"the event stream is of registry {move.registry}, epoch {move.epoch}, and the state of"
            f" {position.registry}, epoch {position.epoch}: a full sync follows",
            status=502,
            code="resync",
        )
    if move.seq <= position.seq:
        return view
    reached = position._replace(seq=move.seq)
    if isinstance(move, Head):
        return replace(view, position=reached)
    draft = _Draft(view, source="live", keep_gone=keep_gone, whole=False)
    draft.check_not_older(move.pointers)
    draft.place(move.pointers, move.units)
    return draft.view(reached, view.scope, None)


def _check_not_older(view: View, position: Position) -> None:
    now = view.position
    if now is None:
        return
    if now.registry != position.registry:
        if view.source != "live":
            return  # what was stored only stands in for the registry at this URL
        raise RegistryError(
            f"another registry answers: {position.registry}, where {now.registry} was. The last valid state stays;"
            " restart the service if the registry was replaced on purpose",
            status=502,
            code="other_registry",
            hint="restart the service if the registry was replaced on purpose",
        )
    if position[1:] < now[1:]:
        raise RegistryError(
            f"the registry answered with epoch {position.epoch}, entry {position.seq}, which lies before what is"
            f" already served (epoch {now.epoch}, entry {now.seq}): a replica that lags behind. The newer state stays",
            status=502,
            code="stale_answer",
            hint="wait for the replica to catch up",
        )


def _contents(
    pointers: Iterable[Pointer], units: Mapping[str, str], view: View
) -> dict[str, Content | InvalidUnitError]:
    """Return each unit that the pointers need, or why it is not acceptable here.

    Raises:
        RegistryError: A unit is missing, or its bytes do not have its digest.
    """
    wanted = {p.digest: p for p in pointers if p.digest is not None}
    contents: dict[str, Content | InvalidUnitError] = {
        p.digest: p._content for names in view.prompts.values() for p in names.values() if p.digest in wanted
    }
    new = [(digest, pointer) for digest, pointer in wanted.items() if digest not in contents]
    for digest, pointer in new:
        text = units.get(digest)
        if text is None:
            raise malformed(f"the unit {digest} of {pointer.name}@{pointer.label} is missing")
        contents[digest] = _content(digest, text, pointer, check=len(new) <= CHECKED_AT_ONCE)
    return contents


def _content(digest: str, text: str, pointer: Pointer, *, check: bool) -> Content | InvalidUnitError:
    try:
        matching = sha256_digest(text.encode()) == digest
    except UnicodeEncodeError:  # a lone surrogate has no bytes at all
        matching = False
    if not matching:
        raise RegistryError(
            f"{pointer.name}@{pointer.label} arrived with bytes that do not have its digest {digest}: they were changed"
            " on the way or in the store. The last valid state stays; run `pressmark verify` at the registry",
            status=502,
            code="digest_mismatch",
            hint="run `pressmark verify` at the registry",
        )
    try:
        content = Content(digest, text, unit_from_text(text))
        if check:
            content.check()
    except InvalidUnitError as error:
        return error
    except Exception as error:  # noqa: BLE001 - whatever one unit does to its reader, the others must go on
        return InvalidUnitError(f"it could not be read ({type(error).__name__}: {error})")
    return content


def _copy(prompt: Prompt, *, source: str | None = None, state: str | None = None, seq: int | None = None) -> Prompt:
    return Prompt(
        prompt.name,
        prompt.label,
        prompt.version,
        prompt._content,
        source=source or prompt.source,
        seq=prompt._seq if seq is None else seq,
        state=state or prompt.state,
    )

"""Every exception of Pressmark, in one tree.

::

    PressmarkError
      x InvalidUnitError        InvalidNameError, TemplateError
      x StatsError, DatasetError, SuiteError, RatingError, EvidenceError, PolicyError
      x RenderError             MissingVariablesError, UnknownVariablesError, VariableTypeError, RenderLimitError
      x NotFoundError           PromptNotFoundError, VersionNotFoundError, LabelNotFoundError,
                                DatasetNotFoundError, SuiteNotFoundError, RunNotFoundError, EndpointNotFoundError
      x GraphCycleError
      x WorkspaceError          WorkspaceLockedError, WorkspaceFormatError, WorkspaceVersionError, WorkspaceFullError,
                                DraftConflictError
      x EndpointError           EndpointAuthError, EndpointConnectionError, ClusterError
      x BudgetError, RunCancelledError
      x GateError
      x RegistryError           RegistryUnavailableError, ConflictError, AuthenticationError,
                                PermissionDeniedError, LogTamperedError, MalformedAnswerError
      x ClientError             ClientNotReadyError, ClientClosedError

A message says what happened, why, and what to do next; the same facts stand in attributes, so that a widget or a
command shows them without parsing text. This module is on the production client's import path: it imports nothing.
"""

from __future__ import annotations


class PressmarkError(Exception):
    """The base of everything that Pressmark raises on purpose.

    Args:
        message: What happened, why, and what to do next.
        **facts: The same facts for programs; each becomes an attribute.
    """

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts
        for name, value in facts.items():
            setattr(self, name, value)

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions cross process boundaries (Dask, multiprocessing); keyword facts need help to be pickled.
        return _rebuild, (type(self), self.message, self.facts)


def _rebuild(kind: type[PressmarkError], message: str, facts: dict[str, object]) -> PressmarkError:
    return kind(message, **facts)


class InvalidUnitError(PressmarkError, ValueError):
    """A prompt's unit is malformed; `field` names the part."""

    field: str | None = None


class InvalidNameError(InvalidUnitError):
    """A prompt's name or a label is not of the allowed form."""


class TemplateError(InvalidUnitError):
    """A template does not parse, or uses what templates may not use.

    Attributes:
        line: Line in the template, from 1.
        column: Column in that line, from 1.
        where: The part of the unit that holds the template, such as `messages[0].content`.
    """

    line: int | None = None
    column: int | None = None
    where: str | None = None


class StatsError(PressmarkError, ValueError):
    """Scores that no honest statistic can be made of."""


class DatasetError(PressmarkError, ValueError):
    """A dataset that cannot be read or used."""


class SuiteError(PressmarkError, ValueError):
    """A suite whose parts do not fit together."""


class RatingError(PressmarkError, ValueError):
    """A rating that cannot be given or asked for."""


class EvidenceError(PressmarkError, ValueError):
    """Evidence that is malformed or contradicts itself."""


class PolicyError(PressmarkError, ValueError):
    """A policy that demands what cannot be demanded."""


class RenderError(PressmarkError, ValueError):
    """A template could not be filled.

    Attributes:
        line: Line in the template where it stopped, from 1; None where the values were refused before.
        where: The part of the unit that holds the template, such as `messages[0].content`.
    """

    line: int | None = None
    where: str | None = None


class MissingVariablesError(RenderError):
    """Variables without a default were not given; `missing` names them."""

    missing: tuple[str, ...] = ()


class UnknownVariablesError(RenderError):
    """Variables were given that the prompt does not declare; `unknown` names them."""

    unknown: tuple[str, ...] = ()


class VariableTypeError(RenderError):
    """A variable's value is not of its declared type; `variable` names it."""

    variable: str = ""


class RenderLimitError(RenderError):
    """Rendering would grow past a bound on its output or its steps."""


class NotFoundError(PressmarkError, LookupError):
    """Something named does not exist, or may not be seen."""


class PromptNotFoundError(NotFoundError):
    """No prompt of that name."""


class VersionNotFoundError(NotFoundError):
    """The prompt has no such version."""


class LabelNotFoundError(NotFoundError):
    """The prompt does not carry that label."""


class DatasetNotFoundError(NotFoundError):
    """No dataset of that name or digest."""


class SuiteNotFoundError(NotFoundError):
    """No suite of that name or digest."""


class RunNotFoundError(NotFoundError):
    """No run of that id."""


class EndpointNotFoundError(NotFoundError):
    """No endpoint of that name."""


class GraphCycleError(PressmarkError, ValueError):
    """Prompts feed each other in a circle; `cycle` lists them in order."""

    cycle: tuple[str, ...] = ()


class WorkspaceError(PressmarkError):
    """The workspace file cannot do what was asked."""


class WorkspaceLockedError(WorkspaceError):
    """Another process kept the file for longer than the deadline."""


class WorkspaceFormatError(WorkspaceError):
    """The file is not a Pressmark workspace."""


class WorkspaceVersionError(WorkspaceError):
    """The file was written by a newer Pressmark."""


class WorkspaceFullError(WorkspaceError):
    """The disk is full, or a size limit was met; nothing was written."""


class DraftConflictError(WorkspaceError):
    """A draft was changed by another hand since it was read; what was to be saved is kept as the step before.

    Attributes:
        revision: Where the draft stands now.
    """

    revision: int = 0


class EndpointError(PressmarkError):
    """A model endpoint did not answer properly.

    Attributes:
        status: HTTP status, where there was one.
        retry_after: Seconds that the endpoint asked us to wait.
        retryable: Whether the same call may go well later.
    """

    status: int | None = None
    retry_after: float | None = None
    retryable: bool = False


class EndpointAuthError(EndpointError):
    """The endpoint refused the key, or the key's environment variable is empty."""


class EndpointConnectionError(EndpointError):
    """The endpoint could not be reached, or the connection broke."""


class ClusterError(EndpointError):
    """A cluster's workers cannot do a run's work.

    Attributes:
        worker: The address of the worker that cannot, where it is one.
        scorer: The name of the scorer that cannot travel, where it is one.
    """

    worker: str | None = None
    scorer: str | None = None


class BudgetError(PressmarkError, ValueError):
    """A budget that cannot be kept."""


class RunCancelledError(PressmarkError):
    """A run was stopped before its last row; what was answered is kept."""


class GateError(PressmarkError):
    """The gate refused a move; `decision` holds the reasons and next steps."""

    decision: object = None


class RegistryError(PressmarkError):
    """The registry refused or failed.

    Attributes:
        status: HTTP status that stands for it.
        code: Short machine name, such as `conflict`.
        hint: What to do next.
    """

    status: int = 400
    code: str = "invalid"
    hint: str = ""


class RegistryUnavailableError(RegistryError):
    """The registry could not be reached.

    Attributes:
        outcome_unknown: Whether a write may have been carried out all the same.
    """

    status = 503
    code = "unavailable"
    outcome_unknown: bool = False


class ConflictError(RegistryError):
    """Somebody else was quicker; `current` tells what stands there now."""

    status = 412
    code = "conflict"
    current: object = None


class AuthenticationError(RegistryError):
    """No token, or one that the registry does not know."""

    status = 401
    code = "unauthenticated"


class PermissionDeniedError(RegistryError):
    """The token's role or scope does not allow it."""

    status = 403
    code = "forbidden"


class LogTamperedError(RegistryError):
    """The change log does not verify; `seq` is the first entry that is wrong."""

    status = 500
    code = "tampered"
    seq: int = 0


class MalformedAnswerError(RegistryError, ValueError):
    """What came from a registry does not have the form that this version of Pressmark reads."""

    status = 502
    code = "malformed"


class ClientError(PressmarkError):
    """The production client cannot do what was asked."""


class ClientNotReadyError(ClientError):
    """No registry, snapshot, bundle or fallback could give a state to start from."""


class ClientClosedError(ClientError):
    """The client was closed."""

"""Policies: what a label demands of the version that it shall point to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from pressmark.errors import PolicyError
from pressmark.face import Faced
from pressmark.prompts.frozen import FrozenDict, Immutable, freeze, thaw
from pressmark.prompts.quoting import listed, shown

TYPE_CHECKING = False  # as typing's, without its import
if TYPE_CHECKING:
    from pressmark.face.forms import Face

PRIMARY: Final = "primary"


@dataclass(frozen=True, slots=True)
class Policy(Faced, Immutable):
    """What a label demands.

    Attributes:
        name: How people call it.
        require_reason: A move without a reason is refused.
        keep_callers: A version that today's callers cannot fill is refused.
        require_evidence: A move without evidence on exactly this change is refused; the conditions below are shown in
            any case, and block only where this is set.
        suites: Names of suites that must have been run on the prompt itself.
        least_rows: Rows that each suite must have compared at least.
        must_reach: The least mean of the candidate, by scorer; `primary` means each suite's primary scorer.
        must_not_regress: The loss that is put up with, by scorer: the lower end of the paired 95 % interval of
            candidate minus baseline must not be below minus this. `primary` as above.
        downstream: Every prompt downstream must have been evaluated with the change.
        fresh: The evidence's lock must equal what the labels resolve to now.
        practice_counts: Evidence from the practice model counts.
        unseen: No suite may have judged the candidate on rows that it is known to have been tuned on.
    """

    name: str
    require_reason: bool = True
    keep_callers: bool = True
    require_evidence: bool = False
    suites: tuple[str, ...] = ()
    least_rows: int = 0
    must_reach: Mapping[str, float] = field(default_factory=FrozenDict)
    must_not_regress: Mapping[str, float] = field(default_factory=FrozenDict)
    downstream: bool = False
    fresh: bool = True
    practice_counts: bool = True
    unseen: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise PolicyError(f"a policy has a name, not {shown(self.name)}")
        for told in fields(self):
            value = getattr(self, told.name)
            if told.type in ("bool",) and not isinstance(value, bool):
                raise PolicyError(f"policy {self.name!r}: {told.name} is true or false, not {shown(value)}")
        if isinstance(self.suites, str) or not all(isinstance(suite, str) for suite in self.suites):
            raise PolicyError(f"policy {self.name!r}: suites is a list of names, not {shown(self.suites)}")
        object.__setattr__(self, "suites", tuple(self.suites))
        if isinstance(self.least_rows, bool) or not isinstance(self.least_rows, int) or self.least_rows < 0:
            raise PolicyError(f"policy {self.name!r}: least_rows is a number of rows, not {shown(self.least_rows)}")
        for what in ("must_reach", "must_not_regress"):
            object.__setattr__(self, what, freeze(_numbers(self.name, what, getattr(self, what))))
        if any(margin < 0 for margin in self.must_not_regress.values()):
            raise PolicyError(f"policy {self.name!r}: a margin of must_not_regress is 0 or more")

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {told.name: _plain(getattr(self, told.name)) for told in fields(self)}

    def _face(self) -> Face:
        from pressmark.face.forms import Face, Table

        def told(value: Any) -> str:
            if isinstance(value, Mapping):
                return ", ".join(f"{scorer} {number:g}" for scorer, number in value.items())
            if isinstance(value, tuple):
                return ", ".join(value)
            return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)

        rows = [(each.name.replace("_", " "), told(getattr(self, each.name))) for each in fields(self)[1:]]
        return Face(f"Policy {self.name}", tables=[Table(("what it demands", ""), [row for row in rows if row[1]])])

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Policy:
        """Read the JSON form.

        Raises:
            PolicyError: It is malformed, or demands what this Pressmark does not know.
        """
        if not isinstance(told, Mapping):
            raise PolicyError(f"a policy is an object, not {shown(told)}")
        known = {each.name for each in fields(cls)}
        # A demand that is not understood must not be dropped: the gate would be open where somebody wanted it shut.
        if unknown := sorted(set(told) - known):
            raise PolicyError(f"a policy demands nothing called {listed(unknown)}: it knows {', '.join(sorted(known))}")
        if "name" not in told:
            raise PolicyError("a policy has a name: give it one")
        return cls(**told)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else thaw(value)


def _numbers(policy: str, what: str, told: Any) -> dict[str, float]:
    if not isinstance(told, Mapping):
        raise PolicyError(f"policy {policy!r}: {what} gives a number by scorer, not {shown(told)}")
    for scorer, value in told.items():
        right = isinstance(value, int | float) and not isinstance(value, bool) and -1e300 < value < 1e300
        if not isinstance(scorer, str) or not right:
            raise PolicyError(f"policy {policy!r}: {what} of {shown(scorer)} is a number, not {shown(value)}")
    return {scorer: float(value) for scorer, value in told.items()}


SOLO = Policy("solo")
TEAM = Policy(
    "team",
    require_evidence=True,
    least_rows=30,
    must_not_regress=freeze({PRIMARY: 0.02}),
    downstream=True,
    practice_counts=False,
)
PRESETS: Final[Mapping[str, Policy]] = {"solo": SOLO, "team": TEAM}


def policy_of(told: Policy | str | Mapping[str, Any]) -> Policy:
    """Return a policy by the name of a preset, or in its JSON form.

    Raises:
        PolicyError: There is no preset of that name, or the form is malformed.
    """
    if isinstance(told, Policy):
        return told
    if not isinstance(told, str):
        return Policy.from_dict(told)
    if told not in PRESETS:
        raise PolicyError(f"there is no policy called {shown(told)}: name {' or '.join(PRESETS)}, or describe one")
    return PRESETS[told]

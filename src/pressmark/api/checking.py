"""A change held to a bound: what CI asks before a prompt is merged or published."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from pressmark import gate
from pressmark.gate import GateDecision, MoveRequest, Principal, Reason
from pressmark.prompts import LabelPointer, parse_input
from pressmark.prompts.policy import PRIMARY, Policy

if TYPE_CHECKING:
    from pressmark.api.impact import ChangeEvaluation
    from pressmark.rendering import PromptVersion

_NO_XML = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Check:
    """A change's evaluation, held to a policy by the gate's own rules.

    Attributes:
        evaluation: What was found.
        decision: What the gate makes of it.
    """

    evaluation: ChangeEvaluation
    decision: GateDecision

    @property
    def passed(self) -> bool:
        """Whether every condition is met."""
        return self.decision.allowed

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "passed": self.passed,
            "verdict": self.evaluation.verdict,
            "sentence": self.evaluation.sentence,
            "parts": [
                {"prompt": part.prompt, "suite": part.suite, "verdict": part.outcome, "sentence": part.sentence}
                for part in self.evaluation.parts
            ],
            "reasons": [reason.to_dict() for reason in self.decision.reasons],
        }

    def to_markdown(self) -> str:
        """Return a summary for a pull request."""
        told = "passed" if self.passed else "refused"
        lines = [f"### Prompt check {told}: {_plain(str(self.evaluation).splitlines()[0])}", ""]
        lines += ["| prompt | suite | verdict | |", "|---|---|---|---|"]
        lines += [
            f"| {_plain(part.prompt)} | {_plain(part.suite or 'none')} | {part.outcome} | {_plain(part.sentence)} |"
            for part in self.evaluation.parts
        ]
        for title, reasons in (("Refused because", self.decision.unmet), ("Noted", self._noted())):
            if reasons:
                lines += ["", f"**{title}**", ""]
                lines += [f"- {_plain(reason.sentence)}{_step(reason)}" for reason in reasons]
        return "\n".join(lines) + "\n"

    def to_junit(self) -> str:
        """Return JUnit XML: a test case for each suite, and one for each condition."""
        cases = [(part.prompt, f"suite {part.suite or 'none'}", True, part.sentence) for part in self.evaluation.parts]
        cases += [
            ("gate", reason.code, reason.met or not reason.blocking, f"{reason.sentence}{_step(reason)}")
            for reason in self.decision.reasons
        ]
        failed = sum(not passed for _, _, passed, _ in cases)
        root = ElementTree.Element("testsuites")
        suite = ElementTree.SubElement(
            root, "testsuite", name="pressmark eval", tests=str(len(cases)), failures=str(failed), errors="0"
        )
        for group, name, passed, said in cases:
            case = ElementTree.SubElement(suite, "testcase", classname=_xml(group), name=_xml(name))
            if passed:
                ElementTree.SubElement(case, "system-out").text = _xml(said)
            else:
                ElementTree.SubElement(case, "failure", message=_xml(said)).text = _xml(said)
        ElementTree.indent(root)
        return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"

    def _noted(self) -> tuple[Reason, ...]:
        return tuple(reason for reason in self.decision.reasons if not reason.met and not reason.blocking)


def check(evaluation: ChangeEvaluation, version: PromptVersion, *, max_regression: float, least_rows: int = 0) -> Check:
    """Hold an evaluation to a bound.

    Args:
        evaluation: Of the version.
        version: The candidate.
        max_regression: The loss of each suite's primary scorer that is put up with; 0.02 is 2 points.
        least_rows: Rows that each suite must have compared at least.

    Raises:
        PolicyError: The bound is negative or no number.
    """
    policy = Policy(
        "eval",
        require_evidence=True,
        least_rows=least_rows,
        must_not_regress={PRIMARY: max_regression},
        downstream=True,
    )
    evidence = evaluation.evidence
    now = datetime.now(UTC)
    pointers = [
        LabelPointer(*parse_input(reference), 0, digest, 0, now, "", "") for reference, digest in evidence.lock.items()
    ]
    decision = gate.decide(
        policy,
        MoveRequest(evidence.label, version, "checked before it is merged"),
        evidence=[evidence],
        pointers=pointers,
        current=evaluation.today.unit if evaluation.today else None,
        principal=Principal(evidence.made_by),
        now=now,
    )
    return Check(evaluation, decision)


def _step(reason: Reason) -> str:
    return f": {reason.next_step}" if reason.next_step else ""


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line of a table."""
    escaped = "".join(f"\\{sign}" if sign in r"\`*_{}[]<>#|" else sign for sign in text)
    return " ".join(escaped.split())


def _xml(text: str) -> str:
    """Text without the control characters that XML has no form for."""
    return _NO_XML.sub("", text)

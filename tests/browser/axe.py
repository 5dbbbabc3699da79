"""Whether a page can be used with a screen reader and by keyboard, as far as axe-core can tell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "extension" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")
_RUN = """async (elements) => {
  const found = await axe.run({ include: elements }, { resultTypes: ["violations"] });
  return found.violations.flatMap(({ id, impact, help, nodes }) =>
    nodes.map((node) => ({ id, impact, help, html: node.html, why: node.failureSummary })));
}"""


class Finding(NamedTuple):
    """One element that breaks a rule.

    Attributes:
        rule: The rule's name.
        impact: `minor`, `moderate`, `serious` or `critical`.
        told: What the rule asks for.
        html: The element.
        why: What about it is wrong.
    """

    rule: str
    impact: str
    told: str
    html: str
    why: str


def findings(page: Page, within: str = ".pm-root") -> list[Finding]:
    """What axe-core finds in a part of the page, the gravest first."""
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    # By element, not by selector: some front ends keep the view in a shadow tree.
    found: list[dict[str, Any]] = page.locator(within).evaluate_all(_RUN)
    told = [Finding(each["id"], each["impact"], each["help"], each["html"], each["why"]) for each in found]
    return sorted(told, key=lambda each: (each.impact not in GRAVE, each.rule, each.html))


def check_axe(page: Page, within: str = ".pm-root") -> None:
    """Fails, with the elements, where anything serious or critical is found."""
    grave = [each for each in findings(page, within) if each.impact in GRAVE]
    assert not grave, "\n".join(f"{each.rule}: {each.told}\n  {each.html[:200]}\n  {each.why}" for each in grave)

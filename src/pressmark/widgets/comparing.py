"""The Compare panel's half in Python: the two units that the page lays side by side."""

from __future__ import annotations

from pressmark.widgets.commands import command
from pressmark.widgets.panels import Panel


class Comparing(Panel):
    """Two versions of the open prompt; `baseline` stands left, `version` right."""

    def load(self) -> None:
        """Fills both units."""
        name, left, right = self.desk.prompt, self.desk.baseline, self.desk.version
        self.desk.put(
            "compare",
            ready=True,
            error=None,
            name=name,
            baseline=left,
            candidate=right,
            left=self.session.unit(name, left) if left else None,
            right=self.session.unit(name, right) if right else None,
        )

    def reload(self) -> None:
        """Fills them soon; only the last of several calls counts."""
        self.in_workspace(self.load, fills="compare", key="compare")

    @command(lane="now")
    def choose_pair(self, baseline: str, version: str) -> None:
        """Picks what is compared, here and in the other panels."""
        self.desk.baseline = baseline
        self.desk.version = version

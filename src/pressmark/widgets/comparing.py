"""The Compare panel's half in Python: the units that the page lays side by side, the baseline first."""

from __future__ import annotations

from pressmark.errors import PressmarkError
from pressmark.widgets.commands import command, told
from pressmark.widgets.panels import Panel

MOST_CANDIDATES = 3


class Comparing(Panel):
    """Versions of the open prompt; `baseline` stands left, `version` right of it, and further candidates after them."""

    def load(self) -> None:
        """Fills the units. Those of a registry come when it answers, so that it never holds up the others."""
        name = self.desk.prompt
        if self.desk.state("compare").get("name") != name:
            self.desk.put("compare", besides=[])
        versions = self._versions()
        self.desk.put("compare", ready=True, error=None, name=name, versions=versions, units={}, problems={})
        self._fill(name, [each for each in versions if each.startswith("#")])
        published = [each for each in versions if not each.startswith("#")]
        if published:
            self.in_registry(lambda: self._fill(name, published), fills="compare", key="units")

    def reload(self) -> None:
        """Fills them soon; only the last of several calls counts."""
        self.in_workspace(self.load, fills="compare", key="compare")

    @command(lane="now")
    def choose_pair(self, baseline: str, version: str) -> None:
        """Picks what is compared, here and in the other panels."""
        self.desk.put("compare", besides=[])
        self.desk.baseline = baseline
        self.desk.version = version
        self.reload()

    @command(lane="now")
    def choose_compared(self, versions: list[str]) -> None:
        """Picks the baseline and up to three candidates, of which the first is the one in the other panels."""
        if not 2 <= len(versions) <= 1 + MOST_CANDIDATES:
            raise PressmarkError(
                f"{len(versions)} versions cannot be compared: choose a baseline and 1 to {MOST_CANDIDATES} candidates"
            )
        self.desk.put("compare", besides=versions[2:])
        self.desk.baseline, self.desk.version = versions[0], versions[1]
        self.reload()

    def _versions(self) -> list[str]:
        besides = self.desk.state("compare").get("besides", [])
        chosen = [self.desk.baseline, self.desk.version, *besides]
        # A prompt with one version is compared with itself, which the page says.
        return list(dict.fromkeys(each for each in chosen if each))

    def _fill(self, name: str, versions: list[str]) -> None:
        units, problems = {}, {}
        for version in versions:
            try:
                units[version] = self.session.unit(name, version)
            except Exception as error:  # noqa: BLE001 - told at its column; the others are shown
                problems[version] = told(error)
        state = self.desk.state("compare")
        if (state["name"], set(versions) <= set(state["versions"])) != (name, True):
            return  # something else was chosen meanwhile
        self.desk.put("compare", units={**state["units"], **units}, problems={**state["problems"], **problems})

"""Starts `pressmark lab`, works in JupyterLab as a person would, and writes docs/images/NAME-THEME.png."""

from __future__ import annotations

import io
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM_OPTIONS, running_lab
from tests.browser.notebooks import open_workbench

from . import scene

IMAGES = Path(__file__).parents[1] / "images"
# So tall that no panel has to be scrolled; JupyterLab's own margins leave about 1,340 px for a panel.
TALL = {"width": 1480, "height": 2600}
WINDOW = {"width": 1400, "height": 860}
HIGHEST = 1500
COLOURS = 192
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


def main() -> int:
    """Make every picture."""
    browser_path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser_path is None:
        print("no chromium: apt install chromium, then try again", file=sys.stderr)
        return 1
    IMAGES.mkdir(exist_ok=True)
    expect.set_options(timeout=120_000)
    with (
        tempfile.TemporaryDirectory() as folder,
        # A name for the change log that is nobody's.
        running_lab(Path(folder) / "lab", dict.fromkeys(("LOGNAME", "USER"), "ana")) as lab,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=browser_path, args=CHROMIUM_OPTIONS)
        page = browser.new_page(viewport=TALL)
        page.set_default_timeout(120_000)
        cells = [scene.MADE, scene.CHANGE, scene.WORKBENCH, scene.REPORT, scene.CHART]
        bench = open_workbench(page, lab, scene.NOTEBOOK, cells)
        page.keyboard.press("Control+B")  # the pictures are of the notebook, without the file browser
        for name, show in PANELS.items():
            show(page, bench)
            in_both_themes(page, name, bench)
        told = page.locator(".jp-CodeCell")
        for name, at in (("change", 1), ("report", 3), ("chart", 4)):
            in_both_themes(page, name, told.nth(at).locator(".jp-OutputArea-output").last)
        page.set_viewport_size(WINDOW)
        side_panel(page)
        in_both_themes(page, "side-panel", None)
        browser.close()
    total = sum(path.stat().st_size for path in IMAGES.glob("*.png"))
    print(f"{len(list(IMAGES.glob('*.png')))} pictures, {total / 1024:,.0f} KiB")
    return 0


def draft(page: Page, bench: Locator) -> None:
    """A change that is not saved yet, and one answer to it."""
    bench.get_by_role("tab", name="Draft").click()
    editor = bench.get_by_role("group", name="message 1, system").locator(".cm-content")
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text("\ncancellation: the customer wants to leave")
    expect(bench.get_by_role("region", name="Preview")).to_contain_text("wants to leave")
    bench.get_by_label("Change message").fill("say what a cancellation is")
    once = bench.get_by_role("region", name="Try once")
    once.get_by_role("button", name=re.compile("^Ask .*once$")).click()
    expect(once.get_by_role("button", name="Stop")).to_have_count(0)
    expect(once.get_by_role("button", name=re.compile("^Ask .*once$"))).to_be_enabled()


def compare(page: Page, bench: Locator) -> None:
    """What the second version changed."""
    bench.get_by_role("tab", name="Compare").click()
    expect(bench.get_by_text("#2 differs from #1")).to_be_visible()


def evaluate(page: Page, bench: Locator) -> None:
    """The verdict on a run, and its rows."""
    bench.get_by_role("tab", name="Evaluate").click()
    expect(bench.get_by_role("region", name="Verdict")).to_contain_text("on 117 rows")


def rate(page: Page, bench: Locator) -> None:
    """The first pair of a blind session."""
    bench.get_by_role("tab", name="Rate").click()
    bench.get_by_role("region", name="Begin to rate").get_by_role("button", name=re.compile("^Rate|^Begin")).click()
    expect(bench.get_by_role("region", name="Question")).to_be_visible()


def publish(page: Page, bench: Locator) -> None:
    """The gate, what the change reaches, and the move spelled out."""
    bench.get_by_role("tab", name="Publish").click()
    reach = bench.get_by_role("region", name="What the change reaches")
    expect(reach).to_contain_text("support/route")
    move = bench.get_by_role("region", name="Move a label")
    move.get_by_label("Version").select_option("#2")
    move.get_by_label("Reason").fill("better on the inbox")


def side_panel(page: Page) -> None:
    """The registry beside the notebook."""
    page.locator('.jp-SideBar .lm-TabBar-tab[title^="Pressmark"]').click()
    panel = page.locator("#pressmark-panel")
    panel.get_by_role("option").first.wait_for()


PANELS: dict[str, Callable[[Page, Locator], None]] = {
    "draft": draft,
    "compare": compare,
    "evaluate": evaluate,
    "rate": rate,
    "publish": publish,
}


def in_both_themes(page: Page, name: str, part: Locator | None) -> None:
    """Take one part of the page, or all of it, light and dark."""
    for theme, called in THEMES.items():
        use_theme(page, called)
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement?.blur()")
        if part is None:
            taken = page.screenshot()
        else:
            part.scroll_into_view_if_needed()
            box = part.bounding_box()
            assert box is not None, f"{name} is not to be seen"
            taken = page.screenshot(clip={**box, "height": min(box["height"], HIGHEST)}, animations="disabled")
        keep(IMAGES / f"{name}-{theme}.png", taken)


def use_theme(page: Page, name: str) -> None:
    """Choose a theme in JupyterLab's palette."""
    if page.locator(f'body[data-jp-theme-name="{name}"]').count():
        return
    page.keyboard.press("Control+Shift+C")
    page.locator(".lm-CommandPalette-input").fill(f"Use Theme: {name}")
    page.locator(".lm-CommandPalette-item", has_text=name).first.click()
    page.locator(f'body[data-jp-theme-name="{name}"]').wait_for(state="attached")
    page.locator(".lm-CommandPalette-input").wait_for(state="hidden")
    page.locator("#jupyterlab-splash").wait_for(state="detached")
    page.wait_for_function("document.fonts.ready.then(() => true)")


def keep(path: Path, png: bytes) -> None:
    """Write a picture with a palette, which takes a third of the room and looks the same."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    # Not by the median: the few points of a small mark would lose their colour to the many of what is around them.
    palette = picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    palette.save(path, optimize=True)
    print(f"{path.name}: {picture.width} × {picture.height}, {path.stat().st_size / 1024:,.0f} KiB", flush=True)


if __name__ == "__main__":
    sys.exit(main())

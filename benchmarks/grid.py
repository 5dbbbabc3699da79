"""The grid of a large run in a real browser: `python -m benchmarks.grid`.

A workspace file holds a run of four versions over 100,000 rows. Chromium opens it twice: in a plain page that speaks to
the widget over HTTP, and in a JupyterLab that is started for it. Measured are:

- first paint: from opening the page (in JupyterLab, from a click on the panel's tab) until the first rows stand there;
  in the plain page the middle of five openings, each without anything kept by the browser;
- frames: the time from one to the next while the grid is scrolled through three times, slowly, quickly and by leaps, at
  p95;
- the page's heap after all of that, in MB, garbage collected;
- the bundle, JavaScript and style sheet, gzipped;
- first render: from running the notebook's cell in a fresh lab until the workbench stands there.

Prints a table, and a JSON object as its last line.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

import pressmark as pm
from benchmarks.workspace import fill
from pressmark.widgets import Workbench
from pressmark.widgets.assets import STATIC
from tests.widgets.bridge import serving

ROWS = 100_000
VERSIONS = ("Sort", "Label", "Tell", "Name")
PROMPT = "bench/prompt"
FLAGS = ("--no-sandbox", "--disable-gpu", "--enable-precise-memory-info")
DRAWN = ".pm-grid-row .pm-output code"
# Notes, at each frame, when the first rows were there.
WATCH = """
window.firstRows = null;
(function look() {
  if (document.querySelector(%r)) { window.firstRows = performance.now(); return; }
  requestAnimationFrame(look);
})();
"""
SCROLL = """async () => {
  const grid = document.querySelector('.pm-grid');
  const times = [];
  let last = performance.now();
  const frame = step => new Promise(done => requestAnimationFrame(() => {
    const now = performance.now(); times.push(now - last); last = now; step(); done();
  }));
  for (let at = 0; at < 150; at += 1) await frame(() => { grid.scrollTop += 40; });
  for (let at = 0; at < 150; at += 1) await frame(() => { grid.scrollTop += 900; });
  for (let at = 0; at < 150; at += 1) await frame(() => {
    if (at % 30 === 0) grid.scrollTop = grid.scrollHeight * ((at * 7919) % 100) / 100; else grid.scrollTop += 40;
  });
  return times.slice(2);
}"""


def main() -> None:
    """Measure, and print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of the run")
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, sync_playwright() as playwright:
        path = Path(folder) / "prompts.duckdb"
        make(path, rows)
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        plain = in_plain_page(browser, path)
        lab = in_jupyterlab(browser, Path(folder))
        browser.close()
    bundle = sum(len(gzip.compress((STATIC / name).read_bytes())) for name in ("workbench.js", "workbench.css")) / 1024
    print(f"{rows:,} rows × {len(VERSIONS)} versions{'':14}{'plain page':>12}{'JupyterLab':>12}")
    for name, key in (("first paint, ms", "paint"), ("frames at p95, ms", "frame"), ("heap of the page, MB", "heap")):
        print(f"{name:<38}{plain[key]:>12.1f}{lab[key]:>12.1f}")
    print(f"{'first render after the cell runs, ms':<38}{'':>12}{lab['render']:>12.1f}")
    print(f"{'bundle, KB gzipped':<38}{bundle:>12.1f}")
    result = {
        "first_paint_ms": round(plain["paint"], 1),
        "first_paint_lab_ms": round(lab["paint"], 1),
        "frame_p95_ms": round(max(plain["frame"], lab["frame"]), 1),
        "page_mb": round(plain["heap"], 1),
        "bundle_kb_gz": round(bundle, 1),
        "first_render_ms": round(lab["render"], 1),
    }
    print(json.dumps(result))


def chromium() -> str:
    """Where the browser is."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise SystemExit("no chromium: apt install chromium")
    return found


def make(path: Path, rows: int) -> None:
    """A file with one finished run."""
    space = pm.Workspace(path)
    versions = [
        space.save(PROMPT, messages=[{"role": "user", "content": f"{word} {{{{ text }}}}"}], model="m")
        for word in VERSIONS
    ]
    table = [
        {"text": f"message {row}: the parcel of order {row * 7} is late", "label": "x", "part": "abcd"[row % 4]}
        for row in range(rows)
    ]
    data = space.dataset("bench/rows", table)
    suite = space.suite("bench/suite", dataset=data, scorers=[pm.scorers.Exact("label")], slice="part")
    space.endpoint("none", base_url="http://127.0.0.1:9/v1")
    spec = {
        "format": 1,
        "versions": [{"name": v.name, "version": v.version, "digest": v.digest} for v in versions],
        "suite": {"name": suite.name, "digest": suite.digest},
        "endpoint": {"name": "none", "base_url": "http://127.0.0.1:9/v1"},
        "repeats": 1,
    }
    space.store.create_run("run", spec, prompt=PROMPT, dataset=data.digest)
    fill(path, "run", [version.digest for version in versions], rows, suite.primary, seed=1)
    space.store.finish_run("run", "done")


def in_plain_page(browser: Browser, path: Path) -> dict[str, float]:
    """The widget in this process, and its page over HTTP."""
    shown: list[Workbench] = []
    with serving(lambda query: shown[0]) as bridge:
        shown.append(pm.Workspace(path).workbench(PROMPT))
        shown[0].panel = "evaluate"
        shown[0].settle(120)
        paints = []
        for last in (False, False, False, False, True):
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.add_init_script(WATCH % DRAWN)
            page.goto(bridge.url)
            page.wait_for_function("window.firstRows !== null", timeout=60_000)
            paints.append(float(page.evaluate("window.firstRows")))
            if not last:
                page.close()
        frame, heap = scrolled(page), heap_mb(page)
        page.close()
    print("first paint in a plain page, ms:", ", ".join(f"{paint:.0f}" for paint in paints))
    return {"paint": statistics.median(paints), "frame": frame, "heap": heap}


def in_jupyterlab(browser: Browser, folder: Path) -> dict[str, float]:
    """The same file in a notebook."""
    cells = [
        'import pressmark as pm\nws = pm.Workspace("prompts.duckdb")\n"ready"',
        f'bench = ws.workbench("{PROMPT}")\nbench',
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    book.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(book, folder / "grid.ipynb")
    with jupyterlab(folder) as url:
        page = browser.new_page(viewport={"width": 1500, "height": 1000})
        page.set_default_timeout(120_000)
        page.goto(f"{url}/lab/tree/grid.ipynb?reset")
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        page.locator(".jp-Cell").first.click()
        page.keyboard.press("Shift+Enter")
        page.locator(".jp-OutputArea-output", has_text="ready").wait_for()
        page.wait_for_timeout(1000)
        render = float(page.evaluate(watched(".pm-bar"), arm(page, "Shift+Enter")))
        tab = page.get_by_role("tab", name="Evaluate")
        tab.wait_for()
        page.wait_for_function("!document.querySelector('.jp-OutputArea .pm-loading')")
        page.evaluate("window.began = performance.now()")
        tab.click()
        paint = float(page.evaluate(watched(DRAWN), None))
        found = {"render": render, "paint": paint, "frame": scrolled(page), "heap": heap_mb(page)}
        page.close()
    return found


def arm(page: Page, key: str) -> None:
    """Begin to count, and press a key."""
    page.evaluate("window.began = performance.now()")
    page.keyboard.press(key)


def watched(selector: str) -> str:
    """A function that waits, frame by frame, until something is drawn, and returns the milliseconds since `began`."""
    return (
        "() => new Promise(done => (function look() {"
        f" const seen = document.querySelector({selector!r});"
        " if (seen && seen.getClientRects().length) done(performance.now() - window.began);"
        " else requestAnimationFrame(look); })())"
    )


def scrolled(page: Page) -> float:
    """The time between frames at p95 while the grid is scrolled."""
    page.wait_for_timeout(500)
    times: list[float] = []
    for _ in range(3):
        page.evaluate("document.querySelector('.pm-grid').scrollTop = 0")
        times += page.evaluate(SCROLL)
    return float(np.percentile(times, 95))


def heap_mb(page: Page) -> float:
    """The heap of the page's code after a garbage collection."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    told: dict[str, Any] = session.send("Runtime.getHeapUsage")
    return float(told["usedSize"]) / 1e6


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """A fresh JupyterLab over a folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    places = {name: str(folder / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")}
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", f"--port={port}"),
            *("--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True"),
            *(
                f"--ServerApp.root_dir={folder}",
                "--LabApp.news_url=",
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            ),
        ],
        env=os.environ | places,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


if __name__ == "__main__":
    main()

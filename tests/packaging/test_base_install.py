"""The base install: what the wheel alone brings, what an import loads, and that it serves a prompt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(600)
HEAVY = (
    "jinja2",
    "urllib3",
    "dataclasses",
    "logging",
    "typing",
    "re",
    "http.client",
    "json",
    "socket",
    "ssl",
    "threading",
)
OTHERS = (
    "duckdb",
    "pandas",
    "pyarrow",
    "openai",
    "ipywidgets",
    "IPython",
    "anywidget",
    "sqlalchemy",
    "fastapi",
    "scipy",
)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the tree as `make` would."""
    out = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(ROOT)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return next(out.glob("pressmark-*.whl"))


@pytest.fixture(scope="session")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh virtual environment with the wheel in it, and nothing else that was asked for."""
    place = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    python = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = ["-m", "pip", "install", "--quiet", "--constraint", str(ROOT / "constraints.txt"), str(wheel)]
    done = subprocess.run([str(python), *install], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return python


def _run(python: Path, code: str, *arguments: str) -> str:
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run(
        [str(python), "-c", code, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        cwd=python.parent,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_wheel_brings_jinja2_markupsafe_and_urllib3_and_nothing_else(python):
    """`pip install` of the wheel alone installs three other packages."""
    listed = json.loads(
        subprocess.run(
            [str(python), "-m", "pip", "list", "--format", "json"], check=True, capture_output=True, text=True
        ).stdout
    )
    names = {package["name"].lower() for package in listed} - {"pip", "setuptools", "wheel"}
    assert names == {"pressmark", "jinja2", "markupsafe", "urllib3"}


def test_the_wheel_holds_the_package_and_no_test(wheel):
    """The wheel carries the package with its typing marker and licence, and neither tests nor notes."""
    names = zipfile.ZipFile(wheel).namelist()
    assert "pressmark/py.typed" in names
    assert "pressmark/client/client.py" in names
    assert "pressmark/notebooks/01-tour.ipynb" in names
    assert "pressmark/widgets/static/workbench.js" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert all(name.startswith(("pressmark/", "pressmark-")) for name in names)
    assert not [name for name in names if name.endswith((".pyc", ".db", ".duckdb")) or "/test_" in name]


def test_the_wheel_brings_the_side_panel(wheel):
    """Installed, the wheel puts the built panel and what enables its server half where Jupyter looks."""
    held = zipfile.ZipFile(wheel)
    data = f"{wheel.name.partition('-py3')[0]}.data/data"
    panel = f"{data}/share/jupyter/labextensions/pressmark"
    described = json.loads(held.read(f"{panel}/package.json"))
    assert wheel.name.startswith(f"pressmark-{described['version']}-")
    assert b"_JUPYTERLAB" in held.read(f"{panel}/{described['jupyterlab']['_build']['load']}")
    assert json.loads(held.read(f"{panel}/schemas/pressmark/panel.json"))["title"] == "Pressmark"
    enabled = json.loads(held.read(f"{data}/etc/jupyter/jupyter_server_config.d/pressmark.json"))
    assert enabled["ServerApp"]["jpserver_extensions"] == {"pressmark.sidepanel": True}
    assert "pressmark/sidepanel/routes.py" in held.namelist()


def test_importing_the_client_loads_next_to_nothing(python):
    """`import pressmark; pressmark.Client` loads neither jinja2 nor urllib3 nor the standard library's slow parts."""
    code = (
        "import sys; before = set(sys.modules); import pressmark; pressmark.Client; "
        "print('\\n'.join(sorted(set(sys.modules) - before)))"
    )
    loaded = set(_run(python, code).split())
    assert "pressmark.client.client" in loaded
    assert loaded & {*HEAVY, *OTHERS} == set()
    assert len(loaded) < 20, sorted(loaded)


def test_importing_from_the_package_loads_as_little(python):
    """`from pressmark import Client` costs no more than the attribute."""
    loaded = _run(python, "from pressmark import Client; import sys; print('\\n'.join(sys.modules))").split()
    assert set(loaded) & {*HEAVY, *OTHERS} == set()


SERVICE = """
import json, sys, pressmark as pm
with pm.Client(sys.argv[1], "pm_good", snapshot_dir=False) as client:
    prompt = client.get("support/triage")
    print(prompt.source, json.dumps(prompt.request(text="hello"), sort_keys=True))
    loaded = {name.partition(".")[0] for name in sys.modules}
    outside = {n for n in loaded if n not in sys.stdlib_module_names and not n.startswith("_")}
    print(sorted(outside - {"__main__", "sitecustomize", "usercustomize"}))
"""


def test_the_base_install_serves_a_prompt(python, simulator):
    """With nothing but the base install a service reads a prompt and builds its request."""
    first, second = _run(python, SERVICE, simulator.url).splitlines()
    source, request = first.split(" ", 1)
    assert source == "live"
    assert json.loads(request) == {
        "model": "practice-1",
        "messages": [{"role": "user", "content": "Sort this message: hello"}],
        "temperature": 0,
    }
    assert second == "['jinja2', 'markupsafe', 'pressmark', 'urllib3']"


@pytest.mark.parametrize(("name", "extra"), [("Workspace", "evals"), ("scorers", "evals"), ("Registry", "evals")])
def test_what_needs_an_extra_says_which(python, name, extra):
    """Where a package is missing, the error names it and the extra that brings it."""
    code = f"import pressmark\ntry:\n    pressmark.{name}\nexcept ImportError as error:\n    print(error)"
    assert f"pip install 'pressmark[{extra}]'" in _run(python, code)

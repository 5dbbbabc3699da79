"""The command with `pressmark[cli]` alone: nothing else can be imported, and what reads a server still works."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

NAME = "support/triage"
# What `pip install 'pressmark[cli]'` brings; any other import fails as if it were not installed.
SMALL = """
import sys
brings = {"pressmark", "jinja2", "markupsafe", "urllib3", "click", "rich", "platformdirs"}
brings |= {"pygments", "markdown_it", "mdurl"} | set(sys.stdlib_module_names)
class Small:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        return self.finder.find_spec(name, path, target) if name.partition(".")[0] in brings else None
sys.meta_path[:] = map(Small, sys.meta_path)
from pressmark.cli import main
try:
    main(sys.argv[1:], prog_name="pressmark")
finally:
    print(sorted({name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)), file=sys.stderr)
"""


@pytest.fixture
def small(registry, tmp_path):
    """Run the command in a process of its own that has nothing but the base install and `[cli]`."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", SMALL, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={"PRESSMARK_URL": registry.url, "PRESSMARK_TOKEN": registry.token, "PATH": "/usr/bin:/bin"},
            timeout=240,
        )

    return run


def test_get_loads_neither_pandas_nor_a_database(registry, small):
    """`get` prints a prompt, and neither pandas nor duckdb nor sqlalchemy nor an OpenAI client is loaded."""
    registry.publish(NAME, text="Sort: {{ text }}", label="production")
    said = small("get", NAME, "--var", "text=hi")
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["model"] == "a-model"
    loaded = said.stderr.splitlines()[-1]
    for heavy in ("pandas", "duckdb", "sqlalchemy", "openai", "scipy", "jsonschema", "rfc8785", "rich"):
        assert f"'{heavy}'" not in loaded


def test_what_asks_a_server_needs_no_more(registry, small):
    """Reading, moving labels, tokens and pulling a file work with the small install."""
    registry.publish(NAME, text="Sort: {{ text }}", label="production")
    registry.publish(NAME, text="Order: {{ text }}")
    for line in (
        f"get {NAME}",
        "log",
        "verify",
        f"diff {NAME} v1 v2",
        f"promote {NAME} v2 --label production --reason better --expected v1",
        f"rollback {NAME} --label production --reason worse",
        "token create shop --role reader",
        "token list",
        f"pull {NAME}@v1 --file triage.toml",
    ):
        said = small(*line.split())
        assert said.returncode == 0, said.stderr


@pytest.mark.parametrize(
    ("line", "extra"),
    [
        (f"publish {NAME} --workspace prompts.duckdb --reason x", "evals"),
        ("publish triage.toml --reason x", "units"),
        ("log --registry sqlite:///own.db", "registry"),
        ("serve own.db --port 0", "registry"),
        ("practice-model --port 0", "workbench"),
        ("lab here", "all"),
    ],
)
def test_what_needs_more_says_which_extra(small, tmp_path: Path, line, extra):
    """What needs another extra says so in a sentence and makes nothing."""
    for name in ("prompts.duckdb", "own.db"):
        (tmp_path / name).touch()
    (tmp_path / "triage.toml").write_text('name = "a"\nmodel = "m"\ntext = "hi"\n')
    said = small(*line.split())
    assert said.returncode == 2, said.stderr
    assert f"pip install 'pressmark[{extra}]'" in said.stderr
    assert "Traceback" not in said.stderr
    assert not (tmp_path / "here").exists()

"""Public names are a list under test, and each import brings no more than it says."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from typing import Any

import pytest

import pressmark

PUBLIC = {
    "pressmark": [
        "Budget", "Client", "Dataset", "Policy", "PressmarkError", "Registry", "Run", "Suite", "Version", "Workspace",
        "__version__", "errors", "scorers",
    ],
    "pressmark.prompts": [
        "GENESIS", "LATEST", "MISSING", "ChatTemplate", "Entry", "FrozenDict", "FrozenList", "LabelPointer", "Position",
        "TextTemplate", "Unit", "Variable", "Version", "check_label", "check_name", "freeze", "is_digest", "matches",
        "parse_input", "parse_number", "sha256_digest", "thaw",
    ],
    "pressmark.rendering": ["PromptVersion", "Template", "build_unit", "check_unit", "compiled", "read_template"],
}  # fmt: skip


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names(module: str) -> None:
    """What a package exports is exactly this list, and each of it is there and documented."""
    package = importlib.import_module(module)
    assert sorted(package.__all__) == sorted(PUBLIC[module])
    for name in package.__all__:
        value = getattr(package, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, name


@pytest.mark.parametrize("module", ["pressmark.prompts", "pressmark.rendering"])
def test_nothing_else_is_public(module: str) -> None:
    """What a package's `__init__` imports for others is in `__all__`, and nothing else is."""
    package = importlib.import_module(module)
    public = {name for name, value in vars(package).items() if not name.startswith("_") and not inspect.ismodule(value)}
    assert public - {"annotations"} == set(package.__all__)


def test_an_unknown_name() -> None:
    """A name that pressmark does not have is told with those that it has."""
    with pytest.raises(AttributeError, match="module 'pressmark' has no attribute 'Workspce'; it has Budget, Client, "):
        pressmark.Workspce  # noqa: B018 - reading it is the test
    assert dir(pressmark) == sorted(pressmark.__all__)


BLOCK = """
import sys
allowed = set(sys.stdlib_module_names) | {allowed!r}
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Block())
{code}
"""


def run(code: str, *allowed: str) -> str:
    """Run code in a fresh Python that can import the standard library and what is allowed, and nothing else."""
    told = BLOCK.format(allowed={"pressmark", *allowed}, code=code)
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_prompts_need_the_standard_library_alone() -> None:
    """The nouns, the errors and the gate work where nothing is installed."""
    code = """
import pressmark.errors, pressmark.prompts, pressmark.gate
from pressmark.prompts import Unit, freeze, matches, check_name, sha256_digest, parse_number
unit = Unit.from_dict({"format": 1, "template": {"text": "x"}, "model": "m"})
assert Unit.from_dict(unit.to_dict()) == unit
print(matches("a/*", check_name("a/b")), parse_number("v3", "registry"))
"""
    assert run(code) == "True 3\n"


def test_rendering_and_wire_need_jinja2_alone() -> None:
    """What the production client stands on renders a prompt and reads the wire with jinja2 and nothing else."""
    code = """
from pressmark.prompts import sha256_digest
from pressmark.wire import unit_from_text
from pressmark.rendering import compiled
text = ('{"format":1,"model":"m","params":{},"template":{"messages":[{"content":"Hi {{ a }}","role":"user"}]},'
        '"variables":{"a":{"type":"string"}}}')
unit = unit_from_text(text, sha256_digest(text.encode()))
print(compiled(unit, sha256_digest(text.encode())).request({"a": "you"}))
try:
    compiled(unit, "x").request({})
except ValueError as error:
    print(type(error).__name__)
"""
    out = run(code, "jinja2", "markupsafe")
    assert out == "{'model': 'm', 'messages': [{'content': 'Hi you', 'role': 'user'}]}\nMissingVariablesError\n"


def loaded(code: str) -> set[str]:
    """The top-level packages that are loaded after some code ran."""
    told = f"import sys; before = set(sys.modules)\n{code}\nprint(*sorted(set(sys.modules) - before))"
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=120)
    return set(ran.stdout.split())


def test_importing_pressmark_loads_nothing() -> None:
    """`import pressmark` alone brings neither its parts nor anybody else's package."""
    assert {name for name in loaded("import pressmark") if name.startswith("pressmark")} == {"pressmark"}
    tops = {name.partition(".")[0] for name in loaded("import pressmark")}
    assert tops <= {"pressmark", *sys.stdlib_module_names}


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        ("import pressmark; pressmark.errors", {"jinja2", "urllib3", "duckdb"}),
        (
            "import pressmark; pressmark.Client",
            {"duckdb", "pandas", "openai", "ipywidgets", "IPython", "numpy", "rfc8785"},
        ),
        ("import pressmark.graph", {"networkx", "jinja2"}),
        ("import pressmark.prompts.canonical", {"jsonschema", "jinja2"}),
        ("import pressmark.wire", {"rfc8785", "jsonschema", "networkx"}),
        ("import pressmark.gate", {"networkx", "jinja2", "rfc8785"}),
    ],
)
def test_what_is_heavy_comes_late(code: str, heavy: set[str]) -> None:
    """An import does not load packages that it may never need."""
    assert not heavy & {name.partition(".")[0] for name in loaded(code)}


def test_a_missing_extra_is_named() -> None:
    """A name whose packages are not installed says which extra brings them."""
    code = """
import pressmark
for name in ("Workspace", "Registry", "scorers"):
    try:
        getattr(pressmark, name)
    except ImportError as error:
        print(error)
    else:
        print(name, "loaded")
"""
    lines = run(code, "jinja2", "markupsafe", "urllib3").splitlines()
    assert len(lines) == 3
    told: Any = [line for line in lines if line.endswith("pip install 'pressmark[evals]'")]
    assert all(line in told or line.endswith("loaded") for line in lines)
    assert any(line.startswith("pressmark.Workspace needs ") for line in told) or "Workspace loaded" in lines

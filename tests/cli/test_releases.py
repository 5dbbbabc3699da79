"""`publish`, `pull`, `promote` and `rollback`, on a registry that runs."""

from __future__ import annotations

import json
from pathlib import Path

import pressmark as pm
from pressmark.interop import files

NAME = "support/triage"


def test_from_workspace_to_production_and_back(pressmark, registry, workspace):
    """Two versions are published, promoted one after the other, and rolled back; a client serves each."""
    said = pressmark("publish", NAME, "#1", "--workspace", workspace, "--reason", "a start")
    assert (said.exit_code, said.stdout) == (0, "Published support/triage v1.\n")
    said = pressmark(
        "promote", NAME, "v1", "--label", "production", "--reason", "first", "--expected", "none"
    )  # fmt: skip
    assert (said.exit_code, said.stdout) == (0, "Moved production of support/triage to v1 (entry 2).\n")
    client = registry.client()
    assert client.get(NAME).version == "v1"
    assert pressmark("publish", NAME, "--workspace", workspace, "--reason", "shorter").exit_code == 0
    moved = pressmark("promote", NAME, "v2", "--label", "production", "--reason", "better", "--expected", "v1")
    assert moved.stdout == "Moved production of support/triage from v1 to v2 (entry 4).\n"
    registry.wait_for(client)
    assert client.get(NAME).version == "v2"
    back = pressmark("rollback", NAME, "--label", "production", "--reason", "worse", "--expected", "v2")
    assert back.stdout == "Rolled back production of support/triage from v2 to v1 (entry 5).\n"
    registry.wait_for(client)
    assert client.get(NAME).version == "v1"


def test_publishing_again_makes_nothing_new(pressmark, registry, workspace):
    """The newest version published again says so, and the change log does not grow."""
    assert pressmark("publish", NAME, "--workspace", workspace, "--reason", "a start").exit_code == 0
    again = pressmark("publish", NAME, "--workspace", workspace, "--reason", "once more")
    assert (again.exit_code, again.stdout) == (0, "support/triage v1 says the same already; nothing new was made.\n")
    assert len(registry.store.log()) == 1


def test_publishing_an_older_unit_says_what_it_restores(pressmark, workspace):
    """An older unit gets a new number, and JSON tells which one it restores."""
    for version in ("#1", "#2"):
        pressmark("publish", NAME, version, "--workspace", workspace, "--reason", "in turn")
    said = pressmark("publish", NAME, "#1", "--workspace", workspace, "--reason", "back", "--json")
    told = json.loads(said.stdout)
    assert (told["name"], told["version"], told["created"], told["restores"]) == (NAME, "v3", True, "v1")
    assert told["digest"] == pm.Workspace(workspace).version(NAME, "#1").digest


def test_workspace_remembers_the_publication(pressmark, registry, workspace):
    """What was published from a workspace stands in its publications."""
    pressmark("publish", NAME, "--workspace", workspace, "--reason", "a start")
    [row] = pm.Workspace(workspace).sql("select * from publications").to_dict("records")
    assert registry.url in row.values()
    assert "v1" in row.values()


def test_workspace_comes_from_the_environment(pressmark, workspace):
    """PRESSMARK_WORKSPACE names the workspace."""
    said = pressmark("publish", NAME, "--reason", "a start", PRESSMARK_WORKSPACE=str(workspace))
    assert said.exit_code == 0, said.stderr


def test_file_is_published_and_pulled_back(pressmark, registry, tmp_path):
    """A prompt's file is published, and pulling it writes a file with the same digest."""
    Path("triage.toml").write_text('name = "support/triage"\nmodel = "m"\ntext = "Sort: {{ text }}"\n')
    said = pressmark("publish", "triage.toml", "--reason", "a start", "--message", "first cut")
    assert (said.exit_code, said.stdout) == (0, "Published support/triage v1.\n")
    [version] = registry.store.versions(NAME)
    assert version.message == "first cut"
    pulled = pressmark("pull", f"{NAME}@latest", "--file", "again.toml")
    assert (pulled.exit_code, pulled.stdout) == (0, "support/triage v1 is in again.toml.\n")
    assert files.read("again.toml").digest == version.digest == files.read("triage.toml").digest
    assert pressmark("publish", "again.toml", "--reason", "same").stdout.endswith("nothing new was made.\n")


def test_environment_does_not_hide_a_file(pressmark, workspace):
    """With PRESSMARK_WORKSPACE set, the path of a file is still a file."""
    Path("triage.json").write_text('{"name": "support/other", "model": "m", "text": "Sort: {{ text }}"}')
    known = {"PRESSMARK_WORKSPACE": str(workspace)}
    assert pressmark("publish", "triage.json", "--reason", "x", **known).stdout == "Published support/other v1.\n"
    assert pressmark("pull", "support/other@v1", "--file", "o.json", **known).exit_code == 0
    assert files.read("o.json").name == "support/other"


def test_name_of_a_nameless_file_comes_from_the_option(pressmark, registry):
    """A bare unit, as JSON tools make it, is published under the name that is given; else nothing is."""
    Path("unit.json").write_text(json.dumps(registry.publish("a/b", text="Hello {{ who }}").unit.to_dict()))
    refused = pressmark("publish", "unit.json", "--reason", "x")
    assert refused.exit_code == 2
    assert "does not tell the prompt's name" in refused.stderr
    assert pressmark("publish", "unit.json", "--name", "c/d", "--reason", "x").stdout == "Published c/d v1.\n"


def test_what_get_prints_can_be_published(pressmark, registry):
    """The output of `get`, as text and as JSON, is a prompt's file."""
    registry.publish(NAME, text="Sort: {{ text }}", params={"temperature": 0}, label="production")
    Path("out.toml").write_text(pressmark("get", NAME).stdout)
    Path("out.json").write_text(pressmark("get", NAME, "--json").stdout)
    for path in ("out.toml", "out.json"):
        assert pressmark("publish", path, "--reason", "x").stdout.endswith("nothing new was made.\n")


def test_pull_leaves_an_edited_file_alone(pressmark, registry):
    """A file that says something else is replaced with --force only."""
    registry.publish(NAME, text="Sort: {{ text }}", label="production")
    pressmark("pull", f"{NAME}@production", "--file", "t.toml")
    edited = Path("t.toml").read_text().replace("Sort", "Order")
    Path("t.toml").write_text(edited)
    refused = pressmark("pull", f"{NAME}@production", "--file", "t.toml")
    assert refused.exit_code == 1
    assert "give --force" in refused.stderr
    assert Path("t.toml").read_text() == edited
    assert pressmark("pull", f"{NAME}@production", "--file", "t.toml", "--force").exit_code == 0
    assert files.read("t.toml").digest == registry.store.version(NAME, "v1").digest
    same = pressmark("pull", f"{NAME}@v1", "--file", "t.toml", "--json")
    assert json.loads(same.stdout)["changed"] is False


def test_pull_into_a_new_workspace(pressmark, registry, tmp_path):
    """A workspace is made where there is none, and the version has a number of its own there."""
    registry.publish(NAME, text="Sort: {{ text }}", label="production")
    said = pressmark("pull", f"{NAME}@production", "--workspace", "new.duckdb")
    assert said.stdout == f"{NAME}@production is {NAME} #1 in new.duckdb.\n"
    assert pm.Workspace("new.duckdb").version(NAME, "#1").digest == registry.store.version(NAME, "v1").digest
    again = pressmark("pull", f"{NAME}@v1", "--workspace", "new.duckdb", "--json")
    assert json.loads(again.stdout)["version"] == "#1"


def test_embedded_registry_needs_no_server(pressmark, workspace, tmp_path):
    """With sqlite:///FILE the same commands work on a file, which publishing makes."""
    file = ("--registry", f"sqlite:///{tmp_path}/own.db")
    assert pressmark("publish", NAME, "--workspace", workspace, "--reason", "a start", *file).exit_code == 0
    assert pressmark("promote", NAME, "v1", "--label", "production", "--reason", "go", *file).exit_code == 0
    assert pressmark("get", NAME, "--request", "--var", "text=hi", *file).exit_code == 0
    assert pressmark("verify", *file).exit_code == 0

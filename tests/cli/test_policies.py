"""`policy show` and `policy set`, on a registry that runs."""

from __future__ import annotations

import json
from pathlib import Path

NAME = "support/triage"


def test_policy_is_set_and_shown(pressmark, registry):
    """A preset is set for a label, shown for a prompt and in the list, and stands in the change log."""
    assert pressmark("policy", "show").stdout.startswith("No policy was set")
    assert pressmark("policy", "show", NAME).stdout.startswith(f"production of {NAME}: solo\n  a reason\n")
    said = pressmark(
        "policy", "set", "team", "--label", "production", "--names", "support/**", "--reason", "a team now"
    )
    assert (said.exit_code, said.stdout) == (0, "Set the policy team for production of support/** (entry 1).\n")
    shown = pressmark("policy", "show", NAME)
    assert shown.stdout.startswith(f"production of {NAME}: team\n")
    assert "  evidence, not from the practice model\n" in shown.stdout
    assert "  primary loses 0.02 at most\n" in shown.stdout
    assert pressmark("policy", "show", "other").stdout.startswith("production of other: solo")
    assert pressmark("policy", "show", NAME, "--label", "staging").stdout.startswith(f"staging of {NAME}: solo")
    listed = pressmark("policy", "show").stdout
    assert "support/**" in listed
    assert "30 rows or more a suite" in listed
    log = pressmark("log").stdout
    assert "set the policy team for production of support/**" in log
    assert "a team now" in log
    assert pressmark("verify").exit_code == 0


def test_policy_as_json(pressmark):
    """What is printed as JSON can be changed, kept in a file and set again."""
    set_ = pressmark("policy", "set", "team", "--label", "production", "--reason", "r", "--json")
    assert json.loads(set_.stdout)["data"]["policy"]["name"] == "team"
    told = json.loads(pressmark("policy", "show", NAME, "--json").stdout)
    Path("ours.json").write_text(json.dumps({**told, "name": "ours", "least_rows": 99}))
    Path("ours.toml").write_text('name = "written"\nleast_rows = 7\n[must_reach]\npolite = 0.5\n')
    for file, name, rows in (("ours.json", "ours", 99), ("ours.toml", "written", 7)):
        said = pressmark("policy", "set", file, "--label", "production", "--reason", "ours")
        assert said.exit_code == 0, said.stderr
        found = json.loads(pressmark("policy", "show", NAME, "--json").stdout)
        assert (found["name"], found["least_rows"]) == (name, rows)
    rules = json.loads(pressmark("policy", "show", "--json").stdout)
    assert [(rule["label"], rule["names"], rule["policy"]["name"]) for rule in rules] == [
        ("production", "**", "written")
    ]


def test_policies_that_are_refused(pressmark, registry):
    """What is no policy is wrong use; a token that is no admin's is refused; nothing changes."""
    Path("bad.json").write_text("{")
    Path("odd.toml").write_text('name = "x"\ndemand = 1\n')
    ask = ("--label", "production", "--reason", "r")
    for wrong, said in (
        ("crowd", "there is no policy called 'crowd'"),
        ("bad.json", "is no JSON"),
        ("odd.toml", "demands nothing called 'demand'"),
        ("none.toml", "No such file"),
    ):
        refused = pressmark("policy", "set", wrong, *ask)
        assert (refused.exit_code, said in refused.stderr) == (2, True), refused.stderr
    assert pressmark("policy", "set", "team", "--label", "latest", "--reason", "r").exit_code == 2
    editor = registry.store.create_token("bo", "editor").secret
    refused = pressmark("policy", "set", "team", *ask, PRESSMARK_TOKEN=editor)
    assert refused.exit_code == 1
    assert "admin may" in refused.stderr
    assert pressmark("policy", "show", NAME, PRESSMARK_TOKEN=editor).exit_code == 0
    assert registry.store.log() == []


def test_gate_of_a_team(pressmark, registry):
    """A label that demands evidence refuses a promotion with its reasons, and status 1."""
    registry.publish(NAME, text="Sort: {{ text }}", label="production")
    registry.publish(NAME, text="Order: {{ text }}")
    pressmark("policy", "set", "team", "--label", "production", "--reason", "a team now")
    refused = pressmark("promote", NAME, "v2", "--label", "production", "--reason", "go", "--json")
    assert refused.exit_code == 1
    (reason,) = json.loads(refused.stdout)["error"]["reasons"]
    assert reason["code"] == "evaluated"
    assert "submit its evidence" in reason["next_step"]

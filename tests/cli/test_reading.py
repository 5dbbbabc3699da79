"""`get`, `log`, `diff`, `verify` and `token`, on a registry that runs."""

from __future__ import annotations

import json

import pytest

NAME = "support/triage"


def test_get_makes_the_request(pressmark, registry):
    """With --var the request is printed, with values of the declared types."""
    registry.publish(
        NAME,
        messages=[{"role": "user", "content": "{{ text }} {% for tag in tags %}{{ tag }},{% endfor %}"}],
        variables={"text": "string", "tags": {"type": "list", "default": []}},
        params={"temperature": 0},
        label="production",
    )
    said = pressmark("get", NAME, "--var", "text=7", "--var", 'tags=["a", "b"]')
    assert said.exit_code == 0, said.stderr
    assert json.loads(said.stdout) == {
        "model": "a-model",
        "temperature": 0,
        "messages": [{"role": "user", "content": "7 a,b,"}],
    }
    bad = pressmark("get", NAME, "--var", "text=7", "--var", "tags=a")
    assert bad.exit_code == 2
    assert "tags is of type list, so its value is JSON" in bad.stderr


def test_get_reads_any_label_version_or_digest(pressmark, registry):
    """A label, a version and a digest each find their version."""
    first = registry.publish(NAME, text="one", label="production")
    registry.publish(NAME, text="two", label="staging")
    for arguments, number in (((), "v1"), (("--label", "staging"), "v2"), (("--version", first.digest), "v1")):
        assert json.loads(pressmark("get", NAME, *arguments, "--json").stdout)["version"] == number


def test_log_is_a_table_and_json(pressmark, registry):
    """The change log is shown newest first, with who, what and why; JSON carries the hashes."""
    registry.publish(NAME, text="one")
    registry.move(NAME, label="production", reason="it is [bold]better[/bold]")
    table = pressmark("log").stdout.splitlines()
    assert table[0].split() == ["seq", "when", "(UTC)", "who", "what", "why"]
    assert "it is [bold]better[/bold]" in table[1]
    assert table[1].startswith("2 ")
    entries = json.loads(pressmark("log", NAME, "--json").stdout)
    assert [entry["kind"] for entry in entries] == ["move", "publish"]
    assert entries[0]["previous"] == entries[1]["hash"]
    assert len(json.loads(pressmark("log", "--limit", "1", "--json").stdout)) == 1


def test_empty_log_says_so(pressmark):
    """An empty registry's log is a sentence for people and an empty list for programs."""
    assert pressmark("log").stdout == "Nothing has been published yet.\n"
    assert json.loads(pressmark("log", "--json").stdout) == []


def test_diff_of_registry_and_workspace(pressmark, registry, workspace):
    """Two versions are compared part by part, in the registry and in a workspace."""
    registry.publish(NAME, text="one\ntwo", params={"temperature": 0})
    registry.publish(NAME, text="one\nthree", params={"temperature": 1})
    shown = pressmark("diff", NAME, "v1", "v2").stdout.splitlines()
    assert {"  -two", "  +three", "params.temperature"} <= set(shown)
    parts = json.loads(pressmark("diff", NAME, "v1", "latest", "--json").stdout)
    assert [change["part"] for change in parts] == ["text", "params.temperature"]
    assert "say the same" in pressmark("diff", NAME, "v2", "latest").stdout
    local = pressmark("diff", NAME, "#1", "#2", "--workspace", workspace, PRESSMARK_URL="http://127.0.0.1:1")
    assert "  +One category: {{ text }}" in local.stdout.splitlines()


def test_verify_counts_and_finds_what_was_altered(pressmark, registry):
    """An honest log is counted; an altered entry is named, with status 1."""
    import sqlalchemy as sa

    registry.publish(NAME, text="one", label="production")
    assert json.loads(pressmark("verify", "--json").stdout)["entries"] == 2
    with registry.store.database.engine.begin() as connection:
        for trigger in connection.execute(sa.text("select name from sqlite_master where type = 'trigger'")).scalars():
            connection.execute(sa.text(f"drop trigger {trigger}"))
        connection.execute(sa.text("update log set reason = 'because I may' where seq = 1"))
    refused = pressmark("verify", "--json")
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["error"]["kind"] == "LogTamperedError"
    assert "Traceback" not in refused.stderr


def test_what_others_wrote_cannot_steer_the_terminal(pressmark, registry):
    """Escape sequences in a template are shown as characters, in every form in which it is printed."""
    registry.publish(NAME, text="\x1b[2Jone \x9b31m", label="production")
    registry.publish(NAME, text="\x1b]0;title\x07two")
    for command in (("get", NAME), ("get", NAME, "--json"), ("get", NAME, "--request"), ("diff", NAME, "v1", "v2")):
        said = pressmark(*command)
        assert said.exit_code == 0, said.stderr
        assert not set(said.stdout) & set("\x1b\x07\x9b")


def test_token_is_made_used_and_revoked(pressmark, registry):
    """A reader's token reads, may not move, and reads no more once it is revoked; its secret is not listed."""
    registry.publish(NAME, text="one", label="production")
    made = pressmark("token", "create", "shop", "--role", "reader", "--label", "production", "--days", "30")
    secret = made.stdout.strip()
    assert secret.startswith("pm_")
    assert "not shown again" in made.stderr
    assert pressmark("get", NAME, PRESSMARK_TOKEN=secret).exit_code == 0
    move = ("promote", NAME, "v1", "--label", "staging", "--reason", "x")
    assert pressmark(*move, PRESSMARK_TOKEN=secret).exit_code == 1
    listed = json.loads(pressmark("token", "list", "--json").stdout)
    [shop] = [token for token in listed if token["principal"]["name"] == "shop"]
    assert secret not in pressmark("token", "list").stdout
    assert pressmark("token", "revoke", shop["id"]).exit_code == 0
    gone = pressmark("get", NAME, PRESSMARK_TOKEN=secret)
    assert gone.exit_code == 1
    assert gone.stderr.startswith("Error: ")


@pytest.mark.parametrize(
    "command", [("log",), ("verify",), ("token", "list"), ("get", NAME), ("diff", NAME, "v1", "v1")]
)
def test_json_is_all_of_stdout(pressmark, registry, command):
    """With --json stdout is one JSON value and stderr is silent."""
    registry.publish(NAME, text="one", label="production")
    said = pressmark(*command, "--json")
    assert said.exit_code == 0
    json.loads(said.stdout)
    assert said.stderr == ""

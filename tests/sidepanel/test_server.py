"""The panel's half in the Jupyter server, over HTTP: what it answers, and to whom."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from .conftest import NAME
from .served import Lab, Registry, jupyter_lab

pytestmark = pytest.mark.timeout(300)


def test_every_prompt_with_its_labels(lab: Lab, registry: Registry) -> None:
    """The state names registry and principal, and each prompt with its newest version and labels."""
    told = lab.ask("registry").json()
    assert (told["state"], told["where"]) == ("connected", registry.url)
    assert told["principal"] == {"name": "bea", "role": "editor"}
    assert told["in_environment"] is True
    prompts = {prompt["name"]: prompt for prompt in told["prompts"]}
    assert prompts[NAME] == {"name": NAME, "newest": "v2", "labels": {"production": "v2"}}
    assert prompts["finance/invoices"]["labels"] == {}


def test_nothing_new_is_told_in_few_bytes(lab: Lab, registry: Registry) -> None:
    """With the position of the answer before, the prompts come only after something changed."""
    seen = lab.ask("registry").json()["position"]
    assert lab.ask("registry", seen=seen).json()["prompts"] is None
    registry.publish("changing/prompt")
    again = lab.ask("registry", seen=seen).json()
    assert "changing/prompt" in [prompt["name"] for prompt in again["prompts"]]
    assert lab.ask("registry", seen="of another registry").json()["prompts"] is not None


def test_versions_of_a_prompt(lab: Lab) -> None:
    """Versions come newest first with message, author, time and variables; units stay in the server."""
    answer = lab.ask("versions", name=NAME)
    told = answer.json()
    assert [version["version"] for version in told["versions"]] == ["v2", "v1"]
    first = told["versions"][-1]
    assert (first["message"], first["author"]) == ("cut 1", "ana")
    assert first["variables"] == [{"name": "text", "type": "any", "required": True}]
    assert [(pointer["label"], pointer["version"]) for pointer in told["labels"]] == [("production", "v2")]
    assert "Sort" not in answer.text


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("", 400, "cannot be a prompt name"),
        ("../me", 400, "cannot be a prompt name"),
        ("Support/Triage", 400, "such as 'support/triage'"),
        ("a" * 201, 400, "201 characters"),
        ("support/triage\r\nx-evil: 1", 400, "cannot be a prompt name"),
        ("support/missing", 404, "support/missing"),
    ],
)
def test_names_that_are_none(lab: Lab, name: str, status: int, said: str) -> None:
    """A malformed name is refused before the registry hears of it; an unknown one is not found; both say so."""
    answer = lab.ask("versions", name=name)
    assert answer.status == status
    assert said in answer.json()["error"]["message"]


def test_bytes_that_are_no_text(lab: Lab) -> None:
    """A query that is no UTF-8 is refused as such."""
    assert lab.ask("versions?name=%ff&x").status == 400


@pytest.mark.parametrize("path", ["registry", "versions"])
def test_without_jupyters_authentication(lab: Lab, path: str) -> None:
    """Without Jupyter's token nothing is told, and nothing but reading is offered."""
    for headers in ({}, {"Authorization": "token wrong"}):
        answer = lab.ask(path, headers=headers, name=NAME)
        assert answer.status == 403
        assert "triage" not in answer.text
    assert lab.ask(path, method="POST").status in {403, 405}
    assert lab.ask(path, method="DELETE").status in {403, 405}


def test_another_sites_page_is_refused(lab: Lab) -> None:
    """With the cookie of a session JupyterLab's own page is answered, and another site's page is not."""
    cookies = urllib.request.HTTPCookieProcessor()
    urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies).open(lab.address(), timeout=30).close()
    session = "; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies.cookiejar)
    assert lab.ask("registry", headers={"Cookie": session}).status == 200
    answer = lab.ask("registry", headers={"Cookie": session, "Origin": "https://elsewhere.example"})
    assert answer.status == 404
    assert "triage" not in answer.text


def test_gone_and_back(lab: Lab, registry: Registry) -> None:
    """While the registry is gone the state says so in words; when it is back it is connected again."""
    registry.stop()
    try:
        told = lab.ask("registry").json()
        assert told["state"] == "down"
        assert told["message"] == "the registry does not answer"
        assert "check that it runs" in told["hint"]
        answer = lab.ask("versions", name=NAME)
        assert answer.status == 502
        assert answer.json()["error"]["message"] == "the registry does not answer"
    finally:
        registry.start()
    assert lab.ask("registry").json()["state"] == "connected"


def test_the_token_is_nowhere(lab: Lab, registry: Registry) -> None:
    """The registry's token is in no answer and, at the lowest level of logging, in no line of the log."""
    answers = [lab.ask("registry"), lab.ask("versions", name=NAME), lab.ask("versions", name="no/such")]
    assert all(registry.token not in answer.text for answer in answers)
    log = lab.log.read_text()
    assert "/pressmark/api/registry" in log
    assert registry.token not in log


def _state(tmp_path: Path, environment: dict[str, str], *options: str) -> tuple[dict[str, str], str]:
    with jupyter_lab(tmp_path / "notebooks", environment, *options) as lab:
        told = lab.ask("registry").json()
        return told, lab.log.read_text()


def test_no_registry_set(tmp_path: Path) -> None:
    """Without an address the state is `unset`, with what to do next."""
    told, _ = _state(tmp_path, {})
    assert (told["state"], told["where"]) == ("unset", "")
    assert "PRESSMARK_URL" in told["hint"]


def test_configured_in_jupyter(tmp_path: Path, registry: Registry) -> None:
    """The address and the name of the token's variable may stand in Jupyter's configuration; kernels lack them then."""
    options = (f"c.PressmarkPanel.url = {registry.url!r}", "c.PressmarkPanel.token_env = 'TEAM_TOKEN'")
    told, log = _state(tmp_path, {"TEAM_TOKEN": registry.token}, *options)
    assert (told["state"], told["in_environment"]) == ("connected", False)
    assert registry.token not in log

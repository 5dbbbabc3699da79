"""What a front end is sent by a real kernel: VS Code, and whatever else speaks Jupyter's protocol, draws from this."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from pressmark.widgets.assets import STATIC

pytestmark = pytest.mark.skipif(
    not (STATIC / "workbench.js").exists(), reason="the page is not built: run `make setup`"
)
VIEW = "application/vnd.jupyter.widget-view+json"
SETUP = """
import pressmark as pm
ws = pm.Workspace("kernel.duckdb", author="ana")
ws.save("support/reply", text="<script>alert(1)</script> {{ text }}", model="m", message="first")
"""


class Front:
    """A front end without a screen: it runs cells, and hears and sends on comms."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self._client = client

    def run(self, code: str) -> list[dict[str, Any]]:
        """Run a cell and return what it was answered with until the kernel was idle."""
        asked = self._client.execute(code)
        said = []
        while True:
            message = self._client.get_iopub_msg(timeout=60)
            said.append(message)
            assert message["msg_type"] != "error", message["content"]
            mine = message["parent_header"].get("msg_id") == asked
            if mine and message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return said

    def command(self, comm: str, command: str, **args: Any) -> dict[str, Any]:
        """Send a command as the page does, and return the reply to it."""
        content = {"kind": "command", "id": "front.1", "command": command, "args": args}
        told = {"comm_id": comm, "data": {"method": "custom", "content": content}}
        self._client.shell_channel.send(self._client.session.msg("comm_msg", told))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                message = self._client.get_iopub_msg(timeout=5)
            except queue.Empty:
                continue
            data = message["content"].get("data", {})
            if message["msg_type"] == "comm_msg" and data.get("method") == "custom":
                reply: dict[str, Any] = data["content"]
                return reply
        raise AssertionError("the kernel did not reply")


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A kernel with a workspace."""
    folder: Path = tmp_path_factory.mktemp("kernel")
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(folder))
    try:
        shown = Front(client)
        shown.run(SETUP)
        yield shown
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _opened(said: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The comms that were opened, by id."""
    return {m["content"]["comm_id"]: m["content"] for m in said if m["msg_type"] == "comm_open"}


def test_a_view_opens_a_comm_and_has_a_fallback(front: Front) -> None:
    """The model is opened before it is shown; a front end without widgets has HTML and text, without a script."""
    said = front.run('ws.draft("support/reply")')
    shown = [m["content"]["data"] for m in said if m["msg_type"] == "display_data"]
    view = next(data for data in shown if VIEW in data)
    still = next(data for data in shown if "text/html" in data)
    opened = _opened(said)
    model = opened[view[VIEW]["model_id"]]
    assert model["target_name"] == "jupyter.widget"
    state = model["data"]["state"]
    assert state["_model_module"] == state["_view_module"] == "anywidget"
    assert state["panels"] == ["draft"]
    assert state["_esm"].count("export{") + state["_esm"].count("export default") >= 1
    assert "&lt;script&gt;" in still["text/html"]
    assert "<script" not in still["text/html"]
    assert "Pressmark workbench: support/reply, Draft" in still["text/plain"]
    assert said.index(next(m for m in said if m["msg_type"] == "comm_open")) < said.index(
        next(m for m in said if m["msg_type"] == "display_data" and VIEW in m["content"]["data"])
    )


def test_commands_are_answered_and_traits_updated_over_the_comm(front: Front) -> None:
    """A custom message is answered; what it changes comes as an update of the model's state."""
    said = front.run('bench = ws.workbench("support/reply"); display(bench)')
    comm = next(
        m["content"]["data"][VIEW]["model_id"]
        for m in said
        if m["msg_type"] == "display_data" and VIEW in m["content"]["data"]
    )
    assert front.command(comm, "show", panel="compare") == {
        "kind": "reply",
        "id": "front.1",
        "ok": True,
        "value": None,
    }
    front.run("assert bench.panel == 'compare', bench.panel")
    refused = front.command(comm, "run_shell", line="ls")
    assert not refused["ok"]
    assert "knows no command 'run_shell'" in refused["error"]["message"]
    updates = [
        m["content"]["data"]
        for m in front.run("bench.panel = 'evaluate'")
        if m["msg_type"] == "comm_msg" and m["content"]["comm_id"] == comm
    ]
    assert {"method": "update", "state": {"panel": "evaluate"}, "buffer_paths": []} in updates


def test_every_view_opens_on_what_was_asked(front: Front) -> None:
    """The registry's view needs no workspace, and shows what is published."""
    front.run(
        'registry = pm.Registry("sqlite:///registry.db")\n'
        'registry.publish(ws.version("support/reply"), reason="first")\n'
        'registry.move("support/reply", label="production", to="v1", reason="go live")\n'
    )
    said = front.run(
        'view = registry.view("support/reply"); view.settle(); view.registry_lane.settle(10); display(view)'
    )
    shown = [
        m["content"]["data"] for m in said if m["msg_type"] == "display_data"
    ]  # the other views' pictures follow too
    stills = [data["text/plain"] for data in shown if "text/html" in data]
    assert "production" in stills[0]
    assert "go live" in stills[0]
    states = [each["data"]["state"] for each in _opened(said).values()]
    assert [state["panels"] for state in states if "panels" in state] == [["publish"]]

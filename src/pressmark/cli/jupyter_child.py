"""JupyterLab as `pressmark lab` starts it: quick, quiet, and gone when the lab is gone.

Run as a child, `python -m pressmark.cli.jupyter_child OPTIONS…`. It imports while its parent still starts the registry,
then reads one line of JSON from stdin, the environment to work in. When stdin ends, so did the parent, and it stops
too.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading

OPTIONS = (
    *("--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--ServerApp.port_retries=0"),
    # Nothing asks the network: no news, no search for updates or extensions.
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.news_url=None",
    "--LabApp.extension_manager=readonly",
    # Nothing is looked for on the disk that the lab does not need.
    "--LanguageServerManager.autodetect=False",
    "--KernelManager.shutdown_wait_time=2",
)


def main() -> None:
    """Start JupyterLab with the options of the command line."""
    # Compiling its grammar takes longer than all the rest of JupyterLab's start; only checks of international
    # addresses would use it, and its importer does without where it is missing.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    from jupyterlab.labapp import LabApp  # type: ignore[import-untyped]

    told = sys.stdin.readline()
    if not told:
        return
    os.environ.update(json.loads(told))
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
    LabApp.launch_instance([*OPTIONS, *sys.argv[1:]])


def _end_with_parent() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()

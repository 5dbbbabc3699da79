"""The one DuckDB of a process: missing, forked, and shared by threads."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

from pressmark.workspace import Store


def test_without_duckdb_the_import_says_what_to_install() -> None:
    """Where duckdb is missing, importing the workspace names the extra that brings it."""
    script = "import sys; sys.modules['duckdb'] = None; import pressmark.workspace"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert "pip install 'pressmark[evals]'" in told.stderr.splitlines()[-1]


def test_importing_the_workspace_loads_nothing_heavy() -> None:
    """pandas, scipy and openai are not loaded before they are needed."""
    script = "import sys, pressmark.workspace; print(*sorted({'pandas', 'scipy', 'openai'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == ""


def _save(path: Path, name: str) -> None:
    Store(path, deadline=60).save_draft(name, {})


def test_forked_children_use_the_file_too(store: Store, path: Path) -> None:
    """Children that are forked while another thread writes save what they have, and so does their parent."""
    stop, turns = threading.Event(), []

    def work() -> None:
        while not stop.is_set():
            store.save_draft("parent", {"turn": len(turns)})
            turns.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        fork = multiprocessing.get_context("fork")
        children = [fork.Process(target=_save, args=(path, f"child{number}")) for number in range(4)]
        for child in children:
            child.start()
        for child in children:
            child.join(120)
        assert [child.exitcode for child in children] == [0] * 4
    finally:
        stop.set()
        thread.join()
    assert sorted(store.prompts()["prompt"]) == ["child0", "child1", "child2", "child3", "parent"]


def test_two_files_of_one_process_do_not_meet(tmp_path: Path) -> None:
    """Threads work on two files side by side, and each sees its own."""
    stores = [Store(tmp_path / name) for name in ("it's one.duckdb", "two é😀.duckdb")]

    def work(number: int) -> None:
        for turn in range(20):
            stores[number].save_draft(f"p{number}-{turn}", {})

    threads = [threading.Thread(target=work, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, store in enumerate(stores):
        assert sorted(store.prompts()["prompt"]) == sorted(f"p{number}-{turn}" for turn in range(20))


def test_nothing_is_left_in_the_working_directory(tmp_path: Path) -> None:
    """Using a workspace makes no file but its own."""
    script = "from pressmark.workspace import Store; Store('w.duckdb').sql('select 1')"
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=os.environ, check=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["w.duckdb"]

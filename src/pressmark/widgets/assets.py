"""The page's module and style sheet, built from `extension/` into `static/`."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pressmark.errors import PressmarkError

STATIC = Path(__file__).parent / "static"


@lru_cache(maxsize=8)
def _text(path: Path, changed: int) -> str:
    return path.read_text(encoding="utf-8")


def asset(name: str, folder: Path = STATIC) -> str:
    """The text of a built file.

    Args:
        name: Its name, such as "workbench.js".
        folder: Where it was built.

    Raises:
        PressmarkError: It was not built.
    """
    path = folder / name
    try:
        return _text(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        raise PressmarkError(
            f"the workbench's page is not there ({name} was not built): in a clone of Pressmark run `make setup`; "
            "otherwise install Pressmark again, its wheel brings the page",
        ) from None

"""A log file's documents, one after the other, whatever stands between them.

A log is read as it is found: what is no JSON, or no line of the CSV's columns, is counted with its line, and the rest
goes on. Only a file that is no log at all is refused.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from pressmark.errors import DatasetError

_MAGIC: Final = b"\x1f\x8b"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_LONGEST: Final = 256 * 1024 * 1024


class Unreadable:
    """What stands in a document's place.

    Attributes:
        line: Where, from 1.
        why: In a few words.
    """

    __slots__ = ("line", "why")

    def __init__(self, line: int, why: str) -> None:
        self.line, self.why = line, why


def documents(path: Path) -> Iterator[Any]:
    """Yield each JSON document of a file, or an `Unreadable` in its place.

    Args:
        path: JSON, JSON Lines (either may be packed by gzip), or CSV.

    Raises:
        DatasetError: There is no file, or it is no text.
    """
    try:
        with _opened(path) as file:
            yield from (_records if path.suffix.lower() == ".csv" else _documents)(file, path)
    except FileNotFoundError:
        raise DatasetError(f"{path} is not there: look at the path (the working directory is {Path.cwd()})") from None
    except (OSError, EOFError, zlib.error) as error:
        said = getattr(error, "strerror", None) or error
        raise DatasetError(f"{path} cannot be read ({said}): look at the path, or export it again") from error


def _opened(path: Path) -> BinaryIO:
    file = path.open("rb")
    packed = file.peek(2)[:2] == _MAGIC
    if not packed:
        return file
    file.close()
    return gzip.open(path, "rb")  # type: ignore[return-value]  # its GzipFile reads as any binary file


def _beginning(file: BinaryIO, path: Path) -> bytes:
    """The first line of a text file.

    Raises:
        DatasetError: It is no text, or not UTF-8.
    """
    first = file.readline(_LONGEST)
    if first.startswith(_UTF16):
        raise DatasetError(f"{path} is UTF-16 text: export it as UTF-8")
    if b"\0" in first[:65536]:
        raise DatasetError(f"{path} is not text, whatever its name says: export the log as JSON or JSON Lines")
    return first.removeprefix(b"\xef\xbb\xbf")


def _records(file: BinaryIO, path: Path) -> Iterator[Any]:
    """The rows of a CSV file as documents."""
    first = _beginning(file, path)
    rest = file.read(_LONGEST)
    if len(rest) == _LONGEST:
        raise DatasetError(f"{path} is a CSV file of over {_LONGEST // 1024 // 1024} MiB: export it as JSON Lines")
    text = (first + rest).decode("utf-8", "surrogateescape")
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count))
    limit = csv.field_size_limit(max(len(text), 1))  # a cell may hold a whole conversation
    try:
        lines, begins = [], 1
        for cells in reader:
            lines.append((begins, reader.line_num, cells))
            begins = reader.line_num + 1
    finally:
        csv.field_size_limit(limit)
    columns = lines[0][2] if lines else []
    if not any(name.strip() for name in columns):
        raise DatasetError(f"{path} has no line of column names: export the log again")
    for begins, ends, cells in lines[1:]:
        if not cells:
            continue
        if len(cells) != len(columns):
            over = f", and goes on to line {ends} for want of a quotation mark" if ends > begins else ""
            yield Unreadable(begins, f"has {len(cells):,} values for {len(columns):,} columns{over}")
        elif not _is_text(cells):
            yield Unreadable(begins, "is not UTF-8 text")
        else:
            yield dict(zip(columns, cells, strict=True))


def _is_text(cells: list[str]) -> bool:
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:  # bytes that were no UTF-8 escaped from decoding as surrogates
        return False
    return True


def _documents(file: BinaryIO, path: Path) -> Iterator[Any]:
    first = _beginning(file, path)
    found = _document(first, 1)
    if isinstance(found, Unreadable) and first.lstrip()[:1] in (b"[", b"{"):
        # Perhaps one document over many lines. Where it is none, its lines are looked at one by one.
        rest = file.read(_LONGEST)
        if len(rest) == _LONGEST:
            raise DatasetError(
                f"{path} is one document of over {_LONGEST // 1024 // 1024} MiB: export it as JSON Lines, a line each"
            )
        whole = _document(first + rest, 1)
        if not isinstance(whole, Unreadable):
            yield whole
            return
        yield from _each([first, *rest.splitlines(keepends=True)])
        return
    if found is not None:
        yield found
    number = 1
    while line := file.readline(_LONGEST):
        number += 1
        if (found := _document(line, number)) is not None:
            yield found


def _each(lines: list[bytes]) -> Iterator[Any]:
    for number, line in enumerate(lines, 1):
        if (found := _document(line, number)) is not None:
            yield found


def _document(line: bytes, number: int) -> Any:
    """The document of a line, None for an empty one."""
    if not line.strip():
        return None
    try:
        found = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        return Unreadable(number, "is not UTF-8 text")
    except (ValueError, RecursionError) as error:
        return Unreadable(number, f"is not JSON ({error})")
    return Unreadable(number, "is not an object") if not isinstance(found, dict | list) else found

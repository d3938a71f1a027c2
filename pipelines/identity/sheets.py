"""Sheets for people to read in a spreadsheet: written whole, and over nothing but such a sheet."""

from __future__ import annotations

import csv
import io
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pipelines.encoding import for_cell
from pipelines.errors import UsageError
from pipelines.home import replacing

MAX_BYTES = 10_000_000


def write(
    path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]], what: str
) -> None:
    """Write a CSV of these columns, for its owner only, whose cells no spreadsheet computes.

    Raises:
        UsageError: a folder is there, or a file that is not `what`.
        CounterfoilError: it cannot be written.
    """
    with replacing(path, lambda found: _columns(found) == list(columns), what) as out:
        text = io.TextIOWrapper(out, newline="", encoding="utf-8")
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: for_cell(row[name]) for name in columns} for row in rows)
        text.flush()
        text.detach()


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a sheet.

    Raises:
        UsageError: it is no CSV of a sheet's size.
    """
    problem = UsageError(f"{path.name} cannot be read: give the sheet as UTF-8 CSV.")
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            raise problem
        return list(csv.DictReader(io.StringIO(_text(path), newline="")))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise problem from error


def _text(path: Path) -> str:
    with path.open(newline="", encoding="utf-8-sig") as handle:
        return handle.read(MAX_BYTES)


def _columns(path: Path) -> list[str] | None:
    """The header of a file, if it is a sheet."""
    try:
        return next(csv.reader(io.StringIO(_text(path), newline="")), None)
    except (OSError, UnicodeDecodeError, csv.Error):
        return None

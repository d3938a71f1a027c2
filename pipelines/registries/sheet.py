"""A sheet: a registry's file as lines of text, and what is wrong with the file itself."""

from __future__ import annotations

import codecs
import csv
import io
import stat
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.registries import cells, nearest
from pipelines.registries.faults import Fault
from pipelines.registries.rules import Registry

MOST_BYTES = 16 * 1024 * 1024
MOST_ROWS = 50_000
"""What dbt seeds in a minute or two; what is longer is data, and comes in through `load`."""

Row = dict[str, str]


@dataclass
class Sheet:
    """What a file holds: its rows by the line that each begins on, and as the text that dbt seeds.

    In both, columns that a file may lack are there, empty, and so is a cell of blanks; a line
    without anything is in neither.
    """

    path: Path
    content: bytes = b""
    rows: list[tuple[int, Row]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, sentence: str, line: int | None = None, column: str | None = None) -> None:
        """Write down what is wrong, and where."""
        self.faults.append(Fault(self.path.name, sentence, line, column))


def read(path: Path, registry: Registry) -> Sheet:
    """The sheet in the file at `path`; whatever stops it from being one is among its faults."""
    sheet = Sheet(path)
    text = _text(sheet)
    if text is None:
        return sheet
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    try:
        header = next(reader, [])
        if not _check_header(sheet, header, registry):
            return sheet
        before = reader.line_num
        for fields in reader:
            line, before = before + 1, reader.line_num
            if not fields:
                continue
            if len(sheet.rows) == MOST_ROWS:
                sheet.fault(f"has more than {MOST_ROWS:,} rows, which is no registry")
                sheet.rows.clear()
                break
            if len(fields) != len(header):
                than = "more" if len(fields) > len(header) else "fewer"
                sheet.fault(f"has {than} fields than the header: check its commas and quotes", line)
                continue
            sheet.rows.append((line, dict(zip(header, map(_cell, fields), strict=True))))
    except csv.Error as error:
        sheet.fault(f"is not well-formed CSV ({error}): check its quotes", reader.line_num)
    _write(sheet, header, [column for column in registry.rules if column not in header])
    return sheet


def _cell(text: str) -> str:
    return "" if cells.is_empty(text) else text


def _write(sheet: Sheet, header: list[str], lacking: list[str]) -> None:
    """Write the rows anew: blank lines and mixed ends of lines each engine reads in its own way.

    Columns that the file lacks come behind its own, empty: dbt asks for each that is declared.
    """
    empty = dict.fromkeys(lacking, "")
    sheet.rows = [(line, row | empty) for line, row in sheet.rows]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [*header, *lacking])  # its \r\n makes it quote a lone \r
    writer.writeheader()
    writer.writerows(row for _, row in sheet.rows)
    sheet.content = text.getvalue().encode()


def _text(sheet: Sheet) -> str | None:
    """The text of the file; None where it has none."""
    try:
        status = sheet.path.stat()
        if not stat.S_ISREG(status.st_mode):
            what = "a folder" if stat.S_ISDIR(status.st_mode) else "no ordinary file"
            sheet.fault(f"is {what}: put a CSV file there")
            return None
        with sheet.path.open("rb") as file:
            sheet.content = file.read(MOST_BYTES + 1)
    except OSError as error:
        sheet.fault(f"cannot be read ({(error.strerror or type(error).__name__).lower()})")
        return None
    content = sheet.content
    if len(content) > MOST_BYTES:
        sheet.fault(f"has more than {MOST_BYTES // 1024**2} MB, which is no registry")
    elif content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        sheet.fault("is UTF-16: save it as UTF-8")
    elif (at := content.find(0)) >= 0:
        sheet.fault("holds a NUL byte, so it is no text: save it as UTF-8", _line(content, at))
    else:
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            sheet.fault("is not UTF-8: save it as UTF-8 text", _line(content, error.start))
    return None


def _line(content: bytes, at: int) -> int:
    return content.count(b"\n", 0, at) + 1


def _check_header(sheet: Sheet, header: list[str], registry: Registry) -> bool:
    """Whether the rows below can be read by the names of the header."""
    known = list(registry.rules)
    if len(header) == 1 and len(known) > 1:
        for sign, name in ((";", "semicolons"), ("\t", "tabs")):
            if sign in header[0]:
                sheet.fault(f"is separated by {name}: save it with commas", 1)
                return False
    before = len(sheet.faults)
    missing = [column for column in known if column not in header]
    for column in dict.fromkeys(header):
        if header.count(column) > 1:
            sheet.fault(f"has the column {nearest.shown(column)} twice: keep one", 1)
        if column not in known:
            meant = nearest.of(column, missing)
            more = f"write `{meant}`" if meant else f"it may have {', '.join(known)}"
            sheet.fault(f"has an unknown column {nearest.shown(column)}: {more}", 1)
    for column in missing:
        if registry.rules[column].may_lack:
            continue
        sheet.fault(f"lacks the column `{column}`: add it, empty if need be", 1)
    return len(sheet.faults) == before

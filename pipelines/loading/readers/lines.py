"""Text files: packed or not, opened, and cut into records whatever ends their lines."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, cast

import duckdb

from pipelines.blanks import BLANKS
from pipelines.encoding import is_utf8
from pipelines.loading.files import Found
from pipelines.loading.readers.packed import GZIP, UNSOUND, is_gzip

LONGEST_LINE = 64 * 1024 * 1024
# What a line takes in memory beside its characters.
_LINE_ALONE = 128
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
BYTE_ORDER_MARK = codecs.BOM_UTF8.decode()
# How files of other formats begin that are given the name of a text file.
_OTHER = {
    b"PK\x03\x04": "it is a ZIP archive or a spreadsheet: unpack it, or save it as CSV",
    b"BZh": "it is packed with bzip2: unpack it, or pack it with gzip",
    b"\x28\xb5\x2f\xfd": "it is packed with Zstandard: unpack it, or pack it with gzip",
    b"\xfd7zX": "it is packed with xz: unpack it, or pack it with gzip",
    b"PAR1": "it is a Parquet file: name it so",
}

TOO_LONG = f"the line is longer than {LONGEST_LINE // 2**20} MB"
NOT_UTF8 = "the line is not in UTF-8"

_DECODER = json.JSONDecoder()

Line = tuple[int, str | None]
"""Its number in the file, and its text with its end; None when that is too long to be read."""


class NotText(Exception):
    """A file without lines to tell apart; the message is a reason for the quarantine."""


def opened(found: Found, newline: str = "") -> IO[str]:
    """Its text, unpacked, without the mark of byte order; what is no UTF-8 as lone surrogates.

    Raises:
        NotText: it is in another encoding, of another format, or packed twice.
        OSError, EOFError, zlib.error: it cannot be opened or unpacked.
    """
    assert found.path is not None
    open_bytes = gzip.open if is_gzip(found) else open
    raw = cast("IO[bytes]", open_bytes(found.path, "rb"))
    try:
        start = raw.read(4)
        if start in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE) or start.count(0) == 3:
            raise NotText("it is in UTF-32: save it as UTF-8")
        # without a mark of byte order every other byte of Latin letters is none
        if start[:2] in _UTF16 or start[:2].count(0) == 1:
            raise NotText("it is in UTF-16: save it as UTF-8")
        if start[:2] == GZIP:
            raise NotText("it is packed twice: unpack it once")
        for beginning, what in _OTHER.items():
            if start.startswith(beginning):
                raise NotText(what)
        raw.seek(0)
    except BaseException:
        raw.close()
        raise
    return io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline=newline)


def check(found: Found) -> None:
    """Read to its end what DuckDB would not be told of: what is packed, and what is large.

    A checksum is all the protection that text has; and of a line that is longer than its buffer
    DuckDB says nothing where the file ends with it.

    Raises:
        duckdb.IOException: it is not sound.
    """
    assert found.path is not None
    is_packed = is_gzip(found)
    if not is_packed and found.size <= LONGEST_LINE:
        return
    try:
        with cast("IO[bytes]", (gzip.open if is_packed else open)(found.path, "rb")) as handle:
            length = 0
            while part := handle.read(min(1 << 20, LONGEST_LINE)):
                first, last = _ends(part)
                if length + first > LONGEST_LINE:
                    raise duckdb.IOException(TOO_LONG)
                length = len(part) - 1 - last if last >= 0 else length + len(part)
    except UNSOUND as error:
        raise duckdb.IOException("it cannot be read") from error


def _ends(part: bytes) -> tuple[int, int]:
    """Where the first line of `part` ends, and the last; all of it and -1 where none does."""
    ends = [end for end in (b"\n", b"\r") if end in part]
    return (
        min((part.index(end) for end in ends), default=len(part)),
        max((part.rindex(end) for end in ends), default=-1),
    )


def lines(handle: IO[str]) -> Iterator[Line]:
    """The lines of a file, counted from one, none of them longer in memory than LONGEST_LINE."""
    number = 0
    while line := handle.readline(LONGEST_LINE):
        number += 1
        if len(line) < LONGEST_LINE or line.endswith(("\n", "\r")):
            yield number, line
            continue
        while (rest := handle.readline(1 << 20)) and not rest.endswith(("\n", "\r")):
            pass
        yield number, None


def csv_records(handle: IO[str]) -> Iterator[tuple[int, list[str] | str]]:
    """The records of a CSV file, each with the line where it begins, or the reason why it is none.

    Where quotes do not close as they should, only the first line is lost: reading goes on with the
    second. However many do not, a line is taken a few times at most (see `_Feed`).
    """
    csv.field_size_limit(LONGEST_LINE)
    feed = _Feed(handle)
    records = csv.reader(feed, strict=True)
    while True:
        feed.begin()
        try:
            fields = next(records)
        except StopIteration:
            return
        except _TooLong:
            yield feed.taken[0][0], TOO_LONG
            feed.give_back()
        except (csv.Error, _TooOften):
            text = feed.taken[0][1] or ""
            wrong = "the line cannot be read as CSV: its quotes do not match"
            yield feed.taken[0][0], wrong if is_utf8(text) else NOT_UTF8
            feed.give_back()
        else:
            if fields:
                is_text = all(map(is_utf8, fields))
                yield feed.taken[0][0], fields if is_text else NOT_UTF8


class _TooLong(Exception):
    pass


class _TooOften(Exception):
    pass


class _Feed:
    """Lines for one record at a time, which can be given back when it turns out to be none.

    A line that was given back may follow another one again only as long as that costs no more than
    what was read from the file: lines that each open a quote are not each read to the end. What
    comes from the file itself always may.
    """

    def __init__(self, handle: IO[str]) -> None:
        self.taken: list[Line] = []
        self._size = 0
        self._again: deque[Line] = deque()
        self._lines = lines(handle)
        self._credit = LONGEST_LINE

    def begin(self) -> None:
        """The next line begins a record."""
        self.taken, self._size = [], 0

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        is_again = bool(self._again)
        line = self._again.popleft() if is_again else next(self._lines)
        if not self.taken and line[1]:  # files that were put together keep theirs
            line = (line[0], line[1].removeprefix(BYTE_ORDER_MARK))
        self.taken.append(line)
        text = line[1]
        cost = len(text or "") + _LINE_ALONE
        if not is_again:
            self._credit += cost
        elif len(self.taken) > 1:
            if self._credit < cost:
                raise _TooOften
            self._credit -= cost
        self._size += cost
        if text is None or (self._size > LONGEST_LINE and len(self.taken) > 1):
            raise _TooLong
        return text

    def give_back(self) -> None:
        """All lines of the record but its first are to be read again."""
        self._again.extendleft(reversed(self.taken[1:]))


def objects(line: str) -> list[str]:
    """The pieces of a line of JSON, which together are it: its objects, and what is none.

    Several objects may follow each other; the blanks after one are its own.
    """
    pieces, start = [], len(line) - len(line.lstrip(BLANKS))
    if start:
        pieces.append(line[:start])
    while start < len(line):
        end = len(line)
        if line[start] == "{":
            with suppress(ValueError, RecursionError):
                _, end = _DECODER.raw_decode(line, start)
        while end < len(line) and line[end] in BLANKS:
            end += 1
        pieces.append(line[start:end])
        start = end
    return pieces

"""Text files: packed or not, opened, and cut into records whatever ends their lines."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections import deque
from collections.abc import Iterator
from typing import IO, cast

import duckdb

from pipelines.loading.files import Found

LONGEST_LINE = 64 * 1024 * 1024
_GZIP = b"\x1f\x8b"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

TOO_LONG = f"the line is longer than {LONGEST_LINE // 2**20} MB"
NOT_UTF8 = "the line is not in UTF-8"

Line = tuple[int, str | None]
"""Its number in the file, and its text with its end; None when that is too long to be read."""


class NotText(Exception):
    """A file without lines to tell apart; the message is a reason for the quarantine."""


def is_gzip(found: Found) -> bool:
    """Whether it is packed: by its first bytes, for a name says so or not, and may be wrong."""
    assert found.path is not None
    try:
        with found.path.open("rb") as handle:
            return handle.read(2) == _GZIP
    except OSError:  # reading it will say so
        return False


def opened(found: Found, newline: str = "") -> IO[str]:
    """Its text, unpacked, without the mark of byte order; what is no UTF-8 as lone surrogates.

    Raises:
        NotText: it is in another encoding, or packed twice.
        OSError, EOFError, zlib.error: it cannot be opened or unpacked.
    """
    assert found.path is not None
    open_bytes = gzip.open if is_gzip(found) else open
    raw = cast("IO[bytes]", open_bytes(found.path, "rb"))
    try:
        start = raw.read(2)
        if start in _UTF16:
            raise NotText("it is in UTF-16: save it as UTF-8")
        if start == _GZIP:
            raise NotText("it is packed twice: unpack it once")
        raw.seek(0)
    except BaseException:
        raw.close()
        raise
    return io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline=newline)


def check_gzip(found: Found) -> None:
    """Read a gzip file to its end: its checksum is all the protection that text has."""
    if not is_gzip(found):
        return
    assert found.path is not None
    try:
        with gzip.open(found.path) as handle:
            while handle.read(1 << 20):
                pass
    except (OSError, EOFError, zlib.error) as error:
        raise duckdb.IOException("gzip") from error


def is_utf8(text: str) -> bool:
    """Whether what `opened` gave was UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


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
    second.
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
        except csv.Error:
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


class _Feed:
    """Lines for one record at a time, which can be given back when it turns out to be none."""

    def __init__(self, handle: IO[str]) -> None:
        self.taken: list[Line] = []
        self._size = 0
        self._again: deque[Line] = deque()
        self._lines = lines(handle)

    def begin(self) -> None:
        """The next line begins a record."""
        self.taken, self._size = [], 0

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        text = line[1]
        self._size += len(text or "")
        if text is None or self._size > LONGEST_LINE:
            raise _TooLong
        return text

    def give_back(self) -> None:
        """All lines of the record but its first are to be read again."""
        self._again.extendleft(reversed(self.taken[1:]))

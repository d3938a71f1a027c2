"""Looking for a person in any file, also in one that gzip, bzip2 or xz packed."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Literal, cast

from pipelines.erasure.person import Person
from pipelines.erasure.spellings import Needles, needles, readings, views
from pipelines.erasure.tablefiles import is_table, search_table
from pipelines.loading.readers.packed import GZIP, UNSOUND

Finding = Literal["nothing", "inside", "whole", "unread"]
"""What a search found: nothing; the identifier inside longer words only; itself; or the file is
compressed or binary and was not searched."""

UNREADABLE = {
    ".duckdb", ".db", ".sqlite", ".zip", ".7z", ".tgz", ".tar", ".zst", ".lz4", ".xlsx", ".xls",
    ".pdf", ".png", ".jpg", ".jpeg", ".gpickle", ".wal",
}  # fmt: skip
_CONTROL = re.compile("[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]")
"""What no text holds, in whatever encoding: signs that neither part nor colour it."""
BLOCK = 1 << 20
AROUND = 1 << 10
MOST_UNPACKED = 1 << 32


PACKED: tuple[tuple[bytes, Callable[[IO[bytes]], object]], ...] = (
    (GZIP, gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ\x00", lzma.open),
)
"""How a file begins that is text once it is unpacked, and what unpacks it."""


def search(path: Path, person: Person) -> Finding:
    """Look for a person in a file: packed ones unpacked, tables by their values.

    What a file is, its first bytes say, whatever it is called.
    """
    import duckdb

    if path.suffix in UNREADABLE:
        return "unread"
    try:
        if is_table(path):
            return search_table(path, person)
        with path.open("rb") as content:
            return search_open(content, person)
    except (*UNSOUND, ValueError, lzma.LZMAError, duckdb.Error):
        return "unread"


def search_open(content: IO[bytes], person: Person) -> Finding:
    """The same in an open file, or in what an archive holds.

    Raises:
        OSError, EOFError, zlib.error, lzma.LZMAError: it cannot be read to its end.
    """
    begins = content.read(6)
    content.seek(0)
    for magic, opened in PACKED:
        if begins.startswith(magic):
            with cast(IO[bytes], opened(content)) as unpacked:
                return _find(unpacked, person, MOST_UNPACKED)
    return _find(content, person)


def names_person(path: Path, person: Person) -> bool:
    """Whether a file of ours names a person, or may where it is no text."""
    found = search(path, person)
    return found == "whole" or (found == "unread" and holds_bytes(path, person))


def holds_bytes(path: Path, person: Person) -> bool:
    """Whether the bytes of a file hold an identifier, alone or inside something longer."""
    try:
        with path.open("rb") as content:
            return any(True for _ in _windows(content, needles(person)))
    except FileNotFoundError:
        return False


def _find(content: IO[bytes], person: Person, most: int | None = None) -> Finding:
    mentions = person.mentions()
    finding: Finding = "nothing"
    is_text = _is_text(content.read(BLOCK))
    content.seek(0)
    for window, is_start, is_end in _windows(content, needles(person), most):
        text = window.decode("utf-8", "replace")
        # a word that the window cuts is not seen whole
        if not is_start:
            text = re.sub(r'^[^\s"<>(),;]+', "", text)
        if not is_end:
            text = re.sub(r'[^\s"<>(),;]+$', "", text)
        if any(mentions.in_text(spelled) != spelled for spelled in readings(text)):
            return "whole"
        finding = "inside"
    if not is_text or (finding == "nothing" and most is not None and content.tell() > most):
        return "unread"
    return finding


def _is_text(begins: bytes) -> bool:
    """Whether a file that begins so is text of one byte a letter or more, or of two (UTF-16)."""
    if not _CONTROL.search(begins.decode("latin-1")):
        return True
    for encoding in ("utf-16-le", "utf-16-be"):
        with suppress(UnicodeDecodeError):
            if not _CONTROL.search(codecs.getincrementaldecoder(encoding)().decode(begins)):
                return True
    return False


def _windows(
    content: IO[bytes], wanted: Needles, most: int | None = None
) -> Iterator[tuple[bytes, bool, bool]]:
    """What surrounds each place where a needle stands; whether the file starts and ends there."""
    if not wanted.longest:
        return
    tail, is_start = b"", True
    block = content.read(BLOCK)
    while block:
        following = content.read(BLOCK) if most is None or content.tell() <= most else b""
        held = tail + block
        # what stands near the end is looked at with the next block, when its surroundings are here
        reach = max(len(held) - AROUND - wanted.longest, 0) if following else len(held)
        for view, begins, ends in views(held, wanted):
            is_plain = view is held
            for found in wanted.pattern.finditer(view.lower()):
                if is_plain and found.start() >= reach:
                    break
                if is_plain and tail and found.end() <= AROUND:  # seen with the block before
                    continue
                start = max(found.start() - AROUND, 0)
                end = min(found.end() + AROUND, len(view))
                yield (
                    view[start:end],
                    is_start and begins and start == 0,
                    not following and ends and end == len(view),
                )
        keep = 2 * AROUND + 2 * wanted.longest
        tail, is_start = held[-keep:], is_start and len(held) <= keep
        block = following

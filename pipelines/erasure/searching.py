"""Looking for a person in any file, also in one that gzip, bzip2 or xz packed."""

from __future__ import annotations

import bz2
import gzip
import html
import json
import lzma
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Literal, cast
from urllib.parse import quote

from pipelines.erasure.person import Person
from pipelines.erasure.tablefiles import READ, search_table
from pipelines.erasure.traces import ENCODED_SIGNS
from pipelines.loading.readers.packed import GZIP, UNSOUND

Finding = Literal["nothing", "inside", "whole", "unread"]
"""What a search found: nothing; the identifier inside longer words only; itself; or the file is
compressed or binary and was not searched."""

UNREADABLE = {
    ".duckdb", ".db", ".sqlite", ".zip", ".7z", ".tgz", ".tar", ".zst", ".lz4", ".xlsx", ".xls",
    ".pdf", ".png", ".jpg", ".jpeg", ".gpickle", ".wal",
}  # fmt: skip
_LETTER = re.compile(r"\\u([0-9a-fA-F]{4})")
BLOCK = 1 << 20
AROUND = 1 << 10
MOST_UNPACKED = 1 << 32


PACKED: tuple[tuple[bytes, Callable[[Path], object]], ...] = (
    (GZIP, gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ\x00", lzma.open),
)
"""How a file begins that is text once it is unpacked, and what unpacks it."""


def search(path: Path, person: Person) -> Finding:
    """Look for a person in a file: packed ones unpacked, tables by their values."""
    import duckdb

    if path.suffix in UNREADABLE:
        return "unread"
    try:
        if path.suffix in READ:
            return search_table(path, person)
        with path.open("rb") as raw:
            begins = raw.read(6)
        for magic, opened in PACKED:
            if begins.startswith(magic):
                with cast(IO[bytes], opened(path)) as unpacked:
                    return _find(unpacked, person, MOST_UNPACKED)
        with path.open("rb") as plain:
            return _find(plain, person)
    except (*UNSOUND, ValueError, lzma.LZMAError, duckdb.Error):
        return "unread"


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


def needles(person: Person) -> list[bytes]:
    """What is looked for, in lower case, as text, HTML, JSON and addresses on the web spell it."""
    plain = person.distinctive()
    return sorted({spelled.lower().encode() for text in plain for spelled in _spellings(text)})


def _spellings(text: str) -> Iterator[str]:
    yield from (text, json.dumps(text)[1:-1], html.escape(text))
    for _ in ENCODED_SIGNS:
        text = quote(text, safe="")
        yield text


def _read(text: str) -> set[str]:
    """A text as it stands, and as HTML and JSON spell it."""
    return {text, html.unescape(text), _LETTER.sub(lambda found: chr(int(found[1], 16)), text)}


def _find(content: IO[bytes], person: Person, most: int | None = None) -> Finding:
    mentions = person.mentions()
    finding: Finding = "nothing"
    for window, is_start, is_end in _windows(content, needles(person), most):
        text = window.decode("utf-8", "replace")
        # a word that the window cuts is not seen whole
        if not is_start:
            text = re.sub(r'^[^\s"<>(),;]+', "", text)
        if not is_end:
            text = re.sub(r'[^\s"<>(),;]+$', "", text)
        if any(mentions.in_text(spelled) != spelled for spelled in _read(text)):
            return "whole"
        finding = "inside"
    if finding == "nothing" and most is not None and content.tell() > most:
        return "unread"
    return finding


def _windows(
    content: IO[bytes], needles: Iterable[bytes], most: int | None = None
) -> Iterator[tuple[bytes, bool, bool]]:
    """What surrounds each place where a needle stands; whether the file starts and ends there."""
    wanted = list(needles)
    if not wanted:
        return
    longest = max(len(needle) for needle in wanted)
    pattern = re.compile(b"|".join(re.escape(needle) for needle in wanted))
    tail, is_start = b"", True
    block = content.read(BLOCK)
    while block:
        following = content.read(BLOCK) if most is None or content.tell() <= most else b""
        held = tail + block
        # what stands near the end is looked at with the next block, when its surroundings are here
        reach = max(len(held) - AROUND - longest, 0) if following else len(held)
        for found in pattern.finditer(held.lower()):
            if found.start() >= reach:
                break
            if tail and found.end() <= AROUND:  # seen with the block before
                continue
            start = max(found.start() - AROUND, 0)
            end = min(found.end() + AROUND, len(held))
            yield held[start:end], is_start and start == 0, not following and end == len(held)
        keep = 2 * AROUND + 2 * longest
        tail, is_start = held[-keep:], is_start and len(held) <= keep
        block = following

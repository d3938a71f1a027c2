"""Looking for a person in files that are not ours: archives and databases by what they hold.

What a file is, its first bytes say. Nothing here is changed, and nothing is unpacked to disk; what
would take too much is not searched, and is told as such.
"""

from __future__ import annotations

import io
import lzma
import sqlite3
import time
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote
from zipfile import BadZipFile, ZipFile, ZipInfo

from pipelines.built.quoting import quoted
from pipelines.erasure.certificate import Proof
from pipelines.erasure.databases import search_database
from pipelines.erasure.person import Person
from pipelines.erasure.searching import (
    MOST_UNPACKED,
    UNREADABLE,
    Finding,
    search,
    search_open,
)
from pipelines.erasure.spellings import holds, needles
from pipelines.erasure.tablefiles import READ, is_named
from pipelines.errors import CounterfoilError
from pipelines.settings import Settings

ZIPPED = (b"PK\x03\x04", b"PK\x05\x06")
SQLITE = b"SQLite format 3\x00"
DUCKDB = b"DUCK"
DUCKDB_AT = slice(8, 12)

ENDINGS = {
    *UNREADABLE, *READ, ".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".xml", ".yml",
    ".yaml", ".html", ".htm", ".md", ".log", ".sql", ".eml", ".msg", ".vcf", ".ics", ".doc",
    ".docx", ".odt", ".ods", ".rtf", ".gz", ".bz2", ".xz", ".bak", ".old", ".tmp", ".partial",
}  # fmt: skip
"""Of files; after another dot a name goes on, as that of an address does."""

MOST_MEMBERS = 100_000
"""Of an archive."""
SQLITE_SECONDS = 60.0
STEPS_BETWEEN_LOOKS = 10_000


def search_other(settings: Settings, path: Path, person: Person) -> tuple[Finding, int]:
    """Look for a person in any file; with it the number of tables that were searched in it."""
    import duckdb

    try:
        with path.open("rb") as content:
            begins = content.read(len(SQLITE))
        is_small = path.stat().st_size <= MOST_UNPACKED
        if begins.startswith(ZIPPED):
            return _search_zip(path, person), 0
        if begins == SQLITE:
            return _search_sqlite(path, person) if is_small else ("unread", 0)
        if begins[DUCKDB_AT] == DUCKDB:
            return _search_duckdb(settings, path, person) if is_small else ("unread", 0)
    except (OSError, BadZipFile, sqlite3.Error, duckdb.Error, CounterfoilError):
        return "unread", 0
    return search(path, person), 0


def is_named_by(name: str, person: Person) -> bool:
    """Whether the name of a file or folder tells an identifier, with or without its endings."""
    mentions = person.mentions()
    while mentions.without(name) == name:
        stem, dot, ending = name.rpartition(".")
        if not dot or dot + ending.lower() not in ENDINGS:
            return False
        name = stem
    return True


def _worst(found: set[Finding]) -> Finding:
    order: tuple[Finding, ...] = ("whole", "unread", "inside")
    return next((finding for finding in order if finding in found), "nothing")


def _search_zip(path: Path, person: Person) -> Finding:
    """By names and contents of the members; an archive within an archive is not searched."""
    found: set[Finding] = set()
    bytes_left = MOST_UNPACKED
    with ZipFile(path) as archive:
        members = archive.infolist()
        said = {archive.comment, *(member.comment for member in members[:MOST_MEMBERS])}
        if any(_names(comment, person) for comment in said):
            return "whole"
        for member in members[:MOST_MEMBERS]:
            if any(is_named_by(part, person) for part in member.filename.split("/")):
                return "whole"
            bytes_left -= member.file_size
            is_read = bytes_left >= 0 and Path(member.filename).suffix not in (*UNREADABLE, *READ)
            found.add(_search_member(archive, member, person) if is_read else "unread")
            if "whole" in found:
                break
    if len(members) > MOST_MEMBERS:
        found.add("unread")
    return _worst(found)


def _search_member(archive: ZipFile, member: ZipInfo, person: Person) -> Finding:
    """No more of it is read than the archive says that it holds."""
    try:
        with archive.open(member) as content:
            begins = content.read(len(SQLITE))
            if begins.startswith((*ZIPPED, SQLITE)) or begins[DUCKDB_AT] == DUCKDB:
                return "unread"
            content.seek(0)
            return search_open(content, person)
    except (
        OSError, EOFError, ValueError, RuntimeError, BadZipFile, zlib.error, lzma.LZMAError,
    ):  # locked with a password, packed in an unknown way, or damaged  # fmt: skip
        return "unread"


def _search_sqlite(path: Path, person: Person) -> tuple[Finding, int]:
    """By every value of every table; what a log beside it holds is not in the tables yet."""
    found: set[Finding] = set()
    wanted, count = needles(person), 0
    ends_at = time.monotonic() + SQLITE_SECONDS
    # immutable: nothing is made beside a file that is not ours
    address = f"file:{quote(str(path))}?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True)) as db:
        db.text_factory = bytes
        db.set_progress_handler(lambda: time.monotonic() > ends_at, STEPS_BETWEEN_LOOKS)
        names = db.execute("select name from sqlite_schema where type = 'table'").fetchall()
        for (name,) in names:
            count += 1
            for column, value in _cells(db, name.decode("utf-8", "replace")):
                text = value if isinstance(value, bytes) else str(value).encode()
                if is_named(person, column, text.decode("utf-8", "replace")) or (
                    holds(text, wanted) and _names(text, person)
                ):
                    return "whole", count
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        found.add("unread")
    return _worst(found), count


def _cells(db: sqlite3.Connection, table: str) -> Iterator[tuple[str, object]]:
    """Columns and values of a table."""
    rows = db.execute(f"select * from {quoted(table)}")
    columns = [str(column[0]) for column in rows.description]
    for row in rows:
        yield from ((c, value) for c, value in zip(columns, row, strict=True) if value is not None)


def _names(value: bytes, person: Person) -> bool:
    text = value.decode("utf-8", "replace")
    return (
        person.mentions().without(text) != text or search_open(io.BytesIO(value), person) == "whole"
    )


def _search_duckdb(settings: Settings, path: Path, person: Person) -> tuple[Finding, int]:
    proof = Proof()
    search_database(settings, path, person, proof)
    found: Finding = "whole" if proof.found else "inside" if proof.left else "nothing"
    return found, proof.count_tables

"""Files below the home: which of them are ours, and how a person leaves them.

Ours is what stands here by folder and name; everything else, and every file that a load would
read, is somebody's and is left as it is. Ours are rewritten without the person, line by line where
a line is a person's, word by word elsewhere; what the next build makes anew is removed.
"""

from __future__ import annotations

import csv
import gzip
import html
import io
import json
import os
import re
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Literal, cast

from pipelines.erasure.person import Person
from pipelines.erasure.traces import COLUMNS, ERASED, Mentions, lowered, normalised
from pipelines.errors import CounterfoilError
from pipelines.loading.tombstones import TOLD_TYPES
from pipelines.settings import PROJECT_DIR, Settings

Care = Literal["rewrite", "remove", "discard", "leave"]
"""What becomes of a file: rewritten without the person; removed when it names them (the next build
makes it anew); removed in any case (a leftover); left."""

Finding = Literal["nothing", "inside", "whole", "unread"]
"""What a search found: nothing; the identifier inside longer words only; itself; or the file is
compressed or binary and was not searched."""

DATABASES = ("raw.duckdb", "warehouse.duckdb", "ledger.duckdb")
LEFTOVERS = ("dlt/", ".app_api_", "tmp/rows/")
ENGINE_LEFTOVER = re.compile(r"(spill|tmp|[^/]*\.tmp)/(.*/)?duckdb_temp[^/]*")
"""What DuckDB spills to disk, and where."""
ANEW = re.compile(r"(target|definitions)/.+|registries/[0-9a-f]{16}/[^/]+|docs/index\.html")
REWRITTEN = (
    "plans/*.jsonl", "reviews/*.html", "reviews/*.json", "reviews/*.md", "logs/*.log*",
    "migrations/*.csv", "erasures/erasure-*.json", "identity_sample.csv", "manifest.json",
)  # fmt: skip
UNREADABLE = {
    ".parquet", ".avro", ".duckdb", ".db", ".sqlite", ".zip", ".7z", ".tgz", ".tar", ".bz2", ".xz",
    ".zst", ".lz4", ".xlsx", ".xls", ".pdf", ".png", ".jpg", ".jpeg", ".gpickle", ".wal",
}  # fmt: skip
BLOCK = 1 << 20
AROUND = 1 << 10
MOST_UNPACKED = 1 << 32
LARGEST_JSON = 1 << 27
PLAN_OWNERS = ("identity", "heap_identity", "email", "customer_id", "person_id")
OLD_AND_NEW = ("old_identity", "new_identity")

_ENTITIES = {"&#x27;": "\ue000", "&#39;": "\ue001", "&apos;": "\ue002", "&amp;": "\ue003"}
_SPELLED = {"\ue000": "'", "\ue001": "'", "\ue002": "'", "\ue003": "&"}


@dataclass(frozen=True)
class HomeFile:
    """A file, the name it is told by, and what becomes of it."""

    path: Path
    name: str
    care: Care


def home_files(settings: Settings) -> list[HomeFile]:
    """Every file below the home but the three databases and the salted hashes; and our logs."""
    from pipelines.loading import recognise

    found = []
    visited: set[str] = set()
    for folder, folders, names in os.walk(settings.home, followlinks=True):
        real = os.path.realpath(folder)
        if real in visited:  # a link back up
            folders.clear()
            continue
        visited.add(real)
        for name in names:
            path = Path(folder) / name
            if not path.is_file():
                continue
            place = PurePosixPath(path.relative_to(settings.home).as_posix())
            if len(place.parts) == 1 and (
                name in DATABASES
                or name.removesuffix(".wal") in DATABASES
                or name.endswith(".lock")
                or name.startswith("tombstones.")
            ):
                continue
            if place.parts[0] == "erasures" and ".unfinished" in name:
                continue
            care = _care(place)
            if care != "discard" and (path.is_symlink() or recognise(place) is not None):
                care = "leave"
            found.append(HomeFile(path, str(place), care))
    logs = PROJECT_DIR / "logs"
    if settings.home.is_relative_to(PROJECT_DIR) and logs.is_dir():
        found += [HomeFile(p, f"logs/{p.name}", "rewrite") for p in logs.glob("*.log*")]
    return sorted(found, key=lambda file: file.name)


def _care(place: PurePosixPath) -> Care:
    top = place.parts[0]
    if str(place).startswith(LEFTOVERS) or ENGINE_LEFTOVER.fullmatch(str(place)):
        return "discard"
    if place.suffix == ".partial":  # a file of ours that was being written when something stopped
        whole = place.with_suffix("")
        is_ours = top.removesuffix(".partial") in DATABASES or _care(whole) == "rewrite"
        return "discard" if is_ours else "leave"
    if ANEW.fullmatch(str(place)):
        return "remove"
    for pattern in REWRITTEN:
        if len(place.parts) == pattern.count("/") + 1 and place.match(pattern):
            return "rewrite"
    return "leave"


def clean_files(
    settings: Settings, person: Person, removed: dict[str, int], rewritten: dict[str, int]
) -> None:
    """Take a person out of every file that is ours; counts by folder.

    Raises:
        CounterfoilError: one of them may not be read or written.
    """
    for file in home_files(settings):
        try:
            _clean_file(file, person, removed, rewritten)
        except OSError as error:
            raise CounterfoilError(
                f"A file in {file.name.rpartition('/')[0] or 'the home'} cannot be rewritten "
                f"({error.strerror}): make it writable, then run `counterfoil erase` again."
            ) from error


def _clean_file(
    file: HomeFile, person: Person, removed: dict[str, int], rewritten: dict[str, int]
) -> None:
    folder = file.name.split("/")[0] if "/" in file.name else "home"
    if file.care == "discard":
        file.path.unlink(missing_ok=True)
    elif file.care == "remove" and names_person(file.path, person):
        file.path.unlink(missing_ok=True)
        removed[folder] = removed.get(folder, 0) + 1
        if folder == "registries":
            # the folder's name stands for what is in it: all of it or nothing
            shutil.rmtree(file.path.parent, ignore_errors=True)
    elif file.care == "rewrite":
        outcome = without_person(file.path, person)
        if outcome == "removed":
            removed[folder] = removed.get(folder, 0) + 1
        elif outcome == "rewritten":
            rewritten[folder] = rewritten.get(folder, 0) + 1


# -- ours -----------------------------------------------------------------------------------------


def without_person(
    path: Path, person: Person, *, dry: bool = False
) -> Literal["same", "rewritten", "removed"]:
    """Rewrite a file of ours without a person, or remove it when it spoke of nobody else.

    Args:
        dry: only say what would be done.
    """
    is_table = path.suffix in (".jsonl", ".csv")
    if not path.exists() or not (is_table or holds_bytes(path, person)):
        return "same"
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    is_same, count = True, 0
    try:
        with path.open("rb") as content, Path(os.devnull if dry else partial).open("wb") as out:
            if not dry:
                partial.chmod(0o600)
            for before, after in _pieces(path)(content, person):
                is_same = is_same and before == after
                if after is not None:
                    count += 1
                    out.write(after)
            out.flush()
            if not dry:
                os.fsync(out.fileno())
        if is_same:
            return "same"
        is_empty = is_table and count <= 1
        if not dry and is_empty:
            path.unlink()
        elif not dry:
            partial.chmod(path.stat().st_mode & 0o777)
            partial.replace(path)
        return "removed" if is_empty else "rewritten"
    finally:
        partial.unlink(missing_ok=True)


def _pieces(path: Path) -> Callable[[IO[bytes], Person], Pieces]:
    """How a file of ours is read and rewritten."""
    if path.suffix == ".jsonl":
        return _plan_rows
    if path.suffix == ".csv":
        return _sheet_rows
    if path.suffix == ".json" and path.stat().st_size < LARGEST_JSON:
        return _whole_json
    return _words


Pieces = Iterator[tuple[bytes, bytes | None]]
"""Pieces of a file as they were and as they shall be; None where one goes."""


def _plan_rows(content: IO[bytes], person: Person) -> Pieces:
    """A plan: the header first, then a row a line, each about one identity.

    The header's digest is left as it was, so that a plan which lost rows is refused.
    """
    told = {i for kind in TOLD_TYPES for i in person.values(kind)}
    mine = {
        "identity": told,
        "heap_identity": told,
        "email": set(person.values("email")),
        "customer_id": set(person.values("customer_id")),
        "person_id": set(person.values("person_id")),
    }
    needles, mentions = _needles(person), person.mentions()
    for line in content:
        row = _parsed(line)
        if isinstance(row, dict) and any(
            _is_among(row.get(name), mine[name]) for name in PLAN_OWNERS if name in row
        ):
            yield line, None
        elif any(needle in line.lower() for needle in needles):
            text = line.decode("utf-8", "surrogateescape")
            body = text.rstrip("\r\n")
            kept = mentions.without(body)
            kept = json.dumps(ERASED) if kept is None else kept
            yield line, (kept + text[len(body) :]).encode("utf-8", "surrogateescape")
        else:
            yield line, line


def _parsed(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _is_among(value: object, mine: set[str]) -> bool:
    if not isinstance(value, str):
        return False
    text = normalised("", value)
    return text in mine or ("@" in text and lowered(text) in {lowered(m) for m in mine if "@" in m})


def _sheet_rows(content: IO[bytes], person: Person) -> Pieces:
    """A CSV of ours: the header, then a person a record; other records stay byte for byte."""
    kinds: dict[int, str] = {}
    delimiter = ","
    mentions = person.mentions()
    mine = {kind: set(person.values(kind)) for kind in COLUMNS}
    mine["identity"] = {*mine["heap_identity"], *mine["customer_id"], *mine["email"]}
    for number, record in enumerate(_records(content)):
        text = record.decode("utf-8", "surrogateescape")
        if number == 0:
            delimiter = ";" if text.count(";") > text.count(",") else ","
            names = next(csv.reader([text.lstrip("\ufeff")], delimiter=delimiter), [])
            kinds = {
                place: kind
                for place, name in enumerate(names)
                for kind, columns in {**COLUMNS, "identity": OLD_AND_NEW}.items()
                if name.strip() in columns
            }
            yield record, record
            continue
        cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        if any(
            place < len(cells) and _is_among(cells[place], mine[kind])
            for place, kind in kinds.items()
        ):
            yield record, None
            continue
        kept = [
            cell if place in kinds else _in_cell(mentions, cell) for place, cell in enumerate(cells)
        ]
        if kept == cells:
            yield record, record
            continue
        out = io.StringIO(newline="")
        end = text[len(text.rstrip("\r\n")) :]
        csv.writer(out, delimiter=delimiter, lineterminator=end).writerow(kept)
        yield record, out.getvalue().encode("utf-8", "surrogateescape")


def _in_cell(mentions: Mentions, cell: str) -> str:
    kept = mentions.without(cell)
    return "" if kept is None else str(kept)


def _records(content: IO[bytes]) -> Iterator[bytes]:
    """Records of a CSV, each with its line end; a quoted cell may hold line ends of its own."""
    record = b""
    for line in content:
        record += line
        if record.count(b'"') % 2 == 0:
            yield record
            record = b""
    if record:
        yield record


def _whole_json(content: IO[bytes], person: Person) -> Pieces:
    before = content.read()
    text = before.decode("utf-8", "surrogateescape")
    kept = person.mentions().without(text)
    yield before, ("null" if kept is None else str(kept)).encode("utf-8", "surrogateescape")


def _words(content: IO[bytes], person: Person) -> Pieces:
    """Text and HTML, a line at a time; entities are letters of a word, not the end of one."""
    found = person.mentions()
    spelled = Mentions(
        lambda address: found.is_address(_spelled(address)),
        lambda word: found.is_id(_spelled(word)),
    )
    for line in content:
        text = line.decode("utf-8", "surrogateescape")
        for entity, letter in _ENTITIES.items():
            text = text.replace(entity, letter)
        text = spelled.in_text(text)
        for entity, letter in _ENTITIES.items():
            text = text.replace(letter, entity)
        yield line, text.encode("utf-8", "surrogateescape")


def _spelled(text: str) -> str:
    return "".join(_SPELLED.get(letter, letter) for letter in text)


# -- anybody's ------------------------------------------------------------------------------------


def search(path: Path, person: Person) -> Finding:
    """Look for a person in a file, also in one that gzip packed."""
    if set(path.suffixes[-1:]) & UNREADABLE:
        return "unread"
    try:
        with path.open("rb") as raw:
            is_packed = raw.read(2) == b"\x1f\x8b"
        if is_packed:
            with gzip.open(path, "rb") as unpacked:
                return _find(cast(IO[bytes], unpacked), person, MOST_UNPACKED)
        with path.open("rb") as plain:
            return _find(plain, person)
    except (OSError, EOFError, zlib.error):
        return "unread"


def names_person(path: Path, person: Person) -> bool:
    """Whether a file of ours names a person, or may where it is no text."""
    found = search(path, person)
    return found == "whole" or (found == "unread" and holds_bytes(path, person))


def holds_bytes(path: Path, person: Person) -> bool:
    """Whether the bytes of a file hold an identifier, alone or inside something longer."""
    try:
        with path.open("rb") as content:
            return any(True for _ in _windows(content, _needles(person)))
    except FileNotFoundError:
        return False


def _needles(person: Person) -> list[bytes]:
    """What is looked for, in lower case, as it stands in text, in HTML and in JSON."""
    plain = person.distinctive()
    return sorted({*(text.encode() for text in plain), *_respelled(plain)})


def _respelled(texts: Iterable[str]) -> set[bytes]:
    return {
        spelled.lower().encode()
        for text in texts
        for spelled in (json.dumps(text)[1:-1], html.escape(text))
        if spelled != text
    }


def _find(content: IO[bytes], person: Person, most: int | None = None) -> Finding:
    mentions, respelled = person.mentions(), _respelled(person.distinctive())
    finding: Finding = "nothing"
    for window, is_start, is_end in _windows(content, _needles(person), most):
        text = window.decode("utf-8", "replace")
        # a word that the window cuts is not seen whole
        if not is_start:
            text = re.sub(r'^[^\s"<>(),;]+', "", text)
        if not is_end:
            text = re.sub(r'[^\s"<>(),;]+$', "", text)
        if mentions.in_text(text) != text or any(n in window.lower() for n in respelled):
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

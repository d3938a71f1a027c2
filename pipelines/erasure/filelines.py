"""Files of ours without a person: by lines where a line is a person's, by words elsewhere."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Literal

from pipelines.encoding import from_cell
from pipelines.erasure.columns import COLUMNS
from pipelines.erasure.person import Person
from pipelines.erasure.searching import holds_bytes
from pipelines.erasure.spellings import holds, needles
from pipelines.erasure.traces import ERASED, Mentions, lowered, normalised
from pipelines.loading.identifiers import TOLD_TYPES

LARGEST_JSON = 1 << 27
LONGEST_HEADER = 1 << 16
PLAN_OWNERS = ("identity", "heap_identity", "email", "customer_id", "person_id")
OLD_AND_NEW = ("old_identity", "new_identity")

_ENTITIES = {"&#x27;": "\ue000", "&#39;": "\ue001", "&apos;": "\ue002", "&amp;": "\ue003"}
_SPELLED = {"\ue000": "'", "\ue001": "'", "\ue002": "'", "\ue003": "&"}


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
    wanted, mentions = needles(person), person.mentions()
    for line in content:
        row = _parsed(line)
        if isinstance(row, dict) and any(
            _is_among(row.get(name), mine[name]) for name in PLAN_OWNERS if name in row
        ):
            yield line, None
        elif holds(line, wanted):
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
    for number, record in enumerate(records(content)):
        text = record.decode("utf-8", "surrogateescape")
        if number == 0:
            delimiter, names = _columns(text)
            kinds = {
                place: kind
                for place, name in enumerate(names)
                for kind, columns in {**COLUMNS, "identity": OLD_AND_NEW}.items()
                if name in columns
            }
            yield record, record
            continue
        cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        if any(
            place < len(cells) and _is_among(from_cell(cells[place]), mine[kind])
            for place, kind in kinds.items()
        ):
            yield record, None
            continue
        kept = [
            cell if place in kinds else in_cell(mentions, cell) for place, cell in enumerate(cells)
        ]
        if kept == cells:
            yield record, record
            continue
        out = io.StringIO(newline="")
        end = text[len(text.rstrip("\r\n")) :]
        csv.writer(out, delimiter=delimiter, lineterminator=end).writerow(kept)
        yield record, out.getvalue().encode("utf-8", "surrogateescape")


def begins_sheet(content: IO[bytes], columns: Sequence[str]) -> bool:
    """Whether a file is a sheet that has these columns, however a spreadsheet has saved it."""
    try:
        names = _columns(content.readline(LONGEST_HEADER).decode("utf-8", "surrogateescape"))[1]
    except csv.Error:
        return False
    return set(columns) <= set(names)


def _columns(begins: str) -> tuple[str, list[str]]:
    """What parts the cells of a sheet, and the columns that its first record names."""
    delimiter = ";" if begins.count(";") > begins.count(",") else ","
    names = next(csv.reader([begins.lstrip("\ufeff")], delimiter=delimiter), [])
    return delimiter, [name.strip() for name in names]


def in_cell(mentions: Mentions, cell: str) -> str:
    """A cell of a CSV without the mentions."""
    kept = mentions.without(cell)
    return "" if kept is None else str(kept)


def records(content: IO[bytes]) -> Iterator[bytes]:
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

"""A family: files of one kind, the raw table they land in, and what a file of it must hold."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Literal

from pipelines.loading.identifiers import Holds, Owner

Kind = Literal[
    "bigint", "text", "word", "id", "timestamp", "event_time", "bool", "decimal", "json",
]  # fmt: skip
"""What a column holds. A `word` is text that names something, such as an address or an event, so it
is no list. An `id` is a word that is no number, even where a writer stores it as one. An
`event_time` is when something happened; a `timestamp` may also be one of the ways to say that
nobody knows."""
Reader = Literal["parquet", "csv", "jsonl", "avro"]
Constants = tuple[tuple[str, str], ...]

DDL: dict[Kind, str] = {
    "bigint": "bigint",
    "text": "varchar",
    "word": "varchar",
    "id": "varchar",
    "timestamp": "timestamp",
    "event_time": "timestamp",
    "bool": "boolean",
    "decimal": "decimal(18, 2)",
    "json": "varchar",
}

WORDS: tuple[Kind, ...] = ("text", "word", "id")
"""Kinds of which a blank is no value."""

SOURCE_FILE = "_source_file"
SOURCE_FOLDER = "_source_folder"
SOURCE_LINE = "_source_line"
LOAD_ID = "_dlt_load_id"
READERS: dict[str, Reader] = {
    ".parquet": "parquet",
    ".avro": "avro",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
}


@dataclass(frozen=True)
class Column:
    """A known column of a family.

    Attributes:
        name: as in raw.duckdb.
        kind: its pinned type.
        holds: which kind of identifier it holds.
        places: where JSON says whose it is: JSON paths by kind of identifier.
        inside: what models read of JSON: the kind of each value by its keys, with dots between;
            behind a list, which is marked with [], of each of its elements; with ! where a value
            must be.
        elements: lists in JSON (keys with dots between) whose elements are each about one person,
            who goes by the element's `id`, whatever kind of identifier that is.
    """

    name: str
    kind: Kind
    holds: Holds
    places: Mapping[Owner, tuple[str, ...]] = field(default_factory=dict)
    inside: Mapping[str, Kind] = field(default_factory=dict)
    elements: tuple[str, ...] = ()


def columns(
    kind: Kind,
    holds: Holds,
    names: str,
    *,
    places: Mapping[Owner, tuple[str, ...]] | None = None,
    inside: Mapping[str, Kind] | None = None,
    elements: tuple[str, ...] = (),
) -> tuple[Column, ...]:
    """Columns of one type that hold the same kind of identifier; names with spaces between."""
    return tuple(
        Column(name, kind, holds, places or {}, inside or {}, elements) for name in names.split()
    )


@dataclass(frozen=True, eq=False)
class Family:
    """Files of one kind and the raw table they land in.

    `declared` are the known columns, each with what it holds. `required` must all be in a file by
    name, and at least one of each group in `required_any`; a file without them is no file of this
    family, whatever it is called. `keeps_unknown` is false where a column that is not listed may
    hold personal text. `not_null` columns must also hold a value, and no blank, in every row: a
    line of a text file without is set aside; a row of another file is loaded and told, and the
    models leave it out. `not_null_any` are groups of which one must. `keeps_lines` where the later
    of two rows wins: raw then keeps the place of each row in its file, a CSV's header being line 1,
    and the folder of the file, since two files may share a name.
    """

    name: str
    dataset: str
    table: str
    declared: tuple[Column, ...]
    required: tuple[str, ...] = ()
    required_any: tuple[tuple[str, ...], ...] = ()
    not_null: tuple[str, ...] = ()
    not_null_any: tuple[tuple[str, ...], ...] = ()
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    keeps_unknown: bool = True
    keeps_lines: bool = False

    @cached_property
    def columns(self) -> dict[str, Kind]:
        """The known columns with their pinned types."""
        return {column.name: column.kind for column in self.declared}

    @property
    def own(self) -> tuple[Column, ...]:
        """The columns that say where a row stood, which are ours and in no file."""
        file = Column(SOURCE_FILE, "text", "file")
        if not self.keeps_lines:
            return (file,)
        return (
            file,
            Column(SOURCE_FOLDER, "text", "file"),
            *columns("bigint", "none", SOURCE_LINE),
        )

    @property
    def marks(self) -> dict[str, Kind]:
        """`own` with their pinned types."""
        return {column.name: column.kind for column in self.own}


@dataclass(frozen=True)
class FileName:
    """What a file's name says. `constants` are columns that the name gives where the file lacks
    them; `headings`, where a registry says what those of the file mean, pairs of a heading and a
    column."""

    family: Family
    reader: Reader
    workspace_id: int | None = None
    schema_version: int | None = None
    file_sequence: int | None = None
    constants: Constants = ()
    headings: Constants | None = None

    def columns_of(self, header: list[str]) -> list[str]:
        """The columns that a header names; empty for a heading that is not read."""
        if self.headings is None:
            return header
        meant = dict(self.headings)
        return [meant.get(heading, "") for heading in header]

    def marked(self, text: str) -> str:
        """`text`, and with it what else decides how a file is read: other headings, other file."""
        if self.headings is None:
            return text
        said = repr((text, self.constants, self.headings))
        return hashlib.sha256(said.encode()).hexdigest()


def extension(name: str) -> str:
    """`.csv.gz` of `behavior.2024.csv.gz`, lower case; empty when there is none."""
    path = PurePosixPath(name.lower())
    if path.suffix == ".gz":
        return PurePosixPath(path.stem).suffix + ".gz"
    return path.suffix

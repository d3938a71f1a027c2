"""A family: files of one kind, the raw table they land in, and what a file of it must hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

Kind = Literal["bigint", "text", "id", "timestamp", "event_time", "bool", "decimal", "json"]
"""What a column holds. An `id` is text that names something, so it is no number, even where a
writer stores it as one. An `event_time` is when something happened; a `timestamp` may also be one
of the ways to say that nobody knows."""
Reader = Literal["parquet", "csv", "jsonl", "avro"]
Constants = tuple[tuple[str, str], ...]

DDL: dict[Kind, str] = {
    "bigint": "bigint",
    "text": "varchar",
    "id": "varchar",
    "timestamp": "timestamp",
    "event_time": "timestamp",
    "bool": "boolean",
    "decimal": "decimal(18, 2)",
    "json": "varchar",
}

SOURCE_FILE = "_source_file"
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


@dataclass(frozen=True, eq=False)
class Family:
    """Files of one kind and the raw table they land in.

    `columns` are the known columns with their pinned types. `required` must all be in a file by
    name, and at least one of each group in `required_any`; a file without them is no file of this
    family, whatever it is called. `keeps_unknown` is false where a column that is not listed may
    hold personal text. `not_null` columns must also hold a value in every row of a text file.
    `keeps_lines` where the later of two rows wins: raw then keeps the place of each row in its
    file, a CSV's header being line 1.
    """

    name: str
    dataset: str
    table: str
    columns: dict[str, Kind]
    required: tuple[str, ...] = ()
    required_any: tuple[tuple[str, ...], ...] = ()
    not_null: tuple[str, ...] = ()
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    keeps_unknown: bool = True
    keeps_lines: bool = False

    @property
    def marks(self) -> dict[str, Kind]:
        """The columns that say where a row stood, which are ours and in no file."""
        marks: dict[str, Kind] = {SOURCE_FILE: "text"}
        if self.keeps_lines:
            marks[SOURCE_LINE] = "bigint"
        return marks


@dataclass(frozen=True)
class FileName:
    """What a file's name says. `constants` are columns that the name gives where the file lacks
    them."""

    family: Family
    reader: Reader
    workspace_id: int | None = None
    schema_version: int | None = None
    file_sequence: int | None = None
    constants: Constants = ()


def extension(name: str) -> str:
    """`.csv.gz` of `behavior.2024.csv.gz`, lower case; empty when there is none."""
    path = PurePosixPath(name.lower())
    if path.suffix == ".gz":
        return PurePosixPath(path.stem).suffix + ".gz"
    return path.suffix

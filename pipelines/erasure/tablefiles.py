"""Looking for a person in the values of files of tables: Parquet and Avro, not their bytes.

Pages are packed, and a dictionary holds each value once: bytes say nothing of either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pipelines.built.quoting import literal, quoted
from pipelines.erasure.columns import FILE_COLUMNS
from pipelines.erasure.person import Person
from pipelines.erasure.traces import holds_sql, normalised, normalised_sql
from pipelines.paths import plain_paths

VALUES_AT_ONCE = 10_000
READ = {".parquet", ".avro"}
PARQUET, AVRO = b"PAR1", b"Obj\x01"
"""How such files begin."""
_HOLDS_TEXT = ("VARCHAR", "BLOB", "JSON", "UUID")
"""Types of which a value, or a part of one, may be an identifier that texts are searched for."""


def is_table(path: Path) -> bool:
    """Whether a file is Parquet or Avro by its name, or by how it begins."""
    return path.suffix in READ or _begins(path).startswith((PARQUET, AVRO))


def _begins(path: Path) -> bytes:
    with path.open("rb") as content:
        return content.read(4)


def search_table(path: Path, person: Person) -> Literal["nothing", "inside", "whole"]:
    """`whole` where a value names or mentions a person, `inside` where only longer ones hold it.

    A value names them where its column is one of their identifiers' kind.

    Raises:
        OSError, ValueError, duckdb.Error: the file cannot be read.
    """
    mentions = person.mentions()
    found: Literal["nothing", "inside"] = "nothing"
    for name, value in (_avro if _begins(path) == AVRO else _parquet)(path, person):
        if is_named(person, name, value) or mentions.without(value) != value:
            return "whole"
        found = "inside"
    return found


def is_named(person: Person, name: str, value: object) -> bool:
    """Whether a value stands in a column of its kind and is one of the person's identifiers."""
    return isinstance(value, str | int) and any(
        (kind, normalised(kind, str(value))) in person.identifiers
        for kind in FILE_COLUMNS.get(name, ())
    )


def _parquet(path: Path, person: Person) -> Iterator[tuple[str, object]]:
    """Columns and values that hold an identifier, alone or inside something longer.

    The names of columns, and what the file says of itself, stand under no column.
    """
    import duckdb

    needles = person.distinctive()
    with plain_paths() as plain, duckdb.connect() as db:
        place = literal(str(plain(path)))
        source = f"read_parquet({place})"
        for words in db.execute(f"select key, value from parquet_kv_metadata({place})").fetchall():
            texts = [word.decode("utf-8", "replace") for word in words]
            yield from (("", said) for said in texts if _holds(said, needles))
        for name, data_type, *_ in db.execute(f"describe from {source}").fetchall():
            tests, values = [], []
            is_text = data_type in ("VARCHAR", "JSON", "VARCHAR[]")
            held = quoted(name) if is_text else f"cast({quoted(name)} as varchar)"
            yield from (("", said) for said in (name, data_type) if _holds(said, needles))
            if any(kind in data_type for kind in _HOLDS_TEXT):
                tests.append(holds_sql("held", data_type if is_text else "", needles))
            for kind in FILE_COLUMNS.get(name, ()):
                spelled = normalised_sql(kind, "held")
                tests.append(f"coalesce({spelled} in (select unnest(?::varchar[])), false)")
                values.append(person.values(kind))
            if not tests:
                continue
            found = db.execute(
                f"select held from (select {held} as held from {source}) "
                f"where {' or '.join(tests)}",
                values,
            )
            while rows := found.fetchmany(VALUES_AT_ONCE):
                yield from ((name, value) for (value,) in rows)


def _holds(text: str, needles: Sequence[str]) -> bool:
    lower = text.lower()
    return any(needle in lower for needle in needles)


def _avro(path: Path, person: Person) -> Iterator[tuple[str, object]]:
    import fastavro

    needles = person.distinctive()
    with path.open("rb") as handle:
        for record in fastavro.reader(handle):
            for name, value in _leaves("", record):
                if is_named(person, name, value) or _holds(str(value), needles):
                    yield name, value


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for inner, held in value.items():
            yield from _leaves(str(inner), held)
    elif isinstance(value, list):
        for held in value:
            yield from _leaves(name, held)
    elif value is not None:
        yield name, value

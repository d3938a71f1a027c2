"""Two warehouses, table by table: columns, types, counts, and every row both ways.

Doubles are compared to 1e-12 of their size: sums, roots and logarithms of two engines differ in
their last digits. What is a hash of the engine's own is compared by the partition that it makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

TOLERANCE = 1e-12

HASHED = {
    "int_identity__components": "node_id",
    "int_identity__heap_components": "node_id",
}
"""Tables of hashes, and what was hashed: not the hashes are compared, but what hangs together."""

HASHES_ALONE = {"int_identity__components__links", "int_identity__heap_components__links"}
"""Pairs of hashes, which say nothing without their engine: their number is compared."""

CLOCKED = {"whole_build": ("build_id",)}
"""Columns that are another's in every build."""


def compared(one: Path, other: Path) -> tuple[list[str], list[str]]:
    """The tables of both warehouses, and a sentence on each that differs."""
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        db.execute(f"attach '{one}' as one (read_only)")
        db.execute(f"attach '{other}' as other (read_only)")
        shapes = [_shapes(db, side) for side in ("one", "other")]
        tables = sorted(set(shapes[0]) | set(shapes[1]))
        told: list[str] = []
        for table in tables:
            if any(table not in shape for shape in shapes):
                side = "other" if table in shapes[0] else "one"
                told.append(f"{'.'.join(table)}: not in the {side} warehouse")
                continue
            said = _difference(db, table, shapes[0][table], shapes[1][table])
            if said:
                told.append(f"{'.'.join(table)}: {said}")
    return [".".join(table) for table in tables], told


def _shapes(db: Any, side: str) -> dict[tuple[str, str], dict[str, str]]:
    """Columns and their types of each table."""
    shapes: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, column, kind in db.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns() "
        "where database_name = $1 and not internal order by schema_name, table_name, column_index",
        [side],
    ).fetchall():
        shapes.setdefault((schema, table), {})[column] = kind
    return shapes


def _difference(
    db: Any, table: tuple[str, str], one: dict[str, str], other: dict[str, str]
) -> str | None:
    schema, name = table
    if list(one) != list(other):
        return f"columns {sorted(set(one) ^ set(other)) or 'in another order'}"
    if schema in ("marts", "heap", "registries") and one != other:
        kinds = {c: (one[c], other[c]) for c in one if one[c] != other[c]}
        return f"types {kinds}"
    place = f'"{schema}"."{name}"'
    counts = [_number(db, f"select count(*) from {side}.{place}") for side in ("one", "other")]
    if counts[0] != counts[1]:
        return f"{counts[0]:,} rows against {counts[1]:,}"
    if name in HASHES_ALONE:
        return None
    columns = [c for c in one if c not in CLOCKED.get(name, ())]
    sides = [
        f"select {', '.join(map(_quoted, columns))} from {s}.{place}" for s in ("one", "other")
    ]
    if name in HASHED:
        node = HASHED[name]
        sides = [
            f"select {node}, min({node}) over (partition by component_id) as first_of_component "
            f"from {side}.{place}"
            for side in ("one", "other")
        ]
        columns = [node, "first_of_component"]
        one = other = dict.fromkeys(columns, "VARCHAR")
    return _rows_that_differ(db, columns, sides, {c: _is_double(one[c], other[c]) for c in columns})


def _rows_that_differ(
    db: Any, columns: list[str], sides: list[str], doubles: dict[str, bool]
) -> str | None:
    exact = [_quoted(c) for c in columns if not doubles[c]]
    loose = [_quoted(c) for c in columns if doubles[c]]
    order = ", ".join([f"cast({c} as varchar)" for c in exact] + loose)
    numbered = [
        f"select row_number() over (order by {order}) as place, * from ({side})" for side in sides
    ]
    alike = " and ".join(list(_alike(columns, doubles)))
    condition = f"from ({numbered[0]}) as l full join ({numbered[1]}) as r using (place)"
    count = _number(db, f"select count(*) {condition} where not ({alike})")
    if not count:
        return None
    worst = [
        c
        for c, same in zip(columns, _alike(columns, doubles), strict=True)
        if _number(db, f"select count(*) {condition} where not ({same})")
    ]
    first = db.execute(
        f"select {', '.join(f'l.{_quoted(c)}, r.{_quoted(c)}' for c in worst[:4])} "
        f"{condition} where not ({alike}) limit 3"
    ).fetchall()
    return f"{count:,} rows differ in {', '.join(worst)}: {first}"


def _alike(columns: list[str], doubles: dict[str, bool]) -> Iterator[str]:
    for column in columns:
        left, right = f"l.{_quoted(column)}", f"r.{_quoted(column)}"
        same = f"{left} is not distinct from {right}"
        if doubles[column]:
            near = f"abs({left} - {right}) <= {TOLERANCE} * greatest(abs({left}), abs({right}))"
            same = f"({same} or coalesce({near}, false))"
        yield same


def _is_double(*kinds: str) -> bool:
    return any(kind in ("DOUBLE", "FLOAT") for kind in kinds)


def _number(db: Any, sql: str) -> int:
    return int(db.execute(sql).fetchall()[0][0])


def _quoted(name: str) -> str:
    return f'"{name}"'

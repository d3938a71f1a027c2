"""Rows of raw.duckdb that lie in files: one that names the erased gives way to one that does not.

All in the transaction of the caller: until it ends, the old files count and nothing is lost; after
it, the new ones do and the old ones go (`rawfiles.drop_unlisted`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from pipelines.built.quoting import quoted
from pipelines.erasure.cleaning import Cleaner
from pipelines.erasure.columns import Table
from pipelines.loading import rawfiles
from pipelines.loading.families import Family
from pipelines.loading.sources import FAMILIES

HELD = "temp.rows_of_a_file"


def clean(cleaner: Cleaner, table: Table, home: Path) -> tuple[int, Counter[str]]:
    """Clean a table of which the rows lie in files, or in the database: see `Cleaner.clean`."""
    if not table.is_view:
        return cleaner.clean(table)
    db, family = cleaner.db, _family(table)
    removed, changed = 0, Counter[str]()
    for file in rawfiles.listed(db, table.schema, table.name):
        rows = rawfiles.rows_of(family, [file], home, list(table.columns))
        if not _may_name(cleaner, replace(table, place=f"({rows})")):
            continue
        db.execute(f"create or replace temp table {HELD.removeprefix('temp.')} as {rows}")
        gone, cells = cleaner.clean(replace(table, place=HELD, is_view=False))
        if gone or cells.total():
            rawfiles.put_in_place(db, file, home, HELD)
        db.execute(f"drop table {HELD}")
        removed += gone
        changed += cells
    if removed or changed:
        # whoever is left in people and deliveries is somebody else: the next table asks them
        rawfiles.show(db, home, [family])
    return removed, changed


def _may_name(cleaner: Cleaner, table: Table) -> bool:
    """Whether a file may hold a row or a mention of the erased: few do, only they are copied."""
    tests = [
        cleaner.is_theirs(table),
        *(test for _, test in cleaner.emptied(table)),
        *(f"{quoted(column)} is not null" for column in table.elements()),
        *(cleaner.known.candidates(table, column) for column in table.texts()),
    ]
    any_of = " or ".join(f"({test})" for test in tests if test)
    if not any_of:
        return False
    return bool(
        cleaner.db.execute(f"select 1 from {table.sql} as held where {any_of} limit 1").fetchall()
    )


def _family(table: Table) -> Family:
    return next(f for f in FAMILIES if (f.dataset, f.table) == (table.schema, table.name))

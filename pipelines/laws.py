"""What a test that failed says to a person: which law, in how many rows, and three of them.

A row is shown without whatever names somebody or something of theirs: `erasure/columns.csv` and the
input families say what a column holds, and a text of which nobody says it is left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.built.tables import Record
from pipelines.erasure.columns import Table, is_text

SHOWN = 3
TOLD = ("value_field", "unique_field", "from_field")
"""What dbt's own tests call the column that they test."""


def broken_law(warehouse: Path, result: Any) -> str:
    """One sentence on a data test that failed.

    Args:
        warehouse: the database that was tested: while a build is made, not the one that is read.
        result: dbt's, of a data test with its compiled SQL.
    """
    node = result.node
    column = getattr(node, "column_name", None)
    count = int(result.failures or 0)
    rows = "1 row breaks it" if count == 1 else f"{count:,} rows break it"
    shown = [told for row in _rows(warehouse, node.compiled_code, column) if (told := _told(row))]
    examples = f", such as {'; '.join(dict.fromkeys(shown))}" if shown else ""
    return f"{law_of(node)}: {rows}{examples}."


def law_of(node: Any) -> str:
    """What a test holds: its description, or the generic test with what it was given."""
    described = " ".join((getattr(node, "description", "") or "").split()).rstrip(".")
    generic = getattr(node, "test_metadata", None)
    if described or generic is None:
        return described or node.name
    given = {name: value for name, value in generic.kwargs.items() if name != "model"}
    of = node.attached_node.split(".")[-1] if node.attached_node else "the build"
    told = ", ".join(f"{name} {value}" for name, value in given.items())
    return f"{generic.name} of {of} ({told})" if told else f"{generic.name} of {of}"


def _rows(warehouse: Path, sql: str | None, tested: str | None) -> list[Record]:
    """The first rows that a test found, as far as the warehouse alone can tell them again."""
    import duckdb

    if not sql:
        return []
    try:
        with duckdb.connect(str(warehouse), read_only=True) as db:
            db.execute("set timezone = 'UTC'")
            found = db.execute(f"select * from ({sql}) order by all limit {SHOWN}")
            columns = {str(column[0]): str(column[1]) for column in found.description or ()}
            shown = [name for name, kind in columns.items() if _is_shown(name, kind, tested)]
            rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    except duckdb.Error:  # the sentence holds without them
        return []
    return [{name: row[name] for name in shown} for row in rows]


def _is_shown(column: str, data_type: str, tested: str | None) -> bool:
    if column in TOLD and tested:
        column = tested
    holds = Table("", "", {column: data_type}).holds(column)
    return holds == "none" if is_text(data_type) else holds in (None, "none")


def _told(row: Record) -> str:
    return ", ".join(f"{name} {'null' if value is None else value}" for name, value in row.items())

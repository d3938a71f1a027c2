"""How often a statement reads relations once each clause is copied to where it is read.

So Spark plans it: a clause that two others read, which two others read, is there four times.
"""

from __future__ import annotations

from typing import Any

import sqlglot
from sqlglot import exp


def reads(sql: str) -> int:
    """Relations that a statement reads, each as often as it stands in Spark's plan."""
    statement: Any = sqlglot.parse_one(sql, read="duckdb")
    of_clause: dict[str, int] = {}
    for clause in list(statement.ctes):
        of_clause[clause.alias] = _counted(clause.this, of_clause)
        clause.pop()
    return _counted(statement, of_clause)


def _counted(part: Any, of_clause: dict[str, int]) -> int:
    return sum(
        1 if table.db else of_clause.get(table.name, 1) for table in part.find_all(exp.Table)
    )

"""Models run by their own SQL on relations made by hand, in a DuckDB of memory: without dbt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb


class ByHand:
    """A warehouse of memory in which some relations are filled by hand and models built of them."""

    def __init__(
        self, statements: Mapping[str, str], models: Sequence[str], given: Mapping[str, str]
    ) -> None:
        self.statements, self.models = statements, models
        self.db = duckdb.connect()
        self.db.execute("attach ':memory:' as warehouse")
        self.db.execute("use warehouse")
        self.places = {name: f"marts.{name}" for name in models} | {
            relation: f"{schema}.{relation}"
            for name in models
            for schema, relation in re.findall(r'"warehouse"\."(\w+)"\."(\w+)"', statements[name])
        }
        for schema in {place.split(".")[0] for place in self.places.values()}:
            self.db.execute(f"create schema {schema}")
        for name, columns in given.items():
            self.db.execute(f"create table {self.places[name]} ({columns})")

    def insert(self, name: str, rows: Iterable[Sequence[Any]]) -> None:
        """Rows in the order of the columns."""
        for row in rows:
            marks = ", ".join("?" for _ in row)
            self.db.execute(f"insert into {self.places[name]} values ({marks})", list(row))

    def insert_table(self, name: str, drawn: Any, more: str = "") -> None:
        """A table of Arrow by the names of its columns; `more` are further columns as SQL."""
        said = f"select *{', ' + more if more else ''} from drawn"
        self.db.execute(f"insert into {self.places[name]} by name {said}")

    def build(self) -> None:
        """The models, in their order."""
        for name in self.models:
            self.db.execute(f"create table {self.places[name]} as {self.statements[name]}")

    def rows(self, name: str) -> list[dict[str, Any]]:
        """All of a relation."""
        cursor = self.db.execute(f"select * from {self.places[name]} order by all")
        columns = [column[0] for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]

    def __enter__(self) -> ByHand:
        return self

    def __exit__(self, *_: object) -> None:
        self.db.close()

"""Raw and warehouse as they are asked about a person: attached read-only, relations by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from pipelines import registries
from pipelines.blanks import BLANKS
from pipelines.built.quoting import literal
from pipelines.erasure.columns import Table, tables
from pipelines.erasure.traces import normalised_sql
from pipelines.opening import readable
from pipelines.settings import Settings

CIO = normalised_sql("cio_id", "internal_customer_id")
CUSTOMER = normalised_sql("customer_id", "customer_id")
EMAIL = normalised_sql("email", "email_addr")
LISTED = "(select unnest(?::varchar[]))"


class Databases:
    """Raw and warehouse, attached read-only, with relations found by name."""

    def __init__(self, db: duckdb.DuckDBPyConnection) -> None:
        self.db = db
        self.relations: dict[tuple[str, str], str] = {}
        self.columns: dict[str, set[str]] = {}
        self.tables: dict[str, Table] = {}
        for catalog in ("raw", "warehouse"):
            for table in tables(db, catalog=catalog):
                name = f"{catalog}.{table.sql}"
                self.relations.setdefault((catalog, f"{table.schema}.{table.name}"), name)
                self.relations.setdefault((catalog, table.name), name)
                self.columns[name] = set(table.columns)
                self.tables[name] = table

    def find(self, catalog: str, table: str, *needs: str) -> str | None:
        """A table that has all the columns needed, or None."""
        name = self.relations.get((catalog, table))
        return name if name and set(needs) <= self.columns[name] else None

    def rows(self, sql: str, values: list[object] | None = None) -> list[tuple[object, ...]]:
        """All rows of a query."""
        found: list[tuple[object, ...]] = self.db.execute(sql, values or []).fetchall()
        return found

    def people(self) -> str | None:
        """The profiles that the exports show, every version of them."""
        return self.find(
            "raw", "customerio.people", "internal_customer_id", "customer_id", "email_addr"
        )

    def workspace(self, relation: str) -> str:
        """SQL for the workspace of a row, as text; empty where nothing tells it."""
        if "workspace_id" in self.columns[relation]:
            return "coalesce(cast(workspace_id as varchar), '')"
        return "''"


@contextmanager
def attached(settings: Settings) -> Iterator[Databases]:
    """Raw and warehouse, as far as they exist."""
    db = duckdb.connect()
    try:
        for name, path in (("raw", settings.raw_path), ("warehouse", settings.warehouse_path)):
            if path.exists():
                with readable(path):
                    db.execute(f"attach {literal(str(path))} as {name} (read_only)")
        yield Databases(db)
    finally:
        db.close()


def held_anonymous_ids(db: Databases) -> str | None:
    """A query for (workspace, cio_id, held): the anonymous ids that profiles show."""
    attributes = db.find(
        "raw", "customerio.attributes", "internal_customer_id", "attribute_name", "attribute_value"
    )
    if attributes is None:
        return None
    return (
        f"select distinct {db.workspace(attributes)} as workspace, {CIO} as cio_id, "
        f"{normalised_sql('anonymous_id', 'attribute_value')} as held from {attributes} "
        "where attribute_name = 'anonymous_id'"
    )


def placeholders(db: Databases) -> dict[str, set[str]]:
    """Values that mean nobody, by kind: by the rules of the last build, or by ours before one."""
    rules = db.find("warehouse", "int_identity__rules", "identifier_type", "placeholder_values")
    found_rules: list[tuple[object, ...]] = []
    if rules:
        found_rules = db.rows(f"select distinct identifier_type, placeholder_values from {rules}")
    found: dict[str, set[str]] = {}
    for kind, values in found_rules or _declared():
        nobody = {value.strip(BLANKS).lower() for value in str(values or "").split("|")}
        found.setdefault(str(kind).strip(BLANKS), set()).update(nobody - {""})
    return found


def _declared() -> list[tuple[object, ...]]:
    words = "|".join(
        row["placeholder_values"]
        for row in registries.rows(registries.OURS / "identity_placeholders.csv")
    )
    return [
        (row["identifier_type"], f"{row['placeholder_values']}|{words}")
        for row in registries.rows(registries.OURS / "identity_rules.csv")
    ]

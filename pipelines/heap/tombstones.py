"""Erased people stay erased: salted hashes of their identifiers, which old exports cannot undo.

The ledger holds the tombstones; `tombstones.json` in the home repeats them (with the salt) for
the loader, which must not wait for the ledger, and `loads.tombstones` in raw.duckdb makes them
visible to SQL.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from pipelines.heap.ledger import Ledger
from pipelines.settings import Settings

IDENTIFIER_TYPES = ("cio_id", "customer_id", "email", "anonymous_id", "heap_identity")


@dataclass(frozen=True)
class Tombstone:
    """One erased identifier: type, salted hash (64 hex digits), when it was erased (UTC)."""

    identifier_type: str
    salted_hash: str
    erased_at: datetime


def salted_hash(salt: str, identifier_type: str, identifier: str) -> str:
    """The hash under which an identifier is remembered; e-mail addresses regardless of case."""
    return hashlib.sha256(
        f"{salt}:{identifier_type}:{normalised(identifier_type, identifier)}".encode()
    ).hexdigest()


def normalised(identifier_type: str, identifier: str) -> str:
    """The spelling that is hashed: trimmed, and lower case for e-mail addresses."""
    text = identifier.strip(" ")
    return text.lower() if identifier_type == "email" else text


def hash_sql(salt: str, identifier_type: str, column: str) -> str:
    """SQL for `salted_hash` of a text column."""
    text = f"trim(cast({column} as varchar))"
    text = f"lower({text})" if identifier_type == "email" else text
    return f"sha256('{salt}:{identifier_type}:' || {text})"


def salt_of(settings: Settings) -> str | None:
    """The salt in `tombstones.json`, or None when nobody was ever erased here."""
    try:
        found = json.loads(_path(settings).read_text())
    except FileNotFoundError:
        return None
    return str(found["salt"])


def is_kept_sql(
    settings: Settings, columns: Mapping[str, str], *, tombstones: str = "loads.tombstones"
) -> str:
    """SQL condition for the loader and staging: true for rows that belong to nobody who was erased.

    Args:
        settings: where the home is.
        columns: text columns of the row and the identifier type each one holds, for example
            `{"internal_customer_id": "cio_id", "email_addr": "email"}`.
        tombstones: the relation that holds the tombstones.
    """
    salt = salt_of(settings)
    if salt is None:
        return "true"
    tests = [
        f"coalesce({hash_sql(salt, kind, column)} not in "
        f"(select salted_hash from {tombstones} where identifier_type = '{kind}'), true)"
        for column, kind in columns.items()
    ]
    return " and ".join(tests) or "true"


def read_file(settings: Settings) -> list[Tombstone]:
    """The tombstones that the home repeats for the loader."""
    try:
        found = json.loads(_path(settings).read_text())
    except FileNotFoundError:
        return []
    return [
        Tombstone(t["identifier_type"], t["salted_hash"], datetime.fromisoformat(t["erased_at"]))
        for t in found["tombstones"]
    ]


def write_file(settings: Settings, ledger: Ledger) -> None:
    """Repeat the ledger's tombstones, and their salt, in a file that only its owner can read."""
    found = ledger.rows(
        "select identifier_type, salted_hash, erased_at from tombstones order by all"
    )
    content = {
        "salt": ledger.salt,
        "tombstones": [
            {"identifier_type": kind, "salted_hash": digest, "erased_at": erased_at.isoformat()}
            for kind, digest, erased_at in found
        ],
    }
    path = _path(settings)
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(content, indent=1))
    partial.replace(path)


def write_table(settings: Settings, raw: duckdb.DuckDBPyConnection) -> None:
    """Write `loads.tombstones` into an open raw.duckdb connection (the loader calls this)."""
    raw.execute("create schema if not exists loads")
    raw.execute(
        "create table if not exists loads.tombstones "
        "(identifier_type varchar, salted_hash varchar, erased_at timestamp)"
    )
    raw.execute("delete from loads.tombstones")
    found = read_file(settings)
    if found:
        raw.execute(
            "insert into loads.tombstones select unnest(?), unnest(?), unnest(?)",
            [
                [t.identifier_type for t in found],
                [t.salted_hash for t in found],
                [t.erased_at for t in found],
            ],
        )


IDENTIFIER_COLUMNS = {
    "internal_customer_id": "cio_id",
    "customer_id": "customer_id",
    "email": "email",
    "email_addr": "email",
    "recipient": "email",
    "identity": "heap_identity",
}
"""What raw tables call the identifiers they hold, and their types."""

_JSON_PLACES = {
    "webhooks": (("data", "identifiers"),),
    "activities": (
        ("customer_identifiers", ""), ("data", "primary"), ("data", "secondary"),
    ),
}  # fmt: skip
IDENTIFIERS_IN_JSON = {
    table: {
        f"json_extract_string({column}, '$.{f'{place}.' if place else ''}{name}')": kind
        for column, place in places
        for name, kind in (("cio_id", "cio_id"), ("id", "customer_id"), ("email", "email"))
    }
    for table, places in _JSON_PLACES.items()
}
"""The same for JSON columns, by table."""


def sweep(settings: Settings) -> int:
    """Delete from raw.duckdb whatever old exports brought back of the erased; returns the rows."""
    if not read_file(settings):
        return 0
    import duckdb

    removed = 0
    with duckdb.connect(str(settings.raw_path)) as raw:
        write_table(settings, raw)
        tables = raw.execute(
            """
            select table_schema, table_name, list(column_name)
            from information_schema.columns
            where table_schema in ('customerio', 'behavior', 'heap_connect')
                and data_type = 'VARCHAR' and table_name not like '\\_dlt%' escape '\\'
            group by table_schema, table_name
            """
        ).fetchall()
        for schema, table, columns in tables:
            held = {
                expression: kind
                for expression, kind in IDENTIFIER_COLUMNS.items()
                if expression in columns
            } | IDENTIFIERS_IN_JSON.get(table, {})
            if held:
                [(count,)] = raw.execute(
                    f'delete from {schema}."{table}" where not ({is_kept_sql(settings, held)})'
                ).fetchall()
                removed += count
    return removed


def add(ledger: Ledger, identifiers: Iterable[tuple[str, str]], now: datetime) -> int:
    """Remember erased identifiers (type, identifier) in the ledger; returns how many were new."""
    added = 0
    for kind, identifier in sorted(set(identifiers)):
        digest = salted_hash(ledger.salt, kind, identifier)
        known = ledger.value(
            "select count(*) from tombstones where identifier_type = ? and salted_hash = ?",
            [kind, digest],
        )
        if not known:
            ledger.db.execute("insert into tombstones values (?, ?, ?)", [kind, digest, now])
            added += 1
    return added


def _path(settings: Settings) -> Path:
    return settings.home / "tombstones.json"

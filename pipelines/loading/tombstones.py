"""Erased people stay erased: salted hashes of their identifiers, which old exports cannot undo.

Three places hold the tombstones: the ledger, `tombstones.json` in the home (for the loader, which
must not wait for the ledger), and `loads.tombstones` in raw.duckdb (for SQL). They only grow: what
one of them knows and another lacks, say after a restored back-up, is written into the other. Each
keeps the salt it was hashed with, so that a new ledger forgets nobody.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from pipelines.erasure import rewriting
from pipelines.erasure.traces import (
    ERASED,
    Mentions,
    Table,
    normalised,
    normalised_sql,
    tables,
)
from pipelines.errors import CounterfoilError
from pipelines.loading.casts import literal
from pipelines.loading.casts import quote as quoted
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.heap.ledger import Ledger

IDENTIFIER_TYPES = ("cio_id", "customer_id", "email", "anonymous_id", "heap_identity")
TOLD_TYPES = ("heap_identity", "customer_id", "email")
"""Types whose identifiers Heap may have been told as an identity."""
RAW_SCHEMAS = ("customerio", "behavior", "heap_connect")
ROWS_AT_ONCE = 200_000
SHORTEST_ID = 10
"""An id shorter than this, or one without a letter, may be any number: it is no mention."""


@dataclass(frozen=True)
class Tombstone:
    """One erased identifier: type, salted hash (64 hex digits), when it was erased (UTC), salt."""

    identifier_type: str
    salted_hash: str
    erased_at: datetime
    salt: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it itself."""
        return (self.salt, self.identifier_type, self.salted_hash)


def salted_hash(salt: str, identifier_type: str, identifier: str) -> str:
    """The hash under which an identifier is remembered; e-mail addresses regardless of case."""
    return hashlib.sha256(
        f"{salt}:{identifier_type}:{normalised(identifier_type, identifier)}".encode(
            errors="surrogatepass"
        )
    ).hexdigest()


def hash_sql(salt: str, identifier_type: str, column: str) -> str:
    """SQL for `salted_hash` of a text column."""
    prefix = literal(f"{salt}:{identifier_type}:")
    return f"sha256({prefix} || {normalised_sql(identifier_type, column)})"


def erased_sql(salts: Iterable[str], identifier_type: str, column: str, tombstones: str) -> str:
    """SQL that is true where a column holds an erased identifier of this type."""
    return " or ".join(
        f"coalesce({hash_sql(salt, identifier_type, column)} in (select salted_hash "
        f"from {tombstones} where identifier_type = '{identifier_type}'), false)"
        for salt in sorted(salts)
    )


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
    salts = {tombstone.salt for tombstone in read_file(settings)}
    if not salts:
        return "true"
    tests = [
        f"not ({erased_sql(salts, kind, column, tombstones)})" for column, kind in columns.items()
    ]
    return " and ".join(tests) or "true"


# -- the three places -----------------------------------------------------------------------------


def read_file(settings: Settings) -> list[Tombstone]:
    """The tombstones that the home repeats for the loader.

    Raises:
        CounterfoilError: the file is there and cannot be read.
    """
    return _in_file(settings) or []


def write_file(settings: Settings, ledger: Ledger) -> None:
    """Bring ledger and file up to what either of them, or raw.duckdb, knows; nothing is forgotten.

    Raises:
        CounterfoilError: see `known`.
    """
    restore(ledger, _gather(settings, _in_ledger(ledger.db), ledger.salt))
    _write(settings, _gather(settings, _in_ledger(ledger.db), ledger.salt), ledger.salt)


def write_table(settings: Settings, raw: duckdb.DuckDBPyConnection) -> None:
    """Bring `loads.tombstones` of an open raw.duckdb connection up to what the file knows."""
    raw.execute("create schema if not exists loads")
    raw.execute(
        "create table if not exists loads.tombstones "
        "(identifier_type varchar, salted_hash varchar, erased_at timestamp, salt varchar)"
    )
    raw.execute("alter table loads.tombstones add column if not exists salt varchar")
    found = read_file(settings)
    here = {t.salted_hash for t in _in_raw(raw)}
    missing = [t for t in found if t.salted_hash not in here]
    if found:
        raw.execute(
            "update loads.tombstones set salt = told.salt from (select unnest(?::varchar[]) as "
            "salted_hash, unnest(?::varchar[]) as salt) as told "
            "where tombstones.salt is null and tombstones.salted_hash = told.salted_hash",
            [[t.salted_hash for t in found], [t.salt for t in found]],
        )
    if missing:
        # rows that were looked at before may mention whoever is new here
        raw.execute("drop table if exists loads.searched")
        raw.execute(
            "insert into loads.tombstones (identifier_type, salted_hash, erased_at, salt) "
            "select unnest(?), unnest(?), unnest(?), unnest(?)",
            [
                [t.identifier_type for t in missing],
                [t.salted_hash for t in missing],
                [t.erased_at for t in missing],
                [t.salt for t in missing],
            ],
        )


def known(settings: Settings) -> list[Tombstone]:
    """Every tombstone that the file, raw.duckdb or the ledger holds; the file is brought up to it.

    Raises:
        CounterfoilError: the file is damaged, or a salt is lost, and nothing else tells who was
            erased: nothing may be loaded or built without.
    """
    ledger, salt = _read_ledger(settings)
    found = _gather(settings, ledger, salt)
    if found and {t.key for t in found} != {t.key for t in _in_file_if_whole(settings) or []}:
        _write(settings, found, salt or found[0].salt)
    return found


def restore(ledger: Ledger, found: Sequence[Tombstone]) -> int:
    """Write the tombstones that the ledger lacks into it, and forget whom they speak of.

    Returns how many rows it still held of people erased meanwhile: deleted, but maybe readable in
    the file's free blocks until it is rewritten.
    """
    here = {t.key for t in _in_ledger(ledger.db)}
    missing = [t for t in found if t.key not in here]
    if not missing:
        return 0
    with ledger.transaction():
        for t in missing:
            if t.salt == ledger.salt:
                ledger.db.execute(
                    "insert into tombstones (identifier_type, salted_hash, erased_at) "
                    "values (?, ?, ?)",
                    [t.identifier_type, t.salted_hash, t.erased_at],
                )
            else:
                ledger.db.execute(
                    "insert into inherited_tombstones values (?, ?, ?, ?)",
                    [t.salt, t.identifier_type, t.salted_hash, t.erased_at],
                )
        erased = forbidden_sql(ledger, "heap_identity", TOLD_TYPES)
        return sum(
            int(ledger.rows(f"delete from {table} where {erased}")[0][0])
            for table in ("receipts", "property_state", "property_changes", "intents")
        )


def restore_from_file(settings: Settings, ledger: Ledger) -> int:
    """`restore` for a ledger that was just opened: a back-up may be older than the file."""
    return restore(ledger, read_file(settings))


def add(ledger: Ledger, identifiers: Iterable[tuple[str, str]], now: datetime) -> int:
    """Remember erased identifiers (type, identifier) in the ledger; returns how many were new."""
    added = 0
    for kind, identifier in sorted(set(identifiers)):
        if not is_erased(ledger, kind, identifier):
            ledger.db.execute(
                "insert into tombstones (identifier_type, salted_hash, erased_at) values (?, ?, ?)",
                [kind, salted_hash(ledger.salt, kind, identifier), now],
            )
            added += 1
    return added


def is_erased(ledger: Ledger, identifier_type: str, identifier: str) -> bool:
    """Whether an identifier was erased, under whatever salt."""
    return any(
        salted_hash(t.salt, identifier_type, identifier) == t.salted_hash
        for t in _in_ledger(ledger.db)
        if t.identifier_type == identifier_type
    )


def any_in(ledger: Ledger) -> bool:
    """Whether anybody was ever erased."""
    return bool(
        ledger.value("select count(*) from tombstones")
        or ledger.value("select count(*) from inherited_tombstones")
    )


def forbidden_sql(ledger: Ledger, column: str, types: Sequence[str]) -> str:
    """SQL that is true where a column of the ledger's connection holds an erased identity."""
    return " or ".join(
        f"coalesce({hash_sql(salt, kind, column)} in "
        f"(select salted_hash from {table} where identifier_type = '{kind}'), false)"
        for kind in types
        for table, salts in (
            ("tombstones", [ledger.salt]),
            ("inherited_tombstones", _inherited_salts(ledger)),
        )
        for salt in salts
    )


def _inherited_salts(ledger: Ledger) -> list[str]:
    found = ledger.rows("select distinct salt from inherited_tombstones order by salt")
    return [str(salt) for (salt,) in found]


def _gather(
    settings: Settings, ledger: Sequence[Tombstone] | None, ledger_salt: str | None
) -> list[Tombstone]:
    """What the three places know together; `ledger` is None when it could not be opened."""
    lost = CounterfoilError(
        "tombstones.json is damaged and nothing else can tell who was erased, so that nothing may "
        "be loaded or built: wait for whoever has ledger.duckdb open, or restore one of the two "
        "from a back-up."
    )
    raw = _read_raw(settings)
    try:
        in_file = _in_file(settings)
    except CounterfoilError:
        if ledger is None or not [*ledger, *raw]:
            raise lost from None
        in_file = None
    salts = {t.salted_hash: t.salt for t in [*(ledger or []), *(in_file or [])]}
    own = next((t.salt for t in [*(ledger or []), *(in_file or [])]), ledger_salt)
    found: dict[tuple[str, str, str], Tombstone] = {}
    for t in [*(ledger or []), *(in_file or []), *raw]:
        salt = t.salt or salts.get(t.salted_hash) or own
        if not salt:
            raise lost
        whole = Tombstone(t.identifier_type, t.salted_hash, t.erased_at, salt)
        found.setdefault(whole.key, whole)
    return [found[key] for key in sorted(found)]


def _in_file_if_whole(settings: Settings) -> list[Tombstone] | None:
    try:
        return _in_file(settings)
    except CounterfoilError:
        return None


def _in_file(settings: Settings) -> list[Tombstone] | None:
    try:
        found = json.loads(_path(settings).read_text(encoding="utf-8"))
        own = found["salt"]
        read = [
            Tombstone(
                str(t["identifier_type"]),
                str(t["salted_hash"]),
                datetime.fromisoformat(t["erased_at"]),
                str(t.get("salt", own)),
            )
            for t in found["tombstones"]
        ]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CounterfoilError(
            "tombstones.json, which tells who was erased, is damaged: run `counterfoil build`, "
            "which makes it anew from ledger.duckdb and raw.duckdb, or restore it from a back-up."
        ) from error
    return read


def _in_ledger(db: duckdb.DuckDBPyConnection) -> list[Tombstone]:
    inherited = db.execute(
        "select count(*) from duckdb_tables() where database_name = current_database() "
        "and table_name = 'inherited_tombstones'"
    ).fetchall()[0][0]
    more = (
        "union all select identifier_type, salted_hash, erased_at, salt from inherited_tombstones"
        if inherited
        else ""
    )
    found = db.execute(
        "select identifier_type, salted_hash, erased_at, "
        "(select value from meta where key = 'salt') as salt from tombstones "
        f"{more} order by all"
    ).fetchall()
    return [Tombstone(*row) for row in found]


def _in_raw(db: duckdb.DuckDBPyConnection) -> list[Tombstone]:
    columns = {
        name
        for (name,) in db.execute(
            "select column_name from duckdb_columns() where database_name = current_database() "
            "and schema_name = 'loads' and table_name = 'tombstones'"
        ).fetchall()
    }
    if not columns:
        return []
    salt = "coalesce(salt, '')" if "salt" in columns else "''"
    found = db.execute(
        f"select identifier_type, salted_hash, erased_at, {salt} from loads.tombstones order by all"
    ).fetchall()
    return [Tombstone(*row) for row in found]


def _read_ledger(settings: Settings) -> tuple[list[Tombstone] | None, str | None]:
    """The ledger's tombstones and salt; None while a publisher holds it, or when it is damaged."""
    if not settings.ledger_path.exists():
        return [], None
    try:
        with duckdb.connect(str(settings.ledger_path), read_only=True) as db:
            salt = db.execute("select max(value) from meta where key = 'salt'").fetchall()[0][0]
            return _in_ledger(db), salt
    except duckdb.Error:
        return None, None


def _read_raw(settings: Settings) -> list[Tombstone]:
    if not settings.raw_path.exists():
        return []
    try:
        with duckdb.connect(str(settings.raw_path), read_only=True) as db:
            return _in_raw(db)
    except duckdb.Error:  # whoever needs raw.duckdb will say what is wrong with it
        return []


def _write(settings: Settings, found: Sequence[Tombstone], salt: str) -> None:
    """The file, readable by its owner only, in one step; a damaged one is set aside."""
    path = _path(settings)
    if path.exists() and _in_file_if_whole(settings) is None:
        path.replace(path.with_name("tombstones.damaged.json"))
    content = {
        "salt": salt,
        "tombstones": [
            {
                "identifier_type": t.identifier_type,
                "salted_hash": t.salted_hash,
                "erased_at": t.erased_at.isoformat(),
                **({} if t.salt == salt else {"salt": t.salt}),
            }
            for t in found
        ],
    }
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    with partial.open("w", encoding="utf-8") as handle:
        json.dump(content, handle, indent=1)
        handle.flush()
        os.fsync(handle.fileno())
    partial.replace(path)


def _path(settings: Settings) -> Path:
    return settings.home / "tombstones.json"


# -- raw.duckdb -----------------------------------------------------------------------------------


def sweep(settings: Settings) -> int:
    """Delete from raw.duckdb whatever old exports brought back of the erased; returns the rows.

    Mentions of them in other people's rows go too, and the file is rewritten when anything went,
    or when an earlier sweep was stopped before it could.

    Raises:
        CounterfoilError: see `known`; or the file cannot be rewritten.
    """
    found = known(settings)
    if not found or not settings.raw_path.exists():
        return 0
    config: dict[str, Any] = {
        "threads": settings.threads,
        "memory_limit": settings.memory_limit,
        "temp_directory": str(settings.home / "spill"),
    }
    with duckdb.connect(str(settings.raw_path), config=config) as raw:
        raw.execute("set enable_progress_bar = false")
        raw.execute("begin")
        write_table(settings, raw)
        removed, changed = _Sweeper(raw, found).run()
        if removed or changed:
            rewriting.mark_due(raw)
        raw.execute("commit")
        is_due = rewriting.is_due(raw)
    if is_due:
        rewriting.rewrite(
            settings.raw_path, threads=settings.threads, memory_limit=settings.memory_limit
        )
    return removed


class _Sweeper:
    """One sweep over the open raw.duckdb."""

    def __init__(self, raw: duckdb.DuckDBPyConnection, found: Sequence[Tombstone]) -> None:
        self.raw = raw
        self.hashes = {(t.identifier_type, t.salted_hash) for t in found}
        self.salts = sorted({t.salt for t in found})
        self.tables = [
            table
            for table in tables(raw, schemas=RAW_SCHEMAS)
            if not table.name.startswith("_dlt") and table.name != "loaded_files"
        ]
        self.mentions = Mentions(cache(self._is_address), lambda _: False)

    def run(self) -> tuple[int, int]:
        """Rows deleted, and cells that lost a mention."""
        self._note_trail()
        removed = sum(self._delete(table) for table in self.tables)
        changed = self._unmention()
        for name in ("swept_deliveries", "swept_journeys"):
            self.raw.execute(f"drop table if exists {name}")
        return removed, changed

    def _erased(self, kind: str, expression: str) -> str:
        return erased_sql(self.salts, kind, expression, "loads.tombstones")

    def _note_trail(self) -> None:
        """Deliveries and journeys of erased profiles: rows that name them by nothing else."""
        held = {f"{table.schema}.{table.name}": table for table in self.tables}
        for name, sources in (
            ("swept_deliveries", (("customerio.deliveries", "delivery_id"),)),
            (
                "swept_journeys",
                (("customerio.deliveries", "subject_id"), ("customerio.subjects", "subject_name")),
            ),
        ):
            parts = []
            for source, column in sources:
                table = held.get(source)
                if table and {column, "internal_customer_id"} <= set(table.columns):
                    erased = self._erased("cio_id", "internal_customer_id")
                    parts.append(
                        f"select {column} as id from {table.sql} where {column} is not null "
                        f"group by {column} having bool_and({erased})"
                    )
            body = " union ".join(parts) or "select null::varchar as id where false"
            self.raw.execute(f"create or replace temp table {name} as {body}")

    def _delete(self, table: Table) -> int:
        ids = [
            self._erased(kind, place)
            for kind in ("cio_id", "customer_id", "anonymous_id", "heap_identity")
            for place in table.owners(kind)
        ]
        for kind, trail in (("delivery_id", "swept_deliveries"), ("journey", "swept_journeys")):
            ids += [
                f"coalesce(cast({place} as varchar) in (select id from {trail}), false)"
                for place in table.owners(kind)
            ]
        for place in table.owners("heap_user_id") if table.schema == "heap_connect" else ():
            # few users in many rows: hashed once each
            erased = self._erased("heap_user_id", '"user"')
            users = f'(select distinct {place} as "user" from {table.sql})'
            ids.append(f'coalesce({place} in (select "user" from {users} where {erased}), false)')
        if table.is_heap_connect:
            ids += [self._erased("email", place) for place in table.owners("heap_identity")]
        addresses = [self._erased("email", place) for place in table.owners("email")]
        if addresses and (others := self._somebody_else(table)):
            addresses = [f"(({' or '.join(addresses)}) and not ({others}))"]
        if not [*ids, *addresses]:
            return 0
        found = self.raw.execute(
            f"delete from {table.sql} where {' or '.join([*ids, *addresses])}"
        ).fetchall()
        return int(found[0][0])

    def _somebody_else(self, table: Table) -> str:
        return somebody_else_sql(table, {f"{t.schema}.{t.name}": t for t in self.tables})

    def _unmention(self) -> int:
        """Take erased people out of other people's rows; each load is looked at once."""
        self.raw.execute("create table if not exists loads.searched (load_id varchar)")
        changed = 0
        for table in self.tables:
            is_new = "true"
            if "_dlt_load_id" in table.columns:
                is_new = (
                    "(_dlt_load_id is null or _dlt_load_id not in "
                    "(select load_id from loads.searched))"
                )
            if table.name == "attributes" and "attribute_value" in table.columns:
                changed += self._unmention_ids(table, is_new)
            for column in table.texts():
                if column != "_dlt_load_id":
                    changed += self._unmention_addresses(table, column, is_new)
        for schema in sorted({table.schema for table in self.tables}):
            if any(t.name == "_dlt_loads" and t.schema == schema for t in tables(self.raw)):
                self.raw.execute(
                    f"insert into loads.searched select load_id from {quoted(schema)}._dlt_loads "
                    "where load_id not in (select load_id from loads.searched)"
                )
        return changed

    def _unmention_ids(self, table: Table, is_new: str) -> int:
        value = "attribute_value"
        erased = " or ".join(
            self._erased(kind, value) for kind in ("cio_id", "customer_id", "anonymous_id")
        )
        found = self.raw.execute(
            f"update {table.sql} set {value} = null where {is_new} and length({value}) >= "
            f"{SHORTEST_ID} and regexp_matches({value}, '[A-Za-z]') and ({erased})"
        ).fetchall()
        return int(found[0][0])

    def _unmention_addresses(self, table: Table, column: str, is_new: str) -> int:
        name = quoted(column)
        text = f"cast({name} as varchar)"
        return unmention(
            self.raw, table, column, self.mentions, f"{is_new} and (contains({text}, '@') "
            f"or contains({text}, '\\u0040'))"
        )  # fmt: skip

    def _is_address(self, address: str) -> bool:
        return any(
            ("email", salted_hash(salt, "email", address)) in self.hashes for salt in self.salts
        )


def somebody_else_sql(
    table: Table, held: Mapping[str, Table], catalog: str = "", shared: str = ""
) -> str:
    """SQL that is true for rows that name, by an id, a profile that is in raw.duckdb.

    To be asked once the rows of the erased are gone from `customerio.people` and
    `customerio.deliveries`: whoever is left there is somebody else. An id in the relation `shared`
    (kind, identifier) says nothing about whose row it is. Empty where no column tells.
    """
    if (table.schema, table.name) in (("customerio", "people"), ("customerio", "activities")):
        return ""  # a profile's own row; a merge, which is about both
    tests = []
    for kind, source, column in (
        ("cio_id", "customerio.people", "internal_customer_id"),
        ("customer_id", "customerio.people", "customer_id"),
        ("heap_identity", "customerio.people", "customer_id"),
        ("delivery_id", "customerio.deliveries", "delivery_id"),
    ):
        people = held.get(source)
        if people is None or column not in people.columns or people == table:
            continue
        for place in table.owners(kind):
            value = normalised_sql(kind, place)
            test = (
                f"coalesce({value} in (select {normalised_sql(kind, column)} "
                f"from {catalog}{people.sql}), false)"
            )
            if shared:
                test += (
                    f" and coalesce({value} not in "
                    f"(select identifier from {shared} where kind = '{kind}'), true)"
                )
            tests.append(f"({test})")
    return " or ".join(tests)


def unmention(db: Any, table: Table, column: str, mentions: Mentions, candidates: str) -> int:
    """Take mentions out of a text column's candidate rows; returns how many cells changed."""
    changes = [
        (rowid, kept)
        for rowid, value in cells(db, table, column, candidates)
        if (kept := mentions.without(value)) != value
    ]
    for rowid, kept in changes:
        set_cell(db, table, column, rowid, kept)
    return len(changes)


def cells(db: Any, table: Table, column: str, candidates: str) -> Iterator[tuple[int, Any]]:
    """Row numbers and values of a column's candidate rows, a bounded number of rows at a time."""
    last = db.execute(f"select coalesce(max(rowid), -1) from {table.sql}").fetchall()[0][0]
    for start in range(0, last + 1, ROWS_AT_ONCE):
        yield from db.execute(
            f"select rowid, {quoted(column)} from {table.sql} "
            f"where rowid between {start} and {start + ROWS_AT_ONCE - 1} and ({candidates})"
        ).fetchall()


def set_cell(db: Any, table: Table, column: str, rowid: int, value: Any) -> None:
    """Write one cell; where it may not be empty, a word says that something was erased."""
    statement = f"update {table.sql} set {quoted(column)} = ? where rowid = ?"
    if value is None and _must_have_value(db, table, column):
        value = ERASED
    db.execute(statement, [value, rowid])


def _must_have_value(db: Any, table: Table, column: str) -> bool:
    found = db.execute(
        "select count(*) from duckdb_columns() where database_name = current_database() "
        "and schema_name = ? and table_name = ? and column_name = ? and not is_nullable",
        [table.schema, table.name, column],
    ).fetchall()
    return bool(found[0][0])

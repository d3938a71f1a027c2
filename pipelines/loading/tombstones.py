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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipelines.built.quoting import literal
from pipelines.erasure.traces import normalised, normalised_sql
from pipelines.errors import CounterfoilError
from pipelines.loading.identifiers import TOLD_TYPES
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.heap.ledger import Ledger


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


def kept_type(identifier_type: str) -> str:
    """The type under which an identifier is remembered that somebody else holds too.

    It keeps nobody out, and only tells that it names nobody any more.
    """
    return f"kept_{identifier_type}"


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


# -- the three places -----------------------------------------------------------------------------


def read_file(settings: Settings) -> list[Tombstone]:
    """The tombstones that the home repeats for the loader.

    Raises:
        CounterfoilError: the file is there and cannot be read.
    """
    return _in_file(settings)


def write_file(settings: Settings, ledger: Ledger) -> None:
    """Bring ledger and file up to what either of them, or raw.duckdb, knows; nothing is forgotten.

    Raises:
        CounterfoilError: see `known`.
    """
    file, raw = _look(settings), _read_raw(settings)
    restore(ledger, _gather(file, raw, _in_ledger(ledger.db), ledger.salt))
    _write(settings, _gather(file, raw, _in_ledger(ledger.db), ledger.salt), ledger.salt)


def write_table(raw: duckdb.DuckDBPyConnection, found: Sequence[Tombstone]) -> None:
    """Bring `loads.tombstones` of an open raw.duckdb connection up to what is known."""
    raw.execute("create schema if not exists loads")
    raw.execute(
        "create table if not exists loads.tombstones "
        "(identifier_type varchar, salted_hash varchar, erased_at timestamp, salt varchar)"
    )
    raw.execute("alter table loads.tombstones add column if not exists salt varchar")
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
    file = _look(settings)
    found = _gather(file, _read_raw(settings), ledger, salt)
    if found and {t.key for t in found} != {t.key for t in file.tombstones}:
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


@dataclass(frozen=True)
class _File:
    """What the file tells, unless it is damaged."""

    tombstones: Sequence[Tombstone] = ()
    is_damaged: bool = False


def _look(settings: Settings) -> _File:
    try:
        return _File(_in_file(settings))
    except CounterfoilError:
        return _File(is_damaged=True)


def _gather(
    file: _File,
    raw: Sequence[Tombstone],
    ledger: Sequence[Tombstone] | None,
    ledger_salt: str | None,
) -> list[Tombstone]:
    """What the three places know together; `ledger` is None when it could not be opened."""
    lost = CounterfoilError(
        "tombstones.json is damaged and nothing else can tell who was erased, so that nothing may "
        "be loaded or built: wait for whoever has ledger.duckdb open, or restore one of the two "
        "from a back-up."
    )
    if file.is_damaged and (ledger is None or not [*ledger, *raw]):
        raise lost
    salted = [*(ledger or []), *file.tombstones]
    salts = {t.salted_hash: t.salt for t in salted}
    own = next((t.salt for t in salted), ledger_salt)
    found: dict[tuple[str, str, str], Tombstone] = {}
    for t in [*salted, *raw]:
        salt = t.salt or salts.get(t.salted_hash) or own
        if not salt:
            raise lost
        whole = Tombstone(t.identifier_type, t.salted_hash, t.erased_at, salt)
        found.setdefault(whole.key, whole)
    return [found[key] for key in sorted(found)]


def _in_file(settings: Settings) -> list[Tombstone]:
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
        return []
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
    if _look(settings).is_damaged:
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

"""A person in the three databases: rows and mentions go, and the same places are searched again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.built.quoting import literal, quoted
from pipelines.erasure import rawrows
from pipelines.erasure.certificate import Proof
from pipelines.erasure.cleaning import Cleaner, cells
from pipelines.erasure.columns import Table, is_text, tables
from pipelines.erasure.journal import Journal
from pipelines.erasure.person import Person
from pipelines.erasure.rewriting import mark_due, rewrite
from pipelines.erasure.traces import Mentions, holds_sql, normalised_sql
from pipelines.heap.ledger import identity_hash
from pipelines.loading import rawfiles, tombstones
from pipelines.loading.identifiers import Owner
from pipelines.opening import readable
from pipelines.settings import Settings


def other_databases(settings: Settings) -> list[Path]:
    """Databases of the home besides the three: copies that somebody or a build put beside them."""
    known = {settings.raw_path, settings.warehouse_path, settings.ledger_path}
    return sorted(set(settings.home.glob("*.duckdb")) - known)


def clean_database(settings: Settings, path: Path, work: Journal) -> None:
    """Delete a person's rows from every table of a database file, then rewrite it."""
    is_raw = path == settings.raw_path
    if not path.exists():
        return
    with _opened(path) as db:
        if is_raw:
            tombstones.write_table(db, tombstones.read_file(settings))
        with by_value(db, path.stem, work.person, settings) as (cleaner, _):
            db.execute("begin")
            if is_raw:
                mark_due(db)
            for table in tables(db):
                place = f"{path.stem}.{table.schema}.{table.name}"
                if table.is_view and not is_raw:
                    # a copy of the list, not of the rows: the files it names are raw.duckdb's
                    db.execute(f"drop view {table.sql}")
                    continue
                removed, changed = rawrows.clean(cleaner, table, settings.home)
                _count(work.rows_removed, place, removed)
                for column, count in changed.items():
                    _count(work.mentions_removed, f"{place}.{column}", count)
            if _is_ledger(db):
                _clean_dead_letters(db, work)
            db.execute("commit")
        if is_raw:
            rawfiles.drop_unlisted(db, settings.home)
    rewrite(path, threads=settings.threads, memory_limit=settings.memory_limit)


def search_database(settings: Settings, path: Path, person: Person, proof: Proof) -> None:
    """Search the same places for whole values; what is only inside longer ones is named."""
    with (
        _opened(path, read_only=True) as db,
        by_value(db, path.stem, person, settings) as (cleaner, known),
    ):
        if path == settings.raw_path:
            _note_files(db, settings, proof)
        for table in tables(db):
            place = f"{path.stem}.{table.schema}.{table.name}"
            proof.count_tables += 1
            proof.count_text_columns += sum(is_text(kind) for kind in table.columns.values())
            tests = [cleaner.is_theirs(table), *(test for _, test in cleaner.emptied(table))]
            for test in filter(None, tests):
                found = db.execute(f"select count(*) from {table.sql} where {test}").fetchall()
                if found[0][0]:
                    proof.found.append(place)
                    break
            if known.needles:
                for column in filter(lambda name: is_text(table.columns[name]), table.columns):
                    _search_text(db, known, table, column, f"{place}.{column}", proof)


def _note_files(db: duckdb.DuckDBPyConnection, settings: Settings, proof: Proof) -> None:
    """Name the files that are searched as tables; one that is on no list should have gone."""
    for table in filter(lambda table: table.is_view, tables(db)):
        files = rawfiles.listed(db, table.schema, table.name)
        if files:
            proof.raw_files[f"{rawfiles.FOLDER}/{table.schema}/{table.name}"] = len(files)
            proof.count_files += len(files)
    if rawfiles.unlisted(db, settings.home):
        proof.found.append(f"{rawfiles.FOLDER}: files that raw.duckdb does not know")


def _search_text(
    db: duckdb.DuckDBPyConnection,
    known: _ByValue,
    table: Table,
    column: str,
    place: str,
    proof: Proof,
) -> None:
    inside = 0
    mentions = known.mentions(table, column)
    is_searched = column in table.texts()
    for _, value in cells(db, table, column, known.candidates(table, column)):
        if is_searched and mentions.without(value) != value:
            proof.found.append(place)
            break
        inside += known.is_inside(value)
    if inside:
        proof.left[place] = (
            f"{inside:,} names of the user's files hold an identifier"
            if table.is_bookkeeping(column)
            else f"{inside:,} values that hold an identifier inside a longer one, "
            "or as one of another kind"
        )


@contextmanager
def _opened(path: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    with readable(path):
        db = duckdb.connect(str(path), read_only=read_only)
    try:
        db.execute("set enable_progress_bar = false")
        yield db
    finally:
        db.close()


@contextmanager
def by_value(
    db: duckdb.DuckDBPyConnection, name: str, person: Person, settings: Settings
) -> Iterator[tuple[Cleaner, _ByValue]]:
    """A cleaner of an open database, while the person's identifiers are there as temp tables.

    raw.duckdb is brought beside another database, to tell whose a row is that only an e-mail
    address joins to the person.
    """
    own = db.execute("select current_database()").fetchall()[0][0]
    known = _ByValue(db, person)
    known.bring()
    catalog = ""
    people: dict[str, Table] = {}
    if name != "raw" and settings.raw_path.exists():
        catalog = "raw_beside."
        db.execute(f"attach {literal(str(settings.raw_path))} as raw_beside (read_only)")
        db.execute("use raw_beside")
    if name == "raw" or catalog:
        people = {f"{table.schema}.{table.name}": table for table in tables(db)}
        db.execute(f"use {quoted(own)}")
    yield Cleaner(db, known, people, catalog), known
    known.take_back()
    if catalog:
        db.execute("detach raw_beside")


class _ByValue:
    """A person, known by their identifiers: see `cleaning.Known`."""

    shared = "shared_identifiers"

    def __init__(self, db: duckdb.DuckDBPyConnection, person: Person) -> None:
        self.db = db
        self.person = person
        self.needles = person.distinctive()

    def bring(self) -> None:
        """Make the temp tables."""
        person = self.person
        bound = {("cio_id", value) for value in person.bound}
        self._bring("erased_identifiers", sorted(person.identifiers - bound))
        self._bring(self.shared, sorted(person.shared))
        self._bring(
            "erased_profiles", sorted((p, c) for p, c in person.profiles if c in person.bound)
        )

    def take_back(self) -> None:
        """Drop them."""
        for name in ("erased_identifiers", self.shared, "erased_profiles"):
            self.db.execute(f"drop table temp.{name}")

    def is_mine(self, _: Table, kind: Owner, place: str) -> str:
        """By the value, as it is compared."""
        return (
            f"coalesce({normalised_sql(kind, place)} in "
            f"(select identifier from erased_identifiers where kind = '{kind}'), false)"
        )

    def also_mine(self, table: Table) -> list[str]:
        """Profiles of one workspace only, and rows that say the kind beside the identifier."""
        tests = []
        if self.person.bound and "workspace_id" in table.columns:
            tests += [
                f"coalesce((cast(workspace_id as varchar), {normalised_sql('cio_id', place)}) in "
                "(select (kind, identifier) from erased_profiles), false)"
                for place in table.owners("cio_id")
            ]
        if table.has_any:
            tests.append(
                "coalesce((identifier_type, identifier) in "
                "(select (kind, identifier) from erased_identifiers), false)"
            )
        return tests

    def candidates(self, table: Table, column: str) -> str:
        """Whatever holds an identifier, alone or inside something longer."""
        return holds_sql(column, table.columns[column], self.needles) if self.needles else ""

    def mentions(self, table: Table, column: str) -> Mentions:
        """The ids of other things are no mentions of a person."""
        return self.person.mentions(with_ids=table.may_hold_ids(column))

    def is_inside(self, value: object) -> bool:
        """Whether a value holds an identifier, alone or inside something longer."""
        text = str(value).lower()
        return any(needle in text for needle in self.needles)

    def _bring(self, name: str, pairs: Sequence[tuple[str, str]]) -> None:
        self.db.execute(
            f"create or replace temp table {name} as "
            "select unnest(?::varchar[]) as kind, unnest(?::varchar[]) as identifier",
            [[kind for kind, _ in pairs], [value for _, value in pairs]],
        )


def _is_ledger(db: duckdb.DuckDBPyConnection) -> bool:
    """Whether a database knows identities by salted hashes, as a ledger and its back-ups do."""
    found = db.execute(
        "select count(*) from duckdb_columns() where database_name = current_database() "
        "and (table_name, column_name) in (('meta', 'key'), ('dead_letters', 'identity_hash'))"
    ).fetchall()
    return bool(found[0][0] == 2)


def _clean_dead_letters(db: duckdb.DuckDBPyConnection, work: Journal) -> None:
    """Dead letters know identities by their salted hash."""
    salts = db.execute("select value from meta where key = 'salt'").fetchall()
    identities = work.person.values("heap_identity")
    hashes = [identity_hash(str(salt), i) for (salt,) in salts for i in identities]
    found = db.execute(
        "delete from dead_letters where identity_hash in (select unnest(?::varchar[]))", [hashes]
    ).fetchall()
    _count(work.rows_removed, "ledger.dead_letters by hash", int(found[0][0]))


def _count(counts: dict[str, int], place: str, count: int) -> None:
    if count:
        counts[place] = counts.get(place, 0) + count

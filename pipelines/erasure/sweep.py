"""The sweep: rows and mentions of the erased that old exports brought back into raw.duckdb."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from pipelines.built.quoting import literal, quoted
from pipelines.erasure import rawrows, rewriting
from pipelines.erasure.cleaning import Cleaner
from pipelines.erasure.columns import Table, tables, trails
from pipelines.erasure.traces import (
    ENCODED_SIGNS,
    SHORTEST_ID,
    Mentions,
    may_be_mentioned,
    word_pattern_sql,
)
from pipelines.loading import rawfiles
from pipelines.loading.identifiers import IDENTIFIER_TYPES, Owner
from pipelines.loading.raw import LOADED_FILES, datasets
from pipelines.loading.rawfiles import RAW_FILES
from pipelines.loading.sources import FAMILIES
from pipelines.loading.tombstones import Tombstone, erased_sql, known, salted_hash, write_table
from pipelines.settings import Settings
from pipelines.sql import read_sql

WORDS = Path(__file__).with_name("erased_words.sql")
LISTS = (LOADED_FILES.table, RAW_FILES.table)
TRAILS: dict[Owner, str] = {"delivery_id": "swept_deliveries", "journey": "swept_journeys"}


def sweep(settings: Settings, found: Sequence[Tombstone] | None = None) -> int:
    """Delete from raw.duckdb whatever old exports brought back of the erased; returns the rows.

    Mentions of them in other people's rows go too, and the file is rewritten when anything went,
    or when an earlier sweep was stopped before it could.

    Args:
        found: every tombstone, when the caller has read them already.

    Raises:
        CounterfoilError: see `tombstones.known`; or the file cannot be rewritten.
    """
    found = known(settings) if found is None else found
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
        write_table(raw, found)
        removed, changed = _swept(raw, found, settings.home)
        if removed or changed:
            rewriting.mark_due(raw)
        raw.execute("commit")
        rawfiles.drop_unlisted(raw, settings.home)
        is_due = rewriting.is_due(raw)
    if is_due:
        rewriting.rewrite(
            settings.raw_path, threads=settings.threads, memory_limit=settings.memory_limit
        )
    return removed


def _swept(
    raw: duckdb.DuckDBPyConnection, found: Sequence[Tombstone], home: Path
) -> tuple[int, int]:
    """Rows deleted, and cells that lost a mention, in the open raw.duckdb."""
    held = [
        table
        for table in tables(raw, schemas=tuple(datasets(FAMILIES)))
        if not table.name.startswith("_dlt") and table.name not in LISTS
    ]
    by_name = {f"{table.schema}.{table.name}": table for table in held}
    by_hash = _ByHash(raw, found)
    by_hash.note_trails(by_name)
    # each load is searched for mentions once
    raw.execute("create table if not exists loads.searched (load_id varchar)")
    cleaner = Cleaner(raw, by_hash, by_name)
    removed = changed = 0
    for table in held:
        rows, cells = rawrows.clean(cleaner, table, home)
        removed += rows
        changed += cells.total()
    for schema in sorted({table.schema for table in held}):
        if any(t.name == "_dlt_loads" for t in tables(raw, schemas=(schema,))):
            raw.execute(
                f"insert into loads.searched select load_id from {quoted(schema)}._dlt_loads "
                "where load_id not in (select load_id from loads.searched)"
            )
    for name in TRAILS.values():
        raw.execute(f"drop table if exists {name}")
    return removed, changed


class _ByHash:
    """The erased, known by salted hashes of their identifiers: see `cleaning.Known`."""

    shared = ""

    def __init__(self, raw: duckdb.DuckDBPyConnection, found: Sequence[Tombstone]) -> None:
        self.raw = raw
        self.hashes = {(t.identifier_type, t.salted_hash) for t in found}
        self.salts = sorted({t.salt for t in found})
        self.held: Sequence[Table] = ()
        self.words: set[str] = set()
        self.read = Mentions(cache(self._is_address), self.words.__contains__)

    def note_trails(self, held: dict[str, Table]) -> None:
        """Deliveries and journeys of erased profiles: rows that name them by nothing else."""
        self.held = list(held.values())
        for kind, name in TRAILS.items():
            parts = []
            for trail in trails():
                table = held.get(f"{trail.schema}.{trail.table}")
                if trail.kind == kind and table and {trail.column, trail.by} <= set(table.columns):
                    erased = self._erased(trail.owner, trail.by)
                    parts.append(
                        f"select {trail.column} as id from {table.sql} "
                        f"where {trail.column} is not null "
                        f"group by {trail.column} having bool_and({erased})"
                    )
            body = " union ".join(parts) or "select null::varchar as id where false"
            self.raw.execute(f"create or replace temp table {name} as {body}")

    def is_mine(self, table: Table, kind: Owner, place: str) -> str:
        """By the hash; deliveries and journeys by the trail."""
        if kind in TRAILS:
            return f"coalesce(cast({place} as varchar) in (select id from {TRAILS[kind]}), false)"
        if kind == "heap_user_id" and table.schema == "heap_connect":
            # few users in many rows: hashed once each
            erased = self._erased(kind, '"user"')
            users = f'(select distinct {place} as "user" from {table.sql})'
            return f'coalesce({place} in (select "user" from {users} where {erased}), false)'
        return f"({self._erased(kind, place)})" if kind in IDENTIFIER_TYPES else ""

    def also_mine(self, _: Table) -> list[str]:
        """Nothing more."""
        return []

    def candidates(self, table: Table, column: str) -> str:
        """Whatever holds an address, or an erased id, in a load that was not searched yet."""
        if column == "_dlt_load_id":
            return ""
        text = f"cast({quoted(column)} as varchar)"
        held = [f"contains({text}, '{sign}')" for sign in ("@", "\\u0040", *ENCODED_SIGNS)]
        if table.may_hold_ids(column):
            words = self._erased_words(table, text)
            held += [f"contains({text}, {literal(word)})" for word in words]
        return f"{self._is_new(table)} and ({' or '.join(held)})"

    def mentions(self, _: Table, __: str) -> Mentions:
        """Addresses, and the ids that `candidates` found."""
        return self.read

    def _erased_words(self, table: Table, text: str) -> list[str]:
        """Ids of theirs among the words of a column; none that is a word of its own."""
        kinds = [kind for kind in IDENTIFIER_TYPES if kind != "email"]
        found = self.raw.execute(
            read_sql(
                WORDS,
                text=text,
                table=table.sql,
                is_new=self._is_new(table),
                pattern=literal(word_pattern_sql()),
                shortest=SHORTEST_ID,
                erased=" or ".join(self._erased(kind, "word") for kind in kinds),
            )
        ).fetchall()
        words = [word for (word,) in found if may_be_mentioned(word) and not self._is_name(word)]
        self.words.update(words)
        return words

    def _is_name(self, word: str) -> bool:
        """Whether something that is no person goes by this word too."""
        return any(
            self.raw.execute(
                f"select 1 from {table.sql} where {quoted(column)} = ? limit 1", [word]
            ).fetchall()
            for table in self.held
            for column in table.names()
        )

    def _erased(self, kind: Owner, expression: str) -> str:
        return erased_sql(self.salts, kind, expression, "loads.tombstones")

    def _is_new(self, table: Table) -> str:
        if "_dlt_load_id" not in table.columns:
            return "true"
        return "(_dlt_load_id is null or _dlt_load_id not in (select load_id from loads.searched))"

    def _is_address(self, address: str) -> bool:
        return any(
            ("email", salted_hash(salt, "email", address)) in self.hashes for salt in self.salts
        )

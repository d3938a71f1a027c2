"""Forgetting a person everywhere, Heap included, and proving it.

In this order: journal, Heap, tombstones, raw, warehouse, ledger, files, proof, certificate. The
journal comes before the first act that cannot be taken back and goes after the last, so that an
erasure that stopped anywhere is taken up again by any identifier of the person. Identifiers are
compared whole; those that somebody else holds too are not used to find rows.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb

from pipelines import locks
from pipelines.console import Console
from pipelines.erasure import homefiles, journal
from pipelines.erasure.deletion import HeapDeletion, ask_heap
from pipelines.erasure.journal import Journal
from pipelines.erasure.person import Person, find_person, refresh_person
from pipelines.erasure.rewriting import mark_due, rewrite
from pipelines.erasure.traces import (
    COLUMNS,
    OTHERS,
    Mentions,
    Table,
    holds_sql,
    is_text,
    normalised_sql,
    tables,
)
from pipelines.errors import CounterfoilError
from pipelines.heap.ledger import Ledger, identity_hash
from pipelines.heap.limits import Clock
from pipelines.heap.payload import literal, quoted
from pipelines.loading import tombstones
from pipelines.settings import Settings

STEPS = (
    "journal", "heap", "tombstones", "raw", "warehouse", "ledger", "files", "proof", "certificate",
)  # fmt: skip
"""What `on_step` is told, each time after the step."""

LINES_SHOWN = 20
_IN_DATABASES = ("raw.", "warehouse.", "ledger.", "the blocks of ")


@dataclass
class Proof:
    """What was searched after the erasure, for whole values, and what was found.

    Attributes:
        found: where the person still is: the erasure is not whole.
        left: what was seen and left on purpose, by place: files and rows of others.
        not_searched: what could not be searched, by place, with the reason.
    """

    count_tables: int = 0
    count_text_columns: int = 0
    count_files: int = 0
    found: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    not_searched: dict[str, str] = field(default_factory=dict)


@dataclass
class Certificate:
    """What an erasure did. Holds no personal data: the subject is a salted hash."""

    certificate_id: str
    subject_hash: str
    erased_at: datetime
    heap: HeapDeletion
    count_tombstones: int
    count_shared_identifiers_kept: int
    count_identifiers_in_columns_only: int = 0
    rows_removed: dict[str, int] = field(default_factory=dict)
    mentions_removed: dict[str, int] = field(default_factory=dict)
    files_removed: dict[str, int] = field(default_factory=dict)
    files_rewritten: dict[str, int] = field(default_factory=dict)
    proof: Proof = field(default_factory=Proof)
    path: Path | None = None


def erase(
    settings: Settings,
    identifier: str,
    console: Console,
    *,
    clock: Clock | None = None,
    poll_seconds: float = 5.0,
    on_step: Callable[[str], None] = lambda _: None,
) -> Certificate:
    """Forget the person behind an identifier: everywhere here, and in Heap.

    An erasure that was begun before and not finished is finished first.

    Args:
        settings: home and, when Heap knows the person, `HEAP_API_KEY`, `HEAP_APP_ID`,
        `HEAP_REGION`.
        identifier: person_id, cio_id, customer_id, e-mail address or Heap identity.
        console: progress and the summary.
        clock: clock and sleep.
        poll_seconds: pause between two looks at the deletion's status.
        on_step: told the name of each of `STEPS` once it is done and durable.

    Raises:
        CounterfoilError: nobody is known under it, Heap did not delete, or a trace was left.
    """
    clock = clock or Clock()
    with (
        locks.hold(settings.home, "publisher", "erase"),
        locks.hold(settings.home, "warehouse", "erase"),
    ):
        tombstones.known(settings)
        work = _Erasing(settings, console, clock, poll_seconds, on_step)
        begun = journal.unfinished(settings)
        asked = next((j for j in begun if j.person.is_named(identifier)), None)
        failed: CounterfoilError | None = None
        for other in begun:
            if other is not asked:
                try:
                    work.finish(other)
                    console.line(f"finished {other.certificate_id}, which had been stopped")
                except CounterfoilError as error:
                    failed = failed or error
        certificate = work.finish(asked) if asked is not None else work.begin(identifier)
    for line in certificate_lines(certificate):
        console.line(line)
    console.record(erasure=_facts(certificate))
    if failed is not None:
        raise CounterfoilError(
            f"This person was erased; an erasure begun earlier is still unfinished: {failed}"
        )
    return certificate


def certificate_lines(certificate: Certificate) -> list[str]:
    """A certificate in lines of text."""
    proof = certificate.proof
    mentions = sum(certificate.mentions_removed.values())
    lines = [
        f"erased: {sum(certificate.rows_removed.values()):,} rows in "
        f"{sum(1 for n in certificate.rows_removed.values() if n)} tables"
        + (f", {mentions:,} mentions in other people's rows" if mentions else "")
        + f", {sum(certificate.files_removed.values())} files removed and "
        f"{sum(certificate.files_rewritten.values())} rewritten; {certificate.heap.sentence}",
        f"  proof: {proof.count_text_columns} text columns of {proof.count_tables} tables and "
        f"{proof.count_files} files searched for whole values, nothing found"
        + (" but what is named here" if proof.left or proof.not_searched else ""),
    ]
    if certificate.count_shared_identifiers_kept:
        lines.append(
            f"  kept: {certificate.count_shared_identifiers_kept} identifiers that somebody else "
            "holds or held too; if that is the same human being, erase them as well"
        )
    if certificate.count_identifiers_in_columns_only:
        lines.append(
            f"  {certificate.count_identifiers_in_columns_only} identifiers could be any number or "
            "word: searched in their own columns, not in texts"
        )
    inside = [place for place in proof.left if place.startswith(_IN_DATABASES)]
    told = [f"  left: {p}: {why}" for p, why in proof.left.items() if p not in inside]
    told += [f"  not searched: {place}: {why}" for place, why in proof.not_searched.items()]
    if inside:
        lines.append(
            f"  left: longer identifiers that hold one of the person's, in {len(inside)} places of "
            "the databases (named in the certificate)"
        )
    lines += told[:LINES_SHOWN]
    if len(told) > LINES_SHOWN:
        lines.append(f"  and {len(told) - LINES_SHOWN} more in the certificate")
    return [
        *lines,
        f"  certificate: {certificate.path}",
        "  run `counterfoil build` to bring the counts up to date",
    ]


class _Erasing:
    """The steps of an erasure; each may be done again."""

    def __init__(
        self,
        settings: Settings,
        console: Console,
        clock: Clock,
        poll_seconds: float,
        on_step: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.console = console
        self.clock = clock
        self.poll_seconds = poll_seconds
        self.on_step = on_step

    def begin(self, identifier: str) -> Certificate:
        """Erase somebody of whom nothing was erased yet."""
        with Ledger(self.settings) as ledger:
            person = find_person(self.settings, ledger, identifier)
        now = self.clock.now()
        return self._run(
            Journal(f"erasure-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}", now, person)
        )

    def finish(self, begun: Journal) -> Certificate:
        """Go on with an erasure that was stopped, with what has come to light since."""
        with Ledger(self.settings) as ledger:
            refresh_person(self.settings, ledger, begun.person)
        return self._run(begun)

    def _run(self, work: Journal) -> Certificate:
        settings, person = self.settings, work.person
        certificate = self._tell_heap(work)
        for path in (settings.raw_path, settings.warehouse_path):
            with self.console.progress(f"erasing from {path.name}"):
                self._clean_database(path, work)
            self._done(path.stem, work)
        # the ledger last: it knows what Heap was told, should this have to be taken up again
        self._clean_database(settings.ledger_path, work)
        self._done("ledger", work)
        _leave_no_load_half_done(settings)
        homefiles.clean_files(settings, person, work.files_removed, work.files_rewritten)
        self._done("files", work)
        certificate.proof = prove(settings, person)
        self.on_step("proof")
        for name in ("rows_removed", "mentions_removed", "files_removed", "files_rewritten"):
            setattr(certificate, name, getattr(work, name))
        certificate.count_tombstones = work.count_tombstones
        _write(certificate, settings)
        self.on_step("certificate")
        if certificate.proof.found:
            raise CounterfoilError(
                f"The erasure left traces in {', '.join(certificate.proof.found)}: remove them, "
                "then run `counterfoil erase` again."
            )
        work.close(settings)
        return certificate

    def _done(self, step: str, work: Journal) -> None:
        work.save(self.settings)
        self.on_step(step)

    def _tell_heap(self, work: Journal) -> Certificate:
        """Ask Heap, then leave tombstones: from here on nobody is told about the person again."""
        settings, person = self.settings, work.person

        def begin() -> None:
            work.save(settings)
            self.on_step("journal")

        with Ledger(settings) as ledger:
            heap = ask_heap(settings, ledger, person, self.clock, self.poll_seconds, before=begin)
            work.request_ids += heap.request_ids
            work.count_users = max(work.count_users, heap.count_users)
            if work.request_ids:
                heap = HeapDeletion(
                    "complete", work.count_users, work.request_ids, heap.count_shared
                )
            self._done("heap", work)
            work.count_tombstones += tombstones.add(ledger, person.tombstones(), self.clock.now())
            tombstones.write_file(settings, ledger)
            ledger.add_version("erase", self.clock.now())
            self._done("tombstones", work)
            return Certificate(
                certificate_id=work.certificate_id,
                subject_hash=ledger.identity_hash(person.subject),
                erased_at=self.clock.now(),
                heap=heap,
                count_tombstones=work.count_tombstones,
                count_shared_identifiers_kept=len(
                    [kind for kind, _ in person.shared if kind in tombstones.IDENTIFIER_TYPES]
                ),
                count_identifiers_in_columns_only=person.count_in_columns_only(),
            )

    def _clean_database(self, path: Path, work: Journal) -> None:
        """Delete a person's rows from every table of a database file, then rewrite it."""
        settings = self.settings
        if not path.exists():
            return
        with _open(path) as db:
            if path == settings.raw_path:
                tombstones.write_table(settings, db)
            with _Cleaner(db, path.stem, work.person, settings) as cleaner:
                db.execute("begin")
                if path == settings.raw_path:
                    mark_due(db)
                cleaner.clean(work)
                if path == settings.ledger_path:
                    _clean_dead_letters(db, work)
                db.execute("commit")
        rewrite(path, threads=settings.threads, memory_limit=settings.memory_limit)


def _leave_no_load_half_done(settings: Settings) -> None:
    """Undo what a killed load left in raw.duckdb, before its remains among the files go."""
    from pipelines.loading import ensure_raw
    from pipelines.loading.raw import scratch

    if settings.raw_path.exists() and scratch(settings).exists():
        ensure_raw(settings)


# -- databases ------------------------------------------------------------------------------------


@contextmanager
def _open(path: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        db = duckdb.connect(str(path), read_only=read_only)
    except duckdb.IOException as error:
        raise CounterfoilError(
            f"{path.name} is in use by another process: wait until it has finished."
        ) from error
    try:
        db.execute("set enable_progress_bar = false")
        yield db
    finally:
        db.close()


class _Cleaner:
    """Finds, deletes and counts a person's rows and mentions in one open database.

    A context manager: it brings the identifiers as temp tables, and raw.duckdb beside another
    database, to tell whose a row is that only an e-mail address joins to the person.
    """

    def __init__(
        self, db: duckdb.DuckDBPyConnection, name: str, person: Person, settings: Settings
    ) -> None:
        self.db = db
        self.name = name
        self.person = person
        self.needles = person.distinctive()
        self.settings = settings
        self.catalog = ""
        self.people: dict[str, Table] = {}

    def __enter__(self) -> _Cleaner:
        own = self.db.execute("select current_database()").fetchall()[0][0]
        bound = {("cio_id", value) for value in self.person.bound}
        self._bring("erased_identifiers", sorted(self.person.identifiers - bound))
        self._bring("shared_identifiers", sorted(self.person.shared))
        self._bring(
            "erased_profiles",
            sorted((p, c) for p, c in self.person.profiles if c in self.person.bound),
        )
        source = self.db
        if self.name != "raw" and self.settings.raw_path.exists():
            self.catalog = "raw_beside."
            self.db.execute(
                f"attach {literal(str(self.settings.raw_path))} as raw_beside (read_only)"
            )
            source.execute("use raw_beside")
        if self.name == "raw" or self.catalog:
            self.people = {f"{t.schema}.{t.name}": t for t in tables(source)}
            source.execute(f"use {quoted(own)}")
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            for name in ("erased_identifiers", "shared_identifiers", "erased_profiles"):
                self.db.execute(f"drop table temp.{name}")
            if self.catalog:
                self.db.execute("detach raw_beside")

    def clean(self, work: Journal) -> None:
        """Delete the person's rows, and take them out of other people's."""
        for table in tables(self.db):
            place = f"{self.name}.{table.schema}.{table.name}"
            condition = self.is_theirs(table)
            if condition:
                found = self.db.execute(f"delete from {table.sql} where {condition}").fetchall()
                _count(work.rows_removed, place, int(found[0][0]))
            for column, kind in self.others(table):
                found = self.db.execute(
                    f"update {table.sql} set {quoted(column)} = null "
                    f"where {self.is_mine(kind, quoted(column))}"
                ).fetchall()
                _count(work.mentions_removed, f"{place}.{column}", int(found[0][0]))
            for column, candidates in self.texts(table):
                count = tombstones.unmention(self.db, table, column, self.read(column), candidates)
                _count(work.mentions_removed, f"{place}.{column}", count)

    def prove(self, proof: Proof) -> None:
        """Search the same places for whole values; what is only inside longer ones is named."""
        for table in tables(self.db):
            place = f"{self.name}.{table.schema}.{table.name}"
            proof.count_tables += 1
            proof.count_text_columns += sum(is_text(kind) for kind in table.columns.values())
            tests = [self.is_theirs(table)]
            tests += [self.is_mine(kind, quoted(column)) for column, kind in self.others(table)]
            for test in filter(None, tests):
                found = self.db.execute(f"select count(*) from {table.sql} where {test}").fetchall()
                if found[0][0]:
                    proof.found.append(place)
                    break
            searched = table.texts()
            for column, data_type in table.columns.items():
                if not is_text(data_type) or not self.needles:
                    continue
                inside = 0
                candidates = holds_sql(column, data_type, self.needles)
                mentions = self.read(column)
                for _, value in tombstones.cells(self.db, table, column, candidates):
                    if column in searched and mentions.without(value) != value:
                        proof.found.append(f"{place}.{column}")
                        break
                    inside += self._is_inside(value)
                if inside:
                    proof.left[f"{place}.{column}"] = (
                        f"{inside:,} names of the user's files hold an identifier"
                        if table.is_bookkeeping(column)
                        else f"{inside:,} values that hold an identifier inside a longer one, "
                        "or as one of another kind"
                    )

    def _is_inside(self, value: object) -> bool:
        text = str(value).lower()
        return any(needle in text for needle in self.needles)

    def is_mine(self, kind: str, place: str) -> str:
        """SQL that is true where a place holds an identifier of the person's."""
        return (
            f"coalesce({normalised_sql(kind, place)} in "
            f"(select identifier from erased_identifiers where kind = '{kind}'), false)"
        )

    def is_theirs(self, table: Table) -> str:
        """SQL that is true for a person's rows of a table; empty when no column can tell."""
        tests = []
        for kind in COLUMNS:
            if kind != "email":
                tests += [self.is_mine(kind, place) for place in table.owners(kind)]
        if table.is_heap_connect:
            tests += [self.is_mine("email", place) for place in table.owners("heap_identity")]
        if self.person.bound and "workspace_id" in table.columns:
            tests += [
                f"coalesce((cast(workspace_id as varchar), {normalised_sql('cio_id', place)}) in "
                "(select (kind, identifier) from erased_profiles), false)"
                for place in table.owners("cio_id")
            ]
        if {"identifier", "identifier_type"} <= set(table.columns):
            tests.append(
                "coalesce((identifier_type, identifier) in "
                "(select (kind, identifier) from erased_identifiers), false)"
            )
        addresses = [self.is_mine("email", place) for place in table.owners("email")]
        if addresses:
            others = [
                tombstones.somebody_else_sql(table, self.people, self.catalog, "shared_identifiers")
            ]
            if "person_id" in table.columns:
                others.append(
                    f"person_id is not null and not {self.is_mine('person_id', 'person_id')}"
                )
            somebody_else = " or ".join(f"({test})" for test in others if test) or "false"
            tests.append(f"(({' or '.join(addresses)}) and not ({somebody_else}))")
        return "\n    or ".join(tests)

    def others(self, table: Table) -> list[tuple[str, str]]:
        """Columns (and kinds) for somebody whom the row is not about."""
        return [
            (name, kind)
            for kind, names in OTHERS.items()
            for name in names
            if name in table.columns
        ]

    def texts(self, table: Table) -> list[tuple[str, str]]:
        """Columns in which the person may be mentioned, and SQL for the rows to look at."""
        if not self.needles:
            return []
        return [
            (column, holds_sql(column, table.columns[column], self.needles))
            for column in table.texts()
        ]

    def read(self, column: str) -> Mentions:
        """How a column's cells are read: the ids of other things are no mentions of a person."""
        return self.person.mentions(with_ids=not column.endswith("_id"))

    def _bring(self, name: str, pairs: Sequence[tuple[str, str]]) -> None:
        self.db.execute(
            f"create or replace temp table {name} as "
            "select unnest(?::varchar[]) as kind, unnest(?::varchar[]) as identifier",
            [[kind for kind, _ in pairs], [value for _, value in pairs]],
        )


def _clean_dead_letters(db: duckdb.DuckDBPyConnection, work: Journal) -> None:
    """Dead letters know identities by their salted hash."""
    [(salt,)] = db.execute("select value from meta where key = 'salt'").fetchall()
    hashes = [identity_hash(salt, i) for i in work.person.values("heap_identity")]
    found = db.execute(
        "delete from dead_letters where identity_hash in (select unnest(?::varchar[]))", [hashes]
    ).fetchall()
    _count(work.rows_removed, "ledger.dead_letters by hash", int(found[0][0]))


def _count(counts: dict[str, int], place: str, count: int) -> None:
    if count:
        counts[place] = counts.get(place, 0) + count


# -- proof ----------------------------------------------------------------------------------------


def prove(settings: Settings, person: Person) -> Proof:
    """Search every text column of every table of the three databases, and every other file."""
    proof = Proof()
    for path in (settings.raw_path, settings.warehouse_path, settings.ledger_path):
        if path.exists():
            with (
                _open(path, read_only=True) as db,
                _Cleaner(db, path.stem, person, settings) as cleaner,
            ):
                cleaner.prove(proof)
            proof.count_files += 1
            # the file is a fresh copy of its tables: what its bytes hold beyond whole values stands
            # inside longer ones, or where two values stand side by side
            if homefiles.holds_bytes(path, person):
                proof.left[f"the blocks of {path.name}"] = (
                    "bytes that hold an identifier inside longer values, or over two of them"
                )
    unread: dict[str, int] = {}
    for file in homefiles.home_files(settings):
        name = _masked(file.name, person)
        if file.care == "leave":
            found = homefiles.search(file.path, person)
            if found == "unread":
                place = f"{name.rpartition('/')[0] or '.'}/*{file.path.suffix}"
                unread[place] = unread.get(place, 0) + 1
                continue
            if found == "whole":
                proof.left[name] = (
                    "not ours, names the person: yours to clean (a load keeps them out)"
                )
        elif file.care == "rewrite":
            if homefiles.without_person(file.path, person, dry=True) != "same":
                proof.found.append(name)
        elif homefiles.names_person(file.path, person):
            proof.found.append(name)
        proof.count_files += 1
    for place, count in sorted(unread.items()):
        proof.not_searched[place] = (
            f"{count} compressed or binary files that are not ours: yours to look into"
        )
    return proof


def _masked(name: str, person: Person) -> str:
    """A file's name without personal data: names of files may be addresses."""
    hidden = [
        "(erased)" if "@" in part or any(n in part.lower() for n in person.distinctive()) else part
        for part in name.split("/")
    ]
    return "/".join(hidden)


# -- certificate ----------------------------------------------------------------------------------


def _facts(certificate: Certificate) -> dict[str, object]:
    facts = asdict(certificate)
    facts["path"] = certificate.path.name if certificate.path else None
    return facts


def _write(certificate: Certificate, settings: Settings) -> None:
    folder = settings.home / "erasures"
    folder.mkdir(parents=True, exist_ok=True)
    certificate.path = folder / f"{certificate.certificate_id}.json"
    partial = certificate.path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as handle:
        json.dump(_facts(certificate), handle, indent=2, default=str)
        handle.flush()
        os.fsync(handle.fileno())
    partial.replace(certificate.path)


__all__: Sequence[str] = (
    "STEPS", "Certificate", "Proof", "certificate_lines", "erase", "prove", "rewrite",
)  # fmt: skip

"""Forgetting a person everywhere, Heap included, and proving it.

In this order, so that a stop at any point can be taken up again: Heap, tombstones, raw, warehouse,
ledger, files, rewriting, proof, certificate. Identifiers that somebody else holds too are not used
to find rows, so that a shared mailbox takes nobody else along.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb

from pipelines import locks
from pipelines.console import Console
from pipelines.errors import CounterfoilError
from pipelines.heap import tombstones
from pipelines.heap.deletion import HeapDeletion, ask_heap
from pipelines.heap.ledger import Ledger
from pipelines.heap.limits import Clock
from pipelines.heap.payload import literal, quoted
from pipelines.heap.person import Person, find_person
from pipelines.home import private
from pipelines.settings import PROJECT_DIR, Settings

COLUMNS = {
    "person_id": ("person_id",),
    "cio_id": (
        "internal_customer_id", "cio_id", "primary_cio_id", "secondary_cio_id", "profile_id",
    ),
    "customer_id": ("customer_id",),
    "email": ("email", "email_addr", "recipient"),
    "anonymous_id": ("anonymous_id",),
    "heap_identity": ("heap_identity", "identity"),
    "heap_user_id": ("user_id", "heap_user_id", "from_user_id", "to_user_id"),
    "delivery_id": ("delivery_id",),
    "journey": ("subject_name", "subject_id", "journey_entry_id"),
}  # fmt: skip
"""Columns that say whose row it is, by the kind of identifier they hold."""

JSON_PATHS = {
    "cio_id": (
        "$.data.identifiers.cio_id", "$.identifiers.cio_id",
        "$.cio_id", "$.primary.cio_id", "$.secondary.cio_id",
    ),
    "customer_id": (
        "$.data.customer_id", "$.data.identifiers.id", "$.customer_id", "$.identifiers.id",
        "$.primary.id", "$.secondary.id",
    ),
    "email": (
        "$.data.recipient", "$.data.identifiers.email", "$.data.email_address", "$.recipient",
        "$.identifiers.email", "$.email_address",
    ),
    "delivery_id": ("$.data.delivery_id", "$.delivery_id"),
}  # fmt: skip
"""Where a reporting webhook, or an activity of the App API, says whose it is."""


@dataclass
class Proof:
    """What was searched after the erasure, and what was found (nothing, or the erasure failed)."""

    count_tables: int = 0
    count_text_columns: int = 0
    count_files: int = 0
    found: list[str] = field(default_factory=list)


@dataclass
class Certificate:
    """What an erasure did. Holds no personal data: the subject is a salted hash."""

    certificate_id: str
    subject_hash: str
    erased_at: datetime
    heap: HeapDeletion
    count_tombstones: int
    count_shared_identifiers_kept: int
    rows_removed: dict[str, int] = field(default_factory=dict)
    files_removed: dict[str, int] = field(default_factory=dict)
    proof: Proof = field(default_factory=Proof)
    path: Path | None = None


def erase(
    settings: Settings,
    identifier: str,
    console: Console,
    *,
    clock: Clock | None = None,
    poll_seconds: float = 5.0,
) -> Certificate:
    """Forget the person behind an identifier: everywhere here, and in Heap.

    Args:
        settings: home and, when Heap knows the person, `HEAP_API_KEY`, `HEAP_APP_ID`,
        `HEAP_REGION`.
        identifier: person_id, cio_id, customer_id, e-mail address or Heap identity.
        console: progress and the summary.
        clock: clock and sleep.
        poll_seconds: pause between two looks at the deletion's status.

    Raises:
        CounterfoilError: nobody is known under it, Heap did not delete, or a trace was left.
    """
    clock = clock or Clock()
    with (
        locks.hold(settings.home, "publisher", "erase"),
        locks.hold(settings.home, "warehouse", "erase"),
    ):
        with Ledger(settings) as ledger:
            person = find_person(settings, ledger, identifier)
            certificate = Certificate(
                certificate_id=f"erasure-{clock.now():%Y%m%dT%H%M%S}-{secrets.token_hex(4)}",
                subject_hash=ledger.identity_hash(person.subject),
                erased_at=clock.now(),
                heap=ask_heap(settings, ledger, person, clock, poll_seconds),
                count_tombstones=0,
                count_shared_identifiers_kept=len(person.shared),
            )
            certificate.count_tombstones = tombstones.add(ledger, person.tombstones(), clock.now())
            tombstones.write_file(settings, ledger)
            ledger.add_version("erase", clock.now())
        with console.progress("erasing", 2) as advance:
            for path in (settings.raw_path, settings.warehouse_path):
                certificate.rows_removed.update(_clean_file(path, person, settings))
                advance()
        # the ledger last: it knows what Heap was told, should this have to be taken up again
        with Ledger(settings) as ledger:
            certificate.rows_removed.update(_clean(ledger.db, "ledger", person))
            _clean_dead_letters(ledger, person, certificate)
        rewrite(settings.ledger_path)
        certificate.files_removed.update(_clean_files(settings, person))
        certificate.proof = prove(settings, person)
    _write(certificate, settings)
    if certificate.proof.found:
        raise CounterfoilError(
            f"The erasure left traces in {', '.join(certificate.proof.found)}: remove them, then "
            "run `counterfoil erase` again."
        )
    for line in certificate_lines(certificate):
        console.line(line)
    console.record(erasure=_facts(certificate))
    return certificate


def certificate_lines(certificate: Certificate) -> list[str]:
    """A certificate in lines of text."""
    return [
        f"erased: {sum(certificate.rows_removed.values()):,} rows in "
        f"{sum(1 for n in certificate.rows_removed.values() if n)} tables, "
        f"{sum(certificate.files_removed.values())} files; {certificate.heap.sentence}",
        f"  proof: {certificate.proof.count_text_columns} text columns of "
        f"{certificate.proof.count_tables} tables and {certificate.proof.count_files} files "
        "searched, nothing found",
        f"  certificate: {certificate.path}",
        "  run `counterfoil build` to bring the counts up to date",
    ]


# -- databases ------------------------------------------------------------------------------------


def rewrite(path: Path) -> None:
    """Copy a database into a new file, so that deleted blocks do not linger in the old one."""
    if not path.exists():
        return
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    name = quoted(path.stem)
    with duckdb.connect() as db:
        db.execute(f"attach {literal(str(path))} as {name} (read_only)")
        db.execute(f"attach {literal(str(partial))} as rewritten")
        db.execute(f"copy from database {name} to rewritten")
        db.execute("detach rewritten")
        db.execute(f"detach {name}")
    partial.chmod(path.stat().st_mode & 0o777)
    partial.replace(path)
    path.with_name(path.name + ".wal").unlink(missing_ok=True)


def _clean_file(path: Path, person: Person, settings: Settings) -> dict[str, int]:
    """Delete a person's rows from every table of a database file, then rewrite it."""
    if not path.exists():
        return {}
    with _open(path) as db:
        if path == settings.raw_path:
            tombstones.write_table(settings, db)
        removed = _clean(db, path.stem, person)
    rewrite(path)
    return removed


@contextmanager
def _open(path: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        db = duckdb.connect(str(path), read_only=read_only)
    except duckdb.IOException as error:
        raise CounterfoilError(
            f"{path.name} is in use by another process: wait until it has finished."
        ) from error
    try:
        yield db
    finally:
        db.close()


def _clean(db: duckdb.DuckDBPyConnection, name: str, person: Person) -> dict[str, int]:
    """Delete a person's rows from every table; counts by `<database>.<table>`."""
    removed = {}
    _load(db, person)
    for table, columns in _tables(db):
        condition = _condition(columns, person)
        if condition:
            count = db.execute(f"delete from {table} where {condition}").fetchall()[0][0]
            removed[f"{name}.{table}".replace('"', "")] = int(count)
    db.execute("drop table erased_identifiers")
    db.execute("checkpoint")
    return removed


def _clean_dead_letters(ledger: Ledger, person: Person, certificate: Certificate) -> None:
    hashes = [ledger.identity_hash(identity) for identity in person.values("heap_identity")]
    count = ledger.rows(
        "delete from dead_letters where identity_hash in (select unnest(?::varchar[]))", [hashes]
    )[0][0]
    certificate.rows_removed["ledger.dead_letters by hash"] = int(count)


def _load(db: duckdb.DuckDBPyConnection, person: Person) -> None:
    """Temp table `erased_identifiers(kind, identifier)`; e-mail addresses in lower case."""
    pairs = sorted(person.identifiers)
    db.execute(
        "create or replace temp table erased_identifiers as "
        "select unnest(?::varchar[]) as kind, unnest(?::varchar[]) as identifier",
        [[kind for kind, _ in pairs], [value for _, value in pairs]],
    )


def _tables(db: duckdb.DuckDBPyConnection) -> list[tuple[str, dict[str, str]]]:
    """Every base table of the connection's own database with its columns and types."""
    found: dict[str, dict[str, str]] = {}
    for schema, table, column, kind in db.execute(
        """
        select
            duckdb_columns.schema_name, duckdb_columns.table_name, column_name,
            duckdb_columns.data_type
        from duckdb_columns()
        inner join duckdb_tables() using (database_name, schema_name, table_name)
        where database_name = current_database() and not duckdb_columns.internal
        order by all
        """
    ).fetchall():
        name = f"{quoted(schema)}.{quoted(table)}"
        found.setdefault(name, {})[column] = kind
    return [
        (table, columns)
        for table, columns in found.items()
        if "tombstones" not in table  # salted hashes only
    ]


def _condition(columns: Mapping[str, str], person: Person) -> str:
    """SQL that is true for a person's rows of a table; empty when no column can tell."""
    tests = []
    for kind, names in COLUMNS.items():
        mine = f"(select identifier from erased_identifiers where kind = '{kind}')"
        for name in names:
            if name in columns:
                value = f"trim(cast({quoted(name)} as varchar))"
                value = f"lower({value})" if kind == "email" else value
                tests.append(f"coalesce({value} in {mine}, false)")
    if {"identifier", "identifier_type"} <= set(columns):
        tests.append("coalesce((identifier_type, identifier) in (from erased_identifiers), false)")
    for name, data_type in columns.items():
        if _is_text(data_type):
            tests.extend(_text_tests(name, person))
    if "data" in columns and _is_text(columns["data"]):
        for kind, paths in JSON_PATHS.items():
            mine = f"(select identifier from erased_identifiers where kind = '{kind}')"
            for path in paths:
                value = f"json_extract_string(try_cast(data as json), '{path}')"
                value = f"lower({value})" if kind == "email" else value
                tests.append(f"coalesce({value} in {mine}, false)")
    return "\n    or ".join(tests)


def _text_tests(name: str, person: Person) -> list[str]:
    """SQL tests for identifiers that cannot be mistaken, anywhere inside a text column."""
    value = f"lower(cast({quoted(name)} as varchar))"
    return [f"coalesce(contains({value}, {literal(text)}), false)" for text in person.distinctive()]


def _is_text(data_type: str) -> bool:
    return data_type in ("VARCHAR", "JSON") or data_type.endswith("VARCHAR[]")


# -- files ----------------------------------------------------------------------------------------


def _clean_files(settings: Settings, person: Person) -> dict[str, int]:
    """Remove every file of the home, and every log, that names the person; counts by folder."""
    removed: dict[str, int] = {}
    for path in _files(settings):
        if _names_person(path, person):
            folder = path.parent.name if path.parent != settings.home else "home"
            path.unlink()
            removed[folder] = removed.get(folder, 0) + 1
    return removed


def _files(settings: Settings) -> list[Path]:
    """Files that may hold personal data beside the databases: plans, reviews, logs, leftovers."""
    folders = [settings.home]
    if settings.home.is_relative_to(PROJECT_DIR):
        folders.append(PROJECT_DIR / "logs")
    own = {".duckdb", ".lock"}
    return sorted(
        path
        for folder in folders
        if folder.exists()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in own and path.name != "tombstones.json"
    )


def _names_person(path: Path, person: Person) -> bool:
    """Whether a file holds one of the person's identifiers (as text, or as a plan's identity)."""
    needles = [text.encode() for text in person.distinctive()]
    needles += [
        json.dumps({"identity": identity})[1:-1].replace(": ", ":").lower().encode()
        for identity in person.values("heap_identity")
    ]
    longest = max((len(n) for n in needles), default=0)
    tail = b""
    with path.open("rb") as content:
        while block := content.read(1 << 20):
            window = tail + block.lower()
            if any(needle in window for needle in needles):
                return True
            tail = window[-longest:] if longest else b""
    return False


# -- proof ----------------------------------------------------------------------------------------


def prove(settings: Settings, person: Person) -> Proof:
    """Search every text column of every table of the three databases, and every other file."""
    proof = Proof()
    for path in (settings.raw_path, settings.warehouse_path, settings.ledger_path):
        if path.exists():
            with _open(path, read_only=True) as db:
                _prove_database(db, path.stem, person, proof)
            proof.count_files += 1
            if _names_bytes(path, person):
                proof.found.append(f"the blocks of {path.name}")
    for path in _files(settings):
        proof.count_files += 1
        if _names_person(path, person):
            proof.found.append(path.name)
    return proof


def _prove_database(db: duckdb.DuckDBPyConnection, name: str, person: Person, proof: Proof) -> None:
    _load(db, person)
    for table, columns in _tables(db):
        proof.count_tables += 1
        proof.count_text_columns += sum(_is_text(kind) for kind in columns.values())
        condition = _condition(columns, person)
        if not condition:
            continue
        count = db.execute(f"select count(*) from {table} where {condition}").fetchall()[0][0]
        if count:
            proof.found.append(f"{name}.{table}".replace('"', ""))


def _names_bytes(path: Path, person: Person) -> bool:
    needles = [text.encode() for text in person.distinctive()]
    content = path.read_bytes().lower() if path.stat().st_size < 1 << 28 else b""
    return any(needle in content for needle in needles)


# -- certificate ----------------------------------------------------------------------------------


def _facts(certificate: Certificate) -> dict[str, object]:
    facts = asdict(certificate)
    facts["path"] = certificate.path.name if certificate.path else None
    return facts


def _write(certificate: Certificate, settings: Settings) -> None:
    folder = settings.home / "erasures"
    with private(settings.home):
        folder.mkdir(parents=True, exist_ok=True)
        certificate.path = folder / f"{certificate.certificate_id}.json"
        certificate.path.write_text(json.dumps(_facts(certificate), indent=2, default=str))


__all__: Sequence[str] = ("Certificate", "Proof", "certificate_lines", "erase", "prove", "rewrite")

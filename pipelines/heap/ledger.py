"""What Heap was told: the only state worth backing up, in `ledger.duckdb`.

Plans, targets, names, dead letters and versions are written here; what frames a call in `calls`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import duckdb

from pipelines.heap.rows import DeadRow, FiledPlan
from pipelines.heap.target import Target
from pipelines.home import private
from pipelines.opening import ensure_database, readable
from pipelines.quiet import NO_DOWNLOADS
from pipelines.settings import Settings
from pipelines.sql import read_sql

FORMAT = "1"

TABLES = Path(__file__).with_name("ledger.sql")
MERGE_CHANGES = Path(__file__).with_name("merge_changes.sql")


def identity_hash(salt: str, identity: str) -> str:
    """The hash under which a ledger of that salt keeps an identity; see `Ledger.identity_hash`."""
    return hashlib.sha256(f"{salt}:identity:{identity}".encode()).hexdigest()[:32]


class Ledger:
    """One open ledger, a context manager. What writes has committed when it returns."""

    def __init__(self, settings: Settings) -> None:
        self.path = settings.ledger_path
        with ExitStack() as opening:
            # until it is closed: its log and what it spills are born private too
            opening.enter_context(private(settings.home))
            self.db = self._connect(settings)
            opening.callback(self._disconnect)
            self.db.execute(read_sql(TABLES))
            self.salt = self._ensure_salt()
            self._merge_changes()
            self._catch_up_with_erasures(settings)
            self._closing = opening.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.close()

    # -- reading ------------------------------------------------------------------------------

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        found: list[tuple[Any, ...]] = self.db.execute(sql, list(values)).fetchall()
        return found

    def value(self, sql: str, values: Sequence[object] = ()) -> Any:
        """The first column of the first row, or None."""
        found = self.rows(sql, values)
        return found[0][0] if found else None

    @property
    def version(self) -> int:
        """Grows by one whenever a plan starts to be sent or a person is erased."""
        return int(self.value("select coalesce(max(version), 0) from versions"))

    def last_target(self) -> str | None:
        """The target this ledger was last used for, so that a plan needs no app id."""
        found = self.value("select target from targets order by first_seen_at desc limit 1")
        latest = self.value("select target from batches order by batch_id desc limit 1")
        return str(latest or found) if latest or found else None

    def target_key(self, target: Target) -> str:
        """The ledger's name for a target."""
        return target.key(self.salt)

    def identity_hash(self, identity: str) -> str:
        """A salted hash that stands for an identity where personal data has no place."""
        return identity_hash(self.salt, identity)

    def moved_on(self, ledger_version: int, plan_id: str) -> bool:
        """Whether anything but this plan changed the ledger since the plan was computed."""
        found = self.value(
            "select count(*) from versions where version > ? and plan_id is distinct from ?",
            [ledger_version, plan_id],
        )
        return bool(found)

    def is_new_target(self, target: str) -> bool:
        """Whether this target never acknowledged anything (its first call is a canary)."""
        return not self.value(
            "select count(*) from batches where target = ? and status = 'acknowledged'", [target]
        )

    def settled(self, plan_id: str) -> tuple[int, int]:
        """How far a plan got: rows and bytes of rows that need no more work."""
        found = self.rows(
            "select lines_settled, bytes_settled from plans where plan_id = ?", [plan_id]
        )
        return (int(found[0][0]), int(found[0][1])) if found else (0, 0)

    def filed(self, plan_id: str) -> FiledPlan | None:
        """What was recorded of a plan; None when it was not made here."""
        found = self.rows(
            "select target, status, file_sha256, file_bytes from plans where plan_id = ?", [plan_id]
        )
        return FiledPlan(*found[0]) if found else None

    def keys_done(self, plan_id: str, keys: Sequence[str]) -> set[str]:
        """Which of these keys this plan already got acknowledged or refused (after a kill)."""
        if not keys:
            return set()
        found = self.rows(
            """
            with asked as (select unnest(?::varchar[]) as publish_key)
            select publish_key from receipts where plan_id = ? and publish_key in (from asked)
            union
            select publish_key from dead_letters where plan_id = ? and publish_key in (from asked)
            """,
            [list(keys), plan_id, plan_id],
        )
        return {row[0] for row in found}

    # -- writing ------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and durable at the end of the block."""
        self.db.execute("begin")
        try:
            yield
        except BaseException:
            self.db.execute("rollback")
            raise
        self.db.execute("commit")

    def record_plan(self, plan: dict[str, object]) -> None:
        """File a plan that was written (columns of `plans` by name)."""
        names = list(plan)
        marks = ", ".join("?" for _ in names)
        with self.transaction():
            self.db.execute("delete from plans where plan_id = ?", [plan["plan_id"]])
            self.db.execute(
                f"insert into plans ({', '.join(names)}) values ({marks})", list(plan.values())
            )

    def begin_sending(self, plan_id: str, key: str, target: Target, now: datetime) -> None:
        """Before a plan's first call: the ledger moves on to a version that this plan made."""
        with self.transaction():
            if not self.value("select count(*) from targets where target = ?", [key]):
                self.db.execute(
                    "insert into targets values (?, ?, ?, ?, ?)",
                    [key, target.masked, target.region, target.is_local, now],
                )
            if not self.value("select count(*) from versions where plan_id = ?", [plan_id]):
                self._add_version(plan_id, "publish", now)
            self.db.execute(
                "update plans set status = 'sending', target = ?, "
                "started_at = coalesce(started_at, ?) where plan_id = ?",
                [key, now, plan_id],
            )

    def bury(self, plan_id: str, target: str, row: DeadRow, now: datetime) -> None:
        """A row that Heap will not take: one dead letter per key, attempts counted."""
        with self.transaction():
            known = self.rows(
                "select first_seen_at, attempts from dead_letters "
                "where publish_key = ? and target = ? and kind = ?",
                [row.publish_key, target, row.kind],
            )
            first, attempts = known[0] if known else (now, 0)
            self.db.execute(
                "delete from dead_letters where publish_key = ? and target = ? and kind = ?",
                [row.publish_key, target, row.kind],
            )
            self.db.execute(
                "insert into dead_letters values "
                "(?, ?, ?, 'open', ?, ?, ?, null, ?, ?, ?, ?, ?, ?, ?)",
                [
                    row.publish_key, row.kind, row.reason, first, attempts + 1, now, row.event,
                    row.identity_hash, row.row_hash, row.message, row.http_status, plan_id, target,
                ],
            )  # fmt: skip

    def resolve(self, target: str, kind: str, keys: Sequence[str], now: datetime) -> None:
        """Dead letters that Heap took after all."""
        if keys:
            self.db.execute(
                "update dead_letters set status = 'resolved', resolved_at = ? where target = ? "
                "and kind = ? and status = 'open' and publish_key in (select unnest(?::varchar[]))",
                [now, target, kind, list(keys)],
            )

    def settle(self, plan_id: str, settled: tuple[int, int]) -> None:
        """Move a plan's mark: everything before it needs no more work."""
        self.db.execute(
            "update plans set lines_settled = ?, bytes_settled = ? where plan_id = ?",
            [*settled, plan_id],
        )

    def finish_sending(
        self,
        plan_id: str,
        target: str,
        models: Sequence[str],
        as_of: datetime | None,
        now: datetime,
    ) -> None:
        """The whole plan is through: it counts for cadence; its property changes become state."""
        with self.transaction():
            self.db.execute(
                "update plans set status = 'published', finished_at = ? where plan_id = ?",
                [now, plan_id],
            )
            for model in models:
                self.db.execute(
                    "insert into publications values (?, ?, ?, ?, ?)",
                    [target, model, as_of, plan_id, now],
                )
        self._merge_changes()

    def record_names(
        self, target: str, names: Sequence[tuple[str, str, str, str]], plan_id: str, now: datetime
    ) -> None:
        """Names Heap now has for ever: (kind, event, property, wire type)."""
        for kind, event, name, wire_type in names:
            self.db.execute(
                """
                insert into names select ?, ?, ?, ?, ?, ?, ? where not exists (
                    select 1 from names
                    where target = ? and kind = ? and event = ? and property = ?)
                """,
                [target, kind, event, name, wire_type, plan_id, now, target, kind, event, name],
            )

    def add_version(self, change: str, now: datetime) -> None:
        """The ledger moves on without a plan (an erasure): plans made before are refused."""
        with self.transaction():
            self._add_version(None, change, now)

    # -- inside -------------------------------------------------------------------------------

    def _disconnect(self) -> None:
        """Close the connection of the moment: catching up may have opened another one."""
        self.db.close()

    def _connect(self, settings: Settings) -> duckdb.DuckDBPyConnection:
        with readable(self.path):
            ensure_database(self.path)
            db = duckdb.connect(
                str(self.path),
                config={
                    "threads": settings.threads,
                    "memory_limit": settings.memory_limit,
                    "temp_directory": str(settings.home / "tmp"),
                },
            )
        db.execute("set enable_progress_bar = false")
        db.execute(NO_DOWNLOADS)
        return db

    def _catch_up_with_erasures(self, settings: Settings) -> None:
        """A restored back-up may be older than the last erasure, and know people again."""
        from pipelines.erasure.rewriting import rewrite
        from pipelines.loading.tombstones import restore_from_file

        if restore_from_file(settings, self):
            self.db.close()
            rewrite(self.path, threads=settings.threads, memory_limit=settings.memory_limit)
            self.db = self._connect(settings)

    def _ensure_salt(self) -> str:
        salt = self.value("select value from meta where key = 'salt'")
        if salt is None:
            salt = secrets.token_hex(16)
            with self.transaction():
                self.db.execute(
                    "insert into meta values ('salt', ?), ('format', ?)", [salt, FORMAT]
                )
        return str(salt)

    def _add_version(self, plan_id: str | None, change: str, now: datetime) -> None:
        self.db.execute(
            "insert into versions values (?, ?, ?, ?)", [self.version + 1, plan_id, change, now]
        )

    def _merge_changes(self) -> None:
        """Fold acknowledged property changes into `property_state` (last one wins)."""
        if not self.value("select count(*) from property_changes"):
            return
        with self.transaction():
            self.db.execute(read_sql(MERGE_CHANGES))

"""A build is made beside the last one and takes its place when it is done: all of it or nothing.

Until then, and after a build that failed or was killed, the last one is read. What such a build had
made stays in `building/` for a look, until the next build or an erasure.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pipelines.built.quoting import literal, quoted
from pipelines.built.whole import find_whole
from pipelines.errors import CounterfoilError
from pipelines.settings import Settings

FOLDER = "building"

HELD_AGAINST = (("identity", "int_identity__rules"),)
"""Relations of the last build that one made anew has too: the primary identifier does not change
without a migration, however a build is made."""


def manifests(settings: Settings) -> tuple[Path, ...]:
    """Where the manifest of the build in the warehouse may be.

    Two files cannot change at one instant: while they do, and for a reader who opened the build
    before, one of the others is of the very build that is read.
    """
    home = settings.home
    return (home / "manifest.json", home / FOLDER / "manifest.json", home / FOLDER / "former.json")


@dataclass(frozen=True)
class NextBuild:
    """The files of a build that is being made."""

    settings: Settings
    warehouse: Path

    def take_place(self, manifest: Path, build_id: str) -> None:
        """Put the build where it is read; one that is whole brings dbt's manifest with it."""
        kept, made, former = manifests(self.settings)
        _fold_log(self.warehouse)
        whole = _mark(self.warehouse)
        if whole is not None and whole == build_id:
            shutil.copyfile(manifest, made)
            if kept.exists():
                kept.replace(former)
        self.warehouse.replace(self.settings.warehouse_path)
        if made.exists():
            made.replace(kept)


@contextmanager
def next_build(settings: Settings, *, anew: bool) -> Iterator[NextBuild]:
    """Room for a build that starts from the last one, or `anew` from nothing.

    The last one stays open for reading, so that nobody writes it meanwhile.

    Raises:
        duckdb.IOException: somebody writes the last one, or it is no database.
    """
    discard_unfinished(settings)
    folder = settings.home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    made = NextBuild(settings, folder / settings.warehouse_path.name)
    with _held(settings.warehouse_path, is_needed=not anew):
        if settings.warehouse_path.exists():
            if anew:
                _carry_over(settings.warehouse_path, made.warehouse)
            else:
                shutil.copyfile(settings.warehouse_path, made.warehouse)
        yield made


def discard_unfinished(settings: Settings) -> None:
    """Remove what a build that failed or was killed had made.

    Raises:
        CounterfoilError: it cannot be removed.
    """
    folder = settings.home / FOLDER
    if not folder.exists():
        return
    kept, *others = manifests(settings)
    mark = _mark(settings.warehouse_path)
    if mark is not None and _build_of(kept) != mark:  # killed between the two files
        for path in others:
            if _build_of(path) == mark:
                path.replace(kept)
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise CounterfoilError(
            f"What a build left in {folder} cannot be removed ({error.strerror}): remove it, or "
            "check the permissions of the state folder."
        ) from error


def _carry_over(former: Path, made: Path) -> None:
    """Give a build that is made anew what it is held against, where the last one can be read."""
    import duckdb

    with duckdb.connect(str(made)) as db, suppress(duckdb.Error):
        db.execute(f"attach {literal(str(former))} as former (read_only)")
        for schema, table in HELD_AGAINST:
            place = f"{quoted(schema)}.{quoted(table)}"
            db.execute(f"create schema if not exists {quoted(schema)}")
            db.execute(f"create table {place} as from former.{place}")


@contextmanager
def _held(path: Path, *, is_needed: bool) -> Iterator[None]:
    """Keep a database, where there is one, from being written; a damaged one only if needed."""
    import duckdb

    with ExitStack() as stack:
        try:
            if path.exists():
                _fold_log(path)
                stack.callback(duckdb.connect(str(path), read_only=True).close)
        except duckdb.Error as error:
            if is_needed or "lock" in str(error):
                raise
        yield


def _fold_log(path: Path) -> None:
    """Bring what a kill left in a database's log into its file: they are moved without it."""
    import duckdb

    if path.with_name(path.name + ".wal").exists():
        duckdb.connect(str(path)).close()


def _mark(path: Path) -> str | None:
    """The id of the whole build in a warehouse; None where there is none, or it cannot be read."""
    import duckdb

    if not path.exists():
        return None
    try:
        with duckdb.connect(str(path), read_only=True) as db:
            whole = find_whole(db)
    except duckdb.Error:
        return None
    return whole.build_id if whole else None


def _build_of(manifest: Path) -> str | None:
    try:
        said = json.loads(manifest.read_bytes())["metadata"]["invocation_id"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return str(said)

"""Why a database of the home cannot be opened or read: each cause its sentence, for everybody."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import CounterfoilError
from pipelines.home import OWN_IT, PARTIAL, UNFINISHED
from pipelines.room import disk_full, is_disk_full

if TYPE_CHECKING:
    from pipelines.settings import Settings

REBUILT = "move it away and build again, it is made from raw.duckdb"
AGAIN = {
    "raw.duckdb": "move it away and load again, it is rebuilt from the exports",
    "ledger.duckdb": (
        "restore it from its newest back-up (who was erased since is caught up with; what was "
        "acknowledged since is said again under the same keys)"
    ),
}
"""How a database comes back. The ledger is the only one that nothing can make anew."""

_DAMAGED = (
    "not a valid duckdb", "corrupt", "could not read enough bytes", "checksum",
    "failure while replaying wal",
)  # fmt: skip


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Open or attach a database in the block; whatever keeps it from that is told by its cause.

    Raises:
        CounterfoilError: it is used by somebody else, damaged, of another version, not ours to
            read, or the disk is full.
    """
    import duckdb

    try:
        yield
    except (duckdb.Error, OSError) as error:
        raise explain_opening(path, error) from error


def ensure_database(path: Path) -> None:
    """Let an empty database be there, where nothing is: whole, or not at all after a kill.

    Raises:
        duckdb.Error, OSError: it cannot be made.
    """
    import duckdb

    if os.path.lexists(path):
        return
    begun = path.with_name(f"{UNFINISHED}{path.name}{PARTIAL}")
    begun.unlink(missing_ok=True)
    duckdb.connect(str(begun)).close()
    begun.replace(path)


def require_sound(settings: Settings) -> None:
    """Make sure that what is not there is not there, before a command takes it for a fresh start.

    A link that leads nowhere looks like nothing: a person would count as unknown, or as erased,
    because the disk with the database was away.

    Raises:
        CounterfoilError: the home is no folder, or may not be entered; or a database in it is a
            link that leads nowhere.
    """
    try:
        with os.scandir(settings.home) as found:
            lost = [
                Path(entry.path)
                for entry in found
                if entry.name.endswith(".duckdb")
                and entry.is_symlink()
                and not Path(entry.path).exists()
            ]
    except FileNotFoundError:
        return
    except OSError as error:
        raise CounterfoilError(
            f"The state folder cannot be read or written ({error.strerror}): {OWN_IT}."
        ) from error
    for path in sorted(lost):
        raise CounterfoilError(
            f"{path} is a link that leads nowhere: bring back what it leads to; where it is lost, "
            f"{AGAIN.get(path.name, REBUILT)}."
        )


def explain_opening(path: Path, error: BaseException) -> CounterfoilError:
    """One sentence for a database that cannot be opened."""
    text = str(error).lower()
    again = AGAIN.get(path.name, REBUILT)
    if is_disk_full(error):
        return disk_full(path.parent)
    if "lock" in text and "block" not in text:
        holder = re.search(r"held in (.+?) \(PID (\d+)\)", str(error))
        who = f"{Path(holder[1]).name} (process {holder[2]})" if holder else "another process"
        said = f"is in use by {who}: close it or wait until it has finished, then run this again"
    elif "different configuration" in text:
        said = "is in use by this very process: close it there, then run this again"
    elif is_damage(error):
        said = f"is not a DuckDB database, or damaged: {again}"
    elif "newer version" in text or "older version" in text:
        said = f"was written by another version of DuckDB: {again}"
    elif "permission denied" in text or "read-only" in text or isinstance(error, PermissionError):
        said = f"cannot be opened (permission denied): {OWN_IT}"
    elif "is a directory" in text:
        said = f"is a folder and no database: {again}"
    else:
        said = f"cannot be opened ({type(error).__name__}): if it is damaged, {again}"
    return CounterfoilError(f"{path} {said}.")


def explain_unexpected(settings: Settings, error: BaseException) -> CounterfoilError | None:
    """A sentence for an engine's error that came up in the middle of the work; None: not one.

    Damage in the middle of a file shows when that part is read, and then names no file: so each of
    the three is read once.
    """
    import duckdb

    if is_disk_full(error):
        return disk_full(settings.home)
    if not isinstance(error, duckdb.Error):
        return None
    text, said = str(error).lower(), ""
    if isinstance(error, duckdb.OutOfMemoryException) or "out of memory" in text:
        said = (
            f"This needs more memory than {settings.memory_limit}: raise COUNTERFOIL_MEMORY_LIMIT, "
            "or lower COUNTERFOIL_THREADS."
        )
    elif "permission denied" in text or "read-only file" in text:
        said = f"The state folder {settings.home} cannot be written (permission denied): {OWN_IT}."
    if said:
        return CounterfoilError(said)
    if not is_damage(error):
        return None
    for path in sorted(settings.home.glob("*.duckdb")):
        try:
            _read_whole(path)
        except duckdb.Error as found:
            if is_damage(found):
                return explain_opening(path, found)
    return CounterfoilError(
        f"A database in {settings.home} cannot be read any more: run `counterfoil load` and "
        "`counterfoil build`, and restore ledger.duckdb from its back-up if they say nothing."
    )


def is_damage(error: BaseException) -> bool:
    """Whether DuckDB says that a file is not what it wrote."""
    text = str(error).lower()
    return any(word in text for word in _DAMAGED)


def _read_whole(path: Path) -> None:
    import duckdb

    from pipelines.built.quoting import quoted

    with duckdb.connect(str(path), read_only=True) as db:
        for schema, table in db.execute(
            "select schema_name, table_name from duckdb_tables()"
        ).fetchall():
            place = f"{quoted(schema)}.{quoted(table)}"
            db.execute(f"select bit_xor(hash(held)) from {place} as held").fetchall()

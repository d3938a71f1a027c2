"""Files below the home: which of them are ours, and how a person leaves them.

Ours is what stands here by folder and name and, where rows go from it, begins as ours do.
Everything else, and every file that a load would read, is somebody's and is left as it is. Ours
are rewritten without the person; what the next build makes anew is removed.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from pipelines.erasure.filelines import OLD_AND_NEW, begins_sheet, without_person
from pipelines.erasure.person import Person
from pipelines.erasure.searching import names_person
from pipelines.errors import CounterfoilError
from pipelines.heap.planfile import begins_plan
from pipelines.home import UNFINISHED
from pipelines.loading import rawfiles
from pipelines.settings import PROJECT_DIR, Settings

Care = Literal["rewrite", "remove", "discard", "leave"]
"""What becomes of a file: rewritten without the person; removed when it names them (the next build
makes it anew); removed in any case (a leftover); left."""

DATABASE = ".duckdb"
"""How the name of a database ends, with its log beside it: rewritten elsewhere."""
LEFTOVERS = ("dlt/", ".app_api_", "tmp/rows/")
ENGINE_LEFTOVER = re.compile(r"(spill|tmp|[^/]*\.tmp)/(.*/)?duckdb_temp[^/]*")
"""What DuckDB spills to disk, and where."""
ANEW = re.compile(r"(target|definitions)/.+|registries/[0-9a-f]{16}/[^/]+|docs/index\.html")
REWRITTEN = (
    "plans/*.jsonl", "reviews/*.html", "reviews/*.json", "reviews/*.md", "logs/*.log*",
    "migrations/*.csv", "erasures/erasure-*.json", "identity_sample.csv", "manifest.json",
)  # fmt: skip
BEGINS: dict[str, Callable[[IO[bytes]], bool]] = {
    "plans/*.jsonl": begins_plan,
    "migrations/*.csv": partial(begins_sheet, columns=OLD_AND_NEW),
}
"""What tells a file of ours, from which rows go, from somebody's in the same folder."""


@dataclass(frozen=True)
class HomeFile:
    """A file, the name it is told by, and what becomes of it."""

    path: Path
    name: str
    care: Care


def home_files(settings: Settings) -> list[HomeFile]:
    """Every file below the home but databases, rows in files and salted hashes; and our logs."""
    from pipelines.loading import recognise

    found = []
    for folder, names in _folders(settings.home):
        for name in names:
            path = folder / name
            if not path.is_file():
                continue
            place = PurePosixPath(path.relative_to(settings.home).as_posix())
            if len(place.parts) == 1 and (
                name.removesuffix(".wal").endswith(DATABASE)
                or name.endswith(".lock")
                or name.startswith("tombstones.")
            ):
                continue
            if rawfiles.is_ours(place):  # tables
                continue
            if place.parts[0] == "erasures" and ".unfinished" in name:
                continue
            care = _care(path, place)
            if care != "discard" and (path.is_symlink() or recognise(place) is not None):
                care = "leave"
            found.append(HomeFile(path, str(place), care))
    logs = PROJECT_DIR / "logs"
    if settings.home.is_relative_to(PROJECT_DIR) and logs.is_dir():
        found += [HomeFile(p, f"logs/{p.name}", "rewrite") for p in logs.glob("*.log*")]
    return sorted(found, key=lambda file: file.name)


def home_folders(settings: Settings) -> list[PurePosixPath]:
    """Every folder below the home, as it is told, also an empty one."""
    return sorted(
        PurePosixPath(folder.relative_to(settings.home).as_posix())
        for folder, _ in _folders(settings.home)
        if folder != settings.home
    )


def _folders(home: Path) -> Iterator[tuple[Path, list[str]]]:
    """Every folder from the home down, links followed, with the names in it that are no folders."""
    visited: set[str] = set()
    for folder, folders, names in os.walk(home, followlinks=True):
        real = os.path.realpath(folder)
        if real in visited:  # a link back up
            folders.clear()
            continue
        visited.add(real)
        yield Path(folder), names


def _care(path: Path, place: PurePosixPath) -> Care:
    top = place.parts[0]
    if str(place).startswith(LEFTOVERS) or ENGINE_LEFTOVER.fullmatch(str(place)):
        return "discard"
    if place.suffix == ".partial":  # a file of ours that was being written when something stopped
        whole = place.with_suffix("")
        is_ours = (
            top.removesuffix(".partial").endswith(DATABASE)
            or place.name.startswith(UNFINISHED)
            or _care(path.with_suffix(""), whole) == "rewrite"
        )
        return "discard" if is_ours else "leave"
    if ANEW.fullmatch(str(place)):
        return "remove"
    for pattern in REWRITTEN:
        if len(place.parts) == pattern.count("/") + 1 and place.match(pattern):
            return "rewrite" if _is_begun_by_us(path, pattern) else "leave"
    return "leave"


def _is_begun_by_us(path: Path, pattern: str) -> bool:
    """Whether a file begins as ours do; one that cannot be read is told when it is rewritten."""
    begins = BEGINS.get(pattern)
    try:
        with path.open("rb") as content:
            return begins is None or begins(content)
    except OSError:
        return True


def clean_files(
    settings: Settings, person: Person, removed: dict[str, int], rewritten: dict[str, int]
) -> None:
    """Take a person out of every file that is ours; counts by folder.

    Raises:
        CounterfoilError: one of them may not be read or written.
    """
    for file in home_files(settings):
        try:
            _clean_file(file, person, removed, rewritten)
        except OSError as error:
            raise CounterfoilError(
                f"A file in {file.name.rpartition('/')[0] or 'the home'} cannot be rewritten "
                f"({error.strerror}): make it writable, then run `counterfoil erase` again."
            ) from error


def _clean_file(
    file: HomeFile, person: Person, removed: dict[str, int], rewritten: dict[str, int]
) -> None:
    folder = file.name.split("/")[0] if "/" in file.name else "home"
    if file.care == "discard":
        file.path.unlink(missing_ok=True)
    elif file.care == "remove" and names_person(file.path, person):
        file.path.unlink(missing_ok=True)
        removed[folder] = removed.get(folder, 0) + 1
        if folder == "registries":
            # the folder's name stands for what is in it: all of it or nothing
            shutil.rmtree(file.path.parent, ignore_errors=True)
    elif file.care == "rewrite":
        outcome = without_person(file.path, person)
        if outcome == "removed":
            removed[folder] = removed.get(folder, 0) + 1
        elif outcome == "rewritten":
            rewritten[folder] = rewritten.get(folder, 0) + 1

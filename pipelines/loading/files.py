"""Finding files: in folders and behind URLs, at any depth, and telling new ones from known ones."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from pipelines.encoding import is_utf8
from pipelines.errors import CounterfoilError, UsageError
from pipelines.loading import contents
from pipelines.loading.contents import NO_FILE, Held, Unreadable
from pipelines.loading.families import FileName

Recognise = Callable[[PurePosixPath], FileName | None]

NOT_NAMED = "its name, or that of a folder above it, is not in UTF-8: rename it"
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


@dataclass(frozen=True)
class Found:
    """A file as listed. `stamp` changes whenever the file does; `path` is where it can be read.

    `folder` is where it lies within its export, and empty at the top.

    Without a `stamp`, or without a `content_hash`, nothing of it is remembered.
    """

    location: str
    name: str
    kind: FileName
    size: int
    stamp: str
    modified_at: datetime | None
    path: Path | None = None
    folder: str = ""
    content_hash: str = ""
    rows: int = 0
    remote: Any = field(default=None, compare=False, repr=False)
    held: Held | None = field(default=None, compare=False, repr=False)


@dataclass
class Listing:
    """What the exports hold: files of known families, names of the others, and the roots searched.

    `roots` are prefixes of `Found.location`.
    """

    found: list[Found] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    roots: list[str] = field(default_factory=list)

    def covers(self, location: str) -> bool:
        """Whether a file at `location` would have been found."""
        return any(location == root or location.startswith(f"{root}/") for root in self.roots)


def find(exports: list[str], recognise: Recognise) -> Listing:
    """List every export.

    Raises:
        UsageError: an export is not there, is of no known kind, or holds nothing recognisable.
        CounterfoilError: an export may not be read.
    """
    listing = Listing()
    seen: set[str] = set()
    for export in exports:
        for location, make in _entries(export, listing):
            if location in seen:
                continue
            seen.add(location)
            # DuckDB cannot open, nor record, a name that is not UTF-8
            spelt = location.encode("utf-8", "replace").decode()
            kind = recognise(PurePosixPath(spelt))
            if kind is None:
                listing.unknown.append(PurePosixPath(spelt).name)
            elif not is_utf8(location):
                name = PurePosixPath(spelt).name
                listing.found.append(Found(spelt, name, kind, -1, "", None))
            else:
                made = make(kind)
                listing.found.append(replace(made, stamp=made.stamp and kind.marked(made.stamp)))
    if not listing.found:
        raise UsageError(
            "Nothing to load: no file there is named like a Customer.io, behavior or Heap Connect"
            " file (see pipelines/loading/sources/README.md for the names)."
        )
    listing.found.sort(key=lambda found: (found.kind.file_sequence or 0, found.name))
    listing.unknown.sort()
    return listing


def _entries(export: str, listing: Listing) -> Iterator[tuple[str, Callable[[FileName], Found]]]:
    url = _URL.match(export)
    scheme = url[1].lower() if url else ""
    if scheme in ("", "file"):
        return _local(_local_path(export) if scheme else _given_path(export), listing)
    from pipelines.loading import remote

    if scheme in remote.EXTRAS:
        return remote.entries(scheme + export[len(scheme) :], scheme, listing)
    raise UsageError(
        f"An export cannot be read from `{scheme}://`: give a folder, or a URL that starts with"
        " file, s3, gs or az."
    )


def shown(export: str) -> str:
    """`export` without credentials, for messages."""
    if not _URL.match(export):
        return export
    try:
        parts = urlsplit(export)
    except ValueError:
        return f"{export.partition('://')[0]}://"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _given_path(export: str) -> Path:
    # an empty text would be the folder that one happens to stand in
    if not export or "\0" in export:
        raise UsageError("An export is a folder, a file or a URL: an empty one was given.")
    try:
        return Path(export).expanduser()
    except RuntimeError as error:
        raise UsageError(
            f"There is no export at {export} (nobody here has that name): give the folder that"
            " holds the export files."
        ) from error


def _local_path(url: str) -> Path:
    # by hand: a ? or # is part of a file's name, and urlsplit would end the path there
    host, slash, path = url.partition("://")[2].partition("/")
    path = unquote(slash + path, errors="surrogateescape")
    if host not in ("", "localhost") or not path or "\0" in path:
        raise UsageError("A file URL names a folder of this machine: file:///path/to/export.")
    return Path(path)


def _local(folder: Path, listing: Listing) -> Iterator[tuple[str, Callable[[FileName], Found]]]:
    # resolved, so that the same folder under two names is one
    folder = Path(os.path.realpath(folder))
    try:
        mode = folder.stat().st_mode
    except OSError as error:
        raise UsageError(
            f"There is no export at {folder} ({_plain(error)}): give the folder that holds the"
            " export files."
        ) from error
    listing.roots.append(str(folder))
    if not stat.S_ISDIR(mode):
        yield str(folder), _stat_maker(folder)
        return

    def refuse(error: OSError) -> None:
        raise CounterfoilError(
            f"The folder {error.filename} cannot be read ({_plain(error)}): give this user"
            " permission to read it, or leave it out."
        ) from error

    visited: set[str] = set()
    for parent, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        real = os.path.realpath(parent)
        if real in visited:  # a link back up
            folders.clear()
            continue
        visited.add(real)
        inside = os.path.relpath(parent, folder).removeprefix(os.curdir)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent) / name
            if not name.startswith(".") and not path.is_dir():
                yield str(path), _stat_maker(path, inside)


def _stat_maker(path: Path, folder: str = "") -> Callable[[FileName], Found]:
    def make(kind: FileName) -> Found:
        try:
            status = path.stat()
        except OSError:  # a dangling link: reading it will say so
            return Found(str(path), path.name, kind, -1, "", None, path, folder)
        return Found(
            location=str(path),
            name=path.name,
            kind=kind,
            size=status.st_size if stat.S_ISREG(status.st_mode) else -1,
            stamp=str(status.st_mtime_ns),
            modified_at=_instant(status.st_mtime),
            path=path,
            folder=folder,
        )

    return make


def bring(found: Found, folder: Path, number: int) -> Found:
    """A readable, hashed copy of `found`: itself when local, else downloaded under `folder`.

    Its size and stamp are those of what was hashed.

    Raises:
        Unreadable: it cannot be opened, or not be read whole.
    """
    if found.remote is not None:
        from pipelines.loading import remote

        return remote.bring(found, folder / str(number))
    if found.path is None:
        raise Unreadable(NOT_NAMED)
    if found.size < 0:
        raise Unreadable(NO_FILE)
    try:
        held = contents.read(found.path)
    except OSError as error:
        raise Unreadable(f"it cannot be opened ({_plain(error)})") from error
    return replace(
        found,
        size=held.size,
        stamp=held.stamp and found.kind.marked(held.stamp),
        modified_at=_instant(held.modified),
        content_hash=found.kind.marked(held.content_hash),
        held=held,
    )


def is_unchanged(found: Found) -> bool:
    """Whether what was hashed is still what stands there; a download is ours and stays."""
    return found.held is None or contents.is_as_held(found.held)


def not_its_fault(found: Found) -> Found:
    """`found` as a file that may be read next time as it is: nothing of it is remembered."""
    return replace(found, content_hash="", stamp="")


def blamed(found: Found, reason: str) -> tuple[Found, str]:
    """What is said of a file that stays out: nothing of one that is another by now."""
    return (found, reason) if is_unchanged(found) else (not_its_fault(found), contents.CHANGED)


def _instant(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):  # a time of change can be any number
        return None


def _plain(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()

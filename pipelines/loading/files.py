"""Finding files: in folders and behind URLs, at any depth, and telling new ones from known ones."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pipelines.errors import CounterfoilError, UsageError
from pipelines.loading.families import FileName
from pipelines.opening import disk_full, is_disk_full
from pipelines.paths import is_plain

if TYPE_CHECKING:
    import fsspec

Recognise = Callable[[PurePosixPath], FileName | None]

LONGEST_NAME = 255  # bytes; object stores allow more than file systems do
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")

# URL scheme -> the extra that brings its file system; memory is fsspec's own, for trying things
EXTRAS = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gs",
    "gcs": "gs",
    "az": "az",
    "abfs": "az",
    "abfss": "az",
    "memory": "",
}


@dataclass(frozen=True)
class Found:
    """A file as listed. `stamp` changes whenever the file does; `path` is where it can be read."""

    location: str
    name: str
    kind: FileName
    size: int
    stamp: str
    modified_at: datetime | None
    path: Path | None = None
    content_hash: str = ""
    rows: int = 0
    remote: Any = field(default=None, compare=False, repr=False)


@dataclass
class Listing:
    """What the exports hold: files of known families, names of the others, and the roots searched.

    `roots` are prefixes of `Found.location`.
    """

    found: list[Found] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    roots: list[str] = field(default_factory=list)


def find(exports: list[str], recognise: Recognise) -> Listing:
    """List every export.

    Raises:
        UsageError: an export is not there, is of no known kind, or holds nothing recognisable.
        CounterfoilError: an export may not be read.
    """
    listing = Listing()
    seen: set[str] = set()
    for export in exports:
        url = _URL.match(export)
        scheme = url[1].lower() if url else ""
        if scheme in ("", "file"):
            folder = _local_path(export) if scheme else Path(export).expanduser()
            entries = _local(folder, listing)
        elif scheme in EXTRAS:
            entries = _remote(export, scheme, listing)
        else:
            raise UsageError(
                f"An export cannot be read from `{scheme}://`: give a folder, or a URL that starts"
                " with file, s3, gs or az."
            )
        for location, make in entries:
            if location in seen:
                continue
            seen.add(location)
            kind = recognise(PurePosixPath(location)) if _is_text(location) else None
            if kind is None:
                name = PurePosixPath(location).name
                listing.unknown.append(name.encode("utf-8", "replace").decode())
            else:
                listing.found.append(make(kind))
    if not listing.found:
        raise UsageError(
            "Nothing to load: no file there is named like a Customer.io, behavior or Heap Connect"
            " file (see pipelines/loading/sources/README.md for the names)."
        )
    listing.found.sort(key=lambda found: (found.kind.file_sequence or 0, found.name))
    listing.unknown.sort()
    return listing


def _is_text(location: str) -> bool:
    """Whether the name is UTF-8: DuckDB cannot open, nor record, any other."""
    try:
        location.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(export: str) -> str:
    """`export` without credentials, for messages."""
    if not _URL.match(export):
        return export
    try:
        parts = urlsplit(export)
    except ValueError:
        return f"{export.partition('://')[0]}://"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _local_path(url: str) -> Path:
    # by hand: a ? or # is part of a file's name, and urlsplit would end the path there
    host, slash, path = url.partition("://")[2].partition("/")
    if host not in ("", "localhost"):
        raise UsageError("A file URL names a folder of this machine: file:///path/to/export.")
    return Path(unquote(slash + path, errors="surrogateescape"))


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
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent) / name
            if not name.startswith(".") and not path.is_dir():
                yield str(path), _stat_maker(path)


def _stat_maker(path: Path) -> Callable[[FileName], Found]:
    def make(kind: FileName) -> Found:
        try:
            status = path.stat()
        except OSError:  # a dangling link: reading it will say so
            return Found(str(path), path.name, kind, -1, "", None, path)
        return Found(
            location=str(path),
            name=path.name,
            kind=kind,
            size=status.st_size if stat.S_ISREG(status.st_mode) else -1,
            stamp=str(status.st_mtime_ns),
            modified_at=datetime.fromtimestamp(status.st_mtime, UTC).replace(tzinfo=None),
            path=path,
        )

    return make


def _remote(
    url: str, scheme: str, listing: Listing
) -> Iterator[tuple[str, Callable[[FileName], Found]]]:
    import fsspec

    try:
        system, root = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise UsageError(
            f"Reading {scheme}:// needs one more package: pip install"
            f" 'counterfoil[{EXTRAS[scheme]}]'."
        ) from error
    except Exception as error:
        raise _unreachable(url, error) from error
    try:
        system.invalidate_cache()
        entries = system.find(root, detail=True)
    except Exception as error:
        raise _unreachable(url, error) from error
    if not entries:
        raise UsageError(f"There is no export at {shown(url)}: the folder is empty or missing.")
    prefix = f"{scheme}://"
    listing.roots.append(prefix + str(root).rstrip("/"))
    for path, facts in sorted(entries.items()):
        relative = path.removeprefix(str(root)).split("/")
        if not any(part.startswith(".") for part in relative):
            yield prefix + path, _remote_maker(prefix, system, path, facts)


def _remote_maker(
    prefix: str, system: fsspec.AbstractFileSystem, path: str, facts: dict[str, Any]
) -> Callable[[FileName], Found]:
    def make(kind: FileName) -> Found:
        times = (facts.get(key) for key in ("mtime", "LastModified", "last_modified", "updated"))
        modified = next((time for time in times if time), facts.get("created"))
        mark = facts.get("ETag") or facts.get("etag") or facts.get("md5Hash") or ""
        modified_at = None
        if isinstance(modified, datetime):
            modified_at = modified.astimezone(UTC).replace(tzinfo=None)
        return Found(
            location=prefix + path,
            name=PurePosixPath(path).name,
            kind=kind,
            size=int(facts.get("size") or 0),
            stamp=f"{mark} {modified or ''}".strip(),
            modified_at=modified_at,
            remote=(system, path),
        )

    return make


def _unreachable(url: str, error: Exception) -> CounterfoilError:
    if isinstance(error, FileNotFoundError):
        return UsageError(f"There is no export at {shown(url)}: check the address.")
    if isinstance(error, PermissionError) or "credential" in type(error).__name__.lower():
        return CounterfoilError(
            f"{shown(url)} may not be read: give this machine credentials that may list and read"
            " it."
        )
    return CounterfoilError(
        f"{shown(url)} cannot be read ({type(error).__name__}): check the address, the credentials"
        " and the network, and run it again."
    )


class Unreadable(Exception):
    """A file that cannot be opened at all; the message is a reason for the quarantine."""


def bring(found: Found, folder: Path, number: int) -> Found:
    """A readable, hashed copy of `found`: itself when local, else downloaded under `folder`.

    Raises:
        Unreadable: it cannot be opened.
    """
    path = found.path
    if found.size < 0:
        raise Unreadable("it is not a readable file (a dangling link or a special file)")
    try:
        if path is None:
            system, source = found.remote
            # under its own name where that can be one here
            fits = is_plain(found.name) and len(found.name.encode()) <= LONGEST_NAME
            path = folder / str(number) / (found.name if fits else "file")
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                system.get_file(source, str(path))
            except OSError as error:
                if is_disk_full(error):
                    raise disk_full(folder) from error
                raise
            except Exception as error:
                raise Unreadable(f"it could not be downloaded ({type(error).__name__})") from error
        with path.open("rb") as handle:
            return replace(
                found, path=path, content_hash=hashlib.file_digest(handle, "sha256").hexdigest()
            )
    except OSError as error:
        raise Unreadable(f"it cannot be opened ({_plain(error)})") from error


def _plain(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()

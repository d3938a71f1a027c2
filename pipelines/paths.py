"""Paths as DuckDB takes them: a path in its SQL is a pattern, where a name may be anything."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pipelines.errors import CounterfoilError

Plain = Callable[[Path], Path]

# what can stand for nothing but itself; brackets do escape, but not beside a backslash
_PLAIN = re.compile(r"[\w/. =-]+")


def is_plain(path: Path | str) -> bool:
    """Whether `path` holds nothing that DuckDB could take for a pattern or an address."""
    return _PLAIN.fullmatch(str(path)) is not None


def can_hold_database(folder: Path) -> bool:
    """Whether DuckDB can open a database in `folder`: it ends a path at ?, and turns \\ into /."""
    return not set("?\\") & set(str(folder.resolve()))


@contextmanager
def plain_paths(near: Path | None = None) -> Iterator[Plain]:
    """A function that gives every path a plain one: itself, or one through a link.

    A file of a plain name in an odd folder keeps its name. The links go when the block ends.

    Args:
        near: the folder for the links, where its own path is plain; else the system's for scratch.

    Raises:
        CounterfoilError: by the function, when there is no plain folder to put a link into.
    """
    links: dict[Path, Path] = {}
    with ExitStack() as stack:
        folders: list[Path] = []

        def link(path: Path) -> Path:
            if path not in links:
                if not folders:
                    made = tempfile.TemporaryDirectory(prefix="counterfoil-", dir=_folder(near))
                    folders.append(Path(stack.enter_context(made)))
                links[path] = folders[0] / str(len(links))
                links[path].symlink_to(path)
            return links[path]

        def plain(path: Path) -> Path:
            if is_plain(path):
                return path
            path = path.absolute()
            return link(path.parent) / path.name if is_plain(path.name) else link(path)

        yield plain


def _folder(near: Path | None) -> Path:
    for folder in (near, Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):
        if folder is not None and is_plain(folder) and os.access(folder, os.W_OK | os.X_OK):
            return folder.absolute()
    raise CounterfoilError(
        "A file or folder has a name with signs that DuckDB reads as a pattern, and there is no"
        " folder for a link to it: set TMPDIR to a folder with a plain name."
    )

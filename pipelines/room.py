"""Room on disk: known when it is gone, whoever says it, and told in one sentence."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import CounterfoilError

_NUMBERS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_WORDS = ("no space left", "disk quota", "not enough disk", "file too large", "out of disk")


def is_disk_full(error: BaseException) -> bool:
    """Whether `error`, from the system or from DuckDB, says that no space is left."""
    text = str(error).lower()
    return getattr(error, "errno", None) in _NUMBERS or any(words in text for words in _WORDS)


def disk_full(folder: Path) -> CounterfoilError:
    """The sentence for a full disk, with what is left and where."""
    try:
        left = f"{shutil.disk_usage(folder).free / 1e6:,.0f} MB left"
    except OSError:
        left = "none left"
    return CounterfoilError(
        f"The disk that holds {folder} is full ({left}): free some space or set COUNTERFOIL_HOME to"
        " a bigger disk, and run it again; what was done before is safe."
    )


@contextmanager
def told_when_full(folder: Path) -> Iterator[None]:
    """Tell of a full disk in a sentence.

    Raises:
        CounterfoilError: the block found no room in `folder`.
    """
    import duckdb

    try:
        yield
    except (OSError, duckdb.Error) as error:
        if is_disk_full(error):
            raise disk_full(folder) from error
        raise

"""Gzip: whether a file is packed, and how much it may become before it is refused."""

from __future__ import annotations

import zlib
from pathlib import Path

from pipelines.loading import bounds
from pipelines.loading.bounds import MB
from pipelines.loading.files import Found

GZIP = b"\x1f\x8b"
UNSOUND = (OSError, EOFError, zlib.error)
"""What reading a file raises that cannot be opened, or not unpacked to its end."""
CUT_SHORT = "its compression is damaged or it ends too early"
# What deflate can make of a byte at most.
_DEFLATE = 1032
# Where a part ends, what was read of the next ones is copied.
_AT_ONCE = MB // 16


def is_gzip(found: Found) -> bool:
    """Whether it is packed; see `begins_as_gzip`."""
    assert found.path is not None
    return begins_as_gzip(found.path)


def begins_as_gzip(path: Path) -> bool:
    """Whether a file is packed: by its first bytes, for a name says so or not, and may be wrong."""
    try:
        with path.open("rb") as handle:
            return handle.read(len(GZIP)) == GZIP
    except OSError:  # reading it will say so
        return False


def unpacks_too_far(found: Found) -> str | None:
    """The reason why a packed text file is not unpacked to its end, or None.

    Nothing of it is kept, and nothing is read beyond the bound: a bomb costs seconds.
    """
    assert found.path is not None
    if found.kind.reader not in ("csv", "jsonl") or found.size * _DEFLATE <= bounds.UNPACKED_FREELY:
        return None
    if not is_gzip(found):
        return None
    unpacked = 0
    try:
        with found.path.open("rb") as handle:
            stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
            data = b""
            is_between = False
            while data or (data := handle.read(_AT_ONCE)):
                if is_between and not (data := data.lstrip(b"\0")):
                    continue
                is_between = False
                unpacked += len(stream.decompress(data, MB))
                if reason := bounds.unpacks_too_far(found.size, unpacked):
                    return reason
                data = stream.unconsumed_tail
                if stream.eof:
                    data, stream = stream.unused_data, zlib.decompressobj(zlib.MAX_WBITS | 16)
                    is_between = True  # where zeros may stand
    except UNSOUND:  # its reader says what is wrong
        pass
    return None

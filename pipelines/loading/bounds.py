"""How large a thing may be before it is no export any more, whatever it says of itself.

A bound belongs to the file, not to the machine: whoever reads the same file gets the same answer.
"""

from __future__ import annotations

MB = 1024 * 1024

# Redshift ends at 1,600 columns, BigQuery and Snowflake send no table of Heap as wide.
MOST_COLUMNS = 2_000
# One block of an Avro file, unpacked. Writers make blocks of kilobytes, some of a few megabytes.
LARGEST_BLOCK = 128 * MB
# What describes the columns of an Avro or Parquet file, and where they lie.
LARGEST_DESCRIPTION = 64 * MB
# Small files may hold what they like; in a larger one so much from so little is no text.
UNPACKED_FREELY = 256 * MB
MOST_UNPACKED = 250
# Rows whose ids differ take bytes.
ROWS_FREELY = 1_000_000
MOST_ROWS_A_BYTE = 20


def too_wide(columns: int) -> str | None:
    """The reason why a file of so many `columns` is not read, or None."""
    if columns <= MOST_COLUMNS:
        return None
    return f"it has {columns:,} columns, and at most {MOST_COLUMNS:,} are read"


def too_many_rows(rows: int, size: int) -> str | None:
    """The reason why a file of `size` bytes cannot be one of so many `rows`, or None."""
    if rows <= max(ROWS_FREELY, size * MOST_ROWS_A_BYTE):
        return None
    return f"it says that it holds {rows:,} rows, in {size:,} bytes"


def most_unpacked(size: int) -> int:
    """How many bytes of text a file of `size` bytes may hold at most."""
    return max(UNPACKED_FREELY, size * MOST_UNPACKED)


def unpacks_too_far(size: int, unpacked: float) -> str | None:
    """The reason why a file of `size` bytes is not read whose text takes `unpacked`, or None."""
    most = most_unpacked(size)
    if unpacked <= most:
        return None
    return f"{size / MB:,.1f} MB of it unpack to more than {most // MB:,} MB"

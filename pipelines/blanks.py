"""What counts as blank round a value: one notion for loading, erasing and, in SQL, the models.

The same characters stand in macros/cross_db/trimmed.sql; a test holds the two together.
"""

from __future__ import annotations

_RANGES = (
    (0x09, 0x0D), (0x1C, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x180E, 0x180E),
    (0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x2064), (0x2066, 0x2069), (0x3000, 0x3000),
    (0xFEFF, 0xFEFF),
)  # fmt: skip
"""Spaces, ends of lines, and what shows nothing: zero-width characters, marks of direction."""

BLANKS = "".join(chr(code) for first, last in _RANGES for code in range(first, last + 1))
"""What may surround a value without being part of it."""

_CLASS = "".join(f"\\x{{{first:X}}}-\\x{{{last:X}}}" for first, last in _RANGES)


def is_blank_sql(expression: str) -> str:
    """DuckDB's SQL for whether a text is missing, or says nothing."""
    return f"not coalesce(regexp_matches({expression}, '[^{_CLASS}]'), false)"


def trimmed_sql(expression: str) -> str:
    """DuckDB's SQL for a text without the blanks round it."""
    # DuckDB's own trim takes ten times as long when it is given this many characters
    return f"regexp_replace({expression}, '^[{_CLASS}]+|[{_CLASS}]+$', '', 'g')"

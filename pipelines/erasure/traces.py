"""Traces of a person: whose a row is, and where somebody else's row mentions them.

Identifiers are compared whole, never by what they contain. A row is the person's when a column
that says whose it is holds one of their identifiers; an e-mail address in a row that names somebody
else by an id is a mention. A mention is taken out of its cell and the row stays: as a whole cell, a
whole element of a list, a whole leaf of JSON, or a whole word of a text.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipelines.loading.casts import literal
from pipelines.loading.casts import quote as quoted

BLANKS = (
    " \t\n\v\f\r\x85\xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + ("\u2028\u2029\u202f\u205f\u3000\ufeff")
)
"""What may surround an identifier without being part of it."""

COLUMNS = {
    "person_id": ("person_id",),
    "profile": ("node_id",),
    "cio_id": (
        "internal_customer_id", "cio_id", "primary_cio_id", "secondary_cio_id", "kept_cio_id",
        "merged_cio_id", "left_cio_id", "right_cio_id", "last_cio_id", "profile_id",
    ),
    "customer_id": ("customer_id",),
    "anonymous_id": ("anonymous_id",),
    "heap_identity": ("heap_identity",),
    "heap_user_id": ("heap_user_id", "from_heap_user_id", "to_heap_user_id", "node_id"),
    "delivery_id": ("delivery_id",),
    "journey": ("subject_name", "subject_id", "journey_entry_id"),
    "email": ("email", "email_addr", "recipient"),
}  # fmt: skip
"""Columns that say whose row it is, by the kind of identifier they hold."""

HEAP_COLUMNS = {
    "heap_identity": ("identity",),
    "heap_user_id": ("user_id", "from_user_id", "to_user_id"),
}
"""The same in Heap Connect's own tables; elsewhere these names belong to other systems' ids."""

OTHERS = {
    "person_id": ("other_person_id",),
    "cio_id": ("other_cio_id",),
    "heap_user_id": ("surviving_heap_user_id",),
}
"""Columns that hold an identifier of somebody the row is not about."""

BOOKKEEPING = ("_source_file", "file_name", "location")
"""Names of the user's files: they tell which files were loaded, and stay as they are."""

JSON_PLACES: dict[str, dict[str, tuple[str, ...]]] = {
    "data": {
        "cio_id": (
            "$.data.identifiers.cio_id", "$.identifiers.cio_id",
            "$.cio_id", "$.primary.cio_id", "$.secondary.cio_id",
        ),
        "customer_id": (
            "$.data.customer_id", "$.data.identifiers.id", "$.customer_id", "$.identifiers.id",
            "$.primary.id", "$.secondary.id",
        ),
        "delivery_id": ("$.data.delivery_id", "$.delivery_id"),
        "email": (
            "$.data.recipient", "$.data.identifiers.email", "$.data.email_address", "$.recipient",
            "$.identifiers.email", "$.email_address", "$.primary.email", "$.secondary.email",
        ),
    },
    "customer_identifiers": {
        "cio_id": ("$.cio_id",),
        "customer_id": ("$.id",),
        "email": ("$.email",),
    },
}  # fmt: skip
"""Where a reporting webhook, or an activity of the App API, says whose it is."""

ERASED = "(erased)"
"""What stands in a text where a mention was."""


def normalised(kind: str, identifier: str) -> str:
    """The spelling that is compared: trimmed, and lower case for e-mail addresses."""
    text = identifier.strip(BLANKS)
    return lowered(text) if kind == "email" else text


def lowered(text: str) -> str:
    """Lower case a letter at a time, as DuckDB does it."""
    return "".join(letter.lower()[:1] for letter in text)


def normalised_sql(kind: str, expression: str) -> str:
    """SQL for `normalised` of a column."""
    text = f"trim(cast({expression} as varchar), {literal(BLANKS)})"
    return f"lower({text})" if kind == "email" else text


@dataclass(frozen=True)
class Table:
    """A base table: its name, its columns and their types."""

    schema: str
    name: str
    columns: Mapping[str, str]

    @property
    def sql(self) -> str:
        """The quoted name."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def is_heap_connect(self) -> bool:
        """Whether Heap's own names for its users apply."""
        return self.schema == "heap_connect" or self.name.startswith("stg_heap__")

    def owners(self, kind: str) -> list[str]:
        """SQL for every place of the table that says by an identifier of this kind whose it is."""
        names = COLUMNS.get(kind, ())
        if self.is_heap_connect:
            names = (*names, *HEAP_COLUMNS.get(kind, ()))
        found = [quoted(name) for name in names if name in self.columns]
        for column, places in JSON_PLACES.items():
            if is_text(self.columns.get(column, "")):
                found += [
                    f"json_extract_string(try_cast({column} as json), '{path}')"
                    for path in places.get(kind, ())
                ]
        return found

    def texts(self) -> list[str]:
        """Columns in which somebody may be mentioned: texts and lists of texts, e-mail too."""
        ids = {name for kind, names in COLUMNS.items() if kind != "email" for name in names}
        if self.is_heap_connect:
            ids |= {name for names in HEAP_COLUMNS.values() for name in names}
        if {"identifier", "identifier_type"} <= set(self.columns):
            ids.add("identifier")
        return [
            name
            for name, data_type in self.columns.items()
            if is_text(data_type) and name not in ids and not self.is_bookkeeping(name)
        ]

    def is_bookkeeping(self, name: str) -> bool:
        """Whether the column says which files were loaded."""
        return name in BOOKKEEPING or self.name.startswith("_dlt")


def is_text(data_type: str) -> bool:
    """Whether a column of this type holds text, or lists of it."""
    return data_type.rstrip("[]") in ("VARCHAR", "JSON")


def tables(db: Any, *, schemas: tuple[str, ...] = ()) -> list[Table]:
    """Every base table of the connection's own database; people first, then deliveries.

    Whoever is still in these two once their own rows are gone is somebody else.
    """
    found: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, column, data_type in db.execute(
        """
        select
            duckdb_columns.schema_name, duckdb_columns.table_name, column_name,
            duckdb_columns.data_type
        from duckdb_columns()
        inner join duckdb_tables() using (database_name, schema_name, table_name)
        where database_name = current_database() and not duckdb_columns.internal
        order by all
        """
    ).fetchall():
        found.setdefault((schema, table), {})[column] = data_type
    first = {("customerio", "people"): 0, ("customerio", "deliveries"): 1}
    return [
        Table(schema, table, columns)
        for (schema, table), columns in sorted(
            found.items(), key=lambda item: (first.get(item[0], 2), item[0])
        )
        # salted hashes only
        if "tombstones" not in table and (not schemas or schema in schemas)
    ]


@dataclass(frozen=True)
class Mentions:
    """Finds whole identifiers in texts.

    `is_address` is asked about e-mail addresses in lower case, `is_id` about other identifiers as
    they are spelled.
    """

    is_address: Callable[[str], bool]
    is_id: Callable[[str], bool]

    def without(self, value: Any) -> Any:
        """A cell without the mentions; None when it was nothing else; itself when it has none."""
        if isinstance(value, list):
            kept = [self.without(element) for element in value]
            if kept == value:
                return value
            return [
                new for old, new in zip(value, kept, strict=True) if old is None or new is not None
            ]
        if not isinstance(value, str):
            return value
        if self._is_whole(value):
            return None
        if value.lstrip(BLANKS)[:1] in ("{", "[") and _is_json(value):
            return _JSON_TEXT.sub(self._without_leaf, value)
        return self.in_text(value)

    def in_text(self, text: str) -> str:
        """A text without the mentions that stand in it as whole words."""
        if "@" in text:
            text = address_pattern().sub(self._without_address, text)
        return id_pattern().sub(self._without_id, text)

    def _is_whole(self, text: str) -> bool:
        trimmed = text.strip(BLANKS)
        return ("@" in trimmed and self.is_address(lowered(trimmed))) or self.is_id(trimmed)

    def _without_leaf(self, found: re.Match[str]) -> str:
        """A text inside JSON: null for a whole leaf, and the rest byte for byte as it was."""
        text = json.loads(found[1], strict=False)
        is_key = found[2] is not None
        if self._is_whole(text):
            return (json.dumps(ERASED) if is_key else "null") + (found[2] or "")
        kept = self.in_text(text)
        return found[0] if kept == text else json.dumps(kept) + (found[2] or "")

    def _without_address(self, found: re.Match[str]) -> str:
        local, domain = found["local"], found["domain"]
        after = found.string[found.end() : found.end() + len(local)]
        quotes = 0
        while quotes < len(local) and _PAIRS.get(local[quotes]) == after[quotes : quotes + 1]:
            quotes += 1
        address = f"{local[quotes:]}@{domain.rstrip('.-')}"
        if not self.is_address(lowered(address)):
            return found[0]
        return local[:quotes] + ERASED + found[0][len(local) + 1 + len(domain.rstrip(".-")) :]

    def _without_id(self, found: re.Match[str]) -> str:
        word = found[0].rstrip(".:!")
        return ERASED + found[0][len(word) :] if word and self.is_id(word) else found[0]


_JSON_TEXT = re.compile(r'("(?:[^"\\]|\\.)*+")(\s*:)?')
_PAIRS = {"'": "'", "`": "`", "*": "*", "{": "}", "|": "|", "~": "~"}


@cache
def _foreign_stops() -> str:
    """Spaces and punctuation beyond ASCII: no identifier goes on through them."""
    return "".join(
        re.escape(chr(code))
        for code in range(0x80, 0x10000)
        if unicodedata.category(chr(code))[0] in "PZ" or chr(code) in BLANKS
    )


@cache
def address_pattern() -> re.Pattern[str]:
    """An e-mail address with everything that may belong to it.

    The local part is whatever its grammar allows without quotes: `o'ann@…`, `x+ann@…` and
    `a=ann@…` are other addresses than `ann@…`.
    """
    stop = _foreign_stops()
    local = rf'[^\x00-\x20\x7f"<>()\[\],;:\\@{stop}]'
    domain = rf"(?:[A-Za-z0-9_.\-]|[^\x00-\x7f{stop}])"
    return re.compile(
        rf'(?<![^\x00-\x20\x7f"<>()\[\],;:\\{stop}])'
        rf"(?P<local>{local}++)@(?P<domain>{domain}++)(?!@)"
    )


@cache
def id_pattern() -> re.Pattern[str]:
    """A run of whatever ids are made of: letters, digits and the signs that join them."""
    return re.compile(rf"(?:[A-Za-z0-9_\-.:/+@%=~#$&*!|]|[^\x00-\x7f{_foreign_stops()}])++")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def holds_sql(column: str, data_type: str, needles: list[str]) -> str:
    """SQL that is true at least where a cell may mention one of `needles` (lower case)."""
    text = f"cast({quoted(column)} as varchar)" if data_type.endswith("]") else quoted(column)
    tests = [f"contains(lower({text}), {literal(needle)})" for needle in needles]
    # JSON may spell any letter by its number, and a slash with a backslash before it
    tests += [f"contains({text}, '\\u00')", f"contains({text}, '\\/')"]
    return f"coalesce({' or '.join(tests)}, false)"

"""What JSON holds inside, where models read it: each value of its kind, or its line is refused."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.built.quoting import literal
from pipelines.loading.casts import JSON, to_kind
from pipelines.loading.families import Kind
from pipelines.loading.refusing import refuse

# The types of JSON values that need no second look to be of a kind.
_PLAIN: dict[Kind, str] = {
    "id": "'VARCHAR', 'UBIGINT', 'BIGINT', 'NULL'",
    "bigint": "'UBIGINT', 'BIGINT', 'NULL'",
    "bool": "'BOOLEAN', 'NULL'",
}


def checks_inside(column: str, inside: Mapping[str, Kind]) -> list[tuple[str, Kind, str]]:
    """SQL that raises where JSON is no object, or holds a value that is not of its kind.

    Args:
        column: SQL for valid JSON, as text.
        inside: the kind of each value by its keys, with dots between.

    Returns:
        Keys, kind and SQL; no keys for the whole.
    """
    is_object = f"json_type({column}) in ('OBJECT', 'NULL') or {column} in ('[]', '\"\"')"
    none = refuse(literal(""), "it is no object")
    return [
        ("", "json", f"case when not ({is_object}) then {none} end"),
        *(
            (keys, kind, to_kind(kind, f"json_extract({column}, {literal(f'$.{keys}')})", JSON))
            for keys, kind in inside.items()
        ),
    ]


def check_at_once(column: str, inside: Mapping[str, Kind]) -> str:
    """SQL that raises where one of `checks_inside` does: four looks at a value that is plain."""
    are_plain = [f"json_type({column}) = 'OBJECT'"]
    for kind, plain in _PLAIN.items():
        if paths := [literal(f"$.{keys}") for keys, of in inside.items() if of == kind]:
            types = f"json_type({column}, [{', '.join(paths)}])"
            are_plain.append(f"list_has_all([{plain}], list_filter({types}, x -> x is not null))")
    checks = ", ".join(f"cast({sql} as varchar)" for _, _, sql in checks_inside(column, inside))
    return f"case when not ({' and '.join(are_plain)}) then [{checks}] end"

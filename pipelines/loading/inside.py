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

EACH = "[]."
"""Stands between a list and a key of each of its elements."""
MUST = "!"
"""Stands behind keys that must hold a value."""


def checks_inside(column: str, inside: Mapping[str, Kind]) -> list[tuple[str, Kind, str]]:
    """SQL that raises where JSON is no object, or holds a value that is not of its kind.

    Args:
        column: SQL for valid JSON, as text.
        inside: the kind of each value by its keys: see `families.Column`.

    Returns:
        Keys, kind and SQL; no keys for the whole.
    """
    none = refuse(literal(""), "it is no object")
    parents = ["", *_parents(inside)]
    return [
        *(
            (keys, "json", f"case when not ({_is_object(column, keys)}) then {none} end")
            for keys in parents
        ),
        *((keys.rstrip(MUST), kind, _check(column, keys, kind)) for keys, kind in inside.items()),
    ]


def _parents(inside: Mapping[str, Kind]) -> list[str]:
    """The keys of the objects that hold others which models read."""
    return sorted({keys.rpartition(".")[0] for keys in inside if EACH not in keys} - {""})


def _is_object(column: str, keys: str) -> str:
    """SQL for whether an object stands there, or what some writers put for one without keys."""
    part = f"json_extract({column}, {literal(f'$.{keys}')})" if keys else column
    nothing = f"cast({part} as varchar) in ('[]', '\"\"')"
    return f"coalesce(json_type({part}), 'NULL') in ('OBJECT', 'NULL') or {nothing}"


def _check(column: str, keys: str, kind: Kind) -> str:
    of_list, is_list, key = keys.partition(EACH)
    if not is_list:
        path = literal(f"$.{keys.rstrip(MUST)}")
        read = to_kind(kind, f"json_extract({column}, {path})", JSON)
        missing = refuse(literal(""), "it is missing")
        return f"coalesce(cast({read} as varchar), {missing})" if keys.endswith(MUST) else read
    value = f"json_extract(element, {literal(f'$.{key}')})"
    lacking = refuse(literal(""), "an element of the list is no object that has one")
    return f"""case
        when coalesce(json_type({column}, {literal(f"$.{of_list}")}), 'NULL')
            not in ('ARRAY', 'NULL') then [{refuse(literal(""), "it is no list")}]
        else list_transform(
            coalesce(json_extract({column}, {literal(f"$.{of_list}[*]")}), []),
            lambda element: coalesce(cast({to_kind(kind, value, JSON)} as varchar), {lacking})
        )
    end"""


def check_at_once(column: str, inside: Mapping[str, Kind]) -> str:
    """SQL that raises where one of `checks_inside` does: four looks at a value that is plain."""
    are_plain = [f"json_type({column}) = 'OBJECT'"]
    for keys, kind in inside.items():
        of_list, is_list, key = keys.partition(EACH)
        if is_list:  # as many plain ids as there are elements, if there is a list at all
            types = f"json_type({column}, {literal(f'$.{of_list}[*].{key}')})"
            count = f"json_array_length({column}, {literal(f'$.{of_list}')})"
            known = _PLAIN[kind].replace(", 'NULL'", "")
            are_plain.append(
                f"coalesce(json_type({column}, {literal(f'$.{of_list}')}), 'NULL')"
                f" in ('ARRAY', 'NULL') and coalesce({count}, 0)"
                f" = coalesce(len(list_filter({types}, lambda x: x in ({known}))), 0)"
            )
        elif keys.endswith(MUST):
            path = literal(f"$.{keys.rstrip(MUST)}")
            are_plain.append(f"coalesce(json_type({column}, {path}), 'NULL') <> 'NULL'")
    are_plain += [
        f"coalesce(json_type({column}, {literal(f'$.{keys}')}), 'NULL') in ('OBJECT', 'NULL')"
        for keys in _parents(inside)
    ]
    for kind, plain in _PLAIN.items():
        if paths := [
            literal(f"$.{keys.rstrip(MUST)}")
            for keys, of in inside.items()
            if of == kind and EACH not in keys
        ]:
            types = f"json_type({column}, [{', '.join(paths)}])"
            are_plain.append(f"list_has_all([{plain}], list_filter({types}, x -> x is not null))")
    are_plain.append(f"not contains({column}, '\\u0000')")  # as JSON writes a NUL
    checks = ", ".join(f"cast({sql} as varchar)" for _, _, sql in checks_inside(column, inside))
    return f"case when not ({' and '.join(are_plain)}) then [{checks}] end"

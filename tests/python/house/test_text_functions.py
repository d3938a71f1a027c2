"""What engines make differently of texts is written in the way that cures it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.settings import PROJECT_DIR

INSTEAD = {
    "concat": "`||`, which is null on both engines where a part is null, with `coalesce`",
    "concat_ws": "`||`, with `coalesce`",
    "lower": "the macro `lowered`",
    "lcase": "the macro `lowered`",
    "upper": "a macro of its own in macros/cross_db",
    "ucase": "a macro of its own in macros/cross_db",
    "initcap": "a macro of its own in macros/cross_db",
    "trim": "the macro `trimmed`",
    "btrim": "the macro `trimmed`",
    "ltrim": "the macro `trimmed`",
    "rtrim": "the macro `trimmed`",
    "ilike": "the macro `lowered` and `like`",
    "rlike": "a macro of its own in macros/cross_db",
    "regexp_matches": "a macro of its own in macros/cross_db",
    "regexp_replace": "the macro `without`",
    "string_agg": "the macro `joined_text` or `listed_text`",
    "listagg": "the macro `joined_text` or `listed_text`",
}
"""A function of SQL on texts: what is written in its place (docs/scale.md says why)."""

_NAMES = "|".join(INSTEAD)
CALLED = re.compile(rf"(?<![.\w])(?:dbt\.)?({_NAMES})\s*\(|\s(ilike|rlike)\s", re.IGNORECASE)
COMMENTS = re.compile(r"\{#.*?#\}|--[^\n]*", re.DOTALL)


def plain_calls(text: str) -> list[str]:
    """The functions of texts that a template calls by their own name, in their order."""
    return [(a or b).lower() for a, b in CALLED.findall(COMMENTS.sub("", text))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("select concat(a, ':', b)", ["concat"]),
        ("{{ dbt.concat(['a', 'b']) }}", ["concat"]),
        ('{{ hash64("concat(a, b)") }}', ["concat"]),
        ("case LOWER (name) when 'x' then trim(both from name)", ["lower", "trim"]),
        ("where name ilike 'a%'", ["ilike"]),
        ("select {{ lowered(trimmed('a')) }}, a.lower, is_lower(a)", []),
        ('{%- set lines = table.strip() | map("trim") | list -%}', []),
        ("-- concat(a, b)\n{# lower(a) #}", []),
    ],
)
def test_a_plain_call_is_seen(text: str, found: list[str]) -> None:
    assert plain_calls(text) == found


def files() -> list[Path]:
    return sorted(
        file
        for folder in ("models", "macros", "tests/dbt")
        for file in (PROJECT_DIR / folder).rglob("*.sql")
        if file.parent.name != "cross_db"
    )


def test_no_text_is_read_in_the_own_way_of_an_engine() -> None:
    assert len(files()) > 300
    faults = [
        f"{file.relative_to(PROJECT_DIR)} calls {name}: write {INSTEAD[name]}"
        for file in files()
        for name in plain_calls(file.read_text(encoding="utf-8"))
    ]
    assert not faults, "\n".join(faults)

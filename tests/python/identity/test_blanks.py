"""One notion of blank: the models, loading and erasing trim the same characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from types import SimpleNamespace

import duckdb
import jinja2
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from pipelines.blanks import BLANKS, trimmed_sql
from pipelines.erasure.traces import normalised, normalised_sql
from pipelines.loading.casts import to_kind
from pipelines.settings import PROJECT_DIR


def trimmed_by_models(column: str) -> str:
    """The SQL that the models' macro makes of a column on DuckDB."""
    text = (PROJECT_DIR / "macros/cross_db/trimmed.sql").read_text(encoding="utf-8")
    module = jinja2.Environment().from_string(text).make_module({"adapter": SimpleNamespace()})
    return str(module.duckdb__trimmed(column))  # type: ignore[attr-defined]


WAYS = {"models": trimmed_by_models("text"), "loading": trimmed_sql("text")}


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.mark.parametrize("way", WAYS)
def test_each_character_is_blank_to_all_or_to_none(db: duckdb.DuckDBPyConnection, way: str) -> None:
    """Each that there is, but for halves of a pair and the end of a C text."""
    found = db.execute(
        f"""
        with texts as (
            select chr(cast(code as integer)) as letter, letter || 'x' || letter as text
            from range(1, 1114112) as codes(code)
            where code not between 55296 and 57343
        )
        select letter, {WAYS[way]} from texts where {WAYS[way]} <> text
        """
    ).fetchall()
    assert {trimmed for _, trimmed in found} == {"x"}
    assert {letter for letter, _ in found} == set(BLANKS)


def test_every_space_of_unicode_is_blank() -> None:
    spaces = {
        letter
        for letter in map(chr, range(0x110000))
        if letter.isspace() or unicodedata.category(letter).startswith("Z")
    }
    assert spaces <= set(BLANKS)
    assert not {letter for letter in BLANKS if letter.isprintable()} - {" "}


def test_macros_and_tests_trim_with_the_one_macro() -> None:
    """Models are held to it by dbt-bouncer.yml."""
    of_their_own = {
        "macros/cross_db/space_trimmed.sql",
        "macros/cross_db/shown_name.sql",  # what is shown, after each character that may not be
    }
    spaces_only = {
        "macros/cross_db/hash_bucket.sql",  # its vectors are published
        "macros/cross_db/shown_name.sql",
        "macros/house/flag.sql",  # in the lock of segment versions
        "macros/segments/attribute_history.sql",  # the same
    }
    found = {
        file.relative_to(PROJECT_DIR).as_posix()
        for folder in ("macros", "tests/dbt")
        for file in (PROJECT_DIR / folder).rglob("*.sql")
        if re.search(r"\btrim\(", file.read_text(encoding="utf-8"))
    }
    assert found == of_their_own
    assert spaces_only == {
        file.relative_to(PROJECT_DIR).as_posix()
        for folder in ("macros", "models", "tests/dbt")
        for file in (PROJECT_DIR / folder).rglob("*.sql")
        if "space_trimmed(" in file.read_text(encoding="utf-8") and file.name != "space_trimmed.sql"
    }


@given(text=st.text(alphabet=st.sampled_from(f"{BLANKS}{BLANKS}a1é@")))
@examples(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_text_is_trimmed_alike_everywhere(db: duckdb.DuckDBPyConnection, text: str) -> None:
    found = db.execute(
        f"""
        select {WAYS["models"]}, {WAYS["loading"]}, {normalised_sql("customer_id", "text")}
        from (select ? as text)
        """,
        [text],
    ).fetchall()
    assert found == [(text.strip(BLANKS),) * 3]
    assert normalised("customer_id", text) == text.strip(BLANKS)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("bigint", 12), ("bool", True), ("decimal", 12), ("timestamp", None), ("event_time", None)],
)
def test_a_cell_that_holds_a_value_between_blanks_is_that_value(
    db: duckdb.DuckDBPyConnection, kind: str, value: object
) -> None:
    said = {"bool": "true", "timestamp": "2026-03-01", "event_time": "2026-03-01"}.get(kind, "12")
    read = to_kind(kind, "text", "VARCHAR")  # type: ignore[arg-type]
    (around,), (alone,), (nothing,) = (
        db.execute(f"select {read} from (select ? as text)", [text]).fetchall()[0]
        for text in (f"{BLANKS}{said}{BLANKS}", said, BLANKS)
    )
    assert around == alone is not None
    assert value is None or alone == value
    assert nothing is None

"""Each cure of docs/scale.md is needed: without it, Spark makes something else of nasty values."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from comparison import compared
from spark_homes import sized
from test_spark_traps import PROJECT, WRITTEN, give

from pipelines.errors import CounterfoilError
from pipelines.settings import PROJECT_DIR, Settings
from pipelines.warehouse import invoke

pytestmark = [pytest.mark.spark, pytest.mark.prove]

CURES = {
    # what: file, the cure, what Spark or dbt-spark would do of itself, model of the traps, column
    "half to even": (
        "rounded",
        "cast(rint({{ number }}) as bigint)",
        "cast({{ number }} as bigint)",
        "numbers",
        "rounded",
    ),
    "a half in a sentence": (
        "fixed_decimals",
        "then (round({{ double }} * {{ unit }}) + 0.0) / {{ unit }}",
        "then {{ double }}",
        "numbers",
        "one_decimal",
    ),
    "the text of no number": (
        "fixed_decimals",
        "when {{ number }} is not null",
        "when true",
        "numbers",
        "fixed_decimals",
    ),
    "a number in a text": (
        "safe_cast_as",
        "spark__safe_cast_as",
        "spark__another",
        "texts",
        "as_number",
    ),
    "a day in a text": (
        "safe_cast_as",
        "expression }} rlike r'^[0-9]{4}([-/ ])[0-9]{2}\\1[0-9]{2}\\z'\n"
        "                then try_cast(translate({{ expression }}, '/ ', '--') as date)",
        "expression }} is not null then try_cast({{ expression }} as date)",
        "texts",
        "as_date",
    ),
    "the end of a text": ("instant_of_text", "\\z'", "$'", "texts", "instant_of_text"),
    "spaces that do not break": (
        "space_trimmed",
        "regexp_replace({{ text }}, r'^\\p{Zs}+|\\p{Zs}+\\z', '')",
        "trim({{ text }})",
        "texts",
        "space_trimmed",
    ),
    "small letters": (
        "lowered",
        "lower(translate({{ text }}, 'İΣ', 'i\u03c3'))",
        "lower({{ text }})",
        "texts",
        "lowered",
    ),
    "an id in JSON": (
        "parsed_json",
        "regexp_replace({{ rewritten }}, r'^(-?[0-9]+)[.]0+\\z', '$1')",
        "{{ rewritten }}",
        "bodies",
        "json_id",
    ),
    "a text like an id in JSON": (
        "parsed_json",
        '{{ json_read_at("body.readable", key, "double") }} is not null',
        "true",
        "bodies",
        "json_id",
    ),
    "a number in JSON": (
        "parsed_json",
        "(-?[0-9]+[.]|[\\[{]",
        "([\\[{]",
        "bodies",
        "json_text",
    ),
    "numbers inside of JSON": (
        "parsed_json",
        "when token rlike '^-?[0-9]+[.]' then",
        "when false then",
        "bodies",
        "json_text",
    ),
    "signs beyond 16 bits inside of JSON": (
        "parsed_json",
        "when token rlike r'\\\\uD'",
        "when false",
        "bodies",
        "json_text",
    ),
    "an end of a line inside of JSON": (
        "parsed_json",
        "rlike r'(?s)^(-?[0-9]+[.]|",
        "rlike r'^(-?[0-9]+[.]|",
        "bodies",
        "json_text",
    ),
    "an id in a list": (
        "json_list_ids",
        "when text.id rlike '^-?[0-9]+[.]' and number.id is not null",
        "when false",
        "lists",
        "list_id",
    ),
    "JSON that is deep": (
        "parsed_json",
        "'maxNestingDepth', '100000000'",
        "'maxNestingDepth', '1000'",
        "bodies",
        "json_id",
    ),
    "a long number in JSON": (
        "parsed_json",
        "'maxNumLen', '100000000'",
        "'maxNumLen', '1000'",
        "bodies",
        "json_id",
    ),
    "NaN, and a comma too many": (
        "parsed_json",
        "{{ mended_json(column) }}",
        "{{ column }}",
        "bodies",
        "json_text",
    ),
    "other quotes": (
        "parsed_json",
        "'allowSingleQuotes', 'false'",
        "'allowSingleQuotes', 'true'",
        "topics",
        "rows against",
    ),
    "more behind JSON": (
        "parsed_json",
        "size(parsed) = 2 and get(parsed, 1) is null",
        "true",
        "topics",
        "rows against",
    ),
    "half a character": (
        "parsed_json",
        "when not regexp_replace({{ column }}, r'\\\\\\\\', '') rlike r'{{ half }}'",
        "when {{ column }} is not null",
        "topics",
        "rows against",
    ),
    "a key twice": (
        "json_entries",
        "when size(entries) = size(array_distinct(entries.key))",
        "when true",
        "topics",
        "rows against",
    ),
    "fractions of a second": (
        "dateadd",
        "spark__dateadd",
        "spark__another",
        "instants",
        "days_later",
    ),
    "marks of the clock": (
        "datediff",
        "spark__datediff",
        "spark__another",
        "instants",
        "hours_between",
    ),
    "parts of a text": ("split_part", "spark__split_part", "spark__another", "texts", "said"),
    "a backslash": (
        "load_csv_rows",
        "spark__escape_single_quotes",
        "spark__another",
        "literals",
        "is_same",
    ),
    "texts of nulls": (
        "listed_text",
        "when count({{ expression }}) > 0",
        "when true",
        "joined",
        "listed_text",
    ),
    "distinct texts of nulls": (
        "joined_text",
        "when count({{ expression }}) > 0",
        "when true",
        "joined",
        "joined_text",
    ),
}


@pytest.fixture(scope="module")
def duck(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """What DuckDB makes of the values."""
    folder = tmp_path_factory.mktemp("cures")
    settings = Settings(_env_file=None).model_copy(update={"home": folder / "duckdb"})  # type: ignore[call-arg]
    give(settings)
    run(settings, PROJECT, "--exclude", "tag:fails")
    return settings


def run(settings: Settings, project: Path, *options: str) -> None:
    variables = json.dumps({"written": WRITTEN, "audiences_country_code": "49"})
    with sized():
        invoke(settings, project / "seeds", ["run", "--vars", variables, *options], project=project)


@pytest.mark.parametrize("what", CURES)
def test_without_its_cure_spark_says_otherwise(what: str, duck: Settings, tmp_path: Path) -> None:
    name, cure, without, model, column = CURES[what]
    project = tmp_path / "traps"
    shutil.copytree(PROJECT, project)
    shutil.copytree(PROJECT_DIR / "macros", project / "macros")
    config = project / "dbt_project.yml"
    config.write_text(config.read_text().replace("../../../../macros", "macros"))
    file = project / "macros" / "cross_db" / f"{name}.sql"
    text = file.read_text(encoding="utf-8")
    assert cure in text
    file.write_text(text.replace(cure, without), encoding="utf-8")
    spark = duck.model_copy(update={"home": tmp_path / "spark", "engine": "spark"})
    spark.home.mkdir()
    shutil.copyfile(duck.raw_path, spark.raw_path)
    try:
        run(spark, project, "--select", model)
    except CounterfoilError as error:
        print(f"{what}: {error}")
        return
    told = [
        one
        for one in compared(duck.warehouse_path, spark.warehouse_path)[1]
        if one.startswith(f"marts.{model}: ")
    ]
    print(f"{what}: {told}")
    assert len(told) == 1
    assert column in told[0]

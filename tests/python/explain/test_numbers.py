"""Every figure of the page has a name, and its statement gives the very figure."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from review_home import built_home, changed, settings_for
from typer.testing import CliRunner, Result

from cli import app
from pipelines.built.tables import Tables, open_warehouse
from pipelines.console import Console
from pipelines.errors import CounterfoilError
from pipelines.explain.lineage import Lineage
from pipelines.explain.provenance import Provenance, explain_number, list_numbers
from pipelines.review import families, numbers, words
from pipelines.review.basis import read_vars
from pipelines.review.guardrails import Guardrails, read_guardrails
from pipelines.review.numbers import Figure
from pipelines.review.page import write_page
from pipelines.settings import PROJECT_DIR, Settings

LIFT = "lift/cart_recovery/order_rate/treatment/lift"
Change = Callable[..., Settings]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_home(tmp_path_factory)


@pytest.fixture(scope="module")
def facts(home: Path) -> Any:
    """The page's JSON."""
    return json.loads(write_page(settings_for(home)).json.read_text())


@pytest.fixture(scope="module")
def tables(home: Path) -> Iterator[Tables]:
    with open_warehouse(settings_for(home)) as found:
        yield found


@pytest.fixture(scope="module")
def figures(tables: Tables) -> list[Figure]:
    return numbers.figures(tables)


@pytest.fixture
def change(home: Path, tmp_path: Path) -> Change:
    return lambda *statements: changed(home, tmp_path / "changed", *statements)


def explain(home: Path, name: str) -> Provenance:
    return explain_number(settings_for(home), name, Console(as_json=True))


def command(home: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.setenv("COUNTERFOIL_HOME", str(home))
    return CliRunner().invoke(app, ["explain", "number", *arguments])


def paste(home: Path, statement: str) -> list[tuple[Any, ...]]:
    """What any DuckDB client answers to a statement."""
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as db:
        found: list[tuple[Any, ...]] = db.execute(statement).fetchall()
    return found


def rows_at(facts: Any, at: str) -> list[dict[str, Any]]:
    """The rows of the JSON under a path in which `[]` stands for every element."""
    found = [facts]
    for part in at.split("."):
        found = [one[part.removesuffix("[]")] for one in found]
        if part.endswith("[]"):
            found = [element for one in found for element in one]
    return [row for one in found for row in one]


def as_json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, datetime) else value


def test_each_statement_gives_the_figure_of_the_json(
    home: Path, facts: Any, tables: Tables, figures: list[Figure]
) -> None:
    """Pasted into DuckDB, the statement of each name gives what the page's JSON holds there."""
    told = {
        family: {
            tuple(row[key] for key in families.BY_NAME[family].keys): row
            for row in rows_at(facts, families.BY_NAME[family].at)
            if all(key in row for key in families.BY_NAME[family].keys)
        }
        for family in families.BY_NAME
    }
    # rows of several populations stand under one path: a lift without strata is the decision row
    told["lift"] = {
        key: row
        for row in facts["estimates"]
        if (row["population"], row["stratum"]) == ("itt", "all")
        for key in [(row["experiment_key"], row["metric_key"], row["arm"])]
    }
    told["lift_history"] = {
        (row["experiment_key"], row["metric_key"], row["arm"], row["as_of"]): row
        for row in facts["history"]
        if (row["population"], row["stratum"]) == ("itt", "all")
    }
    assert {figure.family.name for figure in figures} == set(families.BY_NAME)
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as db:
        for figure in figures:
            answer = db.execute(figure.statement(tables)).fetchall()
            assert len(answer) == 1, figure.name
            assert len(answer[0]) == 1, figure.name
            row = told[figure.family.name][tuple(as_json(part) for part in figure.key)]
            assert as_json(answer[0][0]) == row.get(figure.column), figure.name


def test_every_number_of_these_rows_has_a_name(facts: Any, figures: list[Figure]) -> None:
    """No number of the JSON's rows is without a name, but those that are no figures."""
    no_figures = re.compile(
        r".*_id$|.*_index$|.*_version$|version$|step_number|weeks_ago|count_real$|alpha"
    )
    named: dict[str, set[str]] = {}
    for figure in figures:
        named.setdefault(figure.family.at, set()).add(figure.column)
    named["history"] |= named["estimates"]  # a past reading is told by its lift and its limits
    for at, columns in named.items():
        for row in rows_at(facts, at):
            unnamed = {
                name
                for name, value in row.items()
                if isinstance(value, int | float)
                and not isinstance(value, bool)
                and name not in columns
                and not no_figures.match(name)
            }
            assert not unnamed, at


def test_names_are_unique_and_stand_in_one_word(figures: list[Figure]) -> None:
    names = [figure.name for figure in figures]
    assert len(set(names)) == len(names)
    assert not [name for name in names if name.endswith("_id")]
    assert not [name for name in names if re.search(r"[^\w/%:=,.~-]", name)]


NOT_COUNTED = {
    "declared: a registry or a var is where it comes from": r"(experiment|arm)/.*"
    r"|.*/(alpha|power|planned_n|threshold|min_parity|minimum_rate|stale_after_hours)"
    r"|timing/.*/landmark_hours|value/.*/budget_step|dose/.*/most_messages_per_week"
    r"|triage_audience/.*/(version|most_messages|messages_days)"
    r"|prediction/.*/(prediction|silence)_days|naive/.*/count_needed",
    "the place of a declared band among its like, by which rows are put in order": r"conversion/.*"
    r"/timing_number|prediction_level/.*/level_number|dose/.*/dose_number",
    "statistics: how sure a figure is, from the estimator": r".*(_low|_high|p_value|q_value"
    r"|standard_error)",
}
"""Figures that no statement counts again, and why; every other one has one."""


def test_every_figure_is_counted_again_or_named_as_not(
    tables: Tables, figures: list[Figure]
) -> None:
    """Counted again from the rows beneath, each row comes out, in every column but those."""
    counted: dict[tuple[str, tuple[Any, ...]], set[str]] = {}
    has_rows: dict[str, bool] = {}
    left: set[str] = set()
    for figure in figures:
        family, place = figure.family, (figure.family.name, figure.key)
        if place not in counted:
            row = figure.row(tables)
            statement = figure.beneath(tables, row) if family.recount else None
            found = numbers.read_row(tables, statement) if statement is not None else {}
            has_rows[family.name] = bool(found.pop("count_rows", 0)) or has_rows.get(
                family.name, False
            )
            for column, value in found.items():
                told = row[column]
                is_same = value is None if told is None else math.isclose(value, told, rel_tol=1e-9)
                assert is_same, (figure.name, column, value, told)
            counted[place] = set(found)
        if figure.column not in counted[place]:
            left.add(figure.name)
    reasons = re.compile("|".join(f"(?:{pattern})" for pattern in NOT_COUNTED.values()))
    assert [name for name in sorted(left) if not reasons.fullmatch(name)] == []
    for reason, pattern in NOT_COUNTED.items():
        assert any(re.fullmatch(pattern, name) for name in left), reason
    recounted = {name for name, family in families.BY_NAME.items() if family.recount}
    assert {name for name in recounted if not has_rows[name]} <= {"parity"}


def test_no_recount_takes_the_figure_from_the_row_that_it_counts(
    tables: Tables, figures: list[Figure]
) -> None:
    """A figure that stands otherwise in its row comes out as before: told wrong, it is found."""
    for family in families.FAMILIES:
        among = [figure for figure in figures if figure.family is family and family.recount]
        told: dict[str, Figure] = {}
        for figure in among:
            if figure.column not in told and figure.row(tables)[figure.column] is not None:
                told[figure.column] = figure
        for column, figure in told.items():
            row = figure.row(tables)
            wrong = {**row, column: row[column] + 1}
            again = [figure.beneath(tables, one) for one in (row, wrong)]
            right, found = (numbers.read_row(tables, str(one)).get(column) for one in again)
            if right is not None:
                assert math.isclose(found or 0, right, rel_tol=1e-9), (figure.name, found, right)


def test_each_family_explains(home: Path, figures: list[Figure]) -> None:
    """The first and the last figure of each family: described, with a file, down to sources."""
    for family in families.FAMILIES:
        among = [figure for figure in figures if figure.family is family]
        for figure in (among[0], among[-1]):
            told = explain(home, figure.name)
            assert told.name == figure.name
            assert told.description, figure.name
            rests_on_rows = family.name not in {"experiment", "arm"}
            assert bool(told.beneath) == rests_on_rows, figure.name
            for relation in told.relations:
                assert relation["description"], figure.name
                is_model = (PROJECT_DIR / relation["path"]).suffix == ".sql"
                assert is_model or relation["path"].endswith(".csv")
                assert not is_model or (PROJECT_DIR / relation["path"]).is_file()
                assert not is_model or told.upstream[-1].kind == "source", figure.name


def test_a_lift_is_told_with_what_it_rests_on(home: Path, facts: Any) -> None:
    """Value, status, interval, both statements, file, and models down to sources, in order."""
    told = explain(home, LIFT)
    row = next(
        r
        for r in facts["estimates"]
        if (r["experiment_key"], r["metric_key"], r["population"], r["stratum"])
        == ("cart_recovery", "order_rate", "itt", "all")
    )
    assert told.value == row["lift"]
    assert told.unit == "share of persons"
    assert "mean_treatment - mean_control" in told.description
    assert told.beside["status"] == row["status"]
    assert told.beside["lift_low"] == row["lift_low"]
    assert paste(home, told.statement + ";") == [(row["lift"],)]
    assert told.relations[0]["relation"] == "marts.fct_lift"
    assert (PROJECT_DIR / told.relations[0]["path"]).is_file()
    names = [one.name for one in told.upstream]
    assert names[0] == "fct_lift_history"
    assert {"experiments", "fct_experiment_units", "customerio.outputs"} - set(names) == {
        "fct_experiment_units"  # beside the lift, not above it: both are made from the same people
    }
    for one in told.upstream:  # a registry is a file of the folder in use, wherever that is
        is_named = one.path == f"{one.name}.csv"
        assert is_named if one.kind == "registry" else (PROJECT_DIR / one.path).is_file()
    levels = [one.level for one in told.upstream if one.kind != "source"]
    assert levels == sorted(levels)


def test_means_are_those_of_the_unit_rows(home: Path, facts: Any) -> None:
    """Counts and means of both arms, recomputed in Python from the units, are what is told.

    Where the allocation changed, each version's mean weighs as much as the version has units.
    """
    for row in facts["estimates"]:
        if (row["population"], row["stratum"]) != ("itt", "all"):
            continue
        key = (row["experiment_key"], row["metric_key"], row["arm"])
        told = explain(home, f"lift/{'/'.join(key)}/mean_treatment")
        beneath = told.beneath[0]
        pair = (row["arm"], row["control_arm"])
        read = paste(
            home,
            "select people.allocation_version, units.arm, y from marts.fct_experiment_units as "
            "units inner join experiments.int_experiments__people as people "
            "using (experiment_key, person_id) where units.is_mature "
            f"and experiment_key = '{key[0]}' and metric_key = '{key[1]}' and units.arm in {pair}",
        )
        sizes = Counter(version for version, _, _ in read)
        for arm, side in zip(pair, ("treatment", "control"), strict=True):
            units = {
                version: [y for v, a, y in read if (v, a) == (version, arm)] for version in sizes
            }
            assert beneath.values[f"count_{side}"] == sum(map(len, units.values()))
            mean = math.fsum(
                sizes[version] * math.fsum(ys) / len(ys) for version, ys in units.items()
            ) / len(read)
            assert math.isclose(beneath.values[f"mean_{side}"], mean, rel_tol=1e-12)
            assert math.isclose(row[f"mean_{side}"], mean, rel_tol=1e-9)
        assert beneath.count_rows == row["count_treatment"] + row["count_control"]
        assert paste(home, beneath.statement)[0][0] == beneath.count_rows


def test_allocation_versions_are_weighed_not_pooled(change: Change) -> None:
    """With two versions of the split the recount weighs each version's means by its units."""
    settings = change(
        "insert into experiments.int_experiments__arms by name "
        "select * replace (2 as allocation_version) from experiments.int_experiments__arms "
        "where experiment_key = 'cart_recovery'",
        "update experiments.int_experiments__people set allocation_version = 2 "
        "where experiment_key = 'cart_recovery' "
        "and substr(md5(person_id), 1, 1) < case when arm = 'treatment' then '4' else 'a' end",
    )
    units = paste(
        settings.home,
        "select allocation_version, units.arm, y from marts.fct_experiment_units as units "
        "inner join experiments.int_experiments__people as people "
        "using (experiment_key, person_id) where units.experiment_key = 'cart_recovery' "
        "and metric_key = 'order_rate' and units.is_mature",
    )
    assert {version for version, _, _ in units} == {1, 2}
    means = {}
    for arm in ("treatment", "holdout"):
        parts = [
            (
                len([1 for v, _, _ in units if v == version]),
                [y for v, a, y in units if (v, a) == (version, arm)],
            )
            for version in (1, 2)
        ]
        means[arm] = sum(n * sum(ys) / len(ys) for n, ys in parts) / len(units)
    pooled = [y for _, a, y in units if a == "treatment"]
    assert not math.isclose(means["treatment"], sum(pooled) / len(pooled), rel_tol=1e-6)
    with open_warehouse(settings) as tables:
        figure = numbers.find(tables, LIFT)
        statement = figure.beneath(tables, figure.row(tables))
    assert statement is not None
    ((_, _, _, mean_treatment, mean_control, *_),) = paste(settings.home, statement)
    assert math.isclose(mean_treatment, means["treatment"], rel_tol=1e-9)
    assert math.isclose(mean_control, means["holdout"], rel_tol=1e-9)


def test_rows_that_do_not_give_the_figure_are_told(change: Change) -> None:
    """Units that were changed behind the lift's back: everything is told, then refused."""
    settings = change(
        "update marts.fct_experiment_units set y = 1 where experiment_key = 'cart_recovery' "
        "and metric_key = 'order_rate' and arm = 'holdout'"
    )
    console = Console(as_json=True)
    with pytest.raises(
        CounterfoilError, match="mean_control, lift, lift_relative, incremental differ"
    ) as refused:
        explain_number(settings, LIFT, console)
    assert refused.value.exit_code == 1
    assert console.result["agrees"] is False
    (one,) = console.result["beneath"]
    assert one["disagrees"] == ["mean_control", "lift", "lift_relative", "incremental"]
    explain_number(settings, "lift/cart_recovery/order_value/treatment/lift", console)


def test_a_figure_that_may_not_be_told_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No value where the mart refuses, and the status and reasons beside it."""
    told = explain(home, "lift/winback/order_rate/treatment/lift")
    assert told.value is None
    assert told.beside["status"] == "insufficient"
    said = command(home, monkeypatch, told.name).stdout
    assert f"{told.name} is not shown, as of" in said
    assert "status insufficient, reasons few_events" in said


def test_credit_is_never_told_alone(home: Path) -> None:
    for key in ("208301/101/cart_recovery/treatment", "208301/104/~/~"):
        told = explain(home, f"credit/{key}/count_last_click_orders")
        assert isinstance(told.value, int)
        assert {"incremental", "incremental_low", "verdict", "status"} <= set(told.beside)


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("lift/cart_recovery/order_rate", LIFT),
        ("lift/cart_recovery/order_rate/treatment/lft", LIFT),
        ("lift", "lift/cart_recovery/checkout_rate/treatment/lift"),
        ("order_rate/winback/lift", "lift/winback/order_rate/treatment/lift"),
        (f"{LIFT}/more", LIFT),
    ],
)
def test_an_unknown_name_is_refused_with_near_ones(
    home: Path, monkeypatch: pytest.MonkeyPatch, asked: str, near: str
) -> None:
    result = command(home, monkeypatch, asked)
    assert result.exit_code == 1
    assert re.search(rf"[ ,]{re.escape(near)}[,;]", result.stderr), result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_nothing_near_still_says_how_to_list(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for asked in ("", "\u202e\x1b[31mqqqqqqqqqqqq"):
        result = command(home, monkeypatch, asked)
        assert result.exit_code == 1
        assert "`counterfoil explain number --list` lists them" in result.stderr
        assert "\u202e" not in result.stderr
        assert "\x1b" not in result.stderr
    result = command(home, monkeypatch)
    assert result.exit_code == 2
    assert "--list" in result.stderr


def test_list(home: Path, monkeypatch: pytest.MonkeyPatch, figures: list[Figure]) -> None:
    names = [figure.name for figure in figures]
    assert command(home, monkeypatch, "--list").stdout.splitlines() == names
    one = command(home, monkeypatch, "--list", "funnel/208301/101", "--json")
    assert json.loads(one.stdout)["numbers"] == [
        name for name in names if "funnel/208301/101" in name
    ]
    none = command(home, monkeypatch, "--list", "no such thing")
    assert none.exit_code == 1
    assert "without it lists all" in none.stderr
    assert list_numbers(settings_for(home), Console(as_json=True)) == names


def test_the_command(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines for people, one object for programs; neither names anybody nor the machine."""
    said = command(home, monkeypatch, LIFT)
    assert said.exit_code == 0
    told = json.loads(command(home, monkeypatch, LIFT, "--json").stdout)
    assert {
        "name", "value", "unit", "description", "as_of", "found_at", "key", "beside", "relations",
        "statement", "beneath", "upstream", "agrees",
    } == set(told)  # fmt: skip
    value = f"{LIFT} is {told['value']:.6g} (share of persons), as of 2026-06-01"
    whole = command(home, monkeypatch, LIFT, "--verbose").stdout
    for text in (said.stdout, whole):
        assert text.startswith(value)
        assert "counted again they agree: count_treatment" in text
        assert "models/experiments/fct_lift.sql" in text
    assert "\n  ".join(f"{told['statement']};".splitlines()) in whole
    assert re.search(
        r"Rests on \d+ models, \d+ registries, \d+ sources, nearest first:\n"
        r"  1: fct_lift_history\n"
        r"(  \d+: .+\n)+  sources: .*customerio.outputs",
        whole,
    )
    assert re.search(r"\nRests on \d+ models, \d+ registries, \d+ sources\.\n", said.stdout)
    assert "select" not in said.stdout.lower()
    assert told["found_at"] == "estimates"
    assert told["agrees"] is True
    for name in (LIFT, "match_rate/208301/match_rate", "message/208301/101/action:1011/count_real"):
        for more in ([], ["--json"]):
            text = command(home, monkeypatch, name, *more).stdout
            assert str(home) not in text
            assert "@" not in text
            assert not re.search(r"\bp_?[0-9a-f]{8,}", text)


def test_the_page_shows_names(
    facts: Any, home: Path, tables: Tables, figures: list[Figure]
) -> None:
    """Each title of the page is a figure's name, and the text beside it is that figure."""
    html = next((home / "reviews").glob("*.html")).read_text()
    titles = re.findall(r' title="([^"]+)"', html)
    assert set(titles) <= {figure.name for figure in figures}
    assert {name.split("/")[0] for name in titles} >= {
        "lift", "lift_by_stratum", "credit", "naive", "entries", "exposures", "message", "funnel",
        "timing", "health", "assigned", "reach", "match_rate", "match_rate_by_arm", "pressure",
    }  # fmt: skip
    known = {figure.name: figure for figure in figures}
    guardrails = read_guardrails(tables)
    for name, text in re.findall(r' title="([^"]+)"[^>]*>\s*(?:<[^>]*>\s*)*([^<]*)', html):
        value = paste(home, known[name].statement(tables))[0][0]
        told = re.split(r" of | \(| USD", text.strip())[0]
        assert told in spoken(name, value, guardrails), name


def spoken(name: str, value: Any, guardrails: Guardrails) -> set[str]:
    """Every way in which the page may say a value."""
    if value is None:
        return {words.ABSENT, "not shown", f"q {words.ABSENT}"}
    said = {words.count(value), words.money(value), words.amount(value, "any")}
    said |= {words.probability(value), f"q {words.probability(value)}", f"of {words.count(value)}"}
    said |= {words.share(value), words.share(value, 2), words.times(value), words.duration(value)}
    said |= {words.metric_value(value, kind) for kind in ("any", "count", "sum")}
    said |= {words.difference(value, kind) for kind in ("any", "count", "sum")}
    if name.startswith("health/"):
        said.add(guardrails.amount(name.split("/")[3], value))
    if name.endswith("/hours_silent"):
        said.add(words.duration(60 * value))
    if name.endswith("/count_weeks_to_plan"):
        said.add(words.weeks(value, read_vars()["review_longest_weeks"]))
    return said


def test_hostile_keys(change: Change) -> None:
    """A key with quotes, slashes, nulls and direction marks has a name, and a statement."""
    hostile = "a'b/c~d\u202e%\x07\u00e9"
    written = hostile.replace("'", "''")
    settings = change(
        f"update marts.fct_replenishment_windows set category = '{written}' "
        "where category = 'coffee' and workspace_id = 208301",
        f"update insight.int_insight__reorder_gaps set category = '{written}' "
        "where category = 'coffee' and workspace_id = 208301",
        "update marts.fct_review_messages set message_id = null where message_id = 'action:1011'",
        "update marts.fct_message_exposures set message_id = null where message_id = 'action:1011'",
    )
    name = "reorder_window/208301/false/a%27b%2Fc%7Ed%E2%80%AE%25%07%C3%A9/trigger_day"
    told = explain_number(settings, name, Console(as_json=True))
    assert told.value is not None
    assert told.key["category"] == hostile
    assert "\u202e" not in told.statement
    assert paste(settings.home, told.statement) == [(told.value,)]
    absent = explain_number(settings, "message/208301/101/~/count_real", Console(as_json=True))
    assert "message_id is null" in absent.statement
    assert paste(settings.home, absent.statement) == [(absent.value,)]


def test_spaces_may_be_typed(home: Path) -> None:
    told = explain(home, "timing/cart_recovery/treatment/landmark/4 hours/difference")
    assert told.name == "timing/cart_recovery/treatment/landmark/4%20hours/difference"


def test_what_is_not_built_has_no_names(change: Change) -> None:
    """A dropped mart takes its names along; without the unit rows nothing is counted again."""
    settings = change(
        "drop table marts.fct_checkout_funnel", "drop table marts.fct_experiment_units"
    )
    with pytest.raises(CounterfoilError, match="No figure has"):
        list_numbers(settings, Console(as_json=True), "funnel/")
    told = explain_number(settings, LIFT, Console(as_json=True))
    assert [one.relations for one in told.beneath] == [["marts.fct_lift_history"]]
    assert not told.beneath[0].values


def test_views_are_not_read(change: Change) -> None:
    """What a view reads need not be there: the warehouse can be read alone."""
    settings = change(
        "drop table marts.fct_experiment_units",
        "alter table marts.fct_lift_history rename to loaded",
        "create view marts.fct_lift_history as from marts.loaded",
        "drop table marts.loaded",
    )
    assert explain_number(settings, LIFT, Console(as_json=True)).beneath == []


def test_without_a_manifest(change: Change, capsys: pytest.CaptureFixture[str]) -> None:
    settings = change()
    (settings.home / "manifest.json").unlink()
    told = explain_number(settings, LIFT, Console())
    assert told.value is not None
    assert told.upstream == []
    assert "What it rests on is not known: run `counterfoil build`." in capsys.readouterr().out


def test_nothing_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = command(tmp_path, monkeypatch, LIFT)
    assert result.exit_code == 1
    assert "run `counterfoil build` first" in result.stderr


def test_nothing_stands_before_what_is_made_from_it() -> None:
    """`c` is one step away, two by `f` and three by `b` and `e`: it stands after all of them."""
    lineage = Lineage(
        {
            "nodes": {
                f"model.p.{name}": {
                    "name": name,
                    "resource_type": "model",
                    "original_file_path": f"models/{name}.sql",
                    "depends_on": {"nodes": parents},
                }
                for name, parents in {
                    "a": ["model.p.f", "model.p.c", "model.p.b"],
                    "b": ["model.p.e"],
                    "e": ["model.p.c"],
                    "f": ["model.p.c"],
                    "c": ["source.p.raw.d"],
                }.items()
            },
            "sources": {
                "source.p.raw.d": {"name": "d", "source_name": "raw", "resource_type": "source"}
            },
        }
    )
    found = [(one.name, one.kind, one.level) for one in lineage.upstream(["a"])]
    assert found == [
        ("b", "model", 1),
        ("f", "model", 1),
        ("e", "model", 2),
        ("c", "model", 3),
        ("raw.d", "source", 4),
    ]
    assert lineage.parents("a") == ["f", "c", "b"]
    assert lineage.upstream(["unknown"]) == []

"""Two pages held against each other: each figure that changed, with what caused it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from review_home import built_home, changed, settings_for
from typer.testing import CliRunner, Result

from cli import app
from pipelines.built.tables import open_warehouse
from pipelines.console import Console
from pipelines.errors import UsageError
from pipelines.explain.difference import Difference, explain_difference
from pipelines.explain.pages import read_page
from pipelines.review import families, numbers
from pipelines.review.page import write_page
from pipelines.settings import Settings

FIRST, SECOND = "2026-05-25", "2026-06-01"
RATE = "lift/cart_recovery/order_rate/treatment/mean_control"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the built brand."""
    return write_page(settings_for(built_home(tmp_path_factory))).json


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, page: Path) -> Settings:
    """A copy of the built brand of 1 June, with its page filed as that of a week before."""
    settings = changed(built_home(tmp_path_factory), tmp_path / "home")
    settings.reviews_dir.mkdir()
    shutil.copy(page, settings.reviews_dir / f"review-{FIRST}.json")
    return settings


def change(settings: Settings, *statements: str) -> None:
    with duckdb.connect(str(settings.warehouse_path)) as db:
        for statement in statements:
            db.execute(statement)


def set_back(settings: Settings, **facts: Any) -> None:
    """Let the first page say something else of itself, as an earlier build would have."""
    path = settings.reviews_dir / f"review-{FIRST}.json"
    page = json.loads(path.read_text())
    page.update(facts)
    path.write_text(json.dumps(page))


def edit_manifest(settings: Settings, edit: Callable[[dict[str, Any]], None]) -> None:
    path = settings.home / "manifest.json"
    manifest = json.loads(path.read_text())
    edit(manifest)
    path.write_text(json.dumps(manifest))


def diff(settings: Settings) -> Difference:
    """The second page, written now, against the first."""
    write_page(settings)
    return explain_difference(settings, FIRST, SECOND, Console(as_json=True))


def causes(found: Difference) -> dict[str, str]:
    return {cause.label: cause.sentence for cause in found.causes}


def by_figure(found: Difference) -> dict[str, tuple[str, ...]]:
    return {one.name: one.causes for one in found.changes}


def test_the_same_page_twice_has_no_difference(home: Settings) -> None:
    found = diff(home)
    assert (found.causes, found.changes) == ((), ())


def test_rows_that_came_late_are_named_with_their_days_and_figures(home: Settings) -> None:
    """Seven late orders: the family, the day, the file, and only figures that stand on behavior."""
    change(
        home,
        "update review.int_review__input_days set count_rows = count_rows + 7 "
        "where family = 'behavior' and happened_on = date '2026-05-20'",
        "insert into marts.load_files by name select 'behavior-late.csv' as file_name, "
        "'behavior' as family, 7 as count_rows, max(loaded_at) + interval 1 day as loaded_at "
        "from marts.load_files",
        "update marts.fct_lift set mean_control = mean_control + 0.05 "
        "where experiment_key = 'cart_recovery' and metric_key = 'order_rate'",
    )
    found = diff(home)
    assert causes(found) == {
        "late rows of behavior": "7 rows came that had happened before 2026-06-01 00:00:00 "
        "(2026-05-20 +7), in behavior-late.csv"
    }
    assert by_figure(found)[RATE] == ("late rows of behavior",)
    assert all(name.split("/")[0] in {"lift", "lift_by_stratum"} for name in by_figure(found))


def test_rows_that_went_are_named(home: Settings) -> None:
    change(
        home,
        "delete from review.int_review__input_days where family = 'metrics' "
        "and happened_on = date '2026-05-20' and workspace_id = 208301",
    )
    ((label, said),) = causes(diff(home)).items()
    assert label == "lost rows of metrics of 208301"
    assert "rows are no longer there that were before (2026-05-20 -" in said


def test_a_definition_that_changed_is_the_cause_of_what_stands_on_it(home: Settings) -> None:
    """A fault planted in one model: named with its file, beside no figure that it cannot reach."""

    def plant(manifest: dict[str, Any]) -> None:
        manifest["nodes"]["model.counterfoil.int_insight__funnels"]["raw_code"] += "\n-- planted"

    edit_manifest(home, plant)
    change(
        home,
        "update marts.fct_checkout_funnel set count_persons = count_persons + 1",
        "update marts.fct_lift set mean_control = mean_control + 1 where mean_control > 0",
    )
    found = diff(home)
    ((label, said),) = causes(found).items()
    assert label == "model int_insight__funnels"
    assert said == "its SQL changed (models/insight/workings/int_insight__funnels.sql)"
    told = by_figure(found)
    assert {why for name, why in told.items() if name.startswith("funnel/")} == {(label,)}
    assert {why for name, why in told.items() if name.startswith("lift/")} == {()}


def test_a_var_a_macro_and_a_registry_are_told_apart(home: Settings) -> None:
    """Each with its old and new value or its name, and the figures of its own readers."""
    page = json.loads((home.reviews_dir / f"review-{FIRST}.json").read_text())
    basis = page["basis"]
    basis["vars"]["review_naive_people"] = 3
    basis["macros"]["weeks_ago"] = "another"
    basis["registries"]["channel_costs"] = "another"
    set_back(home, basis=basis)
    change(
        home,
        "update marts.fct_review_naive_ratios set naive_ratio = naive_ratio + 1",
        "update marts.fct_review_sizes set difference_paying = coalesce(difference_paying, 0) + 1",
    )
    found = diff(home)
    said = causes(found)
    assert said["var review_naive_people"].startswith("changed: 3 before, ")
    assert said["macro weeks_ago"] == "its SQL changed"
    assert said["registry channel_costs"] == "channel_costs.csv changed"
    told = by_figure(found)
    assert told["naive/cart_recovery/treatment/naive_ratio"] == ("var review_naive_people",)
    assert told["size/cart_recovery/treatment/difference_paying"] == (
        "macro weeks_ago", "registry channel_costs"
    )  # fmt: skip


def test_a_week_apart_the_past_is_rewritten_only_by_what_was_learned(home: Settings) -> None:
    """Time is a cause of this week's figures; a reading of an earlier week needs another one."""
    page = json.loads((home.reviews_dir / f"review-{FIRST}.json").read_text())
    basis = page["basis"]
    for row in basis["rows"]:
        row["days"] = {day: n for day, n in row["days"].items() if day < FIRST}
        row["count_rows"] = 1_000 + sum(row["days"].values())
    set_back(home, as_of=f"{FIRST}T00:00:00", basis=basis)
    change(
        home,
        "update review.int_review__input_days set count_rows = count_rows + 7 "
        "where family = 'behavior' and happened_on = date '2026-05-20'",
        "update marts.fct_lift_history set lift = lift + 0.01 where experiment_key = "
        "'cart_recovery' and metric_key = 'order_rate' and population = 'itt' "
        "and stratum = 'all' and as_of = timestamp '2026-05-20'",
        "update marts.fct_review_journeys set count_entries_week = count_entries_week + 1",
    )
    with duckdb.connect(str(home.warehouse_path)) as db:
        total, since = db.execute(
            "select sum(count_rows), sum(count_rows) filter (happened_on >= date '2026-05-25') "
            "from review.int_review__input_days where family = 'behavior'"
        ).fetchall()[0]
    for row in basis["rows"]:
        if row["family"] == "behavior":
            row["count_rows"] = total - since - 7
    set_back(home, basis=basis)
    found = diff(home)
    said = causes(found)
    assert said["time"].startswith("judged at 2026-06-01 00:00:00 instead of 2026-05-25 00:00:00")
    assert said["late rows of behavior"].startswith(
        "7 rows came that had happened before 2026-05-2"
    )
    assert "(2026-05-20 +7)" in said["late rows of behavior"]
    assert said["new rows of behavior"].startswith(f"{since:,} rows happened since")
    told = by_figure(found)
    (past,) = [name for name in told if name.startswith("lift_history/")]
    assert "late rows of behavior" in told[past]
    assert not {"time", "new rows of behavior"} & set(told[past])
    assert "time" in told["entries/208301/101/count_entries_week"]


def test_a_verdict_that_turned_is_told(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words are compared beside the numbers; the command prints it, and all with --all."""
    change(
        home,
        "update marts.fct_lift set status = 'invalid', reasons = 'sample_ratio' "
        "where experiment_key = 'cart_recovery'",
        "update marts.fct_message_timing set count_units = count_units + 1",
    )
    write_page(home)
    said = command(home, monkeypatch, FIRST, SECOND)
    assert said.exit_code == 0
    assert "lift/cart_recovery/order_rate/treatment/status: underpowered → invalid" in said.stdout
    assert "[nothing that the pages know of]" in said.stdout
    assert "more: --all, or --json" in said.stdout
    whole = command(home, monkeypatch, FIRST, SECOND, "--all")
    assert len(whole.stdout.splitlines()) > len(said.stdout.splitlines())
    told = json.loads(command(home, monkeypatch, FIRST, SECOND, "--json").stdout)["difference"]
    assert {one["after"] for one in told["changes"] if one["name"].endswith("/status")} == {
        "invalid"
    }


def command(home: Settings, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.setenv("COUNTERFOIL_HOME", str(home.home))
    return CliRunner().invoke(app, ["review", "diff", *arguments])


def test_what_is_no_page_is_refused(home: Settings, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    for text in ("[]", "{}", "no page", '{"as_of": 7}'):
        other.write_text(text)
        with pytest.raises(UsageError, match="is no page"):
            read_page(home, str(other))
    with pytest.raises(UsageError, match="There is no page 2020-01-01"):
        read_page(home, "2020-01-01")


def test_a_page_of_an_older_version_is_compared_without_causes(home: Settings) -> None:
    set_back(home, basis=None)
    change(home, "update marts.fct_audiences set count_members = count_members + 1")
    found = diff(home)
    assert found.causes == ()
    assert {one.name.split("/")[0] for one in found.changes} == {"audience"}


def test_every_figure_is_compared(home: Settings) -> None:
    """The names that a page's JSON gives are those of the warehouse."""
    write_page(home)
    with open_warehouse(home) as tables:
        names = {figure.name for figure in numbers.figures(tables)}
    told = set(read_page(home, SECOND).figures())
    assert names <= told
    assert {name.split("/")[0] for name in told} == set(families.BY_NAME)

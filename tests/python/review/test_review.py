"""The weekly page: its numbers are the tables' numbers, and nothing in it can be hostile."""

from __future__ import annotations

import ast
import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from statistics import NormalDist
from typing import Any

import duckdb
import pytest
from review_home import built_home, changed, settings_for
from review_outline import outline

from pipelines.docs import shut_in
from pipelines.errors import CounterfoilError
from pipelines.review import words
from pipelines.review.page import Page, write_page
from pipelines.settings import PROJECT_DIR, Settings

Change = Callable[..., Settings]

HOSTILE = "<script>alert(1)</script>\"'&\u202eevil\x07 " + "x" * 300


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_home(tmp_path_factory)


@pytest.fixture(scope="module")
def page(home: Path) -> Page:
    return write_page(settings_for(home))


@pytest.fixture
def change(home: Path, tmp_path: Path) -> Change:
    return lambda *statements: changed(home, tmp_path / "changed", *statements)


@pytest.fixture
def lift(home: Path) -> list[dict[str, Any]]:
    return query(
        home,
        """
        select fct_lift.*, metrics.aggregation
        from marts.fct_lift
        inner join registries.experiments using (experiment_key)
        inner join registries.metrics on fct_lift.metric_key = metrics.metric_key
        where experiments.primary_metric = fct_lift.metric_key
            and population = 'itt' and stratum = 'all'
        order by experiment_key
        """,
    )


def query(home: Path, sql: str) -> list[dict[str, Any]]:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as db:
        cursor = db.execute(sql)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def points(value: float) -> str:
    """Percentage points as the page promises them: two decimals, signed, a true minus."""
    return f"{100 * value:+.2f}".replace("-", "\N{MINUS SIGN}")


def test_verdicts_are_fct_lift_rounded(page: Page, lift: list[dict[str, Any]]) -> None:
    """Every headline number of the page is the table's after the documented rounding."""
    verdicts = outline(page).sections["verdicts"]
    assert len(lift) == 7
    shown = 0
    for row in lift:
        for arm in ("treatment", "control"):
            assert f"{100 * row[f'mean_{arm}']:.2f}%" in verdicts
            assert f"{row[f'count_{arm}']:,}" in verdicts
        if row["lift"] is None:
            continue
        shown += 1
        assert f"{points(row['lift'])} pp" in verdicts
        assert f"[{points(row['lift_low'])}, {points(row['lift_high'])}]" in verdicts
        total = f"{row['incremental']:+,.0f}".replace("-", "\N{MINUS SIGN}")
        assert (total if total not in {"+0", "\N{MINUS SIGN}0"} else "0") in verdicts
    assert shown


def test_json_is_unrounded(page: Page, lift: list[dict[str, Any]]) -> None:
    """The JSON holds each estimate exactly as the table does."""
    facts = json.loads(page.json.read_text())
    found = {
        tuple(
            row[key] for key in ("experiment_key", "arm", "metric_key", "population", "stratum")
        ): row
        for row in facts["estimates"]
    }
    for row in lift:
        told = found[row["experiment_key"], row["arm"], row["metric_key"], "itt", "all"]
        for name in ("lift", "lift_low", "lift_high", "mean_treatment", "incremental", "q_value"):
            assert told[name] == row[name]


def test_the_week_is_seven_days_before_as_of(page: Page, home: Path) -> None:
    """Entries and exposures of the week lie in [as_of - 7 days, as_of), by their own instants."""
    facts = json.loads(page.json.read_text())
    counted = {
        (row["workspace_id"], row["journey_id"]): row["n"]
        for row in query(
            home,
            """
            select workspace_id, journey_id, count(*) as n from marts.fct_journey_entries
            where entered_at >= timestamp '2026-05-25' and entered_at < timestamp '2026-06-01'
            group by all
            """,
        )
    }
    shown = {
        (row["workspace_id"], row["journey_id"]): row["n"]
        for row in query(
            home,
            """
            select workspace_id, journey_id, count(*) as n from marts.fct_message_exposures
            where exposure_kind = 'real' and coalesce(sent_at, delivered_at) >= '2026-05-25'
                and message_type not in ('newsletter', 'transactional')
            group by all
            """,
        )
    }
    assert counted
    for journey in facts["journeys"]:
        key = (journey["workspace_id"], journey["journey_id"])
        assert journey.get("count_entries_week", 0) == counted.get(key, 0)
        assert journey.get("count_real_week", 0) == shown.get(key, 0)
        trend = [r for r in journey["trend"] if r["weeks_ago"] == 1]
        real = sum(r["count_messages"] for r in trend if r["exposure_kind"] == "real")
        assert real == shown.get(key, 0)


def test_same_tables_same_bytes(home: Path, page: Page, tmp_path: Path) -> None:
    """Two pages of one warehouse are identical, in another process and another folder too."""
    other = changed(home, tmp_path / "copy")
    script = (
        "import sys; from pathlib import Path; from pipelines.settings import Settings; "
        "from pipelines.review.page import write_page; "
        "write_page(Settings(_env_file=None).model_copy(update={'home': Path(sys.argv[1])}))"
    )
    subprocess.run([sys.executable, "-c", script, str(other.home)], check=True)
    for ours in (page.html, page.json):
        assert (other.reviews_dir / ours.name).read_bytes() == ours.read_bytes()


def test_self_contained(page: Page) -> None:
    """No script, no address, nothing loaded from anywhere, no id twice."""
    html = page.html.read_text()
    found = outline(page)
    assert not {tag for tag, _ in found.tags} & {"script", "link", "iframe", "object", "img"}
    assert "@import" not in html
    assert "url(" not in html
    assert not re.findall(r"https?://", html)
    assert not [name for _, attrs in found.tags for name in attrs if name.startswith("on")]
    ids = [attrs["id"] for _, attrs in found.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    anchors = {(attrs["href"] or "")[1:] for tag, attrs in found.tags if tag == "a"}
    assert anchors <= set(ids)
    # should a name ever get through: nothing of it runs, and nothing reaches out
    first = [attrs for tag, attrs in found.tags if tag in ("meta", "style", "title", "svg")][1]
    assert first.get("http-equiv") == "Content-Security-Policy"
    policy = dict(part.strip().split(" ", 1) for part in (first["content"] or "").split(";"))
    assert policy == {
        "default-src": "'none'", "style-src": "'unsafe-inline'", "base-uri": "'none'",
        "form-action": "'none'",
    }  # fmt: skip


def test_every_chart_has_title_summary_and_table(page: Page) -> None:
    """A chart is never the only place of a number."""
    html = page.html.read_text()
    figures = re.findall(r"<figure>.*?</figure>", html, re.DOTALL)
    assert len(figures) >= 6
    for figure in figures:
        assert "<figcaption>" in figure
        assert re.search(r"<p>[^<]", figure)
        assert "<table" in figure
    for chart in re.findall(r'<svg class="chart"[^>]*>', html):
        assert 'role="img"' in chart
        assert re.search(r'aria-label="[^"]+"', chart)
    assert html.count('<svg class="chart"') >= 4


def test_planted_and_zero_effect_stand_side_by_side(page: Page, lift: list[dict[str, Any]]) -> None:
    """The naive ratio stands beside the measured one for both journeys."""
    naive = outline(page).sections["naive"]
    assert "Cart recovery" in naive
    assert "Replenishment reminder" in naive
    assert naive.count("Naive") >= 2
    assert naive.count("Measured") >= 2
    facts = json.loads(page.json.read_text())
    row = next(r for r in facts["contrasts"] if r["experiment_key"] == "replenishment")
    ratio = (row["count_clickers_converted"] / row["count_clickers"]) / (
        row["count_others_converted"] / row["count_others"]
    )
    assert f"{ratio:.2f} \N{MULTIPLICATION SIGN}" in naive
    assert ratio > 1.3


def test_the_page_of_relations_is_shut_in_too() -> None:
    page = shut_in('<!doctype html><html><head><meta charset="utf-8"><script></script>')
    before, _, after = page.partition("<script>")
    assert "Content-Security-Policy" in before
    assert "default-src 'none'" in before
    assert "connect-src" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert after == "</script>"


def test_hostile_names_are_text(change: Change) -> None:
    """Names with markup, direction marks, control characters and no end stay harmless text."""
    name = HOSTILE.replace("'", "''")
    changed_settings = change(
        f"update marts.fct_review_journeys set journey_name = '{name}'",
        f"update marts.fct_review_messages set message_name = '{name}'",
        f"update marts.fct_review_other_messages set message_name = '{name}'",
        f"update registries.metrics set label = '{name}'",
        f"update registries.workspaces set name = '{name}'",
        f"update marts.fct_checkout_funnel set arm = '{name}' where arm = 'treatment'",
        f"update marts.fct_review_checkout_drops set arm = '{name}' where arm = 'treatment'",
    )
    page = write_page(changed_settings)
    html = page.html.read_text()
    assert "<script" not in html
    assert "\u202e" not in html
    assert "\x07" not in html
    assert "&lt;script&gt;" in html
    assert "x" * 130 not in html
    test_self_contained(page)


TRIAGE = """
    insert into marts.fct_reactivation_triage by name
    select
        template.* replace (
            workspace_id + number % 2 as workspace_id,
            chr(97 + cast(number as integer)) as frequency_band,
            case when number < 3 then null else number / 100 end as net_margin_low,
            number / 50 as net_margin,
            number / 25 as net_margin_high,
            100 - number as triage_rank
        )
    from
        (select * from marts.fct_reactivation_triage limit 1) as template,
        range(20) as numbers(number)
"""
"""Twenty groups of two workspaces whose lower limits grow down the alphabet; three have none."""


def test_triage_is_ranked_and_cut_by_the_lower_limit(change: Change) -> None:
    """The page shows the best groups of all workspaces, best first; the JSON has them all so."""
    page = write_page(
        change(
            "delete from marts.fct_reactivation_triage "
            "where rowid > (select min(rowid) from marts.fct_reactivation_triage)",
            TRIAGE,
            "delete from marts.fct_reactivation_triage where length(frequency_band) > 1",
        )
    )
    groups = [row for row in outline(page).rows if "intent" in row and "value" in row]
    bands = [re.search(r", (\w)value", row)[1] for row in groups]  # type: ignore[index]
    assert bands == list("tsrqponmlkji")
    assert "workspace" in groups[0]
    facts = json.loads(page.json.read_text())["optional"]["fct_reactivation_triage"]
    lows = [row["net_margin_low"] for row in facts]
    known = [low for low in lows if low is not None]
    assert known == sorted(known, reverse=True)
    assert lows == known + [None] * 3


def test_a_sentence_takes_its_limit_from_the_row(change: Change) -> None:
    """Weeks of the trend, power, and who may be read naively are what the warehouse says."""
    page = write_page(
        change(
            "delete from marts.fct_review_weeks where weeks_ago > 5",
            "update marts.fct_review_sizes set power = 0.9",
            "update marts.fct_review_naive_ratios set is_readable = false "
            "where experiment_key = 'cart_recovery'",
            "update marts.fct_review_tiles set "
            "count_entries = case weeks_ago when 1 then 9 else 5 end where journey_id = '101'",
        )
    )
    found = outline(page)
    assert "Week by week, the last five weeks" in found.sections["journeys"]
    assert "and five weeks as a line" in found.sections["decisions"]
    assert "not shown in five weeks." in found.sections["journeys"]
    assert re.search(r"Entries\s*9\s*before 5", found.sections["decisions"])
    assert "could see nine times out of ten, beside" in found.sections["adequacy"]
    assert "Cart recovery: " in found.sections["naive"].split("too few")[0].splitlines()[-1]


def test_sizes_are_those_of_the_textbook(home: Path) -> None:
    """The smallest difference of two shares, and what pays, worked out by a library."""
    rows = query(
        home,
        "select sizes.*, lift.count_treatment, lift.count_control from marts.fct_review_sizes "
        "as sizes inner join marts.fct_lift as lift using (experiment_key, arm, metric_key) "
        "where lift.population = 'itt' and lift.stratum = 'all' order by all",
    )
    assert len(rows) == 7
    normal = NormalDist()
    counted = 0
    for row in rows:
        base = row["mean_control"]
        if base in (0, 1):  # nothing to hold a difference against
            assert row["difference_detectable"] is None
            continue
        counted += 1
        factor = normal.inv_cdf(1 - row["alpha"] / 2) + normal.inv_cdf(row["power"])
        spread = factor * math.sqrt(base * (1 - base))
        sizes = 1 / row["count_treatment"] + 1 / row["count_control"]
        assert math.isclose(row["difference_detectable"], spread * math.sqrt(sizes))
        half = spread * math.sqrt(4 / row["count_mature"])
        assert math.isclose(row["difference_detectable_at_half"], half)
        (cost,) = query(
            home,
            "select sum(cost_per_message) / any_value(people.n) as per_person "
            "from marts.fct_message_exposures as exposures "
            "inner join registries.experiments on journey_id = cast(campaign_id as varchar) "
            "and exposures.workspace_id = experiments.workspace_id "
            "inner join registries.channel_costs using (channel), "
            "(select count(*) as n from marts.fct_experiment_assignments where "
            f"experiment_key = '{row['experiment_key']}' and arm = '{row['arm']}') as people "
            f"where experiment_key = '{row['experiment_key']}' and exposure_kind = 'real' "
            "and message_type not in ('newsletter', 'transactional')",
        )
        (revenue,) = query(
            home,
            "select mean_control from marts.fct_lift where metric_key = 'order_value' "
            f"and experiment_key = '{row['experiment_key']}' and arm = '{row['arm']}' "
            "and population = 'itt' and stratum = 'all'",
        )
        paying = float(cost["per_person"]) / (revenue["mean_control"] / base)
        assert math.isclose(row["difference_paying"], paying, rel_tol=1e-9)
    assert counted >= 3


def test_the_docs_ask_every_relation(home: Path) -> None:
    """Each query of docs/review.md runs, and there is one for each relation of the review."""
    text = (PROJECT_DIR / "docs" / "review.md").read_text()
    blocks = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    asked = [sql for block in blocks for sql in block.split(";") if sql.strip()]
    for sql in asked:
        assert query(home, sql), sql
    names = {path.stem for path in (PROJECT_DIR / "models" / "review").glob("*.sql")}
    assert names == {name for sql in asked for name in re.findall(r"marts\.(fct_review_\w+)", sql)}


def test_the_page_computes_nothing() -> None:
    """What is counted or estimated is a column of a model: no statistics in the page's Python."""
    for file in (PROJECT_DIR / "pipelines" / "review").glob("*.py"):
        text = file.read_text()
        if file.name != "charts.py":  # lays marks out
            assert not re.search(r"^(from|import) (math|statistics|numpy|scipy)", text, re.M)
        assert not re.search(r"\b(avg|median|sum|stddev\w*|quantile\w*)\(\w+\)", text), file.name
        assert "filter (where" not in text
        assert len(text.splitlines()) <= 400


def test_a_journey_without_a_name_is_told_by_its_id(change: Change) -> None:
    """An export may lack the family that names journeys."""
    page = write_page(change("update marts.fct_review_journeys set journey_name = null"))
    assert re.search(r"Journey \d+", outline(page).sections["verdicts"])


def test_what_is_not_built_is_named(change: Change) -> None:
    """Without the optional marts the page is written, and says which are missing."""
    names = (
        "fct_journey_credit",
        "fct_checkout_funnel",
        "fct_message_timing",
        "fct_message_pressure",
        "fct_replenishment_windows",
        "fct_reactivation_triage",
        "fct_lift_history",
        "fct_review_arm_match_rates",
        "fct_source_freshness",
        "fct_review_loads",
        "fct_input_gaps",
        "fct_effect_on_the_reached",
        "fct_conversion_by_timing",
        "fct_message_value",
        "fct_credit_over_cause",
        "fct_replenishment_effects",
        "fct_triage_audiences",
        "fct_intent_prediction",
        "fct_intent_lift",
        "fct_pressure_by_dose",
    )
    page = write_page(change(*(f"drop table marts.{name}" for name in names)))
    html = page.html.read_text()
    for name in names:
        assert f"<code>{name}</code>" in html
    verdicts = outline(page).sections["verdicts"]
    assert "not built" in verdicts


def test_what_a_message_is_worth_says_what_the_marts_say(page: Page, home: Path) -> None:
    """Caused and described apart, verdicts as they are, and over-credit by its bound."""
    told = outline(page).sections["worth"]
    cells = query(home, "select * from marts.fct_conversion_by_timing")
    held_out, described = told.split("Not caused:")
    for row in cells:
        if row["state_kind"] == "shipping_rates":
            said = f"{row['sent_after']} after the trigger; shipping rates {row['state']}"
            assert said in (held_out if row["basis"] == "held out" else described)
    text = [row for row in cells if row["message_id"] == "action:1013" and row["state"] == "seen"]
    assert {row["basis"] for row in text} == {"described"}
    [seen] = text
    assert seen["count_weeks"] > 260
    pace = f"more than five years at {seen['count_week']:,.0f} a week"
    assert f"hold out half right before it: {seen['count_needed']:,} people, {pace}" in described
    assert f"{text[0]['naive_ratio']:.2f} \N{MULTIPLICATION SIGN}" in described
    for mart, column in (
        ("fct_message_value", "verdict"),
        ("fct_credit_over_cause", "verdict"),
        ("fct_replenishment_effects", "verdict"),
        ("fct_triage_audiences", "audience_key"),
    ):
        for row in query(home, f"select distinct {column} as said from marts.{mart}"):
            assert words.plain(row["said"]) in told or row["said"] in told, (mart, row)
    [apart] = query(
        home,
        "select * from marts.fct_intent_prediction where reading = 'difference' "
        "and workspace_id = 208301",
    )
    assert words.plain(apart["verdict"]) in told


def test_what_could_not_be_read_stands_beside_the_checks(page: Page, change: Change) -> None:
    assert "Every line of every file was read." in outline(page).sections["trust"]
    page = write_page(
        change(
            "update marts.fct_review_loads set count_rejected_rows = 1203"
            " where family = 'behavior'",
            "update marts.fct_review_loads set count_quarantined = 2 where family = 'heap_users'",
        )
    )
    told = outline(page).sections["trust"]
    assert "1,203 lines of Behavior were set aside or left out" in told
    assert "2 files of Heap users are in quarantine" in told
    assert "Every line" not in told


def test_gaps_in_what_comes_in_are_told(change: Change) -> None:
    """Which input lacks what, under Trust; its event may be named anything."""
    told = "'<b>order</b>', 'stopped', 60, 48, 'nothing for 60 hours', null"
    page = write_page(
        change(
            "delete from marts.fct_input_gaps",
            f"insert into marts.fct_input_gaps values (7, 'behavior', {told})",
        )
    )
    trust = outline(page).sections["trust"]
    assert "Stopped Behavior, <b>order</b>, workspace 7: nothing for 60 hours" in trust


INVALID = (
    "update marts.{} set status = 'invalid', reasons = 'srm', lift = null, lift_low = null, "
    "lift_high = null, lift_relative = null, lift_relative_low = null, lift_relative_high = null, "
    "incremental = null, incremental_low = null, incremental_high = null, p_value = null, "
    "q_value = null where experiment_key = 'cart_recovery'"
)


def test_each_audience_stands_with_what_keeps_it_from_moving(change: Change) -> None:
    settings = change(
        "update marts.fct_audiences set count_members = 1234, count_entered_week = 56,"
        " count_left_week = 78, count_held_out = 9, expires_on = date '2027-02-03',"
        " blocked_reason = 'its destination is no id of a segment'"
        " where audience_key = 'cart_recovery_sms'",
        "update marts.fct_audience_parity set jaccard = 0.925, count_both = 555"
        " where audience_key = 'cart_recovery_ads'",
    )
    told = outline(write_page(settings)).sections["activation"]
    sms, ads = told[told.index("Cart recovery sms") :], told[: told.index("Cart recovery sms")]
    for said in ("1,234", "56", "78", "9", "3 Feb 2027", "Blocked", "no id of a segment"):
        assert said in sms
    for said in ("May move", "92.5%", "555 in both lists"):
        assert said in ads


def test_without_audiences_nothing_is_said_of_them(change: Change) -> None:
    told = outline(write_page(change("delete from marts.fct_audiences")))
    assert "activation" not in told.sections


def test_invalid_has_no_headline(change: Change, lift: list[dict[str, Any]]) -> None:
    """An invalid experiment shows why, its counts, and neither lift nor credit."""
    page = write_page(
        change(
            INVALID.format("fct_lift"),
            "update marts.fct_journey_credit set status = 'invalid', incremental = null, "
            "count_last_click_units = 987654 where experiment_key = 'cart_recovery'",
            "update marts.fct_review_naive_ratios set measured_ratio = null, "
            "measured_ratio_low = null, measured_ratio_high = null "
            "where experiment_key = 'cart_recovery'",
            "update marts.fct_experiment_health set verdict = 'invalid', value = 99 "
            "where experiment_key = 'cart_recovery' and guardrail = 'srm'",
        )
    )
    found = outline(page)
    row = next(r for r in lift if r["experiment_key"] == "cart_recovery")
    verdicts = found.sections["verdicts"]
    assert "Do not read" in verdicts
    assert "Sample ratio" in verdicts
    assert "the arms do not have the sizes that were declared" in found.sections["decisions"]
    assert f"{row['count_treatment']:,}" in verdicts
    everything = " ".join(found.sections.values())
    assert "987,654" not in everything
    assert "Cart recovery" in found.sections["avoid"]
    assert dict(page.statuses)["invalid"] == 1
    if row["lift"] is not None:
        assert points(row["lift"]) not in found.sections["verdicts"] + found.sections["forest"]


def test_without_experiments_no_lift(change: Change) -> None:
    """A brand that holds nobody out gets its week, and is told that no lift can be shown."""
    tables = (
        "marts.fct_lift",
        "marts.fct_lift_history",
        "marts.fct_experiment_health",
        "marts.fct_experiment_assignments",
        "marts.fct_experiment_units",
        "marts.fct_review_arms",
        "marts.fct_review_reach",
        "marts.fct_review_naive_ratios",
        "marts.fct_review_sizes",
        "registries.experiments",
        "registries.experiment_arms",
    )
    page = write_page(change(*(f"delete from {name}" for name in tables)))
    found = outline(page)
    assert "no lift can be shown" in found.sections["header"]
    assert "nobody held out: no lift" in found.sections["verdicts"]
    assert " pp" not in found.sections["verdicts"]


def test_interval_withheld_is_said(home: Path, page: Page) -> None:
    """Where the skew gate withholds an interval the page shows the p value and says so."""
    withheld = query(
        home,
        "select * from marts.fct_lift where lift is not null and lift_low is null "
        "and population = 'itt' and stratum = 'all'",
    )
    if withheld:
        assert "interval withheld, p" in outline(page).sections["journeys"]


def test_nothing_built(tmp_path: Path) -> None:
    with pytest.raises(CounterfoilError, match="run `counterfoil build` first"):
        write_page(settings_for(tmp_path))


def test_warehouse_being_written(change: Change) -> None:
    """A warehouse that another process writes is told in one sentence."""
    settings = change()
    script = (
        "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(settings.warehouse_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        with pytest.raises(
            CounterfoilError, match=r"warehouse\.duckdb is in use by .* \(process \d+\)"
        ):
            write_page(settings)
        writer.communicate(b"\n")
    write_page(settings)
    duckdb.connect(str(settings.warehouse_path)).close()  # nothing of ours holds it


def test_summary_names_the_file_and_each_journey(page: Page, home: Path) -> None:
    """The most urgent first, as many as there are cards, each with its number and why."""
    told = query(home, "select journey_name, decision, reason, lift from marts.fct_review_cards")
    lines = page.text().splitlines()
    assert str(page.html) in lines[0]
    assert len(lines) == 1 + len(told)
    for row in told:
        (line,) = [line for line in lines[1:] if f": {row['journey_name']}, " in line]
        is_more = row["decision"] == "hold_out_first" and row["reason"] != "no_control"
        asked = words.HOLD_MORE_OUT if is_more else words.ACTIONS[row["decision"]]
        assert line.strip().startswith(asked)
        if row["decision"] in ("keep", "stop"):
            assert points(row["lift"]) in line
    order = [
        next(n for n, said in enumerate(words.ACTIONS.values()) if line.startswith(said))
        for line in (one.strip().replace("more people", "somebody") for one in lines[1:])
        if "Keep running" not in line
    ]
    assert order == sorted(order)
    assert page.facts()["page"] == str(page.html)


def test_the_first_screen_is_the_cards(page: Page, home: Path) -> None:
    """Each row of the mart is one card in its place; all else is folded, nothing twice."""
    rows = query(home, "select * from marts.fct_review_cards order by card_rank")
    html = page.html.read_text()
    cards = re.findall(r'<article class="card".*?</article>', html, re.DOTALL)
    assert len(cards) == len(rows) >= 5
    for card, row in zip(cards, rows, strict=True):
        assert row["journey_name"] in card
        assert f'class="what {row["decision"]}"' in card
        assert card.count("<dt>") == 5
        assert card[: card.index("<dl")].count('class="tag"') == 1
        silent = sum(f"{words.ABSENT}</span> <span " in tile for tile in card.split("<dd>")[1:])
        assert card.count('class="tag"') == 1 + silent
    assert len(html.encode()) < 300_000
    assert "<details open" not in html
    sentences = re.findall(r"<dd>([^<]{20,})</dd></div>", html)
    assert len(sentences) >= 4
    for sentence in sentences:
        assert html.count(sentence) == 1, "said twice"


def test_a_running_journey_names_the_day(change: Change) -> None:
    page = write_page(
        change(
            "update marts.fct_review_cards set decision = 'keep_running', reason = 'too_early', "
            "figure = 'people', count_mature = 310, planned_n = 2000, "
            "until_at = timestamp '2026-07-06' where experiment_key = 'cart_recovery'",
            "insert into marts.fct_review_marks values (null, null, 'segment', "
            "'vip v2 came into use', true, timestamp '2026-05-11')",
        )
    )
    told = re.sub(r"\s+", " ", outline(page).sections["decisions"])
    assert "Keep running until 6 Jul 2026 Too early 310 of 2,000 people" in told
    dashed = told.split("Dashed: ")[1].split(".")[0]
    assert sorted(dashed.split("; ")) == [
        "11 May 2026 vip v2 came into use",
        "6 Apr 2026 allocation version 2 came into force",
    ]
    assert "Keep running until 6 Jul 2026: Cart recovery, 310 of 2,000 people" in page.text()
    html = page.html.read_text()
    cards = re.findall(r'<article class="card".*?</article>', html, re.DOTALL)
    lines = [set(re.findall(r'<line x1="([\d.]+)"', card)) for card in cards]
    # nine of twelve weeks; and four, on the card of the text alone
    assert [own for own in lines if own != {"75.0"}] == [{"33.3", "75.0"}]


def test_every_segment_of_the_sample_has_members(home: Path) -> None:
    counted = query(home, "select segment_key, count_members from marts.dim_segment_versions")
    assert len(counted) >= 7
    assert not [row for row in counted if not row["count_members"]]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (words.share(0.12345), "12.3%"),
        (words.difference(-0.00004, "any"), "0.00\xa0pp"),
        (words.difference(-0.0123, "any"), "\N{MINUS SIGN}1.23\xa0pp"),
        (words.difference(1234.5678, "sum", "USD"), "+1,234.57 USD"),
        (words.interval(None, 0.1, "any"), "interval withheld"),
        (words.probability(0.00049), "< 0.001"),
        (words.probability(0.00149), "0.001"),
        (words.change(7, 3, None), "was 3"),
        (words.change(150, 100, 0.5), "+50%"),
        (words.change(0, 0, None), "unchanged"),
        (words.spelled(8), "eight"),
        (words.spelled(52), "52"),
        (words.odds(0.8), "four times out of five"),
        (words.odds(0.9), "nine times out of ten"),
        (words.week(datetime(2026, 5, 25), datetime(2026, 6, 1)), "25 to 31 May 2026"),
        (words.week(datetime(2025, 12, 29), datetime(2026, 1, 5)), "29 Dec 2025 to 4 Jan 2026"),
        (words.clean("a\u202e\x00b\nc"), "a b c"),
        (words.duration(30), "30 min"),
        (words.duration(240), "4.0 h"),
    ],
)
def test_words(said: str, expected: str) -> None:
    assert said == expected


def test_page_and_checklist_spell_the_same_numbers() -> None:
    """The macro of the checklist's sentences and the page's words are two tables: they agree."""
    macro = (PROJECT_DIR / "macros" / "checklist" / "texts.sql").read_text()
    table = macro[macro.index("set words = ") + len("set words = ") :]
    assert ast.literal_eval(table[: table.index("}") + 1]) == words.SPELLED


def test_a_sentence_of_the_page_stands_once(page: Page) -> None:
    """What holds for every journey is said once, above them, and not in each of them."""
    text = re.sub(r"<(style|svg).*?</\1>", " ", page.html.read_text(), flags=re.S)
    said = re.findall(r">\s*([A-Z“][^<>{}:|]{50,}?\.)(?=[\s<])", text)
    assert len(said) > 15
    twice = {one for one in said if said.count(one) > 1}
    assert not twice


def test_where_nobody_is_held_out_no_control_is_shown(page: Page) -> None:
    """The only arm of such a journey does not stand beside itself, and nobody is called None."""
    html = page.html.read_text()
    assert not re.search(r">None<|[^.\s]\s+None\b", html)
    alone = html.split("Everyone who entered, nobody held out</figcaption>")[1:]
    assert alone
    for figure in alone:
        table = figure[: figure.index("</table>")]
        assert "; of" not in table
        assert "bar control" not in table
        assert "Checkout started" in table


def test_each_row_of_timing_says_whose_it_is(page: Page) -> None:
    """Two arms of a journey have the same landmarks: a row names its arm, a status its reading."""
    labels = [
        re.findall(r"Read as</th>.*?</table>", journey, re.S)
        for journey in page.html.read_text().split('<details class="journey">')[1:]
    ]
    tables = [table for found in labels for table in found]
    assert len(tables) >= 3
    for table in tables:
        heads = re.findall(r'<th scope="row">(.*?)</th>', table, re.S)
        assert len(heads) == len(set(heads))
    assert "text_30m: Not converted by hour 1" in page.html.read_text()


@pytest.mark.parametrize(
    ("gaps", "said"),
    [(0, "Every source is fresh."), (1, "1 gap in what comes in"), (2, "2 gaps in what comes in")],
)
def test_fresh_sources_with_gaps_are_not_called_fresh_only(
    change: Change, gaps: int, said: str
) -> None:
    """What stopped of a family that is fresh as a whole stands in the first line of the page."""
    page = write_page(
        change(
            "update marts.fct_source_freshness set verdict = 'fresh'",
            f"delete from marts.fct_input_gaps where rowid >= {gaps}",
        )
    )
    assert said in re.sub(r"<[^>]+>", "", outline(page).sections["header"])


@pytest.mark.parametrize(("number", "said"), [(0, "0 weeks"), (1, "1 week"), (1200, "1,200 weeks")])
def test_one_of_a_thing_is_not_many(number: int, said: str) -> None:
    assert words.several(number, "week") == said


def test_nobody_converts_is_said_only_where_nobody_does(change: Change) -> None:
    """A plan may be impossible because all convert: that is no reason to say that nobody did."""
    page = write_page(
        change(
            "update marts.fct_conversion_by_timing set count_weeks = null, count_needed = null, "
            "count_persons = case when message_id = 'action:1013' then 0 else 9 end "
            "where basis = 'described'"
        )
    )
    rows = re.findall(r'<tr><th scope="row">.*?</tr>', page.html.read_text(), re.S)
    said = {row.split("<small>")[0]: row for row in rows if "nothing to find" in row}
    assert said
    assert all("Cart text after shipping rates" in title for title in said)
    assert "so many convert that the rate cannot rise enough" in page.html.read_text()

"""`segments backtest` on a history small enough to count by hand."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
import pytest
from publisher_home import mark_whole

from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.segments.backtest import as_markdown, as_table, backtest
from pipelines.settings import Settings

AS_OF = datetime(2026, 6, 1)

# winback, version 1 from day 60, version 2 from day 45, both to day 90; orders end a stay
#   ann  v1 3 May to 23 May (order of 40.00)   v2 18 April to 23 May
#   bob  never in v1                           v2 20 April to 30 April (order of 10.00)
#   cat  v1 from 20 May, still in              v2 from 5 May, still in
#   dan  v1 and v2 2 March to 12 March (order of 5.50 that is older than 90 days' history? no:
#        it is the first thing that happens, and lies outside the last 30 days)
STAYS = [
    ("ann", 1, "2026-05-03", "2026-05-23 12:00:00"),
    ("ann", 2, "2026-04-18", "2026-05-23 12:00:00"),
    ("bob", 2, "2026-04-20", "2026-04-30 12:00:00"),
    ("cat", 1, "2026-05-20", None),
    ("cat", 2, "2026-05-05", None),
    ("dan", 1, "2026-03-02", "2026-03-12"),
    ("dan", 2, "2026-03-02", "2026-03-12"),
]
ORDERS = [
    ("ann", "2026-05-23 12:00:00", "40.00"),
    ("bob", "2026-04-30 12:00:00", "10.00"),
    ("bob", "2026-05-25 00:00:00", "99.00"),  # no member any more
    ("dan", "2026-03-02 00:00:00", "7.00"),  # begins no stay: placed at the entry, not after it
    ("dan", "2026-03-12 00:00:00", "5.50"),
]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("create schema marts; create schema segments")
        connection.execute(
            """
            create table marts.fct_segment_memberships (
                person_id varchar, segment_key varchar, version bigint,
                entered_at timestamp, exited_at timestamp
            );
            create table marts.dim_segment_versions (
                segment_key varchar, version bigint, valid_to timestamp, is_exported boolean,
                as_of timestamp
            );
            create table segments.int_segments__order_values (
                person_id varchar, order_value decimal(38, 2), is_order boolean,
                changed_at timestamp
            );
            insert into marts.fct_segment_memberships values
                ('cat', 'vip', 1, '2026-05-21', null),
                ('bob', 'vip', 1, '2026-05-01', null),
                ('ann', 'retired', 1, '2026-01-01', null)
            """
        )
        for key, version, valid_to, is_exported in [
            ("winback", 1, None, True),
            ("winback", 2, None, False),
            ("vip", 1, None, True),
            ("retired", 1, "2026-05-01", True),
            ("hidden", 1, None, False),
        ]:
            connection.execute(
                "insert into marts.dim_segment_versions values (?, ?, ?, ?, ?)",
                [key, version, valid_to, is_exported, AS_OF],
            )
        for name, version, entered_at, exited_at in STAYS:
            connection.execute(
                "insert into marts.fct_segment_memberships values (?, 'winback', ?, ?, ?)",
                [name, version, entered_at, exited_at],
            )
        for person, changed_at, value in ORDERS:
            connection.execute(
                "insert into segments.int_segments__order_values values (?, ?, ?, ?)",
                [person, value, not value.startswith("-"), changed_at],
            )
    mark_whole(tmp_path, datetime(2026, 6, 1))
    return Settings.model_validate({"COUNTERFOIL_HOME": tmp_path})


def test_whole_history_equals_the_hand_count(settings: Settings) -> None:
    result = backtest(settings, Console(as_json=True), "winback", from_version=1, to_version=2)
    one, two = result.before, result.after
    assert result.since == datetime(2026, 3, 2)
    assert (one.count_persons, two.count_persons) == (3, 4)
    assert (one.count_members, two.count_members) == (1, 1)
    assert (one.count_entrants, two.count_entrants) == (3, 4)
    assert (one.count_leavers, two.count_leavers) == (2, 3)
    # ann 20.5, cat 12, dan 10 days; then ann 35.5, bob 10.5, cat 27, dan 10
    assert (one.person_days, two.person_days) == (42.5, 83.0)
    assert (one.count_orders, two.count_orders) == (2, 3)
    assert (one.revenue, two.revenue) == ("45.50", "55.50")
    assert (one.count_buyers, two.count_buyers) == (2, 3)
    assert one.order_rate == pytest.approx(2 / 3)
    assert two.order_rate == pytest.approx(3 / 4)
    assert result.jaccard_ever == pytest.approx(3 / 4)
    assert result.jaccard_now == 1
    assert result.jaccard_time == pytest.approx(42.5 / 83.0)
    assert result.break_members == 0
    assert result.break_order_rate == pytest.approx((3 / 4) / (2 / 3) - 1)
    assert result.break_revenue_per_person == pytest.approx((55.5 / 4) / (45.5 / 3) - 1)


def test_what_is_taken_back_lowers_revenue_and_is_no_order(settings: Settings) -> None:
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute(
            "insert into segments.int_segments__order_values values"
            " ('ann', -15.00, false, '2026-05-22 12:00:00'),"
            " ('cat', -1.00, false, '2026-05-22 12:00:00')"
        )
    result = backtest(settings, Console(as_json=True), "winback", from_version=1, to_version=2)
    one = result.before
    assert (one.count_orders, one.count_buyers, one.revenue) == (2, 2, "29.50")


def test_revenue_beyond_one_amount_is_told(settings: Settings) -> None:
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute(
            "insert into segments.int_segments__order_values values"
            " ('cat', 9999999999999999.99, true, '2026-05-22 12:00:00'),"
            " ('cat', 9999999999999999.99, true, '2026-05-23 12:00:00')"
        )
    result = backtest(settings, Console(as_json=True), "winback", from_version=1, to_version=2)
    assert (result.before.count_orders, result.before.revenue) == (4, "20000000000000045.48")


def test_members_on_mondays(settings: Settings) -> None:
    result = backtest(settings, Console(as_json=True), "winback", from_version=1, to_version=2)
    members = {
        f"{week.week_at:%m-%d}": (week.members_from, week.members_to) for week in result.weeks
    }
    assert members == {
        "03-09": (1, 1),
        "03-16": (0, 0),
        "03-23": (0, 0),
        "03-30": (0, 0),
        "04-06": (0, 0),
        "04-13": (0, 0),
        "04-20": (0, 2),
        "04-27": (0, 2),
        "05-04": (1, 1),
        "05-11": (1, 2),
        "05-18": (1, 2),
        "05-25": (1, 1),
        "06-01": (1, 1),
    }


def test_overlap_needs_the_same_time_and_an_exported_segment(settings: Settings) -> None:
    result = backtest(settings, Console(as_json=True), "winback", from_version=1, to_version=2)
    (vip,) = result.overlaps
    # bob became a vip the day after he left: not both at one time
    assert (vip.segment_key, vip.persons_from, vip.persons_to) == ("vip", 1, 1)
    assert vip.share_from == pytest.approx(1 / 3)
    assert vip.share_to == pytest.approx(1 / 4)


def test_the_last_thirty_days_alone(settings: Settings) -> None:
    result = backtest(
        settings, Console(as_json=True), "winback", from_version=1, to_version=2, days=30
    )
    one, two = result.before, result.after
    assert result.since == datetime(2026, 5, 2)
    assert (one.count_persons, two.count_persons) == (2, 2)
    assert (one.count_entrants, two.count_entrants) == (2, 1)  # ann had entered v2 before
    assert (one.count_leavers, two.count_leavers) == (1, 1)
    assert (one.person_days, two.person_days) == (32.5, 48.5)
    assert (one.revenue, two.revenue) == ("40.00", "40.00")


def test_table_json_and_markdown_say_the_same(settings: Settings) -> None:
    console = Console(as_json=True)
    result = backtest(settings, console, "winback", from_version=1, to_version=2)
    assert console.result["after"]["revenue"] == "55.50"
    assert console.result["weeks"][0] == {
        "week_at": "2026-03-09",
        "members_from": 1,
        "members_to": 1,
    }
    assert "buyers per person +12.5%" in as_table(result)
    assert "| revenue | 45.50 | 55.50 |" in as_markdown(result)
    assert "| `vip_v1` | 1 (33.3%) | 1 (25.0%) |" in as_markdown(result)


def test_nobody_in_either_is_no_number(settings: Settings) -> None:
    result = backtest(
        settings, Console(as_json=True), "winback", from_version=1, to_version=2, days=1
    )
    assert result.before.count_orders == 0
    assert result.break_order_rate is None
    assert "none" in as_table(result)


def test_wrong_use_is_one_sentence(settings: Settings, tmp_path: Path) -> None:
    console = Console(as_json=True)
    with pytest.raises(UsageError, match="two different versions"):
        backtest(settings, console, "winback", from_version=1, to_version=1)
    with pytest.raises(UsageError, match="whole number of days"):
        backtest(settings, console, "winback", from_version=1, to_version=2, days=0)
    with pytest.raises(CounterfoilError, match=r"no winback_v3 \(v1, v2 is built\)"):
        backtest(settings, console, "winback", from_version=1, to_version=3)
    with pytest.raises(CounterfoilError, match="Nothing was built yet"):
        backtest(
            Settings.model_validate({"COUNTERFOIL_HOME": tmp_path / "nowhere"}),
            console,
            "winback",
            from_version=1,
            to_version=2,
        )

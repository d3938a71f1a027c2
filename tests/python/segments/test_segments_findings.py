"""`segments new --from-finding`: the version builds, passes, and holds the people of the query."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb
import pytest
import yaml
from publisher_home import mark_whole
from segment_world import copy_project, make_home

from pipelines import warehouse
from pipelines.console import Console
from pipelines.errors import UsageError
from pipelines.segments.findings import Finding, find
from pipelines.segments.scaffold import new_segment
from pipelines.settings import Settings

AS_OF = datetime(2026, 6, 1)
TRIAGE = "triage/1/lapsed/two or three orders/mid/cold/win/treatment"
FUNNEL = "funnel/1/101/cart/treatment/payment_viewed"
TIER = "lift_by_stratum/cart/order_rate/treatment/itt/intent_tier=high"
WITHIN = "lift_within_tiers/cart/order_rate/treatment/intent_tier=high"

FINDINGS = """
create schema marts;
create table marts.fct_lift as select * from (values
    ('cart', 'order_rate', 'treatment', 'itt', 'intent_tier=high', 4, 2, 0.1, 0.02, 0.18, 'ok', ''),
    ('cart', 'order_rate', 'treatment', 'itt', 'all', 800, 400, 0.1, 0.02, 0.18, 'ok', ''),
    ('cart', 'order_rate', 'treatment', 'ghost_reached', 'intent_tier=high', 4, 2, 0.3, 0.2, 0.4,
        'ok', ''),
    ('cart', 'order_rate', 'treatment', 'itt', 'intent_tier=warm', 4, 0, null, null, null,
        'ok', ''),
    ('cart', 'order_rate', 'treatment', 'itt', 'intent_tier=cold', 4, 2, null, null, null,
        'insufficient', 'few_events'),
    ('cart', 'order_value', 'treatment', 'itt', 'intent_tier=high', 4, 2, 0.1, 0.02, 0.18, 'ok', '')
) as rows (experiment_key, metric_key, arm, population, stratum, count_treatment, count_control,
    lift, lift_low, lift_high, status, reasons);
create table marts.fct_lift_within_tiers as select * from (values
    ('cart', 'order_rate', 'treatment', 0.07, 0.01, 0.13, 'ok', ''),
    ('cart', 'order_value', 'treatment', 0.07, -0.1, 0.2, 'underpowered', 'low_power')
) as rows (experiment_key, metric_key, arm, lift, lift_low, lift_high, status, reasons);
create table marts.fct_checkout_funnel as select * from (values
    (1, '101', 'cart', 'treatment', 'payment_viewed', 60, 11, 0.3, 0.2, 0.1, 0.05, 0.15, 'ok', ''),
    (1, '101', 'cart', 'treatment', 'checkout_started', 80, 9, 0.3, 0.2, 0.1, 0.05, 0.15, 'ok', '')
) as rows (workspace_id, journey_id, experiment_key, arm, step, count_persons, count_dropped, rate,
    rate_control, difference, difference_low, difference_high, status, reasons);
create table marts.fct_reactivation_triage as select * from (values
    (1, 'lapsed', 'two or three orders', 'mid', 'cold', 'win', 'treatment', 17, 200, 100, 0.4, -0.6,
        1.4, 'test next', 'underpowered', 'low_power')
) as rows (workspace_id, lifecycle_stage, frequency_band, ltv_tier, intent_tier, experiment_key,
    arm, count_persons, count_treatment, count_control, net_margin, net_margin_low, net_margin_high,
    verdict, status, reasons);
create table registries.experiments as select 'cart' as experiment_key, 1::bigint as workspace_id;
"""

EVENTS = """
insert into identity.int_identity__behavior_events by name
select
    'p' || n as person_id, behavior, 'x' as product_id, 'coffee' as category,
    case when behavior = 'order_placed' then 40 + n % 30 end as value,
    timestamp '2026-06-01' - to_hours((n * 37 + step * 5) % (24 * 250)) as occurred_at,
    1 + n % 2 as workspace_id, n || '-' || step as event_id, behavior as value_behavior
from range(900) as people (n), (values
    (1, 'product_viewed'), (2, 'shipping_viewed'), (3, 'payment_viewed'), (4, 'order_placed'),
    (5, 'order_placed'), (6, 'shipping_viewed')
) as steps (step, behavior)
where (n + step) % 3 > 0;
insert into identity.int_identity__profiles
select 1 + n % 2, 'c' || n, 'p' || n from range(900) as people (n);
insert into staging.stg_customerio__people
select 1 + n % 2, 'c' || n, n % 50 = 0 from range(900) as people (n);
insert into journeys.int_journeys__subscription_statements
select 'p' || n, true, timestamp '2026-03-01' from range(0, 900, 7) as people (n);
"""

QUERIES = {
    "from_tier": """
        select person_id from marts.fct_intent_tiers
        where intent_tier = 'high' and exited_at is null
            and person_id in (
                select person_id from identity.int_identity__profiles where workspace_id = 1)
    """,
    "from_funnel": """
        select distinct person_id from identity.int_identity__behavior_events as seen
        where workspace_id = 1 and behavior = 'shipping_viewed'
            and occurred_at >= timestamp '2026-06-01' - to_hours(168)
            and not exists (
                select 1 from identity.int_identity__behavior_events as later
                where later.person_id = seen.person_id and later.behavior = 'payment_viewed'
                    and later.occurred_at >= seen.occurred_at)
    """,
    "from_triage": """
        select states.person_id from marts.dim_person_states as states
        inner join (
            select person_id, count(*) as count_orders from segments.int_segments__orders
            group by person_id) as bought using (person_id)
        where lifecycle_stage = 'lapsed' and intent_tier = 'cold' and ltv_tier = 'mid'
            and subscription_status = 'subscribed' and count_orders between 2 and 3
            and person_id in (
                select person_id from identity.int_identity__profiles where workspace_id = 1)
    """,
}


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    settings = make_home(tmp_path / "home")
    with duckdb.connect(str(settings.warehouse_path)) as db:
        db.execute(FINDINGS)
        db.execute(EVENTS)
    mark_whole(settings.home, AS_OF)
    return settings


def test_a_version_of_a_finding_holds_the_people_of_its_query(
    home: Settings, tmp_path: Path
) -> None:
    (tmp_path / "project").mkdir()
    project = copy_project(tmp_path / "project")
    console = Console(as_json=True)
    for key, name in (("from_tier", TIER), ("from_funnel", FUNNEL), ("from_triage", TRIAGE)):
        finding = find(home, name)
        new_segment(console, key, finding=finding, is_hypothesis=True, project=project)
        lines = (project / f"models/segments/{key}/{key}_v1.sql").read_text().splitlines()
        assert max(map(len, lines)) <= 110  # what the linter takes
        said = yaml.safe_load((project / f"models/segments/{key}/{key}.yml").read_text())
        evidence = said["models"][0]["versions"][0]["config"]["meta"]["evidence"]
        assert evidence["finding"] == name
        assert evidence["is_hypothesis"] is (key == "from_triage")
        assert str(evidence["found_as_of"]) == "2026-06-01"
        assert set(finding.evidence) <= set(evidence)
    select = ["+from_tier", "+from_funnel", "+from_triage", "+dim_person_states"]
    results = warehouse.invoke(
        home,
        project / "seeds",
        ["build", "--vars", f'{{"as_of": "{AS_OF}"}}', "--select", *select,
         "--exclude", "path:models/staging", "path:models/identity", "path:models/journeys",
         "resource_type:seed"],
        project=project,
    )  # fmt: skip
    assert results
    with duckdb.connect(str(home.warehouse_path)) as db:
        for key, query in QUERIES.items():
            members = {
                row[0]
                for row in db.execute(
                    f"select person_id from segments.{key}_v1 where exited_at is null"
                ).fetchall()
            }
            expected = {row[0] for row in db.execute(query).fetchall()}
            assert expected, key
            assert members == expected, key


def test_a_tier_of_the_lift_within_tiers_has_both_lifts_as_evidence(home: Settings) -> None:
    found = find(home, WITHIN)
    same = find(home, TIER)
    assert (found.sql, found.tests, found.words) == (same.sql, same.tests, same.words)
    assert found.is_ok
    assert {name: float(value) for name, value in found.evidence.items()} == {
        "count_treatment": 4,
        "count_control": 2,
        "lift": 0.1,
        "lift_low": 0.02,
        "lift_high": 0.18,
        "lift_within_tiers": 0.07,
        "lift_within_tiers_low": 0.01,
        "lift_within_tiers_high": 0.13,
    }


@pytest.mark.parametrize(
    ("name", "status", "reasons"),
    [
        (WITHIN.replace("high", "cold"), "insufficient", "few_events"),
        (WITHIN.replace("order_rate", "order_value"), "underpowered", "low_power"),
    ],
)
def test_a_tier_is_told_only_if_its_lift_and_that_within_tiers_may_be(
    name: str, status: str, reasons: str, home: Settings
) -> None:
    found = find(home, name)
    assert (found.status, found.reasons, found.is_ok) == (status, reasons, False)


def test_a_tier_without_both_arms_counts_in_no_lift_within_tiers(home: Settings) -> None:
    with pytest.raises(UsageError, match="--list lift_by_stratum"):
        find(home, WITHIN.replace("high", "warm"))


def test_what_may_not_be_told_is_a_hypothesis_or_nothing(home: Settings, tmp_path: Path) -> None:
    finding = find(home, f"{TRIAGE}/net_margin")
    assert finding.name == TRIAGE
    with pytest.raises(UsageError, match=r"underpowered \(low_power\).*--as-hypothesis"):
        new_segment(Console(as_json=True), "tried", finding=finding, project=tmp_path)
    told = replace(finding, status="ok")
    assert isinstance(told, Finding)
    with pytest.raises(UsageError, match="no finding"):
        find(home, "triage/1/lapsed")
    with pytest.raises(UsageError, match="has no such finding"):
        find(home, FUNNEL.replace("101", "102"))
    with pytest.raises(UsageError, match="is the first step"):
        find(home, FUNNEL.replace("payment_viewed", "checkout_started"))

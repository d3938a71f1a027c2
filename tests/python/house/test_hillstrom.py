"""The main job on real input: the 2008 Hillstrom e-mail test as a Customer.io export.

Figures are the published ones (64,000 customers, three randomised arms, one of them held out).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.console import Console
from pipelines.heap.planning import make_plan
from pipelines.loading import load
from pipelines.settings import Settings
from pipelines.warehouse import build

AS_OF = datetime(2025, 4, 1)


@pytest.fixture(scope="module")
def home(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The export loaded and built once for this module."""
    settings = Settings(_env_file=None).model_copy(  # type: ignore[call-arg]
        update={"home": tmp_path_factory.mktemp("hillstrom")}
    )
    console = Console(as_json=True)
    summary = load([str(shared_data / "hillstrom" / "export")], settings, console)
    assert summary.failure is None
    build(settings, console, as_of=AS_OF, registries=shared_data / "hillstrom" / "seeds")
    return settings


def ask(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        found: list[tuple[Any, ...]] = connection.execute(query).fetchall()
    return found


def test_every_customer_is_one_person(home: Settings) -> None:
    assert ask(home, "select count(*), count(distinct person_id) from marts.dim_persons") == [
        (64_000, 64_000)
    ]


def test_trapped_deliveries_were_shown_to_nobody(home: Settings) -> None:
    kinds = ask(
        home,
        """
        select exposure_kind, count(*), count(distinct person_id)
        from marts.fct_message_exposures group by exposure_kind order by exposure_kind
        """,
    )
    assert kinds == [("ghost", 21_306, 21_306), ("real", 42_694, 42_694)]


def test_arms_have_their_published_sizes(home: Settings) -> None:
    arms = ask(
        home,
        """
        select arm, count(*) from marts.fct_experiment_assignments
        where experiment_key = 'spring_email' group by arm order by arm
        """,
    )
    assert arms == [("control", 21_306), ("mens", 21_307), ("womens", 21_387)]


@pytest.mark.parametrize(
    ("metric", "arm", "published"),
    [
        ("order_rate", "mens", 0.0068050),
        ("order_rate", "womens", 0.0031111),
        ("visit_rate", "mens", 0.0765896),
        ("visit_rate", "womens", 0.0452331),
    ],
)
def test_lift_is_the_published_one(home: Settings, metric: str, arm: str, published: float) -> None:
    [(lift, low, high, status)] = ask(
        home,
        f"""
        select lift, lift_low, lift_high, status from marts.fct_lift
        where experiment_key = 'spring_email' and population = 'itt' and stratum = 'all'
            and metric_key = '{metric}' and arm = '{arm}' and control_arm = 'control'
        """,
    )
    assert lift == pytest.approx(published, abs=5e-8)
    assert low < lift < high
    assert status == "ok"


def test_spend_per_customer_is_the_published_one(home: Settings) -> None:
    means = ask(
        home,
        """
        select arm, mean_treatment, mean_control from marts.fct_lift
        where experiment_key = 'spring_email' and population = 'itt' and stratum = 'all'
            and metric_key = 'order_value' order by arm
        """,
    )
    assert [m[1] - m[2] for m in means] == pytest.approx([0.769827, 0.424412], abs=5e-7)


def test_the_plan_accounts_for_every_entry(home: Settings) -> None:
    [(entries,)] = ask(home, "select count(*) from marts.fct_journey_entries")
    [(sendable,)] = ask(home, "select count(*) from heap.heap_cio_journey_entered")
    refused = ask(
        home,
        """
        select count(*), count(*) filter (where reason is null) from heap.heap_refusals
        where kind = 'cio_journey_entered'
        """,
    )
    assert entries == 64_000
    assert (sendable + refused[0][0], refused[0][1]) == (64_000, 0)
    plan = make_plan(home, Console(as_json=True))
    assert plan.events["cio_journey_entered"] == sendable


def test_no_ghost_is_ready_to_leave_as_sent(home: Settings) -> None:
    assert ask(
        home,
        """
        select count(*) from heap.heap_cio_message_sent
        inner join marts.fct_message_exposures using (workspace_id, delivery_id)
        where exposure_kind <> 'real'
        """,
    ) == [(0,)]
    assert ask(home, "select count(*) > 42000 from heap.heap_cio_message_sent") == [(True,)]

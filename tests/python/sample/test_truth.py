"""The sample brand, drawn anew for each seed, through the whole road to Heap, against its truth."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from conftest import PROVE
from pydantic import SecretStr

from pipelines.console import Console
from pipelines.heap.limits import UNLIMITED
from pipelines.heap.publish import publish
from pipelines.loading import load
from pipelines.sample import SAMPLE_AS_OF, write_sample
from pipelines.sample.comparison import compare, show
from pipelines.sandbox import SandboxLimits, running_sandbox
from pipelines.settings import Settings
from pipelines.warehouse import build

SEEDS = range(2, 22) if PROVE else [2]
PEOPLE = 1_000 if PROVE else 600
"""Enough that each seed has ten held-out people of the cart who ordered: fewer are not read."""
CONSOLE = Console(as_json=True)


@pytest.fixture(scope="module", params=SEEDS)
def brand(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, Path]:
    """A brand, loaded newest file first in two halves, then built."""
    home = tmp_path_factory.mktemp("truth")
    settings = Settings(_env_file=None).model_copy(update={"home": home / "home"})  # type: ignore[call-arg]
    write_sample(home / "sample", people=PEOPLE, seed=request.param, console=CONSOLE)
    files = sorted((home / "sample" / "export").rglob("*_v5_*"), reverse=True)
    load([str(path) for path in files[: len(files) // 2]], settings, CONSOLE)
    load([str(home / "sample" / "export")], settings, CONSOLE)
    build(settings, CONSOLE, as_of=SAMPLE_AS_OF, registries=home / "sample" / "seeds")
    return settings, home / "sample" / "truth"


def deliveries(settings: Settings, truth: Path, kind: str) -> tuple[set[str], set[str]]:
    """Delivery ids of one exposure kind: as built, and in truth."""
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as warehouse:
        built = warehouse.execute(
            "select delivery_id from marts.fct_message_exposures where exposure_kind = ?", [kind]
        ).fetchall()
        true = warehouse.execute(
            f"select delivery_id from '{truth / 'exposures.parquet'}' where exposure_kind = ?",
            [kind],
        ).fetchall()
    return {row[0] for row in built}, {row[0] for row in true}


def test_every_ghost_is_found_and_nobody_else(brand: tuple[Settings, Path]) -> None:
    built, true = deliveries(*brand, "ghost")
    assert built == true
    assert len(built) > 20


def test_no_ghost_ever_leaves_as_sent(brand: tuple[Settings, Path]) -> None:
    settings, truth = brand
    _, ghosts = deliveries(settings, truth, "ghost")
    raised = SandboxLimits(events_per_minute=None, events_per_identity_minute=None)
    with running_sandbox(limits=raised) as heap:
        configured = settings.model_copy(
            update={"heap_app_id": SecretStr("77"), "heap_region": "us", "heap_url": heap.url}
        )
        first = publish(configured, CONSOLE, limits=UNLIMITED)
        again = publish(configured, CONSOLE, limits=UNLIMITED)
        told = heap.snapshot("77")
    assert first.count_events > 1000
    assert again.count_calls == 0
    events = [json.dumps(event, default=str) for event in told["events"]]
    sent = [event for event in events if "cio_message_sent" in event or "_clicked" in event]
    assert len(sent) > 500
    assert not [event for event in sent for ghost in ghosts if ghost in event]


def test_the_planted_effect_is_within_the_interval(brand: tuple[Settings, Path]) -> None:
    settings, truth = brand
    effects = json.loads((truth / "true_effects.json").read_text())
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as warehouse:
        told = warehouse.execute(
            """
            select experiment_key, lift_low, lift_high from marts.fct_lift
            where population = 'itt' and stratum = 'all' and metric_key = 'order_rate'
                and experiment_key in ('cart_recovery', 'replenishment') and lift is not null
            """
        ).fetchall()
    assert {row[0] for row in told} == {"cart_recovery", "replenishment"}
    # 99.9 % of true effects lie within twice the reach of a 95 % interval
    for key, low, high in told:
        middle, reach = (low + high) / 2, (high - low)
        assert abs(effects[key]["true_itt"] - middle) < reach


def test_the_naive_contrast_flatters_where_the_lift_does_not(
    brand: tuple[Settings, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    cart, refill = compare(*brand)
    assert (cart.journey_name, refill.journey_name) == ("Cart recovery", "Replenishment reminder")
    assert refill.true_lift == 0 < cart.true_lift
    for told in (cart, refill):
        assert told.naive_ratio is not None
        assert told.naive_ratio > 1.5
    assert refill.lift_low is not None
    assert refill.lift_high is not None
    # the interval of one seed misses once in twenty: the truth is within twice its reach
    reach = refill.lift_high - refill.lift_low
    assert abs((refill.lift_high + refill.lift_low) / 2) < reach
    show([cart, refill], Console())
    printed = capsys.readouterr().out
    assert "clickers order" in printed
    assert "planted 0.00" in printed

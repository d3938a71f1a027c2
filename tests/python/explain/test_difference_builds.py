"""Two pages of two real builds: what was planted between them is named as the cause."""

from __future__ import annotations

import csv
import shutil
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from review_home import LOADED, built_home, changed

from pipelines.console import Console
from pipelines.explain.difference import explain_difference
from pipelines.loading import load
from pipelines.review.page import write_page
from pipelines.sample import SAMPLE_AS_OF
from pipelines.warehouse import build

QUIET = Console(as_json=True)
LATE = "behavior_late.csv"

HELD_OUT = """
    select persons.customer_id, people.assigned_at
    from experiments.int_experiments__people as people
    inner join marts.fct_experiment_units as units
        on people.experiment_key = units.experiment_key
            and people.person_id = units.person_id
            and units.metric_key = 'order_rate' and units.y = 0 and units.is_mature
    inner join marts.dim_persons as persons on people.person_id = persons.person_id
    where people.experiment_key = 'cart_recovery' and people.arm = 'holdout'
        and persons.customer_id is not null
    order by people.person_id
    limit 10
"""
"""Held-out people who had not ordered, as far as the first build knows."""


@pytest.mark.prove
def test_a_late_file_and_a_changed_registry_are_each_the_cause_of_their_figures(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    """Ten orders of held-out people come late, and a text has become dearer meanwhile.

    The price is a cause of what messages bring, and never of a lift; the late rows are of both.
    """
    built = built_home(tmp_path_factory)
    settings = changed(built, tmp_path / "home")
    shutil.copy(built / LOADED, settings.raw_path)
    before = shutil.copy(write_page(settings).json, tmp_path / "before.json")

    with duckdb.connect(str(settings.warehouse_path), read_only=True) as db:
        held_out = db.execute(HELD_OUT).fetchall()
    arrived = tmp_path / "arrived"
    arrived.mkdir()
    with (arrived / LATE).open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["event_id", "customer_id", "event_name", "occurred_at", "value"])
        for number, (customer_id, assigned_at) in enumerate(held_out):
            at = (assigned_at + timedelta(days=1)).replace(microsecond=0)
            rows.writerow([f"late-{number}", customer_id, "Order Completed", at.isoformat(), 40])
    load([str(arrived)], settings, QUIET)

    (registries,) = (built / "registries").iterdir()
    seeds = shutil.copytree(registries, tmp_path / "seeds")
    costs = seeds / "channel_costs.csv"
    told = costs.read_text()
    costs.write_text(told.replace("sms,0.0120", "sms,0.5000"))
    assert costs.read_text() != told
    build(settings, QUIET, as_of=SAMPLE_AS_OF, registries=seeds)
    after = write_page(settings).json

    found = explain_difference(settings, str(before), str(after), QUIET)
    said = {cause.label: cause.sentence for cause in found.causes}
    late = next(label for label in said if label.startswith("late rows of behavior"))
    assert set(said) == {"registry channel_costs", late}
    assert said[late].startswith("10 rows came that had happened before 2026-06-01 00:00:00")
    assert said[late].endswith(f", in {LATE}")
    causes = {one.name: one.causes for one in found.changes}
    lifts = {name: why for name, why in causes.items() if name.startswith("lift/cart_recovery/")}
    assert "lift/cart_recovery/order_rate/treatment/mean_control" in lifts
    assert set(lifts.values()) == {(late,)}
    assert "value/shipping_text/text_30m/action:1071/sms/spending" in causes
    values = {why for name, why in causes.items() if name.startswith("value/")}
    assert {frozenset(why) for why in values} == {frozenset(said)}
    assert all(causes.values())
    again = explain_difference(settings, str(after), str(after), QUIET)
    assert (again.causes, again.changes) == ((), ())

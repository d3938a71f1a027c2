"""A plan binds the truth: what is no longer so is held and named, and what was told is listed."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from publisher_home import AS_OF, FAST, OPEN, Home
from typer.testing import CliRunner, Result

from cli import app
from pipelines.errors import CounterfoilError
from pipelines.heap.plan import Plan
from pipelines.heap.planning import make_plan
from pipelines.heap.publish import publish
from pipelines.sandbox import Fault, Sandbox, running_sandbox

SENT = "heap.heap_cio_message_sent"
LATER = AS_OF + timedelta(days=7)


@pytest.fixture
def home(tmp_path: Path, heap: Sandbox) -> Home:
    made = Home(tmp_path / "home", heap.url)
    made.sql(
        "create table marts.fct_message_exposures (delivery_id varchar, exposure_kind varchar)"
    )
    return made


def plan_of(home: Home) -> Plan:
    return make_plan(home.settings, home.console, limits=FAST)


def key(number: int) -> str:
    return f"sent-{number:09d}"


def receipts(home: Home) -> set[str]:
    return {str(row[0]) for row in home.ledger("select publish_key from receipts")}


def run(home: Home, *arguments: str) -> Result:
    environment = {
        "COUNTERFOIL_HOME": str(home.path),
        "HEAP_APP_ID": "1234567",
        "HEAP_REGION": "eu",
        "HEAP_URL": str(home.settings.heap_url),
    }
    return CliRunner().invoke(app, list(arguments), env=environment)


def gone(home: Home, number: int, reason: str | None = None) -> None:
    """As a build that leaves the event out: refused with its reason, or no event at all."""
    home.sql(f"delete from {SENT} where publish_key = '{key(number)}'")
    if reason is not None:
        home.insert(
            "heap.heap_refusals",
            [{"publish_key": key(number), "kind": "cio_message_sent", "reason": reason}],
        )


def ghost(home: Home, number: int) -> None:
    gone(home, number)
    home.sql(f"insert into marts.fct_message_exposures values ('delivery{number}', 'ghost')")


def relabelled(home: Home, number: int) -> None:
    home.sql(f"update {SENT} set arm = 'welcome=holdout' where publish_key = '{key(number)}'")


def suppressed(home: Home, person: int) -> None:
    """As a build that leaves out everything of a person who was suppressed."""
    who = f"person_id = 'person{person}'"
    home.sql(
        "insert into heap.heap_refusals select publish_key, 'cio_message_sent', "
        f"'person is suppressed' from {SENT} where {who}",
        *(f"delete from {mart} where {who}" for mart in (SENT, "heap.heap_user_properties")),
        "update marts.dim_persons set is_publishable = false, heap_identity = null, "
        f"match_status = 'suppressed', refusal_reason = 'person is suppressed' where {who}",
    )


def changed_in_every_way(home: Home) -> Path:
    """A plan of 20 events of 7 people and 4 people's properties, overtaken by the next build."""
    home.sent(20)
    home.users(4)
    plan = plan_of(home)
    assert plan.path is not None
    ghost(home, 0)
    gone(home, 9, "embargo")
    gone(home, 12)
    relabelled(home, 3)
    suppressed(home, 1)  # events 1, 8 and 15, and properties
    home.sql(
        "update heap.heap_user_properties set cio_intent_tier = 'low' where person_id = 'person2'",
        f"update {SENT} set heap_identity = 'new' where publish_key = '{key(4)}'",
        "update marts.dim_persons set heap_identity = 'new' where person_id = 'person4'",
        f"delete from {SENT} where person_id = 'person4' and heap_identity <> 'new'",
        # this person is in no relation any more
        f"delete from {SENT} where person_id = 'person6'",
        "delete from marts.dim_persons where person_id = 'person6'",
    )
    home.built(LATER)
    return plan.path


HELD = {
    "cio_message_sent: another identity": 1,
    "cio_message_sent: embargo": 1,
    "cio_message_sent: found to be a ghost": 1,
    "cio_message_sent: no longer in the Heap marts": 1,
    "cio_message_sent: nobody whom the warehouse knows": 4,
    "cio_message_sent: other content": 1,
    "cio_message_sent: person is suppressed": 3,
    "user properties: nobody whom the warehouse knows": 1,
    "user properties: other content": 1,
}


def test_what_is_no_longer_so_is_held_and_named_and_the_rest_goes(
    home: Home, heap: Sandbox
) -> None:
    path = changed_in_every_way(home)
    result = run(home, "publish", "--plan", str(path))
    assert result.exit_code == 0, result.output
    for reason, count in HELD.items():
        assert f"held, for it is no longer so: {reason} ({count})" in result.output
    assert result.output.count("held, for") == len(HELD)
    assert "shopper" not in result.output + result.stderr
    away = {0, 1, 3, 4, 6, 8, 9, 11, 12, 13, 15, 18}
    assert receipts(home) == {key(n) for n in range(20) if n not in away}
    told = heap.store().events.values()
    said = {str(json.loads(event.properties)["publish_key"]) for event in told}
    assert said == receipts(home)
    # what is held and still due is said by the next fresh plan, as it is now; the rest by none
    fresh = plan_of(home)
    assert fresh.events == {"cio_message_sent": 2}
    assert fresh.path is not None
    text = fresh.path.read_text()
    assert key(3) in text
    assert key(4) in text
    assert '"arm":"welcome=holdout"' in text
    assert '"cio_intent_tier":"low"' in text
    assert "shopper1@" not in text
    assert publish(home.settings, home.console, limits=FAST).count_events == 2
    assert plan_of(home).is_empty


def test_strictly_one_row_that_is_no_longer_so_keeps_all(home: Home, heap: Sandbox) -> None:
    path = changed_in_every_way(home)
    result = run(home, "publish", "--strict", "--plan", str(path))
    assert result.exit_code == 1
    assert (
        "14 rows of the plan say what is no longer so (cio_message_sent: another" in result.stderr
    )
    assert "`counterfoil plan`" in result.stderr
    assert "shopper" not in result.output + result.stderr
    assert heap.calls == []
    # a plan that is still so goes, strictly too
    assert plan_of(home).path is not None
    result = run(home, "publish", "--strict", "--plan", str(plan_of(home).path))
    assert result.exit_code == 0, result.output


def test_a_plan_of_which_nothing_is_so_any_more_is_refused(home: Home, heap: Sandbox) -> None:
    home.sent(3, people=1)
    path = plan_of(home).path
    suppressed(home, 0)
    with pytest.raises(CounterfoilError, match=r"3 rows .*person is suppressed: 3.*nothing was"):
        publish(home.settings, home.console, path, limits=FAST)
    assert heap.calls == []
    assert home.ledger("select status from plans") == [("planned",)]


def test_the_rest_of_an_interrupted_plan_is_compared_as_well(home: Home, heap: Sandbox) -> None:
    few = dataclasses.replace(FAST, rows_per_call=5, canary_rows=5)
    home.sent(20)
    path = make_plan(home.settings, home.console, limits=few).path
    heap.inject(Fault("reset", times=1000, skip=2))
    with pytest.raises(CounterfoilError, match="does not answer"):
        publish(home.settings, home.console, path, limits=few)
    heap.state.faults.clear()
    assert len(receipts(home)) == 10
    relabelled(home, 2)  # told already, so it cannot be held
    relabelled(home, 11)  # in the call that got no answer
    relabelled(home, 17)
    summary = publish(home.settings, home.console, path, limits=few)
    assert summary.held == {"cio_message_sent: other content": 2}
    assert receipts(home) == {key(n) for n in range(20) if n not in (11, 17)}


def test_the_canary_stays_small_when_the_first_rows_are_held(home: Home, heap: Sandbox) -> None:
    home.sent(200)
    path = plan_of(home).path
    for number in range(FAST.canary_rows):
        gone(home, number)
    publish(home.settings, home.console, path, limits=FAST)
    assert [call.count_rows for call in heap.calls] == [
        FAST.canary_rows,
        200 - 2 * FAST.canary_rows,
    ]


def test_a_cadence_keeps_no_held_row_from_the_next_plan(home: Home, heap: Sandbox) -> None:
    home.models["model.counterfoil.heap_cio_message_sent"]["config"]["meta"]["heap"]["cadence"] = (
        "daily"
    )
    home.drop_model("heap_cio_goal_converted")  # writes the manifest anew
    home.sent(4)
    path = plan_of(home).path
    relabelled(home, 0)
    home.built(AS_OF + timedelta(hours=1))
    publish(home.settings, home.console, path, limits=FAST)
    assert plan_of(home).events == {"cio_message_sent": 1}


CHANGES: dict[str, Callable[[Home, int], None]] = {
    "gone": gone,
    "a ghost": ghost,
    "relabelled": relabelled,
}


@given(changes=st.dictionaries(st.integers(0, 11), st.sampled_from(sorted(CHANGES)), max_size=11))
@examples(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_exactly_what_changed_is_held(changes: dict[int, str]) -> None:
    with running_sandbox(limits=OPEN) as heap, tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home", heap.url)
        home.sql(
            "create table marts.fct_message_exposures (delivery_id varchar, exposure_kind varchar)"
        )
        home.sent(12)
        path = plan_of(home).path
        for number, change in changes.items():
            CHANGES[change](home, number)
        summary = publish(home.settings, home.console, path, limits=FAST)
        assert sum(summary.held.values()) == len(changes)
        assert receipts(home) == {key(n) for n in range(12) if n not in changes}


# -- what was told, and is otherwise now ----------------------------------------------------------

OTHERWISE = "select publish_key, what, told, true_now, since from heap_told_otherwise order by all"


def test_a_relabel_after_the_send_is_listed_until_it_is_true_again(
    home: Home, heap: Sandbox
) -> None:
    home.sent(9, people=9)
    publish(home.settings, home.console, limits=FAST)
    plan_of(home)
    assert home.ledger(OTHERWISE) == []
    home.built(LATER)
    relabelled(home, 0)
    ghost(home, 1)
    gone(home, 2, "embargo")
    gone(home, 3)
    home.sql(
        f"update {SENT} set heap_identity = 'new' where publish_key = '{key(4)}'",
        "update marts.dim_persons set heap_identity = 'new' where person_id = 'person4'",
        f"update {SENT} set occurred_at = occurred_at + to_minutes(1), channel = null "
        f"where publish_key = '{key(5)}'",
    )
    plan = plan_of(home)
    assert plan.told_otherwise == 6
    expected: list[tuple[str, str, str | None, str | None, datetime]] = [
        (key(0), "arm", "welcome=treatment", "welcome=holdout", LATER),
        (key(1), "event", "cio_message_sent", "found to be a ghost", LATER),
        (key(2), "event", "cio_message_sent", "embargo", LATER),
        (key(3), "event", "cio_message_sent", "no longer in the Heap marts", LATER),
        (key(4), "identity", "shopper4@shop.example", "new", LATER),
        (key(5), "channel", "email", None, LATER),
        (key(5), "timestamp", "2026-01-01T00:05:00.000Z", "2026-01-01T00:06:00.000Z", LATER),
    ]
    assert home.ledger(OTHERWISE) == expected
    result = run(home, "explain", "told")
    assert result.exit_code == 0, result.output
    assert (
        "cio_message_sent, arm: told welcome=treatment, is welcome=holdout (1 events, since "
        f"{LATER:%Y-%m-%d %H:%M})" in result.output
    )
    assert "cio_message_sent, identity (1 events" in result.output
    assert "shopper" not in result.output
    assert len(json.loads(run(home, "explain", "told", "--json").stdout)["told_otherwise"]) == 7
    # a later build: what was found before keeps its instant, what is true again is gone
    home.built(LATER + timedelta(days=1))
    home.sql(f"update {SENT} set arm = 'welcome=treatment' where publish_key = '{key(0)}'")
    relabelled(home, 6)
    plan_of(home)
    then = (key(6), *expected[0][1:4], LATER + timedelta(days=1))
    assert home.ledger(OTHERWISE) == [*expected[1:], then]


def test_receipts_of_an_older_version_say_no_content(home: Home, heap: Sandbox) -> None:
    home.sent(3)
    publish(home.settings, home.console, limits=FAST)
    with duckdb.connect(str(home.settings.ledger_path)) as db:
        db.execute("alter table receipts drop column told; drop table heap_told_otherwise")
    assert "is still so" in run(home, "explain", "told").output
    relabelled(home, 0)
    gone(home, 1)
    plan_of(home)
    assert [row[:2] for row in home.ledger(OTHERWISE)] == [(key(1), "event")]

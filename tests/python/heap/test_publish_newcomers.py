"""Whom Heap has never seen: told or held, as the workspace declares, and counted by arm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from publisher_home import FAST, Home

from pipelines.heap.planning import make_plan
from pipelines.heap.publish import publish
from pipelines.heap.summary import markdown, summary_lines
from pipelines.sandbox import Sandbox


@pytest.fixture
def home(tmp_path: Path, heap: Sandbox) -> Home:
    """Seven people with two messages each; Heap has seen the first three."""
    home = Home(tmp_path / "home", heap.url)
    home.sent(14)
    home.users(7)
    home.seen("person0", "person1", "person2")
    arms = {"person0": "treatment", "person3": "treatment", "person4": "holdout"}
    home.insert(
        "marts.fct_experiment_assignments",
        [{"experiment_key": "cart", "person_id": p, "arm": arm} for p, arm in arms.items()],
    )
    return home


def choose(home: Home, choice: str, workspace: int | None = None) -> None:
    home.insert("marts.heap_newcomers", [{"workspace_id": workspace, "choice": choice}])


def told(heap: Sandbox) -> set[str]:
    return {identity.split("@")[0] for identity in heap.store().by_identity}


@pytest.mark.parametrize("choice", ["send", None])
def test_newcomers_are_told_and_counted_by_arm(
    home: Home, heap: Sandbox, choice: str | None
) -> None:
    if choice:
        choose(home, choice)
    plan = make_plan(home.settings, home.console, limits=FAST)
    assert plan.count_new_identities == 4
    assert plan.newcomers == {
        "cart=holdout": {"told": 1, "held": 0},
        "cart=treatment": {"told": 1, "held": 0},
        "no experiment": {"told": 2, "held": 0},
    }
    text = "\n".join(summary_lines(plan)) + markdown(plan)
    assert text.count("cart=treatment: 1 to be told, 0 held") == 2
    publish(home.settings, home.console, limits=FAST)
    assert len(told(heap)) == 7
    # whom Heap was told of is no newcomer any more, though Heap Connect has not brought them yet
    assert make_plan(home.settings, home.console, limits=FAST).newcomers == {}


def test_held_newcomers_are_told_nothing_and_counted_by_arm(home: Home, heap: Sandbox) -> None:
    choose(home, "send")
    choose(home, "hold", workspace=1)
    plan = make_plan(home.settings, home.console, limits=FAST)
    assert (plan.count_events, plan.count_users, plan.count_new_identities) == (6, 3, 0)
    assert plan.newcomers == {
        "cart=holdout": {"told": 0, "held": 1},
        "cart=treatment": {"told": 0, "held": 1},
        "no experiment": {"told": 0, "held": 2},
    }
    assert plan.refused == {
        "cio_message_sent: new to Heap": 8,
        "user properties: new to Heap": 4,
    }
    assert "shopper" not in json.dumps(plan.facts(), default=str)
    publish(home.settings, home.console, limits=FAST)
    assert told(heap) == {"shopper0", "shopper1", "shopper2"}
    # once Heap has seen them by itself they are told everything
    home.seen("person3")
    assert publish(home.settings, home.console, limits=FAST).count_events == 2
    assert told(heap) == {"shopper0", "shopper1", "shopper2", "shopper3"}


def test_whom_a_later_choice_holds_is_not_told_false(home: Home, heap: Sandbox) -> None:
    """They left no segment: nobody says anything of them until Heap Connect brings them."""
    publish(home.settings, home.console, limits=FAST)
    choose(home, "hold")
    home.sql("delete from heap.heap_user_properties where person_id = 'person4'")
    plan = make_plan(home.settings, home.console, limits=FAST)
    assert (plan.count_users, plan.leavers, plan.erasures_due) == (0, {}, 0)
    home.seen("person4")
    plan = make_plan(home.settings, home.console, limits=FAST)
    assert plan.leavers == {"cio_seg_cart_v1": 1, "cio_seg_lapsed_v2": 1}

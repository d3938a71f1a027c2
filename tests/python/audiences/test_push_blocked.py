"""What waits while an audience is blocked: nothing moves, and everybody is told who would."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from audience_world import SEGMENT, World, audience, crowd

from pipelines.audiences.limits import UNHURRIED
from pipelines.audiences.plan import AudiencePlan, summary_lines
from pipelines.audiences.planning import make_plan
from pipelines.audiences.push import push
from pipelines.sandbox import Sandbox

FAST = replace(UNHURRIED, backoff_seconds=0.001, longest_backoff_seconds=0.01, timeout_seconds=5.0)


def planned(world: World) -> AudiencePlan:
    return make_plan(world.settings, world.console, limits=FAST)


def told(world: World) -> Any:
    return push(world.settings, world.console, limits=FAST)


def pushed(world: World, heap: Sandbox) -> set[str]:
    """Twenty people, of whom sixteen are in the segment by us."""
    world.add(*crowd(20))
    world.tell(heap.customerio)
    world.build()
    assert told(world).count_added == 16
    return set(heap.customerio.segments[SEGMENT])


def test_who_is_held_out_while_an_audience_is_blocked_is_counted_and_removed_afterwards(
    world: World, heap: Sandbox
) -> None:
    before = pushed(world, heap)
    world.humans["c000001"].arms.append(("cart", "control"))
    world.humans["c000002"].arms.append(("all", "control"))
    world.humans["c000003"].is_in = False
    # held out as well as no longer in the segment: the former is what must be known
    world.humans["c000004"].is_in = False
    world.humans["c000004"].arms.append(("cart", "control"))
    world.parity = [("sms", "blocked", "too unlike")]
    world.build()
    plan = planned(world)
    assert plan.shares[0].held_back == {"held out": 3, "left the segment": 1}
    assert (plan.count_adds, plan.count_removes, plan.calls) == (0, 0, 0)
    assert any(
        "4 wait to be removed (held out: 3, left the segment: 1)" in line
        for line in summary_lines(plan)
    )
    assert told(world).count_calls == 0
    assert set(heap.customerio.segments[SEGMENT]) == before

    world.parity.clear()
    world.build()
    plan = planned(world)
    assert plan.shares[0].held_back == {}
    assert plan.shares[0].removes == {"held out": 3, "left the segment": 1}
    told(world)
    assert before - set(heap.customerio.segments[SEGMENT]) == {
        f"c00000{number}" for number in (1, 2, 3, 4)
    }


@pytest.mark.parametrize(
    "rows",
    [
        [audience(workspace_id=2)],
        [audience(version=3)],
        [audience(), audience("other")],
    ],
)
def test_whatever_blocks_an_audience_who_is_held_out_since_is_counted(
    rows: list[dict[str, Any]], world: World, heap: Sandbox
) -> None:
    before = pushed(world, heap)
    world.humans["c000001"].arms.append(("cart", "control"))
    world.audiences = rows
    world.build()
    share = next(share for share in planned(world).shares if share.audience_key == "sms")
    assert share.held_back["held out"] == 1
    assert told(world).count_calls == 0
    assert set(heap.customerio.segments[SEGMENT]) == before


def test_a_workspace_that_nobody_is_of_blocks_its_audience(world: World, heap: Sandbox) -> None:
    before = pushed(world, heap)
    world.audiences = [audience(workspace_id=2)]
    world.build()
    assert planned(world).shares[0].blocked == "nobody that we know of is of its workspace"
    assert told(world).count_calls == 0
    assert set(heap.customerio.segments[SEGMENT]) == before

"""Killed at any instant and run again, the segment holds exactly the members."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable

from audience_world import SEGMENT, World, crowd
from conftest import KILLS, PROVE
from killing import is_killed, pushing, seconds_of, started
from test_push import FAST

from pipelines.audiences.push import push
from pipelines.sandbox import Sandbox

TRIES = KILLS if PROVE else 6


def test_killed_at_any_instant_nobody_is_lost_and_nobody_held_out_is_in(
    world: World, heap: Sandbox, note: Callable[[str, int], None]
) -> None:
    world.add(*crowd(4000))
    world.tell(heap.customerio)
    world.build()
    members = world.members("sms")
    seconds = seconds_of(started(pushing, world.settings, FAST))
    chance = random.Random(5)
    count = 0
    while count < TRIES:
        world.settings.ledger_path.unlink()
        shutil.rmtree(world.settings.plans_dir, ignore_errors=True)
        heap.customerio.segments.clear()
        for _ in range(3):
            process = started(pushing, world.settings, FAST)
            count += is_killed(process, chance.uniform(0, seconds))
            assert heap.customerio.segments.get(SEGMENT, set()) <= members
        push(world.settings, world.console, limits=FAST)
        assert heap.customerio.segments[SEGMENT] == members
        assert world.ledger("select count(*) from audience_intents") == [(0,)]
        assert world.ledger("select count(*), count(distinct cio_id) from audience_state") == [
            (len(members), len(members))
        ]
        assert push(world.settings, world.console, limits=FAST).count_calls == 0
    assert heap.customerio.invented == []
    note("kills of a push", count)

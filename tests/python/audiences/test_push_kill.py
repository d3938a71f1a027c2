"""Killed at any instant and run again, the segment holds exactly the members."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from audience_world import SEGMENT, World, crowd
from conftest import KILLS, PROVE
from test_push import FAST

from pipelines.audiences.push import push
from pipelines.sandbox import Sandbox
from pipelines.settings import PROJECT_DIR

TRIES = KILLS if PROVE else 6

SCRIPT = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from audience_world import settings_of
from test_push import FAST
from pipelines.audiences.push import push
from pipelines.console import Console
print("ready", flush=True)
sys.stdin.readline()
push(settings_of(Path(sys.argv[1]), sys.argv[2]), Console(as_json=True), limits=FAST)
"""


def start(world: World, url: str) -> subprocess.Popen[str]:
    """A push in a process of its own, past its imports and waiting to be let go."""
    here = Path(__file__).parent
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(world.settings.home), url, str(here), str(here.parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=PROJECT_DIR,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_killed_at_any_instant_nobody_is_lost_and_nobody_held_out_is_in(
    world: World, heap: Sandbox, note: Callable[[str, int], None]
) -> None:
    world.add(*crowd(4000))
    world.tell(heap.customerio)
    world.build()
    members = world.members("sms")
    calm = start(world, heap.url)
    began = time.monotonic()
    go(calm)
    assert calm.wait(60) == 0
    seconds = time.monotonic() - began
    chance = random.Random(5)
    count = 0
    while count < TRIES:
        world.settings.ledger_path.unlink()
        shutil.rmtree(world.settings.plans_dir, ignore_errors=True)
        heap.customerio.segments.clear()
        for _ in range(3):
            process = start(world, heap.url)
            go(process)
            time.sleep(chance.uniform(0, seconds))
            process.send_signal(signal.SIGKILL)
            count += process.wait(30) == -signal.SIGKILL
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

"""A receiver that is killed has every body that it acknowledged, and keeps none that is torn."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from conftest import KILLS, PROVE
from serving import served, start
from webhook_calls import Posted, bodies, post_many

from pipelines.receiver.spool import ROTATE


def kill_while_it_mends(folder: Path, after: float) -> bool:
    """Kill a receiver somewhere between its start and its first answer; whether it was hit."""
    process = start(folder)
    time.sleep(after)
    process.kill()
    process.communicate()
    return process.returncode == -signal.SIGKILL


def ask_to_close(spool: Path, until: threading.Event) -> None:
    """Have it close its files again and again, as an erasure does: kills hit that too."""
    while not until.wait(0.03):
        with suppress(FileNotFoundError):
            (spool / ROTATE).touch()


def test_no_acknowledged_body_is_lost_and_none_is_torn(
    tmp_path: Path, note: Callable[[str, int], None]
) -> None:
    chance = random.Random(16)
    acknowledged: set[str] = set()
    kills = KILLS if PROVE else 4
    mending = 0
    begun = time.monotonic()
    with served(tmp_path) as server:
        spool = server.spool
    starting = time.monotonic() - begun
    for kill in range(kills):
        mending += kill_while_it_mends(tmp_path, chance.uniform(0.5, 1.0) * starting)
        with served(tmp_path) as server:
            closing = threading.Event()
            asking = threading.Thread(target=ask_to_close, args=(spool, closing))
            if kill % 2:
                asking.start()

            async def post_until_killed(
                after: float, url: str, first: int, process: subprocess.Popen[str]
            ) -> Posted:
                posting = asyncio.create_task(post_many(url, 20_000, a_second=2_000, start=first))
                await asyncio.sleep(after)
                process.kill()
                process.wait()
                return await posting

            posted = asyncio.run(
                post_until_killed(
                    chance.uniform(0.02, 0.6), server.url, kill * 20_000, server.process
                )
            )
            closing.set()
            if kill % 2:
                asking.join()
            acknowledged |= {json.loads(body)["event_id"] for body in posted.acknowledged}
    with served(tmp_path):
        pass
    found = [body["event_id"] for body in bodies(spool)]
    assert acknowledged <= set(found)
    assert len(found) == len(set(found))
    assert list(spool.glob(".webhooks*")) == []
    note("kills of a receiver that takes bodies", kills)
    note("kills of a receiver that starts or mends", mending)
    note("bodies acknowledged before them", len(acknowledged))

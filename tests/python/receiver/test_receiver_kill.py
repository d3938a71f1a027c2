"""A receiver that is killed has every body that it acknowledged, and keeps none that is torn."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from pathlib import Path

from conftest import KILLS, PROVE
from serving import served
from webhook_calls import Posted, bodies, post_many


def test_no_acknowledged_body_is_lost_and_none_is_torn(
    tmp_path: Path, note: Callable[[str, int], None]
) -> None:
    chance = random.Random(16)
    acknowledged: set[str] = set()
    kills = KILLS if PROVE else 4
    for kill in range(kills):
        with served(tmp_path) as server:

            async def post_until_killed(after: float, url: str, start: int) -> Posted:
                posting = asyncio.create_task(post_many(url, 20_000, a_second=2_000, start=start))
                await asyncio.sleep(after)
                server.process.kill()
                server.process.wait()
                return await posting

            posted = asyncio.run(
                post_until_killed(chance.uniform(0.02, 0.6), server.url, kill * 20_000)
            )
            spool = server.spool
            acknowledged |= {json.loads(body)["event_id"] for body in posted.acknowledged}
    assert list(spool.glob(".webhooks*")), "the last kill left what was being written"
    with served(tmp_path):
        pass
    found = [body["event_id"] for body in bodies(spool)]
    assert acknowledged <= set(found)
    assert len(found) == len(set(found))
    assert list(spool.glob(".webhooks*")) == []
    note("kills of a receiver", kills)
    note("bodies acknowledged before them", len(acknowledged))

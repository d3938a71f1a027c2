"""Webhooks as their senders sign them, and whoever posts many of them at once."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from pipelines.settings import Settings

KEY, SECRET = "a-signing-key", "a-webhook-secret"


def with_keys(settings: Settings) -> Settings:
    return settings.model_copy(
        update={"webhook_key": SecretStr(KEY), "heap_webhook_secret": SecretStr(SECRET)}
    )


def metric(number: int, **more: object) -> bytes:
    """The body of a reporting webhook."""
    body = {
        "event_id": f"E{number:06}",
        "object_type": "email",
        "metric": "sent",
        "timestamp": 1_767_225_600 + number,
        "data": {"delivery_id": f"D{number}", "identifiers": {"id": f"c{number}"}},
    }
    return json.dumps({**body, **more}).encode()


def segment_page(
    *, page: int = 1, pages: int = 1, task: str = "t1", **lists: list[object]
) -> dict[str, Any]:
    """The body of a segment webhook: `add` and `remove` are lists of ids."""
    return {
        "id_token": "0c9ff4e8-0000-4000-8000-000000000000",
        "action_type": "segment.users.sync",
        "data": {
            "segment": {"id": 7, "name": "VIP"},
            "sync_info": {"page_number": page, "total_pages": pages, "sync_task_id": task},
            **{name: [{"id": one} for one in ids] for name, ids in lists.items()},
        },
    }


def by_customerio(body: bytes, at: float | None = None, key: str = KEY) -> dict[str, str]:
    timestamp = str(int(time.time() if at is None else at))
    signed = b"v0:" + timestamp.encode() + b":" + body
    return {
        "X-CIO-Timestamp": timestamp,
        "X-CIO-Signature": hmac.new(key.encode(), signed, hashlib.sha256).hexdigest(),
    }


def by_heap(body: bytes, at: float | None = None, secret: str = SECRET) -> dict[str, str]:
    timestamp = str(int((time.time() if at is None else at) * 1000))
    digest = hmac.new(secret.encode(), timestamp.encode() + body, hashlib.sha256).digest()
    return {"Heap-Hash": f"ts:{timestamp},hmac:{base64.b64encode(digest).decode()}"}


def bodies(spool: Path, family: str = "webhooks") -> list[dict[str, Any]]:
    """What a load would find, in order of the files' names."""
    return [
        json.loads(line)
        for path in sorted(spool.glob(f"{family}*.jsonl"))
        for line in path.read_text().splitlines()
    ]


@dataclass
class Posted:
    """What became of many calls: bodies that were acknowledged, and how long answers took."""

    acknowledged: list[bytes] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)


async def post_many(
    url: str, count: int, *, a_second: float, connections: int = 20, start: int = 0
) -> Posted:
    """Post so many bodies at a steady rate over some connections, until the server is gone.

    Plain sockets: a client library of comfort would be slower than what it measures.
    """
    parts = urlsplit(url)
    posted = Posted()
    begun = time.monotonic()

    async def work(worker: int) -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            for number in range(worker, count, connections):
                due = begun + number / a_second
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                body = metric(start + number)
                headers = "".join(
                    f"{name}: {value}\r\n" for name, value in by_customerio(body).items()
                )
                head = (
                    f"POST /customerio HTTP/1.1\r\nHost: x\r\n{headers}"
                    f"Content-Length: {len(body)}\r\n\r\n"
                )
                sent = time.monotonic()
                writer.write(head.encode() + body)
                answer = await reader.readuntil(b"\r\n\r\n")
                status = int(answer.split()[1])
                await reader.readexactly(_length(answer))
                posted.seconds.append(time.monotonic() - sent)
                posted.statuses[status] = posted.statuses.get(status, 0) + 1
                if status == 200:
                    posted.acknowledged.append(body)
        finally:
            writer.close()

    done = await asyncio.gather(*map(work, range(connections)), return_exceptions=True)
    lost = [e for e in done if isinstance(e, BaseException)]
    for error in lost:
        if not isinstance(error, OSError | EOFError):
            raise error
    return posted


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0

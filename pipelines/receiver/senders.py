"""A sender: who posts webhooks, how the posts are signed, and what line becomes of a body."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pipelines.receiver.signatures import (
    Signed,
    of_customerio,
    of_heap,
    verify_heap_hash,
    verify_signature,
)
from pipelines.settings import Settings

FUTURE_SECONDS = 60.0
"""How far a sender's clock may be ahead of ours."""

_ENDS = bytes.maketrans(b"\r\n", b"  ")


@dataclass(frozen=True)
class Sender:
    """Who posts to one path.

    Attributes:
        path: where.
        family: how the names of files of its bodies begin, so that a load knows them.
        setting: the setting that holds the key.
        key: the key; None where it is not set, and then nothing is taken.
        old_seconds: how long a signature is good.
        said: what the headers of a call say.
        verify: whether a key, a timestamp, a body and a signature belong together.
        is_stamped: whether the line says when it was received: where the body has no time.
        workspace_id: what the line says of the workspace, which the body does not.
    """

    path: str
    family: str
    setting: str
    key: str | None
    old_seconds: float
    said: Callable[[Mapping[str, str]], Signed | None]
    verify: Callable[[str, str, bytes, str], bool]
    is_stamped: bool = False
    workspace_id: int | None = None

    def line(self, body: bytes, received_at: datetime) -> bytes | None:
        """One line of a file: the body as it came, but for what it does not say; None for no JSON.

        Outside of its texts an end of line is a blank of JSON, and inside it has none: a body of
        several lines is one line with the same meaning.
        """
        try:
            found = json.loads(body.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, dict):
            return None
        added: dict[str, object] = {}
        if self.workspace_id is not None and "workspace_id" not in found:
            added["workspace_id"] = self.workspace_id
        if self.is_stamped:
            if "received_at" in found:  # ours is the one that counts
                del found["received_at"]
                body = json.dumps(found).encode()
            added["received_at"] = received_at.isoformat(timespec="microseconds") + "Z"
        text = body.removeprefix(b"\xef\xbb\xbf").translate(_ENDS).strip()
        if added:
            start = json.dumps(added)[:-1].encode()
            text = start + (b", " if found else b"") + text[1:].lstrip()
        return text + b"\n"


def senders(settings: Settings, workspace_id: int | None = None) -> tuple[Sender, ...]:
    """Customer.io and Heap, each with its key where that is set.

    Args:
        settings: `CUSTOMERIO_WEBHOOK_KEY` and `HEAP_WEBHOOK_SECRET`.
        workspace_id: whose key Customer.io's is; its bodies do not say.
    """
    customerio = settings.webhook_key
    heap = settings.heap_webhook_secret
    return (
        Sender(
            path="/customerio",
            family="webhooks",
            setting="CUSTOMERIO_WEBHOOK_KEY",
            key=customerio.get_secret_value() if customerio else None,
            old_seconds=300.0,
            said=of_customerio,
            verify=verify_signature,
            workspace_id=workspace_id,
        ),
        Sender(
            path="/heap",
            family="heap_segments",
            setting="HEAP_WEBHOOK_SECRET",
            key=heap.get_secret_value() if heap else None,
            old_seconds=60.0,  # what Heap's own sample tolerates
            said=of_heap,
            verify=verify_heap_hash,
            is_stamped=True,
        ),
    )

"""The family of Heap's segment webhooks: who entered a segment and who left it, a page a line.

Source: Heap's Segment Sync API (`segment.users.sync`, every four hours). A body says no time, so
whoever receives it writes in `received_at`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac


def verify_heap_hash(secret: str, timestamp: str | int, body: str | bytes, signature: str) -> bool:
    """Whether `signature` is the base64 HMAC-SHA256 of `<timestamp><body>` under `secret`.

    Args:
        secret: of Heap's webhook.
        timestamp: the `ts` of the header Heap-Hash, unix milliseconds.
        body: the raw request body, before any parsing.
        signature: the `hmac` of the header Heap-Hash.
    """
    raw = body if isinstance(body, bytes) else body.encode()
    signed = str(timestamp).encode() + raw
    expected = base64.b64encode(hmac.digest(secret.encode(), signed, hashlib.sha256))
    return hmac.compare_digest(expected, signature.strip().encode())

"""Reporting webhooks: is a body Customer.io's own?"""

from __future__ import annotations

import hashlib
import hmac


def verify_signature(key: str, timestamp: str | int, body: str | bytes, signature: str) -> bool:
    """Whether `signature` is the hex HMAC-SHA256 of `v0:<timestamp>:<body>` under `key`.

    Args:
        key: the webhook's signing key.
        timestamp: the header X-CIO-Timestamp, unix seconds.
        body: the raw request body, before any parsing.
        signature: the header X-CIO-Signature.
    """
    raw = body if isinstance(body, bytes) else body.encode()
    expected = hmac.new(key.encode(), b"v0:%s:%s" % (str(timestamp).encode(), raw), hashlib.sha256)
    return hmac.compare_digest(expected.hexdigest().encode(), signature.strip().lower().encode())

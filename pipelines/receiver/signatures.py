"""Signatures of webhooks: what a sender's headers say, and whether it is so.

Sources: Customer.io's reporting webhooks (`X-CIO-Timestamp`, `X-CIO-Signature`) and Heap's segment
webhooks (`Heap-Hash: ts:<ms>,hmac:<base64>`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass

_SECONDS = re.compile(r"\d{1,12}", re.ASCII)
_HEAP_HASH = re.compile(r"ts:(?P<ts>\d{1,15}),\s*hmac:(?P<hmac>[A-Za-z0-9+/]+={0,2})", re.ASCII)


@dataclass(frozen=True)
class Signed:
    """What the headers of a call say.

    Attributes:
        timestamp: as it is written there, since it is signed as it is written.
        signed_at: the same as unix seconds.
        signature: as it is written there.
    """

    timestamp: str
    signed_at: float
    signature: str


def of_customerio(headers: Mapping[str, str]) -> Signed | None:
    """What Customer.io's headers say; None where one is missing or is none of it."""
    timestamp = headers.get("x-cio-timestamp", "").strip()
    signature = headers.get("x-cio-signature", "").strip()
    if not _SECONDS.fullmatch(timestamp) or not signature:
        return None
    return Signed(timestamp, float(timestamp), signature)


def of_heap(headers: Mapping[str, str]) -> Signed | None:
    """What Heap's header says; None where it is missing or is none of it."""
    match = _HEAP_HASH.fullmatch(headers.get("heap-hash", "").strip())
    if match is None:
        return None
    return Signed(match["ts"], int(match["ts"]) / 1000, match["hmac"])


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

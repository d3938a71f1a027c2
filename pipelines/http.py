"""How we speak HTTP: how often we try, how long we wait, how much of an answer we read."""

from __future__ import annotations

from typing import Any

import httpx

TIMEOUT_SECONDS = 60.0
"""For a connection, and for the silence between two pieces of an answer."""

ATTEMPTS = 5
"""Of a call that somebody waits for: a deletion, a page of the App API."""

PATIENT_ATTEMPTS = 8
"""Of a call of a publish, which runs by itself and says the same rows again under the same keys."""

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0

MAX_ANSWER_BYTES = 10_000_000
"""A documented answer is far smaller; whatever is larger is none, and is not read to its end."""

HEADERS = ("Retry-After", "Content-Type")
"""What is kept of an answer beside its status and body."""

LOST = (httpx.TransportError, httpx.DecodingError)
"""What a call ends in that brought no usable answer."""


class AnswerTooLarge(httpx.DecodingError):
    """An answer of more than `MAX_ANSWER_BYTES`."""


def client(base_url: str, *, timeout: float = TIMEOUT_SECONDS) -> httpx.Client:
    """A client that says who it is and goes nowhere but where it is sent."""
    return httpx.Client(
        base_url=base_url,
        timeout=timeout,
        headers={"User-Agent": "counterfoil"},
        follow_redirects=False,
    )


def ask(caller: httpx.Client, method: str, path: str, **content: Any) -> httpx.Response:
    """One call, once: its answer, read whole.

    Raises:
        AnswerTooLarge: it is larger than any documented one.
        httpx.TransportError: there was none, or it broke off.
        httpx.DecodingError: it cannot be decoded.
    """
    with caller.stream(method, path, **content) as answer:
        body = bytearray()
        for piece in answer.iter_bytes():
            body += piece
            if len(body) > MAX_ANSWER_BYTES:
                raise AnswerTooLarge("the answer is too large", request=answer.request)
    # what was decoded here must not be decoded again
    headers = {name: answer.headers[name] for name in HEADERS if name in answer.headers}
    return httpx.Response(answer.status_code, headers=headers, content=bytes(body))


def pause(attempt: int, first: float, longest: float) -> float:
    """Seconds after the first, second, third failure in a row: they double, up to a longest."""
    return float(min(first * 2 ** (attempt - 1), longest))

"""What reaches the receiver's socket: slow, broken off, framed twice, or sent by nobody."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from webhook_calls import bodies, by_customerio, metric, with_keys

from pipelines.receiver import Spool, app, running_receiver
from pipelines.receiver.senders import senders
from pipelines.settings import Settings


@pytest.fixture
def spool_folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def receiver(settings: Settings, spool_folder: Path) -> Iterator[str]:
    with (
        Spool(spool_folder) as spool,
        running_receiver(senders(with_keys(settings)), spool, most_bytes=100_000) as url,
    ):
        yield url


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    parts = urlsplit(url)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), 20) as open_socket:
        yield open_socket


def head(body: bytes, *more: str, path: str = "/customerio", signed: bool = True) -> bytes:
    """A call up to its body, whose framing `more` says."""
    said = [f"{name}: {value}" for name, value in by_customerio(body).items()] if signed else []
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", *said, *more, "", ""]).encode()


def length(body: bytes) -> str:
    return f"Content-Length: {len(body)}"


def chunked(body: bytes, size: int = 7) -> bytes:
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in [*pieces, b""])


def statuses(open_socket: socket.socket, most: int = 1) -> list[int]:
    """The statuses of the answers that come, until there are enough or the line is cut."""
    found: list[int] = []
    text = b""
    while len(found) < most:
        try:
            piece = open_socket.recv(65_536)
        except (TimeoutError, ConnectionResetError):
            break
        text += piece
        found = [int(part.split()[0]) for part in text.split(b"HTTP/1.1 ")[1:]]
        if not piece:
            break
    return found


def drip(open_socket: socket.socket, count: int) -> None:
    """Send one byte now and then, for as long as somebody listens."""
    for _ in range(count):
        open_socket.sendall(b"1\r\nx\r\n")
        time.sleep(0.02)


def taken(url: str, folder: Path) -> list[str]:
    """What was taken, by its own count and on disk."""
    found = [
        line
        for path in folder.glob("*webhooks*.jsonl")
        for line in path.read_text().splitlines()
        if line
    ]
    assert httpx.get(url + "/healthz").json()["counts"].get("taken", 0) == len(found)
    return found


def test_a_body_that_never_ends_is_not_waited_for(
    receiver: str, spool_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "BODY_SECONDS", 0.3)
    body = metric(1)
    with connected(receiver) as slow:
        slow.sendall(head(body, length(body)) + body[:10])
        assert statuses(slow) == [408]
    with connected(receiver) as dripping:
        dripping.sendall(head(body, "Transfer-Encoding: chunked"))
        with pytest.raises(OSError, match=r"Broken pipe|reset by peer"):
            drip(dripping, 200)
    assert taken(receiver, spool_folder) == []


def test_a_body_that_breaks_off_is_kept_in_no_part(receiver: str, spool_folder: Path) -> None:
    body = metric(1)
    for cut in (0, 1, len(body) - 1):
        with connected(receiver) as broken:
            broken.sendall(head(body, length(body)) + body[:cut])
    with connected(receiver) as broken:
        broken.sendall(head(body, "Transfer-Encoding: chunked") + chunked(body)[:-5])
    assert httpx.post(
        receiver + "/customerio", content=body, headers=by_customerio(body)
    ).is_success
    assert len(taken(receiver, spool_folder)) == 1


def test_whoever_signs_nothing_is_not_read(receiver: str) -> None:
    body = metric(1)
    with connected(receiver) as unsigned:
        unsigned.sendall(head(body, "Content-Length: 90000", signed=False))
        assert statuses(unsigned) == [401]
    with connected(receiver) as large:
        large.sendall(head(body, "Content-Length: 100001"))
        assert statuses(large) == [413]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_a_body_is_known_by_its_signature_whatever_it_is_called(
    receiver: str, spool_folder: Path, kind: str
) -> None:
    body = metric(1)
    headers = {**by_customerio(body), "Content-Type": kind}
    assert httpx.post(receiver + "/customerio", content=body, headers=headers).is_success
    assert taken(receiver, spool_folder) == [body.decode()]


def test_chunks_are_put_together_before_they_are_judged(receiver: str, spool_folder: Path) -> None:
    body = metric(1, text="x" * 5_000)
    with connected(receiver) as chunking:
        chunking.sendall(head(body, "Transfer-Encoding: chunked") + chunked(body))
        assert statuses(chunking) == [200]
    assert taken(receiver, spool_folder) == [body.decode()]


Framed = Callable[[bytes, bytes], bytes]

FRAMINGS: dict[str, Framed] = {
    "two lengths": lambda body, inner: (
        head(body, length(body), f"Content-Length: {len(body) + len(inner)}") + body + inner
    ),
    "two lengths in one": lambda body, inner: (
        head(body, f"Content-Length: {len(body)}, {len(body) + 1}") + body + inner
    ),
    "no number": lambda body, inner: head(body, f"Content-Length: +{len(body)}") + body + inner,
    "another coding": lambda body, inner: (
        head(body, "Transfer-Encoding: xchunked", length(body)) + body + inner
    ),
    "a blank before the colon": lambda body, inner: (
        head(body, f"Content-Length : {len(body)}") + body + inner
    ),
    "a folded header": lambda body, inner: (
        head(body, "X-One: a\r\n b\r\n\x00: c", length(body)) + body + inner
    ),
    "length and chunks": lambda body, inner: (
        head(body + inner, length(body + inner), "Transfer-Encoding: chunked")
        + chunked(body)
        + inner
    ),
    "inside the body": lambda body, inner: head(body, length(body + inner)) + body + inner,
}
"""Ways to have two readers see two calls where there is one, or one where there are two."""


@pytest.mark.parametrize("name", FRAMINGS)
def test_a_call_that_is_framed_twice_brings_in_nobody_else_s(
    receiver: str, spool_folder: Path, name: str
) -> None:
    body, hidden = metric(1), metric(2)
    inner = head(hidden, length(hidden), signed=False) + hidden
    with connected(receiver) as smuggling:
        smuggling.settimeout(2)
        smuggling.sendall(FRAMINGS[name](body, inner))
        found = statuses(smuggling, most=2)
    assert found, "it is answered"
    assert 200 not in found
    assert taken(receiver, spool_folder) == []


def test_many_who_say_nothing_keep_nobody_out(receiver: str, spool_folder: Path) -> None:
    parts = urlsplit(receiver)
    idle = [
        socket.create_connection((str(parts.hostname), int(parts.port or 0))) for _ in range(200)
    ]
    try:
        for one in idle[:100]:
            one.sendall(b"POST /customerio HTTP/1.1\r\nHost: x\r\n")
        body = metric(1)
        for number in range(20):
            body = metric(number)
            headers = by_customerio(body)
            answer = httpx.post(receiver + "/customerio", content=body, headers=headers)
            assert answer.is_success
    finally:
        for one in idle:
            one.close()
    assert len(taken(receiver, spool_folder)) == 20
    assert bodies(spool_folder) == [], "they are still being written"

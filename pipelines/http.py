"""How we speak HTTP: how often we try, how long an exchange may last, how much of it we read."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import zlib
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from pipelines.calling.answers import parse_retry_after
from pipelines.errors import UsageError

EXCHANGE_SECONDS = 60.0
"""For a whole exchange, from looking up the host to the last byte of the answer."""

ATTEMPTS = 5
"""Of a call that somebody waits for: a deletion, a page of the App API."""

PATIENT_ATTEMPTS = 8
"""Of a call of a publish, which runs by itself and says the same rows again under the same keys."""

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0

MAX_ANSWER_BYTES = 10_000_000
"""A documented answer is far smaller; whatever is larger is none, and is not read to its end."""

TOO_MANY_REQUESTS = 429

HEADERS = ("Retry-After", "Content-Type")
"""What is kept of an answer beside its status and body."""

_HEADERS = {name.lower().encode() for name in HEADERS}

LOST = (httpx.TransportError, httpx.DecodingError)
"""What a call ends in that brought no usable answer."""

_PACKED = ("gzip", "x-gzip", "deflate")
_EITHER_HEADER = 32 + zlib.MAX_WBITS  # zlib's or gzip's, as the answer begins
_URL = re.compile(
    r"(?!.*[?#@\\])https?://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:(?P<port>\d{1,5}))?(/[!-~]*)?",
    re.IGNORECASE | re.ASCII,
)
_NAME = re.compile(r"((?!-)[a-z0-9_-]{1,63}(?<!-)(\.|$))+", re.IGNORECASE)
_NUMBER = re.compile(r"0x[0-9a-f]*|\d+", re.IGNORECASE)


class TookTooLong(httpx.TimeoutException):
    """An exchange that was not through when its time was."""


class AnswerTooLarge(httpx.DecodingError):
    """An answer of more than `MAX_ANSWER_BYTES`, packed or not."""


class _Loop(asyncio.SelectorEventLoop):
    """Looks a host up on a thread that nobody waits for: nothing can stop a resolver.

    What asyncio does by itself is joined when the loop is closed and when the process ends.
    """

    async def getaddrinfo(self, *asked: Any, **more: Any) -> Any:
        """As `socket.getaddrinfo`; cancelled, it leaves its thread to itself."""
        found: asyncio.Future[Any] = self.create_future()

        def tell(answer: Any, error: BaseException | None) -> None:
            if found.done():
                return
            if error is not None:
                found.set_exception(error)
            else:
                found.set_result(answer)

        def look_up() -> None:
            answer, failed = None, None
            try:
                answer = socket.getaddrinfo(*asked, **more)
            except BaseException as error:  # whatever it is, the loop is told
                failed = error
            with suppress(RuntimeError):  # the loop was closed meanwhile
                self.call_soon_threadsafe(tell, answer, failed)

        threading.Thread(target=look_up, name="look-up of a host", daemon=True).start()
        return await found


class Caller:
    """Speaks with one address and goes nowhere but where it is sent; a context manager.

    What bounds an exchange is its whole time: a time-out of each read would wait for ever for
    somebody who sends a byte now and then.
    """

    def __init__(self, base_url: str, *, seconds: float = EXCHANGE_SECONDS) -> None:
        self._seconds = seconds
        with ExitStack() as opening:
            self._runner = opening.enter_context(asyncio.Runner(loop_factory=_Loop))
            try:
                self._client = httpx.AsyncClient(
                    base_url=base_url,
                    timeout=None,
                    headers={"User-Agent": "counterfoil", "Accept-Encoding": "identity"},
                    follow_redirects=False,
                )
            except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
                raise UsageError(
                    "The environment names a proxy or a file of certificates that cannot be used "
                    f"({type(error).__name__}): check ALL_PROXY, HTTP_PROXY, HTTPS_PROXY (http or "
                    "https), SSL_CERT_FILE and SSL_CERT_DIR."
                ) from error
            self._closing = opening.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        with self._closing:
            self._runner.run(self._client.aclose())

    def ask(
        self, method: str, path: str, *, seconds: float | None = None, **content: Any
    ) -> httpx.Response:
        """One call, once: its answer, read whole.

        Args:
            method: GET or POST.
            path: below the base URL.
            seconds: the time of this exchange, where it is less than the usual.
            content: what httpx sends: content, json, params, headers, auth.

        Raises:
            TookTooLong: the exchange was not through in time.
            AnswerTooLarge: the answer is larger than any documented one.
            httpx.TransportError: there was no answer, or it broke off.
            httpx.DecodingError: it cannot be decoded.
        """
        most = self._seconds if seconds is None else min(seconds, self._seconds)
        return self._runner.run(self._ask(most, method, path, content))

    async def _ask(
        self, seconds: float, method: str, path: str, content: dict[str, Any]
    ) -> httpx.Response:
        try:
            async with (
                asyncio.timeout(seconds),
                self._client.stream(method, path, **content) as answer,
            ):
                body = await _read(answer)
        except TimeoutError as error:
            raise TookTooLong("no answer in time") from error
        # what was decoded here must not be decoded again
        headers = [
            (name, value)
            for name, value in answer.headers.raw
            if name.lower() in _HEADERS and value.isascii()  # what cannot be read is no header
        ]
        return httpx.Response(answer.status_code, headers=headers, content=body)


async def _read(answer: httpx.Response) -> bytes:
    """The body, unpacked no further than it is read."""
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in (*_PACKED, "identity", ""):
        raise httpx.DecodingError("an unknown encoding", request=answer.request)
    unpacking = zlib.decompressobj(_EITHER_HEADER) if encoding in _PACKED else None
    body = bytearray()
    count_received = 0
    async for piece in answer.aiter_raw():
        count_received += len(piece)
        try:
            body += (
                unpacking.decompress(piece, MAX_ANSWER_BYTES + 1 - len(body))
                if unpacking
                else piece
            )
        except zlib.error as error:
            raise httpx.DecodingError("not packed as it says", request=answer.request) from error
        if max(len(body), count_received) > MAX_ANSWER_BYTES:
            raise AnswerTooLarge("the answer is too large", request=answer.request)
    if unpacking is not None and not unpacking.eof and count_received:
        raise httpx.DecodingError("the answer is cut short", request=answer.request)
    if unpacking is not None and unpacking.unused_data:
        raise httpx.DecodingError("something follows what is packed", request=answer.request)
    return bytes(body)


def patiently(
    call: Callable[[], httpx.Response],
    sleep: Callable[[float], None],
    *,
    again: tuple[int, ...] = (),
) -> httpx.Response | None:
    """Call until there is an answer that is not 429, 5xx or in `again`; the last one, if any.

    Between two calls it waits as long as the answer asks for (`Retry-After`, in seconds or as a
    date), but no longer than `LONGEST_PAUSE_SECONDS`, and no shorter than it would without.

    Raises:
        AnswerTooLarge: another call would not make it smaller.
    """
    answer: httpx.Response | None = None
    for attempt in range(1, ATTEMPTS + 1):
        try:
            answer = call()
        except AnswerTooLarge:
            raise
        except LOST:
            answer = None
        is_busy = answer is None or answer.status_code >= TOO_MANY_REQUESTS
        if not is_busy and answer is not None and answer.status_code not in again:
            break
        if attempt < ATTEMPTS:
            header = None if answer is None else answer.headers.get("Retry-After")
            asked = parse_retry_after(header, datetime.now(UTC).replace(tzinfo=None)) or 0.0
            own = pause(attempt, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
            sleep(max(own, min(asked, LONGEST_PAUSE_SECONDS)))
    return answer


def pause(attempt: int, first: float, longest: float) -> float:
    """Seconds after the first, second, third failure in a row: they double, up to a longest."""
    return float(min(first * 2 ** min(attempt - 1, 64), longest))


def base_url(text: str, setting: str) -> str:
    """The address that a setting holds, without a slash at its end.

    Raises:
        UsageError: it is no base URL, or one whose host could be read as another.
    """
    address = text.strip().rstrip("/")
    parts = _URL.fullmatch(address)
    if parts is None or not _is_host(parts["host"]) or not 0 < int(parts["port"] or 1) < 1 << 16:
        raise UsageError(
            f"{setting} must be a base URL such as http://127.0.0.1:8383: a scheme (http or "
            "https) and a host name or full IP address, without user, password, ? or #."
        )
    return address


def is_this_machine(url: str) -> bool:
    """Whether the host of a `base_url` is this machine by its address, or is called localhost."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        found = ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    mapped = getattr(found, "ipv4_mapped", None) or found
    return bool(mapped.is_loopback or mapped.is_unspecified)


def _is_host(host: str) -> bool:
    """A full IP address, or a name. 127.1, 0x7f.1 and 2130706433 are neither."""
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        last = host.rstrip(".").rpartition(".")[2]
        return (
            _NAME.fullmatch(host) is not None
            and _NUMBER.fullmatch(last) is None
            and _is_readable(host)
        )
    return True


def _is_readable(host: str) -> bool:
    """Whether httpx can read a name: `xn--` begins letters of any alphabet, and may spell none."""
    try:
        return bool(httpx.URL(f"http://{host}").host)
    except (ValueError, httpx.InvalidURL):
        return False

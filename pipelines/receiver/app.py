"""The receiver's ASGI app: a call is judged by its raw body, kept, and only then answered.

What is refused is refused by a status that says how soon the sender shall come again: Customer.io
waits an hour after most of them, and holds back everything that follows, but tries a 503 soon.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelines.receiver.commits import Commits, NotKept
from pipelines.receiver.seen import Seen
from pipelines.receiver.senders import FUTURE_SECONDS, Sender
from pipelines.receiver.signatures import Signed
from pipelines.receiver.spool import Spool

MOST_BYTES = 8 * 1024 * 1024
"""A body that is larger is none of a webhook."""
BODY_SECONDS = 10.0
"""A body that takes longer to arrive is not waited for: who sends it waits four seconds itself."""

TOO_SLOW = 408


class Refused(Exception):
    """A call that is not taken: the status of the answer and what is wrong with it."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


class Receiver:
    """Takes webhooks into a spool.

    Args:
        senders: who may post, and where.
        spool: where bodies go.
        now: unix seconds; signatures are judged by it.
        most_bytes: of a body.
    """

    def __init__(
        self,
        senders: Sequence[Sender],
        spool: Spool,
        *,
        now: Callable[[], float] = time.time,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._senders = senders
        self._now = now
        self._most_bytes = most_bytes
        span = max(sender.old_seconds for sender in senders) + FUTURE_SECONDS
        self._seen = Seen(spool.folder, span, now())
        self._commits = Commits(spool, self._seen, now)

    def app(self) -> Starlette:
        """The ASGI app; its lifespan writes what came before it ends."""
        routes = [
            *(Route(s.path, self._endpoint(s), methods=["POST"]) for s in self._senders),
            Route("/healthz", self._health, methods=["GET"]),
        ]
        return Starlette(routes=routes, lifespan=self._lifespan())

    def _lifespan(self) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            writing = asyncio.create_task(self._commits.run())
            try:
                yield
            finally:
                self._commits.end()
                await writing
                self._seen.close()

        return lifespan

    def _endpoint(self, sender: Sender) -> Callable[[Request], object]:
        async def take(request: Request) -> Response:
            try:
                await self._take(sender, request)
            except Refused as refused:
                self.counts[refused.why] += 1
                # whoever is too slow is not listened to any longer
                headers = {"Connection": "close"} if refused.status == TOO_SLOW else None
                return JSONResponse({"refused": refused.why}, refused.status, headers)
            self.counts["taken"] += 1
            return JSONResponse({})

        return take

    async def _take(self, sender: Sender, request: Request) -> None:
        if sender.key is None:
            raise Refused(503, f"{sender.setting} is not set")
        signed = sender.said(request.headers)
        if signed is None:
            raise Refused(401, "no signature")
        self._require_in_time(sender, signed)
        body = await self._body(request)
        if not sender.verify(sender.key, signed.timestamp, body, signed.signature):
            raise Refused(401, "a false signature")
        received_at = datetime.fromtimestamp(self._now(), UTC).replace(tzinfo=None)
        line = sender.line(body, received_at)
        if line is None:
            raise Refused(400, "no JSON object")
        digest = self._seen.take(sender.path, signed.timestamp, body)
        if digest is None:
            raise Refused(409, "taken before")
        try:
            await self._commits.keep(sender.family, line, digest)
        except NotKept as error:
            raise Refused(503, "not kept") from error

    def _require_in_time(self, sender: Sender, signed: Signed) -> None:
        age = self._now() - signed.signed_at
        if age > sender.old_seconds:
            raise Refused(401, "an old signature")
        if age < -FUTURE_SECONDS:
            raise Refused(401, "a signature of the future")

    async def _body(self, request: Request) -> bytes:
        said = request.headers.get("content-length", "")
        if said.isdecimal() and int(said) > self._most_bytes:
            raise Refused(413, "too large")
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for part in request.stream():
                    body += part
                    if len(body) > self._most_bytes:
                        raise Refused(413, "too large")
        except TimeoutError as error:
            raise Refused(TOO_SLOW, "too slow") from error
        except ClientDisconnect as error:
            raise Refused(400, "broken off") from error
        return bytes(body)

    async def _health(self, _: Request) -> Response:
        is_well = self._commits.is_well
        told = {"status": "ok" if is_well else "cannot write", "counts": dict(self.counts)}
        return JSONResponse(told, 200 if is_well else 503)

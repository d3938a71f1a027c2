"""Whoever answers where Heap should: a socket that behaves as a test wants, byte for byte."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress

Answer = Callable[[bytes], AsyncIterator[bytes]]
"""From a request as it came in to the pieces of what is sent back, for as long as anybody reads."""


async def drip(text: bytes, *, before: bytes = b"", pause: float = 0.02) -> AsyncIterator[bytes]:
    """`before` at once, then a byte now and then, over and over."""
    yield before
    while True:
        for n in range(len(text)):
            yield text[n : n + 1]
            await asyncio.sleep(pause)


async def hold(before: bytes = b"") -> AsyncIterator[bytes]:
    """`before` at once, then nothing, and no end."""
    yield before
    await asyncio.Event().wait()


async def flood(piece: bytes, *, before: bytes = b"") -> AsyncIterator[bytes]:
    """`before`, then the same without an end, as fast as it is read."""
    yield before
    while True:
        yield piece


async def once(text: bytes) -> AsyncIterator[bytes]:
    """All of it, once."""
    yield text


@contextmanager
def adversary(answer: Answer) -> Iterator[str]:
    """Serve on a thread for the block; yields the base URL. A connection ends with its answer."""
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    port: list[int] = []

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (
                    int(s[15:])
                    for s in head.lower().split(b"\r\n")
                    if s.startswith(b"content-length:")
                ),
                0,
            )
            body = await reader.readexactly(length)
            async for piece in answer(head + body):
                writer.write(piece)
                await writer.drain()
        writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(speak, "127.0.0.1", 0, limit=1 << 22)
        port.append(server.sockets[0].getsockname()[1])
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())
        loop.run_forever()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(
                asyncio.gather(*asyncio.all_tasks(loop), return_exceptions=True)
            )
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(5)
    try:
        yield f"http://127.0.0.1:{port[0]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        assert not thread.is_alive()  # it would slow whatever is tested after it

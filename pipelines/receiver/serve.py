"""Serving webhooks: the address, the server, and the end of it."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.home import private
from pipelines.receiver.senders import Sender, senders
from pipelines.receiver.spool import Spool
from pipelines.settings import Settings

if TYPE_CHECKING:
    import uvicorn

MOST_CALLS = 1_000
"""At once; uvicorn tells the next one to come again (503)."""


def serve_webhooks(
    settings: Settings,
    console: Console,
    *,
    port: int,
    host: str = "127.0.0.1",
    spool: Path | None = None,
    workspace_id: int | None = None,
) -> None:
    """Receive webhooks until stopped.

    Args:
        settings: the keys of the webhooks; one of the two is enough.
        console: told the address.
        port: 0 for any free one.
        host: an address of this machine; by default nobody else reaches it.
        spool: the folder that a load reads; by default one in the state folder.
        workspace_id: whose key Customer.io's is; written into its bodies.

    Raises:
        UsageError: neither key is set.
        CounterfoilError: the address is taken, or the spool cannot be written.
    """
    taken = senders(settings, workspace_id)
    if not any(sender.key for sender in taken):
        names = " or ".join(sender.setting for sender in taken)
        raise UsageError(f"No key is set, and nothing is taken without: set {names}.")
    with private(settings.home), Spool(spool or settings.spool_dir) as opened:
        listener = _listen(host, port)
        server = _server(taken, opened)
        address, bound = listener.getsockname()[:2]
        url = f"http://{f'[{address}]' if ':' in address else address}:{bound}"
        paths = ", ".join(f"POST {sender.path}" for sender in taken if sender.key)

        async def serve() -> None:
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started and not serving.done():
                await asyncio.sleep(0.005)
            console.line(f"receiving at {url} ({paths}, GET /healthz); stop with Ctrl-C")
            console.line(f"  bodies: {opened.folder}; `counterfoil load` reads them")
            console.record(url=url, spool=str(opened.folder))
            console.finish()
            await serving

        # uvicorn raises a signal that it heard once more when it is done: then all is said already
        before = signal.signal(signal.SIGTERM, lambda *_: None)
        try:
            with suppress(KeyboardInterrupt):
                asyncio.run(serve())
        finally:
            signal.signal(signal.SIGTERM, before)
            listener.close()


@contextmanager
def running_receiver(
    taken: tuple[Sender, ...],
    spool: Spool,
    *,
    now: Callable[[], float] = time.time,
    most_bytes: int | None = None,
) -> Iterator[str]:
    """Receive webhooks on a thread for the block; the base URL.

    Args:
        now: unix seconds; signatures are judged by it.
        most_bytes: of a body, where it is not the usual.
    """
    listener = _listen("127.0.0.1", 0)
    server = _server(taken, spool, now=now, most_bytes=most_bytes)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, daemon=True, name="receiver"
    )
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise CounterfoilError(
            f"Nothing can be received at {host}, port {port} ({error.strerror}): choose another "
            "with --host and --port."
        ) from error
    return listener


def _server(
    taken: tuple[Sender, ...],
    spool: Spool,
    *,
    now: Callable[[], float] = time.time,
    most_bytes: int | None = None,
) -> uvicorn.Server:
    import uvicorn

    from pipelines.receiver.app import MOST_BYTES, Receiver

    receiver = Receiver(taken, spool, now=now, most_bytes=most_bytes or MOST_BYTES)
    config = uvicorn.Config(
        receiver.app(),
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CALLS,
        timeout_graceful_shutdown=5,
        lifespan="on",
    )
    return uvicorn.Server(config)

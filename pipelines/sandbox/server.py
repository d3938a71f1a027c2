"""A local Heap: behaves as documented, keeps what it was told, and misbehaves on request.

What it copies from Heap: indexed validation messages, whole batches refused for one bad row,
limits with 429, silent acceptance of apps it does not know, idempotency by user and key, users
created for unknown identities, migration, deletion, and a store that reads like Heap Connect.
Source: Heap's developer reference; see docs/publishing.md. Beside it stands a local Customer.io.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from pipelines.console import Console
from pipelines.errors import CounterfoilError
from pipelines.sandbox import accounts, admin, customerio, ingestion, listings
from pipelines.sandbox.listings import Listings
from pipelines.sandbox.state import Call, Fault, SandboxLimits, SandboxState
from pipelines.sandbox.store import Store
from pipelines.sandbox.workspace import Workspace

Message = MutableMapping[str, Any]
Endpoint = Callable[..., Awaitable[Response]]


class Sandbox:
    """A running local Heap: its address, its store and its faults."""

    def __init__(self, state: SandboxState, port: int) -> None:
        self.state = state
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def store(self, app_id: str | None = None) -> Store:
        """The store of an app (default: the only one, or an empty one)."""
        with self.state.lock:
            if app_id is None:
                app_id = next(iter(self.state.stores), "0")
            return self.state.store(app_id) or Store()

    def snapshot(self, app_id: str | None = None) -> dict[str, Any]:
        """What an app holds, without arrival times: equal for equal content."""
        store = self.store(app_id)
        with self.state.lock:
            return store.snapshot()

    @property
    def listings(self) -> Listings:
        """What the local App API lists."""
        return self.state.listings

    @property
    def customerio(self) -> Workspace:
        """The local Customer.io's one workspace."""
        return self.state.customerio

    def inject(self, fault: Fault) -> None:
        """Misbehave from now on."""
        with self.state.lock:
            self.state.faults.append(fault)

    @property
    def calls(self) -> list[Call]:
        """Every ingestion call so far."""
        with self.state.lock:
            return list(self.state.calls)

    def dump(self, folder: Path, app_id: str | None = None) -> list[Path]:
        """Write an app's store as a Heap Connect drop in Parquet."""
        store = self.store(app_id)
        with self.state.lock:
            return store.dump(folder)


@contextmanager
def running_sandbox(
    port: int = 0,
    *,
    limits: SandboxLimits | None = None,
    known_apps: frozenset[str] | None = None,
    api_key: str = "sandbox-key",
    keep_properties: bool = True,
    now: Callable[[], datetime] | None = None,
) -> Iterator[Sandbox]:
    """Run a local Heap on a thread for the block.

    Args:
        port: 0 for any free port.
        limits: Heap's limits by default; raise them for demos.
        known_apps: apps whose data is kept; None for all. Others are answered 200 and forgotten.
        api_key: the key of the deletion API.
        keep_properties: False to keep event keys only.
        now: the clock of tokens and of missing timestamps (UTC without zone).
    """
    state = SandboxState(
        limits or SandboxLimits(), known_apps, api_key, keep_properties, now or _utc_now
    )
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise CounterfoilError(
            f"Port {port} is taken ({error.strerror}): choose another with --port."
        ) from error
    config = uvicorn.Config(
        _app(state),
        log_level="error",
        lifespan="off",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, daemon=True, name="local-heap"
    )
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        yield Sandbox(state, listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(timeout=5)
        listener.close()


def serve_sandbox(
    port: int,
    console: Console,
    *,
    limits: SandboxLimits | None = None,
    until: threading.Event | None = None,
) -> None:
    """Serve a local Heap until interrupted (or until the event is set)."""
    with running_sandbox(port, limits=limits) as sandbox:
        console.line(f"local Heap at {sandbox.url}: set HEAP_URL to it; stop with Ctrl-C")
        console.line("  local Customer.io at the same address: set CUSTOMERIO_TRACK_URL to it")
        console.line(f"  what it was told: {sandbox.url}/connect/users (sessions, all_events, …)")
        console.record(url=sandbox.url)
        console.finish()
        with contextlib.suppress(KeyboardInterrupt):
            (until or threading.Event()).wait()


def _app(state: SandboxState) -> Callable[..., Any]:
    def route(path: str, endpoint: Endpoint, *methods: str, **more: Any) -> Route:
        return Route(path, partial(endpoint, state=state, **more), methods=methods or ("GET",))

    public = "/api/public/v0"
    routes = [
        route("/api/track", ingestion.ingest, "POST", listed="events"),
        route("/api/add_user_properties", ingestion.ingest, "POST", listed="users"),
        route("/api/v1/identify", ingestion.identify, "POST"),
        route(f"{public}/auth_token", accounts.auth_token, "POST"),
        route(f"{public}/user_deletion", accounts.delete_users, "POST"),
        route(f"{public}/deletion_status/{{number}}", accounts.deletion_status),
        *(
            route(
                f"/api/v1/segments/{{segment}}/{action}", customerio.change, "POST", action=action
            )
            for action in ("add_customers", "remove_customers")
        ),
        route("/v1/segments", listings.ask, inner=customerio.segments),
        route("/v1/segments/{segment:int}/membership", listings.ask, inner=customerio.membership),
        route("/v1/activities", listings.ask, inner=listings.activities),
        route("/v1/campaigns", listings.ask, inner=listings.campaigns),
        route("/v1/campaigns/{campaign:int}/actions", listings.ask, inner=listings.actions),
        route("/v1/newsletters", listings.ask, inner=listings.newsletters),
        route("/connect/{table}", admin.connect),
        route("/admin/faults", admin.faults, "GET", "POST", "DELETE"),
        route("/admin/calls", admin.calls),
        route("/admin/snapshot", admin.snapshot),
        route("/admin/dump", admin.dump, "POST"),
    ]
    inner = Starlette(routes=routes)

    async def outer(
        scope: Message, receive: Callable[[], Any], send: Callable[[Message], Any]
    ) -> None:
        # uvicorn's `send` belongs to the cycle that owns the connection: cutting it is a real reset
        cycle = getattr(send, "__self__", None)
        scope["cut"] = getattr(getattr(cycle, "transport", None), "abort", None)
        await inner(scope, receive, send)

    return outer


def _utc_now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)

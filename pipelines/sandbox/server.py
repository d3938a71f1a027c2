"""A local Heap: behaves as documented, keeps what it was told, and misbehaves on request.

What it copies from Heap: indexed validation messages, whole batches refused for one bad row,
limits with 429, silent acceptance of apps it does not know, idempotency by user and key, users
created for unknown identities, migration, deletion, and a store that reads like Heap Connect.
Source: Heap's developer reference; see docs/publishing.md.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pipelines.console import Console
from pipelines.errors import CounterfoilError
from pipelines.sandbox.store import MAX_DELETIONS, Deletions, Store

MAX_TEXT = 1024
MAX_IDENTITY = 255
MAX_ROWS = 1_000

Message = MutableMapping[str, Any]
Endpoint = Callable[..., Awaitable[Response]]


@dataclass(frozen=True)
class SandboxLimits:
    """Heap's own limits; None for none. Rows, bytes, events a minute."""

    events_per_minute: int | None = 15_000
    events_per_identity_minute: int | None = 1_000
    max_bytes: int = 1_048_576
    retry_after_seconds: float | None = None


@dataclass
class Fault:
    """A misbehaviour for the next `times` calls of ingestion (after `skip` good ones).

    kind: error (status `status`, nothing stored), error_after (stored, then status `status`),
    reset (connection cut, nothing stored), commit_then_reset, slow (answers after `seconds`),
    commit_then_timeout (stored, answers after `seconds`), drop_rows (every second row is silently
    not stored), throttle (429), poison (any call with `match` in a row is refused with `status`
    and `text`, as often as it comes), intercepted (something in front of Heap answers with
    `status`, `text`, `content_type` and `encoding`, nothing stored), commit_then_intercepted (the
    same, but Heap stored the call).
    """

    kind: str
    times: int = 1
    skip: int = 0
    status: int = 500
    seconds: float = 0.2
    match: str = ""
    text: str = "Bad Request"
    content_type: str = "text/plain"
    encoding: str = "identity"
    retry_after: str | None = None


FAULTS = (
    "error", "error_after", "reset", "commit_then_reset", "slow", "commit_then_timeout",
    "drop_rows", "throttle", "poison", "intercepted", "commit_then_intercepted",
)  # fmt: skip


@dataclass
class Call:
    """One ingestion call as it arrived: path, app, rows, bytes, answer."""

    path: str
    app_id: str
    count_rows: int
    count_bytes: int
    status: int
    at: float


@dataclass
class SandboxState:
    """Everything the sandbox knows; guarded by `lock`."""

    limits: SandboxLimits
    known_apps: frozenset[str] | None
    api_key: str
    keep_properties: bool
    now: Callable[[], datetime]
    lock: threading.Lock = field(default_factory=threading.Lock)
    stores: dict[str, Store] = field(default_factory=dict)
    deletions: Deletions = field(default_factory=Deletions)
    faults: list[Fault] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    windows: dict[str, deque[tuple[float, Counter[str]]]] = field(default_factory=dict)
    arrivals: int = 0

    def store(self, app_id: str) -> Store | None:
        """The store of an app; None for an app Heap does not know (its data vanishes)."""
        if self.known_apps is not None and app_id not in self.known_apps:
            return None
        return self.stores.setdefault(app_id, Store(keep_properties=self.keep_properties))


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
        console.line(f"  what it was told: {sandbox.url}/connect/users (sessions, all_events, …)")
        console.record(url=sandbox.url)
        console.finish()
        with contextlib.suppress(KeyboardInterrupt):
            (until or threading.Event()).wait()


# -- the application ------------------------------------------------------------------------------


def _app(state: SandboxState) -> Callable[..., Any]:
    def route(path: str, endpoint: Endpoint, *methods: str, **more: str) -> Route:
        return Route(path, partial(endpoint, state=state, **more), methods=methods or ("GET",))

    public = "/api/public/v0"
    routes = [
        route("/api/track", _ingest, "POST", listed="events"),
        route("/api/add_user_properties", _ingest, "POST", listed="users"),
        route("/api/v1/identify", _identify, "POST"),
        route(f"{public}/auth_token", _auth_token, "POST"),
        route(f"{public}/user_deletion", _delete_users, "POST"),
        route(f"{public}/deletion_status/{{number}}", _deletion_status),
        route("/connect/{table}", _connect),
        route("/admin/faults", _faults, "GET", "POST", "DELETE"),
        route("/admin/calls", _calls),
        route("/admin/snapshot", _snapshot),
        route("/admin/dump", _dump, "POST"),
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


async def _ingest(request: Request, state: SandboxState, listed: str) -> Response:
    body = await request.body()
    fault = _next_fault(state)
    if fault is not None:
        early = await _before(fault, request)
        if early is not None:
            return early
    with state.lock:
        answer = _take(state, request.url.path, body, listed, fault)
    if fault is not None:
        return await _after(fault, request, answer)
    return answer


def _take(
    state: SandboxState, path: str, body: bytes, listed: str, fault: Fault | None
) -> Response:
    """Validate, limit and store one call; the answer Heap would give."""
    app_id, elements, problem = _parse(state, body, listed)
    answer = problem or _poisoned(state, body, elements, listed)
    if answer is None:
        answer = _limited(state, app_id, elements)
    if answer is None:
        answer = JSONResponse({})
        store = state.store(app_id)
        now = state.now()
        for index, element in enumerate(elements):
            is_dropped = fault is not None and fault.kind == "drop_rows" and index % 2 == 1
            if store is None or is_dropped:
                continue
            state.arrivals += 1
            if listed == "events":
                store.track(element, now, state.arrivals)
            else:
                store.add_properties(element, now)
    state.calls.append(
        Call(path, app_id, len(elements), len(body), answer.status_code, time.monotonic())
    )
    return answer


def _parse(  # noqa: PLR0911 - one rule, one return
    state: SandboxState, body: bytes, listed: str
) -> tuple[str, list[dict[str, Any]], Response | None]:
    if len(body) > state.limits.max_bytes:
        return "", [], PlainTextResponse("request entity too large", 413)
    try:
        found = json.loads(body, parse_constant=_refuse_constant)
    except ValueError:
        return "", [], PlainTextResponse("Bad Request", 400)
    if not isinstance(found, dict):
        return "", [], PlainTextResponse("postBody should be object", 400)
    app_id = str(found.get("app_id", ""))
    if not (app_id.isascii() and app_id.isdigit()):
        return app_id, [], PlainTextResponse("Bad Request", 400)
    if listed in found:
        elements = found[listed]
    else:
        elements = [{k: v for k, v in found.items() if k != "app_id"}]
    if not isinstance(elements, list):
        return app_id, [], PlainTextResponse(f"postBody.{listed} should be array", 400)
    if not elements:
        text = f"postBody.{listed} should NOT have fewer than 1 items"
        return app_id, [], PlainTextResponse(text, 400)
    if len(elements) > MAX_ROWS:
        text = f"postBody.{listed} should NOT have more than {MAX_ROWS} items"
        return app_id, [], PlainTextResponse(text, 400)
    check = _check_event if listed == "events" else _check_user
    for index, element in enumerate(elements):
        problem = check(element)
        if problem:
            text = f"postBody.{listed}[{index}]{problem}"
            return app_id, elements, PlainTextResponse(text, 400)
    return app_id, elements, None


def _check_event(element: object) -> str | None:  # noqa: PLR0911 - one rule, one return
    """The first fault of an event as Heap's validator words it, or None."""
    if not isinstance(element, dict):
        return " should be object"
    event = element.get("event")
    if not isinstance(event, str):
        return (
            " should have required property 'event'" if event is None else ".event should be string"
        )
    if not 0 < len(event) < MAX_TEXT:
        return f".event should NOT be longer than {MAX_TEXT - 1} characters"
    if ("identity" in element) == ("user_id" in element):
        return " should have exactly one of identity and user_id"
    if "identity" in element:
        problem = _check_identity(element["identity"])
        if problem:
            return problem
    elif not str(element["user_id"]).isdigit() or int(element["user_id"]) >= 2**53:
        return ".user_id should be a numeric string"
    if "timestamp" in element and not _is_instant(element["timestamp"]):
        return ".timestamp should match format date-time"
    if "idempotency_key" in element and not isinstance(element["idempotency_key"], str):
        return ".idempotency_key should be string"
    return _check_bag(element.get("properties", {}))


def _check_user(element: object) -> str | None:
    """The first fault of a user as Heap's validator words it, or None."""
    if not isinstance(element, dict):
        return " should be object"
    problem = _check_identity(element.get("identity"))
    if problem:
        return problem
    if "properties" not in element:
        return " should have required property 'properties'"
    if isinstance(element["properties"], dict):
        for key in element["properties"]:
            if key.lower() == "id":
                return f".properties should NOT have the reserved key {key}"
    return _check_bag(element["properties"])


def _check_identity(identity: object) -> str | None:
    if not isinstance(identity, str):
        return ".identity should be string"
    if not 0 < len(identity) <= MAX_IDENTITY:
        return f".identity should NOT be longer than {MAX_IDENTITY} characters"
    return None


def _check_bag(properties: object) -> str | None:
    if not isinstance(properties, dict):
        return ".properties should be object"
    for key, value in properties.items():
        if not 0 < len(key) < MAX_TEXT:
            return f".properties key should NOT be longer than {MAX_TEXT - 1} characters"
        if isinstance(value, bool) or not isinstance(value, str | int | float | list):
            return f".properties.{key} should be string,number"
        if isinstance(value, str) and _utf16_units(value) >= MAX_TEXT:
            return f".properties.{key} should NOT be longer than {MAX_TEXT - 1} characters"
    return None


def _utf16_units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _is_instant(text: object) -> bool:
    if not isinstance(text, str):
        return False
    try:
        datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return False
    return True


def _limited(state: SandboxState, app_id: str, elements: list[dict[str, Any]]) -> Response | None:
    """429 when this call would pass a limit of the last minute; then it counts for nothing."""
    limits = state.limits
    if limits.events_per_minute is None and limits.events_per_identity_minute is None:
        return None
    now = time.monotonic()
    window = state.windows.setdefault(app_id, deque())
    while window and window[0][0] <= now - 60:
        window.popleft()
    mine = Counter(str(e.get("identity", e.get("user_id"))) for e in elements)
    total = sum(sum(counts.values()) for _, counts in window) + len(elements)
    is_over = limits.events_per_minute is not None and total > limits.events_per_minute
    if limits.events_per_identity_minute is not None:
        most = limits.events_per_identity_minute
        is_over = is_over or any(
            n + sum(counts[identity] for _, counts in window) > most for identity, n in mine.items()
        )
    if is_over:
        return _too_many(limits.retry_after_seconds)
    window.append((now, mine))
    return None


def _too_many(retry_after: float | str | None) -> Response:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return PlainTextResponse("Too Many Requests", 429, headers=headers)


# -- faults ---------------------------------------------------------------------------------------


def _next_fault(state: SandboxState) -> Fault | None:
    with state.lock:
        for fault in state.faults:
            if fault.kind == "poison":
                continue
            if fault.skip > 0:
                fault.skip -= 1
                return None
            fault.times -= 1
            if fault.times <= 0:
                state.faults.remove(fault)
            return fault
    return None


def _poisoned(
    state: SandboxState, body: bytes, elements: list[dict[str, Any]], listed: str
) -> Response | None:
    for fault in state.faults:
        if fault.kind != "poison" or fault.match.encode() not in body:
            continue
        index = next(
            (
                i
                for i, e in enumerate(elements)
                if fault.match in json.dumps(e, ensure_ascii=False, separators=(",", ":"))
            ),
            None,
        )
        if index is not None:
            text = fault.text.replace("[N]", f"[{index}]").replace("{listed}", listed)
            return PlainTextResponse(text, fault.status)
    return None


async def _before(fault: Fault, request: Request) -> Response | None:
    if fault.kind == "error":
        return PlainTextResponse("Internal Server Error", fault.status)
    if fault.kind == "throttle":
        return _too_many(fault.retry_after)
    if fault.kind == "reset":
        return _cut(request)
    if fault.kind == "intercepted":
        return _intercepted(fault)
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    return None


async def _after(fault: Fault, request: Request, answer: Response) -> Response:
    if fault.kind == "error_after":
        return PlainTextResponse("Internal Server Error", fault.status)
    if fault.kind == "commit_then_reset":
        return _cut(request)
    if fault.kind == "commit_then_intercepted":
        return _intercepted(fault)
    if fault.kind == "commit_then_timeout":
        await asyncio.sleep(fault.seconds)
    return answer


def _intercepted(fault: Fault) -> Response:
    headers = {"Content-Encoding": fault.encoding}
    return Response(fault.text, fault.status, headers, media_type=fault.content_type)


def _cut(request: Request) -> Response:
    cut = request.scope.get("cut")
    if cut is not None:
        cut()
    return PlainTextResponse("", 500)


# -- the other calls ------------------------------------------------------------------------------


async def _identify(request: Request, state: SandboxState) -> Response:
    found = await _json(request)
    user_id, identity = str(found.get("user_id", "")), found.get("identity")
    problem = _check_identity(identity)
    if problem or not user_id.isdigit():
        return PlainTextResponse(f"postBody{problem or '.user_id should be numeric'}", 400)
    with state.lock:
        store = state.store(str(found.get("app_id", "")))
        if store is not None:
            store.identify(int(user_id), str(identity), state.now())
    return JSONResponse({})


async def _auth_token(request: Request, state: SandboxState) -> Response:
    given = request.headers.get("Authorization", "")
    try:
        app_id, key = base64.b64decode(given.removeprefix("Basic ")).decode().split(":", 1)
    except ValueError:
        app_id, key = "", ""
    if key != state.api_key or not app_id.isdigit():
        return JSONResponse({"err": {"message": "Unauthorized"}}, 401)
    with state.lock:
        return JSONResponse({"access_token": state.deletions.token(state.now())})


async def _delete_users(request: Request, state: SandboxState) -> Response:
    if not _is_authorised(request, state):
        return JSONResponse({"err": {"message": "Unauthorized"}}, 401)
    users = (await _json(request)).get("users")
    if not isinstance(users, list) or not 0 < len(users) <= MAX_DELETIONS:
        return JSONResponse({"err": {"message": "between 1 and 10000 users"}}, 400)
    with state.lock:
        number = state.deletions.request()
        for user in users:
            # a deletion searches every environment of the account
            for store in state.stores.values():
                if "identity" in user:
                    store.delete(identity=user["identity"])
                else:
                    store.delete(user_id=int(user["user_id"]))
    return JSONResponse(
        {
            "deletion_request_id": number,
            "deletion_request_location": f"/api/public/v0/deletion_status/{number}",
            "status": "pending",
        },
        201,
    )


async def _deletion_status(request: Request, state: SandboxState) -> Response:
    if not _is_authorised(request, state):
        return JSONResponse({"err": {"message": "Unauthorized"}}, 401)
    with state.lock:
        status = state.deletions.status(request.path_params["number"])
    if status is None:
        return JSONResponse({"err": {"message": "Not found"}}, 404)
    return JSONResponse({"status": status})


def _is_authorised(request: Request, state: SandboxState) -> bool:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    with state.lock:
        return state.deletions.is_valid(token, state.now())


async def _connect(request: Request, state: SandboxState) -> Response:
    with state.lock:
        store = _asked_store(request, state)
        return JSONResponse(store.connect(request.path_params["table"]))


async def _faults(request: Request, state: SandboxState) -> Response:
    if request.method == "POST":
        found = await _json(request)
        if found.get("kind") not in FAULTS:
            return JSONResponse({"err": {"message": f"kind is one of {', '.join(FAULTS)}"}}, 400)
        with state.lock:
            state.faults.append(Fault(**found))
    elif request.method == "DELETE":
        with state.lock:
            state.faults.clear()
    with state.lock:
        return JSONResponse([asdict(fault) for fault in state.faults])


async def _calls(request: Request, state: SandboxState) -> Response:
    with state.lock:
        return JSONResponse([{**asdict(c), "app_id": "masked"} for c in state.calls])


async def _snapshot(request: Request, state: SandboxState) -> Response:
    with state.lock:
        return JSONResponse(_asked_store(request, state).snapshot())


async def _dump(request: Request, state: SandboxState) -> Response:
    found = await _json(request)
    with state.lock:
        written = _asked_store(request, state).dump(Path(str(found.get("folder", "heap"))))
    return JSONResponse([path.name for path in written])


def _asked_store(request: Request, state: SandboxState) -> Store:
    app_id = request.query_params.get("app_id") or next(iter(state.stores), "0")
    return state.store(app_id) or Store()


async def _json(request: Request) -> dict[str, Any]:
    try:
        found = json.loads(await request.body())
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _utc_now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)

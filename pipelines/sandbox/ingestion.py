"""Calls that tell Heap something: events, user properties, and who an anonymous user is."""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from pipelines.sandbox.bodies import read_json
from pipelines.sandbox.faults import after, before, next_fault, poisoned, too_many
from pipelines.sandbox.state import Call, Fault, SandboxState
from pipelines.sandbox.validation import check_identity, parse


async def ingest(request: Request, state: SandboxState, listed: str) -> Response:
    """Validate, limit and store one call, or misbehave as asked."""
    body = await request.body()
    fault = next_fault(state)
    if fault is not None:
        early = await before(fault, request)
        if early is not None:
            return early
    with state.lock:
        answer = _take(state, request.url.path, body, listed, fault)
    if fault is not None:
        return await after(fault, request, answer)
    return answer


def _take(
    state: SandboxState, path: str, body: bytes, listed: str, fault: Fault | None
) -> Response:
    """Validate, limit and store one call; the answer Heap would give."""
    app_id, elements, problem = parse(state, body, listed)
    answer = problem or poisoned(state, body, elements, listed)
    if answer is None:
        answer = limited(state, app_id, elements)
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


def limited(state: SandboxState, app_id: str, elements: list[dict[str, Any]]) -> Response | None:
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
        return too_many(limits.retry_after_seconds)
    window.append((now, mine))
    return None


async def identify(request: Request, state: SandboxState) -> Response:
    """Give an anonymous user an identity, for ever."""
    found = await read_json(request)
    user_id, identity = str(found.get("user_id", "")), found.get("identity")
    problem = check_identity(identity)
    if problem or not user_id.isdigit():
        return PlainTextResponse(f"postBody{problem or '.user_id should be numeric'}", 400)
    with state.lock:
        store = state.store(str(found.get("app_id", "")))
        if store is not None:
            store.identify(int(user_id), str(identity), state.now())
    return JSONResponse({})

"""How the local Heap misbehaves on request, before and after it has stored a call."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from pipelines.sandbox.state import Fault, SandboxState


def next_fault(state: SandboxState) -> Fault | None:
    """The fault of this call, which then has one time less; None for a good one."""
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


def poisoned(
    state: SandboxState, body: bytes, elements: list[dict[str, Any]], listed: str
) -> Response | None:
    """The answer to a call with a row that a fault names, or None."""
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


async def before(fault: Fault, request: Request) -> Response | None:
    """What is answered before Heap has read the call; None to go on."""
    if fault.kind == "error":
        return PlainTextResponse("Internal Server Error", fault.status)
    if fault.kind == "throttle":
        return too_many(fault.retry_after)
    if fault.kind == "reset":
        return _cut(request)
    if fault.kind == "intercepted":
        return _intercepted(fault)
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    return None


async def after(fault: Fault, request: Request, answer: Response) -> Response:
    """What is answered once Heap has stored the call."""
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


def too_many(retry_after: float | str | None) -> Response:
    """Heap's 429."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return PlainTextResponse("Too Many Requests", 429, headers=headers)

"""What the local App API lists: activities, campaigns with their actions, newsletters.

What it copies: a bearer key, ten calls a second and 429 beyond them, a cursor on activities and
members, lists of campaigns and newsletters without one. Source: Customer.io's App API reference.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from pipelines.sandbox.state import SandboxState

Inner = Callable[..., Awaitable[Response]]
Listed = list[dict[str, Any]]


@dataclass
class Listings:
    """What is listed, and how often somebody may ask.

    Attributes:
        deleted: activities of people who were deleted.
        actions: by campaign.
        segment_names: by segment.
        statuses: what is answered first, one a call, whatever is asked.
        most_calls: a second; None for any number.
        asked: the paths that were answered, with what was asked.
    """

    activities: Listed = field(default_factory=list)
    deleted: Listed = field(default_factory=list)
    campaigns: Listed = field(default_factory=list)
    actions: dict[int, Listed] = field(default_factory=dict)
    newsletters: Listed = field(default_factory=list)
    segment_names: dict[int, str] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    most_calls: int | None = 10
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    times: deque[float] = field(default_factory=deque)


async def ask(request: Request, state: SandboxState, inner: Inner) -> Response:
    """Answer one call, unless it comes too soon or is to go wrong."""
    with state.lock:
        found = state.listings
        now = time.monotonic()
        while found.times and found.times[0] <= now - 1:
            found.times.popleft()
        if found.most_calls is not None and len(found.times) >= found.most_calls:
            return _error("Too Many Requests", 429)
        found.times.append(now)
        if found.statuses:
            return _error("no", found.statuses.pop(0))
        given = request.headers.get("Authorization", "")
        if not given or state.customerio.app_key not in (None, given.removeprefix("Bearer ")):
            return _error("Unauthorized request", 401)
        found.asked.append((request.url.path, dict(request.query_params)))
    return await inner(request, state)


async def activities(request: Request, state: SandboxState) -> Response:
    """Activities of one type, page by page."""
    asked = request.query_params
    with state.lock:
        some = state.listings.deleted if asked.get("deleted") == "true" else (
            state.listings.activities
        )  # fmt: skip
        known = [one for one in some if one.get("type") == asked.get("type", one.get("type"))]
    start, most = int(asked.get("start") or 0), min(int(asked.get("limit", 10)), 100)
    more = str(start + most) if start + most < len(known) else ""
    return JSONResponse({"activities": known[start : start + most], "next": more})


async def campaigns(_: Request, state: SandboxState) -> Response:
    """Every campaign."""
    with state.lock:
        return JSONResponse({"campaigns": state.listings.campaigns})


async def actions(request: Request, state: SandboxState) -> Response:
    """The actions of a campaign."""
    number = request.path_params["campaign"]
    with state.lock:
        if number not in {one.get("id") for one in state.listings.campaigns}:
            return _error("campaign not found", 404)
        return JSONResponse({"actions": state.listings.actions.get(number, [])})


async def newsletters(_: Request, state: SandboxState) -> Response:
    """Every newsletter."""
    with state.lock:
        return JSONResponse({"newsletters": state.listings.newsletters})


def _error(detail: str, status: int) -> Response:
    return JSONResponse({"errors": [{"detail": detail, "status": str(status)}]}, status)

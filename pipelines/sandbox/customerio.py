"""The local Customer.io: manual segments of one workspace, by the Track API and the App API.

What it copies: ids of one kind a call and at most 1,000 of them, a profile that is made for an id
that nobody has, data-driven segments that refuse, deleted ones that are not found, an empty object
for what was taken, and membership page by page. Source: Customer.io's API references; which status
a data-driven segment answers is not documented (taken to be 400).
"""

from __future__ import annotations

import base64
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pipelines.sandbox.bodies import read_json
from pipelines.sandbox.faults import after, before, next_fault, poisoned
from pipelines.sandbox.state import Call, SandboxState
from pipelines.sandbox.workspace import Workspace

MOST_IDS = 1_000
ID_TYPES = ("id", "email", "cio_id")
MOST_OF_A_PAGE = 30_000


async def change(request: Request, state: SandboxState, action: str) -> Response:
    """Take one call of the Track API, or misbehave as asked."""
    body = await request.body()
    fault = next_fault(state)
    if fault is not None:
        early = await before(fault, request)
        if early is not None:
            return early
    found = await read_json(request)
    with state.lock:
        ids: Any = found.get("ids")
        answer = _refusal(request, state.customerio, ids)
        if answer is None:
            answer = poisoned(state, body, [{"id": value} for value in ids], "ids")
        if answer is None:
            kind = request.query_params.get("id_type", "id")
            kept = ids[::2] if fault is not None and fault.kind == "drop_rows" else ids
            state.customerio.change(action, int(request.path_params["segment"]), kind, kept)
            answer = JSONResponse({})
        count = len(ids) if isinstance(ids, list) else 0
        state.calls.append(
            Call(
                request.url.path, "customerio", count, len(body), answer.status_code,
                time.monotonic(),
            )
        )  # fmt: skip
    if fault is not None:
        return await after(fault, request, answer)
    return answer


def _refusal(request: Request, workspace: Workspace, ids: Any) -> Response | None:
    """What Customer.io would not take, and how it says so."""
    given = request.headers.get("Authorization", "").removeprefix("Basic ")
    try:
        site_id, key = base64.b64decode(given).decode().split(":", 1)
    except ValueError:
        site_id, key = "", ""
    if not site_id or workspace.keys not in (None, (site_id, key)):
        return _error("Unauthorized request", 401)
    segment = request.path_params["segment"]
    if not segment.isdigit() or int(segment) in workspace.gone:
        return _error("segment not found", 404)
    if int(segment) in workspace.data_driven:
        return _error("segment is not a manual segment", 400)
    if request.query_params.get("id_type", "id") not in ID_TYPES:
        return _error("id_type is invalid", 400)
    is_fit = isinstance(ids, list) and all(isinstance(v, str) and v for v in ids)
    if not is_fit or not 0 < len(ids) <= MOST_IDS:
        return _error("ids must be between 1 and 1000 customers", 400)
    return None


async def membership(request: Request, state: SandboxState) -> Response:
    """Who is in a segment, page by page, as the App API tells it."""
    with state.lock:
        workspace = state.customerio
        if not _is_let_in(request, workspace):
            return _error("Unauthorized request", 401)
        number = int(request.path_params["segment"])
        if number in workspace.gone:
            return _error("segment not found", 404)
        members = sorted(workspace.segments.get(number, set()))
        start = int(request.query_params.get("start") or 0)
        most = min(int(request.query_params.get("limit", 1_000)), MOST_OF_A_PAGE)
        page = [p for p in workspace.profiles if p.cio_id in set(members[start : start + most])]
        more = str(start + most) if start + most < len(members) else ""
        return JSONResponse(
            {
                "segment_id": number,
                "ids": [profile.id or "" for profile in page],
                "identifiers": [{"id": p.id, "email": p.email, "cio_id": p.cio_id} for p in page],
                "next": more,
            }
        )


async def segments(request: Request, state: SandboxState) -> Response:
    """Every segment that is there, of which kind, and whether it is built."""
    with state.lock:
        workspace = state.customerio
        if not _is_let_in(request, workspace):
            return _error("Unauthorized request", 401)
        known = {*workspace.segments, *workspace.data_driven, *workspace.unfinished}
        return JSONResponse(
            {
                "segments": [
                    {
                        "id": number,
                        "name": state.listings.segment_names.get(number, f"Segment {number}"),
                        "type": "dynamic" if number in workspace.data_driven else "manual",
                        "state": "build" if number in workspace.unfinished else "finished",
                    }
                    for number in sorted(known - workspace.gone)
                ]
            }
        )


def _is_let_in(request: Request, workspace: Workspace) -> bool:
    given = request.headers.get("Authorization", "")
    return bool(given) and workspace.app_key in (None, given.removeprefix("Bearer "))


def _error(detail: str, status: int) -> Response:
    return JSONResponse({"errors": [{"detail": detail, "status": str(status)}]}, status)

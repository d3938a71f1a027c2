"""What tests and newcomers ask: the store as Heap Connect gives it, calls, faults."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pipelines.sandbox.bodies import read_json
from pipelines.sandbox.state import FAULTS, Fault, SandboxState
from pipelines.sandbox.store import Store


async def connect(request: Request, state: SandboxState) -> Response:
    """A table of the store as Heap Connect syncs it."""
    with state.lock:
        store = _asked_store(request, state)
        return JSONResponse(store.connect(request.path_params["table"]))


async def faults(request: Request, state: SandboxState) -> Response:
    """The faults to come; POST adds one, DELETE forgets them all."""
    if request.method == "POST":
        found = await read_json(request)
        if found.get("kind") not in FAULTS:
            return JSONResponse({"err": {"message": f"kind is one of {', '.join(FAULTS)}"}}, 400)
        with state.lock:
            state.faults.append(Fault(**found))
    elif request.method == "DELETE":
        with state.lock:
            state.faults.clear()
    with state.lock:
        return JSONResponse([asdict(fault) for fault in state.faults])


async def calls(request: Request, state: SandboxState) -> Response:
    """Every ingestion call so far."""
    with state.lock:
        return JSONResponse([{**asdict(c), "app_id": "masked"} for c in state.calls])


async def snapshot(request: Request, state: SandboxState) -> Response:
    """What an app holds, without arrival times."""
    with state.lock:
        return JSONResponse(_asked_store(request, state).snapshot())


async def dump(request: Request, state: SandboxState) -> Response:
    """Write an app's store as a Heap Connect drop."""
    found = await read_json(request)
    with state.lock:
        written = _asked_store(request, state).dump(Path(str(found.get("folder", "heap"))))
    return JSONResponse([path.name for path in written])


def _asked_store(request: Request, state: SandboxState) -> Store:
    app_id = request.query_params.get("app_id") or next(iter(state.stores), "0")
    return state.store(app_id) or Store()

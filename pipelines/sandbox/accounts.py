"""Heap's deletion API: a token, a request, and its status."""

from __future__ import annotations

import base64

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pipelines.sandbox.bodies import read_json
from pipelines.sandbox.state import SandboxState
from pipelines.sandbox.store import MAX_DELETIONS


async def auth_token(request: Request, state: SandboxState) -> Response:
    """A token for whoever knows the key of the account."""
    given = request.headers.get("Authorization", "")
    try:
        app_id, key = base64.b64decode(given.removeprefix("Basic ")).decode().split(":", 1)
    except ValueError:
        app_id, key = "", ""
    if key != state.api_key or not app_id.isdigit():
        return JSONResponse({"err": {"message": "Unauthorized"}}, 401)
    with state.lock:
        return JSONResponse({"access_token": state.deletions.token(state.now())})


async def delete_users(request: Request, state: SandboxState) -> Response:
    """Delete up to 10,000 users in every environment of the account."""
    if not _is_authorised(request, state):
        return JSONResponse({"err": {"message": "Unauthorized"}}, 401)
    users = (await read_json(request)).get("users")
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


async def deletion_status(request: Request, state: SandboxState) -> Response:
    """How far a request is: pending, then complete."""
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

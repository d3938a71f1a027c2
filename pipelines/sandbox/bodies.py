"""Reads the body of a request."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request


async def read_json(request: Request) -> dict[str, Any]:
    """The JSON object of a body; empty when it is none."""
    try:
        found = json.loads(await request.body())
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

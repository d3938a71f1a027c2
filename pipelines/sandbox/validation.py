"""What Heap checks in a call: the first fault as its validator words it, with the row's index."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from starlette.responses import PlainTextResponse, Response

from pipelines.sandbox.state import SandboxState

MAX_TEXT = 1024
MAX_IDENTITY = 255
MAX_ROWS = 1_000


def parse(  # noqa: PLR0911 - one rule, one return
    state: SandboxState, body: bytes, listed: str
) -> tuple[str, list[dict[str, Any]], Response | None]:
    """App, rows and, for a call that Heap would not take, its answer."""
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
    check = check_event if listed == "events" else check_user
    for index, element in enumerate(elements):
        problem = check(element)
        if problem:
            text = f"postBody.{listed}[{index}]{problem}"
            return app_id, elements, PlainTextResponse(text, 400)
    return app_id, elements, None


def check_event(element: object) -> str | None:  # noqa: PLR0911 - one rule, one return
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
        problem = check_identity(element["identity"])
        if problem:
            return problem
    elif not str(element["user_id"]).isdigit() or int(element["user_id"]) >= 2**53:
        return ".user_id should be a numeric string"
    if "timestamp" in element and not _is_instant(element["timestamp"]):
        return ".timestamp should match format date-time"
    if "idempotency_key" in element and not isinstance(element["idempotency_key"], str):
        return ".idempotency_key should be string"
    return _check_bag(element.get("properties", {}))


def check_user(element: object) -> str | None:
    """The first fault of a user as Heap's validator words it, or None."""
    if not isinstance(element, dict):
        return " should be object"
    problem = check_identity(element.get("identity"))
    if problem:
        return problem
    if "properties" not in element:
        return " should have required property 'properties'"
    if isinstance(element["properties"], dict):
        for key in element["properties"]:
            if key.lower() == "id":
                return f".properties should NOT have the reserved key {key}"
    return _check_bag(element["properties"])


def check_identity(identity: object) -> str | None:
    """The fault of an identity, or None."""
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


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")

"""What the App API says of the segments that we write: who landed, who is missing, who is foreign.

The Track API answers before anything is done, so only this shows that a person is in, and only a
look before the first call shows whom somebody else had put there. Read where a key is set; a
segment that is still being built says nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines import http
from pipelines.audiences.target import TrackTarget, app_api_url
from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.heap.ledger import Ledger
from pipelines.heap.warehouse import attached
from pipelines.settings import Settings
from pipelines.sql import read_sql

PAGE_SIZE = 30_000
PAUSE_SECONDS = 0.1
MAX_PAGES = 10_000
"""Three hundred million members; whoever promises more is not the App API."""

BUILT = "finished"
LANDINGS = Path(__file__).with_name("sql") / "landings.sql"


def look_before(
    settings: Settings, ledger: Ledger, target: TrackTarget, console: Console, *, now: datetime
) -> None:
    """Read who is in the segments that may be written now: whoever is there is not ours.

    Raises:
        UsageError: the key is refused.
        CounterfoilError: the App API cannot be reached, or answers otherwise than documented.
    """
    if settings.app_api_key is None:
        return
    with attached(ledger, settings) as warehouse:
        declared = {
            str(row["destination_id"])
            for row in warehouse.rows(
                "select distinct destination_id from {fct_audiences} "
                "where destination = 'customerio_segment' and blocked_reason is null",
                reads=["fct_audiences"],
            )
        }
    _look(settings, ledger, target, sorted(declared), console, now=now)


def read_back(
    settings: Settings, ledger: Ledger, target: TrackTarget, console: Console, *, now: datetime
) -> None:
    """Read who is in the segments that we write, and compare; nothing without a key.

    Raises:
        UsageError: the key is refused.
        CounterfoilError: the App API cannot be reached, or answers otherwise than documented.
    """
    if settings.app_api_key is None:
        return
    key = target.key(ledger.salt)
    written = [
        str(found)
        for (found,) in ledger.rows(
            "select distinct destination_id from audience_state where target = ? order by 1", [key]
        )
    ]
    for segment in _look(settings, ledger, target, written, console, now=now):
        with ledger.transaction():
            ledger.db.execute(
                "delete from audience_landings where target = ? and destination_id = ?",
                [key, segment],
            )
            ledger.db.execute(read_sql(LANDINGS), {"target": key, "segment": segment, "now": now})
    for name, landed, missing, foreign in ledger.rows(
        "select audience_key, count_landed, count_missing, count_foreign from audience_landings "
        "where target = ? order by audience_key",
        [key],
    ):
        console.line(
            f"  {name}: {landed:,} landed, {missing:,} missing, {foreign:,} added by others"
        )


def _look(
    settings: Settings,
    ledger: Ledger,
    target: TrackTarget,
    segments: Sequence[str],
    console: Console,
    *,
    now: datetime,
) -> list[str]:
    """Note who is in these segments; those of them that are built, before and after the asking."""
    if settings.app_api_key is None or not segments:
        return []
    key = target.key(ledger.salt)
    looked_at = []
    with http.Caller(app_api_url(settings, target)) as caller:
        headers = {"Authorization": f"Bearer {settings.app_api_key.get_secret_value()}"}
        states = _states(caller, headers)
        for segment in segments:
            members: list[str] = []
            if states.get(segment) == BUILT:
                members = list(_members(caller, segment, headers))
                states = _states(caller, headers)  # it may have begun anew meanwhile
            if states.get(segment) != BUILT:
                console.line(f"  segment {segment} is not built or not there: nothing is compared")
                continue
            with ledger.transaction():
                ledger.db.execute(
                    "delete from audience_memberships where target = ? and destination_id = ?",
                    [key, segment],
                )
                ledger.db.execute(
                    "insert into audience_memberships select ?, ?, unnest(?::varchar[]), ?",
                    [key, segment, members, now],
                )
            looked_at.append(segment)
    return looked_at


def _states(caller: http.Caller, headers: dict[str, str]) -> dict[str, object]:
    """How far each segment is built, by its id."""
    return {
        str(segment.get("id")): segment.get("state")
        for segment in _ask(caller, "/v1/segments", headers, {})["segments"]
        if isinstance(segment, dict)
    }


def _members(caller: http.Caller, segment: str, headers: dict[str, str]) -> Iterator[str]:
    """The profiles in a segment, page by page."""
    start, seen = "", set[str]()
    while start not in seen and len(seen) < MAX_PAGES:
        seen.add(start)
        asked = {"limit": str(PAGE_SIZE), **({"start": start} if start else {})}
        page = _ask(caller, f"/v1/segments/{segment}/membership", headers, asked)
        for member in page["identifiers"]:
            if isinstance(member, dict) and isinstance(member.get("cio_id"), str):
                yield member["cio_id"]
        start = page.get("next") or ""
        if not start:
            return
    raise _undocumented()


def _ask(
    caller: http.Caller, path: str, headers: dict[str, str], asked: dict[str, str]
) -> dict[str, Any]:
    """One page, which lists segments or identifiers.

    Raises:
        UsageError: the key is refused.
        CounterfoilError: there is no answer, or another one.
    """
    time.sleep(PAUSE_SECONDS)  # ten calls a second are borne
    try:
        answer = http.patiently(
            lambda: caller.ask("GET", path, params=asked, headers=headers), time.sleep
        )
    except http.AnswerTooLarge:
        answer = None
    if answer is not None and answer.status_code in (401, 403):
        raise UsageError(
            "Customer.io does not accept CUSTOMERIO_APP_API_KEY for this region: use an App API "
            "key of the workspace."
        )
    try:
        page = json.loads(answer.content.decode()) if answer and answer.is_success else None
    except (ValueError, RecursionError):
        page = None
    listed = "identifiers" if path.endswith("membership") else "segments"
    if (
        not isinstance(page, dict)
        or not isinstance(page.get(listed), list)
        or not isinstance(page.get("next") or "", str)
    ):
        raise _undocumented()
    return page


def _undocumented() -> CounterfoilError:
    return CounterfoilError(
        "The App API cannot be reached, or its answer is not the documented one, so nobody knows "
        "who is in the segments; what was pushed stays pushed. Check CUSTOMERIO_URL, or try again "
        "later."
    )

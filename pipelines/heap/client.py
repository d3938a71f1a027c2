"""One bulk call to Heap."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from pipelines.calling.answers import (
    Accepted,
    Outcome,
    Refused,
    TimeIsUp,
    Unanswered,
    Uncertain,
    is_receipt,
    parse_retry_after,
)
from pipelines.calling.patience import PatientClient, Spoken
from pipelines.errors import CounterfoilError
from pipelines.heap.limits import Clock, Limits
from pipelines.heap.target import Target

__all__ = [
    "Accepted",
    "Refused",
    "TimeIsUp",
    "Unanswered",
    "Uncertain",
    "is_receipt",
    "parse_retry_after",
]

PATHS = {"event": "/api/track", "user_properties": "/api/add_user_properties"}
JSON = {"Content-Type": "application/json"}
LISTS = {"event": "events", "user_properties": "users"}
LIST_AT = {PATHS[kind]: name for kind, name in LISTS.items()}
NARROWED = (400, 409, 413, 415, 422)
"""Answers that speak about the rows; other 4xx speak about the caller and stop the run."""

HEAP = Spoken("Heap", "counterfoil publish", "HEAP_URL")

_INDEX = re.compile(r"\b(events|users)\[(\d{1,9})\]", re.ASCII)


class HeapClient(PatientClient):
    """Sends calls to one target, paced, with backoff. Use as a context manager."""

    def __init__(
        self,
        target: Target,
        limits: Limits,
        clock: Clock,
        *,
        uncertain_answers: int,
        deadline: float | None = None,
        on_wait: Callable[[str], None] = lambda _: None,
    ) -> None:
        super().__init__(
            target.base_url,
            limits,
            clock,
            rates=limits,
            spoken=HEAP,
            uncertain_answers=uncertain_answers,
            deadline=deadline,
            on_wait=on_wait,
        )
        self.target = target

    def send(
        self,
        kind: str,
        rows: Sequence[bytes],
        identities: Mapping[str, int],
        *,
        attempts: int | None = None,
    ) -> Outcome:
        """Send one call; see `PatientClient.post`."""
        start = f'{{"app_id":"{self.target.app_id}","{LISTS[kind]}":['.encode()
        body = start + b",".join(rows) + b"]}"
        return self.post(PATHS[kind], identities, attempts=attempts, content=body, headers=JSON)

    def refusal(self, path: str, status: int, text: str) -> Refused | None:
        """Which rows the text names, where the answer speaks about them and not of another list."""
        if status not in NARROWED:
            return None
        named = [int(n) for name, n in _INDEX.findall(text) if name == LIST_AT[path]]
        return Refused(status, text, tuple(dict.fromkeys(named)))

    def stop(self, status: int) -> CounterfoilError:
        """What the answer says about the app, the region or the address."""
        if status in (401, 403):
            return CounterfoilError(
                f"Heap does not let {self.target.label} in (status {status}): check HEAP_APP_ID, "
                "HEAP_REGION and any proxy in HEAP_URL."
            )
        if status == 404 or status < 400:
            return CounterfoilError(
                f"There is no Heap API at the configured address (status {status}): check HEAP_URL "
                "and HEAP_REGION."
            )
        return CounterfoilError(
            f"Heap refused the call for {self.target.label} (status {status}): check the settings."
        )

"""One call to Customer.io's Track API that adds people to a manual segment, or removes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from pipelines.audiences.limits import PushLimits
from pipelines.audiences.target import TrackTarget
from pipelines.calling.answers import Outcome, Refused
from pipelines.calling.clock import Clock
from pipelines.calling.patience import PatientClient, Spoken
from pipelines.errors import CounterfoilError

PATHS = {
    "add": "/api/v1/segments/{segment}/add_customers",
    "remove": "/api/v1/segments/{segment}/remove_customers",
}
ID_TYPES = {"customer_id": "id", "email": "email", "cio_id": "cio_id"}
"""How the Track API calls our identifier types."""

JSON = {"Content-Type": "application/json"}
SPEAKS_OF_IDS = (400, 409, 413, 415, 422)
NOT_FOUND = 404
"""The segment was deleted: speaks of all that it is told, and of no other segment."""

CUSTOMERIO = Spoken("Customer.io", "counterfoil audiences push", "CUSTOMERIO_TRACK_URL")


class TrackClient(PatientClient):
    """Sends calls to one workspace, paced, with backoff. Use as a context manager."""

    def __init__(
        self,
        target: TrackTarget,
        limits: PushLimits,
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
            rates=limits.rates,
            spoken=CUSTOMERIO,
            uncertain_answers=uncertain_answers,
            deadline=deadline,
            on_wait=on_wait,
        )
        self.target = target

    def change(
        self,
        action: str,
        segment: str,
        id_type: str,
        ids: Sequence[str],
        *,
        attempts: int | None = None,
    ) -> Outcome:
        """Add these to the segment, or remove them; see `PatientClient.post`."""
        return self.post(
            PATHS[action].format(segment=segment),
            {"call": 1},
            attempts=attempts,
            params={"id_type": ID_TYPES[id_type]},
            content=json.dumps({"ids": list(ids)}, ensure_ascii=False).encode(),
            headers=JSON,
            auth=(self.target.site_id, self.target.api_key),
        )

    def refusal(self, path: str, status: int, text: str) -> Refused | None:
        """Speaks about the ids or the segment; other 4xx about us."""
        return Refused(status, text) if status in (*SPEAKS_OF_IDS, NOT_FOUND) else None

    def stop(self, status: int) -> CounterfoilError:
        """What the answer says about the credentials or the address."""
        if status in (401, 403):
            return CounterfoilError(
                f"Customer.io does not let {self.target.label} in (status {status}): check "
                "CUSTOMERIO_SITE_ID, CUSTOMERIO_TRACK_API_KEY and CUSTOMERIO_REGION."
            )
        return CounterfoilError(
            f"There is no Track API at the configured address (status {status}): check "
            "CUSTOMERIO_TRACK_URL and CUSTOMERIO_REGION."
        )

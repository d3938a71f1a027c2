"""Which Heap we talk to: app, region, host; checked once, masked wherever shown."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from pipelines import http
from pipelines.errors import UsageError
from pipelines.settings import Settings

HOSTS = {"us": "https://heapanalytics.com", "eu": "https://c.eu.heap-api.com"}
"""Ingestion hosts by region (Heap's track and bulk user properties references)."""

DELETION_HOST = "https://heapanalytics.com"
"""Deletion lives on one host for both regions (Heap's deletion reference)."""


@dataclass(frozen=True)
class Target:
    """One Heap environment. `app_id` never appears in `repr`, in logs or in files."""

    app_id: str = field(repr=False)
    region: str
    base_url: str
    is_local: bool

    @property
    def masked(self) -> str:
        """The app id as it may be shown: its last three digits at most."""
        return mask(self.app_id)

    @property
    def label(self) -> str:
        """How a person recognises the target, for example `app *******321 (eu)`."""
        return f"app {self.masked} ({self.region}{', local Heap' if self.is_local else ''})"

    def key(self, salt: str) -> str:
        """The name under which the ledger files what this target was told (12 hex digits).

        App, region and "is it a local Heap" make the name: a rehearsal against the local Heap, or a
        publish to the wrong region, never counts as told to the real one; nor does a rehearsal of
        one region count for the other.
        """
        place = f"local {self.region}" if self.is_local else self.region
        return hashlib.sha256(f"{salt}:{self.app_id}:{place}".encode()).hexdigest()[:12]


def mask(app_id: str) -> str:
    """Hide all but the last three digits (all of them when the id is short)."""
    shown = app_id[-3:] if len(app_id) >= 6 else ""
    return "*" * (len(app_id) - len(shown)) + shown


def find_target(settings: Settings) -> Target | None:
    """The configured target, or None when app id or region is not set. Wrong values are refused."""
    if settings.heap_app_id is None or settings.heap_region is None:
        if settings.heap_region is not None:
            _check_region(settings.heap_region)
        if settings.heap_app_id is not None:
            _check_app_id(settings.heap_app_id.get_secret_value())
        return None
    app_id = _check_app_id(settings.heap_app_id.get_secret_value())
    region = _check_region(settings.heap_region)
    base_url = http.base_url(settings.heap_url or HOSTS[region], "HEAP_URL")
    return Target(app_id, region, base_url, is_local=http.is_this_machine(base_url))


def require_target(settings: Settings) -> Target:
    """The configured target; without one there is nothing to publish to (exit code 2)."""
    target = find_target(settings)
    if target is None:
        missing = "HEAP_APP_ID" if settings.heap_app_id is None else "HEAP_REGION"
        hint = "the environment id in Heap, digits only" if missing == "HEAP_APP_ID" else "us or eu"
        raise UsageError(f"{missing} is not set: publishing needs it ({hint}).")
    return target


def _check_app_id(app_id: str) -> str:
    # Heap answers 200 to a wrong id, so a malformed one must be caught here.
    if not (app_id.isascii() and app_id.isdigit()):
        raise UsageError(
            "HEAP_APP_ID must be digits only: copy the environment id from Heap's project settings."
        )
    return app_id


def _check_region(region: str) -> str:
    if region not in HOSTS:
        raise UsageError("HEAP_REGION must be us or eu: Heap tells you where the project is kept.")
    return region

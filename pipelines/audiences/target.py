"""Which Customer.io we talk to: site, region, host; checked once, masked wherever shown."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from pipelines import http
from pipelines.errors import UsageError
from pipelines.heap.target import mask
from pipelines.loading.sources.app_api import HOSTS as APP_API_HOSTS
from pipelines.settings import Settings

HOSTS = {"us": "https://track.customer.io", "eu": "https://track-eu.customer.io"}
"""Hosts of the Track API by region (Customer.io's references)."""


@dataclass(frozen=True)
class TrackTarget:
    """One workspace of Customer.io. Neither id nor key appears in `repr`, in logs or in files."""

    site_id: str = field(repr=False)
    api_key: str = field(repr=False)
    region: str
    base_url: str
    is_local: bool

    @property
    def label(self) -> str:
        """How a person recognises the target, for example `site *****321 (eu)`."""
        local = ", local Customer.io" if self.is_local else ""
        return f"site {mask(self.site_id)} ({self.region}{local})"

    def key(self, salt: str) -> str:
        """The name under which the ledger files what this target was told (12 hex digits).

        A rehearsal against the local Customer.io never counts as told to the real one.
        """
        place = f"local {self.region}" if self.is_local else self.region
        text = f"{salt}:customerio:{self.site_id}:{place}"
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def find_track_target(settings: Settings) -> TrackTarget | None:
    """The configured target, or None when the site or its key is not set.

    Raises:
        UsageError: a setting is wrong.
    """
    region = (settings.customerio_region or "").strip().lower()
    if region and region not in HOSTS:
        raise UsageError("CUSTOMERIO_REGION must be us or eu, where the workspace lives.")
    if settings.site_id is None or settings.track_api_key is None:
        return None
    site_id = _plain(settings.site_id.get_secret_value(), "CUSTOMERIO_SITE_ID")
    api_key = _plain(settings.track_api_key.get_secret_value(), "CUSTOMERIO_TRACK_API_KEY")
    if not region:
        raise UsageError("CUSTOMERIO_REGION is not set: us or eu, where the workspace lives.")
    url = http.base_url(settings.track_url or HOSTS[region], "CUSTOMERIO_TRACK_URL")
    return TrackTarget(site_id, api_key, region, url, is_local=http.is_this_machine(url))


def app_api_url(settings: Settings, target: TrackTarget) -> str:
    """Where the App API is asked who is in the segments: on the side that is written to.

    Whoever rehearses against a local Customer.io asks that one, whatever the key would open; what
    is real is not held against the segments of a local one.

    Raises:
        UsageError: CUSTOMERIO_URL is no address, or is local where the Track API is not.
    """
    given = settings.customerio_url
    url = http.base_url(given or APP_API_HOSTS[target.region], "CUSTOMERIO_URL")
    if http.is_this_machine(url) == target.is_local:
        return url
    if target.is_local:
        return target.base_url
    raise UsageError(
        "CUSTOMERIO_URL is on this machine and the Track API is not: a push would hold the real "
        "segments against local ones. Set both, or neither."
    )


def require_track_target(settings: Settings) -> TrackTarget:
    """The configured target; without one there is nobody to push to.

    Raises:
        UsageError: a setting is missing or wrong.
    """
    target = find_track_target(settings)
    if target is None:
        missing = "SITE_ID" if settings.site_id is None else "TRACK_API_KEY"
        raise UsageError(
            f"CUSTOMERIO_{missing} is not set: pushing needs the Track API credentials of the "
            "workspace."
        )
    return target


def _plain(value: str, setting: str) -> str:
    if not (value.isascii() and value.isprintable()) or ":" in value or not value.strip():
        raise UsageError(f"{setting} is no credential: copy it from the workspace's settings.")
    return value

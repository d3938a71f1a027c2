"""Time zones by the name of a place: what an abbreviation stands for depends on who reads it."""

from __future__ import annotations

import re
import zoneinfo
from functools import cache

from pipelines.registries import nearest

UNIVERSAL = ("UTC", "GMT")
_NO_PLACE = {"Factory"}


@cache
def known() -> frozenset[str]:
    """The names of the time zone database that mean one zone: places, and universal time."""
    return (
        frozenset(
            name
            for name in zoneinfo.available_timezones()
            if name in UNIVERSAL or "/" in name or re.fullmatch("[A-Z][a-z]+", name)
        )
        - _NO_PLACE
    )


def suggestion(text: str) -> str | None:
    """The place that somebody may have meant."""
    places = {name for name in known() if not name.startswith("Etc/")}
    if "/" in text:
        return nearest.of(text, places)
    if re.fullmatch(r"[A-Za-z _]{4,}", text):  # a town without its continent
        towns = {name.rpartition("/")[2]: name for name in sorted(places, reverse=True)}
        town = nearest.of(text.replace(" ", "_"), towns, close=0.8)
        return towns[town] if town else None
    return None

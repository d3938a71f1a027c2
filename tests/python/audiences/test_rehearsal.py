"""A rehearsal asks the local Customer.io and nobody else, whatever else is set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from audience_world import SEGMENT, World, crowd
from pydantic import SecretStr

from pipelines.audiences.limits import UNHURRIED
from pipelines.audiences.push import push
from pipelines.audiences.target import app_api_url, require_track_target
from pipelines.errors import UsageError
from pipelines.sandbox import Sandbox
from pipelines.settings import Settings

FAST = replace(UNHURRIED, backoff_seconds=0.001, longest_backoff_seconds=0.01, timeout_seconds=5.0)
LOCAL, REAL = "http://127.0.0.1:9", "https://track.elsewhere.example"
APP, APP_EU = "https://app.elsewhere.example", "https://api-eu.customer.io"


@pytest.mark.parametrize("elsewhere", [None, "https://app.elsewhere.example"])
def test_a_key_of_the_real_app_api_takes_a_rehearsal_nowhere_else(
    elsewhere: str | None, world: World, heap: Sandbox
) -> None:
    world.add(*crowd(20))
    world.tell(heap.customerio)
    heap.customerio.segments[SEGMENT] = {"c000001"}  # by somebody else, in the local one
    world.settings = world.settings.model_copy(
        update={"app_api_key": SecretStr("a-real-key"), "customerio_url": elsewhere}
    )
    world.build()
    assert push(world.settings, world.console, limits=FAST).count_added == 15
    assert world.ledger("select count_landed, count_foreign from audience_landings") == [(15, 1)]


@pytest.mark.parametrize(
    ("track", "app", "asked"),
    [
        (LOCAL, None, LOCAL),
        (LOCAL, APP, LOCAL),
        (LOCAL, "http://localhost:10", "http://localhost:10"),
        (REAL, None, APP_EU),
        (REAL, APP, APP),
        (None, None, APP_EU),
    ],
)
def test_the_app_api_is_asked_on_the_side_that_is_written_to(
    track: str | None, app: str | None, asked: str, make_settings: Callable[..., Settings]
) -> None:
    settings = _settings(make_settings, track, app)
    assert app_api_url(settings, require_track_target(settings)) == asked


def test_what_is_real_is_not_held_against_local_segments(
    make_settings: Callable[..., Settings],
) -> None:
    settings = _settings(make_settings, REAL, LOCAL)
    with pytest.raises(UsageError, match="CUSTOMERIO_URL is on this machine and the Track API"):
        app_api_url(settings, require_track_target(settings))


def _settings(
    make_settings: Callable[..., Settings], track: str | None, app: str | None
) -> Settings:
    return make_settings(
        site_id=SecretStr("site"),
        track_api_key=SecretStr("key"),
        customerio_region="eu",
        track_url=track,
        customerio_url=app,
    )

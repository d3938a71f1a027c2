"""Activities of a workspace from Customer.io's App API, as a file that a load reads like any other.

Who was merged into whom stands in no export; the App API tells it for thirty days. Source: its
`GET /v1/activities`: pages of 100, a cursor (`next`, sent back as `start`), ten calls a second.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from pipelines import http
from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.home import private
from pipelines.settings import Settings

HOSTS = {"us": "https://api.customer.io", "eu": "https://api-eu.customer.io"}
KEPT_TYPES = ("profile_merge",)
PAGE_SIZE = 100
PAUSE_SECONDS = 0.1
MAX_PAGES = 100_000
"""Ten million merges in thirty days; whoever promises more is not the App API."""

Ask = Callable[[Mapping[str, str]], httpx.Response | None]


@contextmanager
def fetched_activities(
    settings: Settings, workspace_id: int, console: Console
) -> Iterator[Path | None]:
    """The merges that the App API still tells of, in a folder that goes when the caller is done.

    Args:
        settings: `CUSTOMERIO_APP_API_KEY`, a key of that workspace, and `CUSTOMERIO_REGION`.
        workspace_id: whose key it is; the answers do not say.
        console: shows the calls.

    Yields:
        The folder with one file, or None when there were no merges. The file is named after its
        content, so the same answer is a known file the next time.

    Raises:
        UsageError: the key or the region is missing or wrong.
        CounterfoilError: the App API cannot be reached, or refuses.
    """
    lines = sorted(
        {
            json.dumps(activity, sort_keys=True, ensure_ascii=False)
            for activity in _activities(settings, console)
        }
    )
    console.record(activities=len(lines))
    console.line(f"The App API tells of {len(lines):,} merges of workspace {workspace_id}.")
    if not lines:
        yield None
        return
    content = ("\n".join(lines) + "\n").encode()
    with private(settings.home):
        folder = Path(tempfile.mkdtemp(prefix=".app_api_", dir=settings.home))
        try:
            name = f"activities_{workspace_id}_{hashlib.sha256(content).hexdigest()[:16]}.jsonl.gz"
            # no time in the header: the same lines are the same bytes
            (folder / name).write_bytes(gzip.compress(content, mtime=0))
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _activities(settings: Settings, console: Console) -> Iterator[dict[str, Any]]:
    """Every activity of the kept types, those of deleted people too: a merge deletes one of two."""
    with _caller(settings) as ask, console.progress("asking the App API") as advance:
        for kind in KEPT_TYPES:
            for deleted in ("false", "true"):
                for page in _pages(ask, {"type": kind, "deleted": deleted}):
                    yield from page
                    advance(len(page))
                    time.sleep(PAUSE_SECONDS)


def _pages(ask: Ask, asked: Mapping[str, str]) -> Iterator[list[dict[str, Any]]]:
    """The pages of one question, each with the activities that it lists.

    Raises:
        CounterfoilError: an answer that is none, or that leads in a circle.
    """
    start = ""
    starts: set[str] = set()
    while start not in starts and len(starts) < MAX_PAGES:
        starts.add(start)
        page = _answer(
            ask({**asked, "limit": str(PAGE_SIZE), **({"start": start} if start else {})})
        )
        yield page["activities"]
        start = page.get("next") or ""
        if not start:
            return
    raise _undocumented()


def _answer(answer: httpx.Response | None) -> dict[str, Any]:
    """A page: it lists activities, if only none; anything else would pass for no merges at all.

    Raises:
        UsageError: the key is refused.
        CounterfoilError: there is no answer, or it is another one.
    """
    if answer is None:
        raise _undocumented()
    if answer.status_code in (401, 403):
        raise UsageError(
            "Customer.io does not accept CUSTOMERIO_APP_API_KEY for this region: use an App "
            "API key of the workspace, and the region it lives in (CUSTOMERIO_REGION)."
        )
    if answer.status_code != 200:
        raise CounterfoilError(
            f"The App API answered {answer.status_code} {http.ATTEMPTS} times or refused: nothing "
            "was loaded, try again later."
        )
    try:
        page = json.loads(answer.content.decode())
    except (ValueError, RecursionError) as error:
        raise _undocumented() from error
    if (
        not isinstance(page, dict)
        or not isinstance(page.get("activities"), list)
        or not all(isinstance(activity, dict) for activity in page["activities"])
        or not isinstance(page.get("next") or "", str)
    ):
        raise _undocumented()
    return page


def _undocumented() -> CounterfoilError:
    return CounterfoilError(
        "The App API cannot be reached, or its answer is not the documented one: nothing was "
        "loaded. Check CUSTOMERIO_URL and any proxy in between, or try again later."
    )


@contextmanager
def _caller(settings: Settings) -> Iterator[Ask]:
    """A function that asks for activities, patiently, with the key of the workspace."""
    if settings.app_api_key is None:
        raise UsageError("CUSTOMERIO_APP_API_KEY is not set: make one in the workspace's settings.")
    key = settings.app_api_key.get_secret_value()
    if not (key.isascii() and key.isprintable()):
        raise UsageError("CUSTOMERIO_APP_API_KEY is no key: copy it from the workspace's settings.")
    region = (settings.customerio_region or "").strip().lower()
    if settings.customerio_url is None and region not in HOSTS:
        raise UsageError("CUSTOMERIO_REGION must be us or eu, where the workspace lives.")
    url = http.base_url(settings.customerio_url or HOSTS[region], "CUSTOMERIO_URL")
    headers = {"Authorization": f"Bearer {key}"}
    with http.Caller(url) as caller:

        def ask(params: Mapping[str, str]) -> httpx.Response | None:
            try:
                return http.patiently(
                    lambda: caller.ask("GET", "/v1/activities", params=params, headers=headers),
                    time.sleep,
                )
            except http.AnswerTooLarge:
                return None

        yield ask

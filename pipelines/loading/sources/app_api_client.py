"""Customer.io's App API: a question and its pages, at most ten calls a second.

Source: its reference: `Authorization: Bearer`, a cursor (`next`, sent back as `start`), an empty or
missing `next` on the last page, 429 beyond ten calls a second without a word on how long to wait.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, Self

import httpx

from pipelines import http
from pipelines.errors import CounterfoilError, UsageError
from pipelines.settings import Settings

HOSTS = {"us": "https://api.customer.io", "eu": "https://api-eu.customer.io"}
PAUSE_SECONDS = 0.1
MAX_PAGES = 100_000
"""Ten million rows at the smallest page; whoever promises more is not the App API."""
NOT_THERE = 404


class AppApi:
    """Speaks with the App API, with the key of one workspace; a context manager.

    Args:
        settings: `CUSTOMERIO_APP_API_KEY`, and `CUSTOMERIO_REGION` or `CUSTOMERIO_URL`.

    Raises:
        UsageError: the key or the region is missing or wrong.
    """

    def __init__(self, settings: Settings) -> None:
        if settings.app_api_key is None:
            raise UsageError(
                "CUSTOMERIO_APP_API_KEY is not set: make one in the workspace's settings."
            )
        key = settings.app_api_key.get_secret_value()
        if not (key.isascii() and key.isprintable()):
            raise UsageError(
                "CUSTOMERIO_APP_API_KEY is no key: copy it from the workspace's settings."
            )
        region = (settings.customerio_region or "").strip().lower()
        if settings.customerio_url is None and region not in HOSTS:
            raise UsageError("CUSTOMERIO_REGION must be us or eu, where the workspace lives.")
        url = http.base_url(settings.customerio_url or HOSTS[region], "CUSTOMERIO_URL")
        self._headers = {"Authorization": f"Bearer {key}"}
        self._caller = http.Caller(url)
        self._next_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._caller.close()

    def pages(
        self, path: str, listed: str, asked: Mapping[str, str] | None = None
    ) -> Iterator[list[dict[str, Any]]]:
        """What the pages of one question list.

        Args:
            path: below the host.
            listed: the key of the list.
            asked: parameters.

        Raises:
            UsageError: the key is refused.
            NotThere: this workspace has nothing of the kind.
            CounterfoilError: an answer that is none, or that leads in a circle.
        """
        start = ""
        starts: set[str] = set()
        while start not in starts and len(starts) < MAX_PAGES:
            starts.add(start)
            params = {**(asked or {}), **({"start": start} if start else {})}
            page = _page(self._ask(path, params), listed)
            yield page[listed]
            start = page.get("next") or ""
            if not start:
                return
        raise _undocumented()

    def listed(
        self, path: str, listed: str, asked: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """All that the pages of one question list; see `pages`."""
        return [one for page in self.pages(path, listed, asked) for one in page]

    def _ask(self, path: str, params: Mapping[str, str]) -> httpx.Response | None:
        def call() -> httpx.Response:
            time.sleep(max(0.0, self._next_at - time.monotonic()))
            self._next_at = time.monotonic() + PAUSE_SECONDS
            return self._caller.ask("GET", path, params=params, headers=self._headers)

        try:
            return http.patiently(call, time.sleep)
        except http.AnswerTooLarge:
            return None


class NotThere(CounterfoilError):
    """The App API has nothing at this path for this workspace."""


def _page(answer: httpx.Response | None, listed: str) -> dict[str, Any]:
    """A page: it has the list, if only an empty one; anything else would pass for nothing there.

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
    if answer.status_code == NOT_THERE:
        raise NotThere(f"The App API knows no {listed} here.")
    if answer.status_code != 200:
        raise CounterfoilError(
            f"The App API answered {answer.status_code} {http.ATTEMPTS} times or refused: what it "
            "told before is kept, try again later."
        )
    try:
        page = json.loads(answer.content.decode())
    except (ValueError, RecursionError) as error:
        raise _undocumented() from error
    if (
        not isinstance(page, dict)
        or not isinstance(page.get(listed), list)
        or not all(isinstance(one, dict) for one in page[listed])
        or not isinstance(page.get("next") or "", str)
    ):
        raise _undocumented()
    return page


def _undocumented() -> CounterfoilError:
    return CounterfoilError(
        "The App API cannot be reached, or its answer is not the documented one: nothing of it "
        "was loaded. Check CUSTOMERIO_URL and any proxy in between, or try again later."
    )

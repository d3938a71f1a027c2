"""Activities of a workspace from Customer.io's App API, as a file that a load reads like any other.

Who was merged into whom stands in no export; the App API tells it for thirty days. Source: its
`GET /v1/activities`: pages of 100, a cursor (`next`, sent back as `start`), ten calls a second.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines import http
from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.home import private
from pipelines.quiet import quiet_dlt
from pipelines.settings import Settings

HOSTS = {"us": "https://api.customer.io", "eu": "https://api-eu.customer.io"}
KEPT_TYPES = ("profile_merge",)
PAGE_SIZE = 100
PAUSE_SECONDS = 0.1


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
    quiet_dlt(settings.home / "dlt")  # before anything of dlt is used
    from dlt.sources.helpers import requests

    client = _client(settings)
    try:
        with console.progress("asking the App API") as advance:
            for kind in KEPT_TYPES:
                for deleted in ("false", "true"):
                    pages = client.paginate(
                        "/v1/activities",
                        params={"type": kind, "deleted": deleted, "limit": PAGE_SIZE},
                        data_selector="activities",
                        hooks={"response": [_read_limited]},
                    )
                    for page in pages:
                        _require_activities(page.response.json())
                        yield from page
                        advance(len(page))
                        time.sleep(PAUSE_SECONDS)
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403):
            raise UsageError(
                "Customer.io does not accept CUSTOMERIO_APP_API_KEY for this region: use an App "
                "API key of the workspace, and the region it lives in (CUSTOMERIO_REGION)."
            ) from error
        raise CounterfoilError(
            f"The App API answered {status} {http.ATTEMPTS} times or refused: nothing was loaded, "
            "try again later."
        ) from error
    except (requests.RequestException, ValueError) as error:
        raise CounterfoilError(
            "The App API cannot be reached, or its answer is not the documented one: nothing was "
            "loaded. Check CUSTOMERIO_URL and any proxy in between, or try again later."
        ) from error


def _require_activities(answer: object) -> None:
    """A page lists activities, if only none; anything else would pass for no merges at all."""
    if not isinstance(answer, dict) or not isinstance(answer.get("activities"), list):
        raise ValueError("no list of activities")


def _read_limited(answer: Any, **_: object) -> Any:
    """The answer with its body read.

    Raises:
        ValueError: it is larger than a page can be.
        requests.HTTPError: it is a refusal, or asks for patience.
    """
    body = answer.raw.read(http.MAX_ANSWER_BYTES + 1, decode_content=True)
    if len(body) > http.MAX_ANSWER_BYTES:
        raise ValueError("an answer that is too large")
    answer.raw.release_conn()
    answer.raw = io.BytesIO(body)
    answer.raise_for_status()
    return answer


def _client(settings: Settings) -> Any:
    """dlt's REST client with patience, told everything by us and nothing by its surroundings."""
    from dlt.common.configuration.specs.runtime_configuration import RuntimeConfiguration
    from dlt.sources.helpers.requests import Client
    from dlt.sources.helpers.rest_client import RESTClient
    from dlt.sources.helpers.rest_client.auth import BearerTokenAuth
    from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator

    if settings.app_api_key is None:
        raise UsageError("CUSTOMERIO_APP_API_KEY is not set: make one in the workspace's settings.")
    region = (settings.customerio_region or "").strip().lower()
    if settings.customerio_url is None and region not in HOSTS:
        raise UsageError("CUSTOMERIO_REGION must be us or eu, where the workspace lives.")
    patience = Client(
        request_timeout=http.TIMEOUT_SECONDS,
        raise_for_status=False,
        request_max_attempts=http.ATTEMPTS,
        request_max_retry_delay=http.LONGEST_PAUSE_SECONDS,
    )
    return RESTClient(
        base_url=(settings.customerio_url or HOSTS[region]).rstrip("/"),
        auth=BearerTokenAuth(settings.app_api_key.get_secret_value()),
        paginator=JSONResponseCursorPaginator(cursor_path="next", cursor_param="start"),
        session=patience.session,
        config=RuntimeConfiguration(),
    )

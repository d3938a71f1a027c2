"""How we speak HTTP: an answer that is none is not read to its end, and the policy has one home."""

from __future__ import annotations

import gzip
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from publisher_home import FAST, OPEN, Home
from pydantic import SecretStr

from pipelines import http
from pipelines.console import Console
from pipelines.errors import CounterfoilError
from pipelines.heap import publish
from pipelines.road import load_exports
from pipelines.sandbox import Fault, running_sandbox
from pipelines.settings import PROJECT_DIR, Settings

LARGE = b" " * (http.MAX_ANSWER_BYTES + 1)
ANSWERS = {
    "/large": ({}, LARGE),
    "/packed": ({"Content-Encoding": "gzip"}, gzip.compress(LARGE)),
    "/broken": ({"Content-Encoding": "gzip"}, b"no gzip at all"),
    "/late": ({"Retry-After": "7", "Content-Encoding": "gzip"}, gzip.compress(b"later")),
    "/v1/activities": ({}, b'{"activities": []}' + LARGE),
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server with the answers above; /late with 429, the others with 200."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers, body = ANSWERS[self.path.split("?")[0]]
            self.send_response(429 if self.path == "/late" else 200)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:  # nobody listens to the end
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("path", ["/large", "/packed"])
def test_an_answer_that_is_too_large_is_none(url: str, path: str) -> None:
    with http.client(url) as client, pytest.raises(http.AnswerTooLarge):
        http.ask(client, "GET", path)


def test_an_answer_is_decoded_once_and_keeps_what_it_asks_for(url: str) -> None:
    with http.client(url) as client:
        answer = http.ask(client, "GET", "/late")
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
        assert answer.content == b"later"
        with pytest.raises(httpx.DecodingError):
            http.ask(client, "GET", "/broken")


def test_pauses_double_up_to_the_longest() -> None:
    assert [http.pause(attempt, 1, 5) for attempt in range(1, 6)] == [1, 2, 4, 5, 5]


def test_a_flood_from_the_app_api_is_not_read_to_its_end(settings: Settings, url: str) -> None:
    asking = settings.model_copy(update={"app_api_key": SecretStr("a-key"), "customerio_url": url})
    with pytest.raises(CounterfoilError, match="not the documented one"):
        load_exports(asking, Console(as_json=True), [], app_api_workspace=7)


def test_a_flood_in_the_place_of_heap_is_no_receipt(tmp_path: Path) -> None:
    with running_sandbox(limits=OPEN) as heap:
        home = Home(tmp_path / "home", heap.url)
        home.sent(3)
        heap.inject(Fault("intercepted", times=9, status=200, text="x" * len(LARGE)))
        with pytest.raises(CounterfoilError, match="too large"):
            publish(home.settings, Console(as_json=True), limits=FAST)
    assert home.ledger("select count(*) from receipts") == [(0,)]


def test_the_policy_has_one_home() -> None:
    """Nobody else makes a client, or says how long to wait."""
    own = [
        path.relative_to(PROJECT_DIR).as_posix()
        for path in (PROJECT_DIR / "pipelines").rglob("*.py")
        if re.search(r"httpx\.(Client|request|get|post)\(|^ATTEMPTS = ", path.read_text(), re.M)
    ]
    assert own == ["pipelines/http.py"]

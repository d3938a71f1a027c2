"""How we speak HTTP: an answer that is none is not read to its end, and the policy has one home."""

from __future__ import annotations

import gzip
import re
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from adversary import Answer, adversary, drip, flood, once
from hypothesis import given
from hypothesis import strategies as st
from publisher_home import FAST, OPEN, Home
from pydantic import SecretStr

from pipelines import http
from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.heap.publish import publish
from pipelines.road import load_exports
from pipelines.sandbox import Fault, running_sandbox
from pipelines.settings import PROJECT_DIR, Settings

LARGE = b" " * (http.MAX_ANSWER_BYTES + 1)


def _bomb() -> bytes:
    packing = zlib.compressobj(9, wbits=31)
    return b"".join(packing.compress(bytes(1 << 24)) for _ in range(64)) + packing.flush()


ANSWERS = {
    "/large": ({}, LARGE),
    "/packed": ({"Content-Encoding": "gzip"}, gzip.compress(LARGE)),
    "/padded": ({"Content-Encoding": "deflate"}, b"\x78\x01" + b"\x00\x00\x00\xff\xff" * 2_100_000),
    "/bomb": ({"Content-Encoding": "gzip"}, _bomb()),
    "/broken": ({"Content-Encoding": "gzip"}, b"no gzip at all"),
    "/short": ({"Content-Encoding": "gzip"}, gzip.compress(b"{}")[:-4]),
    "/twice": ({"Content-Encoding": "gzip, gzip"}, gzip.compress(gzip.compress(b"{}"))),
    "/foreign": ({"Content-Encoding": "br"}, b"{}"),
    "/followed": ({"Content-Encoding": "gzip"}, gzip.compress(b"{}") + gzip.compress(b"no")),
    "/late": ({"Retry-After": "7", "Content-Encoding": "gzip"}, gzip.compress(b"later")),
    "/strange": ({"Retry-After": "\xff\xb2", "Content-Type": "\xff"}, b"{}"),
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


@pytest.mark.parametrize("path", ["/large", "/packed", "/padded"])
def test_an_answer_that_is_too_large_is_none(url: str, path: str) -> None:
    with http.Caller(url) as caller, pytest.raises(http.AnswerTooLarge):
        caller.ask("GET", path)


def test_a_packed_answer_is_unpacked_no_further_than_it_is_read(url: str) -> None:
    """Packed once it is a megabyte, unpacked it would be a gigabyte."""
    tracemalloc.start()
    try:
        with http.Caller(url) as caller, pytest.raises(http.AnswerTooLarge):
            caller.ask("GET", "/bomb")
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()


def test_an_answer_is_decoded_once_and_keeps_what_it_asks_for(url: str) -> None:
    with http.Caller(url) as caller:
        answer = caller.ask("GET", "/late")
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
        assert answer.content == b"later"


@pytest.mark.parametrize("path", ["/broken", "/short", "/twice", "/foreign", "/followed"])
def test_an_answer_that_cannot_be_decoded_is_none(url: str, path: str) -> None:
    with http.Caller(url) as caller, pytest.raises(httpx.DecodingError):
        caller.ask("GET", path)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ENDLESS: dict[str, Answer] = {
    "silence": lambda _: drip(b" ", pause=60),
    "dripped status": lambda _: drip(b"HTTP/1.1 200 O", pause=0.05),
    "dripped header": lambda _: drip(b"x", before=HEAD + b"X-Name: "),
    "dripped body": lambda _: drip(b" ", before=HEAD + b"Content-Length: 1000000\r\n\r\n"),
    "dripped pieces": lambda _: drip(
        b"1\r\n \r\n", before=HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    ),
    "100 without end": lambda _: flood(b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "102 now and then": lambda _: drip(b"HTTP/1.1 102 Processing\r\n\r\n"),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_an_exchange_ends_in_its_time(name: str) -> None:
    """Whoever sends a little before each time-out of a read would hold us for ever."""
    with adversary(ENDLESS[name]) as url, http.Caller(url, seconds=0.4) as caller:
        started = time.monotonic()
        with pytest.raises(httpx.TransportError):
            caller.ask("POST", "/api/track", content=b"{}")
        assert time.monotonic() - started < 2
        with pytest.raises(httpx.TransportError):
            caller.ask("POST", "/api/track", content=b"{}", seconds=0.05)


LOST_IN_LOOKUP = "lost.example"


@pytest.fixture
def endless_lookup(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A resolver of the system that never answers about one name, until the test is over."""
    over = threading.Event()
    real = socket.getaddrinfo

    def look_up(host: object, *more: object, **others: object) -> object:
        if host in (LOST_IN_LOOKUP, LOST_IN_LOOKUP.encode()):
            over.wait(30)
        return real(host, *more, **others)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield
    over.set()


@pytest.mark.usefixtures("endless_lookup")
def test_a_lookup_without_end_ends_in_its_time() -> None:
    """And nothing waits for it afterwards, also where more are lost than anybody has threads."""
    started = time.monotonic()
    with http.Caller(f"http://{LOST_IN_LOOKUP}", seconds=0.05) as caller:
        for _ in range(40):
            with pytest.raises(http.TookTooLong):
                caller.ask("GET", "/")
    assert time.monotonic() - started < 10


@pytest.mark.usefixtures("endless_lookup")
def test_a_lookup_without_end_does_not_outlast_a_time_box(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", f"http://{LOST_IN_LOOKUP}")
    home.sent(3)
    started = time.monotonic()
    console = Console(as_json=True)
    with pytest.raises(CounterfoilError, match=r"does not answer \(no answer in time\)"):
        publish(home.settings, console, limits=FAST, max_minutes=0.01)
    told = console.result["publish"]
    assert (told["status"], told["count_left"]) == ("resumes", 3)
    assert time.monotonic() - started < 10


def test_a_process_does_not_wait_for_a_lookup_at_its_end() -> None:
    program = f"""
import socket, sys, time
from pipelines import http
socket.getaddrinfo = lambda *_, **__: time.sleep(60)
with http.Caller("http://{LOST_IN_LOOKUP}", seconds=0.1) as caller:
    try:
        caller.ask("GET", "/")
    except http.TookTooLong:
        sys.exit(7)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        cwd=PROJECT_DIR,
        timeout=30,
        capture_output=True,
    )
    assert (ended.returncode, ended.stderr) == (7, b"")


def test_what_a_lookup_says_is_what_is_asked() -> None:
    """A name that there is, one that there is not, and one that is none."""
    with adversary(lambda _: once(HEAD + b"Content-Length: 2\r\n\r\n{}")) as url:
        with http.Caller(url.replace("127.0.0.1", "localhost")) as caller:
            assert caller.ask("GET", "/").content == b"{}"
        for name in ("heap.invalid", "a" * 64 + ".invalid"):
            with http.Caller(f"http://{name}") as caller, pytest.raises(httpx.ConnectError):
                caller.ask("GET", "/")


def test_whoever_does_not_read_holds_nobody() -> None:
    """More is sent than the buffers of both sides hold, and nothing of it is read."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with (
            http.Caller(f"http://127.0.0.1:{port}", seconds=0.4) as caller,
            pytest.raises(http.TookTooLong),
        ):
            caller.ask("POST", "/", content=b" " * 50_000_000)


@pytest.mark.parametrize(
    "piece", [b"x" * 1000, b"X-Name: x\r\n" * 100], ids=["one line", "many lines"]
)
def test_a_head_without_end_is_not_read(piece: bytes) -> None:
    with (
        adversary(lambda _: flood(piece, before=HEAD)) as url,
        http.Caller(url, seconds=5) as caller,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        caller.ask("GET", "/")


LOCAL = ["127.0.0.1", "127.9.9.9", "localhost", "LocalHost", "heap.localhost", "localhost.",
         "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"]  # fmt: skip
REMOTE = ["127.evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "notlocalhost",
          "heapanalytics.com", "128.0.0.1", "10.0.0.1", "[2001:db8::1]", "evil.example.",
          "xn--hep-qla.example", "a_b.example"]  # fmt: skip


@pytest.mark.parametrize("host", LOCAL + REMOTE)
@pytest.mark.parametrize("rest", ["", ":8383", "/proxy/heap/"])
def test_an_address_of_this_machine_is_known_by_what_it_is(host: str, rest: str) -> None:
    url = http.base_url(f"http://{host}{rest}", "HEAP_URL")
    assert url == f"http://{host}{rest}".rstrip("/")
    assert http.is_this_machine(url) == (host in LOCAL)


@pytest.mark.parametrize(
    "url",
    [
        "", "heapanalytics.com", "ftp://heapanalytics.com", "http://", "http:///api", "https:/x.y",
        "http://[::1", "http://[::1]x", "http://[nonsense]", "http://a:b", "http://a:99999",
        "http://a:0", "http://a b", "http://a\tb", "http://a\nb", "http://a/\x1b[2J", "http://ä.example",
        "http://127.0.0.1@evil.example", "http://u:secret@a.example", "http://a?x=1", "http://a#b",
        "http://a?", "http://127.0.0.1\\@evil.example", "http://127.1", "http://0x7f.1",
        "http://2130706433", "http://0177.0.0.1", "http://127.0.0.1.", "http://256.1.1.1",
        "http://a..b", "http://.a", "http://-a.b", "http://" + "a" * 64, "http://%6c.example",
        "http://xn--a", "http://xn--a.example",
    ],
)  # fmt: skip
@pytest.mark.parametrize("setting", ["HEAP_URL", "CUSTOMERIO_URL"])
def test_an_odd_address_is_refused_by_the_name_of_its_setting(url: str, setting: str) -> None:
    with pytest.raises(UsageError, match=f"{setting} must be a base URL") as refused:
        http.base_url(url, setting)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:9"), ("HTTPS_PROXY", "ftp://127.0.0.1"),
        ("HTTP_PROXY", "http://a:port"), ("SSL_CERT_FILE", "/nowhere/at/all.pem"),
    ],
)  # fmt: skip
def test_a_proxy_or_certificates_that_cannot_be_used_are_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=f"check .*{name}"):
        http.Caller("http://127.0.0.1:9")


@given(
    st.text()
    | st.text("htps:/.[]@1270x%\\?#a-").map("http://{}".format)
    | st.text("abn0-.").map("http://xn--{}".format)
)
def test_any_text_is_an_address_that_httpx_takes_or_is_refused(text: str) -> None:
    try:
        url = http.base_url(text, "HEAP_URL")
    except UsageError:
        return
    http.is_this_machine(url)
    assert httpx.URL(url).host


def test_pauses_double_up_to_the_longest() -> None:
    assert [http.pause(attempt, 1, 5) for attempt in range(1, 6)] == [1, 2, 4, 5, 5]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 1.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 1.0),
        ("86400", 60.0),
        ("tomorrow", 60.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 1.0),
        ("soon", 1.0),
        ("-5", 1.0),
        ("7.5", 1.0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_whoever_says_how_long_to_wait_is_waited_for(
    status: int, header: str | None, seconds: float
) -> None:
    if header == "tomorrow":
        header = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)
    headers = {} if header is None else {"Retry-After": header}
    answers = [httpx.Response(status, headers=headers), httpx.Response(200)]
    waited: list[float] = []
    answer = http.patiently(lambda: answers.pop(0), waited.append)
    assert answer is not None
    assert answer.status_code == 200
    assert waited == [seconds]


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
        if re.search(
            r"httpx\.((Async)?Client|request|get|post)\(|RESTClient|requests\.|^ATTEMPTS = ",
            path.read_text(),
            re.M,
        )
    ]
    assert own == ["pipelines/http.py"]


def test_a_header_that_nobody_can_read_is_none(url: str) -> None:
    with http.Caller(url) as caller:
        answer = caller.ask("GET", "/strange")
    assert (answer.status_code, answer.content) == (200, b"{}")
    assert "Retry-After" not in answer.headers
    assert "Content-Type" not in answer.headers

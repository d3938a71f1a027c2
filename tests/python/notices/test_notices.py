"""What changed is told once, to a real receiver; a channel never gets in a run's way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import duckdb
import pytest
from network_guard import Guarded
from publisher_home import FAST, Home
from pydantic import SecretStr
from review_home import built_home, changed

from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.locks import hold
from pipelines.notices import notifying
from pipelines.road import publish_heap, write_checklist, write_review
from pipelines.sandbox import Sandbox
from pipelines.settings import PROJECT_DIR, Settings

TOKEN = "hook-token-of-the-brand"


class Receiver:
    """A channel on this machine: what it was told, and how it answers."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.status, self.pause = 200, 0.0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.told.append({"path": self.path, **json.loads(body)})
                time.sleep(receiver.pause)
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *said: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        return f"json://brand:{TOKEN}@127.0.0.1:{self.server.server_port}/{TOKEN}"

    def last(self) -> str:
        return f"{self.told[-1]['title']}\n{self.told[-1]['message']}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    thread = Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


@pytest.fixture
def brand(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, receiver: Receiver
) -> Callable[..., Settings]:
    """A copy of the built brand, changed by statements; its channel is the receiver."""

    def make(*statements: str) -> Settings:
        settings = changed(built_home(tmp_path_factory), tmp_path / "brand", *statements)
        return told_to(settings, receiver.address)

    return make


def told_to(settings: Settings, address: str) -> Settings:
    return settings.model_copy(update={"notify": SecretStr(address)})


def run(settings: Settings, *, seconds: float = 30.0) -> Console:
    """The end of a run: page and checklist."""
    console = Console(as_json=True)
    with notifying(settings, console, seconds=seconds):
        console.record(load={}, build={}, plan={})
        write_review(settings, console)
        write_checklist(settings, console, strict=False)
    return console


def change(settings: Settings, *statements: str) -> None:
    with duckdb.connect(str(settings.warehouse_path)) as warehouse:
        for statement in statements:
            warehouse.execute(statement)


def identifiers(settings: Settings) -> set[str]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as warehouse:
        rows = warehouse.execute("select identifier from marts.map_identifiers").fetchall()
    return {str(row[0]) for row in rows}


def test_what_changed_is_told_once(brand: Callable[..., Settings], receiver: Receiver) -> None:
    """Told: all the first time, nothing when nothing changed, then exactly the change."""
    settings = brand()
    assert run(settings).result["is_notified"] is True
    assert "- cart_recovery, treatment: too few people yet, " in receiver.last()
    assert run(settings).result["is_notified"] is False
    assert len(receiver.told) == 1
    change(
        settings,
        "update marts.fct_lift set status = 'invalid', lift = null, lift_low = null, "
        "lift_high = null where experiment_key = 'cart_recovery'",
        "update marts.fct_checklist set verdict = 'fail' where line = 'freshness'",
    )
    assert run(settings).result["is_notified"] is True
    title, *lines = receiver.last().splitlines()
    assert title == "Counterfoil: 1 verdict changed, 1 line broke"
    assert lines[1].startswith(
        "- cart_recovery, treatment: do not read, no lift is shown (was: too "
    )
    assert lines[2:4] == ["Checklist lines that fail since:", "- Sources are fresh"]
    change(settings, "update marts.fct_checklist set verdict = 'ok' where line = 'freshness'")
    run(settings)
    assert "Checklist lines that are met again:\n- Sources are fresh" in receiver.last()
    assert len(receiver.told) == 3


def test_nobody_is_named(brand: Callable[..., Settings], receiver: Receiver) -> None:
    """Not by a message, and not by what is kept of it, whatever the texts of the brand hold."""
    settings = brand(
        "update marts.fct_review_journeys set journey_name = 'ann@example.com'",
        "update marts.fct_checklist set measured = 'ann@example.com', sentence = 'ann@example.com'",
    )
    run(settings)
    kept = (settings.home / "notice.json").read_text()
    said = receiver.last() + kept
    assert "@" not in said
    assert not {name for name in identifiers(settings) if len(name) > 4 and name in said}
    assert TOKEN not in kept
    assert (settings.home / "notice.json").stat().st_mode & 0o077 == 0


def test_what_was_sent_and_where_it_stopped(
    tmp_path: Path, heap: Sandbox, receiver: Receiver
) -> None:
    """A real publish, then a page that cannot be written: the count and the step, no error."""
    home = Home(tmp_path / "home", heap.url)
    home.sent(7)
    settings = told_to(home.settings, receiver.address)
    console = Console(as_json=True)
    console.record(load={}, build={})
    publish_heap(settings, console, limits=FAST)
    with pytest.raises(CounterfoilError), notifying(settings, console):
        write_review(settings, console)
    title, *lines = receiver.last().splitlines()
    assert title == "Counterfoil: the run failed"
    assert lines[0] == ("The run failed: it stopped while writing the page. Its log says why.")
    assert lines[-1].startswith("Sent to Heap: 7 events, ")
    assert str(tmp_path) not in receiver.last()


def test_a_failure_is_told_once_and_its_end(
    brand: Callable[..., Settings], receiver: Receiver
) -> None:
    settings = brand()
    run(settings)
    for _ in range(2):
        console = Console(as_json=True)
        with pytest.raises(UsageError, match="secret-folder"), notifying(settings, console):
            raise UsageError("secret-folder/ann@example.com is not there.")
    assert len(receiver.told) == 2
    assert receiver.last() == (
        "Counterfoil: the run failed\n"
        "The run failed: it stopped while loading. Its log says why.\n"
        f"Lines that fail as before: {count_failing(settings)}."
    )
    run(settings)
    assert receiver.last().startswith("Counterfoil: the run works again\nThe run works again.\n")


def count_failing(settings: Settings) -> int:
    return len(json.loads((settings.home / "notice.json").read_text())["failing"])


def test_a_run_that_finds_another_at_work_tells_nothing(
    brand: Callable[..., Settings], receiver: Receiver
) -> None:
    settings = brand()
    console, held = Console(as_json=True), hold(settings.home, "warehouse", "build")
    with held, pytest.raises(CounterfoilError, match="in use by"), notifying(settings, console):
        hold(settings.home, "warehouse", "load").__enter__()
    assert receiver.told == []


def refusing(receiver: Receiver) -> str:
    receiver.status = 500
    return receiver.address


def hanging(receiver: Receiver) -> str:
    receiver.pause = 30
    return receiver.address


def away(receiver: Receiver) -> str:
    return f"json://brand:{TOKEN}@127.0.0.1:1/{TOKEN}"


def unreadable(receiver: Receiver) -> str:
    return f"no-such-service://{TOKEN}"


@pytest.mark.parametrize(
    ("channel", "says"),
    [
        (refusing, "it refused the message, or cannot be reached"),
        (hanging, "it did not answer within 3 seconds"),
        (away, "it refused the message, or cannot be reached"),
        (unreadable, "COUNTERFOIL_NOTIFY is no address of a channel"),
    ],
)
def test_a_channel_that_fails_fails_no_run(
    settings: Settings,
    receiver: Receiver,
    channel: Callable[[Receiver], Any],
    says: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """One sentence without the address, the run's own end, and what was to be told is kept open."""
    told = told_to(settings, channel(receiver))
    began = time.monotonic()
    with pytest.raises(UsageError, match="not there"), notifying(told, Console(), seconds=3):
        raise UsageError("The export is not there.")
    assert time.monotonic() - began < 10
    said = "".join(capfd.readouterr())
    assert says in said
    assert said.count("\n") == 1
    assert TOKEN not in said
    assert not (settings.home / "notice.json").exists()


def test_the_address_is_on_no_command_line(
    settings: Settings, receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    """While it is told, no process shows the address to whoever lists them."""
    receiver.pause = 3
    seen: list[str] = []

    def look() -> None:
        while not receiver.told:
            time.sleep(0.05)
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.append(entry.read_bytes().decode(errors="replace"))
            except OSError:
                continue

    looking = Thread(target=look)
    looking.start()
    with pytest.raises(UsageError), notifying(told_to(settings, receiver.address), Console()):
        raise UsageError("The export is not there.")
    looking.join()
    assert any("pipelines.notices.delivery" in line for line in seen)
    assert not [line for line in seen if TOKEN in line]


def test_the_command_tells_and_only_where_it_is_asked(tmp_path: Path, receiver: Receiver) -> None:
    """`run` ends the same with and without a channel; without one it reaches nobody."""
    guard = Guarded(tmp_path / "guard")
    asked = ["-m", "cli", "run", str(tmp_path / "nowhere")]
    bare = guard.run(*asked, COUNTERFOIL_HOME=str(tmp_path / "home"))
    assert bare.returncode == 2
    assert guard.reached() == []
    assert receiver.told == []
    told = subprocess.run(
        [sys.executable, *asked],
        cwd=PROJECT_DIR,
        env=os.environ
        | {"COUNTERFOIL_HOME": str(tmp_path / "home"), "COUNTERFOIL_NOTIFY": receiver.address},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 2
    assert told.stderr == bare.stderr
    assert "stopped while loading" in receiver.last()
    assert str(tmp_path) not in receiver.last()

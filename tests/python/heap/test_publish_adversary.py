"""Publishing to somebody who wants to hold us, mislead us, or take our rows one by one."""

from __future__ import annotations

import asyncio
import html
import inspect
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from adversary import Answer, adversary, drip, flood, hold
from hypothesis import given
from hypothesis import strategies as st
from publisher_home import FAST, OPEN, Home
from pydantic import SecretStr
from small_disk import fill, room

from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.heap.bounds import Bounds
from pipelines.heap.client import parse_retry_after
from pipelines.heap.deadletters import retry_dead_letters
from pipelines.heap.planning import make_plan
from pipelines.heap.publish import publish
from pipelines.heap.refusals import scrub
from pipelines.heap.sender import Piece, Row, halves
from pipelines.sandbox import Fault, running_sandbox
from pipelines.settings import Settings

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
OK = HEAD + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}"


def refusal(text: str) -> bytes:
    """Heap's answer to a call with a bad row."""
    head = f"HTTP/1.1 400 Bad Request\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
    return (head + text).encode()


HOLDERS: dict[str, Answer] = {
    "nothing": lambda _: hold(),
    "a header, drop by drop": lambda _: drip(b"x", before=HEAD + b"X-Name: "),
    "a body, drop by drop": lambda _: drip(b" ", before=HEAD + b"Content-Length: 900000\r\n\r\n"),
    "100 without end": lambda _: flood(b"HTTP/1.1 100 Continue\r\n\r\n" * 50),
}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.sent(30)
    return home


def asking(home: Home, url: str) -> Home:
    home.settings.__dict__["heap_url"] = url
    return home


ENDED = 30.0
"""Seconds, of any machine: without the time box these answers last for ever, or a minute."""


def test_a_time_box_holds_whatever_the_other_side_does(home: Home) -> None:
    patient = replace(FAST, timeout_seconds=60)
    for name, answer in HOLDERS.items():
        with adversary(answer) as url:
            started = time.monotonic()
            with pytest.raises(CounterfoilError, match=r"does not answer \(no answer in time\)"):
                publish(
                    asking(home, url).settings, home.console, max_minutes=0.3 / 60, limits=patient
                )
        assert time.monotonic() - started < ENDED, name
        told = home.console.result["publish"]
        assert (told["status"], told["count_left"]) == ("resumes", 30), name
    assert home.ledger("select count(*) from receipts") == [(0,)]
    # Heap may have what was asked: it is said again under the same keys
    assert home.ledger("select count(distinct publish_key) from intents") == [(10,)]
    with running_sandbox(limits=OPEN) as heap:
        publish(asking(home, heap.url).settings, home.console, limits=FAST)
        assert len(heap.store().events) == 30
    assert home.ledger("select count(*) from intents") == [(0,)]


def test_a_time_box_also_ends_a_run_between_narrowed_calls(home: Home) -> None:
    """Each answer comes in time, and there is always one more call to make."""

    async def refuse(_: bytes) -> AsyncIterator[bytes]:
        await asyncio.sleep(0.1)
        yield refusal("no")

    home.sent(200, start=30)
    with adversary(refuse) as url:
        started = time.monotonic()
        summary = publish(
            asking(home, url).settings, home.console, max_minutes=0.5 / 60, limits=FAST
        )
        assert time.monotonic() - started < ENDED
    assert summary.status == "resumes"


async def nobody(_: bytes) -> AsyncIterator[bytes]:
    """Takes the call, and breaks the connection without a word."""
    nothing: tuple[bytes, ...] = ()
    for part in nothing:
        yield part


async def down(_: bytes) -> AsyncIterator[bytes]:
    yield b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "said"), [(nobody, "RemoteProtocolError"), (down, "status 503")]
)
def test_a_time_box_in_which_nobody_answered_is_no_success(
    home: Home, answer: Answer, said: str
) -> None:
    endless = replace(FAST, attempts=10_000)
    with (
        adversary(answer) as url,
        pytest.raises(CounterfoilError, match=f"Heap does not answer .{said}"),
    ):
        publish(asking(home, url).settings, home.console, max_minutes=0.3 / 60, limits=endless)
    assert home.ledger("select count(*) from receipts") == [(0,)]


@pytest.mark.parametrize("minutes", [float("nan"), float("inf"), 0.0, -1.0])
def test_a_time_box_of_no_time_is_refused(settings: Settings, minutes: float) -> None:
    with pytest.raises(UsageError, match="give --max-minutes a number above 0"):
        publish(settings, Console(as_json=True), max_minutes=minutes)


ECHOES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "as a JSON string": json.dumps,
    "as a string in a string": lambda text: json.dumps(json.dumps(text)),
    "as an address": quote,
    "in HTML": html.escape,
}


@pytest.mark.parametrize("form", ECHOES)
@given(
    told=st.lists(
        st.from_regex(r"[A-Za-z0-9._%+-]{3,20}@?[A-Za-z0-9]{1,10}", fullmatch=True), min_size=1
    ),
    said=st.sampled_from(["identity is too long", "unknown field", "must be a string"]),
)
def test_of_what_was_told_no_refusal_repeats_anything(
    form: str, told: list[str], said: str
) -> None:
    body = json.dumps({"error": said, "call": {"identity": told, "app_id": told[0]}})
    shown = scrub(ECHOES[form](body), told).casefold()
    assert not [value for value in told if value.casefold() in shown]
    assert scrub(said, ["ann@example.com"]) == said


def test_a_refusal_that_repeats_the_call_shows_nobody(home: Home) -> None:
    async def repeat(asked: bytes) -> AsyncIterator[bytes]:
        body = asked.partition(b"\r\n\r\n")[2].decode("utf-8", "replace")
        yield refusal(json.dumps({"error": f"bad: {json.dumps(body)}"}))

    with adversary(repeat) as url, pytest.raises(CounterfoilError) as refused:
        publish(asking(home, url).settings, home.console, limits=FAST)
    assert "Heap refuses every row (status 400" in str(refused.value)
    told = [identity for (identity,) in home.ledger("select distinct heap_identity from intents")]
    assert not [value for value in [*told, "1234567"] if value and value in str(refused.value)]


def test_a_time_box_of_garbage_alone_fails_and_says_what_came(home: Home) -> None:
    page = HEAD + b"Content-Length: 12\r\nConnection: close\r\n\r\n<html/><html"
    slow = replace(FAST, backoff_seconds=0.2, longest_backoff_seconds=0.2)
    with (
        adversary(lambda _: hold(page)) as url,
        pytest.raises(CounterfoilError, match="not Heap as documented"),
    ):
        publish(asking(home, url).settings, home.console, max_minutes=0.3 / 60, limits=slow)
    assert home.ledger("select count(*) from receipts") == [(0,)]


def test_whoever_never_answers_counts_as_down(home: Home) -> None:
    with adversary(HOLDERS["a body, drop by drop"]) as url:
        hasty = replace(FAST, timeout_seconds=0.1, attempts=2)
        with pytest.raises(CounterfoilError, match="does not answer \\(no answer in time\\)"):
            publish(asking(home, url).settings, home.console, limits=hasty)
    assert home.ledger("select count(*) from intents") == [(10,)]


# -- bad rows, one at a time ----------------------------------------------------------------------


class Picky:
    """Refuses every call that holds a bad row, and names of them as many as it is asked to."""

    def __init__(self, bad: set[int], named: int, spoken: str = "events[{n}] is wrong") -> None:
        self.bad, self.named, self.spoken = bad, named, spoken
        self.calls: list[int] = []
        self.taken: list[str] = []

    async def answer(self, request: bytes) -> AsyncIterator[bytes]:
        """Heap's answer to a call of events."""
        events = json.loads(request.partition(b"\r\n\r\n")[2])["events"]
        keys = [event["idempotency_key"] for event in events]
        self.calls.append(len(keys))
        wrong = [n for n, key in enumerate(keys) if int(key.removeprefix("sent-")) in self.bad]
        if not wrong:
            self.taken += keys
            yield OK
        else:
            yield refusal(" ".join(self.spoken.format(n=n) for n in wrong[: self.named]) or "no")


def halving(rows: list[bool]) -> int:
    """How many calls it takes to find the bad ones of these rows by halving."""
    if not any(rows) or len(rows) == 1:
        return 1
    middle = len(rows) // 2
    return 1 + halving(rows[:middle]) + halving(rows[middle:])


def everything_goes(home: Home) -> None:
    home.sql("update heap.heap_budget set most = 100 where budget = 'refused rows in a hundred'")


def test_bad_rows_named_one_by_one_are_dead_letters_without_recursion(home: Home) -> None:
    """Nor do they cost more rows than halving: Heap counts rows, and allows so many a minute."""
    everything_goes(home)
    home.sent(50, start=30)
    picky = Picky(set(range(10, 80)), named=1)
    most = sys.getrecursionlimit()
    with adversary(picky.answer) as url:
        sys.setrecursionlimit(len(inspect.stack(0)) + 120)
        try:
            summary = publish(asking(home, url).settings, home.console, limits=FAST)
        finally:
            sys.setrecursionlimit(most)
    assert summary.count_dead_letters == 70
    assert sorted(picky.taken) == [f"sent-{n:09}" for n in range(10)]
    assert len(picky.calls) <= 1 + halving([True] * 70)
    assert sum(picky.calls) <= 10 + 8 * 70
    buried = home.ledger("select publish_key, attempts from dead_letters order by publish_key")
    assert buried == [(f"sent-{n:09}", 1) for n in range(10, 80)]


@pytest.mark.parametrize("spoken", ["users[0] is wrong", "prevents[0]", "events[99] of {n}"])
def test_what_names_no_row_of_the_call_buries_none(home: Home, spoken: str) -> None:
    picky = Picky({7}, named=1, spoken=spoken)
    with adversary(picky.answer) as url:
        publish(asking(home, url).settings, home.console, limits=FAST)
    assert home.ledger("select publish_key from dead_letters") == [("sent-000000007",)]
    assert len(picky.taken) == 29


@given(
    bad=st.lists(st.booleans(), min_size=1, max_size=300),
    named=st.integers(0, 300),
    is_fickle=st.booleans(),
)
def test_bad_rows_are_found_with_no_more_calls_than_halving(
    bad: list[bool], named: int, is_fickle: bool
) -> None:
    """Whether Heap names none of them, some, all, or now these and now those."""
    rows = [Row(b"", str(n), "", None, ()) for n in range(len(bad))]
    waiting, count_calls = [Piece(rows)], 0
    found: list[Row] = []
    taken: list[Row] = []
    while waiting:
        piece = waiting.pop()
        count_calls += 1
        wrong = [n for n, row in enumerate(piece.rows) if bad[int(row.key)]]
        names = wrong[: named if not is_fickle or count_calls % 2 else 0]
        if not wrong:
            taken += piece.rows
        elif len(piece.rows) == 1:
            found += piece.rows
        else:
            found += [piece.rows[n] for n in names]
            waiting += halves([r for n, r in enumerate(piece.rows) if n not in names], None)
    assert sorted(int(row.key) for row in found) == [n for n, is_bad in enumerate(bad) if is_bad]
    assert len(found) + len(taken) == len(bad)
    assert count_calls <= halving(bad)


@pytest.mark.parametrize("named", [0, 1000], ids=["unnamed", "all at once"])
def test_a_heap_that_refuses_everything_stops_the_run(home: Home, named: int) -> None:
    home.sql("update heap.heap_budget set most = 12 where budget = 'refused rows of a small run'")
    home.sent(180, start=30)
    picky = Picky(set(range(10, 210)), named)
    with adversary(picky.answer) as url:
        with pytest.raises(
            CounterfoilError, match="refuses too much: 13 of the 23 rows"
        ) as stopped:
            publish(asking(home, url).settings, home.console, limits=FAST)
        assert "heap_refused_percent" in str(stopped.value)
        assert home.ledger("select count(*) from dead_letters") == [(13,)]
        assert len(picky.calls) < 40
        picky.bad = set()
        # what was not refused goes out once Heap takes rows again
        assert publish(home.settings, home.console, limits=FAST).count_events == 200 - 13
        retry_dead_letters(home.settings, home.console, limits=FAST)
    assert len(set(picky.taken)) == len(picky.taken) == 210


def test_dead_letters_that_are_refused_again_do_not_stop_the_others(home: Home) -> None:
    home.sql("update heap.heap_budget set most = 2 where budget = 'refused rows of a small run'")
    everything_goes(home)
    picky = Picky(set(range(5, 30)), named=1)
    with adversary(picky.answer) as url:
        publish(asking(home, url).settings, home.console, limits=FAST)
        home.sql("update heap.heap_budget set most = 10 where budget = 'refused rows in a hundred'")
        picky.bad = set(range(5, 29))
        summary = retry_dead_letters(home.settings, home.console, limits=FAST)
    assert (summary.count_dead_letters, summary.count_events) == (24, 1)


@pytest.mark.parametrize(
    ("refused", "answered", "is_too_much"),
    [(0, 0, False), (50, 50, False), (51, 51, True), (51, 510, False), (52, 519, True)],
)
def test_both_sides_of_the_bound(refused: int, answered: int, is_too_much: bool) -> None:
    assert Bounds(3, 10, 50).are_passed(refused, answered) == is_too_much


def test_a_build_that_declares_no_bounds_is_refused(home: Home) -> None:
    home.sql("delete from heap.heap_budget where budget like 'refused%'")
    with pytest.raises(CounterfoilError, match="does not say how many uncertain answers"):
        make_plan(home.settings, home.console, limits=FAST)


def test_a_heap_that_goes_down_buries_no_row(home: Home) -> None:
    """Not even a small rest of rows, which is narrowed to single ones before eight calls failed."""
    with running_sandbox(limits=OPEN) as heap:
        heap.inject(Fault("error", times=1000, skip=1))
        with pytest.raises(CounterfoilError, match="does not answer"):
            publish(asking(home, heap.url).settings, home.console, limits=FAST)
    assert home.ledger("select count(*) from dead_letters") == [(0,)]


# -- when to come back ----------------------------------------------------------------------------

NOW = datetime(2026, 3, 1)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0), (" 7 ", 7.0), ("0", 0.0), (None, None), ("", None), ("-5", None),
        ("1.5", None),
        ("1e9", None), ("²", None), ("٣", None), ("inf", None), ("nan", None), ("9" * 400, None),
        ("soon", None), ("1 1 1 1 1 1", None), ("Sun, 99 Foo 2026", None),
        ("Sun, 01 Mar 2026 00:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 02:00:30 +0200", 30.0),
        ("Sat, 28 Feb 2026 00:00:00 GMT", 0.0), ("Fri, 31 Dec 9999 23:59:59 -2359", None),
    ],
)  # fmt: skip
def test_an_odd_retry_after_asks_for_nothing(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header, NOW) == seconds


@given(
    st.text()
    | st.from_regex(r"\A[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,5} \d\d:\d\d:\d\d [+-]?\w{1,5}\Z")
)
def test_any_retry_after_is_read_or_left(header: str) -> None:
    seconds = parse_retry_after(header, NOW)
    assert seconds is None or 0 <= seconds < 1e12


# -- who is asked, what is written ----------------------------------------------------------------


def test_a_host_that_only_begins_like_this_machine_is_not_local(home: Home) -> None:
    plan = make_plan(asking(home, "http://127.evil.example").settings, home.console, limits=FAST)
    assert "local Heap" not in plan.target_label
    assert (
        "local Heap"
        in make_plan(
            asking(home, "http://127.0.0.1:1").settings, home.console, limits=FAST
        ).target_label
    )


def test_a_plan_made_for_nobody_goes_to_the_first_who_is_asked_and_to_nobody_else(
    home: Home, tmp_path: Path
) -> None:
    """Be it another app, another region, or the real Heap after a rehearsal."""
    home.settings.__dict__["heap_app_id"] = None
    plan = make_plan(home.settings, home.console, out=tmp_path / "plan.jsonl", limits=FAST)
    assert plan.path is not None
    with running_sandbox(limits=OPEN) as heap, running_sandbox(limits=OPEN) as other:
        first = asking(home, heap.url).settings.model_copy(update={"heap_app_id": SecretStr("111")})
        heap.inject(Fault("error", times=1000, skip=1))
        with pytest.raises(CounterfoilError, match="does not answer"):
            publish(first, home.console, plan.path, limits=FAST)
        changes: list[dict[str, object]] = [
            {"heap_app_id": SecretStr("222"), "heap_url": other.url},
            {"heap_region": "us", "heap_url": other.url},
            {"heap_url": "http://heap.invalid"},
        ]
        for change in changes:
            with pytest.raises(CounterfoilError, match="made for another Heap environment"):
                publish(first.model_copy(update=change), home.console, plan.path, limits=FAST)
        assert other.calls == []
        with heap.state.lock:
            heap.state.faults.clear()
        assert publish(first, home.console, plan.path, limits=FAST).status == "published"
        assert len(heap.store().events) == 30
        with pytest.raises(CounterfoilError, match="made for another Heap environment"):
            publish(
                first.model_copy(update={"heap_app_id": SecretStr("222")}),
                home.console, plan.path, limits=FAST,
            )  # fmt: skip


def test_a_plan_overwrites_nothing_but_a_plan(home: Home, tmp_path: Path) -> None:
    file, folder, pipe = tmp_path / "file", tmp_path / "folder", tmp_path / "pipe"
    file.write_text('{"counterfoil_plan": "of the user"}\n')
    folder.mkdir()
    os.mkfifo(pipe)
    for out in (file, folder, pipe, file / "below"):
        with pytest.raises(CounterfoilError, match=r"name (a|another) file with --out"):
            make_plan(home.settings, home.console, out=out, limits=FAST)
    assert file.read_text() == '{"counterfoil_plan": "of the user"}\n'
    assert pipe.is_fifo()


def test_a_plan_may_take_the_place_of_a_plan(home: Home, tmp_path: Path) -> None:
    beside = tmp_path / "plan.jsonl.partial"
    beside.write_text("of the user")
    with running_sandbox(limits=OPEN) as heap:
        asking(home, heap.url)
        plans = [
            make_plan(home.settings, home.console, out=tmp_path / "plan.jsonl", limits=FAST)
            for _ in range(2)
        ]
        sent = publish(home.settings, home.console, plans[1].path, limits=FAST)
    assert (sent.plan_id, sent.count_events) == (plans[1].plan_id, 30)
    assert beside.read_text() == "of the user"


def test_a_full_disk_makes_no_plan_and_says_so(home: Home) -> None:
    home.sent(1000, start=30)
    make_plan(home.settings, home.console, limits=FAST)  # the ledger is there
    before = sorted(path.name for path in home.settings.plans_dir.iterdir())
    for count_bytes in (0, 4096, 100_000):
        with room(count_bytes), pytest.raises(CounterfoilError, match=r"is full|cannot be written"):
            make_plan(home.settings, home.console, limits=FAST)
        assert sorted(path.name for path in home.settings.plans_dir.iterdir()) == before
    assert make_plan(home.settings, home.console, limits=FAST).count_events == 1030


@pytest.mark.parametrize("at", [1, 3])
def test_a_disk_that_fills_up_while_publishing_loses_and_doubles_nothing(
    home: Home, at: int
) -> None:
    home.sent(3000, start=30)
    picky = Picky(set(), named=0)

    async def fill_up(request: bytes) -> AsyncIterator[bytes]:
        if len(picky.calls) + 1 == at:
            fill()
        async for piece in picky.answer(request):
            yield piece

    with adversary(fill_up) as url, room(1 << 30), pytest.raises(CounterfoilError, match="is full"):
        publish(asking(home, url).settings, home.console, limits=FAST)
    with adversary(picky.answer) as url:
        publish(asking(home, url).settings, home.console, limits=FAST)
    assert len(set(picky.taken)) == 3030
    assert home.ledger("select count(*), count(distinct publish_key) from receipts") == [
        (3030, 3030)
    ]
    assert home.ledger("select count(*) from intents") == [(0,)]

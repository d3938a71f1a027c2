"""Publishing while Heap misbehaves: nothing lost, nothing doubled, one bad row blocks nobody."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from conftest import PROVE
from hypothesis import example, given
from hypothesis import strategies as st
from publisher_home import FAST, Home
from terminal import on_a_terminal, piped, rows_of

from pipelines import locks
from pipelines.errors import CounterfoilError
from pipelines.heap.client import is_receipt
from pipelines.heap.deadletters import list_dead_letters, retry_dead_letters
from pipelines.heap.ledger import Ledger
from pipelines.heap.limits import Limits
from pipelines.heap.planning import make_plan
from pipelines.heap.publish import publish
from pipelines.sandbox import Fault, Sandbox


@pytest.fixture
def home(tmp_path: Path, heap: Sandbox) -> Home:
    home = Home(tmp_path / "home", heap.url)
    home.sent(1200)
    home.users(5)
    return home


def complete(home: Home, heap: Sandbox) -> None:
    """Heap holds exactly what the marts hold, and the ledger knows."""
    store = heap.store()
    assert len(store.events) == 1200
    assert len(store.users) == 7
    assert home.ledger("select count(*), count(distinct publish_key) from receipts") == [
        (1200, 1200)
    ]
    assert home.ledger("select count(*) from intents") == [(0,)]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("error", times=3),
        Fault("error", times=3, status=503, skip=1),
        Fault("error_after", times=2, skip=1),
        Fault("reset", times=3),
        Fault("commit_then_reset", times=2, skip=1),
        Fault("throttle", times=5),
        Fault("throttle", times=2, retry_after="0"),
        Fault("slow", times=2, seconds=0.05),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}-{fault.skip}",
)
def test_a_passing_fault_loses_and_doubles_nothing(home: Home, heap: Sandbox, fault: Fault) -> None:
    heap.inject(fault)
    assert publish(home.settings, home.console, limits=FAST).status == "published"
    complete(home, heap)
    calls = len(heap.calls)
    assert publish(home.settings, home.console, limits=FAST).count_calls == 0
    assert len(heap.calls) == calls


PASSING = ("error", "error_after", "reset", "commit_then_reset", "throttle")


def test_any_faults_in_any_order_lose_and_double_nothing(
    home: Home, heap: Sandbox, note: Callable[[str, int], None]
) -> None:
    """Each run meets some of them and may give up; the next one goes on under the same keys."""
    chance = random.Random(11)
    most, count = 500 if PROVE else 12, 0
    while count < most:
        faults = [
            Fault(chance.choice(PASSING), times=chance.randint(1, 3), skip=chance.randint(0, 1))
            for _ in range(chance.randint(1, 5))
        ]
        count += sum(fault.times for fault in faults)
        for fault in faults:
            heap.inject(fault)
        for _ in range(40):
            try:
                status = publish(home.settings, home.console, limits=FAST).status
            except CounterfoilError:
                continue
            if status != "resumes":
                break
        complete(home, heap)
        assert home.ledger("select count(*) from dead_letters") == [(0,)]
        home.settings.ledger_path.unlink()  # the next round starts from nothing told
        with heap.state.lock:
            heap.state.stores.clear()
            count -= sum(fault.times for fault in heap.state.faults)  # those that nobody met
            heap.state.faults.clear()
    note("faults of Heap", count)


def test_an_answer_that_comes_too_late_is_asked_for_again(home: Home, heap: Sandbox) -> None:
    heap.inject(Fault("commit_then_timeout", times=1, skip=1, seconds=1.0))
    limits = Limits(**{**FAST.__dict__, "timeout_seconds": 0.3})
    publish(home.settings, home.console, limits=limits)
    complete(home, heap)
    assert heap.store().count_repeats > 0


def test_heap_down_stops_with_a_sentence_and_resumes(home: Home, heap: Sandbox) -> None:
    heap.inject(Fault("error", times=1000, skip=1))
    with pytest.raises(CounterfoilError, match="does not answer"):
        publish(home.settings, home.console, limits=FAST)
    assert home.ledger("select count(*) from receipts") == [(10,)]
    assert home.ledger("select count(*) from dead_letters") == [(0,)]
    with heap.state.lock:
        heap.state.faults.clear()
    publish(home.settings, home.console, limits=FAST)
    complete(home, heap)


def test_nobody_listening_stops_with_a_sentence(home: Home) -> None:
    home.settings.__dict__["heap_url"] = "http://127.0.0.1:9"
    with pytest.raises(CounterfoilError, match="does not answer"):
        publish(home.settings, home.console, limits=FAST)


@pytest.mark.parametrize("status", [401, 403, 404, 302])
def test_an_answer_about_us_stops_at_once(home: Home, heap: Sandbox, status: int) -> None:
    heap.inject(Fault("error", times=99, status=status))
    with pytest.raises(CounterfoilError, match=f"status {status}"):
        publish(home.settings, home.console, limits=FAST)
    assert home.ledger("select count(*) from dead_letters") == [(0,)]


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        (400, "postBody.{listed}[N].properties.x should be string,number", "type"),
        (400, "postBody.{listed}[N].identity is not allowed", "identity"),
        (400, "Bad Request", "refused"),
        (413, "request entity too large", "size"),
        (500, "Internal Server Error", "transport"),
    ],
    ids=["indexed type", "indexed identity", "unnamed", "too large", "breaks Heap"],
)
def test_poison_rows_go_to_dead_letters_and_the_rest_goes_through(
    home: Home, heap: Sandbox, status: int, text: str, reason: str
) -> None:
    for match in ("sent-000000003", "sent-000000700", "sent-000000701"):
        heap.inject(Fault("poison", status=status, match=match, text=text))
    summary = publish(home.settings, home.console, limits=FAST)
    assert summary.dead_letter_reasons == {reason: 3}
    assert len(heap.store().events) == 1197
    letters = home.ledger(
        "select publish_key, kind, reason, status, attempts from dead_letters order by publish_key"
    )
    assert letters == [
        (f"sent-000000{n}", "event", reason, "open", 1) for n in ("003", "700", "701")
    ]
    assert make_plan(home.settings, home.console, limits=FAST).dead_letters_waiting == 3
    calls = len(heap.calls)
    assert publish(home.settings, home.console, limits=FAST).count_calls == 0
    assert len(heap.calls) == calls


def test_replay_sends_only_failures_and_only_once(home: Home, heap: Sandbox) -> None:
    heap.inject(Fault("poison", status=400, match="sent-000000003"))
    heap.inject(Fault("poison", status=400, match='shopper4@shop.example","properties":{"cio'))
    publish(home.settings, home.console, limits=FAST)
    assert home.ledger("select count(*) from dead_letters where status = 'open'") == [(2,)]
    before = len(heap.calls)
    retry_dead_letters(home.settings, home.console, limits=FAST)
    assert home.ledger("select distinct attempts, status from dead_letters") == [(2, "open")]
    assert [call.count_rows for call in heap.calls[before:]] == [1, 1]
    with heap.state.lock:
        heap.state.faults.clear()
    before = len(heap.calls)
    retry_dead_letters(home.settings, home.console, limits=FAST)
    assert [call.count_rows for call in heap.calls[before:]] == [1, 1]
    assert home.ledger("select distinct attempts, status from dead_letters") == [(2, "resolved")]
    complete(home, heap)
    assert retry_dead_letters(home.settings, home.console, limits=FAST).count_calls == 0
    text = str(list_dead_letters(home.settings, home.console))
    assert "shopper" not in text


def test_dead_letters_are_told_by_reason_on_a_terminal(home: Home) -> None:
    """What waits first, each reason once with its rows; where programs read, a line a letter."""
    with Ledger(home.settings) as ledger:
        for number, (status, message) in enumerate(
            [("resolved", "no such user"), ("open", "bad app"), *[("open", "too long")] * 3]
        ):
            ledger.db.execute(
                "insert into dead_letters (publish_key, kind, reason, status, attempts, event, "
                "last_seen_at, message) values ($1, 'event', 'refused', $2, $3, "
                "'cio_message_sent', timestamp '2026-03-01 10:00:00.123456', $4)",
                [f"k{number}", status, number + 1, message],
            )
    drawn = on_a_terminal("cli.py", "deadletters", "list", home=home.path, width=160)
    assert [" ".join(words) for words in rows_of(drawn)] == [
        "4 rows that Heap refused still wait: `counterfoil deadletters retry` says them again. "
        "Settled since: 1.",
        "rows of why Heap refused last tried",
        "waits 3 cio_message_sent refused: too long 2026-03-01 10:00 5 times",
        "waits 1 cio_message_sent refused: bad app 2026-03-01 10:00 2 times",
        "resolved 1 cio_message_sent refused: no such user 2026-03-01 10:00 1 time",
    ]
    lines = piped("cli.py", "deadletters", "list", home=home.path).splitlines()
    assert len(lines) == 6
    assert lines[0] == (
        "open     refused   k1 (cio_message_sent, 2 attempts, last 2026-03-01 10:00): bad app"
    )
    assert lines[-1] == "4 dead letters are open, 1 resolved"


def test_dead_letters_hold_no_personal_data(home: Home, heap: Sandbox) -> None:
    heap.inject(
        Fault(
            "poison", status=400, match="sent-000000003", text="no shopper3@shop.example 'Welcome'"
        )
    )
    publish(home.settings, home.console, limits=FAST)
    assert "shopper" not in str(home.ledger("select * from dead_letters"))


def test_every_row_refused_by_a_new_app_speaks_about_the_app(home: Home, heap: Sandbox) -> None:
    heap.inject(Fault("error", times=10_000, status=400))
    with pytest.raises(CounterfoilError, match="refuses every row"):
        publish(home.settings, home.console, limits=FAST)
    assert home.ledger("select count(*) from dead_letters") == [(0,)]


def test_the_first_call_is_a_canary_also_when_it_meets_poison(home: Home, heap: Sandbox) -> None:
    heap.inject(Fault("poison", status=400, match="sent-000000000"))
    summary = publish(home.settings, home.console, limits=FAST)
    assert heap.calls[0].count_rows == 10
    assert summary.count_dead_letters == 1
    assert len(heap.store().events) == 1199


def test_two_publishers_one_works_and_one_leaves(home: Home, heap: Sandbox) -> None:
    with (
        locks.hold(home.settings.home, "publisher", "publish"),
        pytest.raises(CounterfoilError, match="in use by `counterfoil publish`"),
    ):
        publish(home.settings, home.console, limits=FAST)
    assert heap.calls == []


def test_a_time_box_stops_and_the_next_run_resumes(home: Home, heap: Sandbox) -> None:
    heap.inject(Fault("slow", times=1, skip=1, seconds=0.7))
    first = publish(home.settings, home.console, max_minutes=0.5 / 60, limits=FAST)
    assert first.status == "resumes"
    assert first.count_left > 0
    second = publish(home.settings, home.console, limits=FAST)
    assert second.status == "published"
    complete(home, heap)


def test_an_identity_is_frozen_by_the_first_call_even_without_an_answer(
    home: Home, heap: Sandbox
) -> None:
    # Heap stored the call and we never heard of it; meanwhile a build moved everybody
    heap.inject(Fault("commit_then_reset", times=1000))
    with pytest.raises(CounterfoilError, match="does not answer"):
        publish(home.settings, home.console, limits=FAST)
    assert len(heap.store().events) == 10
    with heap.state.lock:
        heap.state.faults.clear()
    home.move()
    publish(home.settings, home.console, limits=FAST)
    frozen = home.ledger("select count(*) from receipts where heap_identity not like 'moved%'")
    assert frozen == [(10,)]
    assert len(heap.store().events) == 1200


def test_an_unconfirmed_true_is_taken_back(home: Home, heap: Sandbox) -> None:
    home.sql("delete from heap.heap_cio_message_sent")
    heap.inject(Fault("commit_then_reset", times=1000))
    with pytest.raises(CounterfoilError, match="does not answer"):
        publish(home.settings, home.console, limits=FAST)
    with heap.state.lock:
        heap.state.faults.clear()
    home.sql("delete from heap.heap_user_properties")
    publish(home.settings, home.console, limits=FAST)
    assert all('"cio_seg_cart_v1": "true"' not in p for _, p in heap.snapshot()["users"])
    assert home.ledger("select count(*) from intents where is_true") == [(0,)]


# -- answers that are not Heap's ------------------------------------------------------------------

SECRET = "sign in as ann@corp.example"
STRANGE: dict[str, dict[str, object]] = {
    "sign-in page": {
        "text": f"<!doctype html><title>{SECRET}</title>",
        "content_type": "text/html",
    },
    "error object": {"text": f'{{"error": "{SECRET}"}}', "content_type": "application/json"},
    "error beside ok": {"text": '{"ok": true, "err": null}', "content_type": "application/json"},
    "empty list": {"text": "[]", "content_type": "application/json"},
    "null": {"text": "null", "content_type": "application/json"},
    "cut short": {"text": "{", "content_type": "application/json"},
    "doubled": {"text": "{}{}", "content_type": "application/json"},
    "deep": {"text": "[" * 100_000, "content_type": "application/json"},
    "words": {"text": "OK"},
    "empty": {"text": ""},
    "blank": {"text": " \n"},
    "created": {"text": "{}", "status": 201, "content_type": "application/json"},
    "queued": {"text": "{}", "status": 202, "content_type": "application/json"},
    "no content": {"text": "", "status": 204},
    "undecodable": {"text": "{}", "encoding": "gzip"},
}


def strange(name: str, kind: str = "intercepted", **more: int) -> Fault:
    """A fault by the name of its answer; 200 unless the answer says another status."""
    facts = {"kind": kind, "status": 200, "times": 1000, **STRANGE[name], **more}
    return Fault(**facts)  # type: ignore[arg-type]


def calm(heap: Sandbox) -> None:
    with heap.state.lock:
        heap.state.faults.clear()


@pytest.mark.parametrize("kind", ["intercepted", "commit_then_intercepted"])
@pytest.mark.parametrize("name", STRANGE)
def test_an_answer_that_is_not_heaps_is_no_receipt(
    home: Home, heap: Sandbox, name: str, kind: str
) -> None:
    """Not even for the canary, and whether or not Heap heard the call behind it."""
    heap.inject(strange(name, kind))
    with pytest.raises(CounterfoilError, match="not Heap as documented") as stopped:
        publish(home.settings, home.console, limits=FAST)
    assert "HEAP_URL" in str(stopped.value)
    assert "sign in" not in str(stopped.value)
    for relation in ("receipts", "property_state", "property_changes", "dead_letters", "names"):
        assert home.ledger(f"select count(*) from {relation}") == [(0,)]
    # what the canary said is open: Heap may have it
    assert home.ledger("select count(*) from intents") == [(10,)]
    assert home.ledger("select distinct status from batches") == [("intended",)]
    calm(heap)
    home.move()
    publish(home.settings, home.console, limits=FAST)
    frozen = home.ledger("select count(*) from receipts where heap_identity not like 'moved%'")
    assert frozen == [(10,)]
    assert len(heap.store().events) == 1200
    assert heap.store().count_repeats == (30 if kind.startswith("commit") else 0)


def test_strange_answers_stop_a_run_under_way_after_so_many_in_a_row(
    home: Home, heap: Sandbox
) -> None:
    heap.inject(strange("sign-in page", skip=1))
    home.sql("update heap.heap_budget set most = 5 where budget = 'uncertain answers in a row'")
    with pytest.raises(CounterfoilError, match=r"status 200, a web page"):
        publish(home.settings, home.console, limits=FAST)
    with heap.state.lock:
        assert heap.state.faults[0].times == 1000 - 5
    assert home.ledger("select count(*) from receipts") == [(10,)]
    assert home.ledger("select count(*) from intents") == [(1000,)]
    calm(heap)
    publish(home.settings, home.console, limits=FAST)
    complete(home, heap)


def test_a_few_strange_answers_are_asked_past(home: Home, heap: Sandbox) -> None:
    heap.inject(strange("sign-in page", kind="commit_then_intercepted", times=2, skip=1))
    summary = publish(home.settings, home.console, limits=FAST)
    assert (summary.status, summary.count_uncertain) == ("published", 2)
    complete(home, heap)
    assert heap.store().count_repeats == 2000


def test_no_property_is_told_by_a_strange_answer(home: Home, heap: Sandbox) -> None:
    home.sql("delete from heap.heap_cio_message_sent")
    heap.inject(strange("no content"))
    with pytest.raises(CounterfoilError, match="status 204, empty"):
        publish(home.settings, home.console, limits=FAST)
    assert home.ledger("select count(*) from property_state") == [(0,)]
    assert home.ledger("select count(distinct heap_identity) from intents") == [(5,)]
    calm(heap)
    assert publish(home.settings, home.console, limits=FAST).count_users == 5


@pytest.mark.parametrize("before", ["refused", "unanswered"])
def test_a_strange_answer_buries_no_row(home: Home, heap: Sandbox, before: str) -> None:
    """Neither while narrowing to a refused row, nor mixed with answers that never came."""
    if before == "refused":
        heap.inject(Fault("poison", status=400, match="sent-000000700"))
        heap.inject(strange("error object", skip=2))
    else:
        heap.inject(strange("error object", times=1, skip=1))
        heap.inject(Fault("error", times=1000, status=500))
    with pytest.raises(CounterfoilError, match="not Heap as documented"):
        publish(home.settings, home.console, limits=FAST)
    assert home.ledger("select count(*) from dead_letters") == [(0,)]


@example(body=b"{}", status=200)
@example(body=b" { }\n", status=200)
@example(body=b"{}", status=204)
@example(body=b"\xef\xbb\xbf{}", status=200)
@example(body="{}".encode("utf-16"), status=200)
@given(body=st.binary(max_size=50), status=st.integers(200, 299))
def test_only_the_documented_answer_is_a_receipt(body: bytes, status: int) -> None:
    is_documented = status == 200 and re.fullmatch(rb"[ \t\r\n]*\{[ \t\r\n]*\}[ \t\r\n]*", body)
    assert is_receipt(httpx.Response(status, content=body)) == bool(is_documented)

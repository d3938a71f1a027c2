"""What a push tells Customer.io, and what it never tells: against the local one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from audience_world import AS_OF, SEGMENT, Human, World, audience, crowd
from pydantic import SecretStr

from pipelines import http
from pipelines.audiences import membership
from pipelines.audiences.limits import UNHURRIED, PushLimits
from pipelines.audiences.planning import make_plan
from pipelines.audiences.push import push, require_taken
from pipelines.calling.clock import Clock
from pipelines.errors import CounterfoilError
from pipelines.sandbox import Fault, Sandbox

FAST = replace(UNHURRIED, backoff_seconds=0.001, longest_backoff_seconds=0.01, timeout_seconds=5.0)


def told(world: World, **more: Any) -> Any:
    return push(world.settings, world.console, limits=FAST, **more)


def inside(heap: Sandbox, segment: int = SEGMENT) -> set[str]:
    return set(heap.customerio.segments.get(segment, set()))


def test_members_are_added_and_leavers_removed(world: World, heap: Sandbox) -> None:
    world.add(*crowd(2500))
    world.tell(heap.customerio)
    world.build()
    summary = told(world)
    assert (summary.count_added, summary.count_removed, summary.status) == (2000, 0, "pushed")
    assert inside(heap) == world.members("sms")
    assert [len(ids) for _, _, _, ids in heap.customerio.sent] == [10, 990, 1000]
    assert {kind for _, _, kind, _ in heap.customerio.sent} == {"id"}
    assert told(world).count_calls == 0
    for number in range(1, 2500, 2):
        world.humans[f"c{number:06d}"].is_in = False
    world.build()
    summary = told(world)
    assert (summary.count_added, summary.count_removed) == (0, 1000)
    assert inside(heap) == world.members("sms")
    assert heap.customerio.invented == []


def test_the_plan_is_told_and_nothing_else(world: World, heap: Sandbox) -> None:
    world.add(*crowd(100))
    world.tell(heap.customerio)
    world.build()
    plan = make_plan(world.settings, world.console, limits=FAST)
    assert heap.customerio.sent == []
    assert (plan.count_adds, plan.count_removes, plan.calls) == (80, 0, 1)
    assert plan.shares[0].excluded == {"held out": 20}
    header = (plan.path or Path()).read_text().splitlines()[0]
    assert "id-1" not in header
    assert "c000001" not in header
    assert (plan.path or Path()).stat().st_mode & 0o077 == 0
    # by now one is held out, one is gone, and one came: only what is still so is told
    world.humans["c000001"].arms.append(("cart", "control"))
    world.humans["c000002"].is_deleted = True
    world.add(Human("c999999", "p999999", "id-new", None))
    world.tell(heap.customerio)
    world.build()
    summary = told(world, plan_file=plan.path)
    assert (summary.count_added, summary.held) == (78, {"sms": 2})
    assert "c999999" not in inside(heap)
    path = plan.path or Path()
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(CounterfoilError, match="was changed after it was made"):
        told(world, plan_file=path)


def test_a_plan_of_a_ledger_that_moved_on_is_refused(world: World, heap: Sandbox) -> None:
    world.add(*crowd(10))
    world.tell(heap.customerio)
    world.build()
    plan = make_plan(world.settings, world.console, limits=FAST)
    told(world)
    with pytest.raises(CounterfoilError, match="moved on"):
        told(world, plan_file=plan.path)


def test_a_relabel_after_the_push_is_listed_and_removed(world: World, heap: Sandbox) -> None:
    world.add(*crowd(20))
    world.tell(heap.customerio)
    world.build()
    told(world)
    world.humans["c000001"].arms.append(("cart", "control"))
    world.humans["c000002"].arms.append(("all", "control"))
    world.build()
    plan = make_plan(world.settings, world.console, limits=FAST)
    assert plan.shares[0].removes == {"held out": 2}
    told(world)
    assert inside(heap) == world.members("sms")
    assert not inside(heap) & {"c000001", "c000002"}


def test_we_remove_only_whom_we_added(world: World, heap: Sandbox) -> None:
    world.add(*crowd(20))
    world.tell(heap.customerio)
    heap.customerio.segments[SEGMENT] = {"c000000", "c000001"}  # by somebody else
    world.settings = world.settings.model_copy(update={"app_api_key": SecretStr("app-key")})
    world.build()
    # whoever was there before the first call is not ours: neither added nor, later on, removed
    summary = told(world)
    assert (summary.count_added, summary.count_removed) == (15, 0)
    named = {name for _, _, _, ids in heap.customerio.sent for name in ids}
    assert not named & {"id-0", "id-1"}
    for human in world.humans.values():
        human.is_in = False
    world.build()
    assert told(world).count_removed == 15
    assert inside(heap) == {"c000000", "c000001"}


def test_whom_somebody_else_adds_between_two_pushes_is_not_ours(
    world: World, heap: Sandbox
) -> None:
    world.add(*crowd(20))
    world.tell(heap.customerio)
    world.settings = world.settings.model_copy(update={"app_api_key": SecretStr("app-key")})
    world.build()
    told(world)
    heap.customerio.segments[SEGMENT].add("c000000")
    world.humans["c000000"].arms.clear()
    world.build()
    plan = make_plan(world.settings, world.console, limits=FAST)
    assert plan.count_adds == 1, "a plan asks nobody"
    summary = told(world, plan_file=plan.path)
    assert (summary.count_added, summary.held) == (0, {"sms": 1})
    plan = make_plan(world.settings, world.console, limits=FAST)
    assert (plan.count_adds, plan.shares[0].already_there) == (0, 1)
    world.humans["c000000"].is_in = False
    world.build()
    told(world)
    assert "c000000" in inside(heap)


def test_whom_we_took_out_is_added_again_when_nobody_looks_any_more(
    world: World, heap: Sandbox
) -> None:
    world.add(*crowd(20))
    world.tell(heap.customerio)
    without_key = world.settings
    world.settings = without_key.model_copy(update={"app_api_key": SecretStr("app-key")})
    world.build()
    told(world)
    world.settings = without_key
    for is_in in (False, True):
        world.humans["c000001"].is_in = is_in
        world.build()
        told(world)
        assert inside(heap) == world.members("sms")
    assert "c000001" in inside(heap)


@pytest.mark.parametrize("following", [["x"], {"x": 1}, 5, True])
def test_a_strange_next_page_is_said_in_a_sentence(
    following: object, world: World, heap: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add(*crowd(5))
    world.build()
    world.settings = world.settings.model_copy(update={"app_api_key": SecretStr("app-key")})
    segments = [{"id": SEGMENT, "state": "finished"}]
    page = {"identifiers": [], "next": following, "segments": segments}
    monkeypatch.setattr(http.Caller, "ask", lambda *_, **__: httpx.Response(200, json=page))
    with pytest.raises(CounterfoilError, match="its answer is not the documented one"):
        told(world)
    assert heap.customerio.sent == []


def test_a_segment_that_is_built_anew_while_it_is_read_says_nothing(
    world: World, heap: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add(*crowd(10))
    world.tell(heap.customerio)
    world.settings = world.settings.model_copy(update={"app_api_key": SecretStr("app-key")})
    world.build()
    told(world)
    members = membership._members

    def rebuilt_meanwhile(*asked: Any) -> Iterator[str]:
        yield from list(members(*asked))[:1]
        heap.customerio.unfinished.add(SEGMENT)

    monkeypatch.setattr(membership, "_members", rebuilt_meanwhile)
    told(world)
    assert world.ledger("select count_told, count_landed from audience_landings") == [(8, 8)]
    assert world.ledger("select count(*) from audience_memberships") == [(8,)]


def test_what_landed_is_read_back(world: World, heap: Sandbox) -> None:
    world.add(*crowd(10))
    world.tell(heap.customerio)
    heap.customerio.segments[SEGMENT] = {"c000000"}
    world.settings = world.settings.model_copy(update={"app_api_key": SecretStr("app-key")})
    world.build()
    heap.inject(Fault("drop_rows"))
    told(world)
    landed = "select count_told, count_landed, count_missing, count_foreign from audience_landings"
    assert world.ledger(landed) == [(8, 4, 4, 1)]
    heap.customerio.unfinished.add(SEGMENT)
    told(world)
    assert world.ledger(landed) == [(8, 4, 4, 1)]


def test_who_is_not_held_alive_is_never_named(world: World, heap: Sandbox) -> None:
    world.add(*crowd(20))
    world.tell(heap.customerio)
    world.build()
    told(world)
    world.humans["c000001"].is_deleted = True
    world.humans["c000002"].customer_id = "id-moved"
    world.merge("c000003", "c000004")
    world.merge("c000005", "c000006")  # into somebody who is held out
    world.humans["c000007"].is_in = False
    world.humans["c000007"].customer_id = "id-other"
    world.tell(heap.customerio)
    world.build()
    calls = len(heap.customerio.sent)
    summary = told(world)
    named = {name for _, _, _, ids in heap.customerio.sent[calls:] for name in ids}
    assert heap.customerio.invented == []
    assert named == {"id-5", "id-other"}
    assert summary.count_gone == 2
    assert inside(heap) == world.members("sms")


@pytest.mark.parametrize("kind", ["email", "cio_id"])
def test_people_are_told_by_what_the_registry_says(kind: str, world: World, heap: Sandbox) -> None:
    world.audiences = [audience(identifier_type=kind)]
    world.add(*crowd(20))
    world.add(Human("c999999", "p999999", None, "Only@Mail.example"))
    world.tell(heap.customerio)
    world.build()
    told(world)
    assert {sent for _, _, sent, _ in heap.customerio.sent} == {kind}
    assert inside(heap) == world.members("sms") >= {"c999999"}
    assert heap.customerio.invented == []


def test_a_segment_that_takes_nothing_stops_its_own_audience_only(
    world: World, heap: Sandbox
) -> None:
    world.audiences = [
        audience("gone", destination_id="41"),
        audience("ruled", destination_id="42"),
        audience("fine", destination_id="43"),
    ]
    world.add(*crowd(50))
    world.tell(heap.customerio)
    heap.customerio.gone.add(41)
    heap.customerio.data_driven.add(42)
    world.build()
    summary = told(world)
    assert set(summary.refused) == {"gone", "ruled"}
    assert inside(heap, 43) == world.members("fine")
    with pytest.raises(CounterfoilError, match="takes nothing for gone, ruled"):
        require_taken(summary)
    assert world.ledger("select count(*) from audience_intents") == [(0,)]


def test_one_id_that_is_refused_is_a_dead_letter(world: World, heap: Sandbox) -> None:
    world.add(*crowd(300))
    world.tell(heap.customerio)
    world.build()
    told(world)
    world.add(
        *[
            replace(
                one,
                cio_id="n" + one.cio_id,
                person="n" + one.person,
                customer_id=f"new-{one.customer_id}",
                email=None,
            )
            for one in crowd(300)
        ]
    )
    world.tell(heap.customerio)
    world.build()
    heap.inject(Fault("poison", match='"new-id-7"', status=400, text="bad id new-id-7"))
    summary = told(world)
    assert (summary.count_added, summary.count_dead_letters) == (239, 1)
    assert world.ledger("select kind, event, status, message from dead_letters") == [
        ("audience add", "sms", "open", "bad …")
    ]
    assert told(world).count_calls == 0
    heap.state.faults.clear()
    assert told(world, is_again=True).count_added == 1
    assert world.ledger("select status from dead_letters") == [("resolved",)]
    assert inside(heap) == world.members("sms")


@pytest.mark.parametrize(
    "fault",
    [
        Fault("error", times=2, status=503),
        Fault("error_after", times=2),
        Fault("reset", times=2),
        Fault("commit_then_reset", times=2),
        Fault("throttle", retry_after="0"),
        Fault("intercepted", status=200, text="<html>", content_type="text/html"),
        Fault("commit_then_intercepted", status=200, text='{"ok": true}'),
    ],
)
def test_faults_lose_nobody(fault: Fault, world: World, heap: Sandbox) -> None:
    world.add(*crowd(3000))
    world.tell(heap.customerio)
    world.build()
    heap.inject(replace(fault, skip=1))
    told(world)
    assert inside(heap) == world.members("sms")
    assert world.ledger("select count(*) from audience_intents") == [(0,)]


def test_what_is_not_customer_io_is_told_nothing(world: World, heap: Sandbox) -> None:
    world.add(*crowd(30))
    world.tell(heap.customerio)
    world.build()
    heap.inject(Fault("intercepted", times=100, status=200, text="hello"))
    with pytest.raises(CounterfoilError, match=r"is not Customer\.io as documented"):
        told(world)
    assert world.ledger("select count(*) from audience_state") == [(0,)]
    heap.state.faults.clear()
    heap.customerio.keys = ("another", "key")
    with pytest.raises(CounterfoilError, match=r"does not let site .* in"):
        told(world)


def test_an_uncertain_add_is_removed_when_it_must_not_be(world: World, heap: Sandbox) -> None:
    world.add(*crowd(5))
    world.tell(heap.customerio)
    world.build()
    heap.inject(Fault("commit_then_reset", times=100))
    with pytest.raises(CounterfoilError, match="does not answer"):
        told(world)
    heap.state.faults.clear()
    assert len(inside(heap)) == 4
    world.humans["c000001"].arms.append(("cart", "control"))
    world.build()
    told(world)
    assert inside(heap) == world.members("sms") == {"c000002", "c000003", "c000004"}
    assert world.ledger("select count(*) from audience_intents") == [(0,)]


def test_the_time_box_ends_and_the_next_run_goes_on(world: World, heap: Sandbox) -> None:
    world.add(*crowd(5000))
    world.tell(heap.customerio)
    world.build()
    ticks = iter(range(10_000))
    clock = Clock(monotonic=lambda: float(next(ticks)), sleep=lambda _: None)
    plan = make_plan(world.settings, world.console, limits=FAST)
    summary = push(world.settings, world.console, plan.path, 0.3, limits=FAST, clock=clock)
    assert summary.status == "resumes"
    assert 0 < summary.count_added < 4000
    assert summary.count_left == 4000 - summary.count_added
    last = told(world, plan_file=plan.path)
    assert last.count_added == summary.count_left
    assert inside(heap) == world.members("sms")


def test_blocked_and_undeclared_audiences_do_not_move(world: World, heap: Sandbox) -> None:
    world.add(*crowd(10))
    world.tell(heap.customerio)
    world.build()
    told(world)
    before = inside(heap)
    for rows, reason in (
        ([], "nobody declares it any more"),
        ([audience(version=3)], "no such segment version"),
        ([audience(experiment_key="tea")], "nobody declared the control"),
    ):
        world.audiences = rows
        world.build()
        plan = make_plan(world.settings, world.console, limits=FAST)
        assert str(next(share.blocked for share in plan.shares)).startswith(
            reason
        ) or reason in str(plan.shares[0].blocked)
        assert told(world).count_calls == 0
    assert inside(heap) == before
    world.audiences, world.parity = [audience()], [("sms", "blocked", "too unlike")]
    world.build()
    plan = make_plan(world.settings, world.console, limits=FAST)
    assert plan.shares[0].blocked == "Heap's list is not like ours: too unlike"
    assert told(world).count_calls == 0
    assert inside(heap) == before
    world.parity.clear()
    world.audiences = [audience(expires_on=AS_OF.date())]
    world.build()
    told(world)
    assert inside(heap) == set()


def test_two_workspaces_need_a_word_which_one(world: World, heap: Sandbox) -> None:
    world.add(*crowd(10))
    world.tell(heap.customerio)
    world.build()
    settings = world.settings
    world.settings = settings.model_copy(update={"customerio_workspace": 2})
    assert told(world).count_calls == 0
    world.settings = settings.model_copy(update={"customerio_workspace": 1})
    assert told(world).count_added == 8


def test_nobody_is_named_where_it_is_shown(
    world: World, heap: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    world.add(*crowd(10))
    world.tell(heap.customerio)
    world.build()
    plan = make_plan(world.settings, world.console, limits=FAST)
    told(world)
    shown = capsys.readouterr().out + json.dumps(world.console.result, default=str)
    shown += str(plan.path)
    for human in world.humans.values():
        assert (human.customer_id or "") not in shown.replace("plan_id", "")
        assert human.cio_id not in shown
    assert "track-key-of-tests" not in shown
    assert "site-of-tests" not in shown


def test_paced_as_customer_io_asks() -> None:
    limits = PushLimits()
    assert limits.rates.events_per_minute == 1800
    assert limits.ids_per_call == 1000

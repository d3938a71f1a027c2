"""The plan: what it counts, what it refuses, and what it remembers."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from publisher_home import AS_OF, FAST, SENT, USERS, Home, settings
from pydantic import SecretStr

from pipelines.errors import CounterfoilError, UsageError
from pipelines.heap.plan import Plan
from pipelines.heap.planning import make_plan
from pipelines.heap.publish import publish
from pipelines.heap.summary import markdown
from pipelines.sandbox import Fault, Sandbox


@pytest.fixture
def home(tmp_path: Path, heap: Sandbox) -> Home:
    return Home(tmp_path / "home", heap.url)


def plan_of(home: Home, as_of: datetime | None = None) -> Plan:
    return make_plan(home.settings, home.console, limits=FAST, as_of=as_of)


def user(identity: str, **values: object) -> dict[str, object]:
    return {"heap_identity": identity, "person_id": f"person of {identity}", **values}


def event(
    key: str, identity: str | None, at: datetime | None = None, **more: object
) -> dict[str, object]:
    return {
        "publish_key": key,
        "heap_identity": identity,
        "person_id": f"person of {identity}",
        "occurred_at": at or AS_OF - timedelta(days=1),
        **more,
    }


def test_a_plan_says_everything_and_names_nobody(home: Home) -> None:
    home.sent(30)
    home.users(4)
    home.insert("heap.heap_refusals", [{"publish_key": "k", "kind": "event", "reason": "embargo"}])
    plan = plan_of(home)
    assert plan.events == {"cio_message_sent": 30}
    assert plan.properties["cio_seg_cart_v1"] == 4
    assert plan.properties["cio_seg_lapsed_v2"] == 4
    assert "cio_ltv_tier" not in plan.properties
    assert plan.leavers == {}
    assert plan.refused == {"mart, event: embargo": 1}
    assert plan.new_events == ["cio_message_sent"]
    assert "cio_message_sent.channel" in plan.new_properties
    assert (plan.count_identities, plan.count_new_identities) == (7, 7)
    assert (plan.calls, plan.path is not None) == (2, True)
    assert all(gate.is_open for gate in plan.gates)
    text = markdown(plan) + json.dumps(plan.facts(), default=str)
    assert "shopper" not in text
    assert home.ledger("select plan_id, status from plans") == [(plan.plan_id, "planned")]


def test_a_plan_file_is_private_and_its_rows_are_what_is_sent(home: Home, heap: Sandbox) -> None:
    home.sent(3)
    path = plan_of(home).path
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rows = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    assert rows[0] == {
        "event": "cio_message_sent",
        "identity": "shopper0@shop.example",
        "timestamp": "2026-01-01T00:00:00.000Z",
        "idempotency_key": "sent-000000000",
        "properties": {
            "publish_key": "sent-000000000",
            "workspace_id": 1,
            "journey_id": "7",
            "journey_name": "Welcome",
            "journey_entry_id": "entry0",
            "arm": "welcome=treatment",
            "segments": "cart_v1||lapsed_v2",
            "intent_tier": "high",
            "delivery_id": "delivery0",
            "message_id": "action:901",
            "message_name": "Hello ☃",
            "channel": "email",
            "minutes_since_trigger": 0.0,
        },
    }


def with_own_digest(header: dict[str, Any], rows: list[str]) -> str:
    """A plan's text whose first line vouches for these rows."""
    body = "".join(f"{row}\n" for row in rows)
    header["rows_sha256"] = hashlib.sha256(body.encode()).hexdigest()
    return f"{json.dumps(header, sort_keys=True)}\n{body}"


def edited(edit: Callable[[dict[str, Any], list[str]], object]) -> Callable[[str], str]:
    """An edit of a plan's header and rows that puts its digest right afterwards."""

    def change(text: str) -> str:
        first, *rows = text.splitlines()
        header = json.loads(first)
        edit(header, rows)
        return with_own_digest(header, rows)

    return change


EDITS: dict[str, Callable[[str], str]] = {
    "a row, digest left": lambda text: text.replace("shopper1", "stranger"),
    "a row": edited(lambda _, rows: rows.insert(0, rows.pop(0).replace("shopper0", "stranger"))),
    "cut short": edited(lambda _, rows: rows.pop()),
    "cut within a row": lambda text: text[:-20],
    "no rows": edited(lambda _, rows: rows.clear()),
    "a row more": edited(lambda _, rows: rows.append(rows[-1].replace("sent-", "more-"))),
    "a row twice": edited(lambda _, rows: rows.append(rows[0])),
    "a blank line more": lambda text: text + "\n",
    "other order": edited(lambda _, rows: rows.reverse()),
    "a gate opened": edited(
        lambda header, _: [gate.update(is_open=True) for gate in header["gates"]]
    ),
    "no gates": edited(lambda header, _: header.update(gates=[])),
    "counts": edited(lambda header, _: header.update(count_events=1)),
    "names": edited(lambda header, _: header.update(names=[])),
    "booleans": edited(lambda header, _: header.update(booleans=["channel"])),
    "models due": edited(lambda header, _: header.update(models_due=[])),
    "as of": edited(lambda header, _: header.update(as_of="2027-01-01 00:00:00")),
    "target": edited(lambda header, _: header.update(target=None)),
    "ledger version": edited(lambda header, _: header.update(ledger_version=99)),
    "a fact more": edited(lambda header, _: header.update(more=1)),
    "the header's spelling": edited(lambda *_: None),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_plan_is_refused(home: Home, heap: Sandbox, edit: str) -> None:
    """Whatever its own digest says: it is held against what the ledger recorded."""
    home.model(
        "heap_cio_message_sent", "event", SENT, event="cio_message_sent", max_new_identities=2
    )
    home.sent(3)
    path = plan_of(home).path
    assert path is not None
    text = EDITS[edit](path.read_text())
    if edit == "the header's spelling":
        text = text.replace(", ", ",", 1)
    path.write_text(text)
    refused(home, heap, path, "changed after it was made")


def refused(home: Home, heap: Sandbox, path: Path, sentence: str) -> None:
    """The plan is not sent, and the ledger is as it was."""
    before = home.ledger("select * exclude (started_at) from plans order by plan_id")
    with pytest.raises(CounterfoilError, match=sentence):
        publish(home.settings, home.console, path, limits=FAST)
    assert heap.calls == []
    assert home.ledger("select count(*) from receipts") == [(0,)]
    assert home.ledger("select count(*) from batches") == [(0,)]
    assert home.ledger("select count(*) from versions") == [(0,)]
    assert home.ledger("select * exclude (started_at) from plans order by plan_id") == before


@given(where=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
@examples(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_plan_with_any_other_byte_is_refused(
    home: Home, heap: Sandbox, where: float, value: int
) -> None:
    if not home.settings.plans_dir.exists():
        home.sent(3)
        shutil.copy(plan_of(home).path or "", home.path / "kept")
    plan = bytearray((home.path / "kept").read_bytes())
    place = int(where * len(plan))
    if plan[place] == value:
        return
    plan[place] = value
    (home.path / "changed.jsonl").write_bytes(plan)
    refused(home, heap, home.path / "changed.jsonl", "run|plan")


def test_a_plan_that_the_ledger_does_not_know_is_refused(
    home: Home, heap: Sandbox, tmp_path: Path
) -> None:
    home.sent(3)
    path = plan_of(home).path
    assert path is not None
    other = Home(tmp_path / "other", heap.url)
    other.sent(3)
    plan_of(other)
    refused(other, heap, path, "does not know the plan")
    home.settings.ledger_path.unlink()
    plan_of(home)
    refused(home, heap, path, "does not know the plan")


def test_two_plans_that_exchanged_their_names_are_refused(home: Home, heap: Sandbox) -> None:
    home.sent(3)
    first = plan_of(home).path
    home.sent(3, start=3)
    second = plan_of(home).path
    assert first is not None
    assert second is not None
    (one, *its_rows), (two, *more_rows) = (p.read_text().splitlines() for p in (first, second))
    headers = [json.loads(one), json.loads(two)]
    headers[0]["plan_id"], headers[1]["plan_id"] = headers[1]["plan_id"], headers[0]["plan_id"]
    first.write_text(with_own_digest(headers[0], its_rows))
    second.write_text(with_own_digest(headers[1], more_rows))
    for path in (first, second):
        refused(home, heap, path, "changed after it was made")


def test_a_plan_of_an_older_ledger_is_refused(home: Home, heap: Sandbox) -> None:
    """It recorded the rows' digest alone."""
    home.sent(3)
    path = plan_of(home).path
    assert path is not None
    with duckdb.connect(str(home.settings.ledger_path)) as ledger:
        ledger.execute("alter table plans drop column file_sha256")
        ledger.execute("alter table plans drop column file_bytes")
    with pytest.raises(CounterfoilError, match="made by an older version"):
        publish(home.settings, home.console, path, limits=FAST)
    assert heap.calls == []
    assert publish(home.settings, home.console, plan_of(home).path, limits=FAST).count_events == 3


@pytest.mark.parametrize("kind", ["folder", "device", "memory", "words", "nothing"])
def test_what_is_no_plan_is_refused(home: Home, heap: Sandbox, kind: str) -> None:
    path = home.path / "words"
    path.write_text('{"counterfoil_plan": 1, "plan_id": ["x"]}')
    unreadable = Path("/proc/self/mem")  # an ordinary file that cannot be read
    path = {"folder": home.path, "device": Path("/dev/zero"), "memory": unreadable}.get(kind, path)
    path = home.path / "nowhere" if kind == "nothing" else path
    with pytest.raises(CounterfoilError, match="counterfoil plan"):
        publish(home.settings, home.console, path, limits=FAST)
    assert heap.calls == []


def test_what_was_checked_is_what_is_sent(home: Home, heap: Sandbox) -> None:
    """The file is overwritten in place while the first call is under way."""
    home.sent(30)
    path = plan_of(home).path
    assert path is not None
    heap.inject(Fault("commit_then_timeout", seconds=0.5))

    def overwrite() -> None:
        while not heap.calls:
            time.sleep(0.01)
        with path.open("r+") as handle:
            text = handle.read().replace("shopper", "swapped")
            handle.seek(0)
            handle.write(text)

    writer = threading.Thread(target=overwrite)
    writer.start()
    publish(home.settings, home.console, path, limits=FAST)
    writer.join()
    assert "swapped" in path.read_text()
    assert all("shopper" in identity for identity, _ in heap.snapshot()["users"])
    assert len(heap.store().events) == 30
    assert [path for path in (home.path / "tmp").rglob("*") if path.is_file()] == []


def test_a_published_plan_makes_no_second_call(home: Home, heap: Sandbox) -> None:
    home.sent(3)
    home.settings.__dict__.update(heap_app_id=None)
    path = plan_of(home).path
    home.settings.__dict__.update(heap_app_id=SecretStr("1234567"))
    publish(home.settings, home.console, path, limits=FAST)
    before = home.ledger("select * from versions"), home.ledger("select * from publications")
    again = publish(home.settings, home.console, path, limits=FAST)
    assert (again.status, again.count_calls, len(heap.calls)) == ("nothing", 0, 1)
    assert before == (
        home.ledger("select * from versions"), home.ledger("select * from publications"),
    )  # fmt: skip
    home.settings.__dict__["heap_app_id"] = SecretStr("7654321")
    with pytest.raises(CounterfoilError, match="another Heap environment"):
        publish(home.settings, home.console, path, limits=FAST)


@pytest.mark.parametrize("change", [{"heap_region": "us"}, {"heap_app_id": SecretStr("7654321")}])
def test_a_plan_goes_to_the_app_and_region_it_was_made_for(
    home: Home, heap: Sandbox, change: dict[str, Any]
) -> None:
    """Also where one local Heap stands for both; a fresh plan tells the other everything."""
    home.sent(3)
    path = plan_of(home).path
    assert path is not None
    ours = {name: getattr(home.settings, name) for name in change}
    home.settings.__dict__.update(change)
    refused(home, heap, path, "made for another Heap environment")
    home.settings.__dict__.update(ours)
    assert publish(home.settings, home.console, path, limits=FAST).count_events == 3
    home.settings.__dict__.update(change)
    assert plan_of(home).events == {"cio_message_sent": 3}


def test_a_plan_about_people_whom_the_warehouse_does_not_know_is_refused(
    home: Home, heap: Sandbox
) -> None:
    """The warehouse was lost and built from nothing, or from half of the exports."""
    home.sent(3)
    path = plan_of(home).path
    home.sql(
        "delete from marts.dim_persons",
        "delete from marts.fct_identity_match_rate",
        "delete from heap.heap_cio_message_sent",
    )
    with pytest.raises(CounterfoilError, match="nobody whom the warehouse knows: 3"):
        publish(home.settings, home.console, path, limits=FAST)
    assert heap.calls == []
    assert home.ledger("select count(*) from receipts") == [(0,)]


def test_a_plan_is_refused_when_the_ledger_moved_on(home: Home, heap: Sandbox) -> None:
    home.sent(3)
    first, second = plan_of(home), plan_of(home)
    publish(home.settings, home.console, first.path, limits=FAST)
    again = publish(home.settings, home.console, first.path, limits=FAST)
    assert again.count_calls == 0
    with pytest.raises(CounterfoilError, match="moved on"):
        publish(home.settings, home.console, second.path, limits=FAST)
    assert len(heap.calls) == 1


def test_only_changed_properties_are_told(home: Home, heap: Sandbox) -> None:
    home.users(3)
    publish(home.settings, home.console, limits=FAST)
    home.sql(
        "update heap.heap_user_properties set cio_intent_tier = 'low' where person_id = 'person1'"
    )
    plan = plan_of(home)
    assert (plan.properties, plan.count_users) == ({"cio_intent_tier": 1}, 1)
    publish(home.settings, home.console, limits=FAST)
    assert dict(heap.snapshot()["users"])["shopper1@shop.example"].count('"low"') == 1
    assert plan_of(home).is_empty


def test_whoever_leaves_is_told_false_once(home: Home, heap: Sandbox) -> None:
    home.users(2)
    publish(home.settings, home.console, limits=FAST)
    home.users(1)
    home.sql("update heap.heap_user_properties set cio_seg_cart_v1 = false")
    plan = plan_of(home)
    assert plan.properties == {"cio_seg_cart_v1": 1}
    assert plan.leavers == {"cio_seg_cart_v1": 1}
    publish(home.settings, home.console, limits=FAST)
    held = {i: json.loads(p) for i, p in heap.snapshot()["users"]}
    assert held["shopper0@shop.example"]["cio_seg_cart_v1"] == "false"
    assert held["shopper1@shop.example"]["cio_seg_cart_v1"] == "false"
    assert held["shopper0@shop.example"]["cio_seg_lapsed_v2"] == "true"
    assert plan_of(home).is_empty


@pytest.mark.parametrize("how", ["column vanished", "version retired"])
def test_a_retired_version_is_told_false(home: Home, heap: Sandbox, how: str) -> None:
    home.users(3)
    publish(home.settings, home.console, limits=FAST)
    if how == "column vanished":
        rest = {name: kind for name, kind in USERS.items() if name != "cio_seg_cart_v1"}
        home.model("heap_user_properties", "user_properties", rest)
        home.insert(
            "heap.heap_user_properties",
            [
                user(
                    f"shopper{i}@shop.example", cio_seg_lapsed_v2=i % 2 == 0, cio_intent_tier="high"
                )
                for i in range(3)
            ],
        )
    else:
        home.insert(
            "marts.dim_segment_versions",
            [{"segment_key": "cart", "version": 1, "valid_to": AS_OF, "is_exported": True}],
        )
    plan = plan_of(home)
    assert plan.leavers == {"cio_seg_cart_v1": 3}
    publish(home.settings, home.console, limits=FAST)
    assert all('"cio_seg_cart_v1": "false"' in p for _, p in heap.snapshot()["users"])
    assert plan_of(home).is_empty


def test_a_moved_identity_is_counted_and_never_sent_again(home: Home, heap: Sandbox) -> None:
    home.sent(5)
    publish(home.settings, home.console, limits=FAST)
    home.move()
    plan = plan_of(home)
    assert (plan.identities_moved, plan.count_events) == (5, 0)


def person(identity: str, heap_identity: str | None, reason: str | None) -> dict[str, object]:
    """What `dim_persons` says of the person of an identity."""
    return {
        "person_id": f"person of {identity}",
        "heap_identity": heap_identity,
        "refusal_reason": reason,
        "is_publishable": reason is None,
    }


STRANGERS = {
    "no person can be resolved": None,
    "person is deleted": person("a@b.example", "a@b.example", "person is deleted"),
    "placeholder": person("a@b.example", None, "placeholder"),
    "not publishable": {"person_id": "person of a@b.example", "is_publishable": False},
    "the identity is not that of its person": person("a@b.example", "other@b.example", None),
}
"""Why the mart's row of a@b.example may not leave, by what `dim_persons` says of its person."""


@pytest.mark.parametrize("reason", STRANGERS)
@pytest.mark.parametrize("mart", ["heap_cio_message_sent", "heap_user_properties"])
def test_a_mart_with_somebody_who_may_not_be_told_stops_the_plan(
    home: Home, heap: Sandbox, mart: str, reason: str
) -> None:
    """As an analyst's own model does that leaves out heap_refusal_reason."""
    home.sent(2)
    home.users(2)
    path = plan_of(home).path
    row = {"heap_identity": "a@b.example", "person_id": "person of a@b.example"}
    if mart == "heap_cio_message_sent":
        row = event("key-of-a-stranger", "a@b.example")  # type: ignore[assignment]
    home.insert(f"heap.{mart}", [row], may_be_told=False)
    if verdict := STRANGERS[reason]:
        home.insert("marts.dim_persons", [verdict])
    for command in (
        lambda: plan_of(home),
        lambda: publish(home.settings, home.console, limits=FAST),
    ):
        with pytest.raises(CounterfoilError) as stopped:
            command()
        assert f"{mart} holds 1 row that must not leave ({reason})" in str(stopped.value)
        assert "a@b.example" not in str(stopped.value)
    assert heap.calls == []
    assert path is not None


MALFORMED = {
    "the publish key is missing, too short or too long": event("short", "a@b.example"),
    "no identity": {**event("key-none-1", "a@b.example"), "heap_identity": None},
    "no timestamp": {**event("key-notime", "a@b.example"), "occurred_at": None},
    "the timestamp is in the future": event(
        "key-future", "a@b.example", AS_OF + timedelta(hours=1)
    ),
    "the timestamp is out of range": event("key-ancien", "a@b.example", datetime(1815, 6, 18)),
    "type: minutes_since_trigger is not finite": event(
        "key-nan-01", "a@b.example", minutes_since_trigger=float("nan")
    ),
}


@pytest.mark.parametrize("reason", MALFORMED)
def test_a_mart_with_a_row_that_heap_cannot_hold_stops_the_plan(
    home: Home, heap: Sandbox, reason: str
) -> None:
    home.sent(2)
    home.insert("marts.dim_persons", [person("a@b.example", "a@b.example", None)])
    home.insert("heap.heap_cio_message_sent", [MALFORMED[reason]])
    with pytest.raises(CounterfoilError) as stopped:
        publish(home.settings, home.console, limits=FAST)
    assert f"heap_cio_message_sent holds 1 row that must not leave ({reason})" in str(stopped.value)
    assert heap.calls == []


def test_a_repeated_key_stops_the_plan_also_across_models(home: Home) -> None:
    home.sent(2)
    home.insert(
        "heap.heap_cio_goal_converted",
        [{**event("sent-000000000", "shopper0@shop.example"), "person_id": "person0"}],
    )
    with pytest.raises(CounterfoilError, match="the publish key is repeated"):
        plan_of(home)


def test_two_persons_under_one_identity_stop_the_plan(home: Home) -> None:
    home.users(2)
    home.sql(
        "update marts.dim_persons set heap_identity = 'one@shop.example'",
        "update heap.heap_user_properties set heap_identity = 'one@shop.example'",
    )
    with pytest.raises(CounterfoilError, match=r"2 rows.*the identity is held by several persons"):
        plan_of(home)


def test_who_may_not_be_published_is_never_told_also_not_false(home: Home, heap: Sandbox) -> None:
    home.sent(7)
    home.users(7)
    home.sql("update marts.dim_persons set match_status = 'matched'")
    home.seen(*(f"person{n}" for n in range(7)))
    plan = plan_of(home)
    assert (plan.count_events, plan.count_users, plan.count_new_identities) == (7, 7, 0)
    publish(home.settings, home.console, limits=FAST)
    home.sql(
        "update marts.dim_persons set is_publishable = false, refusal_reason = 'person is deleted' "
        "where person_id = 'person1'",
        "delete from heap.heap_cio_message_sent where person_id = 'person1'",
        "delete from heap.heap_user_properties where person_id = 'person1'",
    )
    plan = plan_of(home)
    assert (plan.leavers, plan.erasures_due) == ({}, 1)
    assert plan.refused == {"user properties: not publishable": 1}


@pytest.mark.parametrize("name", ["plan.jsonl", "plan [1] 'x'.jsonl"])
def test_a_plan_with_somebody_forbidden_since_is_stopped(
    home: Home, heap: Sandbox, tmp_path: Path, name: str
) -> None:
    home.sent(7)
    plan = plan_of(home)
    assert plan.path is not None
    # beside another one, which the first one's name would match as a pattern
    other = tmp_path / "plan 1 'x'.jsonl"
    other.write_text(plan.path.read_text().splitlines(keepends=True)[0] + "{}\n")
    path = plan.path.rename(tmp_path / name)
    home.insert(
        "marts.dim_persons",
        [
            {
                "person_id": "person1",
                "heap_identity": "shopper1@shop.example",
                "is_publishable": False,
            }
        ],
    )
    # the mart has the row still: no build made that
    with pytest.raises(CounterfoilError, match=r"must not leave \(not publishable\)"):
        publish(home.settings, home.console, path, limits=FAST)
    assert heap.calls == []


# -- gates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("heap_app_id", None, "HEAP_APP_ID is not set"),
        ("heap_app_id", SecretStr("x12"), "digits only"),
        ("heap_region", None, "HEAP_REGION is not set"),
        ("heap_region", "mars", "us or eu"),
        ("heap_url", "not a url", "HEAP_URL"),
    ],
)
def test_wrong_settings_stop_before_anything(
    home: Home, heap: Sandbox, name: str, value: object, sentence: str
) -> None:
    home.sent(2)
    home.settings.__dict__[name] = value
    with pytest.raises(UsageError, match=sentence):
        publish(home.settings, home.console, limits=FAST)
    assert heap.calls == []


def test_the_app_id_is_masked_wherever_shown(home: Home) -> None:
    home.sent(2)
    plan = plan_of(home)
    publish(home.settings, home.console, limits=FAST)
    shown = markdown(plan) + json.dumps(home.console.result, default=str)
    assert "1234567" not in shown
    assert "****567" in shown
    assert plan.path is not None
    assert "1234567" not in plan.path.read_text()


def test_a_low_match_rate_closes_the_gate(home: Home, heap: Sandbox) -> None:
    home.sent(2)
    home.sql("update marts.fct_identity_match_rate set identifiable_rate = 0.3, is_met = false")
    assert [gate.name for gate in plan_of(home).closed_gates] == ["match rate"]
    with pytest.raises(CounterfoilError, match=r"workspace 1: 30\.0% identifiable"):
        publish(home.settings, home.console, limits=FAST)
    home.sql("update marts.fct_identity_match_rate set match_rate = 0.9, is_met = true")
    assert publish(home.settings, home.console, limits=FAST).count_events == 2


WITHOUT = {
    "no warehouse": None,
    **{
        f"no {name}": f"drop table marts.{name}"
        for name in (
            "dim_persons",
            "fct_identity_match_rate",
            "dim_segment_versions",
        )
    },
    "no forbidden identities": "drop view heap.heap_forbidden_identities",
    "no newcomers": "drop view heap.heap_persons",
    "no budget": "drop table heap.heap_budget",
    "no is_publishable": "alter table marts.dim_persons drop column is_publishable",
    "no refusal_reason": "alter table marts.dim_persons drop column refusal_reason",
    "no is_met": "alter table marts.fct_identity_match_rate drop column is_met",
    "a second dim_persons": "create schema aside; create table aside.dim_persons as "
    "from marts.dim_persons",
}


@pytest.mark.parametrize("what", WITHOUT)
@pytest.mark.parametrize("how", ["plan", "publish", "publish --plan"])
def test_without_what_the_gates_need_nothing_is_told(
    home: Home, heap: Sandbox, what: str, how: str
) -> None:
    home.sent(2)
    path = plan_of(home).path
    statement = WITHOUT[what]
    if statement is None:
        home.settings.warehouse_path.unlink()
    else:
        home.sql(statement)
    commands: dict[str, Callable[[], object]] = {
        "plan": lambda: plan_of(home),
        "publish": lambda: publish(home.settings, home.console, limits=FAST),
        "publish --plan": lambda: publish(home.settings, home.console, path, limits=FAST),
    }
    with pytest.raises(CounterfoilError, match=r"gates? can.* be checked.*counterfoil build"):
        commands[how]()
    assert heap.calls == []
    assert home.ledger("select count(*) from receipts") == [(0,)]


def test_an_exported_segment_is_looked_at_again_for_a_filed_plan(home: Home, heap: Sandbox) -> None:
    home.sent(2)
    path = plan_of(home).path
    home.insert(
        "marts.dim_segment_versions", [{"segment_key": "gone", "version": 2, "is_exported": True}]
    )
    with pytest.raises(CounterfoilError, match="exported segment gone_v2 is no user property"):
        publish(home.settings, home.console, path, limits=FAST)
    assert heap.calls == []


def test_persons_whose_match_rate_was_never_judged_close_the_gate(
    home: Home, heap: Sandbox
) -> None:
    home.sql("delete from marts.fct_identity_match_rate")
    assert plan_of(home).closed_gates == []  # there is nobody to judge
    home.sent(2)
    with pytest.raises(CounterfoilError, match="persons and no match rate"):
        publish(home.settings, home.console, plan_of(home).path, limits=FAST)
    with pytest.raises(CounterfoilError, match="persons and no match rate"):
        publish(home.settings, home.console, limits=FAST)
    assert heap.calls == []


def test_a_spent_budget_closes_the_gate(home: Home, heap: Sandbox) -> None:
    home.sent(20)
    home.sql("update heap.heap_budget set most = 19")
    with pytest.raises(CounterfoilError, match=r"needs 20 events and 19 of this month's 19"):
        publish(home.settings, home.console, limits=FAST)
    home.sql("update heap.heap_budget set most = 20")
    assert publish(home.settings, home.console, limits=FAST).count_events == 20
    home.sent(1, start=20)
    with pytest.raises(CounterfoilError, match=r"needs 1 events and 0 of this month's 20"):
        publish(home.settings, home.console, limits=FAST)


def test_more_new_identities_than_declared_close_the_gate(home: Home, heap: Sandbox) -> None:
    home.model(
        "heap_cio_message_sent", "event", SENT, event="cio_message_sent", max_new_identities=6
    )
    home.sent(20)
    with pytest.raises(CounterfoilError, match="would create up to 7 users in Heap and allows 6"):
        publish(home.settings, home.console, limits=FAST)
    home.insert(
        "marts.dim_persons",
        [
            {
                "person_id": "person3",
                "workspace_id": 1,
                "heap_identity": "shopper3@shop.example",
                "match_status": "matched",
                "is_publishable": True,
            }
        ],
    )
    home.seen("person3")
    assert publish(home.settings, home.console, limits=FAST).count_events == 20


def test_an_exported_segment_must_be_a_user_property(home: Home, heap: Sandbox) -> None:
    home.sent(2)
    home.insert(
        "marts.dim_segment_versions",
        [
            {"segment_key": "cart", "version": 1, "is_exported": True},
            {"segment_key": "gone", "version": 2, "is_exported": True},
        ],
    )
    with pytest.raises(CounterfoilError, match="exported segment gone_v2 is no user property"):
        publish(home.settings, home.console, limits=FAST)


def test_a_mart_that_holds_a_row_under_embargo_stops_the_plan(home: Home, heap: Sandbox) -> None:
    home.model("heap_cio_message_sent", "event", SENT, event="cio_message_sent", embargo_hours=48)
    home.insert(
        "heap.heap_cio_message_sent",
        [
            event("key-old-01", "a@b.example", AS_OF - timedelta(hours=49)),
            event("key-young1", "a@b.example", AS_OF - timedelta(hours=48)),
        ],
    )
    with pytest.raises(CounterfoilError, match=r"holds 1 row that must not leave \(embargo\)"):
        plan_of(home)
    home.built(AS_OF + timedelta(hours=1))
    assert publish(home.settings, home.console, limits=FAST).count_events == 2


def test_cadence_waits_but_the_same_instant_is_always_due(home: Home, heap: Sandbox) -> None:
    home.model("heap_user_properties", "user_properties", USERS, cadence="daily")
    home.users(1)
    publish(home.settings, home.console, limits=FAST)
    home.users(2)
    assert plan_of(home).count_users == 1
    soon = plan_of(home, AS_OF + timedelta(hours=3))
    assert soon.count_users == 0
    assert list(soon.held_back) == [
        f"heap_user_properties: daily, due at {AS_OF + timedelta(hours=24)}"
    ]
    assert plan_of(home, AS_OF + timedelta(hours=24)).count_users == 1


# -- contracts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("properties", "more", "sentence"),
    [
        ({"Id": "varchar"}, {}, "clashes with Heap's own id"),
        ({"user_id": "varchar"}, {}, "clashes with Heap's own user_id"),
        ({"camelCase": "varchar"}, {}, "not snake_case"),
        ({"order_value": "double", "ordervalue": "double"}, {}, "two names for one thing"),
        ({"plain": "varchar"}, {"contract": False}, "no enforced contract"),
        ({"plain": "varchar"}, {"cadence": "sometimes"}, "cadence"),
        ({"plain": "varchar"}, {"event": "Message Sent"}, "snake_case"),
        ({"plain": "varchar"}, {"event": "cio_message_sent"}, "Two Heap models send"),
        ({"channel": "double"}, {}, "one type per property"),
        ({"shape": "struct(a integer)"}, {}, "Heap cannot hold"),
    ],
)
def test_a_declaration_that_heap_would_regret_is_refused(
    home: Home, properties: dict[str, str], more: dict[str, object], sentence: str
) -> None:
    home.sent(1)
    home.model("heap_extra", "event", properties, **{"event": "cio_extra", **more})  # type: ignore[arg-type]
    with pytest.raises(CounterfoilError, match=sentence):
        plan_of(home)


def test_a_column_outside_the_contract_never_leaves(home: Home) -> None:
    home.sent(1)
    home.sql("alter table heap.heap_cio_message_sent add column secret varchar default 'hush'")
    path = plan_of(home).path
    assert path is not None
    assert "hush" not in path.read_text()


def test_a_new_event_needs_no_python(home: Home, heap: Sandbox) -> None:
    home.model(
        "heap_cio_survey", "event", {"score": "integer", "is_fan": "boolean"}, event="cio_survey"
    )
    home.insert("heap.heap_cio_survey", [event("survey-key", "a@b.example", score=9, is_fan=True)])
    publish(home.settings, home.console, limits=FAST)
    (row,) = heap.snapshot()["events"]
    assert json.loads(row[3]) == {"is_fan": "true", "publish_key": "survey-key", "score": 9}


def test_a_property_that_changes_its_type_is_refused(home: Home, heap: Sandbox) -> None:
    home.sent(1)
    publish(home.settings, home.console, limits=FAST)
    home.model(
        "heap_cio_message_sent", "event", {**SENT, "channel": "integer"}, event="cio_message_sent"
    )
    home.model("heap_cio_goal_converted", "event", {"goal": "varchar"}, event="cio_goal_converted")
    home.insert("heap.heap_cio_message_sent", [event("another-key", "a@b.example", channel=1)])
    with pytest.raises(CounterfoilError, match="was text and is now number"):
        plan_of(home)


def test_planning_needs_no_app_and_leaves_the_warehouse_free(home: Home, tmp_path: Path) -> None:
    home.sent(2)
    home.settings = settings(home.path)
    home.settings.__dict__.update(heap_app_id=None, heap_region=None)
    plan = plan_of(home)
    assert [gate.name for gate in plan.closed_gates] == ["app and region"]
    home.sent(1, start=2)  # a build can write at once


def test_another_app_hears_everything_again(home: Home, heap: Sandbox) -> None:
    home.sent(3)
    publish(home.settings, home.console, limits=FAST)
    home.settings.__dict__["heap_app_id"] = SecretStr("7654321")
    assert publish(home.settings, home.console, limits=FAST).count_events == 3
    assert len(heap.store("7654321").events) == 3

"""The local Heap behaves as documented."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import httpx
import pytest
from typer.testing import CliRunner

from cli import app
from pipelines.sandbox import Fault, Sandbox, SandboxLimits, running_sandbox


class Wall:
    """The sandbox's clock."""

    now = datetime(2026, 3, 1)


@pytest.fixture
def heap() -> Iterator[Sandbox]:
    Wall.now = datetime(2026, 3, 1)
    with running_sandbox(
        limits=SandboxLimits(max_bytes=200_000), known_apps=frozenset({"11"}), now=lambda: Wall.now
    ) as sandbox:
        yield sandbox


def post(heap: Sandbox, path: str, body: object) -> httpx.Response:
    return httpx.post(heap.url + path, json=body)


def event(**more: object) -> dict[str, object]:
    return {
        "event": "cio_sent",
        "identity": "a@b.example",
        "timestamp": "2026-01-01T00:00:00Z",
        "idempotency_key": "key-000001",
        "properties": {"x": 1},
        **more,
    }


def test_a_good_call_creates_users_and_keeps_the_first_of_each_key(heap: Sandbox) -> None:
    calls = [[event()], [event(properties={"x": 2})], [event(identity="A@b.example")]]
    for events in calls:
        answer = post(heap, "/api/track", {"app_id": "11", "events": events})
        assert (answer.status_code, answer.json()) == (200, {})
    assert heap.snapshot("11")["events"] == [
        ["A@b.example", "cio_sent", "2026-01-01T00:00:00Z", '{"x": 1}'],
        ["a@b.example", "cio_sent", "2026-01-01T00:00:00Z", '{"x": 1}'],
    ]
    assert len(heap.store("11").users) == 2


def test_an_unknown_app_is_answered_200_and_its_data_vanishes(heap: Sandbox) -> None:
    assert post(heap, "/api/track", {"app_id": "12", "events": [event()]}).status_code == 200
    assert heap.snapshot("12")["events"] == []


def test_a_malformed_app_is_refused(heap: Sandbox) -> None:
    answer = post(heap, "/api/track", {"app_id": "x", "events": [event()]})
    assert (answer.status_code, answer.text) == (400, "Bad Request")


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"properties": []}, "[1].properties should be object"),
        ({"properties": {"x": None}}, "[1].properties.x should be string,number"),
        ({"properties": {"x": True}}, "[1].properties.x should be string,number"),
        ({"properties": {"x": {"y": 1}}}, "[1].properties.x should be string,number"),
        ({"properties": {"x": "y" * 1024}}, "[1].properties.x should NOT be longer"),
        ({"event": ""}, "[1].event should NOT be longer"),
        ({"event": None}, "[1] should have required property 'event'"),
        ({"identity": "x" * 256}, "[1].identity should NOT be longer"),
        ({"identity": 7}, "[1].identity should be string"),
        ({"user_id": "7"}, "[1] should have exactly one"),
        ({"timestamp": "yesterday"}, "[1].timestamp should match format"),
        ({"idempotency_key": 7}, "[1].idempotency_key should be string"),
    ],
)
def test_one_bad_row_refuses_the_call_and_is_named(
    heap: Sandbox, bad: dict[str, object], says: str
) -> None:
    answer = post(heap, "/api/track", {"app_id": "11", "events": [event(), event(**bad)]})
    assert answer.status_code == 400
    assert answer.text.startswith("postBody.events" + says)
    assert heap.snapshot("11")["events"] == []


def test_too_many_rows_and_too_many_bytes(heap: Sandbox) -> None:
    many = [event(idempotency_key=f"key{i:06}", properties={}) for i in range(1001)]
    answer = post(heap, "/api/track", {"app_id": "11", "events": many})
    assert (answer.status_code, answer.text) == (
        400,
        "postBody.events should NOT have more than 1000 items",
    )
    big = [event(properties={f"x{i}": "y" * 1000 for i in range(250)})]
    assert post(heap, "/api/track", {"app_id": "11", "events": big}).status_code == 413


def test_429_past_the_limit_of_an_identity_and_of_the_app(heap: Sandbox) -> None:
    def send(start: int, identity: str) -> int:
        events = [
            event(idempotency_key=f"key{start + i:06}", identity=identity, properties={})
            for i in range(1000)
        ]
        return post(heap, "/api/track", {"app_id": "11", "events": events}).status_code

    assert send(0, "one@b.example") == 200
    assert send(1000, "one@b.example") == 429
    assert [send(2000 + 1000 * n, f"{n}@b.example") for n in range(15)] == [200] * 14 + [429]
    assert len(heap.store("11").events) == 15_000


def test_single_calls_and_user_properties(heap: Sandbox) -> None:
    assert post(heap, "/api/track", {"app_id": "11", **event()}).status_code == 200
    for properties in ({"tier": "low", "email": "a@b.example"}, {"tier": "high"}):
        body = {"app_id": "11", "users": [{"identity": "a@b.example", "properties": properties}]}
        assert post(heap, "/api/add_user_properties", body).status_code == 200
    answer = post(
        heap,
        "/api/add_user_properties",
        {"app_id": "11", "users": [{"identity": "a", "properties": {"Id": "1"}}]},
    )
    assert "reserved key" in answer.text
    (user,) = heap.store("11").connect("users")
    assert (user["tier"], user["email"]) == ("high", "a@b.example")


def test_migration_moves_an_anonymous_users_events_for_ever(heap: Sandbox) -> None:
    anonymous = {k: v for k, v in event(user_id="77").items() if k != "identity"}
    post(heap, "/api/track", {"app_id": "11", "events": [anonymous]})
    body = {"app_id": "11", "user_id": "77", "identity": "a@b.example"}
    assert post(heap, "/api/v1/identify", body).status_code == 200
    (migration,) = heap.store("11").connect("user_migrations")
    (user,) = heap.store("11").connect("users")
    assert (migration["from_user_id"], migration["to_user_id"]) == (77, user["user_id"])
    assert heap.snapshot("11")["events"][0][0] == "a@b.example"


def test_the_store_reads_like_heap_connect(heap: Sandbox, tmp_path: Path) -> None:
    post(heap, "/api/track", {"app_id": "11", "events": [event(properties={"publish_key": "k1"})]})
    answer = httpx.get(heap.url + "/connect/all_events", params={"app_id": "11"}).json()
    assert answer[0]["event_table_name"] == "cio_sent"
    heap.dump(tmp_path / "heap", "11")
    with duckdb.connect() as connection:
        found = connection.execute(
            f"""
            select users.identity, library, publish_key, events.time
            from '{tmp_path}/heap/cio_sent.parquet' as events
            inner join '{tmp_path}/heap/users.parquet' as users using (user_id)
            inner join '{tmp_path}/heap/sessions.parquet' as sessions using (session_id)
            """
        ).fetchall()
        migrations = connection.execute(f"from '{tmp_path}/heap/user_migrations.parquet'")
        assert migrations.fetchall() == []
    assert found == [("a@b.example", "server", "k1", datetime(2026, 1, 1))]


def test_deletion_wants_a_fresh_token_and_ends_complete(heap: Sandbox) -> None:
    post(heap, "/api/track", {"app_id": "11", "events": [event()]})
    api = heap.url + "/api/public/v0"
    assert httpx.post(api + "/auth_token", auth=("11", "wrong")).status_code == 401
    basic = base64.b64encode(b"11:sandbox-key").decode()
    token = httpx.post(api + "/auth_token", headers={"Authorization": f"Basic {basic}"}).json()
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    users = {"users": [{"identity": "a@b.example"}]}
    Wall.now += timedelta(minutes=5)
    assert httpx.post(api + "/user_deletion", json=users, headers=bearer).status_code == 401
    Wall.now -= timedelta(minutes=1)
    many = {"users": [{"identity": str(i)} for i in range(10_001)]}
    assert httpx.post(api + "/user_deletion", json=many, headers=bearer).status_code == 400
    answer = httpx.post(api + "/user_deletion", json=users, headers=bearer)
    assert (answer.status_code, answer.json()["status"]) == (201, "pending")
    number = answer.json()["deletion_request_id"]
    seen = [
        httpx.get(f"{api}/deletion_status/{number}", headers=bearer).json()["status"]
        for _ in range(3)
    ]
    assert seen == ["pending", "pending", "complete"]
    assert httpx.get(f"{api}/deletion_status/99", headers=bearer).status_code == 404
    assert heap.snapshot("11") == {"users": [], "events": []}


def test_faults_on_request(heap: Sandbox) -> None:
    admin = heap.url + "/admin/faults"
    assert httpx.post(admin, json={"kind": "nonsense"}).status_code == 400
    httpx.post(admin, json={"kind": "error", "times": 1})
    assert post(heap, "/api/track", {"app_id": "11", "events": [event()]}).status_code == 500
    for kind, stored in (("reset", 0), ("commit_then_reset", 1)):
        heap.inject(Fault(kind))
        with pytest.raises(httpx.TransportError):
            post(heap, "/api/track", {"app_id": "11", "events": [event()]})
        assert len(heap.store("11").events) == stored
    heap.inject(Fault("drop_rows"))
    two = [event(idempotency_key="key-000002"), event(idempotency_key="key-000003")]
    assert post(heap, "/api/track", {"app_id": "11", "events": two}).status_code == 200
    assert len(heap.store("11").events) == 2
    assert httpx.get(admin).json() == []


def test_the_help_of_the_sandbox_names_both_that_it_plays() -> None:
    said = CliRunner().invoke(app, ["sandbox", "--help"]).output
    assert "local Heap" in said
    assert "local Customer.io" in said

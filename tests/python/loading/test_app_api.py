"""Merges from the App API: real HTTP to a small server that answers as the App API documents."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest
from network_guard import Guarded
from pydantic import SecretStr
from typer.testing import CliRunner

from cli import app
from pipelines import http
from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.road import load_exports
from pipelines.settings import PROJECT_DIR, Settings

KEY = "a-key-nobody-may-see"


@dataclass
class AppApi:
    """Pages of two, a cursor, a bearer key; `answers` come first, one status a call."""

    activities: list[dict[str, Any]]
    deleted: list[dict[str, Any]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    next: str = ""
    url: str = ""

    def answer(self, path: str, key: str) -> tuple[int, object]:
        if self.answers:
            return self.answers.pop(0), {}
        if key != f"Bearer {KEY}":
            return 401, {"errors": [{"detail": "unauthorized"}]}
        parts = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path != "/v1/activities":
            return 404, {}
        self.asked.append(asked)
        known = self.deleted if asked["deleted"] == "true" else self.activities
        known = [activity for activity in known if activity["type"] == asked["type"]]
        start = int(asked.get("start", 0))
        following = self.next or (str(start + 2) if start + 2 < len(known) else "")
        return 200, {"activities": known[start : start + 2], "next": following}


def merge(number: int) -> dict[str, Any]:
    return {
        "id": f"01M{number}",
        "type": "profile_merge",
        "timestamp": 1_767_225_600 + number,
        "customer_identifiers": {"cio_id": f"kept{number}", "email": None, "id": None},
        "data": {"primary": {"cio_id": f"kept{number}"}, "secondary": {"cio_id": f"gone{number}"}},
    }


@pytest.fixture
def app_api() -> Iterator[AppApi]:
    api = AppApi(
        activities=[
            *(merge(number) for number in range(5)),
            {**merge(9), "type": "profile_create"},
        ],
        deleted=[merge(4), merge(5)],
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = api.answer(self.path, self.headers.get("Authorization", ""))
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield api
        server.shutdown()


@pytest.fixture
def asking(settings: Settings, app_api: AppApi, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(http, "FIRST_PAUSE_SECONDS", 0.01)
    return settings.model_copy(
        update={"app_api_key": SecretStr(KEY), "customerio_url": app_api.url}
    )


def activities(settings: Settings) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.raw_path), read_only=True) as raw:
        found: list[tuple[Any, ...]] = raw.execute(
            "select workspace_id, activity_id, activity_type, json_extract_string(data,"
            " '$.secondary.cio_id') from customerio.activities order by all"
        ).fetchall()
    return found


def test_every_merge_of_every_page_is_loaded_once(asking: Settings, app_api: AppApi) -> None:
    console = Console(as_json=True)
    load_exports(asking, console, [], app_api_workspace=7)
    expected = [(7, f"01M{number}", "profile_merge", f"gone{number}") for number in range(6)]
    assert activities(asking) == expected
    assert console.result["activities"] == 6
    assert {asked["deleted"] for asked in app_api.asked} == {"false", "true"}
    assert {asked["type"] for asked in app_api.asked} == {"profile_merge"}

    load_exports(asking, Console(as_json=True), [], app_api_workspace=7)
    assert activities(asking) == expected, "the same answer is a known file"
    assert [path.name for path in asking.home.iterdir() if "app_api" in path.name] == []


def test_asking_reaches_the_app_api_and_nobody_else(app_api: AppApi, tmp_path: Path) -> None:
    guarded = Guarded(tmp_path, "127.0.0.1")
    done = guarded.run(
        str(PROJECT_DIR / "cli.py"),
        *("load", "--app-api", "7"),
        COUNTERFOIL_HOME=str(tmp_path / "home"),
        CUSTOMERIO_URL=app_api.url,
        CUSTOMERIO_APP_API_KEY=KEY,
    )
    assert done.returncode == 0, done.stderr
    assert app_api.asked
    assert guarded.reached() == []
    assert guarded.held() == guarded.before


def test_exports_and_merges_are_loaded_together(asking: Settings, tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    (export / "webhooks.jsonl").write_text(
        json.dumps({"event_id": "E1", "metric": "sent", "timestamp": 1_613_063_089, "data": {}})
    )
    load_exports(asking, Console(as_json=True), [str(export)], app_api_workspace=7)
    with duckdb.connect(str(asking.raw_path), read_only=True) as raw:
        families = raw.execute("select family, count(*) from loads.files group by 1 order by 1")
        assert families.fetchall() == [("activities", 1), ("webhooks", 1)]


def test_a_busy_app_api_is_asked_again(asking: Settings, app_api: AppApi) -> None:
    app_api.answers = [429, 503]
    load_exports(asking, Console(as_json=True), [], app_api_workspace=7)
    assert len(activities(asking)) == 6


def test_an_answer_without_activities_is_not_read_as_no_merges(
    asking: Settings, app_api: AppApi
) -> None:
    app_api.answers = [200]
    with pytest.raises(CounterfoilError, match="not the documented one"):
        load_exports(asking, Console(as_json=True), [], app_api_workspace=7)


def test_pages_that_lead_in_a_circle_are_left(asking: Settings, app_api: AppApi) -> None:
    app_api.next = "2"
    with pytest.raises(CounterfoilError, match="not the documented one"):
        load_exports(asking, Console(as_json=True), [], app_api_workspace=7)
    assert len(app_api.asked) == 2


def test_no_merges_are_no_file(asking: Settings, app_api: AppApi) -> None:
    app_api.activities, app_api.deleted = [], []
    console = Console(as_json=True)
    load_exports(asking, console, [], app_api_workspace=7)
    assert console.result["activities"] == 0


@pytest.mark.parametrize(
    ("settled", "error", "sentence"),
    [
        ({"app_api_key": None}, UsageError, "CUSTOMERIO_APP_API_KEY is not set"),
        ({"app_api_key": SecretStr("wrong")}, UsageError, "does not accept CUSTOMERIO_APP_API_KEY"),
        ({"customerio_url": None}, UsageError, "CUSTOMERIO_REGION must be us or eu"),
        ({"customerio_url": "http://127.0.0.1:9"}, CounterfoilError, "cannot be reached"),
    ],
)
def test_what_goes_wrong_is_said(
    asking: Settings, settled: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    settings = asking.model_copy(update=settled)
    with pytest.raises(error, match=sentence) as raised:
        load_exports(settings, Console(as_json=True), [], app_api_workspace=7)
    assert KEY not in str(raised.value)
    assert "wrong" not in str(raised.value)


def test_the_command_wants_something_to_load(asking: Settings) -> None:
    result = CliRunner().invoke(app, ["load"], env={"COUNTERFOIL_HOME": str(asking.home)})
    assert result.exit_code == 2
    assert "--app-api" in result.output


def test_the_command_asks(asking: Settings, app_api: AppApi) -> None:
    environment = {
        "COUNTERFOIL_HOME": str(asking.home),
        "CUSTOMERIO_APP_API_KEY": KEY,
        "CUSTOMERIO_URL": app_api.url,
    }
    result = CliRunner().invoke(app, ["load", "--app-api", "7", "--json"], env=environment)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["activities"] == 6
    assert KEY not in result.output

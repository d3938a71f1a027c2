"""A published definition never changes in place: the lock, and what a definition must say."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from segment_world import copy_project

from pipelines import warehouse
from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.segments.lock import LOCK_PATH, lock_segments, read_lock
from pipelines.segments.scaffold import new_segment
from pipelines.settings import PROJECT_DIR, Settings

CART = "models/segments/cart_abandoner/cart_abandoner_v1.sql"
SHARED = "models/segments/workings/int_segments__order_values.sql"


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings.model_validate({"COUNTERFOIL_HOME": tmp_path_factory.mktemp("home")})


@pytest.fixture
def project(copied: Path) -> Iterator[Path]:
    """The copy, put back as it was afterwards."""
    before = {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()}
    yield copied
    for path in [path for path in copied.rglob("*") if path.is_file()]:
        if path not in before:
            path.unlink()
    for path, content in before.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_bytes() != content:
            path.write_bytes(content)


def edit(project: Path, path: str, old: str, new: str) -> None:
    text = (project / path).read_text(encoding="utf-8")
    assert old in text
    (project / path).write_text(text.replace(old, new, 1), encoding="utf-8")


@dataclass
class Start:
    """What the check that every build begins with said."""

    problems: str
    warnings: str


def start_of_build(settings: Settings, project: Path) -> Start:
    said: dict[str, list[str]] = {"error": [], "warn": []}

    def listen(event: Any) -> None:
        said.get(event.info.level, []).append(event.info.msg)

    aside = settings.model_copy(update={"home": settings.home / "definitions"})
    aside.home.mkdir(parents=True, exist_ok=True)
    if not (aside.home / "raw.duckdb").exists():
        duckdb.connect(str(aside.home / "raw.duckdb")).close()
    try:
        warehouse.invoke(
            aside,
            project / "seeds",
            ["run-operation", "check_segments"],
            on_event=listen,
            project=project,
        )
    except CounterfoilError:
        assert said["error"]
    return Start("\n".join(said["error"]), "\n".join(said["warn"]))


def test_every_version_ships_locked(settings: Settings, project: Path) -> None:
    summary = lock_segments(settings, Console(as_json=True), check=True, project=project)
    assert len(summary.unchanged) >= 7
    assert list(read_lock(project / LOCK_PATH)) == sorted(read_lock(project / LOCK_PATH))
    assert start_of_build(settings, project).problems == ""


COMMENTS = {
    "line comment": (CART, "with\n", "-- it's only said differently\nwith\n"),
    "jinja comment": (CART, "with\n", "{# it's only said differently #}\nwith\n"),
    "block comment": (CART, "with\n", "/* it's only said differently */\nwith\n"),
    "layout": (CART, '{{ stays_from("spans") }}', '{{\n    stays_from( "spans" )\n}}'),
    "comment of a macro": ("macros/segments/stays_from.sql", "CTEs that end in", "CTEs ending in"),
    "comment of a var": ("dbt_project.yml", "# vip, and", "# the vip, and"),
    "words in the yml": (
        "models/segments/vip/vip.yml",
        "Customers of high lifetime value.",
        "Customers of high value.",
    ),
}


def test_a_comment_passes(settings: Settings, project: Path) -> None:
    for path, old, new in COMMENTS.values():
        edit(project, path, old, new)
    lock_segments(settings, Console(as_json=True), check=True, project=project)
    assert start_of_build(settings, project).problems == ""


CHANGES = [
    # one character, or one name, in each place that logic can stand
    ("models/segments/vip/vip_v1.sql", "lifetime_value >= ", "lifetime_value > "),
    ("dbt_project.yml", "winback_from_days: 60", "winback_from_days: 61"),
    ("dbt_project.yml", "coffee: 28", "coffee: 29"),
    ("macros/segments/left_without.sql", "next_moment_at >= ", "next_moment_at > "),
    ("macros/cross_db/local_day_start.sql", "timezone('UTC', ", "timezone('GMT', "),
    (SHARED, "value_behavior = 'order_placed'", "value_behavior = 'order_paid'"),
    (CART, "with\n", "-- {% set spans = 1 %}\nwith\n"),
    (
        "models/segments/high_intent_abandoner/high_intent_abandoner_v1.sql",
        '"shipping_viewed"',
        '"--shipping_viewed"',
    ),
]


def test_a_change_fails_and_names_the_way_out(settings: Settings, project: Path) -> None:
    for path, old, new in CHANGES:
        edit(project, path, old, new)
    problems = start_of_build(settings, project).problems
    changed = dict(
        re.findall(r"(\w+_v1) is locked and its logic has changed \((.*?)\): undo", problems)
    )
    assert "file models/segments/vip/vip_v1.sql" in changed["vip_v1"]
    assert "var winback_from_days from 60 to 61" in changed["winback_eligible_v1"]
    assert "var replenishment_gap_days" in changed["replenishment_window_v1"]
    assert "macro duckdb__local_day_start" in changed["replenishment_window_v1"]
    assert f"file {SHARED}" in changed["churn_risk_v1"]
    assert changed["cart_abandoner_v1"] == f"file {CART}, macro left_without"
    assert "high_intent_abandoner_v1.sql" in changed["high_intent_abandoner_v1"]
    assert "`counterfoil segments new vip --from 1`" in problems


def test_segments_lock_refuses_to_overwrite(settings: Settings, project: Path) -> None:
    lock = (project / LOCK_PATH).read_text(encoding="utf-8")
    shipped = read_lock(project / LOCK_PATH)["winback_eligible_v1"].get("accepted", [])
    edit(project, "dbt_project.yml", "winback_to_days: 90", "winback_to_days: 91")
    with pytest.raises(CounterfoilError, match=r"var winback_to_days from 90 to 91.*segments new"):
        lock_segments(settings, Console(as_json=True), project=project)
    assert (project / LOCK_PATH).read_text(encoding="utf-8") == lock
    with pytest.raises(UsageError, match="--because"):
        lock_segments(
            settings, Console(as_json=True), accept=["winback_eligible_v1"], project=project
        )
    lock_segments(
        settings,
        Console(as_json=True),
        accept=["winback_eligible_v1"],
        because="nobody was ever told",
        project=project,
    )
    entry = read_lock(project / LOCK_PATH)["winback_eligible_v1"]
    assert entry["accepted"] == [*shipped, "nobody was ever told"]
    assert start_of_build(settings, project).problems == ""


def test_plain_dbt_from_elsewhere_is_refused_too(
    settings: Settings, project: Path, tmp_path: Path
) -> None:
    duckdb.connect(str(tmp_path / "raw.duckdb")).close()

    def dbt() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                Path(sys.executable).with_name("dbt"),
                *("seed", "--select", "workspaces"),
                *("--project-dir", project, "--profiles-dir", project),
            ],
            cwd=tmp_path,
            env={
                **os.environ,
                "COUNTERFOIL_HOME": str(tmp_path),
                "COUNTERFOIL_SEEDS": "seeds",
                "DBT_TARGET_PATH": str(tmp_path / "target"),
                "DBT_LOG_PATH": str(tmp_path / "logs"),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    first = dbt()
    assert first.returncode == 0, first.stdout
    edit(project, "dbt_project.yml", "vip_lifetime_value: 500", "vip_lifetime_value: 501")
    refused = dbt()
    assert refused.returncode != 0
    assert "vip_v1 is locked and its logic has changed" in refused.stdout
    assert "counterfoil segments new vip --from 1" in refused.stdout


INCOMPLETE = {
    "vip": ("motion: loyalty", "motion: null", "lacks motion"),
    "churn_risk": ("owner: Retention", "owner: null", "lacks owner"),
    "cart_abandoner": ("cadence: realtime", "cadence: sometimes", "cadence is realtime, hourly or"),
    "replenishment_window": ("service_level: by", "was: by", "lacks service_level"),
    "winback_eligible": ("valid_to: null", "valid_to: 2020-01-01", "must lie after valid_from"),
    "first_time_buyer_delivered": (
        "The first order has been delivered and there is no second one. Leaves with the second "
        "order, or when day 45 after the day of delivery begins.",
        "Orders so far are worth 500 or more!",
        "",
    ),
}


def test_a_definition_is_complete_and_said_once(settings: Settings, project: Path) -> None:
    for key, (old, new, _) in INCOMPLETE.items():
        edit(project, f"models/segments/{key}/{key}.yml", old, new)
    problems = start_of_build(settings, project).problems
    for key, (_, _, sentence) in INCOMPLETE.items():
        assert re.search(rf"{key}_v1: .*{sentence}", problems) or not sentence, problems
    assert "vip_v1 says the same as first_time_buyer_delivered_v1 (rule in words)" in problems


def test_the_budget_refuses_above_and_warns_below(settings: Settings, project: Path) -> None:
    def declare(least: int, most: int, override: str) -> Start:
        text = (PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8")
        text = re.sub(r"(segment_budget:).*", rf"\1 {{least: {least}, most: {most}}}", text)
        text = re.sub(r"(segment_budget_override:).*", rf"\1 {override}", text)
        (project / "dbt_project.yml").write_text(text, encoding="utf-8")
        return start_of_build(settings, project)

    low = declare(8, 10, "null")
    assert low.problems == ""
    assert "Only 7 segment versions are exported" in low.warnings
    granted = declare(5, 6, "{most: 8, owner: Retention, expires_on: 2099-01-01}")
    assert granted.problems == ""
    expired = declare(5, 6, "{most: 8, owner: Retention, expires_on: 2026-01-01}")
    assert "7 segment versions are exported and 6 are allowed" in expired.problems
    nobody = declare(5, 6, "{most: 8, expires_on: 2099-01-01}")
    assert "needs most, owner and expires_on" in nobody.problems


def test_a_new_version_is_united_locked_and_new(settings: Settings, project: Path) -> None:
    new_segment(Console(as_json=True), "vip", project=project)
    fresh = start_of_build(settings, project)
    assert fresh.problems == ""
    assert "vip_v2 is not locked yet" in fresh.warnings
    edit(project, "models/segments/vip/vip.yml", "is_exported: false", "is_exported: true")
    edit(
        project,
        "models/segments/fct_segment_memberships.sql",
        '-- depends_on: {{ ref("vip", v=2) }}\n',
        "",
    )
    exported = start_of_build(settings, project).problems
    assert "vip_v2 says the same as vip_v1 (logic)" in exported
    assert "vip_v2 is exported but not locked" in exported
    assert "vip_v2 is not united: add the line" in exported


def test_a_locked_version_cannot_just_go(settings: Settings, project: Path) -> None:
    shutil.rmtree(project / "models/segments/vip")
    edit(
        project,
        "models/segments/fct_segment_memberships.sql",
        '-- depends_on: {{ ref("vip", v=1) }}\n',
        "",
    )
    assert "vip_v1 is locked and gone" in start_of_build(settings, project).problems
    forgotten = lock_segments(
        settings, Console(as_json=True), forget=["vip_v1"], because="a trial", project=project
    )
    assert forgotten.forgotten == ("vip_v1",)
    assert "vip_v1" not in read_lock(project / LOCK_PATH)


def test_a_retired_version_keeps_its_column_and_nobody_is_in_it(
    settings: Settings, project: Path
) -> None:
    edit(project, "models/segments/vip/vip.yml", "valid_to: null", "valid_to: 2026-03-01")
    aside = settings.model_copy(update={"home": settings.home / "definitions"})

    def retired(as_of: str) -> dict[str, bool]:
        (result,) = warehouse.invoke(
            aside,
            project / "seeds",
            [
                *("compile", "--vars", f'{{"as_of": "{as_of}"}}'),
                *("--inline", "{{ tojson(exported_segment_columns()) }}"),
            ],
            project=project,
        )
        columns = json.loads(result.node.compiled_code)
        return {column["property_name"]: column["is_retired"] for column in columns}

    before, after = retired("2026-02-28 23:59:59"), retired("2026-03-01T00:00:00")
    assert list(before) == list(after)
    assert not any(before.values())
    assert [name for name, is_retired in after.items() if is_retired] == ["cio_seg_vip_v1"]

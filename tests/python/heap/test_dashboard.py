"""The dashboard in Heap: its page names only what is sent, and its trap is one."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from publisher_home import FAST, Home

from pipelines.heap.publish import publish
from pipelines.sandbox import Sandbox
from pipelines.settings import PROJECT_DIR

PAGE = PROJECT_DIR / "docs" / "heap-dashboard.md"
TILES = 5
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
SPAN = re.compile(r"`(\w+)`")
KEYS = {"publish_key", "heap_identity", "person_id", "occurred_at"}


def text() -> str:
    return PAGE.read_text(encoding="utf-8")


def tiles(page: str) -> dict[str, list[tuple[str, str]]]:
    """The rows of each numbered section, by its heading."""
    parts = re.split(r"^## ", page, flags=re.MULTILINE)[1:]
    return {part.splitlines()[0]: ROW.findall(part) for part in parts if re.match(r"\d\. ", part)}


def sent() -> dict[str, dict[str, dict[str, Any]]]:
    """What leaves: event, or `user`, with its properties and how their columns are declared."""
    found = {}
    for path in (PROJECT_DIR / "models" / "heap").glob("*.yml"):
        for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
            meta = model["config"].get("meta", {}).get("heap")
            if meta:
                columns = {column["name"]: column for column in model["columns"]}
                found[meta.get("event") or "user"] = {
                    name: column for name, column in columns.items() if name not in KEYS
                }
    return found


def behaviors() -> set[str]:
    with (PROJECT_DIR / "seeds" / "behavior_map.csv").open(encoding="utf-8") as rows:
        return {row["behavior"] for row in csv.DictReader(rows)}


def wrong(page: str) -> Iterator[str]:
    """Names on the page that nothing sends."""
    leaves = sent()
    for heading, rows in tiles(page).items():
        events = [SPAN.findall(cell)[0] for what, cell in rows if what.endswith(" Event")]
        events += [SPAN.findall(cell)[0] for what, cell in rows if what == "Event"]
        yield from (f"{heading}: no event {name}" for name in events if name not in leaves)
        yield from (
            f"{heading}: no behavior {name}"
            for what, cell in rows
            if what.endswith("Site event")
            for name in SPAN.findall(cell)
            if name not in behaviors()
        )
        step = events[0]
        for what, cell in rows:
            if what.endswith("Event"):
                step = SPAN.findall(cell)[0]
            elif "Where" in what or "roup by" in what or what == "Hold constant":
                of = [step] if "Where" in what else events
                yield from _wrong_property(heading, cell, of, leaves)
    known = {name for properties in leaves.values() for name in properties} | set(leaves)
    yield from (
        f"nothing sends {name}" for name in re.findall(r"`(cio_\w+)`", page) if name not in known
    )


def _wrong_property(
    heading: str, cell: str, events: list[str], leaves: dict[str, dict[str, dict[str, Any]]]
) -> Iterator[str]:
    (name,) = SPAN.findall(cell)
    for event in events:
        column = leaves.get(event, {}).get(name)
        if column is None:
            yield f"{heading}: {event} has no {name}"
            continue
        for test in column.get("data_tests", []):
            if "accepted_values" in test:
                values = test["accepted_values"]["arguments"]["values"]
                said = re.findall("“(.*?)”", cell)
                yield from (f"{heading}: {name} is never {v}" for v in said if v not in values)


def test_every_name_of_the_page_is_sent() -> None:
    assert list(wrong(text())) == []
    assert [heading[:2] for heading in tiles(text())] == [f"{n}." for n in range(1, TILES + 1)]
    assert all(
        {"Analyze", "Save as"} <= {what for what, _ in rows} for rows in tiles(text()).values()
    )


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("| Event | `cio_message_sent` |", "| Event | `cio_shown` |", "2. Exposure: no event"),
        ("| Group by | `channel` |\n| Sec", "| Group by | `link_id` |\n| Sec", "has no link_id"),
        ("`click_kind` is “human”", "`click_kind` is “machine”", "click_kind is never machine"),
        ("`shipping_viewed`", "`shipping_seen`", "no behavior shipping_seen"),
        ("`cio_seg_cart_abandoner_v1`", "`cio_seg_cart_abandoner`", "nothing sends cio_seg_cart_"),
    ],
)
def test_each_kind_of_wrong_name_is_noticed(old: str, new: str, problem: str) -> None:
    assert old in text()
    assert any(problem in one for one in wrong(text().replace(old, new, 1)))


def ask(heap: Sandbox, folder: Path, statement: str) -> int:
    """What Heap Connect answers: the store of the local Heap, as it would be dropped."""
    with duckdb.connect() as db:
        for path in heap.dump(folder):
            db.execute(f"create view {path.stem} as from read_parquet('{path}')")
        ((answer,),) = db.execute(statement).fetchall()
    return int(answer)


def test_a_user_property_bends_the_past_and_a_stamp_does_not(tmp_path: Path, heap: Sandbox) -> None:
    """Ten messages of January, six to people then in the segment; the page's two queries twice.

    By 1 March four other people are in it, by 1 April nobody: what a real publish told the local
    Heap of January is the same, and only the stamp says so.
    """
    home = Home(tmp_path / "home", heap.url)
    home.sent(10, people=10)
    home.sql(
        "update heap.heap_cio_message_sent set segments = case when person_id in "
        "('person0', 'person1', 'person2', 'person3', 'person4', 'person5') then 'cart_v1' end"
    )
    by_stamp, by_property = re.findall(r"^```sql\n(.*?)^```", text(), re.DOTALL | re.MULTILINE)
    answers = {by_stamp: [], by_property: []}  # type: dict[str, list[int]]
    for now, members in (("2026-03-01", "6, 7, 8, 9"), ("2026-04-01", "null")):
        home.built(datetime.fromisoformat(now))
        home.users(10)
        home.sql(
            "update heap.heap_user_properties set cio_seg_cart_v1 = "
            f"coalesce(cast(replace(person_id, 'person', '') as integer) in ({members}), false)"
        )
        publish(home.settings, home.console, limits=FAST)
        for statement, found in answers.items():
            # the segment of the small home is called otherwise
            asked = statement.replace("cart_abandoner_v1", "cart_v1")
            found.append(ask(heap, tmp_path / now, asked))
    assert answers == {by_stamp: [6, 6], by_property: [4, 0]}
    for said, found in (("event", answers[by_stamp]), ("user", answers[by_property])):
        assert f"| by the {said}'s property | {found[0]} | {found[1]} |" in text()
    assert len(heap.store().connect("cio_message_sent")) == 10

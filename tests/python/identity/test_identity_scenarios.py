"""Identity stories, replayed day by day, at once and backwards: the same persons each time.

The stories are data: `tests/scenarios/identity/stories.yml`. Real loader, real build.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import PROVE
from identity_stories import (
    BASE,
    DAYS,
    EPOCH,
    Story,
    instant,
    read_stories,
    write_day,
    write_registries,
)
from parts import build_part

from pipelines.console import Console
from pipelines.loading import load
from pipelines.settings import PROJECT_DIR, Settings

STORIES = read_stories()
MARTS = [
    "map_identifiers",
    "dim_persons",
    "fct_identity_changes",
    "fct_identity_links",
    "fct_identity_populations",
    "fct_identity_match_rate",
    "fct_identity_refused_links",
]
SELECTION = " ".join(f"+{name}" for name in (*MARTS, "int_identity__behavior_events"))
COMPARED = {
    "marts.map_identifiers": "learned_at",
    "marts.dim_persons": None,
    "marts.fct_identity_changes": None,
    "marts.fct_identity_links": "learned_at",
    "marts.fct_identity_refused_links": "learned_at",
    "marts.fct_identity_populations": None,
    "identity.int_identity__profiles": None,
    "identity.int_identity__components": None,
    "identity.int_identity__behavior_events": None,
}

Rows = dict[str, list[tuple[Any, ...]]]


def settings_in(folder: Path) -> Settings:
    return Settings(_env_file=None).model_copy(  # type: ignore[call-arg]
        update={"home": folder}
    )


def build_day(settings: Settings, registries: Path, day: int, *, full: bool = False) -> None:
    """The laws are held at the last day, and at full count at every one of them."""
    is_tested = PROVE or (day == DAYS[-1] and full)
    build_part(
        settings,
        instant(day + 1),
        SELECTION,
        registries=registries,
        is_tested=is_tested,
        full_refresh=full,
    )


def rows_of(settings: Settings) -> Rows:
    """Every compared relation, sorted, without the time we learned of things."""
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        found: Rows = {}
        for relation, unseen in COMPARED.items():
            columns = f"* exclude ({unseen})" if unseen else "*"
            found[relation] = sorted(
                connection.execute(f"select {columns} from {relation}").fetchall(), key=repr
            )
        return found


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rows]:
    """Each replay's rows: by day (`day 1` ... and `by day`), `at once`, and `backwards`."""
    folder = tmp_path_factory.mktemp("stories")
    registries = write_registries(folder / "registries", STORIES, PROJECT_DIR / "seeds")
    exports = {day: str(write_day(folder / "export", STORIES, day)) for day in DAYS}
    console = Console(as_json=True)
    rows: dict[str, Rows] = {}

    by_day = settings_in(folder / "by_day")
    for day in DAYS:
        assert load([exports[day]], by_day, console).failure is None
        build_day(by_day, registries, day)
        rows[f"day {day}"] = rows_of(by_day)
    rows["by day"] = rows[f"day {DAYS[-1]}"]

    backwards = settings_in(folder / "backwards")
    for day in reversed(DAYS):
        assert load([exports[day]], backwards, console).failure is None
    build_day(backwards, registries, DAYS[-1])
    rows["backwards"] = rows_of(backwards)

    build_day(by_day, registries, DAYS[-1], full=True)
    rows["at once"] = rows_of(by_day)
    return rows


@pytest.mark.parametrize("other", ["at once", "backwards"])
@pytest.mark.parametrize("relation", COMPARED)
def test_every_road_leads_to_the_same_rows(
    replay: dict[str, Rows], relation: str, other: str
) -> None:
    assert replay[other][relation] == replay["by day"][relation]


def told(stories: list[Story], key: str) -> list[Any]:
    """Stories that expect something of this kind, as test parameters."""
    return [pytest.param(story, id=story.name) for story in stories if key in story.expect]


def persons_of(rows: Rows, story: Story) -> dict[str, str]:
    return {
        cio_id: person_id
        for workspace, cio_id, person_id in rows["identity.int_identity__profiles"]
        if workspace == story.workspace
    }


def told_by_day() -> list[Any]:
    """Each story with each day of which it says who is who."""
    return [
        pytest.param(story, day, id=f"{story.name}-{day}")
        for story in STORIES
        for day in DAYS
        if story.persons(day) is not None
    ]


@pytest.mark.parametrize(("story", "day"), told_by_day())
def test_persons(replay: dict[str, Rows], story: Story, day: int) -> None:
    groups = story.persons(day) or []
    expected = {story.profile(name): story.person(group[0]) for group in groups for name in group}
    assert persons_of(replay[f"day {day}"], story) == expected, story.told["tells"]


@pytest.mark.parametrize("story", told(STORIES, "map"))
def test_map(replay: dict[str, Rows], story: Story) -> None:
    persons = persons_of(replay["by day"], story)
    for identifier, holders in story.expect["map"].items():
        kind, _, value = str(identifier).partition(" ")
        written = story.profile(value) if kind == "cio_id" else story.own(value)
        if kind == "heap_user_id":
            written = value
        starts = [EPOCH, *(instant(day) for day in holders[1::2])]
        ends = [*(instant(day) for day in holders[1::2]), None]
        expected = [
            (persons[story.profile(name)], start, end)
            for name, start, end in zip(holders[::2], starts, ends, strict=False)
        ]
        found = sorted(
            (
                (row[3], row[5], row[6])
                for row in replay["by day"]["marts.map_identifiers"]
                if row[:3] == (story.workspace, kind, written)
            ),
            key=lambda row: row[1],
        )
        assert found == expected, identifier


@pytest.mark.parametrize("story", told(STORIES, "refused"))
def test_refused(replay: dict[str, Rows], story: Story) -> None:
    for identifier, reason in story.expect["refused"].items():
        kind, _, value = str(identifier).partition(" ")
        written = story.profile(value) if kind == "cio_id" else story.own(value)
        reasons = {
            row[5]
            for row in replay["by day"]["marts.fct_identity_refused_links"]
            if row[:3] == (story.workspace, kind, written)
        }
        assert reasons == {reason}, identifier


PLACES = {"identity": 4, "status": 6, "refusal": 7, "publishable": 10}


@pytest.mark.parametrize(
    ("key", "story"),
    [
        pytest.param(key, story, id=f"{key}-{story.name}")
        for key in PLACES
        for story in STORIES
        if key in story.expect
    ],
)
def test_person(replay: dict[str, Rows], story: Story, key: str) -> None:
    persons = persons_of(replay["by day"], story)
    rows = {row[0]: row for row in replay["by day"]["marts.dim_persons"]}
    for name, value in story.expect[key].items():
        expected = story.own(value) if key == "identity" else value
        assert rows[persons[story.profile(name)]][PLACES[key]] == expected, name


@pytest.mark.parametrize("story", told(STORIES, "events"))
def test_events(replay: dict[str, Rows], story: Story) -> None:
    persons = persons_of(replay["by day"], story)
    rows = {row[0]: row for row in replay["by day"]["identity.int_identity__behavior_events"]}
    for event, name in story.expect["events"].items():
        row = rows[f"{story.number}-{event}"]
        assert row[2] == (persons[story.profile(name)] if name else None), event
        assert (row[2] is None) == (row[-1] is not None), event


@pytest.mark.parametrize("story", told(STORIES, "links"))
def test_links(replay: dict[str, Rows], story: Story) -> None:
    found = [
        row for row in replay["by day"]["marts.fct_identity_links"] if row[0] == story.workspace
    ]
    assert sorted(row[4] for row in found) == story.expect["links"]


@pytest.mark.parametrize("story", told(STORIES, "changes"))
def test_changes(replay: dict[str, Rows], story: Story) -> None:
    names = {story.person(name): name for name in "abcdefgh"}
    found = []
    for workspace, change, person, other, _, _, changed_at in replay["by day"][
        "marts.fct_identity_changes"
    ]:
        if workspace == story.workspace and change != "created":
            day = (changed_at - BASE).total_seconds() / 86_400
            first, second, word = (
                (other, person, "into") if change == "merged" else (person, other, "from")
            )
            found.append(f"{change} {names[first]} {word} {names[second]} on {day:g}")
    assert sorted(found) == sorted(story.expect["changes"])


def test_there_are_enough_stories() -> None:
    assert len(STORIES) >= 25
    assert len({story.name for story in STORIES}) == len(STORIES)

"""The materialization: any links, coming and going, give what scipy and a rebuild give."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import duckdb
import pytest
from conftest import PROVE
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pipelines.errors import CounterfoilError
from pipelines.settings import PROJECT_DIR, Settings
from pipelines.warehouse import invoke

PROJECT = PROJECT_DIR / "tests" / "bench" / "components"
ROUNDS = 12 if PROVE else 4

Links = set[tuple[str, str]]


def settings_in(folder: Path) -> Settings:
    return Settings(_env_file=None).model_copy(update={"home": folder})  # type: ignore[call-arg]


def give(settings: Settings, links: Links, new: Links | None = None) -> None:
    settings.home.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(settings.raw_path)) as connection:
        connection.execute("create schema if not exists links")
        for table, rows in (("all_links", links), ("new_links", new or set())):
            connection.execute(
                f"create or replace table links.{table} (left_id varchar, right_id varchar)"
            )
            if rows:
                connection.executemany(f"insert into links.{table} values (?, ?)", sorted(rows))


def run(
    settings: Settings, *, links: str = "all", full: bool = False, project: Path = PROJECT
) -> dict[str, int]:
    arguments = ["run", "--vars", f'{{"links": "{links}"}}', *(["--full-refresh"] if full else [])]
    invoke(settings, project / "seeds", arguments, project=project)
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        rows = connection.execute("select node_id, component_id from main.components").fetchall()
    found: dict[str, int] = dict(rows)
    assert len(found) == len(rows)
    return found


def partition(found: dict[str, int]) -> set[frozenset[str]]:
    groups: dict[int, set[str]] = {}
    for node, component in found.items():
        groups.setdefault(component, set()).add(node)
    return {frozenset(group) for group in groups.values()}


def by_scipy(links: Links) -> set[frozenset[str]]:
    pairs = [pair for pair in links if pair[0] != pair[1]]
    names = sorted({name for pair in pairs for name in pair})
    place = {name: number for number, name in enumerate(names)}
    graph = coo_array(
        ([1] * len(pairs), ([place[a] for a, _ in pairs], [place[b] for _, b in pairs])),
        shape=(len(names), len(names)),
    )
    _, labels = connected_components(graph, directed=False)
    return partition({name: int(labels[place[name]]) for name in names})


def shapes(chance: random.Random) -> Links:
    """A chain of 1,000, a star, a ring, loops, a doubled link, and a random crowd."""
    chain = {(f"chain-{n}", f"chain-{n + 1}") for n in range(1_000)}
    star = {("hub", f"leaf-{n}") for n in range(300)}
    ring = {(f"ring-{n}", f"ring-{(n + 1) % 50}") for n in range(50)}
    loops = {("alone", "alone"), ("ring-1", "ring-0"), ("", "blank"), ("ünï", "ÜNÏ")}
    crowd = {(f"p{chance.randrange(400)}", f"p{chance.randrange(400)}") for _ in range(300)}
    return chain | star | ring | loops | crowd


def test_every_shape_equals_scipy(tmp_path: Path) -> None:
    links = shapes(random.Random(1))
    settings = settings_in(tmp_path)
    give(settings, links)
    assert partition(run(settings)) == by_scipy(links)


def test_links_come_and_go_and_a_patch_equals_a_rebuild(tmp_path: Path) -> None:
    chance = random.Random(2)
    settings, anew = settings_in(tmp_path / "patched"), settings_in(tmp_path / "anew")
    links = shapes(chance)
    give(settings, links)
    run(settings)
    for _ in range(ROUNDS):
        gone = set(chance.sample(sorted(links), chance.choice([0, 1, 40])))
        come = {
            (f"p{chance.randrange(420)}", f"leaf-{chance.randrange(320)}")
            for _ in range(chance.choice([0, 1, 30]))
        }
        links = (links - gone) | come
        give(settings, links)
        patched = run(settings)
        give(anew, links)
        assert patched == run(anew, full=True)
        assert partition(patched) == by_scipy(links)


def test_new_links_alone_patch_as_well(tmp_path: Path) -> None:
    chance = random.Random(3)
    settings, anew = settings_in(tmp_path / "patched"), settings_in(tmp_path / "anew")
    links = shapes(chance)
    give(settings, links)
    run(settings, links="added")
    for day in range(2):
        come = {(f"p{chance.randrange(450)}", f"day-{day}-{n % 7}") for n in range(25)}
        links |= come
        give(settings, links, come)
        patched = run(settings, links="added")
        give(anew, links)
        assert patched == run(anew, full=True)


@pytest.fixture
def colliding(tmp_path: Path) -> Path:
    """The same project on an engine whose hash is the length of a text."""
    project = tmp_path / "tests" / "bench" / "components"
    shutil.copytree(PROJECT, project)
    shutil.copytree(PROJECT_DIR / "macros", tmp_path / "macros")
    hashed = tmp_path / "macros" / "cross_db" / "hash64.sql"
    text = hashed.read_text()
    start = text.index("{% macro duckdb__hash64")
    hashed.write_text(
        text[:start] + "{% macro duckdb__hash64(text) -%} cast(length({{ text }}) as bigint) "
        "{%- endmacro %}\n"
    )
    return project


def test_two_names_of_one_hash_make_no_components(tmp_path: Path, colliding: Path) -> None:
    settings = settings_in(tmp_path / "home")
    give(settings, {("a", "bb"), ("ccc", "dd")})
    with pytest.raises(CounterfoilError, match="share one 63-bit hash"):
        run(settings, project=colliding)


@pytest.mark.parametrize("links", ["all", "added"])
@pytest.mark.parametrize(
    ("came", "collides"),
    [
        ({("ccc", "eeeee"), ("a", "yyyyyy")}, False),
        ({("ccc", "dd")}, True),  # dd meets bb, known before
        ({("ccc", "a"), ("eee", "bb")}, True),  # two new ones
        ({("eeeee", "fffff")}, True),  # the two ends of one link
    ],
)
def test_a_later_run_refuses_two_names_of_one_hash(
    tmp_path: Path, colliding: Path, came: Links, links: str, collides: bool
) -> None:
    settings = settings_in(tmp_path / "home")
    known = {("a", "bb"), ("zzzz", "a")}
    give(settings, known)
    before = run(settings, links=links, project=colliding)
    assert len(set(before.values())) == 1
    give(settings, known | came, came)
    if collides:
        with pytest.raises(CounterfoilError, match="share one 63-bit hash"):
            run(settings, links=links, project=colliding)
    else:
        assert partition(run(settings, links=links, project=colliding)) == by_scipy(known | came)


def test_no_links_at_all(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    give(settings, set())
    assert run(settings) == {}
    give(settings, {("a", "b")})
    assert len(set(run(settings).values())) == 1
    give(settings, set())
    assert run(settings) == {}

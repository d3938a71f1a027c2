"""Each public relation has a query on the page of its domain, and each of these queries runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import yaml
from review_home import built_home

from pipelines.settings import PROJECT_DIR

PAGES = {
    "loads": "loading.md",
    "identity": "identity.md",
    "segments": "segments.md",
    "experiments": "measurement.md",
    "exposure": "exposure.md",
    "heap": "publishing.md",
    "audiences": "audiences.md",
    "insight": "insight.md",
    "review": "review.md",
    "checklist": "checklist.md",
}


def public_relations() -> Iterator[tuple[str, str]]:
    """Domain and name of what others may read: the versions of a segment are read as one."""
    for path in sorted((PROJECT_DIR / "models").rglob("*.yml")):
        domain = path.relative_to(PROJECT_DIR / "models").parts[0]
        for model in (yaml.safe_load(path.read_text()) or {}).get("models") or []:
            if model.get("config", {}).get("access") == "public" and "versions" not in model:
                yield domain, model["name"]


def queries(page: str) -> list[str]:
    path = PROJECT_DIR / "docs" / page
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return re.findall(r"^```sql\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def read_by(query: str) -> set[str]:
    """The relations that a query names."""
    return set(re.findall(r"\b(?:from|join) ((?:marts|heap)\.\w+)", query))


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    home: Path = built_home(tmp_path_factory)
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        yield connection


def test_every_public_relation_has_an_example_on_the_page_of_its_domain() -> None:
    lacking = [
        f"docs/{PAGES.get(domain, 'a page of ' + domain)} has no ```sql query that reads {name}"
        for domain, name in public_relations()
        if not any(
            relation.endswith(f".{name}")
            for query in queries(PAGES.get(domain, ""))
            for relation in read_by(query)
        )
    ]
    assert lacking == []


@pytest.mark.parametrize(
    ("page", "query"),
    [(page, query) for page in sorted(set(PAGES.values())) for query in queries(page)],
    ids=lambda text: text.splitlines()[0].removeprefix("-- ")[:50],
)
def test_an_example_runs_and_finds_rows(
    warehouse: duckdb.DuckDBPyConnection, page: str, query: str
) -> None:
    has_found = bool(warehouse.execute(query).fetchmany(1))
    is_without_rows = [
        relation
        for relation in read_by(query)
        if warehouse.execute(f"select count(*) from {relation}").fetchall() == [(0,)]
    ]
    assert has_found or is_without_rows, f"a query of docs/{page} finds nothing"

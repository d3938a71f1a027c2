"""Spark builds twice what it built once: a build of its own, beside the first one."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from comparison import compared
from spark_homes import (
    EVERYTHING,
    PLACES,
    brand_built_once,
    build_with_unit_tests,
    first_built_once,
    in_files,
    people_in,
    placed,
    registries_of,
)

pytestmark = pytest.mark.spark


@pytest.mark.parametrize("place", PLACES)
def test_two_builds_are_equal(
    place: str, tmp_path_factory: pytest.TempPathFactory, note: Callable[[str, int], None]
) -> None:
    """And in the second one every unit test passes."""
    brand = brand_built_once(tmp_path_factory, people_in(place))
    with placed(place, tmp_path_factory.mktemp("place")) as (where, conf):
        again = in_files(brand, f"{place}_again", **where)
        results = build_with_unit_tests(again, registries_of(brand), conf)
        first = first_built_once(tmp_path_factory, brand, place, where, conf).spark
    passed = [r for r in results if r.node.resource_type == "unit_test" and r.status == "pass"]
    manifest = json.loads((again.home / "target" / "manifest.json").read_text(encoding="utf-8"))
    assert len(passed) == len(manifest["unit_tests"])
    note("unit tests", len(passed))
    _, told = compared(first.home / EVERYTHING, again.home / EVERYTHING)
    assert told == ["main.whole_build: not in the other warehouse"]
    assert not (again.home / "building" / "lake").exists()

"""What holds of every experiment, whatever happened in it: worlds drawn from a seed, through load
and build.

Two warehouses are compared: one load of tidy files, and the same rows shuffled, cut into other
files, a third of them twice, loaded in two runs. Inside the first, every world stands five times,
see experiment_worlds.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import experiment_worlds as worlds
import pytest
from conftest import PROVE
from experiment_cases import AS_OF
from publisher_home import mark_whole, write_manifest
from scipy import stats

from pipelines import registries
from pipelines.console import Console
from pipelines.heap.planning import make_plan
from pipelines.loading import load
from pipelines.settings import Settings
from pipelines.warehouse import invoke

WORLDS = [worlds.world(seed) for seed in (range(25) if PROVE else (0, 1, 5, 8))]
CONSOLE = Console(as_json=True)
# They say when and from what something was loaded; everything else follows from the rows alone.
OF_THE_LOAD = {"loaded_at", "learned_at"}
TABLES_OF_THE_LOAD = {
    "load_files",
    "load_quarantine",
    "fct_review_loads",
    "fct_source_freshness",
}
TOLD_OF_EXPERIMENTS = {
    "fct_lift": "",
    "fct_lift_history": "",
    "fct_lift_within_tiers": "",
    "fct_effect_on_the_reached": "",
    "fct_experiment_health": "",
    "fct_experiment_assignments": "person_id, workspace_id",
    "fct_experiment_units": "person_id",
}

Row = dict[str, Any]


class Built:
    """A warehouse built from the worlds."""

    def __init__(self, home: Path, seeds: Path, *exports: Path) -> None:
        self.settings = Settings(_env_file=None).model_copy(  # type: ignore[call-arg]
            update={"home": home}
        )
        for export in exports:
            assert load([str(export)], self.settings, CONSOLE).failure is None
        invoke(
            self.settings,
            registries.compose(self.settings, seeds),
            ["build", "--vars", f'{{"as_of": "{AS_OF.isoformat(sep=" ")}"}}',
             "--exclude", "resource_type:test", "resource_type:unit_test"],
        )  # fmt: skip
        # every table, and no test: those are other modules' business
        mark_whole(home, AS_OF)
        write_manifest(home, json.loads((home / "target" / "manifest.json").read_text())["nodes"])

    def ask(self, query: str) -> list[Row]:
        with duckdb.connect(str(self.settings.warehouse_path), read_only=True) as connection:
            answer = connection.execute(query)
            names = [column[0] for column in answer.description or []]
            return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def twin(self, relation: str, made: worlds.World, twin: str) -> list[Row]:
        """A relation's rows of one twin, its people by their local names, without q: that one
        looks at every experiment."""
        ids = TOLD_OF_EXPERIMENTS[relation]
        columns = ", ".join(filter(None, ("experiment_key", ids)))
        names = "names.name, " if ids else ""
        with_q = [
            "q_value"
            for column in self.ask(f"describe marts.{relation}")
            if column["column_name"] == "q_value"
        ]
        return self.ask(
            f"""
            with names as (
                select person_id, string_agg(regexp_extract(cio_id, 'p(.*)', 1), '+'
                    order by cio_id) as name
                from identity.int_identity__profiles group by person_id
            )
            select {names}told.* exclude ({", ".join([columns, *with_q])})
            from marts.{relation} as told
            {"inner join names using (person_id)" if ids else ""}
            where experiment_key = '{key(made, twin)}' order by all
            """
        )


def key(made: worlds.World, twin: str) -> str:
    return f"w{made.seed:03d}_{twin}"


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Built, Built]:
    """The worlds from tidy files in one load, and from scattered ones in two."""
    folder = tmp_path_factory.mktemp("worlds")
    made = worlds.write(WORLDS)
    export, seeds = made.export.write(folder / "tidy")
    tidy = Built(folder / "tidy" / "home", seeds, export)
    halves, seeds = worlds.scatter(made.export, folder / "scattered", seed=11)
    return tidy, Built(folder / "scattered" / "home", seeds, *halves)


@pytest.fixture(scope="module")
def built(homes: tuple[Built, Built]) -> Built:
    return homes[0]


each_world = pytest.mark.parametrize("made", WORLDS, ids=lambda made: f"world{made.seed}")
told_of_experiments = pytest.mark.parametrize("relation", TOLD_OF_EXPERIMENTS)


def test_order_doubles_and_the_number_of_loads_change_nothing(homes: tuple[Built, Built]) -> None:
    tidy, scattered = homes
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for name, built in (("tidy", tidy), ("scattered", scattered)):
            connection.execute(f"attach '{built.settings.warehouse_path}' as {name} (read_only)")
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'tidy' "
            "and schema_name in ('marts', 'heap') order by all"
        ).fetchall()
        assert {table for _, table in tables} >= {*TOLD_OF_EXPERIMENTS, "heap_user_properties"}
        filled, different = 0, {}
        for schema, table in tables:
            if table in TABLES_OF_THE_LOAD:
                continue
            columns = ", ".join(
                f'"{row[0]}"'
                for row in connection.execute(f"describe tidy.{schema}.{table}").fetchall()
                if row[0] not in OF_THE_LOAD
            )
            one, other = (
                f"select {columns} from {name}.{schema}.{table}" for name in ("tidy", "scattered")
            )
            [(count,)] = connection.execute(f"select count(*) from ({one})").fetchall()
            filled += count > 0
            more, fewer = (
                connection.execute(f"({a}) except all ({b}) limit 3").fetchall()
                for a, b in ((one, other), (other, one))
            )
            if more or fewer:
                different[table] = (more, fewer)
        assert different == {}
        assert filled > 25


@told_of_experiments
@each_world
def test_people_without_an_assignment_change_nothing(
    built: Built, made: worlds.World, relation: str
) -> None:
    base = built.twin(relation, made, "base")
    assert base != []
    assert built.twin(relation, made, "idle") == base


@each_world
def test_exchanging_the_names_of_two_arms_mirrors_the_interval(
    built: Built, made: worlds.World
) -> None:
    for relation in ("fct_lift", "fct_lift_history"):
        plain, swapped = (_by_contrast(built, relation, made, twin) for twin in worlds.TWINS[-2:])
        assert plain.keys() == swapped.keys()
        for place, row in plain.items():
            _is_mirrored(row, swapped[place], made)


def _by_contrast(
    built: Built, relation: str, made: worlds.World, twin: str
) -> dict[tuple[Any, ...], Row]:
    """The rows of the first treatment by what they are about."""
    place = ("as_of", "population", "stratum", "metric_key")
    return {
        tuple(row.get(name) for name in place): row
        for row in built.twin(relation, made, twin)
        if row["arm"] == worlds.FIRST
    }


def _is_mirrored(row: Row, other: Row, made: worlds.World) -> None:
    for name in ("interval_kind", "p_method"):
        assert row.get(name) == other.get(name)
    assert (row["count_treatment"], row["count_control"]) == (
        other["count_control"],
        other["count_treatment"],
    )
    if len(made.arms) == 2:  # with three, the other arm's guardrails have another control
        assert (row["status"], row.get("reasons")) == (other["status"], other.get("reasons"))
    if row["lift"] is None or other["lift"] is None:
        return
    for name, mirror in (("lift", "lift"), ("lift_low", "lift_high"), ("lift_high", "lift_low")):
        if row[name] is None:
            assert other[mirror] is None
        else:
            assert other[mirror] == pytest.approx(-row[name], abs=1e-12, rel=1e-12)
    if "p_value" in row:
        assert other["p_value"] == pytest.approx(row["p_value"], abs=1e-9)


@each_world
def test_merging_two_profiles_of_one_arm_takes_one_person(built: Built, made: worlds.World) -> None:
    first, second = made.pair
    together = "+".join(sorted(made.pair))
    for relation in ("fct_experiment_assignments", "fct_experiment_units"):
        base, merged = (built.twin(relation, made, twin) for twin in ("base", "merged"))
        alone = [row for row in base if row["name"] in made.pair]
        assert [row for row in base if row not in alone] == [
            row for row in merged if row["name"] != together
        ]
        assert len([row for row in merged if row["name"] == together]) == len(alone) / 2
        assert {row["arm"] for row in alone} == {made.pair_arm}
        assert {row["name"] for row in alone} == {first, second}
    places = ("metric_key", "arm")
    base_n, merged_n = (
        {
            tuple(row[name] for name in places): (row["count_treatment"], row["count_control"])
            for row in built.twin("fct_lift", made, twin)
            if row["population"] == "itt" and row["stratum"] == "all"
        }
        for twin in ("base", "merged")
    )
    assert base_n.keys() == merged_n.keys()
    for place, (treatment, control) in base_n.items():
        assert merged_n[place] == (
            treatment - (place[1] == made.pair_arm),
            control - (made.pair_arm == worlds.CONTROL),
        )


@each_world
def test_the_sample_ratio_is_that_of_first_assignments_whatever_the_metric(
    built: Built, made: worlds.World
) -> None:
    ratios = [
        [
            row
            for row in built.twin("fct_experiment_health", made, twin)
            if row["guardrail"] == "srm"
        ]
        for twin in ("base", "metric")
    ]
    assert ratios[0] == ratios[1]
    drawn = [
        (row["allocation_version"], row["arm"])
        for row in built.twin("fct_experiment_assignments", made, "base")
    ]
    expected = [
        stats.chisquare(
            [drawn.count((version, arm)) for arm in made.arms],
            [weight * sum(drawn.count((version, arm)) for arm in made.arms) for weight in weights],
        ).statistic
        for version, (_, weights) in enumerate(made.versions, start=1)
    ]
    [shown] = [row["value"] for row in ratios[0] if row["population"] == "itt"]
    assert shown == pytest.approx(max(expected), rel=1e-9)


@each_world
def test_strata_and_metrics_count_the_same_people(built: Built, made: worlds.World) -> None:
    for twin in worlds.TWINS:
        rows = built.twin("fct_lift", made, twin)
        counts: dict[tuple[str, str, str], dict[str, tuple[int, int]]] = {}
        for row in rows:
            place = (row["population"], row["arm"], row["metric_key"])
            counts.setdefault(place, {})[row["stratum"]] = (
                row["count_treatment"],
                row["count_control"],
            )
        for by_stratum in counts.values():
            total = by_stratum.pop("all")
            assert len(by_stratum) == 3
            assert tuple(map(sum, zip(*by_stratum.values(), strict=True))) == total
        for population, arm, _ in counts:
            of_metrics = [c for p, c in counts.items() if p[:2] == (population, arm)]
            assert all(c == of_metrics[0] for c in of_metrics)


def test_every_interval_holds_its_estimate(built: Built) -> None:
    [told] = built.ask(
        "select count(distinct experiment_key) as experiments from marts.fct_lift "
        "where experiment_key like '%swapped' and lift_low is not null"
    )
    assert told["experiments"] > len(WORLDS) / 2
    for relation, estimate in (
        ("fct_lift", "lift"),
        ("fct_lift", "lift_relative"),
        ("fct_lift", "incremental"),
        ("fct_lift_history", "lift"),
        ("fct_lift_within_tiers", "lift"),
        ("fct_effect_on_the_reached", "effect"),
    ):
        [counted] = built.ask(
            f"""
            select count(*) filter (where {estimate}_low is not null) as shown,
                count(*) filter (where not ({estimate}_low <= {estimate}
                    and {estimate} <= {estimate}_high)) as outside,
                count(*) filter (where ({estimate}_low is null) <> ({estimate}_high is null))
                    as half,
                count(*) filter (where {estimate}_low is not null and {estimate} is null) as bare
            from marts.{relation}
            """
        )
        assert counted["shown"] > 10, relation
        assert (counted["outside"], counted["half"], counted["bare"]) == (0, 0, 0), relation


def test_every_p_and_q_is_a_probability(built: Built) -> None:
    [counted] = built.ask(
        """
        select count(p_value) as shown,
            count(*) filter (where p_value is not null and q_value is null) as bare,
            count(*) filter (where not (p_value between 0 and 1 and q_value between p_value and 1))
                as outside
        from marts.fct_lift
        """
    )
    assert counted["shown"] > 100
    assert (counted["bare"], counted["outside"]) == (0, 0)


def test_a_plan_is_a_function_of_the_tables(homes: tuple[Built, Built]) -> None:
    plans = [make_plan(built.settings, CONSOLE) for built in (homes[0], homes[0], homes[1])]
    assert plans[0].count_events > 1_000
    assert plans[0].count_users > 1_000
    assert len({plan.plan_id for plan in plans}) == 3
    assert len({plan.rows_sha256 for plan in plans}) == 1

"""Who hangs together: the dbt materialization against scipy on the same strings, end to end.

    bench_identity.py [LINKS]     default 1,000,000; 20,000,000 is the size of the design notes

Both sides start from a table of links between identifiers as text and end with a table of
identifiers and their component. Shapes: one to four identifiers a person, shared mailboxes of
ten thousand and more, chains of a thousand. Then a day's new links patch the result.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pipelines.settings import PROJECT_DIR, Settings
from pipelines.warehouse import invoke

PROJECT = PROJECT_DIR / "tests" / "bench" / "components"
MEMORY = "8GB"
HASH = "xor(hash({0}), hash(concat('~', {0}))) >> 1"  # the same on both sides: one hash collides


def make_links(raw: Path, links: int) -> None:
    """Write `links.all_links` (about that many) and an empty `links.new_links`."""
    persons = links * 52 // 100
    stars = [links // 100, links // 14]
    with duckdb.connect(str(raw)) as connection:
        connection.execute("set threads = 2; create schema if not exists links")
        connection.execute(
            f"""
            create or replace table links.all_links as
            select 'cio:' || md5(i::text)[:12] as left_id, 'cust:U' || i as right_id
            from range({persons}) as people (i)
            union all
            select 'cio:' || md5(i::text)[:12], 'email:shopper.' || i || '@example.com'
            from range({persons}) as people (i) where hash(i) % 100 < 60
            union all
            select 'email:shopper.' || i || '@example.com', 'heap:' || (i * 7919 + 11)
            from range({persons}) as people (i) where hash(i) % 100 < 22
            union all
            select 'cio:' || md5(i::text)[:12], 'email:office.' || (i < {stars[0]}) || '@x.com'
            from range({sum(stars)}) as people (i)
            union all
            select 'anon:' || chain || '-' || n, 'anon:' || chain || '-' || (n + 1)
            from range({max(1, links // 50_000)}) as chains (chain), range(1000) as steps (n)
            """
        )
        connection.execute(
            "create or replace table links.new_links as from links.all_links limit 0"
        )


def add_links(raw: Path, count: int, links: int) -> None:
    """A day's new links: half join persons there are, half bring new identifiers."""
    persons = links * 52 // 100
    with duckdb.connect(str(raw)) as connection:
        connection.execute(
            f"""
            create or replace table links.new_links as
            select
                'cio:' || md5((i * 7 % {persons})::text)[:12] as left_id,
                if(i % 2 = 0, 'cust:U' || (i * 13 % {persons}), 'anon:new-' || i) as right_id
            from range({count}) as days (i)
            """
        )
        connection.execute("insert into links.all_links from links.new_links")


def processor_seconds() -> float:
    """Of this process and all its threads; DuckDB and scipy both run inside it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def run_dbt(settings: Settings, links: str, *, full: bool) -> tuple[float, float]:
    """Seconds of the model and of the whole dbt run."""
    arguments = ["run", "--vars", f'{{"links": "{links}"}}', *(["--full-refresh"] if full else [])]
    started = time.perf_counter()
    results = invoke(settings, PROJECT / "seeds", arguments, project=PROJECT)
    return float(results[0].execution_time), time.perf_counter() - started


def run_scipy(raw: Path, home: Path) -> tuple[float, float]:
    """The same from the same strings: hash ids in DuckDB, scipy, and the map written back.

    Returns:
        Seconds by the clock and of the processor.
    """
    started, used = time.perf_counter(), processor_seconds()
    with duckdb.connect(str(home / "scipy.duckdb")) as connection:
        connection.execute(f"set threads = 2; set memory_limit = '{MEMORY}'")
        connection.execute("set preserve_insertion_order = false")
        connection.execute(f"attach '{raw}' as raw (read_only)")
        ends = connection.execute(
            f"select {HASH.format('left_id')} as l, {HASH.format('right_id')} as r"
            " from raw.links.all_links"
        ).fetchnumpy()
        keys, places = np.unique(np.concatenate([ends["l"], ends["r"]]), return_inverse=True)
        half = len(ends["l"])
        graph = coo_array(
            (np.ones(half, dtype=np.int8), (places[:half], places[half:])), shape=(len(keys),) * 2
        )
        _, labels = connected_components(graph, directed=False)
        connection.register("labelled", {"node_key": keys, "component_id": labels})
        connection.execute(
            f"""
            create or replace table components as
            select node_id, nodes.node_key, component_id
            from (
                select node_id, {HASH.format("node_id")} as node_key
                from (
                    select left_id as node_id from raw.links.all_links
                    union
                    select right_id from raw.links.all_links
                )
            ) as nodes
            join labelled on nodes.node_key = labelled.node_key
            """
        )
    return time.perf_counter() - started, processor_seconds() - used


def count_components(path: Path, table: str) -> tuple[int, int]:
    with duckdb.connect(str(path), read_only=True) as connection:
        row = connection.execute(
            f"select count(*), count(distinct component_id) from {table}"
        ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def main(links: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        raw = home / "raw.duckdb"
        settings = Settings().model_copy(update={"home": home, "memory_limit": MEMORY})
        make_links(raw, links)
        scipy_seconds, scipy_used = run_scipy(raw, home)
        used = processor_seconds()
        model_seconds, dbt_seconds = run_dbt(settings, "added", full=True)
        dbt_used = processor_seconds() - used
        ours = count_components(settings.warehouse_path, "main.components")
        assert ours == count_components(home / "scipy.duckdb", "components")
        print(f"links {links:,}: {ours[0]:,} identifiers, {ours[1]:,} components, equal to scipy's")
        print(f"scipy, strings to map      {scipy_seconds:7.1f} s (processor {scipy_used:.1f} s)")
        print(
            f"dbt model, strings to map  {model_seconds:7.1f} s "
            f"(whole dbt run {dbt_seconds:.1f} s, processor {dbt_used:.1f} s)"
        )
        print(f"ratio to scipy             {model_seconds / scipy_seconds:7.2f}")
        day = max(1_000, min(100_000, links // 10))
        add_links(raw, day, links)
        patch_seconds, _ = run_dbt(settings, "added", full=False)
        print(f"a day's {day:,} new links patched in {patch_seconds:.2f} s")
        patched = count_components(settings.warehouse_path, "main.components")
        run_scipy(raw, home)
        assert patched == count_components(home / "scipy.duckdb", "components")
        print("the patched map equals scipy's on all links")


if __name__ == "__main__":
    main(int(sys.argv[1].replace(",", "").replace("_", "")) if len(sys.argv) > 1 else 1_000_000)

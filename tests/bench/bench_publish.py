"""How fast a mart becomes acknowledged, how much memory that takes, and how long a plan takes.

    python tests/bench/bench_publish.py  # 50,000 and 200,000 rows; plan beside 1,000,000 published
    python tests/bench/bench_publish.py --rows 1000000 10000000 --published 10000000

The local Heap runs in a process of its own without a rate limit; the baseline is Heap's own limit
of 250 events a second, and for the plan a bare DuckDB anti-join of the same keys.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

from publisher_home import APP, FAST, OPEN, Home

HEAP_RATE = 250


def serve(pipe: Connection) -> None:
    """A local Heap without limits that keeps keys only, until told to stop."""
    from pipelines.sandbox import running_sandbox

    with running_sandbox(limits=OPEN, keep_properties=False) as sandbox:
        pipe.send(sandbox.url)
        pipe.recv()
        pipe.send(len(sandbox.store(APP).events))


def pin(core: int) -> None:
    """Keep this process on one core, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[core % len(cores)]})


def measured(
    pipe: Connection, work: Callable[[Path, str], dict[str, float]], path: Path, url: str
) -> None:
    """Run work on one core in a process of its own; send its numbers and peak memory in MB."""
    pin(0)
    numbers = work(path, url)
    numbers["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pipe.send(numbers)


def in_process(
    work: Callable[[Path, str], dict[str, float]], path: Path, url: str
) -> dict[str, float]:
    """`measured` in a fresh process."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=measured, args=(theirs, work, path, url))
    process.start()
    theirs.close()
    numbers: dict[str, float] = mine.recv()
    process.join()
    return numbers


def open_home(path: Path, url: str) -> Home:
    """The home a process was given."""
    from publisher_home import settings

    from pipelines.console import Console

    home = Home.__new__(Home)
    home.path = path
    home.settings = settings(path, url)
    home.settings.__dict__["threads"] = 1
    home.console = Console(as_json=True)
    return home


def publish_all(path: Path, url: str) -> dict[str, float]:
    """Plan and publish everything; rows and seconds."""
    from pipelines.heap.planning import make_plan
    from pipelines.heap.publish import publish

    home = open_home(path, url)
    began, busy = time.perf_counter(), time.process_time()
    plan = make_plan(home.settings, home.console, limits=FAST)
    planned = time.perf_counter()
    summary = publish(home.settings, home.console, plan.path, limits=FAST)
    done = time.perf_counter()
    return {
        "rows": summary.count_events,
        "plan": planned - began,
        "publish": done - planned,
        "cpu": time.process_time() - busy,
    }


def plan_only(path: Path, url: str) -> dict[str, float]:
    """Plan against many receipts, beside a bare anti-join of the same keys."""
    import duckdb

    from pipelines.heap.planning import make_plan

    home = open_home(path, url)
    began = time.perf_counter()
    with duckdb.connect(config={"threads": 1, "memory_limit": home.settings.memory_limit}) as db:
        db.execute(f"attach '{home.settings.warehouse_path}' as warehouse (read_only)")
        db.execute(f"attach '{home.settings.ledger_path}' as ledger (read_only)")
        db.execute(
            "create table new as select publish_key from warehouse.heap.heap_cio_message_sent "
            "anti join ledger.receipts using (publish_key)"
        )
    bare = time.perf_counter() - began
    began = time.perf_counter()
    plan = make_plan(home.settings, home.console, limits=FAST)
    return {"rows": plan.count_events, "plan": time.perf_counter() - began, "bare": bare}


def bench_publish(rows: int, folder: Path) -> None:
    """Mart to acknowledged, on one core, the local Heap on the other."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    heap = context.Process(target=serve, args=(theirs,))
    heap.start()
    url = mine.recv()
    home = Home(folder / f"home{rows}", url)
    home.sent(rows, people=max(rows // 20, 1))
    found = in_process(publish_all, home.path, url)
    mine.send("stop")
    stored = mine.recv()
    heap.join()
    rate = found["rows"] / (found["plan"] + found["publish"])
    print(
        f"{rows:>10,} rows: plan {found['plan']:.1f} s, publish {found['publish']:.1f} s, "
        f"{rate:,.0f} rows/s from mart to acknowledged ({rate / HEAP_RATE:,.0f} times Heap's "
        f"limit of {HEAP_RATE}/s), {found['rows'] / found['cpu']:,.0f} rows per CPU second, "
        f"peak memory {found['peak_mb']:,.0f} MB, Heap holds {stored:,}"
    )
    shutil.rmtree(home.path)


def bench_plan(published: int, folder: Path) -> None:
    """A plan with many published rows and one per cent new."""
    from pipelines.heap.ledger import Ledger
    from pipelines.heap.target import require_target

    home = Home(folder / "plan", "http://127.0.0.1:9")
    home.sent(published + published // 100, people=max(published // 20, 1))
    with Ledger(home.settings) as ledger:
        key = ledger.target_key(require_target(home.settings))
        ledger.db.execute(f"attach '{home.settings.warehouse_path}' as warehouse (read_only)")
        ledger.db.execute(
            f"""
            insert into receipts by name
            select publish_key, heap_identity, 'event' as kind, 'plan' as plan_id,
                occurred_at as acknowledged_at, 'cio_message_sent' as event, '{key}' as target,
                1 as batch_id
            from warehouse.heap.heap_cio_message_sent
            where publish_key < 'sent-' || lpad('{published}', 9, '0')
            """
        )
    found = in_process(plan_only, home.path, "http://127.0.0.1:9")
    print(
        f"{published:>10,} published, {found['rows']:,.0f} new: plan {found['plan']:.1f} s "
        f"({found['plan'] / found['bare']:.1f} times a bare anti-join of the keys, "
        f"{found['bare']:.1f} s), "
        f"peak memory {found['peak_mb']:,.0f} MB"
    )


def main() -> None:
    """Run both benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, nargs="+", default=[50_000, 200_000])
    parser.add_argument("--published", type=int, default=1_000_000)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-publish-"))
    try:
        for rows in given.rows:
            bench_publish(rows, folder)
        bench_plan(given.published, folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

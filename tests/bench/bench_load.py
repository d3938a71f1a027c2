"""Loading: its ratio to DuckDB's own `create table as select * from read_parquet`, same files.

Each measurement is a process of its own, so that its memory is its own. The two sides take turns,
and both run with the same threads and memory limit. Size: `bench_load.py [MILLION_ROWS [FILES]]`.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

TARGET = 1.15
# share of the rows, and the columns, as in a real workspace: metrics and deliveries dominate
TABLES = {
    "metrics": (
        0.51,
        """printf('01J%023d', i) as event_id, 164000::bigint as workspace_id,
        'RPIL' || substr(md5((i // 2)::varchar), 1, 24) as delivery_id,
        case i % 4 when 0 then 'sent' when 1 then 'delivered' when 2 then 'opened'
            else 'clicked' end as metric,
        case when i % 97 = 0 then 'SMTP 550 mailbox unavailable' end as reason,
        case when i % 4 = 3 then i % 40 end as link_id,
        case when i % 4 = 3 then 'https://shop.example/p/' || (i % 40) end as link_url,
        {time} as created_at, 9000000000 + i as seq_num""",
    ),
    "deliveries": (
        0.26,
        """164000::bigint as workspace_id, 'RPIL' || substr(md5(i::varchar), 1, 24) as delivery_id,
        printf('d9c1%08x', i % 1000000) as internal_customer_id,
        printf('01H%023d', i) as subject_id, null::varchar as event_id,
        'email' as delivery_type, i % 12 as campaign_id, 900 + i % 30 as action_id,
        null::bigint as newsletter_id, null::bigint as content_id, null::bigint as trigger_id,
        null::bigint as transactional_message_id, {time} as created_at,
        8000000000 + i as seq_num""",
    ),
    "attributes": (
        0.20,
        """164000::bigint as workspace_id, printf('d9c1%08x', i % 1000000) as internal_customer_id,
        'attribute_' || (i % 9) as attribute_name, (i * 7919 % 10007)::varchar as attribute_value,
        {time} as "timestamp" """,
    ),
    "people": (
        0.03,
        """164000::bigint as workspace_id, i::varchar as customer_id,
        printf('d9c1%08x', i) as internal_customer_id, false as deleted, false as suppressed,
        {time} as created_at, {time} as updated_at, 'p' || i || '@example.com' as email_addr""",
    ),
}
TIME = "to_timestamp(1735689600 + (i * 31536000.0 / {rows}))"


def generate(folder: Path, million_rows: float, files: int, first_sequence: int = 0) -> None:
    """An export of `files` files in time order."""
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    for table, (share, columns) in TABLES.items():
        rows = max(int(million_rows * 1e6 * share), 1)
        count = max(files // len(TABLES), 1)
        for number in range(count):
            low, high = rows * number // count, rows * (number + 1) // count
            select = columns.format(time=TIME.format(rows=rows))
            sequence = 241600000000300000 + first_sequence + number
            target = folder / f"{table}_v5_164000_{sequence}.parquet"
            connection.execute(
                f"copy (select {select} from range({low}, {high}) as range(i))"
                f" to '{target}' (format parquet, compression zstd)"
            )


def run_raw(export: Path, home: Path) -> None:
    """The baseline: what anyone would type, with our threads and memory limit."""
    from pipelines.settings import Settings

    settings = Settings()
    home.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(home / "raw.duckdb")) as connection:
        connection.execute(f"set threads = {settings.threads}")
        connection.execute(f"set memory_limit = '{settings.memory_limit}'")
        for table in TABLES:
            connection.execute(
                f"create table {table} as select * from read_parquet('{export}/{table}_v*.parquet')"
            )


def run_load(export: Path, home: Path) -> None:
    """The product."""
    from pipelines import loading
    from pipelines.console import Console
    from pipelines.settings import Settings

    settings = Settings(COUNTERFOIL_HOME=home)  # type: ignore[call-arg]
    loading.load([str(export)], settings, Console(as_json=True))


RUNS: dict[str, Callable[[Path, Path], None]] = {"raw": run_raw, "load": run_load}


def imports() -> float:
    """Seconds that dlt takes to import, the most of what a load waits for before it works."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import dlt.pipeline"], check=True)
    return time.perf_counter() - start


def measure(
    what: str, export: Path, home: Path, script: Path = Path(__file__)
) -> tuple[float, float, float]:
    """Wall seconds of the work, CPU seconds and peak memory in GB of one fresh process."""
    output = subprocess.run(
        [sys.executable, script, "--child", what, str(export), str(home)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    wall, cpu, memory = output.split()[-3:]
    return float(wall), float(cpu), float(memory)


def child(what: str, export: Path, home: Path) -> None:
    """One measurement. Imports stand apart: they cost the same for one file and for a thousand."""
    if what == "load":
        import dlt.pipeline  # noqa: F401

        from pipelines.loading import load  # noqa: F401
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter()
    RUNS["raw" if what == "raw" else "load"](export, home)
    wall = time.perf_counter() - start
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu = usage.ru_utime + usage.ru_stime - before.ru_utime - before.ru_stime
    print(wall, cpu, usage.ru_maxrss / 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("million_rows", nargs="?", type=float, default=4.0)
    parser.add_argument("files", nargs="?", type=int, default=160)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to work (default: temporary)")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench_load_", dir=arguments.folder))
    try:
        export = folder / "export"
        export.mkdir()
        generate(export, arguments.million_rows, arguments.files)
        size = sum(file.stat().st_size for file in export.iterdir())
        print(f"{arguments.million_rows:g} M rows, {arguments.files} files, {size / 1e6:,.0f} MB")
        results: dict[str, list[tuple[float, float, float]]] = {"raw": [], "load": []}
        measure("raw", export, folder / "warm")  # the page cache, for both
        for number in range(arguments.rounds):
            for what in ("raw", "load") if number % 2 == 0 else ("load", "raw"):
                home = folder / f"{what}_{number}"
                results[what].append(measure(what, export, home))
                if (what, number) != ("load", arguments.rounds - 1):
                    shutil.rmtree(home)
        names = {"raw": "DuckDB alone", "load": "counterfoil load"}
        for what, rounds in results.items():
            walls = [wall for wall, _, _ in rounds]
            print(
                f"{names[what]:>17}: {statistics.median(walls):6.2f} s wall"
                f" ({min(walls):.2f} to {max(walls):.2f}),"
                f" {statistics.median(cpu for _, cpu, _ in rounds):6.2f} s CPU,"
                f" {max(memory for _, _, memory in rounds):.2f} GB peak"
            )
        pairs = list(zip(results["load"], results["raw"], strict=True))
        ratios = [load[0] / raw[0] for load, raw in pairs]
        cpu = statistics.median(load[1] / raw[1] for load, raw in pairs)
        median = statistics.median(ratios)
        print(
            f"            ratio: {median:.2f} wall ({min(ratios):.2f} to {max(ratios):.2f}),"
            f" {cpu:.2f} CPU; target at most {TARGET}"
        )
        home = folder / f"load_{arguments.rounds - 1}"
        print(f"    importing dlt: {imports():6.2f} s (not counted above)")
        print(f"      nothing new: {measure('again', export, home)[0]:6.2f} s")
        generate(export, 0.002, 4, first_sequence=90_000)
        for extra in sorted(export.glob("*_24160000000039*"))[1:]:
            extra.unlink()
        print(f"     one new file: {measure('load', export, home)[0]:6.2f} s")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        main()

"""Loading into Parquet files: its ratio to a load into tables, same export, same run.

Each load is a process of its own, so that its memory is its own, and the two sides take turns. Both
hold to COUNTERFOIL_MEMORY_LIMIT; set it low to load many times as much as memory holds.
Size: `bench_raw_files.py [MILLION_ROWS [FILES]]`.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bench_load

ENGINES = {"tables": "duckdb", "files": "spark"}


def child(engine: str, export: Path, home: Path) -> None:
    """One load. Imports stand apart: they cost the same on both sides."""
    import dlt.pipeline  # noqa: F401

    from pipelines import loading
    from pipelines.console import Console
    from pipelines.settings import Settings

    settings = Settings.model_validate(
        {
            "COUNTERFOIL_HOME": home,
            "COUNTERFOIL_ENGINE": engine,
            "COUNTERFOIL_MEMORY_LIMIT": os.environ.get("COUNTERFOIL_MEMORY_LIMIT", "4GB"),
        }
    )
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter()
    loading.load([str(export)], settings, Console(as_json=True))
    wall = time.perf_counter() - start
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu = usage.ru_utime + usage.ru_stime - before.ru_utime - before.ru_stime
    print(wall, cpu, usage.ru_maxrss / 1e6)


def rows_in(home: Path) -> list[int]:
    """Rows by table, as DuckDB reads them."""
    with duckdb.connect(str(home / "raw.duckdb"), read_only=True) as raw:
        return [
            raw.execute(f"select count(*) from customerio.{table}").fetchall()[0][0]
            for table in bench_load.TABLES
        ]


def size_of(folder: Path) -> float:
    """What a folder takes on disk, in MB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("million_rows", nargs="?", type=float, default=4.0)
    parser.add_argument("files", nargs="?", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to work (default: temporary)")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench_raw_files_", dir=arguments.folder))
    try:
        export = folder / "export"
        export.mkdir()
        bench_load.generate(export, arguments.million_rows, arguments.files)
        size = sum(file.stat().st_size for file in export.iterdir())
        limit = os.environ.get("COUNTERFOIL_MEMORY_LIMIT", "4GB")
        print(
            f"{arguments.million_rows:g} M rows, {arguments.files} files, {size / 1e6:,.0f} MB,"
            f" within {limit}"
        )
        results: dict[str, list[tuple[float, float, float]]] = {where: [] for where in ENGINES}
        for number in range(arguments.rounds):
            held = []
            for where in list(ENGINES)[:: 1 if number % 2 == 0 else -1]:
                home = folder / where
                results[where].append(
                    bench_load.measure(ENGINES[where], export, home, script=Path(__file__))
                )
                held.append(rows_in(home))
                print(f"{where:>8}: {size_of(home):,.0f} MB on disk", flush=True)
                shutil.rmtree(home)
            assert held[0] == held[1], held
        for where, rounds in results.items():
            print(
                f"{where:>8}: {statistics.median(wall for wall, _, _ in rounds):6.2f} s wall,"
                f" {statistics.median(cpu for _, cpu, _ in rounds):6.2f} s CPU,"
                f" {max(memory for _, _, memory in rounds):.2f} GB peak"
            )
        pairs = list(zip(results["files"], results["tables"], strict=True))
        print(
            f"   ratio: {statistics.median(a[0] / b[0] for a, b in pairs):.2f} wall,"
            f" {statistics.median(a[1] / b[1] for a, b in pairs):.2f} CPU"
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        main()

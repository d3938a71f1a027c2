"""A load and a build of ten times what a memory limit holds, by Spark, with its rows in files.

Against a tenth of it in the same run, by DuckDB within the same limit, in which it must fit: 10,000
people are about the most that 112 MB hold. Java has at least the gigabyte that Spark takes by
itself. Each step is a process of its own; its memory is that of its largest process, Java's too.
The builds make every model and run every data test.
Size: `bench_beyond.py [PEOPLE]`, of the tenth. The limit is COUNTERFOIL_MEMORY_LIMIT.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from bench_raw_files import size_of

LIMIT = os.environ.get("COUNTERFOIL_MEMORY_LIMIT", "112MB")
CONF = """
spark.sql.shuffle.partitions          16
spark.sql.autoBroadcastJoinThreshold  1m
"""
"""Spark's own 200 partitions are meant for a cluster; what is sent to all is held whole."""

STEPS = {"fits": ("duckdb", 1), "ten times": ("spark", 10)}


def child(step: str, engine: str, brand: Path) -> None:
    """One load or build of a brand that was written."""
    from pipelines import loading, warehouse
    from pipelines.console import Console
    from pipelines.sample import SAMPLE_AS_OF
    from pipelines.settings import Settings

    settings = Settings.model_validate(
        {
            "COUNTERFOIL_HOME": brand / "home",
            "COUNTERFOIL_ENGINE": engine,
            "COUNTERFOIL_MEMORY_LIMIT": LIMIT,
        }
    )
    quiet = Console(as_json=True)
    if step == "load":
        loading.load([str(brand / "sample" / "export")], settings, quiet)
    else:
        warehouse.build(
            settings,
            quiet,
            as_of=SAMPLE_AS_OF,
            registries=brand / "sample" / "seeds",
            with_unit_tests=False,
        )


def measured(step: str, engine: str, brand: Path, conf: Path) -> float:
    """Seconds that a step took; what else it took is printed."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, __file__, "--child", step, engine, str(brand)],
        env=os.environ | {"SPARK_CONF_DIR": str(conf)},
        stdout=subprocess.DEVNULL,
    )
    _, code, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if code:
        raise SystemExit(f"{step} by {engine} failed")
    print(
        f"{step:>12} by {engine}: {seconds:8.1f} s,"
        f" {usage.ru_utime + usage.ru_stime:8.1f} s of CPU,"
        f" {usage.ru_maxrss / 1e3:,.0f} MB in its largest process",
        flush=True,
    )
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("people", nargs="?", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, help="where to work (default: temporary)")
    arguments = parser.parse_args()
    from pipelines.console import Console
    from pipelines.engines.spark import require_spark
    from pipelines.errors import UsageError
    from pipelines.sample import write_sample
    from pipelines.settings import Settings

    try:
        require_spark(Settings())
    except UsageError as missing:
        print(f"left out: {missing}")
        return
    folder = Path(tempfile.mkdtemp(prefix="bench_beyond_", dir=arguments.folder))
    try:
        conf = folder / "conf"
        conf.mkdir()
        (conf / "spark-defaults.conf").write_text(CONF, encoding="utf-8")
        took: dict[str, dict[str, float]] = {}
        for name, (engine, times) in STEPS.items():
            brand = folder / name.replace(" ", "_")
            brand.mkdir()
            write_sample(
                brand / "sample", people=arguments.people * times, console=Console(as_json=True)
            )
            print(
                f"{name}: {arguments.people * times:,} people within {LIMIT},"
                f" {size_of(brand / 'sample' / 'export'):,.0f} MB of exports",
                flush=True,
            )
            took[name] = {step: measured(step, engine, brand, conf) for step in ("load", "build")}
            raw = [brand / "home" / "raw.duckdb", *(brand / "home" / "raw").rglob("*.parquet")]
            print(f"{sum(path.stat().st_size for path in raw) / 1e6:12,.0f} MB loaded", flush=True)
        for step in ("load", "build"):
            print(f"ratio of a {step}: {took['ten times'][step] / took['fits'][step]:.1f}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
    else:
        main()

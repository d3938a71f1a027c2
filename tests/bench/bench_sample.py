"""How fast the sample brand is made: people and rows per second, with peak memory.

.venv/bin/python tests/bench/bench_sample.py [PEOPLE ...]      default: 10000 100000
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pipelines.console import Console
from pipelines.sample import write_sample


def main(sizes: list[int]) -> None:
    for people in sizes:
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            summary = write_sample(Path(folder) / "s", people=people, console=Console(as_json=True))
            seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"sample of {people:,} people: {seconds:.1f} s, {people / seconds:,.0f} people/s, "
            f"{summary.count_rows / seconds:,.0f} rows/s, peak memory {peak:,.0f} MB"
        )


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [10_000, 100_000])

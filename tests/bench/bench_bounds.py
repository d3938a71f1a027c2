"""Loading what is no export: peak memory and time of each bound, beside those of an ordinary file.

Every case is a process of its own at the memory limit of the settings, so that its memory is its
own. The baseline is a load of one small file: what Python, dlt and DuckDB take by themselves.
Ratios: memory to the limit, time to the baseline. Size: `bench_bounds.py [--share 0.1]` makes the
large cases that much smaller.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

MOST_SECONDS = 60
COLUMNS = ["event_id", "event_name", "occurred_at", "email"]
HEAD = b"event_id,event_name,occurred_at,email\n"
MB = 1024 * 1024


def ordinary(folder: Path, share: float) -> None:
    (folder / "behavior.csv").write_bytes(HEAD + b"1,a,2026-01-01,x@example.com\n")


def packed(path: Path, begin: bytes, chunk: bytes, times: int) -> None:
    stream = zlib.compressobj(9, zlib.DEFLATED, 31)
    with path.open("wb") as handle:
        handle.write(stream.compress(begin))
        for _ in range(times):
            handle.write(stream.compress(chunk))
        handle.write(stream.flush())


def long_line_packed(folder: Path, share: float) -> None:
    begin = HEAD + b"1,a,2026-01-01,"
    packed(folder / "behavior.csv.gz", begin, b"x" * MB, int(3000 * share))
    packed(folder / "behavior.jsonl.gz", b'{"event_id":"', b"x" * MB, int(3000 * share))


def blank_lines_packed(folder: Path, share: float) -> None:
    packed(folder / "webhooks.jsonl.gz", b"", b"\n" * MB, int(3000 * share))


def long_line(folder: Path, share: float) -> None:
    for name, begin in (("behavior.csv", HEAD + b"1,a,2026-01-01,"), ("behavior.jsonl", b'{"a":"')):
        with (folder / name).open("wb") as handle:
            handle.write(begin)
            for _ in range(int(1000 * share)):
                handle.write(b"x" * MB)


def wide(columns: int) -> Callable[[Path, float], None]:
    def make(folder: Path, share: float) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        values = dict.fromkeys(COLUMNS, "2026-01-01")
        values |= {f"p{number}": "1" for number in range(int(columns * share))}
        text = f"{','.join(values)}\n{','.join(values.values())}\n"
        (folder / "behavior.csv").write_text(text)
        (folder / "behavior.jsonl").write_text(json.dumps(values) + "\n")
        table = pa.table({name: [value] for name, value in values.items()})
        pq.write_table(table, folder / "behavior.parquet")

    return make


def rows_of_nothing(folder: Path, share: float) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    part = pa.table(dict.fromkeys(COLUMNS, pa.repeat("2026-01-01", 1_000_000)), schema=schema)
    with pq.ParquetWriter(folder / "behavior.parquet", schema, compression="zstd") as writer:
        for _ in range(max(int(100 * share), 2)):
            writer.write_table(part)


def avro_bomb(folder: Path, share: float) -> None:
    import fastavro

    fields = [{"name": "user_id", "type": "long"}, {"name": "identity", "type": "bytes"}]
    schema = {"type": "record", "name": "users", "fields": fields}
    records = [{"user_id": 1, "identity": b"\0" * int(1000 * share) * MB}]
    (folder / "heap").mkdir()
    for codec in ("deflate", "zstandard", "snappy", "lz4"):
        handle = io.BytesIO()
        fastavro.writer(handle, schema, records, codec)
        (folder / "heap" / f"users_{codec}.avro").write_bytes(handle.getvalue())


def avro_blocks(folder: Path, share: float) -> None:
    """Each block within its bound, and a file of them that would never end."""
    import fastavro

    fields = [{"name": "user_id", "type": "long"}, {"name": "identity", "type": "bytes"}]
    schema = {"type": "record", "name": "users", "fields": fields}
    handle = io.BytesIO()
    fastavro.writer(handle, schema, [{"user_id": 1, "identity": b"x" * 100 * MB}], "deflate")
    content = handle.getvalue()
    mark = content[-16:]
    head = content.index(mark) + len(mark)
    (folder / "heap").mkdir()
    blocks = content[head:] * int(30 * share)
    (folder / "heap/users.avro").write_bytes(content[:head] + blocks)


def endless(folder: Path, share: float) -> None:
    os.mkfifo(folder / "behavior_pipe.csv")
    (folder / "behavior_zero.jsonl").symlink_to("/dev/zero")
    (folder / "behavior_random.parquet").symlink_to("/dev/urandom")


def hollow(folder: Path, share: float) -> None:
    for name in ("behavior.csv", "behavior.jsonl", "metrics_v5_1_1.parquet"):
        with (folder / name).open("wb") as handle:
            handle.truncate(1 << 40)


def one_long_word(folder: Path, share: float) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = int(100_000 * share)
    values = {name: pa.array([f"{number}" for number in range(rows)]) for name in COLUMNS}
    values["occurred_at"] = pa.array(["2026-01-01"] * rows)
    table = pa.table(values)
    with pq.ParquetWriter(folder / "behavior.parquet", table.schema) as writer:
        for part in table.to_batches(1_000):
            word = pa.array(["x" * MB]).take(pa.array([0] * part.num_rows))
            writer.write_batch(part.set_column(3, "email", word))


CASES: dict[str, Callable[[Path, float], None]] = {
    "one ordinary file": ordinary,
    "a 3 GB line, packed": long_line_packed,
    "3 GB of blank lines, packed": blank_lines_packed,
    "a line of 1 GB": long_line,
    "5,000 columns": wide(5_000),
    "200,000 columns": wide(200_000),
    "100 million rows of nothing": rows_of_nothing,
    "Avro blocks of 1 GB, packed": avro_bomb,
    "3 GB of Avro blocks, packed": avro_blocks,
    "100 GB of one word in Parquet": one_long_word,
    "pipes and devices": endless,
    "a terabyte of nothing": hollow,
}


def child(export: Path, home: Path) -> None:
    """One measurement."""
    from pipelines import loading
    from pipelines.console import Console
    from pipelines.settings import Settings

    settings = Settings(COUNTERFOIL_HOME=home)  # type: ignore[call-arg]
    start = time.perf_counter()
    summary = loading.load([str(export)], settings, Console(as_json=True))
    wall = time.perf_counter() - start
    print(json.dumps([wall, peak_gb(), summary.files_loaded, len(summary.quarantined)]))


def peak_gb() -> float:
    """This process's own: `ru_maxrss` begins at what its parent had taken to make the files."""
    status = Path("/proc/self/status")
    if status.exists():
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def measure(export: Path, home: Path) -> tuple[float, float, int, int]:
    output = subprocess.run(
        [sys.executable, __file__, "--child", str(export), str(home)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    wall, peak, loaded, refused = json.loads(output.splitlines()[-1])
    return wall, peak, loaded, refused


def limit_gb() -> float:
    """The memory limit of the settings."""
    from pipelines.settings import Settings

    text = Settings().memory_limit.upper().removesuffix("B")
    units = {"M": 1e-3, "MI": 1.048576e-3, "G": 1.0, "GI": 1.073741824, "T": 1e3}
    number = text.rstrip("GIMT")
    return float(number) * units[text[len(number) :]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--folder", type=Path, help="where to work (default: temporary)")
    arguments = parser.parse_args()
    limit = limit_gb()
    usual = 0.0
    over = []
    print(f"memory limit {limit:g} GB")
    for name, make in CASES.items():
        folder = Path(tempfile.mkdtemp(prefix="bench_bounds_", dir=arguments.folder))
        try:
            (folder / "export").mkdir()
            make(folder / "export", arguments.share)
            wall, peak, loaded, refused = measure(folder / "export", folder / "home")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        usual = usual or wall
        if peak > limit or wall > MOST_SECONDS or (name != next(iter(CASES)) and loaded):
            over.append(name)
        print(
            f"{name:>28}: {peak:5.2f} GB peak, {peak / limit:4.2f} of the limit; {wall:6.2f} s,"
            f" {wall / usual:5.1f} times the ordinary file; {loaded} loaded, {refused} refused"
        )
    print(f"out of bounds: {', '.join(over) or 'none'}")
    sys.exit(1 if over else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()

"""Whatever lies in an export, a load ends in seconds and within its memory."""

from __future__ import annotations

import gzip
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from exports import behavior_file
from hypothesis import given, settings
from hypothesis import strategies as st
from test_load import at, load, rows
from typer.testing import CliRunner

from cli import app
from pipelines import loading
from pipelines.console import Advance, Console
from pipelines.loading import bounds, contents
from pipelines.loading.bounds import MB, too_many_rows, too_wide
from pipelines.loading.contents import CHANGED, HOLES, NO_FILE, Held, Unreadable
from pipelines.loading.files import Found
from pipelines.loading.readers import packed
from pipelines.loading.sources import behavior
from pipelines.loading.summary import LoadSummary

COLUMNS = ["event_id", "event_name", "occurred_at", "email"]


# ---------------------------------------------------------------- replaced while it is read


class Meanwhile(Console):
    """Does something between the hash of every file and the reading of its rows."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__(as_json=True)
        self._act = act

    @contextmanager
    def progress(self, title: str, total: int | None = None) -> Iterator[Advance]:
        if title == "loading rows":
            self._act()
        with super().progress(title, total) as advance:
            yield advance


def load_while(home: Path, export: Path, act: Callable[[], object]) -> LoadSummary:
    return loading.load_unlocked([str(export)], at(home), Meanwhile(act))


def moved_over(path: Path, other: bytes) -> None:
    (path.parent / "other").write_bytes(other)
    (path.parent / "other").rename(path)


def written_over(path: Path, other: bytes) -> None:
    """In place, of the same size and at the same time as far as anybody says."""
    status = path.stat()
    path.write_bytes(other)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size


def taken_away(path: Path, other: bytes) -> None:
    path.rename(path.parent / ".away")


@pytest.mark.parametrize("kind", ["csv", "jsonl.gz", "parquet"])
def test_what_was_hashed_is_what_was_read(tmp_path: Path, kind: str) -> None:
    export, home = tmp_path / "export", tmp_path / "home"
    acts = [moved_over, written_over, taken_away]
    files, others = [], []
    for number, act in enumerate(acts):
        files.append(export / f"behavior_{act.__name__}.{kind}")
        behavior_file(files[-1], f"old{number}")
        behavior_file(tmp_path / f"other.{kind}", f"new{number}")
        others.append((tmp_path / f"other.{kind}").read_bytes())
    behavior_file(export / f"behavior_same.{kind}", "same")

    def meanwhile() -> None:
        for do, path, other in zip(acts, files, others, strict=True):
            do(path, other)
        os.link(export / f"behavior_same.{kind}", tmp_path / "link")  # nothing of it is changed

    summary = load_while(home, export, meanwhile)
    assert summary.quarantined == sorted((path.name, CHANGED) for path in files)
    assert rows(home, "select event_id from behavior.events") == [("same",)]
    assert rows(home, "select file_name from loads.files") == [(f"behavior_same.{kind}",)]
    (export / ".away").rename(files[-1])
    again = load(home, export)
    assert (again.files_loaded, again.files_known, again.quarantined) == (3, 1, [])
    assert sorted(rows(home, "select event_id, _source_file from behavior.events")) == sorted(
        [
            ("new0", files[0].name),
            ("new1", files[1].name),
            ("old2", files[2].name),
            ("same", f"behavior_same.{kind}"),
        ]
    )


def test_a_file_that_breaks_while_it_is_read_is_not_called_broken_for_ever(tmp_path: Path) -> None:
    export, home = tmp_path / "export", tmp_path / "home"
    path = export / "behavior.parquet"
    behavior_file(path, "e")
    whole = path.read_bytes()
    summary = load_while(home, export, lambda: moved_over(path, whole[: len(whole) // 2]))
    assert summary.quarantined == [(path.name, CHANGED)]
    path.write_bytes(whole)
    assert load(home, export).files_loaded == 1


@settings(max_examples=40, deadline=None)
@given(before=st.binary(max_size=40), after=st.binary(max_size=40), dice=st.randoms())
def test_any_change_of_content_shows(before: bytes, after: bytes, dice: random.Random) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(before)
        held = contents.read(path)
        assert contents.is_as_held(held)
        time.sleep(0.02)  # a tick of the clock
        if dice.random() < 0.5:
            moved_over(path, after)
        else:
            path.write_bytes(after)
        if dice.random() < 0.5:
            os.utime(path, ns=(0, int(held.modified * 1e9)))
        if before != after:
            assert not contents.is_as_held(held)


def test_a_change_within_a_tick_of_the_clock_is_not_taken_for_known(tmp_path: Path) -> None:
    """The second of two changes in one tick leaves the time of the first."""

    def stamp(seconds: float) -> str:
        path = tmp_path / "file"
        path.write_bytes(b"x")
        now = path.stat().st_mtime
        os.utime(path, (now + seconds, now + seconds))
        return contents.read(path).stamp

    assert stamp(0.5) == ""
    assert stamp(-60.5) != ""


# ---------------------------------------------------------------- endless and hollow files


def test_files_without_an_end_are_refused_at_once(tmp_path: Path) -> None:
    export = tmp_path / "export"
    behavior_file(export / "behavior_fine.csv", "e")
    os.mkfifo(export / "behavior_pipe.csv")
    for name, target in (("z.jsonl", "/dev/zero"), ("u.parquet", "/dev/urandom")):
        (export / f"behavior_{name}").symlink_to(target)
    (export / "heap").mkdir()
    (export / "heap/users.avro").symlink_to("/dev/zero")
    for name in ("behavior_hole.csv", "behavior_hole.parquet", "metrics_v5_1_1.parquet"):
        with (export / name).open("wb") as handle:
            handle.truncate(1 << 40)  # a terabyte that takes no room
    summary = load(tmp_path / "home", export)
    assert summary.files_loaded == 1
    assert dict(summary.quarantined) == {
        "behavior_pipe.csv": NO_FILE,
        "behavior_z.jsonl": NO_FILE,
        "behavior_u.parquet": NO_FILE,
        "users.avro": NO_FILE,
        "behavior_hole.csv": HOLES,
        "behavior_hole.parquet": HOLES,
        "metrics_v5_1_1.parquet": HOLES,
    }


def test_a_pipe_put_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    held: Held = contents.read(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(Unreadable, match="special file"):
        contents.read(path)
    assert not contents.is_as_held(held)


def test_a_file_that_grows_is_read_to_where_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 10)
    real = os.read

    def slow(handle: int, size: int) -> bytes:
        with path.open("ab") as more:
            more.write(b"y" * 100)
        return real(handle, size)

    monkeypatch.setattr(os, "read", slow)
    with pytest.raises(Unreadable, match="changed while it was being read"):
        contents.read(path)


# ---------------------------------------------------------------- bombs


def test_a_packed_text_is_unpacked_so_far_and_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "UNPACKED_FREELY", 2 * MB)
    head = ",".join(COLUMNS).encode() + b"\n"
    row = b"%d,a,2026-01-01,%032x@example.com\n"
    dice = random.Random(1)
    files = {
        "behavior_bomb.csv.gz": head + b"1,a,2026-01-01," + b"x" * 4 * MB,
        "behavior_bomb.jsonl.gz": b"\n" * 4 * MB,
        "behavior_long.csv.gz": head
        + b"".join(row % (n, dice.getrandbits(128)) for n in range(60_000)),
    }
    export = tmp_path / "export"
    export.mkdir()
    for name, content in files.items():
        (export / name).write_bytes(gzip.compress(content))
    # packed in parts, as tools that pack in parallel do
    parts = [gzip.compress(b"\n" * MB) for _ in range(4)]
    (export / "behavior_parts.jsonl.gz").write_bytes(b"".join(parts))
    # zeros between the parts are no end of them
    (export / "behavior_zeros.jsonl.gz").write_bytes((b"\0" * 500).join(parts))
    summary = load(tmp_path / "home", export)
    assert {name for name, _ in summary.quarantined} == {
        "behavior_bomb.csv.gz",
        "behavior_bomb.jsonl.gz",
        "behavior_parts.jsonl.gz",
        "behavior_zeros.jsonl.gz",
    }
    assert all("of it unpack to more than 2 MB" in why for _, why in summary.quarantined)
    assert summary.rows == 60_000


def test_many_packed_parts_are_each_read_once(tmp_path: Path) -> None:
    """Of what is left when a part ends, all would be copied for each part: four times the parts
    would take sixteen times as long."""
    path = tmp_path / "behavior.jsonl.gz"
    kind = behavior.recognise(PurePosixPath(path))
    assert kind is not None
    took = []
    for count in (150_000, 600_000):
        path.write_bytes(gzip.compress(b"") * count)
        found = Found(str(path), path.name, kind, path.stat().st_size, "", None, path)
        started = time.process_time()
        assert packed.unpacks_too_far(found) is None
        took.append(time.process_time() - started)
    assert took[1] < 10 * took[0]


def test_rows_without_bytes_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "export/behavior.parquet"
    path.parent.mkdir()
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    with pq.ParquetWriter(path, schema) as writer:
        same = pa.repeat("2026-01-01", 1_000_000)
        part = pa.table(dict.fromkeys(COLUMNS, same), schema=schema)
        for _ in range(2):
            writer.write_table(part)
    [(_, why)] = load(tmp_path / "home", path.parent).quarantined
    assert why.startswith("it says that it holds 2,000,000 rows, in ")
    assert too_many_rows(bounds.ROWS_FREELY, 100) is None
    assert too_many_rows(10_000_000, 500_000) is None
    assert too_many_rows(10_000_001, 500_000) is not None


def test_one_long_word_in_every_row_is_no_text(tmp_path: Path) -> None:
    """In Parquet a word is written once and then called by its number, however long it is."""
    export, home = tmp_path / "export", tmp_path / "home"
    export.mkdir()
    rows = 20_000
    words = pa.DictionaryArray.from_arrays(pa.array([0] * rows), ["x" * 100_000])
    values = {name: pa.array([f"2026-01-0{n % 9 + 1}" for n in range(rows)]) for name in COLUMNS}
    ids = pa.array([str(number) for number in range(rows)])
    long = pa.table(values | {"event_id": ids, "email": words.cast(pa.string())})
    pq.write_table(long, export / "behavior_long.parquet")
    pq.write_table(pa.table(values | {"event_id": ids}), export / "behavior_plain.parquet")
    summary = load(home, export)
    [(name, why)] = summary.quarantined
    assert (name, summary.rows) == ("behavior_long.parquet", rows)
    assert why.endswith("MB of it unpack to more than 256 MB")


def test_a_long_file_without_a_text_is_read(tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    rows = 300_000
    times = pa.array([datetime(2026, 1, 1 + n % 9, tzinfo=UTC) for n in range(rows)])
    numbers = pa.array(range(rows))
    values = dict.fromkeys(COLUMNS, numbers) | {"occurred_at": times}
    pq.write_table(pa.table(values), export / "behavior.parquet")
    summary = load(tmp_path / "home", export)
    assert (summary.quarantined, summary.rows) == ([], rows)


def test_wide_files_are_refused_in_every_format(tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    values = dict.fromkeys(COLUMNS, "2026-01-01")
    values |= {f"p{number}": "1" for number in range(bounds.MOST_COLUMNS + 1 - len(values))}
    table = pa.table({name: [value] for name, value in values.items()})
    pq.write_table(table, export / "behavior.parquet")
    text = f"{','.join(values)}\n{','.join(values.values())}\n"
    (export / "behavior.csv").write_text(text)
    (export / "behavior.jsonl").write_text(json.dumps(values) + "\n")
    assert load(tmp_path / "home", export).quarantined == [
        (f"behavior.{kind}", "it has 2,001 columns, and at most 2,000 are read")
        for kind in ("csv", "jsonl", "parquet")
    ]
    assert too_wide(bounds.MOST_COLUMNS) is None


def test_a_footer_too_large_to_be_read_is_refused_before_it_is(tmp_path: Path) -> None:
    path = tmp_path / "export/behavior.parquet"
    path.parent.mkdir()
    path.write_bytes(
        b"PAR1" + b"\0" * 100 + (bounds.LARGEST_DESCRIPTION + 1).to_bytes(4, "little") + b"PAR1"
    )
    [(_, why)] = load(tmp_path / "home", path.parent).quarantined
    assert why == "its footer takes more than 64 MB"


def test_a_file_that_takes_too_much_memory_keeps_no_other_out(tmp_path: Path) -> None:
    export, home = tmp_path / "export", tmp_path / "home"
    export.mkdir()
    behavior_file(export / "behavior_1.parquet", "e1")
    behavior_file(export / "behavior_3.parquet", "e3")
    large = {name: [f"{number}" * 2_000_000 for number in range(12)] for name in COLUMNS}
    large["occurred_at"] = ["2026-01-01"] * 12
    pq.write_table(pa.table(large), export / "behavior_2.parquet")
    small = at(home).model_copy(update={"memory_limit": "50MB"})
    summary = loading.load_unlocked([str(export)], small, Console(as_json=True))
    assert [name for name, _ in summary.quarantined] == ["behavior_2.parquet"]
    assert "more memory than 50MB (COUNTERFOIL_MEMORY_LIMIT)" in summary.quarantined[0][1]
    assert rows(home, "select event_id from behavior.events order by 1") == [("e1",), ("e3",)]
    # with more of it the same file is read
    assert load(home, export).rows == 12


def test_a_text_that_takes_too_much_memory_keeps_no_other_out(tmp_path: Path) -> None:
    export, home = tmp_path / "export", tmp_path / "home"
    export.mkdir()
    row = {"event_id": "e", "email": "a@example.com", "event_name": "x"}
    good = json.dumps({**row, "occurred_at": "2026-01-01"}) + "\n"
    deep = 12_000_000
    (export / "behavior_1.jsonl").write_text(good * 20 + "{\n")
    (export / "behavior_2.jsonl").write_text(
        good + json.dumps(row)[:-1] + f', "deep": {"[" * deep}{"]" * deep}}}\n'
    )
    behavior_file(export / "behavior_3.parquet", "e3")
    small = at(home).model_copy(update={"memory_limit": "600MB"})
    summary = loading.load_unlocked([str(export)], small, Console(as_json=True))
    assert [name for name, _ in summary.quarantined] == ["behavior_2.jsonl"]
    assert "(COUNTERFOIL_MEMORY_LIMIT)" in summary.quarantined[0][1]
    assert summary.rows == 21
    assert rows(home, "select line_number from loads.rejected_rows") == [(21,)]


# ---------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["load", ""], "an empty one was given"),
        (["load", "somewhere", ""], "There is no export at"),
        (["load", "file://"], "file:///path/to/export"),
        (["load", "file://elsewhere/x"], "file:///path/to/export"),
        (["load", "file:///tmp/%00"], "file:///path/to/export"),
        (["load", "~nobody-of-that-name/x"], "nobody here has that name"),
        (["load", "s3://"], "names no bucket: give s3://bucket/folder"),
        (["load", "gs:///folder"], "names no bucket"),
        (["load", "az://"], "names no bucket"),
        (["load", "ftp://host/x"], "cannot be read from `ftp://`"),
        (["load", "a" * 5000], "There is no export at"),
        (["run", ""], "an empty one was given"),
        (["sample", ""], "it is empty: give a path"),
        (["build", "--registries", ""], "it is empty: give a path"),
        (["plan", "--out", ""], "it is empty: give a path"),
        (["publish", "--plan", ""], "it is empty: give a path"),
    ],
)
def test_an_odd_argument_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("COUNTERFOIL_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    behavior_file(tmp_path / "behavior.csv", "not asked for")
    result = CliRunner().invoke(app, arguments)
    output = " ".join(result.output.replace("│", " ").split())
    assert (result.exit_code, said in output) == (2, True), output
    assert not (home / "raw.duckdb").exists()

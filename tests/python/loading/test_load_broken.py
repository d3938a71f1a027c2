"""Broken files, broken places and broken runs: the rest loads, and the sentence says what to do."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath

import duckdb
import killing
import pyarrow as pa
import pytest
from conftest import KILLS, PROVE
from killing import is_killed, seconds_of, started
from raw_in_files import begun, counted, there
from test_load import NOON, at, load, metrics, metrics_file, rows, write

from pipelines import loading
from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.loading import contents, files
from pipelines.loading.sources import customerio
from pipelines.settings import PROJECT_DIR


def quarantine(home: Path) -> dict[str, str]:
    return dict(rows(home, "select file_name, reason from loads.quarantine"))


# ---------------------------------------------------------------- broken files


@pytest.mark.parametrize("family", [family.name for family in customerio.WAREHOUSE])
def test_corrupt_parquet_never_passes_for_a_family(
    tmp_path: Path, shared_data: Path, family: str
) -> None:
    """DuckDB reads two of these without complaint; none holds the columns of a family."""
    export = tmp_path / "export"
    export.mkdir()
    bad = sorted((shared_data / "hostile/parquet_bad_data").glob("*.parquet"))
    assert len(bad) == 8
    for number, path in enumerate(bad):
        (export / f"{family}_v5_164000_{number}.parquet").write_bytes(path.read_bytes())
    summary = load(tmp_path / "home", export)
    assert summary.files_loaded == 0
    assert len(quarantine(tmp_path / "home")) == len(bad) == len(summary.quarantined)
    assert summary.failure is not None


@pytest.mark.parametrize("in_files", [False, True])
def test_damaged_pages_are_found_and_everything_else_loads(tmp_path: Path, in_files: bool) -> None:
    export, home = tmp_path / "export", tmp_path / "home"
    if in_files:
        begun(home)
    for number in range(7):
        metrics_file(export, number, number * 10)
    victim = export / "metrics_v5_164000_3.parquet"
    write(victim, metrics(30, 5000, reason=[f"reason {i * 7919}" for i in range(5000)]), 5000)
    whole = victim.read_bytes()
    victim.write_bytes(whole[:4] + bytes(b ^ 0x5A for b in whole[4:400]) + whole[400:])
    write(
        export / "people_v5_164000_9.parquet",
        {"internal_customer_id": ["a", "b"], "updated_at": [NOON] * 2},
    )
    summary = load(home, export)
    assert (summary.files_loaded, summary.rows) == (7, 14)
    assert [name for name, _ in summary.quarantined] == [victim.name]
    assert rows(home, "select count(*), count(distinct event_id) from customerio.metrics") == [
        (12, 12)
    ]
    assert victim.exists()

    # unchanged: reported, not tried; whole again: loaded, and out of the quarantine
    again = load(home, export)
    assert (again.files_loaded, len(again.quarantined)) == (0, 1)
    victim.write_bytes(whole)
    healed = load(home, export)
    assert (healed.files_loaded, healed.quarantined, quarantine(home)) == (1, [], {})
    assert healed.failure is None


def test_a_broken_file_that_is_taken_away_leaves_the_quarantine(tmp_path: Path) -> None:
    export, home = tmp_path / "export", tmp_path / "home"
    metrics_file(export, 1, 0)
    broken = export / "metrics_v5_164000_2.parquet"
    broken.write_bytes(b"PAR1")
    load(home, export)
    assert list(quarantine(home)) == [broken.name]
    other = metrics_file(tmp_path / "other", 3, 20).parent
    load(home, other)  # says nothing about the first folder
    assert list(quarantine(home)) == [broken.name]
    broken.unlink()
    load(home, export)
    assert quarantine(home) == {}

    broken.write_bytes(b"PAR1")
    load(home, export)
    export = export.rename(tmp_path / "moved")
    load(home, export)
    assert rows(home, "select location from loads.quarantine") == [(str(export / broken.name),)]
    metrics_file(export, 2, 40)
    load(home, export)
    assert quarantine(home) == {}


BROKEN = {
    "metrics_v5_1_1.parquet": (b"", "it is empty (0 bytes)"),
    "metrics_v5_1_2.parquet": (b"hello, this is no Parquet", "not a whole Parquet file"),
    "behavior_a.csv": (b"event_id,event_name,occurred_at\n1,a,2025-01-01\n", "none of the columns"),
    "behavior_b.csv": (
        b"event_id,event_name,occurred_at,email\n1,a,2025-01-01,x\n2,a,2025-01-01\n",
        "line 3 cannot be read as CSV",
    ),
    "behavior_c.csv": (
        b"event_id,event_name,occurred_at,email\n1,a,SECRET@example.com,x\n",
        "line 2: the column `occurred_at` holds a value that is not a time (like aaaaaa@aaaaaaa",
    ),
    "behavior_d.csv": (
        b"event_id,event_name,occurred_at,email,value\n1,a,2025-01-01,x,SECRET\n",
        "line 2: the column `value` holds a value that is not an amount (like aaaaaa)",
    ),
    "behavior_e.csv": (
        b'event_id,event_name,occurred_at,email\n1,a,2025-01-01,"SECRET\n',
        "line 2 cannot be read as CSV",
    ),
    "behavior_f.csv": (b"event_id,event_name,occurred_at,email\n1,a,2025-01-01,\xe9\n", "UTF-8"),
    "behavior_g.csv.gz": (
        gzip.compress(b"event_id,event_name,occurred_at,email\n" + os.urandom(9999).hex().encode())[
            :-500
        ],
        "ends too early",
    ),
    "behavior_h.jsonl": (
        b'{"event_id":"1","event_name":"a","occurred_at":1740832215,"email":"x"}\n{"event_id":\n',
        "line 2 is not valid JSON",
    ),
    "behavior_i.jsonl": (b'{"event_id":"1","event_name":"a","email":"x"}\n', "`occurred_at`"),
    "webhooks_a.jsonl": (b"[1]\n", "line 1 is not a JSON object"),
    "webhooks_b.jsonl": (b'{"event_id":"1","timestamp":1740832215}\n', "line 1 lacks `metric`"),
    "webhooks_c.jsonl": (b'{"event_id":"\xff","timestamp":1}\n', "line 1 is not in UTF-8"),
    "webhooks_d.jsonl": (
        b'{"event_id":"1","metric":"sent","timestamp":"abc"}\n',
        "line 1: the column `timestamp` holds a value that is not a time (like aaa)",
    ),
}


def test_each_kind_of_broken_file_has_its_reason_and_names_no_value(tmp_path: Path) -> None:
    export = tmp_path / "export"
    metrics_file(export, 1, 0)
    for name, (content, _) in BROKEN.items():
        (export / name).write_bytes(content)
    summary = load(tmp_path / "home", export)
    reasons = quarantine(tmp_path / "home")
    assert dict(summary.quarantined) == reasons
    assert {name for name, (_, why) in BROKEN.items() if why not in reasons.get(name, "")} == set()
    assert set(reasons) == set(BROKEN)
    assert "SECRET" not in str(reasons)
    assert "SECRET" not in str(summary.failure)
    assert summary.files_loaded == 1


def test_values_that_cannot_be_cast_quarantine_their_file_only(tmp_path: Path) -> None:
    export = tmp_path / "export"
    metrics_file(export, 1, 0)
    metrics_file(export, 2, 10, link_id=["7", "SECRET"])
    metrics_file(export, 3, 20, link_id=[1.0, 1.5])
    metrics_file(export, 4, 30, machine=["true", "perhaps"])
    metrics_file(export, 5, 40, created_at=["2025-01-01", "yesterday"])
    metrics_file(export, 6, 50, metric=[b"sent", b"\xff\xfe"])
    metrics_file(export, 7, 60, link_id=pa.array([2**63, 1], pa.uint64()))
    summary = load(tmp_path / "home", export)
    assert dict(summary.quarantined) == {
        f"metrics_v5_164000_{number}.parquet": reason
        for number, reason in {
            2: "the column `link_id` holds a value that is not a whole number (like aaaaaa)",
            3: "the column `link_id` holds a value that is not a whole number"
            " (like 9.9; it has a fraction)",
            4: "the column `machine` holds a value that is not true or false (like aaaaaaa)",
            5: "the column `created_at` holds a value that is not a time (like aaaaaaaaa)",
            6: "the column `metric` holds text that is not UTF-8",
            7: "the column `link_id` holds a value that is not a whole number",
        }.items()
    }
    assert rows(tmp_path / "home", "select event_id from customerio.metrics order by 1") == [
        ("M0",),
        ("M1",),
    ]


def test_csv_in_every_quoting(tmp_path: Path, shared_data: Path) -> None:
    spectrum = shared_data / "hostile/csv_spectrum/csvs"
    checked = 0
    for path in sorted(spectrum.glob("*.csv")):
        if path.stem == "location_coordinates":  # its JSON contradicts its CSV
            continue
        expected = json.loads((spectrum.parent / "json" / f"{path.stem}.json").read_text())
        expected = expected if isinstance(expected, list) else [expected]
        ending = b"\r\n" if b"\r\n" in path.read_bytes() else b"\n"
        _, _, body = path.read_bytes().partition(ending)
        # every record gets our required columns in front
        export = tmp_path / path.stem
        export.mkdir()
        names = list(expected[0])
        columns = {name: f"their_{number}" for number, name in enumerate(names)}
        text = ",".join(["event_id", "event_name", "occurred_at", "email", *columns.values()])
        whole = text.encode() + ending
        for number, record in enumerate(_records(body, ending)):
            whole += f"e{number},x,2025-01-01,a,".encode() + record + ending
        (export / "behavior.csv").write_bytes(whole)
        assert load(tmp_path / f"home_{path.stem}", export).quarantined == [], path.name
        shown = ", ".join(f"coalesce({name}, '')" for name in columns.values())
        got = rows(
            tmp_path / f"home_{path.stem}", f"select {shown} from behavior.events order by event_id"
        )
        assert got == [tuple(str(value) for value in row.values()) for row in expected], path.name
        checked += 1
        if checked == 4 and not PROVE:
            break
    assert checked >= 4


def _records(body: bytes, ending: bytes) -> list[bytes]:
    records: list[bytes] = []
    for line in body.removesuffix(ending).split(ending):
        if records and records[-1].count(b'"') % 2:
            records[-1] += ending + line
        else:
            records.append(line)
    return records


# ---------------------------------------------------------------- broken places


def test_places_that_cannot_be_loaded_from_say_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no export at"):
        load(tmp_path / "home", tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="Nothing to load"):
        load(tmp_path / "home", tmp_path / "empty")
    with pytest.raises(UsageError, match="ftp"):
        load(tmp_path / "home", "ftp://user:SECRET@example.com/x")
    with pytest.raises(UsageError, match="There is no export at memory://"):
        load(tmp_path / "home", f"memory://{tmp_path.name}/nothing")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(("scheme", "package"), [("s3", "s3fs"), ("gs", "gcsfs"), ("az", "adlfs")])
def test_a_missing_extra_is_named(tmp_path: Path, scheme: str, package: str) -> None:
    lacking = f"import sys; sys.modules['{package}'] = None; import cli; cli.app()"
    result = subprocess.run(
        [sys.executable, "-c", lacking, "load", f"{scheme}://bucket/folder"],
        env={**os.environ, "COUNTERFOIL_HOME": str(tmp_path / "home")},
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert f"pip install 'counterfoil[{scheme}]'" in result.stderr


def test_a_locked_raw_says_who_holds_it(tmp_path: Path) -> None:
    metrics_file(tmp_path / "export", 1, 0)
    loading.ensure_raw(at(tmp_path / "home"))
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print(1, flush=True);"
            " time.sleep(60)",
            str(tmp_path / "home/raw.duckdb"),
        ],
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(CounterfoilError, match=f"process {holder.pid}"):
            load(tmp_path / "home", tmp_path / "export")
    finally:
        holder.kill()
        holder.communicate()
    assert load(tmp_path / "home", tmp_path / "export").files_loaded == 1


def test_two_loads_at_once_do_not_mix(tmp_path: Path) -> None:
    from pipelines.locks import hold

    metrics_file(tmp_path / "export", 1, 0)
    with (
        hold(tmp_path / "home", "warehouse", "build"),
        pytest.raises(CounterfoilError, match="counterfoil build"),
    ):
        loading.load([str(tmp_path / "export")], at(tmp_path / "home"), Console(as_json=True))


def test_a_raw_that_is_no_database_is_named(tmp_path: Path) -> None:
    metrics_file(tmp_path / "export", 1, 0)
    (tmp_path / "home").mkdir()
    (tmp_path / "home/raw.duckdb").write_bytes(b"hello" * 1000)
    with pytest.raises(CounterfoilError, match="is not a DuckDB database"):
        load(tmp_path / "home", tmp_path / "export")


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a small file system to fill")
@pytest.mark.parametrize("in_files", [False, True])
def test_a_full_disk_loses_nothing(tmp_path: Path, in_files: bool) -> None:
    """A file size limit stands in for a full disk where no small file system can be mounted."""
    export, home = tmp_path / "export", tmp_path / "home"
    if in_files:
        begun(home)
    metrics_file(export, 1, 0)
    load(home, export)
    size = (home / "raw.duckdb").stat().st_size
    write(
        export / "metrics_v5_164000_2.parquet",
        metrics(100, 60_000, reason=[os.urandom(60).hex() for _ in range(60_000)]),
        60_000,
    )
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size + 500_000}, {size + 500_000}));"
        "from pipelines import loading; from pipelines.console import Console;"
        "from pipelines.settings import Settings; from pathlib import Path;"
        "from pipelines.errors import CounterfoilError\n"
        "try: loading.load([sys.argv[1]], Settings(COUNTERFOIL_HOME=Path(sys.argv[2])),"
        " Console())\n"
        "except CounterfoilError as error: print(error); sys.exit(1)"
    )
    failed = subprocess.run(
        [sys.executable, "-c", code, str(export), str(home)],
        capture_output=True,
        text=True,
        cwd=PROJECT_DIR,
        check=False,
    )
    assert failed.returncode == 1, failed.stderr
    assert "Traceback" not in failed.stdout + failed.stderr
    assert failed.stdout.count("\n") == 1
    assert load(home, export).rows == 60_000
    assert rows(home, "select count(*), count(distinct event_id) from customerio.metrics") == [
        (60_002, 60_002)
    ]


# ---------------------------------------------------------------- broken runs


@pytest.mark.parametrize("engine", ["duckdb", "spark"])
def test_a_load_killed_at_any_instant_loses_and_doubles_nothing(
    tmp_path: Path, note: Callable[[str, int], None], engine: str
) -> None:
    export, home = tmp_path / "export", tmp_path / "home"
    for number in range(8):
        count = 20_000
        write(
            export / f"metrics_v5_164000_{number}.parquet",
            metrics(number * count, count, machine=number % 2 == 0),
            count,
        )
        write(
            export / f"attributes_v5_164000_{number}.parquet",
            {
                "internal_customer_id": [f"c{i}" for i in range(count)],
                "attribute_name": "a",
                "attribute_value": "b",
                "timestamp": 1_740_832_215 + number,
            },
            count,
        )
    (export / "behavior.csv").write_text(
        "event_id,event_name,occurred_at,email\n"
        + "".join(f"e{i},x,2025-01-01,a\n" for i in range(1000))
    )

    whole = seconds_of(started(killing.loading, export, home, engine))

    killed = 0
    tries = KILLS if PROVE else 3
    for _ in range(3 * tries):
        if killed == tries:
            break
        for path in home.glob("raw.duckdb*"):
            path.unlink()
        shutil.rmtree(home / "raw", ignore_errors=True)
        process = started(killing.loading, export, home, engine)
        if is_killed(process, whole * (killed + 0.5) / (tries + 1)):
            killed += 1
        else:
            assert process.exitcode == 0
            whole *= 0.98  # it was quicker than the first
        loading.load([str(export)], at(home), Console(as_json=True))
        assert rows(
            home,
            "select (select count(*) from customerio.metrics),"
            " (select count(distinct event_id) from customerio.metrics),"
            " (select count(*) from customerio.attributes),"
            " (select count(*) from behavior.events),"
            " (select count(*) from loads.files)",
        ) == [(160_000, 160_000, 160_000, 1000, 17)]
        assert not (home / "dlt").exists()
        if engine == "spark" and (home / "raw").exists():
            assert there(home) == counted(home)
    note("kills of a load", killed)
    assert killed == tries


def test_remains_of_a_killed_load_are_swept_and_its_files_loaded(tmp_path: Path) -> None:
    """The state that a kill leaves between the rows and dlt's own mark, made by hand."""
    export, home = tmp_path / "export", tmp_path / "home"
    metrics_file(export, 1, 0)
    load(home, export)
    with duckdb.connect(str(home / "raw.duckdb")) as connection:
        for table in ("metrics", "loaded_files"):
            connection.execute(f"update customerio.{table} set _dlt_load_id = 'killed'")
    (home / "dlt").mkdir()
    assert load(home, export).rows == 2
    assert rows(home, "select count(*) from customerio.metrics") == [(2,)]
    assert rows(home, "select count(*) from loads.files") == [(1,)]


def test_dlt_reads_no_settings_but_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("NORMALIZE__MODEL_NORMALIZER__ADD_DLT_ID", "true")
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(tmp_path / "stray.duckdb"))
    (tmp_path / "user").mkdir()
    metrics_file(tmp_path / "export", 1, 0, **{"Odd Name": "x"})
    load(tmp_path / "home", tmp_path / "export")
    assert list((tmp_path / "user").iterdir()) == []
    assert not (tmp_path / "elsewhere").exists()
    assert not (tmp_path / "stray.duckdb").exists()
    columns = {name for name, *_ in rows(tmp_path / "home", "describe customerio.metrics")}
    assert "odd_name" in columns
    assert "_dlt_id" not in columns


def test_what_may_not_be_read_or_written_is_named(
    tmp_path: Path, an_owner: Callable[[], AbstractContextManager[None]]
) -> None:
    export, home = tmp_path / "export", tmp_path / "home"
    metrics_file(export / "closed", 1, 0)
    path = metrics_file(export, 2, 10)
    kind = loading.recognise(PurePosixPath(path))
    assert kind is not None
    found = files.Found(str(path), path.name, kind, 9, "1", None, path)
    with an_owner():
        home.mkdir()
    export.chmod(0o755)
    home.chmod(0o555)
    (export / "closed").chmod(0)
    path.chmod(0)
    try:
        with an_owner():
            with pytest.raises(CounterfoilError, match=r"closed cannot be read .permission denied"):
                load(home, export)
            with pytest.raises(contents.Unreadable, match=r"cannot be opened .permission denied"):
                files.bring(found, tmp_path, 0)
            with pytest.raises(CounterfoilError, match="permission"):
                loading.ensure_raw(at(home))
    finally:
        (export / "closed").chmod(0o755)
        home.chmod(0o755)


def test_a_file_that_may_not_be_opened_is_quarantined_each_time(tmp_path: Path) -> None:
    export, home = tmp_path / "export", tmp_path / "home"
    metrics_file(export, 1, 0)
    dangling = export / "metrics_v5_164000_2.parquet"
    dangling.symlink_to(tmp_path / "nowhere")
    for _ in range(2):
        assert [name for name, _ in load(home, export).quarantined] == [dangling.name]
        assert list(quarantine(home)) == [dangling.name]
    metrics_file(tmp_path, 2, 50).rename(tmp_path / "nowhere")
    assert (load(home, export).files_loaded, quarantine(home)) == (1, {})


def test_the_quarantine_says_whose_file_it_was_also_in_an_older_home(tmp_path: Path) -> None:
    export, home = tmp_path / "export", tmp_path / "home"
    home.mkdir()
    with duckdb.connect(str(home / "raw.duckdb")) as older:
        older.execute("create schema loads")
        older.execute(
            "create table loads.quarantine (file_name varchar, family varchar, "
            "content_hash varchar, reason varchar, location varchar, quarantined_at timestamp)"
        )
    export.mkdir()
    (export / "metrics_v5_164000_7.parquet").write_bytes(b"PAR1")
    (export / "behavior.parquet").write_bytes(b"PAR1")
    load(home, export)
    assert rows(home, "select file_name, workspace_id from loads.quarantine order by 1") == [
        ("behavior.parquet", None),
        ("metrics_v5_164000_7.parquet", 164000),
    ]

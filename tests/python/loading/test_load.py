"""The road: real files through real dlt into a real raw.duckdb."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import PROVE
from exports import behavior_file
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines import loading
from pipelines.blanks import BLANKS
from pipelines.console import Console
from pipelines.loading.files import NOT_NAMED
from pipelines.loading.handover import Road
from pipelines.loading.sources import customerio
from pipelines.loading.summary import LoadSummary
from pipelines.settings import Settings

NOON = datetime(2025, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


def at(home: Path) -> Settings:
    return Settings.model_validate({"COUNTERFOIL_HOME": home})


def load(home: Path, *exports: Path | str, road: Road | None = None) -> LoadSummary:
    return loading.load_unlocked(
        [str(export) for export in exports], at(home), Console(as_json=True), road
    )


def rows(home: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / "raw.duckdb"), read_only=True) as connection:
        found: list[tuple[Any, ...]] = connection.execute(query).fetchall()
    return found


def write(path: Path, columns: dict[str, Any], count: int = 2) -> Path:
    """A Parquet file; a plain value is repeated, a list is taken as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {
        name: value if isinstance(value, (list, pa.Array)) else [value] * count
        for name, value in columns.items()
    }
    pq.write_table(pa.table(values), path)
    return path


def metrics(first: int, count: int = 2, **extra: Any) -> dict[str, Any]:
    return {
        "event_id": [f"M{number}" for number in range(first, first + count)],
        "workspace_id": 164000,
        "delivery_id": [f"D{number}" for number in range(first, first + count)],
        "metric": "sent",
        "created_at": pa.array([NOON] * count, pa.timestamp("us", "UTC")),
        "seq_num": list(range(first, first + count)),
        **extra,
    }


def metrics_file(folder: Path, sequence: int, first: int, **extra: object) -> Path:
    return write(folder / f"metrics_v5_164000_{sequence}.parquet", {**metrics(first), **extra})


# ---------------------------------------------------------------- what is always there


def test_ensure_raw_makes_every_table_of_the_interface(tmp_path: Path) -> None:
    loading.ensure_raw(at(tmp_path))
    tables = {
        f"{schema}.{table}"
        for schema, table in rows(
            tmp_path,
            "select table_schema, table_name from information_schema.tables",
        )
    }
    assert tables >= {
        *(f"customerio.{family.name}" for family in customerio.WAREHOUSE),
        "customerio.webhooks",
        "customerio.activities",
        "behavior.events",
        "heap_connect.users",
        "heap_connect.sessions",
        "heap_connect.user_migrations",
        "heap_connect.events",
        "loads.files",
        "loads.quarantine",
    }
    columns = {name: kind for name, kind, *_ in rows(tmp_path, "describe customerio.metrics")}
    assert columns["seq_num"] == "BIGINT"
    assert columns["created_at"] == "TIMESTAMP"
    assert columns["machine"] == "BOOLEAN"
    assert columns["_source_file"] == columns["_dlt_load_id"] == "VARCHAR"
    assert len(columns) == 17 + 2


def test_loads_files_can_be_read_when_raw_is_attached(tmp_path: Path) -> None:
    metrics_file(tmp_path / "export", 1, 0)
    load(tmp_path / "home", tmp_path / "export")
    with duckdb.connect() as warehouse:
        warehouse.execute(f"attach '{tmp_path}/home/raw.duckdb' as raw (read_only)")
        [(name, family, workspace, version, sequence, count)] = warehouse.execute(
            "select file_name, family, workspace_id, schema_version, file_sequence, count_rows"
            " from raw.loads.files"
        ).fetchall()
    assert (name, family) == ("metrics_v5_164000_1.parquet", "metrics")
    assert (workspace, version, sequence, count) == (164000, 5, 1, 2)


def test_nothing_is_left_in_the_home_but_raw(tmp_path: Path) -> None:
    metrics_file(tmp_path / "export", 1, 0)
    load(tmp_path / "home", tmp_path / "export")
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["raw.duckdb"]


# ---------------------------------------------------------------- known files


def test_only_new_files_are_read(tmp_path: Path) -> None:
    export, home = tmp_path / "export", tmp_path / "home"
    first = metrics_file(export, 2, 0)
    assert load(home, export).files_loaded == 1
    again = load(home, export)
    assert (again.files_loaded, again.rows, again.files_known) == (0, 0, 1)

    # unreadable now, so that reading it would fail; name, size and time are as before
    status = first.stat()
    first.write_bytes(b"\0" * status.st_size)
    os.utime(first, ns=(status.st_atime_ns, status.st_mtime_ns))
    metrics_file(export, 1, 10)  # late: a lower sequence
    third = load(home, export)
    assert (third.files_loaded, third.files_known, third.quarantined) == (1, 1, [])
    assert rows(home, "select count(*) from customerio.metrics") == [(4,)]


def test_a_file_sent_twice_is_loaded_once_and_new_content_under_its_name_again(
    tmp_path: Path,
) -> None:
    export, home = tmp_path / "export", tmp_path / "home"
    path = metrics_file(export, 1, 0)
    shutil.copyfile(path, metrics_file(export / "again", 1, 5).parent / path.name)
    summary = load(home, export)
    assert (summary.files_loaded, summary.files_known) == (1, 1)
    metrics_file(export, 1, 20)
    assert load(home, export).files_loaded == 1
    os.utime(path, (0, 0))  # touched, not changed
    assert load(home, export).files_known == 2
    assert rows(home, "select event_id from customerio.metrics order by 1") == [
        ("M0",),
        ("M1",),
        ("M20",),
        ("M21",),
    ]


def test_the_same_content_under_another_name_is_loaded_too(tmp_path: Path) -> None:
    path = metrics_file(tmp_path / "export", 1, 0)
    shutil.copyfile(path, path.with_name("metrics_v5_164000_2.parquet"))
    assert load(tmp_path / "home", tmp_path / "export").files_loaded == 2


@pytest.mark.parametrize("count", [3 if not PROVE else 5])
def test_any_split_order_and_repetition_gives_the_same_rows(tmp_path: Path, count: int) -> None:
    """Pieces differ in columns and types, so that each load meets another schema."""
    pieces: list[dict[str, Any]] = [
        metrics(0),
        metrics(10, machine=True),
        {**metrics(20), "New Thing": "x", "seq_num": pa.array([1, 2], pa.int32())},
        metrics(30, created_at=pa.array([NOON] * 2, pa.timestamp("ns"))),
        {**metrics(40), "new thing!": "y"},
    ]
    expected: list[tuple[Any, ...]] | None = None
    runs = itertools.count()

    @settings(
        max_examples=30 if PROVE else 5,
        deadline=None,
        derandomize=not PROVE,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(
        order=st.permutations(range(len(pieces))),
        splits=st.lists(st.integers(0, len(pieces)), max_size=2),
        repeats=st.lists(st.integers(0, len(pieces) - 1), max_size=3),
    )
    def same(order: Sequence[int], splits: list[int], repeats: list[int]) -> None:
        nonlocal expected
        base = tmp_path / str(next(runs))
        parts = [0, *sorted(splits), len(pieces)]
        for start, end in itertools.pairwise(parts):
            export = base / "export" / str(start)
            export.mkdir(parents=True, exist_ok=True)
            for piece in [*order[start:end], *repeats]:
                write(export / f"metrics_v5_164000_{piece}.parquet", pieces[piece])
            if any(export.iterdir()):
                load(base / "home", export)
        names = [name for (name, *_) in rows(base / "home", "describe customerio.metrics")]
        shown = ", ".join(f'"{name}"' for name in sorted(names) if name != "_dlt_load_id")
        got = rows(base / "home", f"select {shown} from customerio.metrics order by event_id")
        expected = expected or got
        assert len(got) == 10
        assert got == expected

    same()


# ---------------------------------------------------------------- columns and types


@pytest.mark.parametrize("road", ["model", "arrow"])
def test_narrow_wide_and_odd_types_become_the_pinned_ones(tmp_path: Path, road: Road) -> None:
    folder = tmp_path / "export"
    naive = NOON.replace(tzinfo=None)
    epoch = int(NOON.timestamp())
    times: dict[str, tuple[Any, datetime]] = {
        "us_utc": (pa.array([NOON] * 2, pa.timestamp("us", "UTC")), naive),
        "us_paris": (pa.array([NOON] * 2, pa.timestamp("us", "Europe/Paris")), naive),
        "us_naive": (pa.array([naive] * 2, pa.timestamp("us")), naive),
        "ms": (
            pa.array([naive.replace(microsecond=123000)] * 2, pa.timestamp("ms")),
            naive.replace(microsecond=123000),
        ),
        "ns": (pa.array([NOON] * 2, pa.timestamp("ns", "UTC")), naive),
        "text": (["2025-03-01T13:30:15.123456+01:00"] * 2, naive),
        "text_z": (["2025-03-01T12:30:15.123456Z"] * 2, naive),
        "text_plain": (["2025-03-01 12:30:15.123456"] * 2, naive),
        "epoch_s": ([epoch] * 2, naive.replace(microsecond=0)),
        "epoch_s32": (pa.array([epoch] * 2, pa.int32()), naive.replace(microsecond=0)),
        "epoch_ms": ([epoch * 1000 + 123] * 2, naive.replace(microsecond=123000)),
        "epoch_us": ([epoch * 1000000 + 123456] * 2, naive),
        "epoch_text": ([str(epoch)] * 2, naive.replace(microsecond=0)),
        "epoch_float": ([epoch + 0.5] * 2, naive.replace(microsecond=500000)),
    }
    for number, (created, _) in enumerate(times.values()):
        write(
            folder / f"metrics_v5_164000_{number}.parquet",
            metrics(number * 10, created_at=created),
        )
    integers: list[Any] = [
        pa.array([7, None], kind)
        for kind in (pa.int8(), pa.int32(), pa.uint64(), pa.float64(), pa.decimal128(20, 0))
    ]
    integers += [["7", ""], ["7.0", None], pa.array([7.0, float("nan")])]
    booleans: list[Any] = [[True, None], ["true", ""], ["T", None], pa.array([1, None], pa.int8())]
    for number, value in enumerate(integers):
        write(
            folder / f"metrics_v4_164000_{1000 + number}.parquet",
            metrics(10_000 + number * 10, link_id=value),
        )
    for number, value in enumerate(booleans):
        write(
            folder / f"metrics_v4_164000_{2000 + number}.parquet",
            metrics(20_000 + number * 10, machine=value),
        )
    summary = load(tmp_path / "home", folder, road=road)
    assert summary.quarantined == []
    got = rows(
        tmp_path / "home",
        "select created_at, _source_file from customerio.metrics where seq_num < 10000"
        " and seq_num % 2 = 0 order by seq_num",
    )
    assert dict(zip(times, (time for time, _ in got), strict=True)) == {
        name: time for name, (_, time) in times.items()
    }
    links = "select link_id from customerio.metrics where seq_num between 10000 and 19999"
    assert rows(tmp_path / "home", f"{links} order by seq_num") == [(7,), (None,)] * len(integers)
    flags = "select machine from customerio.metrics where seq_num >= 20000 order by seq_num"
    assert rows(tmp_path / "home", flags) == [(True,), (None,)] * len(booleans)


def test_columns_are_read_by_name_and_missing_ones_are_null(tmp_path: Path) -> None:
    forward = metrics(0)
    write(tmp_path / "export/metrics_v4_164000_1.parquet", forward)
    backward = dict(reversed(metrics(10, reason="why").items()))
    write(tmp_path / "export/metrics_v5_164000_2.parquet", backward)
    del forward["workspace_id"]  # the file's name still says it
    write(tmp_path / "export/metrics_v5_7_3.parquet", {**forward, "event_id": ["A", "B"]})
    load(tmp_path / "home", tmp_path / "export")
    assert rows(
        tmp_path / "home",
        "select event_id, workspace_id, delivery_id, reason from customerio.metrics"
        " order by event_id",
    ) == [
        ("A", 7, "D0", None),
        ("B", 7, "D1", None),
        ("M0", 164000, "D0", None),
        ("M1", 164000, "D1", None),
        ("M10", 164000, "D10", "why"),
        ("M11", 164000, "D11", "why"),
    ]


NAUGHTY_NAMES = [
    "Plan Name",
    "plan_name",
    "plan-name",
    'quo"te',
    "a'b",
    "semi;colon -- x",
    "日本",
    "東京",
    "😀",
    "",
    " ",
    "select",
    "_dlt_load_id",
    "_dlt_id",
    "_source_file",
    "filename",
    "Event ID",
    "a" * 300,
    "trailing_",
    "a__b",
    "{x}%s",
    "new\nline",
    "back\\slash",
    "nul\0in it",
]


def test_unknown_columns_keep_every_value_under_a_name_of_their_own(tmp_path: Path) -> None:
    extra = {name: f"value of {number}" for number, name in enumerate(NAUGHTY_NAMES)}
    write(tmp_path / "export/metrics_v5_164000_1.parquet", {**metrics(0), **extra})
    assert load(tmp_path / "home", tmp_path / "export").quarantined == []
    [described] = rows(tmp_path / "home", "select * from customerio.metrics where seq_num = 0")
    values = [value for value in described if str(value).startswith("value of ")]
    assert sorted(values) == sorted(extra.values())
    assert described[list(metrics(0)).index("event_id")] is not None
    names = {name for (name, *_) in rows(tmp_path / "home", "describe customerio.metrics")}
    assert "plan_name" in names


def test_two_names_never_share_a_column_across_files(tmp_path: Path) -> None:
    for number, name in enumerate(["日本", "東京"]):
        metrics_file(tmp_path / "export", number, number * 10, **{name: name})
        load(tmp_path / "home", tmp_path / "export")
    names = {name for (name, *_) in rows(tmp_path / "home", "describe customerio.metrics")}
    assert len(names) == 19 + 2


def test_blns_strings_come_back_as_they_went_in(tmp_path: Path, shared_data: Path) -> None:
    strings = json.loads((shared_data / "hostile/blns.json").read_text())
    count = len(strings)
    write(
        tmp_path / "export/attributes_v5_164000_1.parquet",
        {
            "workspace_id": 164000,
            "internal_customer_id": [f"c{number}" for number in range(count)],
            "attribute_name": strings,
            "attribute_value": list(reversed(strings)),
            "timestamp": pa.array([NOON] * count, pa.timestamp("us", "UTC")),
        },
        count,
    )
    load(tmp_path / "home", tmp_path / "export")
    got = rows(
        tmp_path / "home",
        "select attribute_name, attribute_value from customerio.attributes"
        " order by cast(substr(internal_customer_id, 2) as int)",
    )
    names = [name if name.strip(BLANKS) else None for name in strings]  # a name must be one
    assert got == list(zip(names, reversed(strings), strict=True))


def test_lists_become_json_text_and_bodies_never_enter(tmp_path: Path) -> None:
    write(
        tmp_path / "export/campaigns_v5_164000_1.parquet",
        {"workspace_id": 1, "campaign_id": [1, 2], "topic_names": [["a", 'b"'], None]},
    )
    write(
        tmp_path / "export/delivery_contents_v5_164000_2.parquet",
        {
            "delivery_id": ["D1", "D2"],
            "recipient": "someone",
            **dict.fromkeys(
                ("from", "subject", "body", "body_amp", "body_plain", "headers", "body_html"),
                "SECRET",
            ),
        },
    )
    load(tmp_path / "home", tmp_path / "export")
    assert rows(
        tmp_path / "home", "select topic_names from customerio.campaigns order by campaign_id"
    ) == [('["a","b\\""]',), (None,)]
    contents = rows(tmp_path / "home", "select * from customerio.delivery_contents")
    assert len(contents) == 2
    assert not any("SECRET" in str(row) for row in contents)
    assert b"SECRET" not in (tmp_path / "home/raw.duckdb").read_bytes()


def test_people_changes_are_people_and_two_part_sequences_are_names(tmp_path: Path) -> None:
    people = {
        "internal_customer_id": ["a", "b"],
        "updated_at": [NOON] * 2,
        "created_at": [0, 0],
        "deleted": ["false", "TRUE"],
    }
    write(tmp_path / "export/people_v5_164000_5.parquet", people)
    write(tmp_path / "export/people_v5_chngs_164000_6.parquet", people)
    write(
        tmp_path / "export/metrics_v4_164000_241600000000311111_241600000000311222.parquet",
        metrics(0),
    )
    write(tmp_path / "export/objects_v5_164000_7.parquet", people)
    (tmp_path / "export/.hidden").mkdir()
    write(tmp_path / "export/.hidden/people_v5_164000_9.parquet", people)
    (tmp_path / "export/notes.txt").write_text("x")
    summary = load(tmp_path / "home", tmp_path / "export")
    assert summary.files_loaded == 3
    assert summary.unknown == ["notes.txt", "objects_v5_164000_7.parquet"]
    assert rows(
        tmp_path / "home",
        "select distinct internal_customer_id, created_at, deleted from customerio.people"
        " order by all",
    ) == [("a", datetime(1970, 1, 1), False), ("b", datetime(1970, 1, 1), True)]
    assert rows(
        tmp_path / "home", "select file_sequence from loads.files where family = 'metrics'"
    ) == [(241600000000311111,)]


def test_an_empty_table_in_a_file_is_a_file_like_any_other(tmp_path: Path) -> None:
    write(
        tmp_path / "export/metrics_v5_164000_1.parquet",
        {name: pa.array([], pa.string()) for name in metrics(0)},
    )
    summary = load(tmp_path / "home", tmp_path / "export")
    assert (summary.files_loaded, summary.rows, summary.quarantined) == (1, 0, [])
    assert load(tmp_path / "home", tmp_path / "export").files_known == 1


@pytest.mark.parametrize("odd", ["o'clock", "[a]*?{b}", 'quo"te', "year=2025", "spa ce", "日本"])
def test_folders_of_any_name_are_read(tmp_path: Path, odd: str) -> None:
    metrics_file(tmp_path / odd / "x*", 1, 0)
    metrics_file(tmp_path / odd / "xy", 2, 10)
    summary = load(tmp_path / "home", tmp_path / odd)
    assert (summary.files_loaded, summary.rows) == (2, 4)
    assert rows(
        tmp_path / "home", "select count(*), count(distinct event_id) from customerio.metrics"
    ) == [(4, 4)]
    assert len(rows(tmp_path / "home", "describe customerio.metrics")) == 19


# what DuckDB, a shell, a URL or a file system could take for something else than a name
ODD = "[]*?{}\\'\"%#&!^~$;:,=+@()<>| -._`\t\n\raAbx1é\u0301日\u2028"
PATTERNS = ("", "1", "2", "12", "*", "**", "?", "[1]", "[12]", "[!1]", "[1-2]", "{1,2}", "\\*")
NAMES = st.one_of(st.sampled_from(PATTERNS), st.sampled_from(PATTERNS), st.text(ODD, max_size=12))
FORMATS = ("csv", "csv.gz", "jsonl", "jsonl.gz", "parquet")


def test_a_name_that_is_a_pattern_stands_for_its_own_file(tmp_path: Path) -> None:
    export = tmp_path / "export"
    names = [
        *(f"{folder}/behavior_1.{kind}" for kind in FORMATS for folder in ("e [12]", "e 1", "e 2")),
        *(
            f"behavior_{odd}.csv"
            for odd in ("[1]", "1", "*", "?", "{1,2}", "\\*", "[!1]", "%31", "#1")
        ),
        *(f"dt=2026-04-0{day}/behavior.csv" for day in (1, 2)),
        *(
            f"{folder}/-behavior_1/behavior -1.csv"
            for folder in ("e\u0301", "é", "~", "'", '"', "\n")
        ),
        f"{'[x]' * 80}/behavior_{'[y]' * 80}.csv",
    ]
    for number, name in enumerate(names):
        behavior_file(export / name, f"e{number}")
    (export / "behavior_[2].csv").write_text("event_id\n1\n")
    (export / "behavior_2.parquet").write_bytes(b"no Parquet")
    home = tmp_path / "home"
    summary = load(home, export)
    assert (summary.files_loaded, summary.rows) == (len(names), len(names))
    assert {name for name, _ in summary.quarantined} == {"behavior_[2].csv", "behavior_2.parquet"}
    expected = sorted((f"e{number}", Path(name).name) for number, name in enumerate(names))
    assert sorted(rows(home, "select event_id, _source_file from behavior.events")) == expected
    assert sorted(name for (name,) in rows(home, "select file_name from loads.files")) == sorted(
        name for _, name in expected
    )
    assert [path.name for path in home.iterdir()] == ["raw.duckdb"]
    assert load(home, export).files_known == len(names)


def test_a_name_that_is_not_utf8_is_told_and_keeps_no_other_out(tmp_path: Path) -> None:
    """As archives from elsewhere unpack, be it the file's name or that of a folder above it."""
    text = "event_id,email,event_name,occurred_at\n1,a@example.com,x,2026-03-01\n"
    folders = [tmp_path / "export", tmp_path / "export" / os.fsdecode(b"M\xe4rz")]
    folders[1].mkdir(parents=True)
    for path in (
        folders[0] / "behavior_1.csv",
        folders[0] / os.fsdecode(b"behavior_M\xe4rz.csv"),
        folders[1] / "behavior_2.csv",
    ):
        path.write_text(text)
    for _ in range(2):  # each time, until it is renamed
        summary = load(tmp_path / "home", tmp_path / "export")
        assert sorted(summary.quarantined) == [
            ("behavior_2.csv", NOT_NAMED),
            ("behavior_M?rz.csv", NOT_NAMED),
        ]
    folders[1].rename(folders[0] / "March")
    (folders[0] / os.fsdecode(b"behavior_M\xe4rz.csv")).rename(folders[0] / "behavior_3.csv")
    assert load(tmp_path / "home", tmp_path / "export").failure is None
    assert rows(tmp_path / "home", "select count(*) from behavior.events") == [(3,)]
    assert rows(tmp_path / "home", "select count(*) from loads.quarantine") == [(0,)]


def test_a_file_of_an_odd_name_can_be_given_alone_or_by_url(tmp_path: Path) -> None:
    odd, other = tmp_path / "50% #1?" / "behavior_[1].csv", tmp_path / "50% " / "behavior_1.csv"
    behavior_file(odd, "odd")
    behavior_file(other, "other")
    for number, export in enumerate([str(odd), str(odd.parent), f"file://{odd.parent}"]):
        home = tmp_path / f"home{number}"
        assert load(home, export).files_loaded == 1
        assert rows(home, "select event_id, _source_file from behavior.events") == [
            ("odd", "behavior_[1].csv")
        ]


@pytest.mark.parametrize("road", ["model", "arrow"])
def test_odd_names_in_avro_and_behind_urls_keep_their_names(tmp_path: Path, road: Road) -> None:
    import fastavro
    import fsspec

    export = tmp_path / "export" / "[1]" / "heap"
    time = {"name": "time", "type": {"type": "long", "logicalType": "timestamp-millis"}}
    numbers = [{"name": name, "type": "long"} for name in ("event_id", "user_id")]
    schema = {"type": "record", "name": "events", "fields": [*numbers, time]}
    export.mkdir(parents=True)
    for number, name in enumerate(["seen1.avro", "seen[1].avro"]):
        with (export / name).open("wb") as handle:
            fastavro.writer(handle, schema, [{"event_id": number, "user_id": 1, "time": NOON}])
    remote = fsspec.filesystem("memory")
    names = ["behavior_1.csv", "behavior_[1].csv", f"behavior_{'x' * 300}.csv"]
    for name in names:
        behavior_file(tmp_path / "b.csv", name)
        remote.put_file(str(tmp_path / "b.csv"), f"/{tmp_path.name}/[a]/{name}")
    home, url = tmp_path / "home", f"memory://{tmp_path.name}/[a]"
    summary = load(home, tmp_path / "export", url, road=road)
    assert (summary.files_loaded, summary.quarantined) == (5, [])
    query = "select event_id, _source_file from {} order by all"
    assert rows(home, query.format("heap_connect.events")) == [
        (0, "seen1.avro"),
        (1, "seen[1].avro"),
    ]
    assert rows(home, query.format("behavior.events")) == [(name, name) for name in names]


@pytest.mark.parametrize("name", ["50%_off", "100%", "a%sb", "a%%b", "\n^.b#&}x@%_<"])
def test_a_home_may_have_any_name(name: str, tmp_path: Path) -> None:
    behavior_file(tmp_path / "export" / "behavior.csv", "e0")
    for _ in range(2):
        load(tmp_path / name, tmp_path / "export")
        assert rows(tmp_path / name, "select event_id from behavior.events") == [("e0",)]


def test_any_names_of_folders_and_files(tmp_path: Path) -> None:
    """No file is lost, none is read twice, and each row names the file it is from."""
    runs = itertools.count()

    @settings(
        max_examples=60 if PROVE else 12,
        deadline=None,
        derandomize=not PROVE,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(
        home=NAMES.filter(lambda name: not set("?\\") & set(name)),
        files=st.sets(st.tuples(NAMES, NAMES, st.sampled_from(FORMATS)), min_size=4, max_size=12),
    )
    def each_is_itself(home: str, files: set[tuple[str, str, str]]) -> None:
        base = tmp_path / str(next(runs))
        expected = []
        for number, (folder, stem, kind) in enumerate(sorted(files)):
            # a folder or file that starts with a dot is hidden, and not looked into
            path = base / "export" / f"f{folder}" / f"behavior{stem}.{kind}"
            behavior_file(path, f"e{number}")
            expected.append((f"e{number}", path.name))
        summary = load(base / f"home{home}", base / "export")
        assert (summary.files_loaded, summary.quarantined) == (len(files), [])
        got = rows(base / f"home{home}", "select event_id, _source_file from behavior.events")
        assert sorted(got) == sorted(expected)

    each_is_itself()


# ---------------------------------------------------------------- other sources


def test_behavior_files_in_every_format(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    write(
        folder / "behavior.parquet",
        {
            "event_id": ["p1", "p2"],
            "customer_id": pa.array([1, 2]),
            "event_name": "order_placed",
            "occurred_at": [NOON] * 2,
            "value": [19.99, None],
        },
    )
    text = (
        '\ufeffemail,event_id,"event_name",occurred_at,value,note\r\n'
        'a@example.com,c1,order_placed,2025-03-01T12:30:15Z,10,"two\r\nlines, and ""quotes"""\r\n'
    )
    (folder / "behavior_shop.csv").write_bytes(text.encode())
    (folder / "behavior_zip.csv.gz").write_bytes(gzip.compress(text.replace("c1", "c2").encode()))
    line = {"event_id": "j1", "customer_id": 7, "event_name": "x", "occurred_at": 1740832215}
    (folder / "behavior.jsonl").write_text(json.dumps({**line, "tags": ["a"], "value": 1.5}) + "\n")
    (folder / "behavior.jsonl.gz").write_bytes(
        gzip.compress(json.dumps({**line, "event_id": "j2"}).encode())
    )
    summary = load(tmp_path / "home", folder)
    assert summary.quarantined == []
    got = rows(
        tmp_path / "home",
        "select event_id, customer_id, email, cast(value as varchar), note, tags,"
        " occurred_at = timestamp '2025-03-01 12:30:15' from behavior.events"
        " where event_id <> 'p2' order by event_id",
    )
    note = 'two\r\nlines, and "quotes"'
    assert got == [
        ("c1", None, "a@example.com", "10.00", note, None, True),
        ("c2", None, "a@example.com", "10.00", note, None, True),
        ("j1", "7", None, "1.50", None, '["a"]', True),
        ("j2", "7", None, None, None, None, True),
        ("p1", "1", None, "19.99", None, None, False),
    ]


def test_each_row_of_a_behavior_file_keeps_its_line(tmp_path: Path) -> None:
    """Large enough that two threads share a file, with small ones before and after it."""
    folder = tmp_path / "export"
    folder.mkdir()
    shown = (
        "cast(line as varchar) as event_id, 'c' as customer_id, 'x' as event_name,"
        " 1740832215 as occurred_at, repeat('y', cast(line % 300 as integer)) as category"
    )
    sizes = {"a": 3, "b": 250_000, "c": 1, "d": 70_000, "e": 2}
    with duckdb.connect() as connection:
        for name, size in sizes.items():
            first = f"range(2, {size + 2})"  # a CSV's header is line 1
            connection.execute(
                f"copy (select {shown} from {first} as t (line)) to '{folder}/behavior_{name}.csv'"
            )
            rest = f"(select {shown} from range(1, {size + 1}) as t (line))"
            for format_ in ("json", "parquet"):
                suffix = "jsonl" if format_ == "json" else format_
                path = folder / f"behavior_{name}.{suffix}"
                connection.execute(f"copy {rest} to '{path}' (format {format_})")
            connection.execute(
                f"copy (select {shown}, line + 7 as file_row_number, 5 as file_index,"
                f" 9 as _source_line from range(1, {size + 1}) as t (line))"
                f" to '{folder}/behavior_{name}_odd.parquet' (format parquet)"
            )
    for road in ("model", "arrow"):
        home = tmp_path / road
        assert load(home, folder, road=road).quarantined == []
        found = rows(
            home,
            "select _source_file, count(*), count(distinct event_id),"
            " count(*) filter (event_id = cast(_source_line as varchar))"
            " from behavior.events group by _source_file order by _source_file",
        )
        assert found == sorted(
            (f"behavior_{name}{ending}", size, size, size)
            for name, size in sizes.items()
            for ending in (".csv", ".jsonl", ".parquet", "_odd.parquet")
        )


def test_each_row_of_a_behavior_file_keeps_its_folder(tmp_path: Path) -> None:
    """Files of one name in two folders are two files, and it is known which is the later."""
    export, home = tmp_path / "export", tmp_path / "home"
    places = ["", "2026-03", "2026-04", "deep/[x] 1", "deep/'y'"]
    for kind in FORMATS:
        for number, folder in enumerate(places):
            behavior_file(export / folder / f"behavior.{kind}", f"{kind} {number}")
    assert load(home, export).files_loaded == len(FORMATS) * len(places)
    assert rows(
        home, "select event_id, _source_file, _source_folder from behavior.events order by 1"
    ) == [
        (f"{kind} {number}", f"behavior.{kind}", folder)
        for kind in FORMATS
        for number, folder in enumerate(places)
    ]
    behavior_file(export / "deep/behavior.csv", "alone")
    load(home, export / "deep", export / "2026-03/behavior.csv")
    assert rows(home, "select _source_folder from behavior.events where event_id = 'alone'") == [
        ("",)
    ]


def test_a_raw_from_before_lines_were_kept_gets_the_column(tmp_path: Path) -> None:
    home = tmp_path / "home"
    row = {"event_id": "p1", "customer_id": "1", "event_name": "x", "occurred_at": [NOON]}
    write(tmp_path / "one" / "behavior_1.parquet", row, 1)
    load(home, tmp_path / "one")
    with duckdb.connect(str(home / "raw.duckdb")) as connection:
        connection.execute("alter table behavior.events drop column _source_line")
    write(tmp_path / "two" / "behavior_2.parquet", row, 1)
    load(home, tmp_path / "two")
    assert rows(
        home, "select _source_file, _source_line from behavior.events order by _source_file"
    ) == [("behavior_1.parquet", None), ("behavior_2.parquet", 1)]


def test_webhooks_fall_back_for_the_misspelt_name(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    body = {"event_id": "E1", "metric": "sent", "timestamp": 1613063089, "data": {"x": ["é"]}}
    (folder / "webhooks_today.jsonl").write_text(
        "\n".join(
            json.dumps(line)
            for line in (
                {**body, "object_type": "email"},
                {**body, "event_id": "E2", "object_type_type": "customer", "extra": 1},
            )
        )
    )
    load(tmp_path / "home", folder)
    got = rows(
        tmp_path / "home",
        "select event_id, object_type, metric, occurred_at, data, workspace_id"
        " from customerio.webhooks order by event_id",
    )
    when = datetime(2021, 2, 11, 17, 4, 49)
    assert [row[:4] for row in got] == [
        ("E1", "email", "sent", when),
        ("E2", "customer", "sent", when),
    ]
    assert json.loads(got[0][4]) == {"x": ["é"]}


def test_heap_connect_in_parquet_and_avro(tmp_path: Path) -> None:
    import fastavro

    folder = tmp_path / "export/heap"
    write(
        folder / "users.parquet",
        {"user_id": [1, 2], "identity": ["a", None], "joindate": [1740832215123] * 2, "plan": "x"},
    )
    schema = {
        "type": "record",
        "name": "sessions",
        "fields": [
            {"name": "session_id", "type": "long"},
            {"name": "user_id", "type": ["null", "long"]},
            {"name": "time", "type": {"type": "long", "logicalType": "timestamp-millis"}},
            {"name": "library", "type": ["null", "string"]},
            {"name": "odd", "type": {"type": "array", "items": "string"}},
        ],
    }
    record = {"session_id": 9, "user_id": 1, "time": NOON, "library": "web", "odd": ["q"]}
    with (folder / "sessions_000.avro").open("wb") as handle:
        fastavro.writer(handle, schema, [record] * 3)
    event = {"event_id": [1, 2], "user_id": 1, "session_id": 9, "time": 1740832215123}
    write(folder / "cio_message_sent_0001.parquet", {**event, "publish_key": ["k1", "k2"]})
    write(folder / "all_events.parquet", {**event, "event_table_name": ["pageviews", "x"]})
    write(folder / "user_migrations.parquet", {"from_user_id": [2, 3], "to_user_id": 1})
    (folder / "broken.avro").write_bytes(b"Obj\x01 nothing")
    summary = load(tmp_path / "home", tmp_path / "export")
    assert [name for name, _ in summary.quarantined] == ["broken.avro"]
    home = tmp_path / "home"
    assert rows(home, "select user_id, identity, joindate, plan from heap_connect.users") == [
        (1, "a", datetime(2025, 3, 1, 12, 30, 15, 123000), "x"),
        (2, None, datetime(2025, 3, 1, 12, 30, 15, 123000), "x"),
    ]
    assert rows(
        home,
        "select distinct session_id, user_id, time, library, odd, _source_file"
        " from heap_connect.sessions",
    ) == [(9, 1, datetime(2025, 3, 1, 12, 30, 15, 123000), "web", '["q"]', "sessions_000.avro")]
    assert rows(
        home, "select event_table_name, publish_key from heap_connect.events order by all"
    ) == [("cio_message_sent", "k1"), ("cio_message_sent", "k2"), ("pageviews", None), ("x", None)]
    assert rows(home, "select count(*) from heap_connect.user_migrations") == [(2,)]


def test_a_remote_export_goes_the_same_road(tmp_path: Path) -> None:
    import fsspec

    remote = fsspec.filesystem("memory")
    local = metrics_file(tmp_path / "export", 1, 0)
    remote.put_file(str(local), f"/{tmp_path.name}/deep/er/{local.name}")
    remote.pipe_file(f"/{tmp_path.name}/metrics_v5_164000_2.parquet", b"not Parquet")
    url = f"memory://{tmp_path.name}"
    summary = load(tmp_path / "home", url)
    assert (summary.files_loaded, summary.rows) == (1, 2)
    assert [name for name, _ in summary.quarantined] == ["metrics_v5_164000_2.parquet"]
    again = load(tmp_path / "home", url)
    assert (again.files_loaded, again.files_known, len(again.quarantined)) == (0, 1, 1)
    assert load(tmp_path / "home", url.replace("memory", "Memory")).files_known == 1
    assert rows(tmp_path / "home", "select distinct _source_file from customerio.metrics") == [
        (local.name,)
    ]
    assert load(tmp_path / "home", f"file://{tmp_path}/export").files_known == 1


def test_the_hillstrom_export_loads_whole(tmp_path: Path, shared_data: Path) -> None:
    export = shared_data / "hillstrom/export"
    summary = load(tmp_path / "home", export)
    assert summary.quarantined == []
    with duckdb.connect() as connection:
        for table in ("people", "attributes", "deliveries", "metrics", "outputs", "subjects"):
            wanted = connection.execute(
                f"select count(*) from read_parquet('{export}/{table}_v*.parquet')"
            ).fetchall()
            assert rows(tmp_path / "home", f"select count(*) from customerio.{table}") == wanted
    assert rows(tmp_path / "home", "select count(*), sum(count_rows) from loads.files") == [
        (summary.files_loaded, summary.rows)
    ]
    assert load(tmp_path / "home", export).files_known == summary.files_loaded

"""Avro: any codec, any property, and no more of either than a table can be."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_load import load, rows

from pipelines.loading import bounds
from pipelines.loading.readers import avro_blocks
from pipelines.loading.readers.avro_blocks import Damaged, NotAvro, Unpacked

CODECS = ["null", "deflate", "bzip2", "xz", "snappy", "zstandard", "lz4"]
USERS: list[dict[str, Any]] = [
    {"name": "user_id", "type": "long"},
    {"name": "identity", "type": ["null", "string"]},
]


def avro(fields: list[Any], records: list[dict[str, Any]], codec: str = "null") -> bytes:
    handle = io.BytesIO()
    schema = {"type": "record", "name": "users", "namespace": "shop", "fields": fields}
    fastavro.writer(handle, schema, records, codec, sync_interval=500)
    return handle.getvalue()


def users(*odd: object, kind: object) -> bytes:
    """A table of users with one more property, of that kind."""
    return avro(
        [*USERS, {"name": "odd", "type": kind}],
        [{"user_id": n, "identity": str(n), "odd": value} for n, value in enumerate(odd)],
    )


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / "export" / "heap" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def why(folder: Path, content: bytes) -> str:
    """The reason why a table of users is not read."""
    put(folder, "users.avro", content)
    [(_, reason)] = load(folder / "home", folder / "export").quarantined
    return reason


# ---------------------------------------------------------------- codecs


def test_every_codec_is_read(tmp_path: Path) -> None:
    expected = []
    for number, codec in enumerate(CODECS):
        some = [{"user_id": 1000 * number + n, "identity": f"{codec} {n}"} for n in range(300)]
        put(tmp_path, f"users_{number}.avro", avro(USERS, some, codec))
        expected += [(one["user_id"], one["identity"]) for one in some]
    summary = load(tmp_path / "home", tmp_path / "export")
    assert (summary.files_loaded, summary.quarantined) == (len(CODECS), [])
    assert rows(
        tmp_path / "home", "select user_id, identity from heap_connect.users order by 1"
    ) == (expected)


@settings(max_examples=30, deadline=None)
@given(
    codec=st.sampled_from(CODECS),
    records=st.lists(
        st.fixed_dictionaries(
            {"user_id": st.integers(-(2**63), 2**63 - 1), "identity": st.none() | st.text()}
        ),
        max_size=60,
    ),
    size=st.integers(1, 700),
)
def test_unpacked_is_what_was_packed(codec: str, records: list[dict[str, Any]], size: int) -> None:
    """Whatever is asked for at a time, and wherever the file is cut: whole, or not at all."""
    content = avro(USERS, records, codec)
    assert list(fastavro.reader(Unpacked(io.BytesIO(content)))) == records
    got = bytearray()
    stream = Unpacked(io.BytesIO(content))
    while part := stream.read(size):
        got += part
    assert list(fastavro.reader(io.BytesIO(bytes(got)))) == records
    cut = content[: len(content) - 1 - size % (len(content) - 60)]
    try:
        fewer = list(fastavro.reader(Unpacked(io.BytesIO(cut))))
    except (Damaged, EOFError, StopIteration):
        return
    assert fewer == records[: len(fewer)]


def test_a_missing_codec_is_said_to_be_missing_and_is_read_once_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = avro(USERS, [{"user_id": 1, "identity": "1"}], "snappy")
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "cramjam", None)
        assert "packed with snappy, for which the package cramjam is missing" in why(
            tmp_path, content
        )
    assert load(tmp_path / "home", tmp_path / "export").files_loaded == 1
    named = content.replace(b"\x0csnappy", b"\x0cbrotli")
    assert "packed with `brotli`, which nobody reads here: write it with" in why(tmp_path, named)


@pytest.mark.parametrize("codec", CODECS[1:])
def test_damage_is_called_damage(tmp_path: Path, codec: str) -> None:
    content = bytearray(
        avro(USERS, [{"user_id": n, "identity": f"some {n * n}"} for n in range(90)], codec)
    )
    content[-40:-20] = b"\0" * 20
    assert "it is not a whole Avro file" in why(tmp_path, bytes(content))


# ---------------------------------------------------------------- bounds


@pytest.mark.parametrize("codec", CODECS)
def test_a_block_that_unpacks_too_far_is_refused_before_it_is_whole(
    codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(avro_blocks, "LARGEST_BLOCK", 2_000_000)
    fields = [{"name": "user_id", "type": "long"}, {"name": "identity", "type": "bytes"}]
    for size, is_fine in ((1_999_000, True), (2_000_000, False)):
        content = avro(fields, [{"user_id": 1, "identity": b"\0" * size}], codec)
        stream = Unpacked(io.BytesIO(content))
        if is_fine:
            assert len(list(fastavro.reader(stream))) == 1
            continue
        with pytest.raises(NotAvro, match="a block of it unpacks to more than"):
            list(fastavro.reader(stream))


def test_blocks_that_together_unpack_too_far_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "UNPACKED_FREELY", 4 * bounds.MB)
    fields = [{"name": "user_id", "type": "long"}, {"name": "identity", "type": "bytes"}]
    records = [{"user_id": 1, "identity": b"x" * bounds.MB}] * 6
    handle = io.BytesIO()
    schema = {"type": "record", "name": "users", "fields": fields}
    fastavro.writer(handle, schema, records, "deflate", sync_interval=1)
    put(tmp_path, "users_2.avro", avro(fields, records[:3], "deflate"))
    assert why(tmp_path, handle.getvalue()).endswith("MB of it unpack to more than 4 MB")
    assert rows(tmp_path / "home", "select count(*) from heap_connect.users") == [(3,)]


def test_more_rows_than_bytes_or_values_of_nothing_are_refused(tmp_path: Path) -> None:
    whole = avro(USERS, [{"user_id": 1, "identity": "1"}])
    assert whole[-22:-20] == b"\x02\x08"  # one record of four bytes, and the mark at its end
    many = whole[:-22] + avro_blocks._number(10**12) + whole[-21:]
    assert why(tmp_path, many) == "it says that it holds more rows than bytes"
    nothing = {"type": "array", "items": {"type": "record", "name": "n", "fields": []}}
    assert why(tmp_path, users([], kind=nothing)) == "it has lists of nothing"
    chain = {
        "type": "record",
        "name": "link",
        "fields": [{"name": "next", "type": ["null", "shop.link"]}],
    }
    assert "of their own kind" in why(tmp_path, users({"next": None}, kind=chain))


def test_records_that_multiply_are_refused(tmp_path: Path) -> None:
    """A few bytes would make values without end, be it by records in records or by empty fields."""

    def record(name: str, *kinds: object) -> dict[str, Any]:
        fields = [{"name": f"f{n}", "type": kind} for n, kind in enumerate(kinds)]
        return {"type": "record", "name": name, "namespace": "shop", "fields": fields}

    doubled, value = record("r0", "boolean"), dict[str, Any](f0=True)
    for n in range(1, 12):
        doubled = record(f"r{n}", doubled, f"shop.r{n - 1}")
        value = {"f0": value, "f1": value}
    assert why(tmp_path, users(value, kind=doubled)) == (
        "it has 2,048 columns, and at most 2,000 are read"
    )
    empty = record("empty", *["null"] * 500)
    holds: dict[str, Any] = {f"f{n}": None for n in range(500)}
    assert "nothing but nothing" in why(tmp_path, users(holds, kind=empty))
    lists = {"type": "array", "items": record("one", "boolean", *["null"] * 500)}
    item = {"f0": True, **{f"f{n}": None for n in range(1, 501)}}
    assert "nothing but nothing" in why(tmp_path, users([item], kind=lists))
    few = record("few", "string", *["null"] * 50)
    told = {"f0": "x", **{f"f{n}": None for n in range(1, 51)}}
    put(tmp_path, "users.avro", users(told, kind=few))
    assert load(tmp_path / "home", tmp_path / "export").files_loaded == 1


def test_wide_tables_are_refused_and_narrower_ones_are_not(tmp_path: Path) -> None:
    def table(width: int) -> bytes:
        more = [{"name": f"p{n}", "type": "int"} for n in range(width - len(USERS))]
        record = {"user_id": 1, "identity": "1", **{one["name"]: 1 for one in more}}
        return avro([*USERS, *more], [record])

    assert why(tmp_path, table(bounds.MOST_COLUMNS + 1)) == (
        "it has 2,001 columns, and at most 2,000 are read"
    )
    put(tmp_path, "users.avro", table(300))
    assert load(tmp_path / "home", tmp_path / "export").files_loaded == 1


# ---------------------------------------------------------------- odd properties

LATE = 253402300800000  # the first millisecond of the year 10000
ODD: list[tuple[object, list[Any], list[Any]]] = [
    ("bytes", [b"\xff\xfe\0", b"plain"], [None, "plain"]),
    ({"type": "fixed", "name": "f", "size": 2}, [b"\xff\xfe", b"ok"], [None, "ok"]),
    ({"type": "map", "values": "bytes"}, [{"a": b"\xff"}, {}], ['{"a": null}', "{}"]),
    ({"type": "array", "items": "bytes"}, [[b"\xff", b"b"], []], ['[null, "b"]', "[]"]),
    (["null", "string", "bytes"], [b"\xff", "b"], [None, "b"]),
]  # fmt: skip


def test_one_odd_property_does_not_keep_the_ids_out(tmp_path: Path) -> None:
    for number, (kind, values, _) in enumerate(ODD):
        content = users(*values, kind=kind).replace(b'"odd"', b'"od%d"' % number)
        put(tmp_path, f"users_{number}.avro", content)
    assert load(tmp_path / "home", tmp_path / "export").quarantined == []
    for number, (_, _, expected) in enumerate(ODD):
        assert rows(
            tmp_path / "home",
            f"select identity, od{number} from heap_connect.users"
            f" where _source_file = 'users_{number}.avro' order by user_id",
        ) == [(str(n), value) for n, value in enumerate(expected)]


LATE_DAYS: list[tuple[str, int, int, str]] = [
    ("timestamp-millis", LATE, 0, "1970-01-01 00:00:00+00"),
    ("timestamp-micros", LATE * 1000, 0, "1970-01-01 00:00:00+00"),
    ("timestamp-micros", 2**63 - 1, 0, "1970-01-01 00:00:00+00"),
    ("local-timestamp-millis", -(2**63), 0, "1970-01-01 00:00:00"),
    ("time-micros", 2**62, 1_000_000, "00:00:01"),
]


def test_an_instant_that_no_calendar_has_is_null(tmp_path: Path) -> None:
    said = b'{"name": "odd", "type": "long"}'
    for number, (logical, late, fine, _) in enumerate(LATE_DAYS):
        # written as plain numbers, since writers of Python's refuse such a day as well
        kind = b'{"type": "long", "logicalType": "%s"}' % logical.encode()
        typed = said.replace(b'"long"', kind).replace(b"odd", b"od%d" % number)
        content = _with_schema(users(late, fine, kind="long"), said, typed)
        put(tmp_path, f"users_{number}.avro", content)
    assert load(tmp_path / "home", tmp_path / "export").quarantined == []
    for number, (*_, shown) in enumerate(LATE_DAYS):
        assert rows(
            tmp_path / "home",
            f"select identity, od{number} from heap_connect.users"
            f" where _source_file = 'users_{number}.avro' order by user_id",
        ) == [("0", None), ("1", shown)]


def _with_schema(content: bytes, old: bytes, new: bytes) -> bytes:
    stream = Unpacked(io.BytesIO(content))
    whole = stream.read(10**6)
    body = b""
    while part := stream.read(10**6):
        body += part
    schema: bytes = fastavro.reader(io.BytesIO(content)).metadata["avro.schema"].encode()
    assert old in schema, schema
    changed = schema.replace(old, new)
    at = whole.index(schema)
    length = avro_blocks._number(len(schema))
    return (
        whole[: at - len(length)]
        + avro_blocks._number(len(changed))
        + changed
        + whole[at + len(schema) :]
        + body
    )


def test_a_decimal_of_more_digits_than_it_says_is_null(tmp_path: Path) -> None:
    kind = {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}
    fine = users(Decimal("12.30"), Decimal("1.00"), kind=kind)
    raw = (1230).to_bytes(2, "big", signed=True)
    assert fine.count(b"\x04" + raw) == 1
    longer = fine.replace(b"\x04" + raw, b"\x04" + (30000).to_bytes(2, "big", signed=True))
    put(tmp_path, "users.avro", longer)
    assert load(tmp_path / "home", tmp_path / "export").quarantined == []
    got = rows(tmp_path / "home", "select identity, odd from heap_connect.users order by user_id")
    assert got == [("0", None), ("1", "1.00")]


def test_text_that_is_no_utf8_is_null_in_a_property_and_refused_in_an_identity(
    tmp_path: Path,
) -> None:
    content = users("caf~", "fine", kind="string")
    put(tmp_path, "users.avro", content.replace(b"caf~", b"caf\xe9"))
    assert load(tmp_path / "home", tmp_path / "export").quarantined == []
    assert rows(
        tmp_path / "home", "select identity, odd from heap_connect.users order by user_id"
    ) == [("0", None), ("1", "fine")]
    odd = avro(USERS, [{"user_id": 1, "identity": "caf~"}]).replace(b"caf~", b"caf\xe9")
    assert why(tmp_path, odd) == "the column `identity` holds a value that cannot be read"


def test_a_late_day_in_a_known_time_is_null_and_in_the_time_of_a_session_refused(
    tmp_path: Path,
) -> None:
    said = b'{"name": "joindate", "type": "long"}'
    typed = said.replace(b'"long"', b'{"type": "long", "logicalType": "timestamp-millis"}')
    joined = avro(
        [*USERS, {"name": "joindate", "type": "long"}],
        [{"user_id": 1, "identity": "1", "joindate": LATE}],
    )
    put(tmp_path, "users.avro", _with_schema(joined, said, typed))
    numbers = [{"name": name, "type": "long"} for name in ("session_id", "user_id", "time")]
    sessions = avro(numbers, [{"session_id": 1, "user_id": 1, "time": LATE}])
    said, typed = said.replace(b"joindate", b"time"), typed.replace(b"joindate", b"time")
    put(tmp_path, "sessions.avro", _with_schema(sessions, said, typed))
    summary = load(tmp_path / "home", tmp_path / "export")
    assert summary.quarantined == [
        ("sessions.avro", "the column `time` holds a value that cannot be read")
    ]
    assert rows(tmp_path / "home", "select identity, joindate from heap_connect.users") == [
        ("1", None)
    ]


def test_instants_keep_what_they_said(tmp_path: Path) -> None:
    kind = {"type": "long", "logicalType": "timestamp-micros"}
    put(tmp_path, "users.avro", users(datetime(2026, 1, 2, 3, 4, 5, 6, UTC), kind=kind))
    load(tmp_path / "home", tmp_path / "export")
    assert rows(tmp_path / "home", "select odd from heap_connect.users") == [
        ("2026-01-02 03:04:05.000006+00",)
    ]

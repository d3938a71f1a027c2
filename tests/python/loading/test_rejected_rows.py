"""Bad lines of text files: set aside with their place and reason, while the rest is read."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import PROVE
from hypothesis import given, settings
from hypothesis import strategies as st
from test_load import load, rows
from test_load_values import folder, in_csv, in_json, read
from typer.testing import CliRunner

from cli import app
from pipelines.loading.raw import Connection
from pipelines.loading.readers import lines as text_lines
from pipelines.loading.readers.json_lines import LONGEST_KEY

__all__ = ["folder"]

many = settings(max_examples=300 if PROVE else 8, deadline=None, derandomize=not PROVE)
HEADER = "event_id,email,event_name,occurred_at,value,category\n"
TOLD = "select line_number, column_name, reason from loads.rejected_rows order by all"


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with duckdb.connect() as opened:
        opened.execute("set global TimeZone = 'UTC'")
        yield opened


def line(number: int, value: str = "5") -> str:
    return f"e{number},a@example.com,x,2026-03-01,{value},c\n"


def lines(*numbers: int) -> str:
    return "".join(line(number) for number in numbers)


def body(number: int, **changed: Any) -> str:
    told = {"event_id": f"E{number}", "metric": "sent", "timestamp": 1613063089, **changed}
    return json.dumps({name: value for name, value in told.items() if value != "left out"}) + "\n"


def aside(connection: Connection) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = connection.execute(
        "select line_number, column_name, reason from incoming.main.set_aside order by all"
    ).fetchall()
    return found


# ---------------------------------------------------------------- from the file to the next load


def test_bad_lines_are_told_and_the_rest_is_read(tmp_path: Path) -> None:
    export, home = tmp_path / "export", tmp_path / "home"
    export.mkdir()
    orders = export / "behavior.csv"
    orders.write_text(
        HEADER
        + lines(*range(20))
        + "e20,a@example.com,x,20260301,5,SECRET\n"  # line 22
        + lines(21)
        + "e22,a@example.com,x\n"
        + ",a@example.com,x,2026-03-01,5,c\n"
        + '\u00a0,a@example.com,x,2026-03-01,5,"two\nlines"\n'
        + "e26,a@example.com,x,infinity,SECRET,c\n"  # two bad values, one line
        + lines(*range(27, 60))
    )
    (export / "webhooks.jsonl.gz").write_bytes(
        gzip.compress(
            "".join(
                [
                    *(body(number) for number in range(30)),
                    body(30, metric=None),
                    '{"event_id": "SECRET\n',
                    body(32, timestamp="left out"),
                ]
            ).encode()
        )
    )
    summary = load(home, export)
    assert (summary.files_loaded, summary.rows, summary.quarantined) == (2, 54 + 30, [])
    assert summary.rejected_rows == [
        (
            "behavior.csv",
            5,
            "line 22: the column `occurred_at` holds a value that is not a time (8 digits, like"
            " 99999999; as unix time it is not between the years 1990 and 2032)",
        ),
        ("webhooks.jsonl.gz", 3, "line 31 lacks `metric`"),
    ]
    assert str(summary.failure) == (
        "8 lines of 2 files could not be read (see load_rejected_rows): replace what is broken and"
        " load it again; everything else was loaded."
    )
    told = rows(
        home,
        "select file_name, family, line_number, column_name, reason from loads.rejected_rows"
        " order by all",
    )
    assert [row[:4] for row in told] == [
        ("behavior.csv", "behavior", 22, "occurred_at"),
        ("behavior.csv", "behavior", 24, None),
        ("behavior.csv", "behavior", 25, "event_id"),
        ("behavior.csv", "behavior", 26, "event_id"),
        ("behavior.csv", "behavior", 28, "value"),
        ("webhooks.jsonl.gz", "webhooks", 31, "metric"),
        ("webhooks.jsonl.gz", "webhooks", 32, None),
        ("webhooks.jsonl.gz", "webhooks", 33, "timestamp"),
    ]
    assert [row[4] for row in told[1:]] == [
        "the line cannot be read as CSV: it has 3 fields where the header has 6",
        "the line lacks `event_id`",
        "the line lacks `event_id`",
        "the column `value` holds a value that is not an amount (like aaaaaa)",
        "the line lacks `metric`",
        "the line is not valid JSON: it ends in the middle of an object",
        "the line lacks `timestamp`",
    ]
    assert "SECRET" not in f"{told}{summary}"
    # the place of a record is the one that it has in a file without bad lines
    places = "select _source_line from behavior.events where event_id in ('e19', 'e59') order by 1"
    assert rows(home, places) == [(21,), (60,)]

    # unchanged, it is told again and nothing is read; elsewhere it is followed
    again = load(home, export)
    assert (again.files_known, again.rejected_rows) == (2, summary.rejected_rows)
    assert again.failure is not None
    export = export.rename(tmp_path / "moved")
    orders = export / orders.name
    assert load(home, export).rejected_rows == summary.rejected_rows
    assert rows(home, "select distinct location from loads.rejected_rows order by 1") == [
        (str(export / name),) for name in ("behavior.csv", "webhooks.jsonl.gz")
    ]

    # mended: what was read before is there twice in raw, and nothing is told of the file any more
    orders.write_text(HEADER + lines(*range(24), 26, 25, *range(27, 60)))
    mended = load(home, export)
    assert [name for name, *_ in mended.rejected_rows] == ["webhooks.jsonl.gz"]
    distinct = "select count(distinct (event_id, _source_line)) from behavior.events"
    assert rows(home, distinct) == [(59,)]
    # taken away: nothing is told of it either
    (export / "webhooks.jsonl.gz").unlink()
    assert load(home, export).failure is None
    assert rows(home, TOLD) == []


@pytest.mark.parametrize("is_text", [False, True])
def test_a_key_twice_inside_of_a_body_is_told_where_it_would_be_read(
    tmp_path: Path, is_text: bool
) -> None:
    def told(data: str) -> str:
        return body(0, data=0).replace(
            '"data": 0', f'"data": {json.dumps(data)}' if is_text else f'"data": {data}'
        )

    export = tmp_path / "export"
    export.mkdir()
    (export / "webhooks.jsonl").write_text(
        "".join(body(number) for number in range(30))
        + told('{"delivery_id": "SECRET", "delivery_id": "d"}')
        + told('{"identifiers": {"id": "SECRET", "cio_id": "c", "id": "b"}}')
        # nobody reads there, and raw keeps both
        + told('{"content": {"a": 1, "a": 2}}')
    )
    summary = load(tmp_path / "home", export)
    assert summary.rows == 31
    why = "the column `data` holds a key twice"
    assert rows(tmp_path / "home", TOLD) == [(31, "data", why), (32, "data", why)]


@pytest.mark.parametrize("is_text", [False, True])
def test_a_key_that_is_too_long_to_be_read_on_spark_is_refused(
    tmp_path: Path, is_text: bool
) -> None:
    def told(key: str, value: str) -> str:
        data = {"delivery_id": "d", "content": [value, {key: value}]}
        return body(0, data=json.dumps(data) if is_text else data)

    export = tmp_path / "export"
    export.mkdir()
    (export / "webhooks.jsonl").write_text(
        "".join(body(number) for number in range(30))
        + told("SECRET" * 10_000, "a")
        + told("a" * LONGEST_KEY, "x" * LONGEST_KEY + '":' + "x" * LONGEST_KEY)
    )
    summary = load(tmp_path / "home", export)
    assert summary.rows == 31
    why = "the column `data` holds a value that is not JSON (it holds a key of more than 50,000"
    assert rows(tmp_path / "home", TOLD) == [(31, "data", f"{why} characters)")]


BAD_INSIDE = {
    '{"link_id": "SECRET"}': ("data.link_id", "a whole number (like aaaaaa)"),
    '{"link_id": 4.5}': ("data.link_id", "a whole number (like 9.9; it has a fraction)"),
    '{"machine": 2}': ("data.machine", "true or false (like 9)"),
    '{"delivery_id": ["SECRET"]}': ("data.delivery_id", "an id (it is no text)"),
    '{"identifiers": {"id": "a\\u0000"}}': (
        "data.identifiers.id",
        "an id (like aa; it holds a NUL)",
    ),
    '{"identifiers": {"email": ["SECRET"]}}': ("data.identifiers.email", "an id (it is no text)"),
    '{"identifiers": "SECRET"}': ("data.identifiers", "JSON (it is no object)"),
    '{"identifiers": [{"id": "SECRET"}]}': ("data.identifiers", "JSON (it is no object)"),
    '{"recipient": {"a": 1}}': ("data.recipient", "an id (it is no text)"),
    '{"identifiers": {"id": 1.5}}': ("data.identifiers.id", "an id (like 9.9; it has a fraction)"),
    "7": ("data", "JSON (it is no object)"),
}
GOOD_INSIDE = (
    '{"link_id": 42002.0, "machine": "yes", "proxied": 1.0, "campaign_id": "", "action_id": "7"}',
    '{"delivery_id": 8, "link_id": null, "identifiers": {"id": 9.0, "cio_id": null}}',
    '"{\\"link_id\\": 5}"',
    '{"identifiers": []}',
    "null",
    "[]",
    '""',
)


@pytest.mark.parametrize("bad", BAD_INSIDE)
def test_a_bad_value_inside_of_a_body_sets_its_line_aside(tmp_path: Path, bad: str) -> None:
    export = tmp_path / "export"
    export.mkdir()
    good = [
        body(n, data=0).replace('"data": 0', f'"data": {data}')
        for n, data in enumerate(GOOD_INSIDE)
    ]
    line = body(99, data=0).replace('"data": 0', f'"data": {bad}')
    (export / "webhooks.jsonl").write_text("".join(good * 3) + line)
    load(tmp_path / "home", export)
    column, what = BAD_INSIDE[bad]
    told = f"the column `{column}` holds a value that is not {what}"
    assert rows(tmp_path / "home", TOLD) == [(3 * len(good) + 1, column, told)]


def test_what_is_told_of_a_file_that_nobody_looked_at_stays(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for day in ("monday", "tuesday"):
        (tmp_path / day).mkdir()
        (tmp_path / day / "behavior.csv").write_text(
            HEADER + lines(*range(20)) + f"{day},a,x,never,5,c\n"
        )
        (tmp_path / day / "metrics_v5_164000_1.parquet").write_bytes(f"PAR1{day}".encode())
        load(home, tmp_path / day)
    assert len(rows(home, TOLD)) == 2
    assert len(rows(home, "select * from loads.quarantine")) == 2


@pytest.mark.parametrize("others", [8, 9])
@pytest.mark.parametrize("bad", ["e,a,x,never,5,c\n", "short\n", '"open\n'])
def test_more_than_one_bad_line_in_ten_is_no_file(tmp_path: Path, others: int, bad: str) -> None:
    (tmp_path / "export").mkdir()
    (tmp_path / "export/behavior.csv").write_text(HEADER + lines(*range(others)) + "\n" + bad)
    summary = load(tmp_path / "home", tmp_path / "export")
    if others == 9:
        assert (summary.rows, len(summary.rejected_rows)) == (9, 1)
        return
    [(_, reason)] = summary.quarantined
    assert reason.startswith("line 11")
    assert reason.endswith(" (more than one line in 10 is bad)")
    assert rows(tmp_path / "home", TOLD) == []


def test_strict_takes_no_bad_line_and_the_next_load_may_take_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERFOIL_HOME", str(tmp_path / "home"))
    (tmp_path / "export").mkdir()
    path = tmp_path / "export/behavior.csv"
    path.write_text(HEADER + lines(*range(50)) + "short\n")
    (tmp_path / "export/behavior_2.csv").write_text(HEADER + lines(*range(50)))

    def told(*options: str) -> dict[str, Any]:
        result = CliRunner().invoke(app, ["load", str(path.parent), "--json", *options])
        assert result.exit_code == 1
        found: dict[str, Any] = json.loads(result.stdout)["load"]
        return found

    why = "line 52 cannot be read as CSV: it has 1 field where the header has 6"
    for _ in range(2):
        assert told("--strict")["quarantined"] == [
            {
                "file_name": "behavior.csv",
                "reason": f"{why} (with --strict one bad line is enough)",
            }
        ]
    aside = [{"file_name": "behavior.csv", "count_rows": 1, "first": why}]
    loaded = told()
    assert (loaded["rows"], loaded["quarantined"], loaded["rejected_rows"]) == (50, [], aside)
    # what is in is in: nobody knows what was made of it since, so the command says so and fails
    again = told("--strict")
    assert (again["quarantined"], again["rejected_rows"]) == ([], aside)
    assert (loaded["stay_in"], again["stay_in"]) == ([], ["behavior.csv"])
    said = CliRunner().invoke(app, ["load", str(path.parent), "--strict"])
    assert said.exit_code == 1
    assert "behavior.csv was read without --strict before: its other lines stay in" in said.output
    assert "1 file that --strict refuses had been read before, and stay in" in flat(said.output)
    assert len(rows(tmp_path / "home", "select * from behavior.events")) == 100
    # mended, there is nothing to say
    path.write_text(HEADER + lines(*range(50)))
    assert CliRunner().invoke(app, ["load", str(path.parent), "--strict"]).exit_code == 0


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_file_that_older_rules_refused_is_tried_again(tmp_path: Path) -> None:
    export, home = tmp_path / "export", tmp_path / "home"
    export.mkdir()
    (export / "behavior.csv").write_text(HEADER + lines(*range(8)) + "short\n")
    load(home, export)
    with duckdb.connect(str(home / "raw.duckdb")) as connection:
        connection.execute("update loads.quarantine set tried_as = null, reason = 'as of old'")
    assert load(home, export).quarantined[0][1].startswith("line 10 cannot be read as CSV")


def test_bad_lines_and_the_rest_are_loaded_together_or_not_at_all(tmp_path: Path) -> None:
    """The state that a kill leaves between the rows and dlt's own mark, made by hand."""
    export, home = tmp_path / "export", tmp_path / "home"
    export.mkdir()
    (export / "behavior.csv").write_text(HEADER + lines(*range(20)) + "short\n")
    load(home, export)
    with duckdb.connect(str(home / "raw.duckdb")) as connection:
        for table in ("events", "loaded_files", "rejected_rows"):
            connection.execute(f"update behavior.{table} set _dlt_load_id = 'killed'")
    (home / "dlt").mkdir()
    summary = load(home, export)
    assert (summary.rows, [count for _, count, _ in summary.rejected_rows]) == (20, [1])
    assert len(rows(home, TOLD)) == 1


# ---------------------------------------------------------------- how text comes

GOOD_CSV = (HEADER + lines(*range(3))).encode()
GOOD_JSON = "".join(
    json.dumps({"event_id": f"e{n}", "email": "a", "event_name": "x", "occurred_at": "2026-03-01"})
    + "\n"
    for n in range(3)
).encode()
BOM = codecs.BOM_UTF8
READ = {
    "a mark of byte order": (".jsonl", BOM + GOOD_JSON),
    "a mark of byte order, packed": (".jsonl.gz", gzip.compress(BOM + GOOD_JSON)),
    "marks of byte order within": (".jsonl", BOM + GOOD_JSON.replace(b"\n", b"\n" + BOM)),
    "a mark between objects": (".jsonl", GOOD_JSON.replace(b"\n", BOM)),
    "a mark within, before a quote": (
        ".csv", GOOD_CSV.replace(b"e1,a@example.com", BOM + b'"e1","a@example.com"')
    ),
    "blanks round headings": (
        ".csv", GOOD_CSV.replace(b"event_id", b"\xe2\x80\x8bevent_id\xc2\xa0")
    ),
    "separators of records": (".jsonl", b"\x1e" + GOOD_JSON.replace(b"\n", b"\n\x1e")),
    "mixed ends of lines": (".csv", GOOD_CSV.replace(b"\n", b"\r\n", 2)),
    "old ends of lines": (".csv", GOOD_CSV.replace(b"\n", b"\r")),
    "blank lines": (".csv", GOOD_CSV.replace(b"\n", b"\n\n").replace(b"e1", b"\re1")),
    "a comma at the end of each line": (".csv", GOOD_CSV.replace(b",c\n", b",c,\n")),
    "objects with nothing between them": (".jsonl", GOOD_JSON.replace(b"\n", b"")),
    "objects with blanks between them": (".jsonl", GOOD_JSON.replace(b"\n", b" \t")),
    "plain text named gz": (".csv.gz", GOOD_CSV),
    "plain lines named gz": (".jsonl.gz", GOOD_JSON),
    "packed text that is not named so": (".csv", gzip.compress(GOOD_CSV)),
    "packed lines that are not named so": (".jsonl", gzip.compress(GOOD_JSON)),
    "several packed parts": (
        ".csv.gz", gzip.compress(GOOD_CSV[:70]) + gzip.compress(GOOD_CSV[70:])
    ),
    "zeros behind what is packed": (".csv.gz", gzip.compress(GOOD_CSV) + bytes(500)),
}  # fmt: skip


@pytest.mark.parametrize("how", READ)
def test_text_that_is_written_otherwise_is_read(
    connection: Connection, folder: Path, how: str
) -> None:
    ending, content = READ[how]
    path = folder / f"behavior_written{ending}"
    path.write_bytes(content)
    assert read(connection, path, "event_id") == ["e0", "e1", "e2"]
    assert aside(connection) == []


TEN = GOOD_JSON * 4
CUT = "the line is not valid JSON: it ends in the middle of an object"
REFUSED = {
    "half an emoji": (
        rb'{"event_id":"e","email":"\ud83d","event_name":"x","occurred_at":"2026-03-01"}',
        "the line holds half a character: a \\ud800 to \\udfff without its other half",
    ),
    "another encoding": (b'{"event_id":"\xe9"}', "the line is not in UTF-8"),
    "an array": (b"[1]", "the line is not a JSON object"),
    "a cut object": (b'{"event_id":', CUT),
    "a cut text": (b'{"event_id":"e', CUT),
    "an object and a word": (b"SECRET {}", "the line is not valid JSON"),
    "no time": (
        b'{"event_id":"e","email":"a","event_name":"x","occurred_at":NaN}',
        "the line lacks `occurred_at`",
    ),
    "a key twice": (
        b'{"event_id":"e","email":"a","event_name":"x","occurred_at":"2026-03-01","event_id":"f"}',
        "the line has the key `event_id` twice",
    ),
    "a key twice that is no column": (
        b'{"SECRET":1,"event_id":"e","email":"a","event_name":"x","SECRET":1,'
        b'"occurred_at":"2026-03-01"}',
        "the line has a key twice",
    ),
    "a NUL in an id": (
        rb'{"event_id":"e\u0000","email":"a","event_name":"x","occurred_at":"2026-03-01"}',
        "the column `event_id` holds a value that is not an id (like aa; it holds a NUL)",
    ),
    "a NUL in an address": (
        rb'{"event_id":"e","email":"\u0000a","event_name":"x","occurred_at":"2026-03-01"}',
        "the column `email` holds a value that is not text (like aa; it holds a NUL)",
    ),
    "a list for an address": (
        b'{"event_id":"e","email":["a"],"event_name":"x","occurred_at":"2026-03-01"}',
        "the column `email` holds a value that is not text (it is no text)",
    ),
    "an object for a name": (
        b'{"event_id":"e","email":"a","event_name":{"x":1},"occurred_at":"2026-03-01"}',
        "the column `event_name` holds a value that is not text (it is no text)",
    ),
    "two values under two spellings": (
        b'{"event_id":"e","email":"a","Email":"b","event_name":"x","occurred_at":"2026-03-01"}',
        "the column `email` holds a value that is not text (its name stands there in two"
        " spellings, with two values)",
    ),
    "a list for an id": (
        b'{"event_id":["e"],"email":"a","event_name":"x","occurred_at":"2026-03-01"}',
        "the column `event_id` holds a value that is not an id (it is no text)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_a_bad_line_of_json_is_named_with_its_cause(
    connection: Connection, folder: Path, what: str
) -> None:
    bad, why = REFUSED[what]
    path = folder / "behavior_bad.jsonl"
    path.write_bytes(GOOD_JSON + bad + b"\n" + TEN)
    assert read(connection, path, "event_id") == ["e0", "e1", "e2"] * 5
    [(number, _, reason)] = aside(connection)
    assert (number, reason) == (4, why)


@pytest.mark.parametrize(
    ("ending", "content", "why"),
    [
        (".csv", GOOD_CSV.decode().encode("utf-16"), "it is in UTF-16: save it as UTF-8"),
        (".jsonl", GOOD_JSON.decode().encode("utf-16"), "it is in UTF-16: save it as UTF-8"),
        (".csv", GOOD_CSV.decode().encode("utf-16-be"), "it is in UTF-16: save it as UTF-8"),
        (".jsonl", GOOD_JSON.decode().encode("utf-16-le"), "it is in UTF-16: save it as UTF-8"),
        (".jsonl", GOOD_JSON.decode().encode("utf-32"), "it is in UTF-32: save it as UTF-8"),
        (".csv", GOOD_CSV.decode().encode("utf-32-be"), "it is in UTF-32: save it as UTF-8"),
        (
            ".csv",
            b"PK\x03\x04\x14\0SECRET",
            "it is a ZIP archive or a spreadsheet: unpack it, or save it as CSV",
        ),
        (
            ".csv.gz",
            bz2.compress(GOOD_CSV),
            "it is packed with bzip2: unpack it, or pack it with gzip",
        ),
        (".csv.gz", gzip.compress(gzip.compress(GOOD_CSV)), "it is packed twice: unpack it once"),
        (".jsonl.gz", gzip.compress(gzip.compress(TEN)), "it is packed twice: unpack it once"),
        (
            ".jsonl.gz",
            gzip.compress(TEN)[:-9],
            "its compression is damaged or it ends too early",
        ),
        (
            ".jsonl",
            json.dumps([json.loads(GOOD_JSON.splitlines()[0])], indent=1).encode(),
            "line 1 is not valid JSON: it ends in the middle of an object"
            " (more than one line in 10 is bad)",
        ),
    ],
    # what is packed holds the time of packing, and a test has one name
    ids=lambda value: None if isinstance(value, str) else "content",
)
def test_what_has_no_lines_is_refused_with_its_cause(
    connection: Connection, folder: Path, ending: str, content: bytes, why: str
) -> None:
    path = folder / f"behavior_refused{ending}"
    path.write_bytes(content)
    assert read(connection, path, "event_id") == why


def test_an_open_quote_costs_one_line(connection: Connection, folder: Path) -> None:
    """And a quoted text of several lines is one record, also where it has a bad value."""
    path = folder / "behavior_quotes.csv"
    path.write_text(
        HEADER
        + lines(*range(10))
        + 'e10,a,x,2026-03-01,5,"open\n'  # line 12
        + lines(11)
        + 'e12,a,x,2026-03-01,5,"closed"junk\n'
        + 'e13,a,x,never,5,"two\ne99,a,x,2026-03-01,5,c\n"\n'  # lines 15 to 17
        + 'e14,a,x,2026-03-01,5,"two ""\nlines"\n'
        + lines(*range(15, 40))
        + 'e40,a,x,2026-03-01,5,"open to the end\n'
        + lines(41)
    )
    got = read(connection, path, "event_id")
    expected = {*range(10), 11, 14, *range(15, 40), 41}
    assert sorted(got) == sorted(f"e{number}" for number in expected)
    assert [(number, column) for number, column, _ in aside(connection)] == [
        (12, None),
        (14, None),
        (15, "occurred_at"),
        (45, None),
    ]


def test_a_header_within_a_file_is_no_line(connection: Connection, folder: Path) -> None:
    """As files that were put together have it, with the mark of byte order of each."""
    path = folder / "behavior_together.csv"
    parts = [HEADER + lines(*range(first, first + 12)) for first in (0, 12)]
    path.write_text("".join(f"\ufeff{part}" for part in parts))
    got = read(connection, path, "event_id")
    assert sorted(got) == sorted(f"e{number}" for number in range(24))
    assert aside(connection) == [(14, None, "the line is the header again")]


# ---------------------------------------------------------------- wherever bad lines stand

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8)
bad_csv = st.sampled_from([b"short", b"e,a,x,20260301,5,c", b",a,x,2026-03-01,5,c", b"\xff,,,,,"])
bad_json = st.sampled_from([b"{", b"7", b'{"event_id": "e"}', b'"\xff"', b'{"a":"\\ud800"}'])


@many
@given(
    kept=st.lists(texts, min_size=22, max_size=30),
    bad=st.dictionaries(st.integers(0, 30), bad_csv, max_size=2),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_good_lines_of_csv_are_read_as_if_the_bad_ones_were_not_there(
    connection: Connection, folder: Path, kept: list[str], bad: dict[int, bytes], end: str
) -> None:
    _same_without(connection, folder / "behavior_mixed.csv", kept, bad, end, HEADER)


@many
@given(
    kept=st.lists(texts, min_size=22, max_size=30),
    bad=st.dictionaries(st.integers(0, 30), bad_json, max_size=2),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_good_lines_of_json_are_read_as_if_the_bad_ones_were_not_there(
    connection: Connection, folder: Path, kept: list[str], bad: dict[int, bytes], end: str
) -> None:
    _same_without(connection, folder / "behavior_mixed.jsonl", kept, bad, end, "")


def _same_without(
    connection: Connection,
    path: Path,
    kept: list[str],
    bad: dict[int, bytes],
    end: str,
    header: str,
) -> None:
    written = [_written(path.suffix, f"e{n}", text, end) for n, text in enumerate(kept)]
    start = header.replace("\n", end).encode()
    path.write_bytes(start + b"".join(written))
    columns = ("event_id", "category")
    alone = [read(connection, path, column) for column in columns]
    assert aside(connection) == []
    mixed: list[bytes] = []
    expected = []
    place = start.count(b"\n") + 1
    for number in range(31):
        if number in bad:
            mixed.append(bad[number] + end.encode())
            expected.append(place)
            place += 1
        if number < len(written):
            mixed.append(written[number])
            place += written[number].count(b"\n")
    path.write_bytes(start + b"".join(mixed))
    together = [read(connection, path, column) for column in columns]
    assert [sorted(map(repr, column)) for column in together] == [
        sorted(map(repr, column)) for column in alone
    ]
    assert [number for number, *_ in aside(connection)] == expected


def _written(suffix: str, event_id: str, text: str, end: str) -> bytes:
    fields = [event_id, "a", "x", "2026-03-01", "5", text]
    if suffix == ".jsonl":
        names = HEADER.strip().split(",")
        return (json.dumps(dict(zip(names, fields, strict=True))) + end).encode()
    line = io.StringIO()
    csv.writer(line, lineterminator=end).writerow(fields)
    return line.getvalue().encode()


def test_bad_values_are_found_however_many_columns_have_them(
    connection: Connection, folder: Path
) -> None:
    for token in ("20260301", '"infinity"', "46082.41", "true"):
        got = in_json(connection, folder, "occurred_at", token)
        assert "line 1: the column `occurred_at` holds a value that is not a time" in got
    for text in ("", " ", "\u2029"):
        for column in ("event_id", "event_name", "occurred_at"):
            got = in_csv(connection, folder, column, text)
            assert got == f"line 2 lacks `{column}` (more than one line in 10 is bad)"


# ---------------------------------------------------------------- what a bad line costs


def test_lines_that_each_open_a_quote_are_not_each_read_to_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(text_lines, "LONGEST_LINE", 10_000)
    count, taken = 2_000, 0
    take = text_lines._Feed.__next__

    def counted(feed: text_lines._Feed) -> str:
        nonlocal taken
        taken += 1
        return take(feed)

    monkeypatch.setattr(text_lines._Feed, "__next__", counted)
    # the second quote closes what the line before it opened, the third opens again
    text = "a,b\n" + 'x","y\n' * count + "1,2\n" + '3,"four\nand more"\n'
    records = list(text_lines.csv_records(io.StringIO(text)))
    assert taken < 4 * count + 100
    assert [place for place, fields in records if isinstance(fields, str)] == [*range(2, count + 2)]
    assert records[-2:] == [(count + 2, ["1", "2"]), (count + 3, ["3", "four\nand more"])]


def test_a_line_that_is_too_long_costs_its_length_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_lines, "LONGEST_LINE", 1_000)

    read_so_far = 0

    class Counted(io.StringIO):
        def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
            nonlocal read_so_far
            read = super().readline(size)
            read_so_far += len(read)
            return read

    text = 'a,b\n1,"2\n' + "x" * 50_000 + "\n" + "3,4\n"
    assert list(text_lines.csv_records(Counted(text))) == [
        (1, ["a", "b"]),
        (2, text_lines.TOO_LONG),
        (3, text_lines.TOO_LONG),
        (4, ["3", "4"]),
    ]
    assert read_so_far == len(text)


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("end", ["", "\n", "\r"])
def test_a_last_line_that_is_too_long_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_packed: bool, end: str
) -> None:
    # DuckDB leaves it out without a word where it is longer than its buffer and nothing follows
    monkeypatch.setattr(text_lines, "LONGEST_LINE", 1_000)
    text = HEADER + lines(*range(20)) + f"{'x' * 2_000},a@example.com,x,2026-03-01,5,c"
    text = text.replace("\n", end or "\n") + end
    export = tmp_path / "export"
    export.mkdir()
    path = export / ("behavior.csv.gz" if is_packed else "behavior.csv")
    path.write_bytes(gzip.compress(text.encode()) if is_packed else text.encode())
    summary = load(tmp_path / "home", export)
    assert summary.quarantined == []
    assert (summary.rows, rows(tmp_path / "home", TOLD)) == (20, [(22, None, text_lines.TOO_LONG)])

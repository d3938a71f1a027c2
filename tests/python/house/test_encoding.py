"""What people wrote reaches a terminal and a spreadsheet as text, and neither obeys it."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import unicodedata
from datetime import datetime
from pathlib import Path

import duckdb
import pytest
from exports import behavior_file
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.encoding import for_cell, for_terminal, from_cell
from pipelines.erasure.filelines import _sheet_rows
from pipelines.erasure.person import Person
from pipelines.errors import UsageError
from pipelines.heap.plan import Plan
from pipelines.heap.summary import markdown
from pipelines.identity import sheets
from pipelines.settings import PROJECT_DIR, Settings

NAUGHTY = "a\x1b[2J\x07\x9b31m\r\nplan b\u2028\u202egnp.exe\udcff"


@example(NAUGHTY)
@given(st.text(st.characters()))
def test_no_text_moves_a_terminal(text: str) -> None:
    shown = for_terminal(text)
    obeyed = [sign for sign in shown if unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"}]
    assert obeyed == []
    assert not set(shown) & set(
        "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )
    assert len(shown.splitlines()) <= 1
    # and nothing is lost: an ordinary text is shown as it is
    if text.isprintable() and "\\" not in text:
        assert shown == text or any(unicodedata.category(s) == "Cf" for s in text)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_every_line_is_printed_so(encoding: str) -> None:
    program = (
        "from pipelines.console import Console\n"
        f"console, text = Console(), {NAUGHTY!r}\n"
        "console.line('☃ ' + text); console.warn('Error: ☃ ' + text); console.lines('one\\ntwo')\n"
        "console.record(name=text); console.as_json = True; console.finish()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(PROJECT_DIR)},
        capture_output=True,
        check=True,
    )
    for said, count_lines in ((done.stdout, 6), (done.stderr, 1)):
        assert len(said.splitlines()) == count_lines
        assert not set(said) & (set(range(0x20)) - {0x0A})
        assert b"\\x1b[2J" in said or b"\\u001b[2J" in said
        assert "\u202e".encode() not in said


@pytest.mark.parametrize("how", ["", "--json"])
@pytest.mark.parametrize(
    ("sent", "status", "told"),
    [
        (">&-", 0, ""),
        (">&- 2>&- <&-", 0, ""),
        ("| true", 0, ""),
        (">/dev/full", 1, "The work is done, but what it says cannot be written (No space left"),
    ],
)
def test_the_work_is_done_wherever_its_words_go(
    settings: Settings, tmp_path: Path, sent: str, status: int, told: str, how: str
) -> None:
    (tmp_path / "export").mkdir()
    behavior_file(tmp_path / "export" / "behavior.csv", "event1")
    command = f'"{sys.executable}" "{PROJECT_DIR}/cli.py" load {how} export {sent}; exit '
    done = subprocess.run(
        ["bash", "-c", command + '"${PIPESTATUS[0]}"'],
        cwd=tmp_path,
        env={"COUNTERFOIL_HOME": str(settings.home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (status, "")
    assert told in done.stderr
    assert bool(told) == bool(done.stderr)
    with duckdb.connect(str(settings.raw_path), read_only=True) as raw:
        assert raw.execute("select count(*) from behavior.events").fetchall() == [(1,)]


def test_a_plan_in_markdown_keeps_a_name_in_its_cell() -> None:
    plan = Plan("plan-1", datetime(2026, 3, 1), None, None, "no app", 0)
    plan.refused = {"a\n| b | <script>\x1b[2J": 3}
    (row,) = [line for line in markdown(plan).split("\n") if "<script" in line or "script" in line]
    assert "<script" not in row
    assert "\x1b" not in row
    assert row.startswith("| rows refused | 3 |")
    assert row.replace("\\|", "").count("|") == 4


FORMULAS = ["=1+1", "+49151", "-5", "@name", "\t=1", "\r=1", " =1", "'=1", "''@x", "\uff1d1"]


@pytest.mark.parametrize("text", [*FORMULAS, "", "ann", "'quoted'", "a=b", "ann@shop.example"])
def test_a_cell_is_shown_and_not_computed(text: str) -> None:
    cell = str(for_cell(text))
    assert from_cell(cell) == text
    assert (cell != text) == (text in FORMULAS)
    assert text not in FORMULAS or cell.startswith("'")


@given(st.text())
def test_a_cell_says_what_it_said_before(text: str) -> None:
    cell = str(for_cell(text))
    assert from_cell(cell) == text
    assert not cell.lstrip()[:1] or cell.lstrip()[0] not in "=+-@\uff1d\uff0b\uff0d\uff20"


COLUMNS = ("person_id", "customer_id", "count_profiles")
PEOPLE: list[dict[str, object]] = [
    {"person_id": "p1", "customer_id": "=cmd|'/c calc'!A0", "count_profiles": 1},
    {"person_id": "p2", "customer_id": "+49151", "count_profiles": -2},
]


def test_a_sheet_computes_nothing_and_replaces_nothing_but_a_sheet(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    for _ in range(2):
        sheets.write(path, COLUMNS, PEOPLE, "a sheet")
    assert [row["customer_id"] for row in sheets.read(path)] == ["'=cmd|'/c calc'!A0", "'+49151"]
    assert [row["count_profiles"] for row in sheets.read(path)] == ["1", "-2"]
    for other in (
        "person_id,customer_id\n",
        "x",
        "",
        "person_id;customer_id;count_profiles\n",
        "\0",
    ):
        path.write_text(other)
        with pytest.raises(UsageError, match="is not a sheet, so it is not overwritten"):
            sheets.write(path, COLUMNS, PEOPLE, "a sheet")
        assert path.read_text() == other


@pytest.mark.parametrize("kind", ["folder", "endless", "huge", "pipe", "bytes"])
def test_what_is_no_sheet_is_named(tmp_path: Path, kind: str) -> None:
    path = Path("/dev/zero") if kind == "endless" else tmp_path / "sheet.csv"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(21_000_000_000)
    elif kind != "endless":
        path.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="cannot be read: give the sheet as UTF-8 CSV"):
        sheets.read(path)


def test_whose_id_looks_like_a_formula_is_erased_from_sheets_too() -> None:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: for_cell(row[name]) for name in COLUMNS} for row in PEOPLE)
    person = Person("+49151")
    person.add("customer_id", "+49151")
    kept = [piece for _, piece in _sheet_rows(io.BytesIO(out.getvalue().encode()), person)]
    assert kept[-1] is None
    assert None not in kept[:-1]

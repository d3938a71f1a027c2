"""A file that was replaced under its name: what it no longer holds stays, and is counted."""

from __future__ import annotations

import shutil
from pathlib import Path

from test_load import load, metrics, metrics_file, rows, write

HEADER = "event_id,email,event_name,occurred_at,value\n"
TOLD = "select file_name, family, count_rows from loads.replaced_files order by all"


def lines(*numbers: int) -> str:
    return HEADER + "".join(f"e{n},a@example.com,x,2026-03-01,{n}\n" for n in numbers)


def test_rows_that_a_file_no_longer_holds_are_counted_and_stay(tmp_path: Path) -> None:
    export, home = tmp_path / "export", tmp_path / "home"
    export.mkdir()
    orders = export / "behavior.csv"
    orders.write_text(lines(1, 2, 3))
    assert load(home, export).replaced == []
    assert rows(home, TOLD) == []
    # it grows, in another order and with another column: nothing is gone
    grown = [f"{line},new" for line in lines(3, 2, 1, 4).splitlines()]
    orders.write_text("\n".join(grown) + "\n")
    assert load(home, export).replaced == []
    assert rows(home, TOLD) == [("behavior.csv", "behavior", 0)]
    # a row is gone, and one is told otherwise
    orders.write_text(lines(1, 3, 4).replace(",4\n", ",5\n"))
    assert load(home, export).replaced == [("behavior.csv", 2)]
    assert rows(home, TOLD) == [("behavior.csv", "behavior", 2)]
    assert rows(home, "select count(*) from behavior.events where event_id = 'e2'") == [(2,)]
    # looked at again it is the same; back as it was, what the others told is gone
    assert load(home, export).failure is None
    assert rows(home, TOLD) == [("behavior.csv", "behavior", 2)]
    orders.write_text(lines(1, 2, 3))
    assert load(home, export).replaced == [("behavior.csv", 2)]


def test_a_content_that_lies_elsewhere_too_is_not_gone(tmp_path: Path) -> None:
    export, home = tmp_path / "export", tmp_path / "home"
    path = metrics_file(export / "a", 1, 0)
    (export / "b").mkdir()
    shutil.copyfile(path, export / "b" / path.name)
    load(home, export)
    metrics_file(export / "a", 1, 20)
    assert load(home, export).replaced == []
    # somewhere that nobody looks at now
    shutil.copyfile(export / "b" / path.name, path)
    load(home, export / "a")
    metrics_file(export / "a", 1, 20)
    assert load(home, export / "a").replaced == []
    # at the last place too
    metrics_file(export / "b", 1, 30)
    assert load(home, export).replaced == [(path.name, 2)]
    assert rows(home, "select count(*) from customerio.metrics") == [(6,)]


def test_rows_of_parquet_are_compared_by_what_they_say(tmp_path: Path) -> None:
    export, home = tmp_path / "export", tmp_path / "home"
    metrics_file(export, 1, 0)
    write(export / "metrics_v5_164000_2.parquet", metrics(10))
    load(home, export)
    write(export / "metrics_v5_164000_1.parquet", metrics(1))
    assert load(home, export).replaced == [("metrics_v5_164000_1.parquet", 1)]

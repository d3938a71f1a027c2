"""What a command prints: a table where somebody looks, lines where a program reads."""

from __future__ import annotations

from terminal import on_a_terminal, piped, rows_of

SCRIPT = """
import sys
from pipelines.console import Console

console = Console(as_json=sys.argv[1:] == ["json"])
rows = [["cart_v1", "1,204", "Left a [bold]cart[/bold]\\x1b[31m."], ["vip_v1", "7", "Dear."]]
console.table(
    ("segment", "members", "who"), rows, lines=["cart_v1: 1,204", "vip_v1: 7"], title="Two of them."
)
console.table(("segment",), [], lines=["none"], title="And nothing.")
console.record(told=2)
console.finish()
"""


def test_a_table_on_a_terminal_and_lines_elsewhere() -> None:
    drawn = on_a_terminal("-c", SCRIPT)
    title, head, cart, vip, nothing = rows_of(drawn)
    assert (title, nothing) == (["Two", "of", "them."], ["And", "nothing."])
    assert head == ["segment", "members", "who"]
    assert cart[:2] == ["cart_v1", "1,204"]
    assert vip == ["vip_v1", "7", "Dear."]
    assert "  1,204  " in drawn  # counts end where their heading ends
    assert "      7  " in drawn
    assert "[bold]cart[/bold]" in drawn  # what others wrote is text, neither markup nor control
    assert "\x1b[31m" not in drawn
    assert piped("-c", SCRIPT) == "cart_v1: 1,204\nvip_v1: 7\nnone\n"
    assert on_a_terminal("-c", SCRIPT, "json").split() == ["{", '"told":', "2", "}"]


LOADED = """
from pipelines.console import Console
from pipelines.loading.summary import LoadSummary, report

broken = [(f"metrics_v5_1_{n}.parquet", "it ends in the middle") for n in range(5)]
summary = LoadSummary(
    files_loaded=2, rows=1204, unknown=["notes.docx"], quarantined=broken,
    rejected_rows=[("behavior.csv", 3, "line 7: no instant")],
    rows_by_table={"behavior.events": 1204},
)
report(summary, Console())
"""


def test_a_load_tells_first_what_needs_attention_and_each_reason_once() -> None:
    """On a screen: five files with one reason are one row, above what was loaded."""
    drawn = on_a_terminal("-c", LOADED, width=160)
    lines = [" ".join(words) for words in rows_of(drawn)]
    assert lines[0] == "3 things to look at; everything else was loaded."
    assert lines[2:5] == [
        "stayed out as a whole metrics_v5_1_0.parquet, metrics_v5_1_1.parquet, "
        "metrics_v5_1_2.parquet and 2 more it ends in the middle",
        "3 lines set aside behavior.csv line 7: no instant",
        "skipped notes.docx not a file that Counterfoil knows",
    ]
    assert lines[5] == "Loaded 1,204 rows from 2 new files."
    assert lines[-1] == "behavior.events 1,204"
    assert piped("-c", LOADED).splitlines() == [
        "Loaded 1,204 rows from 2 new files.",
        "  behavior.events: 1,204 rows",
        "Skipped notes.docx: not a file that Counterfoil knows.",
        *(f"Quarantined metrics_v5_1_{n}.parquet: it ends in the middle." for n in range(5)),
        "Set aside 3 lines of behavior.csv, the first: line 7: no instant.",
    ]

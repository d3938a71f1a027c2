"""What Heap was told and is otherwise now: a relabel that came after the send.

Heap can correct or delete no event. So what a later build found to be otherwise is listed in the
ledger, `heap_told_otherwise`: what Heap was told, what is true now, since which build. User
properties are not in it: their next plan says them anew.
"""

from __future__ import annotations

from pathlib import Path

from pipelines.built.tables import Record, Tables, attach_ledger, open_warehouse
from pipelines.console import Console
from pipelines.heap.basis import Basis
from pipelines.heap.events import event_rows, happened_at
from pipelines.heap.truth import ghosts
from pipelines.settings import Settings

COUNTED = Path(__file__).with_name("sql") / "otherwise_counted.sql"
TOLD_FROM = ',"timestamp":'
"""Where in a sent event what the ledger keeps of it begins; within a value it would be escaped."""


def told_part(line: bytes) -> str:
    """What the ledger keeps of an event as it was sent: instant and properties, as JSON."""
    text = line.decode()
    return "{" + text[text.index(TOLD_FROM) + 1 :]


def compare(basis: Basis) -> int:
    """Hold what Heap was told against the marts, list what differs, and count the events.

    What differed before keeps its first instant; what is true again is listed no more.
    """
    db, ledger = basis.ledger.db, basis.ledger
    marts = [mart for mart in basis.marts if mart.model.kind == "event"]
    if not marts:
        return 0
    basis.run("told_events")
    now = [
        basis.sql(
            "told_now",
            number=mart.number,
            happened_at=happened_at(basis, mart),
            mart=mart.relation,
        )
        for mart in marts
    ]
    db.execute(f"create or replace temp view told_now as {' union all '.join(now)}")
    told_part_now = f"'{{' || substr(line, strpos(line, '{TOLD_FROM}') + 1)"
    basis.run(
        "otherwise_rows",
        event_rows=event_rows(basis, marts, "told_now"),
        told_part=told_part_now,
    )
    basis.run(
        "otherwise",
        told_part=told_part_now,
        event_rows=event_rows(basis, marts, "told_again"),
        refusals=basis.warehouse.require("heap_refusals", "publish_key", "reason"),
        ghosts=ghosts(basis),
        as_of=f"timestamp '{basis.warehouse.as_of}'",
    )
    with ledger.transaction():
        db.execute("delete from heap_told_otherwise where target = (select target from asked)")
        db.execute("insert into heap_told_otherwise by name from otherwise")
    count = ledger.value("select count(distinct publish_key) from otherwise")
    db.execute("drop view told_now; drop table told_again; drop table otherwise")
    return int(count)


def show(settings: Settings, console: Console) -> list[Record]:
    """Print what the last plan found to be otherwise than Heap was told, counted; nobody is named.

    Raises:
        CounterfoilError: nothing was built whole, or a publish is writing the ledger.
    """
    with open_warehouse(settings) as tables:
        ledger = attach_ledger(tables, settings)
        found = [] if ledger is None else _counted(ledger)
    for row in found:
        said = "" if row["told"] is None else f": told {row['told']}, is {row['true_now']}"
        console.line(
            f"{row['event']}, {row['what']}{said} ({row['count_events']:,} events, since "
            f"{row['since']:%Y-%m-%d %H:%M})"
        )
    if not found:
        console.line("What Heap was told is still so, as of the last plan.")
    console.record(told_otherwise=found)
    return found


def _counted(ledger: Tables) -> list[Record]:
    # a ledger of an older version has no such relation yet
    return ledger.ask(COUNTED) if ledger.has("heap_told_otherwise") else []

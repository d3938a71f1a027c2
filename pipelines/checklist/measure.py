"""Reads the rows of `fct_checklist`, and measures those of ledger and page as they are now."""

from __future__ import annotations

from pathlib import Path

from pipelines.built.tables import Record, Tables, attach_ledger, open_warehouse
from pipelines.checklist.lines import Checklist, Line
from pipelines.checklist.page import find_page
from pipelines.errors import CounterfoilError, UsageError
from pipelines.home import private
from pipelines.review.words import clean
from pipelines.settings import Settings

IMPLEMENTATION = "implementation"
LEDGER_SQL = Path(__file__).with_name("ledger.sql")
NO_LEDGER = "nothing was published yet"
MOST_NAMED = 12


def measure(settings: Settings, journey: str | None = None) -> Checklist:
    """Read the implementation checklist, or the validation of one journey.

    Args:
        journey: a journey's id, alone or as `workspace/id`; None for the implementation.

    Raises:
        CounterfoilError: nothing was built, the warehouse or ledger is being written, or warehouse
            and manifest are of two builds.
        UsageError: no such journey.
    """
    with open_warehouse(settings) as tables, private(settings.home):
        rows = tables.rows(
            "select * from {fct_checklist} order by workspace_id, journey_id, position",
            reads=["fct_checklist"],
        )
        if journey is None:
            rows = [row for row in rows if row["subject"] == IMPLEMENTATION]
            now = _of_the_moment(settings, tables)
            found = [row | now.get(row["line"], {}) for row in rows]
            return Checklist(f"the {IMPLEMENTATION}", tuple(_line(row) for row in found))
    return _of_journey(rows, journey)


def _of_the_moment(settings: Settings, tables: Tables) -> dict[str, Record]:
    """What the lines about the ledger and the page say now, by their names."""
    answers = {
        (row["line"], row["is_met"]): row
        for row in tables.rows(
            "select * from {int_checklist__ledger_answers}", reads=["int_checklist__ledger_answers"]
        )
    }
    page = find_page(settings, tables.whole)
    ledger = attach_ledger(tables, settings)
    if ledger is not None and not ledger.has("heap_told_otherwise", "audience_landings"):
        raise CounterfoilError("The ledger is of an older version: run `counterfoil plan` once.")
    if ledger is None:
        lines = {line for line, _ in answers} - {page["line"]}
        measured = [{"line": line, "measured": NO_LEDGER, "is_met": None} for line in lines]
    else:
        measured = tables.ask(LEDGER_SQL)
    return {
        row["line"]: _answered(row, answers[row["line"], row["is_met"]])
        for row in [*measured, page]
    }


def _answered(found: Record, answer: Record) -> Record:
    sentence = f"{answer['sentence_start']}{found['measured']}{answer['sentence_end']}"
    return found | {"verdict": answer["verdict"], "sentence": sentence}


def _of_journey(rows: list[Record], journey: str) -> Checklist:
    """The lines of one journey, in every workspace that has one of that id."""
    known = {row["subject"]: row for row in rows if row["subject"] != IMPLEMENTATION}
    workspace, _, journey_id = journey.strip().rpartition("/")
    found = {
        subject: row
        for subject, row in known.items()
        if row["journey_id"] == journey_id and workspace in ("", str(row["workspace_id"]))
    }
    if not found:
        named = [f"{r['journey_id']} ({r['subject_name']})" for r in known.values()]
        names = ", ".join(named[:MOST_NAMED])
        raise UsageError(
            f"There is no journey {clean(journey)}: "
            + (f"this warehouse knows {names}." if names else "this warehouse has none.")
        )
    heading = " and ".join(
        f"{row['subject_name']} (workspace {row['workspace_id']})" for row in found.values()
    )
    lines = (_line(row, len(found) > 1) for row in rows if row["subject"] in found)
    return Checklist(f"journey {heading}", tuple(lines))


def _line(row: Record, is_of_several: bool = False) -> Line:
    prefix = f"[{row['workspace_id']}] " if is_of_several else ""
    return Line(
        name=row["line"],
        title=prefix + row["title"],
        verdict=row["verdict"],
        measured=row["measured"],
        threshold=row["threshold"],
        advice=row["advice"],
        sentence=prefix + row["sentence"],
        waived_by=row["waiver_owner"],
        waived_until=row["waiver_expires_on"],
    )

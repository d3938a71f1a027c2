"""What a load did, for people and for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from pipelines.console import Console
from pipelines.errors import CounterfoilError
from pipelines.plural import counted

UNKNOWN_SHOWN = 20
FILES_SHOWN = 3


@dataclass
class LoadSummary:
    """What a load did.

    `unknown` are file names; `quarantined` are (file name, reason); `rejected_rows` are (file name,
    number of lines set aside, what is wrong with the first), also of files that were known;
    `stay_in` are text files with bad lines that were read before, when --strict would refuse them;
    `replaced` are (file name, number of rows that it held before and holds no longer).
    """

    files_loaded: int = 0
    rows: int = 0
    files_known: int = 0
    unknown: list[str] = field(default_factory=list)
    quarantined: list[tuple[str, str]] = field(default_factory=list)
    rejected_rows: list[tuple[str, int, str]] = field(default_factory=list)
    stay_in: list[str] = field(default_factory=list)
    replaced: list[tuple[str, int]] = field(default_factory=list)
    rows_by_table: dict[str, int] = field(default_factory=dict)

    @property
    def failure(self) -> CounterfoilError | None:
        """The error to raise once the summary is printed, or None when every file was read."""
        refused = []
        if self.quarantined:
            files = counted(len(self.quarantined), "file")
            refused.append(f"{files} could not be read and stayed out (see load_quarantine)")
        if self.rejected_rows:
            lines = counted(sum(count for _, count, _ in self.rejected_rows), "line")
            files = counted(len(self.rejected_rows), "file")
            refused.append(f"{lines} of {files} could not be read (see load_rejected_rows)")
        if not refused:
            return None
        if self.stay_in:
            files = counted(len(self.stay_in), "file")
            refused.append(f"{files} that --strict refuses had been read before, and stay in")
        return CounterfoilError(
            f"{' and '.join(refused)}: replace what is broken and load it again; everything else"
            " was loaded."
        )


def report(summary: LoadSummary, console: Console) -> None:
    """One line per thing done; on a terminal what needs attention first, each reason once."""
    known = f", {summary.files_known:,} already known" if summary.files_known else ""
    files = counted(summary.files_loaded, "new file")
    head = f"Loaded {summary.rows:,} rows from {files}{known}."
    attention = _attention(summary)
    if attention:
        console.table(
            ("needs attention", "files", "why"),
            attention,
            lines=[],
            title=f"{counted(len(attention), 'thing')} to look at; everything else was loaded.",
        )
    loaded = [[table, f"{rows:,}"] for table, rows in sorted(summary.rows_by_table.items())]
    console.table(("what", "rows"), loaded, lines=[head, *_lines(summary)], title=head)
    console.record(
        load={
            **asdict(summary),
            "rejected_rows": [
                {"file_name": name, "count_rows": count, "first": first}
                for name, count, first in summary.rejected_rows
            ],
            "replaced": [
                {"file_name": name, "count_rows": count} for name, count in summary.replaced
            ],
            "quarantined": [
                {"file_name": name, "reason": why} for name, why in summary.quarantined
            ],
        }
    )


def _lines(summary: LoadSummary) -> list[str]:
    """What a program reads after the first line: everything, in a fixed order."""
    lines = [f"  {table}: {rows:,} rows" for table, rows in sorted(summary.rows_by_table.items())]
    lines += [
        f"Skipped {name}: not a file that Counterfoil knows."
        for name in summary.unknown[:UNKNOWN_SHOWN]
    ]
    if (more := len(summary.unknown) - UNKNOWN_SHOWN) > 0:
        lines.append(f"Skipped {more:,} more files that Counterfoil does not know.")
    lines += [f"Quarantined {name}: {reason}." for name, reason in summary.quarantined]
    lines += [
        f"Set aside {counted(count, 'line')} of {name}, the first: {first}."
        for name, count, first in summary.rejected_rows
    ]
    lines += [
        f"{name} was read without --strict before: its other lines stay in, and are told here"
        " until it is mended."
        for name in summary.stay_in
    ]
    lines += [
        f"{name} was replaced: {counted(count, 'row')} that it held before stay"
        " (see load_replaced_files)."
        for name, count in summary.replaced
    ]
    return lines


def _attention(summary: LoadSummary) -> list[list[str]]:
    """Each thing to look at once, with its files: what stayed out, then what came in in part."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, reason in summary.quarantined:
        found.setdefault(("stayed out as a whole", reason), []).append(name)
    for name, count, first in summary.rejected_rows:
        found.setdefault((f"{counted(count, 'line')} set aside", first), []).append(name)
    for name in summary.stay_in:
        found.setdefault(("read before, without --strict", "mend it to stop this"), []).append(name)
    for name, count in summary.replaced:
        why = f"{counted(count, 'row')} that it held before stay (see load_replaced_files)"
        found.setdefault(("was replaced", why), []).append(name)
    if summary.unknown:
        found["skipped", "not a file that Counterfoil knows"] = summary.unknown
    return [[what, _named(names), why] for (what, why), names in found.items()]


def _named(names: list[str]) -> str:
    more = f" and {len(names) - FILES_SHOWN:,} more" if len(names) > FILES_SHOWN else ""
    return ", ".join(names[:FILES_SHOWN]) + more

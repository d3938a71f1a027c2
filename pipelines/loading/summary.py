"""What a load did, for people and for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from pipelines.console import Console
from pipelines.errors import CounterfoilError

UNKNOWN_SHOWN = 20


@dataclass
class LoadSummary:
    """What a load did. `unknown` are file names; `quarantined` are (file name, reason)."""

    files_loaded: int = 0
    rows: int = 0
    files_known: int = 0
    unknown: list[str] = field(default_factory=list)
    quarantined: list[tuple[str, str]] = field(default_factory=list)
    rows_by_table: dict[str, int] = field(default_factory=dict)

    @property
    def failure(self) -> CounterfoilError | None:
        """The error to raise once the summary is printed, or None when every file was read."""
        if not self.quarantined:
            return None
        count = len(self.quarantined)
        files, them = ("file", "it") if count == 1 else ("files", "them")
        return CounterfoilError(
            f"{count} {files} could not be read and stayed out (see load_quarantine): replace"
            f" {them} and run it again; everything else was loaded."
        )


def counted(count: int, noun: str) -> str:
    """`1 new file`, `2 new files`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def report(summary: LoadSummary, console: Console) -> None:
    """One line per thing done."""
    known = f", {summary.files_known:,} already known" if summary.files_known else ""
    files = counted(summary.files_loaded, "new file")
    console.line(f"Loaded {summary.rows:,} rows from {files}{known}.")
    for table, rows in sorted(summary.rows_by_table.items()):
        console.line(f"  {table}: {rows:,} rows")
    for name in summary.unknown[:UNKNOWN_SHOWN]:
        console.line(f"Skipped {name}: not a file that Counterfoil knows.")
    if (more := len(summary.unknown) - UNKNOWN_SHOWN) > 0:
        console.line(f"Skipped {more:,} more files that Counterfoil does not know.")
    for name, reason in summary.quarantined:
        console.line(f"Quarantined {name}: {reason}.")
    console.record(
        load={
            **asdict(summary),
            "quarantined": [
                {"file_name": name, "reason": why} for name, why in summary.quarantined
            ],
        }
    )

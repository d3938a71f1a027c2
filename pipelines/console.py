"""How a command speaks: one summary line per thing done, or one JSON object, and progress."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any, Literal, Protocol

from pipelines.encoding import for_terminal
from pipelines.errors import CounterfoilError


class Advance(Protocol):
    """Called with the number of steps done since the last call."""

    def __call__(self, steps: int = 1) -> None:
        """Advance the bar by `steps`."""


class Console:
    """Collects what a command did; prints lines as it goes, or one JSON object at the end."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.result: dict[str, Any] = {}
        self._is_finished = False
        self._lost: OSError | None = None
        _open_streams()

    def line(self, text: str) -> None:
        """Print one summary line (nothing with --json)."""
        if not self.as_json:
            self._print(for_terminal(text))

    def lines(self, text: str) -> None:
        """Print a text that has lines of its own; what others wrote in it has none."""
        for line in text.split("\n"):
            self.line(line)

    def table(
        self,
        headings: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        lines: Iterable[str],
        title: str = "",
    ) -> None:
        """Print rows as a table on a terminal; anywhere else, where programs read, the `lines`.

        Args:
            headings, rows: the table; without rows the title alone.
            lines: all that is printed where nobody looks at a screen.
            title: one sentence above the table.
        """
        if self.as_json or not sys.stdout.isatty():
            for line in lines:
                self.line(line)
            return
        if title:
            self.line(title)
        if not rows:
            return
        from rich import box
        from rich.console import Console as RichConsole
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
        for place, heading in enumerate(headings):
            is_count = all(row[place].replace(",", "").isdigit() for row in rows)
            table.add_column(heading, justify="right" if is_count else "left")
        for row in rows:
            table.add_row(*(Text(for_terminal(cell)) for cell in row))
        screen = RichConsole(highlight=False)
        with screen.capture() as drawn:
            screen.print(table)
        self._print(drawn.get().rstrip("\n"))

    def warn(self, text: str) -> None:
        """Print one sentence on standard error, also with --json."""
        _say(for_terminal(text), "stderr")

    def record(self, **facts: object) -> None:
        """Add facts to the JSON object that --json prints."""
        self.result.update(facts)

    def finish(self) -> None:
        """Print the JSON object if it was asked for; once, though a server says it and goes on."""
        if self.as_json and not self._is_finished:
            self._is_finished = True
            self._print(json.dumps(self.result, indent=2, default=str, sort_keys=True))

    def require_printed(self) -> None:
        """Make sure that nothing which was said got lost, once the work is done.

        Raises:
            CounterfoilError: it could not be written where it was sent, such as to a full disk.
        """
        if self._lost is not None:
            raise CounterfoilError(
                f"The work is done, but what it says cannot be written ({self._lost.strerror}): "
                "send it to another place, or make room there, and run this again."
            )

    def _print(self, text: str) -> None:
        self._lost = _say(text, "stdout") or self._lost

    @contextmanager
    def progress(self, title: str, total: int | None = None) -> Iterator[Advance]:
        """Show progress with rate and time left on a terminal; silent elsewhere."""
        if self.as_json or not sys.stderr.isatty():
            yield lambda steps=1: None
            return
        from rich.console import Console as RichConsole
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=RichConsole(stderr=True), transient=True) as bar:
            task = bar.add_task(title, total=total, rate="")

            def advance(steps: int = 1) -> None:
                bar.advance(task, steps)
                speed = bar.tasks[task].speed
                bar.update(task, rate=f"{speed:,.0f}/s" if speed else "")

            yield advance


def _say(text: str, name: Literal["stdout", "stderr"]) -> OSError | None:
    """Print a line; where that fails, the work goes on in silence, and the reason is returned.

    None where nobody reads any more (`… | head -1`): that is no failure.
    """
    stream = getattr(sys, name)
    encoding = stream.encoding or "utf-8"
    text = text.encode(encoding, "backslashreplace").decode(encoding)
    try:
        print(text, file=stream, flush=True)
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            # what is left in the buffer would break once more when Python ends
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)
        return None if isinstance(error, BrokenPipeError) else error
    return None


def _open_streams() -> None:
    """Put nothing in the place of what whoever started us has closed (`>&-`).

    A database that is opened later would take that place, and be written into by whoever prints.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(handle, mode, encoding="utf-8"))


@contextmanager
def silence() -> Iterator[io.StringIO]:
    """Keep a library's own printing out of ours; what it said is kept for the error."""
    said = io.StringIO()
    with redirect_stdout(said):
        yield said

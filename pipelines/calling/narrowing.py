"""One call after the other, each framed by intent and outcome, narrowed to the rows that fail."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pipelines.calling.answers import Accepted, Outcome, Refused, Unanswered, Uncertain
from pipelines.calling.patience import PatientClient, no_answer, not_documented
from pipelines.errors import CounterfoilError

FAILURES_IN_A_ROW = 8
"""Calls without an answer, while narrowing, after which the other side counts as down."""

ATTEMPTS_WHILE_NARROWING = 2

TOO_LARGE = 413
"""Speaks of the call as a whole, whatever rows its text may name."""


class Told(Protocol):
    """A row that is told, under an identity by which the other side may count."""

    @property
    def identity(self) -> str:
        """Whom the row is about."""


RowT = TypeVar("RowT", bound=Told)


@dataclass(frozen=True)
class Piece(Generic[RowT]):
    """Rows of one call, and how often it is tried (None: as often as any)."""

    rows: Sequence[RowT]
    attempts: int | None = None


class Narrowing(ABC, Generic[RowT]):
    """Gets rows through in few calls, and finds the few that the other side refuses.

    What the ledger keeps of a call, and what the call says, is the subclass's.
    """

    def __init__(self, client: PatientClient) -> None:
        self.patient = client
        self.failures = 0
        self.has_accepted = False  # anything of the batch under way
        self.suspects: list[tuple[str, RowT, Refused | Unanswered]] = []

    # -- what the subclass does ------------------------------------------------------------------

    @abstractmethod
    def intend(self, kind: str, rows: Sequence[RowT]) -> int:
        """Before a call: record what it will say. Returns the call's number."""

    @abstractmethod
    def call(self, kind: str, rows: Sequence[RowT], attempts: int | None) -> Outcome:
        """The call itself."""

    @abstractmethod
    def accepted(
        self, kind: str, number: int, rows: Sequence[RowT], settled: tuple[int, int] | None
    ) -> None:
        """After a call that was taken; `settled` is where the plan has got to, if it has."""

    @abstractmethod
    def refused(self, number: int, answer: Refused) -> None:
        """After a call that was refused whole."""

    @abstractmethod
    def bury(self, kind: str, row: RowT, answer: Refused | Unanswered, message: str) -> None:
        """A row that will not be taken."""

    @abstractmethod
    def settle(self, settled: tuple[int, int]) -> None:
        """Everything before this mark of the plan needs no more work."""

    @abstractmethod
    def is_untried(self) -> bool:
        """Whether the other side never took anything: then a refusal may speak about the caller."""

    @abstractmethod
    def message(self, answer: Refused | Unanswered, rows: Sequence[RowT]) -> str:
        """What was answered to a call of these rows, fit to be kept and shown."""

    @abstractmethod
    def refuses_all(self, answer: Refused, message: str) -> CounterfoilError:
        """The error when the other side refuses whatever it is told."""

    # -- narrowing -------------------------------------------------------------------------------

    def send_rows(self, kind: str, rows: Sequence[RowT], settled: tuple[int, int] | None) -> None:
        """Send rows and settle the plan up to there, whatever narrowing that takes."""
        self.has_accepted = False
        if rows and self._deliver(kind, rows, settled=settled):
            return
        if self.suspects and not self.has_accepted:
            _, row, answer = self.suspects[0]
            raise self._no_row_goes(answer, [row])
        self._bury_suspects()
        if settled is not None:
            self.settle(settled)

    def _deliver(self, kind: str, rows: Sequence[RowT], *, settled: tuple[int, int] | None) -> bool:
        """Get rows through, narrowing to those refused. True when one call took them all."""
        whole = Piece(rows)
        waiting = [whole]
        while waiting:
            piece = waiting.pop()
            mark = settled if piece is whole else None
            if self._say(kind, piece, waiting, mark) and piece is whole:
                return True
        return False

    def _say(
        self,
        kind: str,
        piece: Piece[RowT],
        waiting: list[Piece[RowT]],
        settled: tuple[int, int] | None,
    ) -> bool:
        """One call, framed by intent and outcome. True when it was taken; else what is left waits.

        Raises:
            CounterfoilError: the other side is down, is not whom we meant, or refuses too much.
            TimeIsUp: the time box ended.
        """
        rows = piece.rows
        self.patient.wait(Counter(row.identity for row in rows))
        number = self.intend(kind, rows)
        outcome = self.call(kind, rows, piece.attempts)
        if isinstance(outcome, Accepted):
            self.failures = 0
            self.accepted(kind, number, rows, settled)
            return True
        if isinstance(outcome, Uncertain):
            raise not_documented(outcome, self.patient.spoken)
        if isinstance(outcome, Refused):
            self.refused(number, outcome)
            waiting.extend(self._narrow_refused(kind, piece, outcome))
        else:
            waiting.extend(self._narrow_unanswered(kind, piece, outcome))
        return False

    def _narrow_refused(self, kind: str, piece: Piece[RowT], refused: Refused) -> list[Piece[RowT]]:
        """Without the rows that are named, in halves; a single refused row is a dead letter.

        In halves also where rows are named: it may be one of many at a time, and each further
        call with all the others would cost as much as the first.
        """
        rows = piece.rows
        bad = {n for n in refused.indexes if n < len(rows)}
        if len(rows) == 1:
            if not bad and self.is_untried():
                # before anything was ever accepted, this may speak about the app, not about the row
                self.suspects.append((kind, rows[0], refused))
            else:
                self.bury(kind, rows[0], refused, self.message(refused, rows))
            return []
        if refused.status == TOO_LARGE:
            bad = set()
        message = self.message(refused, rows)
        for n in sorted(bad):
            self.bury(kind, rows[n], refused, message)
        return halves([row for n, row in enumerate(rows) if n not in bad], piece.attempts)

    def _narrow_unanswered(
        self, kind: str, piece: Piece[RowT], lost: Unanswered
    ) -> list[Piece[RowT]]:
        """A call that never got an answer: is the other side down, or does one row break it?"""
        self.failures += 1
        rows = piece.rows
        if lost.status in (None, 429) or self.failures >= FAILURES_IN_A_ROW:
            raise self._no_row_goes(lost, rows)
        if len(rows) == 1:
            # while none of its neighbours goes through, this speaks about them, not about the row
            self.suspects.append((kind, rows[0], lost))
            return []
        return halves(rows, piece.attempts or ATTEMPTS_WHILE_NARROWING)

    def _bury_suspects(self) -> None:
        """Others went through, so it was about these rows."""
        suspects, self.suspects = self.suspects, []
        for kind, row, answer in suspects:
            self.bury(kind, row, answer, self.message(answer, [row]))

    def _no_row_goes(self, answer: Refused | Unanswered, rows: Sequence[RowT]) -> CounterfoilError:
        message = self.message(answer, rows)
        if isinstance(answer, Refused):
            return self.refuses_all(answer, message)
        return no_answer(message, self.patient.spoken)


def halves(rows: Sequence[RowT], attempts: int | None) -> list[Piece[RowT]]:
    """The rows in two pieces, the later one first, as a stack takes them; no piece is empty."""
    middle = len(rows) // 2
    return [Piece(half, attempts) for half in (rows[middle:], rows[:middle]) if half]

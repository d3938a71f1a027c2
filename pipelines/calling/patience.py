"""One call to another system: sent with patience, answered with one of four outcomes."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from pipelines import http
from pipelines.calling.answers import (
    Accepted,
    Outcome,
    Refused,
    TimeIsUp,
    Unanswered,
    Uncertain,
    describe,
    is_receipt,
    parse_retry_after,
)
from pipelines.calling.clock import Clock
from pipelines.calling.pacing import Pacer, Rates
from pipelines.errors import CounterfoilError


@dataclass(frozen=True)
class Patience:
    """How often a call is tried, and how long is waited for it, in seconds."""

    attempts: int = http.PATIENT_ATTEMPTS
    backoff_seconds: float = http.FIRST_PAUSE_SECONDS
    longest_backoff_seconds: float = http.LONGEST_PAUSE_SECONDS
    longest_retry_after_seconds: float = 600.0
    timeout_seconds: float = http.EXCHANGE_SECONDS
    """For one exchange as a whole; see `http.EXCHANGE_SECONDS`."""


@dataclass(frozen=True)
class Spoken:
    """How messages call whom we speak to, the command that does it, the setting of its address."""

    name: str
    command: str
    setting: str


def not_documented(answer: Uncertain, spoken: Spoken) -> CounterfoilError:
    """Nothing can be told to whoever answers like this."""
    return CounterfoilError(
        f"What answers at {spoken.name}'s address is not {spoken.name} as documented "
        f"({answer.text}): none of these rows counts as told. Check {spoken.setting} and any proxy "
        f"or sign-in page in between, then run `{spoken.command}` again; it says the same rows "
        "under the same keys."
    )


def no_answer(said: str, spoken: Spoken) -> CounterfoilError:
    """Nobody is there to tell; `said` is what came instead, in words of ours."""
    return CounterfoilError(
        f"{spoken.name} does not answer ({said}): run `{spoken.command}` again later; it resumes "
        "where it stopped."
    )


class PatientClient(ABC):
    """Sends calls to one address, paced, with backoff. Use as a context manager.

    Who is spoken to says in `refusal` and `stop` what its other answers mean.
    """

    def __init__(
        self,
        base_url: str,
        limits: Patience,
        clock: Clock,
        *,
        rates: Rates,
        spoken: Spoken,
        uncertain_answers: int,
        deadline: float | None = None,
        on_wait: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.spoken = spoken
        self.limits = limits
        self.clock = clock
        self.uncertain_answers = uncertain_answers
        self.deadline = deadline
        self.on_wait = on_wait
        self.pacer = Pacer(rates, clock)
        self.count_calls = 0
        self.count_uncertain = 0
        self.is_answered = False
        self.uncertain_in_a_row = 0
        self.last_uncertain: Uncertain | None = None
        self.last_unanswered: Unanswered | None = None
        self.random = random.Random()
        self.http = http.Caller(base_url, seconds=limits.timeout_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.http.close()

    def why_nothing_went(self) -> CounterfoilError | None:
        """The error for a time box in which no call was answered; None where it was only short."""
        if self.is_answered:
            return None
        if self.last_uncertain is not None:
            return not_documented(self.last_uncertain, self.spoken)
        if self.last_unanswered is not None:
            return no_answer(self.last_unanswered.text, self.spoken)
        return None

    def wait(self, identities: Mapping[str, int]) -> None:
        """Wait until the limits let these rows out.

        Raises:
            TimeIsUp: the time box ends before.
        """
        self._time_left()
        while (delay := self.pacer.delay(identities)) > 0:
            self._sleep(delay)

    @abstractmethod
    def refusal(self, path: str, status: int, text: str) -> Refused | None:
        """What this answer says of the call's rows; None where it speaks about the caller."""

    @abstractmethod
    def stop(self, status: int) -> CounterfoilError:
        """The error for an answer that no retry and no other row can change."""

    def post(
        self,
        path: str,
        identities: Mapping[str, int],
        *,
        attempts: int | None = None,
        **content: Any,
    ) -> Outcome:
        """Send one call; retry 429, 5xx, broken connections and strange answers, same keys.

        Uncertain, once so many strange answers came in a row, or when the last attempt failed and
        one before it was answered strangely.

        Args:
            path: below the base URL.
            identities: rows of the call by identity, for pacing.
            attempts: how often it is tried; None for as often as any.
            content: what httpx sends: content, json, params, headers, auth.

        Raises:
            CounterfoilError: an answer that no retry and no other row can change.
            TimeIsUp: the time box ended, be it in the middle of an answer; the other side may or
                may not have the rows.
        """
        most = attempts or self.limits.attempts
        strange: Uncertain | None = None
        count_unanswered = 0
        while True:
            self.wait(identities)
            self.pacer.spend(identities)
            self.count_calls += 1
            outcome, pause = self._ask(
                path, content, 1 + count_unanswered + self.uncertain_in_a_row
            )
            if isinstance(outcome, Accepted | Refused):
                return outcome
            if isinstance(outcome, Uncertain):
                strange = outcome
                if self.uncertain_in_a_row >= self.uncertain_answers:
                    return outcome
            else:
                count_unanswered += 1
                if count_unanswered >= most:
                    return strange or outcome
            self._sleep(pause)

    def _ask(self, path: str, content: dict[str, Any], attempt: int) -> tuple[Outcome, float]:
        """One attempt: its outcome, and how long to wait before the next one (seconds)."""
        try:
            answer = self.http.ask("POST", path, seconds=self._time_left(), **content)
        except http.TookTooLong:
            hung = Unanswered(None, "no answer in time")
            # a box that ended in the middle of the only call is no success either
            self.last_unanswered = self.last_unanswered or hung
            self._time_left()
            outcome: Outcome = hung
            pause = self._backoff(attempt)
        except httpx.TransportError as error:
            outcome, pause = Unanswered(None, type(error).__name__), self._backoff(attempt)
        except httpx.DecodingError as error:
            is_large = isinstance(error, http.AnswerTooLarge)
            said = "an answer that is too large" if is_large else "an answer that cannot be decoded"
            outcome, pause = Uncertain(None, said), self._backoff(attempt)
        else:
            outcome, pause = self._read(path, answer, attempt)
        self.is_answered = self.is_answered or isinstance(outcome, Accepted | Refused)
        if isinstance(outcome, Accepted):
            self.uncertain_in_a_row = 0
        elif isinstance(outcome, Uncertain):
            self.count_uncertain += 1
            self.uncertain_in_a_row += 1
            self.last_uncertain = outcome
        elif isinstance(outcome, Unanswered) and outcome.status != 429:  # 429 is an answer: later
            self.last_unanswered = outcome
        return outcome, pause

    def _read(self, path: str, answer: httpx.Response, attempt: int) -> tuple[Outcome, float]:
        status = answer.status_code
        if is_receipt(answer):
            self.pacer.speed_up()
            return Accepted(), 0.0
        if answer.is_success:
            return Uncertain(status, describe(answer)), self._backoff(attempt)
        if status == 429:
            self.pacer.slow_down()
            return Unanswered(status, "too many requests"), self._retry_after(answer, attempt)
        if status >= 500 or status == 408:
            return Unanswered(status, f"status {status}"), self._retry_after(answer, attempt)
        # whatever charset it claims: only our log and the names of rows are read from it
        text = answer.content.decode("utf-8", "replace")[:2000]
        refused = self.refusal(path, status, text)
        if refused is None:
            raise self.stop(status)
        return refused, 0.0

    def _retry_after(self, answer: httpx.Response, attempt: int) -> float:
        asked = parse_retry_after(answer.headers.get("Retry-After"), self.clock.now())
        if asked is None:
            return self._backoff(attempt)
        if asked > self.limits.longest_retry_after_seconds:
            raise CounterfoilError(
                f"{self.spoken.name} asks to come back in {asked / 60:,.0f} minutes: run "
                f"`{self.spoken.command}` again then; it resumes where it stopped."
            )
        return asked

    def _backoff(self, attempt: int) -> float:
        """Full jitter over an exponentially growing, bounded pause; never nothing."""
        limits = self.limits
        most = http.pause(attempt, limits.backoff_seconds, limits.longest_backoff_seconds)
        return float(most * (0.5 + self.random.random() / 2))

    def _time_left(self) -> float | None:
        """Seconds of the time box, which the other side cannot lengthen; None without one."""
        if self.deadline is None:
            return None
        left = self.deadline - self.clock.monotonic()
        if left <= 0:
            raise TimeIsUp
        return left

    def _sleep(self, seconds: float) -> None:
        if self.deadline is not None and self.clock.monotonic() + seconds > self.deadline:
            raise TimeIsUp
        if seconds > 2:
            self.on_wait(f"waiting {seconds:.0f} s for {self.spoken.name}'s limits")
        self.clock.sleep(seconds)

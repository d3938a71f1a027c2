"""Asking Heap to delete users: a token for five minutes, a request, and its status to the end.

Source: Heap's user deletion reference; up to 10,000 users a request, all environments searched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from pipelines import http
from pipelines.erasure.person import Person
from pipelines.erasure.told import told_about
from pipelines.errors import CounterfoilError, UsageError
from pipelines.heap.ledger import Ledger
from pipelines.heap.limits import Clock
from pipelines.heap.target import DELETION_HOST, Target, require_target
from pipelines.settings import Settings

PATH = "/api/public/v0"
MAX_USERS = 10_000
TOKEN_SECONDS = 270.0
"""A token lives five minutes; we stop trusting it half a minute earlier."""
HEAP_SECONDS = 600.0
"""For all that is asked of Heap about one person, from the token to the last look at its status."""
UNAUTHORISED = 401
_WORD = re.compile(r"[\w.~+/=-]{1,4096}", re.ASCII)
"""What may stand in a header, an address and a certificate: a token, a number, a status."""


@dataclass
class HeapDeletion:
    """What Heap was asked to delete: `status` is complete, or not_needed when it was never told.

    Attributes:
        apps: under which apps and regions the person was told, each with what became of it.
    """

    status: str
    count_users: int
    request_ids: list[str]
    count_shared: int = 0
    """Identities that Heap was told and that somebody else holds too: not deleted there."""
    apps: dict[str, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """For people."""
        said = (
            f"Heap deleted {self.count_users} users (request {', '.join(self.request_ids)})"
            if self.status == "complete"
            else "Heap was never told about this person"
        )
        if self.count_shared:
            said += f"; {self.count_shared} users that somebody else shares were left in Heap"
        return said


def ask_heap(
    settings: Settings,
    ledger: Ledger,
    person: Person,
    clock: Clock,
    poll_seconds: float,
    *,
    seconds: float = HEAP_SECONDS,
    is_told: bool = False,
    before: Callable[[], None] = lambda: None,
) -> HeapDeletion:
    """Delete a person's users in Heap and wait until it says so.

    Whoever Heap Connect shows is deleted too, also under an identity that was never told.

    Args:
        seconds: how long all of it may take.
        is_told: Heap was told about the person, whatever the ledger still knows of it.
        before: called once when everything is ready, before the first request that deletes.

    Raises:
        UsageError: Heap knows the person and no key for its deletion API is set.
        CounterfoilError: Heap refused, or did not finish in time.
    """
    known = person.values("heap_identity")
    in_heap = {told.identity for told in told_about(ledger, known)} | (person.in_heap & set(known))
    shared = len(
        {
            told.identity
            for told in told_about(
                ledger, sorted(v for k, v in person.shared if k == "heap_identity")
            )
        }
    )
    asked = in_heap or (set(known) if is_told else set())
    users = [{"identity": identity} for identity in sorted(asked)]
    if not users:
        users = [{"user_id": number} for number in person.values("heap_user_id")]
    if not users:
        before()
        return HeapDeletion("not_needed", 0, [], shared)
    if settings.heap_api_key is None:
        raise UsageError(
            "HEAP_API_KEY is not set: Heap knows this person, from us or by sessions of their own, "
            "and must be asked to delete them (the key of the main production environment)."
        )
    target = require_target(settings)
    base = http.base_url(settings.heap_url or DELETION_HOST, "HEAP_URL")
    key = settings.heap_api_key.get_secret_value()
    with _Deleter(target, base, key, clock, seconds) as deleter:
        deleter.authorise()
        before()
        requests = [
            deleter.delete(users[start : start + MAX_USERS], poll_seconds)
            for start in range(0, len(users), MAX_USERS)
        ]
    return HeapDeletion("complete", len(users), requests, shared)


class _Deleter:
    """The deletion API with a token that is renewed before it dies, until its time is over."""

    def __init__(
        self, target: Target, base_url: str, api_key: str, clock: Clock, seconds: float
    ) -> None:
        self.target = target
        self.api_key = api_key
        self.clock = clock
        self.ends_at = clock.monotonic() + seconds
        self.token = ""
        self.token_at = 0.0
        self.http = http.Caller(base_url)

    def __enter__(self) -> _Deleter:
        return self

    def __exit__(self, *error: object) -> None:
        self.http.close()

    def authorise(self) -> None:
        """Make sure that Heap would accept a request."""
        self._fresh_token()

    def delete(self, users: Sequence[dict[str, str]], poll_seconds: float) -> str:
        """Delete up to 10,000 users; returns Heap's request number once it is complete."""
        asked = self._call("POST", "/user_deletion", {"users": list(users)})
        number = _said(asked, "deletion_request_id")
        where = f"/deletion_status/{quote(number, safe='')}"
        while _said(self._call("GET", where), "status") != "complete":
            self._sleep(poll_seconds)
        return number

    def _sleep(self, seconds: float) -> None:
        self._seconds_left(seconds)
        self.clock.sleep(seconds)

    def _seconds_left(self, needed: float = 0.0) -> float:
        """How long the next exchange may take.

        Raises:
            CounterfoilError: less is left than is needed.
        """
        left = self.ends_at - self.clock.monotonic()
        if left <= needed:
            raise CounterfoilError(
                "Heap did not finish the deletion in time, so nothing was erased here now: run "
                "`counterfoil erase` again later, which takes it up."
            )
        return left

    def _call(self, method: str, path: str, body: object = None) -> httpx.Response:
        """One call with a fresh enough token; 429, 5xx and broken connections are tried again."""

        def call() -> httpx.Response:
            headers = {"Authorization": f"Bearer {self._fresh_token()}"}
            answer = self.http.ask(
                method, PATH + path, seconds=self._seconds_left(), json=body, headers=headers
            )
            if answer.status_code == UNAUTHORISED:
                self.token = ""
            return answer

        try:
            answer = http.patiently(call, self._sleep, again=(UNAUTHORISED,))
        except http.AnswerTooLarge:
            answer = None
        if answer is None or not answer.is_success:
            status = "no answer" if answer is None else f"status {answer.status_code}"
            raise CounterfoilError(
                f"Heap did not delete the person ({status}): nothing was erased; try again later."
            )
        return answer

    def _fresh_token(self) -> str:
        if self.token and self.clock.monotonic() - self.token_at < TOKEN_SECONDS:
            return self.token
        try:
            answer = self.http.ask(
                "POST",
                f"{PATH}/auth_token",
                seconds=self._seconds_left(),
                auth=(self.target.app_id, self.api_key),
            )
        except http.LOST as error:
            raise CounterfoilError(
                "Heap's deletion API cannot be reached: nothing was erased; try again later."
            ) from error
        if not answer.is_success:
            raise CounterfoilError(
                f"Heap refused HEAP_API_KEY for app {self.target.masked} (status "
                f"{answer.status_code}): only the main production environment may delete."
            )
        self.token = _said(answer, "access_token")
        self.token_at = self.clock.monotonic()
        return self.token


def _said(answer: httpx.Response, name: str) -> str:
    """What a documented answer says under a name.

    Raises:
        CounterfoilError: it is no such answer: nothing is known to be deleted.
    """
    try:
        found: Any = json.loads(answer.content.decode())[name]
        said = str(found) if isinstance(found, (str, int)) else ""
        if not _WORD.fullmatch(said):
            raise ValueError(name)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CounterfoilError(
            f"What answers for Heap's deletion API is not Heap as documented (status "
            f"{answer.status_code}): check HEAP_URL and any proxy in between, then run "
            "`counterfoil erase` again."
        ) from error
    return said

"""What the local Heap keeps: users, events, sessions and migrations, in Heap Connect's shape."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

TOKEN_MINUTES = 5
MAX_DELETIONS = 10_000


@dataclass
class User:
    """One Heap user. `identity` is None until somebody identifies them."""

    user_id: int
    identity: str | None
    joined_at: datetime
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """One stored event; `properties` is JSON text with sorted keys."""

    user_id: int
    event_id: int
    event: str
    time: str
    properties: str


class Store:
    """The state of one app. Not thread-safe: the sandbox holds its lock around every call.

    `keep_properties=False` forgets event properties, for benchmarks with millions of rows.
    """

    def __init__(self, *, keep_properties: bool = True) -> None:
        self.keep_properties = keep_properties
        self.users: dict[int, User] = {}
        self.by_identity: dict[str, int] = {}
        self.events: dict[tuple[int, int], Event] = {}
        self.migrations: dict[int, tuple[int, datetime]] = {}
        self.count_repeats = 0

    def user_of(self, identity: str, now: datetime) -> int:
        """The user with this identity (case matters); an unknown one is created."""
        known = self.by_identity.get(identity)
        if known is None:
            known = _number("identity", identity)
            self.by_identity[identity] = known
            self.users[known] = User(known, identity, now)
        return known

    def anonymous(self, user_id: int, now: datetime) -> int:
        """The user behind a numeric id of the browser SDK, following migrations."""
        while user_id in self.migrations:
            user_id = self.migrations[user_id][0]
        if user_id not in self.users:
            self.users[user_id] = User(user_id, None, now)
        return user_id

    def track(self, element: dict[str, Any], now: datetime, arrival: int) -> None:
        """Store an event; a repeat of (user, idempotency key) changes nothing."""
        if "identity" in element:
            user_id = self.user_of(element["identity"], now)
        else:
            user_id = self.anonymous(int(element["user_id"]), now)
        key = element.get("idempotency_key")
        event_id = _number("key", key) if key is not None else _number("arrival", str(arrival))
        place = (user_id, event_id)
        if place in self.events:
            self.count_repeats += 1
            return
        properties = {k: _stored(v) for k, v in (element.get("properties") or {}).items()}
        kept = json.dumps(properties, sort_keys=True) if self.keep_properties else "{}"
        self.events[place] = Event(
            user_id, event_id, element["event"], element.get("timestamp") or _iso(now), kept
        )

    def add_properties(self, element: dict[str, Any], now: datetime) -> None:
        """Overwrite user properties; the last write wins."""
        user = self.users[self.user_of(element["identity"], now)]
        user.properties.update({k: _stored(v) for k, v in element["properties"].items()})

    def identify(self, user_id: int, identity: str, now: datetime) -> None:
        """Move everything of an anonymous user to an identity, for ever."""
        target = self.user_of(identity, now)
        if user_id == target or user_id in self.migrations:
            return
        self.migrations[user_id] = (target, now)
        moved = self.users.pop(user_id, None)
        if moved is not None:
            self.users[target].properties = {**moved.properties, **self.users[target].properties}
        for place in [place for place in self.events if place[0] == user_id]:
            event = self.events.pop(place)
            self.events.setdefault(
                (target, event.event_id),
                Event(target, event.event_id, event.event, event.time, event.properties),
            )

    def delete(self, *, identity: str | None = None, user_id: int | None = None) -> None:
        """Forget a user and everything they did."""
        if identity is not None:
            user_id = self.by_identity.pop(identity, None)
        if user_id is None:
            return
        user = self.users.pop(user_id, None)
        if user is not None and user.identity is not None:
            self.by_identity.pop(user.identity, None)
        for place in [place for place in self.events if place[0] == user_id]:
            del self.events[place]

    # -- Heap Connect's shape -----------------------------------------------------------------

    def connect(self, table: str) -> list[dict[str, Any]]:
        """Rows of `users`, `sessions`, `all_events`, `user_migrations` or one event's table."""
        if table == "users":
            return [
                {
                    "user_id": user.user_id,
                    "identity": user.identity,
                    "email": user.properties.get("email"),
                    "joindate": _iso(user.joined_at),
                    "last_modified": _iso(user.joined_at),
                    **{k: v for k, v in user.properties.items() if k != "email"},
                }
                for user in self.users.values()
            ]
        if table == "user_migrations":
            return [
                {"from_user_id": old, "to_user_id": new, "time": _iso(when)}
                for old, (new, when) in self.migrations.items()
            ]
        if table == "sessions":
            return [
                {
                    "session_id": _session(event),
                    "user_id": event.user_id,
                    "time": event.time,
                    "library": "server",
                    "platform": None,
                }
                for event in self.events.values()
            ]
        if table == "all_events":
            return [
                {
                    "event_id": event.event_id,
                    "user_id": event.user_id,
                    "session_id": _session(event),
                    "time": event.time,
                    "event_table_name": event.event,
                }
                for event in self.events.values()
            ]
        return [
            {
                "event_id": event.event_id,
                "user_id": event.user_id,
                "session_id": _session(event),
                "time": event.time,
                **json.loads(event.properties),
            }
            for event in self.events.values()
            if event.event == table
        ]

    def tables(self) -> list[str]:
        """The tables Heap Connect would sync."""
        return ["users", "sessions", "user_migrations", *sorted(self.event_names())]

    def event_names(self) -> set[str]:
        """Events that were ever stored."""
        return {event.event for event in self.events.values()}

    def dump(self, folder: Path) -> list[Path]:
        """Write every table as Parquet, as a Heap Connect drop (`heap/<table>.parquet`)."""
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for table in self.tables():
            rows = self.connect(table)
            found = dict.fromkeys(name for row in rows for name in row)
            names = found or dict.fromkeys(_EMPTY.get(table, ()))
            columns = {
                name: [_connect_value(name, row.get(name)) for row in rows] for name in names
            }
            arrays = {
                name: pa.array(values, _arrow_type(name, values))
                for name, values in columns.items()
            }
            path = folder / f"{table}.parquet"
            pq.write_table(pa.table(arrays), path)
            written.append(path)
        return written

    def snapshot(self) -> dict[str, Any]:
        """What must be equal after an undisturbed and a disturbed run: no arrival times."""
        names = {user.user_id: user.identity for user in self.users.values()}
        return {
            "users": sorted(
                [user.identity or "", json.dumps(user.properties, sort_keys=True)]
                for user in self.users.values()
            ),
            "events": sorted(
                [names[e.user_id] or "", e.event, e.time, e.properties]
                for e in self.events.values()
            ),
        }


@dataclass
class Deletions:
    """Heap's deletion API: tokens for five minutes, requests that complete after some polls."""

    polls_until_complete: int = 2
    tokens: dict[str, datetime] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)

    def token(self, now: datetime) -> str:
        """A new access token."""
        token = hashlib.sha256(f"{now}{len(self.tokens)}".encode()).hexdigest()
        self.tokens[token] = now + timedelta(minutes=TOKEN_MINUTES)
        return token

    def is_valid(self, token: str, now: datetime) -> bool:
        """Whether a token is known and not older than five minutes."""
        return token in self.tokens and now < self.tokens[token]

    def request(self) -> str:
        """A new deletion request."""
        number = str(len(self.requests) + 1)
        self.requests[number] = 0
        return number

    def status(self, number: str) -> str | None:
        """pending, then complete; None for an unknown request."""
        if number not in self.requests:
            return None
        self.requests[number] += 1
        return "complete" if self.requests[number] > self.polls_until_complete else "pending"


_EMPTY = {
    "users": ("user_id", "identity", "email", "joindate", "last_modified"),
    "sessions": ("session_id", "user_id", "time", "library", "platform"),
    "user_migrations": ("from_user_id", "to_user_id", "time"),
}
_TIMES = ("time", "joindate", "last_modified")


def _session(event: Event) -> int:
    # a server-side event gets a session of its own
    return _number("session", f"{event.user_id}:{event.event_id}")


def _number(kind: str, text: str) -> int:
    """A stable 53-bit number, like Heap's ids."""
    digest = hashlib.blake2b(f"{kind}:{text}".encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest(), "big") >> 11


def _stored(value: object) -> object:
    """Heap joins arrays with `||` and cuts the result at 1,024 characters."""
    if isinstance(value, list):
        return "||".join(str(v) for v in value)[:1024]
    return value


def _iso(instant: datetime) -> str:
    return instant.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _connect_value(name: str, value: object) -> object:
    if name in _TIMES and isinstance(value, str):
        return (
            datetime.fromisoformat(value.replace("Z", "+00:00"))
            .astimezone(UTC)
            .replace(tzinfo=None)
        )
    return value


def _arrow_type(name: str, values: list[Any]) -> pa.DataType:
    if name in _TIMES:
        return pa.timestamp("us")
    if name.endswith("user_id") or name in ("event_id", "session_id"):
        return pa.int64()
    numbers = [v for v in values if v is not None]
    if numbers and all(isinstance(v, int) for v in numbers):
        return pa.int64()
    if numbers and all(isinstance(v, int | float) for v in numbers):
        return pa.float64()
    return pa.string()

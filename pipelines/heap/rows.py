"""Rows and plans as the ledger knows them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EventRow:
    """An event as the ledger knows it: its key, the identity it was frozen under, its name.

    `told` is what was said of it: instant and properties, as JSON.
    """

    publish_key: str
    identity: str
    event: str
    told: str


@dataclass(frozen=True)
class PropertyRow:
    """One property of one identity as the ledger knows it."""

    identity: str
    name: str
    value_hash: str
    is_true: bool


@dataclass(frozen=True)
class DeadRow:
    """A row Heap refused: its key, why (class, scrubbed message), hashes instead of data."""

    publish_key: str
    kind: str
    event: str | None
    reason: str
    message: str
    http_status: int | None
    identity_hash: str
    row_hash: str


@dataclass(frozen=True)
class FiledPlan:
    """A plan as the ledger recorded it when it was made.

    Attributes:
        target: whom it was made for, or sent to since; None for nobody yet.
        status: planned, sending or published.
        file_sha256, file_bytes: digest and size of the whole file; None in an older ledger.
    """

    target: str | None
    status: str
    file_sha256: str | None
    file_bytes: int | None

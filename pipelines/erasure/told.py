"""Under which identities, apps and regions Heap was, or may have been, told about somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.heap.ledger import Ledger
from pipelines.sql import read_sql

TOLD = Path(__file__).with_name("told.sql")


@dataclass(frozen=True)
class Told:
    """An identity and where it was told.

    Attributes:
        target: the ledger's name for an app and region; empty where it noted none.
        app: the app, masked.
    """

    identity: str
    target: str
    app: str
    region: str
    is_local: bool

    @property
    def label(self) -> str:
        """How a person recognises the app; see `heap.target.Target.label`."""
        return f"app {self.app} ({self.region}{', local Heap' if self.is_local else ''})"


def told_about(
    ledger: Ledger, identities: Sequence[str], addresses: Sequence[str] = ()
) -> list[Told]:
    """What was told under these identities, or these addresses (lower case) in any spelling."""
    found = ledger.rows(read_sql(TOLD), [list(identities), list(addresses)])
    return [Told(*row) for row in found]

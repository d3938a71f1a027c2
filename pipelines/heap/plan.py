"""The plan: what one publish would say to Heap, as facts without any person."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.heap.bounds import Bounds
from pipelines.heap.gates import Gate

Names = list[tuple[str, str, str, str]]
"""Names Heap would hold: (kind, event, property, wire type)."""


@dataclass
class Plan:
    """What one publish would say. `path` is the file that holds it; None for nothing to say.

    Counts are rows unless the name says otherwise; instants are UTC; `target` is the ledger's
    name for the Heap environment (None when none is configured and none was ever used);
    `newcomers` are people whom Heap has never seen by arm (`experiment=arm`), told and held back;
    `held` is what publishing it found to be no longer so.
    """

    plan_id: str
    created_at: datetime
    as_of: datetime | None
    target: str | None
    target_label: str
    ledger_version: int
    path: Path | None = None
    rows_sha256: str = ""
    events: dict[str, int] = field(default_factory=dict)
    properties: dict[str, int] = field(default_factory=dict)
    leavers: dict[str, int] = field(default_factory=dict)
    count_events: int = 0
    count_users: int = 0
    count_identities: int = 0
    new_identities: dict[str, int] = field(default_factory=dict)
    count_new_identities: int = 0
    newcomers: dict[str, dict[str, int]] = field(default_factory=dict)
    new_events: list[str] = field(default_factory=list)
    new_properties: list[str] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    held_back: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    dead_letters_waiting: int = 0
    identities_moved: int = 0
    told_otherwise: int = 0
    values_cut: int = 0
    uncertain: int = 0
    erasures_due: int = 0
    calls: int = 0
    minutes: float = 0.0
    is_replay: bool = False
    models_due: list[str] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    bounds: Bounds = field(default_factory=Bounds)
    names: Names = field(default_factory=list)
    booleans: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether Heap has nothing to hear."""
        return self.count_events + self.count_users == 0

    @property
    def count_refused(self) -> int:
        """Rows that may not be sent."""
        return sum(self.refused.values())

    @property
    def closed_gates(self) -> list[Gate]:
        """The gates that stop this plan."""
        return [gate for gate in self.gates if not gate.is_open]

    def facts(self) -> dict[str, Any]:
        """The plan as `--json` prints it and as the file's first line keeps it."""
        facts = asdict(self)
        facts["path"] = str(self.path) if self.path else None
        facts["count_refused"] = self.count_refused
        return facts

    def header(self) -> dict[str, Any]:
        """The plan file's first line: all facts but the path."""
        facts = self.facts()
        del facts["path"]
        return facts


def from_header(header: dict[str, Any], path: Path) -> Plan:
    """The plan that a file's first line describes."""
    known = {name: header[name] for name in Plan.__dataclass_fields__ if name in header}
    known["created_at"] = datetime.fromisoformat(known["created_at"])
    known["as_of"] = datetime.fromisoformat(known["as_of"]) if known["as_of"] else None
    known["bounds"] = Bounds(**known.get("bounds", {}))
    known["gates"] = [Gate(**gate) for gate in known["gates"]]
    known["names"] = [(n[0], n[1], n[2], n[3]) for n in known["names"]]
    return Plan(**{**known, "path": path})

"""An erasure that was begun and not finished: what it needs to go on when its own steps are done.

The first steps delete what finding the person rests on. So an owner-only file in `erasures/` holds
the person's identifiers from just before the first act that cannot be taken back until the proof,
and whatever identifier of the person is given then takes the erasure up again.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.erasure.person import Person
from pipelines.errors import CounterfoilError
from pipelines.settings import Settings

ENDING = ".unfinished"


@dataclass
class Journal:
    """One erasure under way: whose, since when, and what was done so far.

    Attributes:
        told: apps and regions that were told about the person: the ledger's name for each, and how
            a person recognises it. Noted before anything is deleted from the ledger.
        exports: folders of export files that are rewritten on request.
        asked: of these, the ones whose deletion Heap has completed, or that need none.
        still_held: what Customer.io and ad platforms hold by our doing, and what to do there.
        file_rows: the person's rows of the last ad files.
    """

    certificate_id: str
    begun_at: datetime
    person: Person
    request_ids: list[str] = field(default_factory=list)
    count_users: int = 0
    told: dict[str, str] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    still_held: dict[str, str] = field(default_factory=dict)
    file_rows: list[str] = field(default_factory=list)
    aggregates: list[str] = field(default_factory=list)
    exports: list[str] = field(default_factory=list)
    rows_removed: dict[str, int] = field(default_factory=dict)
    mentions_removed: dict[str, int] = field(default_factory=dict)
    files_removed: dict[str, int] = field(default_factory=dict)
    files_rewritten: dict[str, int] = field(default_factory=dict)
    count_tombstones: int = 0

    def path(self, settings: Settings) -> Path:
        """Where it stands."""
        return settings.home / "erasures" / f"{self.certificate_id}{ENDING}"

    def save(self, settings: Settings) -> None:
        """Write it, readable by its owner only, in one step."""
        path = self.path(settings)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        content: dict[str, Any] = asdict(self)
        content["begun_at"] = self.begun_at.isoformat()
        content["person"] = {
            name: sorted(value) if isinstance(value, set) else value
            for name, value in vars(self.person).items()
        }
        with partial.open("w", encoding="utf-8") as handle:
            json.dump(content, handle)
            handle.flush()
            os.fsync(handle.fileno())
        partial.replace(path)

    def close(self, settings: Settings) -> None:
        """The erasure is whole: nothing needs to know the person any more."""
        self.path(settings).unlink(missing_ok=True)


def unfinished(settings: Settings) -> list[Journal]:
    """Erasures that were begun and not finished, the oldest first.

    Raises:
        CounterfoilError: one of them cannot be read.
    """
    found = []
    for leftover in (settings.home / "erasures").glob(f"*{ENDING}.partial"):
        leftover.unlink(missing_ok=True)
    for path in sorted((settings.home / "erasures").glob(f"*{ENDING}")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            held = content.pop("person")
            person = Person(
                held["subject"],
                identifiers={(kind, value) for kind, value in held["identifiers"]},
                profiles={(place, cio_id) for place, cio_id in held["profiles"]},
                shared={(kind, value) for kind, value in held["shared"]},
                bound=set(held["bound"]),
                elsewhere=set(held["elsewhere"]),
                in_heap=set(held.get("in_heap", ())),
            )
            content["begun_at"] = datetime.fromisoformat(content["begun_at"])
            found.append(Journal(**content, person=person))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CounterfoilError(
                f"An erasure was begun and not finished, and its file {path.name} in erasures/ "
                "cannot be read: restore it, or remove it and erase the person again."
            ) from error
    return sorted(found, key=lambda journal: journal.begun_at)

"""What Customer.io and ad platforms hold of somebody because we told them, and what takes it away.

Nobody is called: a profile is deleted where it lives, which takes it out of every segment, and a
platform is told by files that people upload. So the certificate says what is still there.
"""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

from pipelines.erasure.lookup import LISTED
from pipelines.erasure.person import Person
from pipelines.heap.ledger import Ledger
from pipelines.settings import Settings

PROFILE = (
    "delete the profile in Customer.io, which takes it out of the segment: no push will remove it"
)
UPLOADED = (
    "upload the next file as the whole list, or remove the person there, and delete the copies of "
    "the last file: no list of who left will hold them"
)
MANIFEST, LEFT = ".manifest.json", ".left.csv"

SEGMENTS = f"""
    select audience_key, destination_id, workspace_id, cio_id, true as is_sure
    from audience_state where told = 'added' and cio_id in {LISTED}
    union all
    select audience_key, destination_id, workspace_id, cio_id, false as is_sure
    from audience_intents where cio_id in {LISTED}
    order by audience_key, destination_id, is_sure
"""
FILES = f"""
    select exported.audience_key, exported.platform, exported.workspace_id, exported.cio_id,
        exported.file_row, strftime(exports.exported_at, '%Y-%m-%d') as exported_on
    from audience_exported as exported
    left join audience_exports as exports on exported.export_id = exports.export_id
    where exported.cio_id in {LISTED}
    order by exported.audience_key
"""


def still_held(ledger: Ledger, person: Person) -> tuple[dict[str, str], list[str]]:
    """Who holds somebody by our doing and what to do there, and their rows of the last ad files.

    Args:
        ledger: before anything of the person is deleted from it.
        person: whose profiles count, each in its own workspace.
    """
    profiles = person.values("cio_id")
    held: dict[str, str] = {}
    rows = []
    for audience, segment, workspace, cio_id, is_sure in ledger.rows(SEGMENTS, [profiles] * 2):
        if person.owns(str(workspace), cio_id):
            added = "added by us" if is_sure else "maybe added by us, no answer came"
            held[f"Customer.io, segment {segment} (audience {audience})"] = f"{added}; {PROFILE}"
    for audience, platform, workspace, cio_id, row, day in ledger.rows(FILES, [profiles]):
        if person.owns(str(workspace), cio_id):
            of_day = f"in the file of {day}" if day else "in the last file"
            held[f"{platform} (audience {audience})"] = f"{of_day}; {UPLOADED}"
            rows.append(row)
    return held, sorted(rows)


def remove_ad_files(
    settings: Settings, person: Person, rows: list[str], removed: dict[str, int]
) -> None:
    """Remove ad files of the home that hold somebody, with what stands beside them.

    They are of the day on which they were uploaded, and the next export writes them anew.
    """
    lines = {row.rstrip("\n") for row in rows}
    cells = _cells(person)
    for manifest in sorted(settings.home.rglob(f"*{MANIFEST}")):
        if not _is_ours(manifest):
            continue
        file = manifest.with_name(manifest.name.removesuffix(MANIFEST))
        left = file.with_name(file.name + LEFT)
        if any(_names(path, lines, cells) for path in (file, left) if path.is_file()):
            for path in (file, left, manifest):
                removed["ad files"] = removed.get("ad files", 0) + path.is_file()
                path.unlink(missing_ok=True)


def _cells(person: Person) -> set[str]:
    """How a file may spell somebody: addresses and customer ids as they are, and hashed."""
    spelled = set(person.values("customer_id"))
    for email in person.values("email"):
        name, _, domain = "".join(email.split()).rpartition("@")
        bare = name.partition("+")[0]
        spelled |= {
            f"{n}@{domain}" for n in (name, bare, name.replace(".", ""), bare.replace(".", ""))
        }
    return spelled | {hashlib.sha256(one.encode()).hexdigest() for one in spelled}


def _names(path: Path, lines: set[str], cells: set[str]) -> bool:
    text = path.read_text(encoding="utf-8", errors="replace")
    if not lines.isdisjoint(text.split("\n")):
        return True
    return any(not cells.isdisjoint(row) for row in csv.reader(text.splitlines()))


def _is_ours(path: Path) -> bool:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("counterfoil_ad_file") == 1

"""The file of an ad platform: hashed as the registry says, with a manifest that names nobody."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import secrets
from functools import partial
from pathlib import Path
from typing import Any

from pipelines import locks
from pipelines.calling.clock import Clock
from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.heap.ledger import Ledger
from pipelines.heap.warehouse import Warehouse, attached
from pipelines.home import replacing, require_free
from pipelines.room import told_when_full
from pipelines.settings import Settings

SQL = Path(__file__).with_name("sql")
KIND = "an ad file of Counterfoil"
EXPORTED = ("workspace_id", "cio_id", "person_id", "identifier", "file_row")
MANIFEST, LEFT = ".manifest.json", ".left.csv"


def export(
    settings: Settings, console: Console, key: str, *, out: Path, clock: Clock | None = None
) -> dict[str, Any]:
    """Write the members of an ads_file, a manifest beside it, and who of the last file left.

    Args:
        settings: where the home is.
        console: prints what was written.
        key: the audience.
        out: the file; `OUT.manifest.json` and `OUT.left.csv` stand beside it. For its owner only.
        clock: the only clock.

    Returns:
        The manifest.

    Raises:
        UsageError: there is no such ads_file, or another file is in the way.
        CounterfoilError: nothing whole was built, or the audience is blocked.
    """
    clock = clock or Clock()
    manifest_path, left_path = out.with_name(out.name + MANIFEST), out.with_name(out.name + LEFT)
    kind = f"{KIND} for this audience"
    is_manifest, is_ours = partial(_is_manifest, key=key), partial(_is_ours, key=key)
    for path in (out, left_path):
        require_free(path, is_ours, kind)
    require_free(manifest_path, is_manifest, kind)
    with (
        locks.hold(settings.home, "publisher", "audiences export"),
        told_when_full(settings.home),
        Ledger(settings) as ledger,
    ):
        with attached(ledger, settings) as warehouse:
            audience = _audience(warehouse, key)
            headings = _headings(warehouse, audience["destination_id"])
            rows = [
                {**row, "file_row": _line([row["cells"].get(h, "") for h in headings])}
                for row in _members(warehouse, key)
            ]
            as_of = warehouse.as_of
        # an export that was stopped noted its rows and may have written them: they count too
        before = ledger.rows(
            "select distinct workspace_id, cio_id, file_row from audience_exported "
            "where audience_key = ? order by file_row",
            [key],
        )
        now = {(row["workspace_id"], row["cio_id"]) for row in rows}
        known = {(workspace, cio_id) for workspace, cio_id, _ in before}
        lines = {row["file_row"] for row in rows}
        left = sorted({line for _, _, line in before} - lines)
        body = "".join([_line(headings), *sorted(lines)]).encode()
        manifest = {
            "counterfoil_ad_file": 1,
            "audience_key": key,
            "platform": audience["destination_id"],
            "segment_key": audience["segment_key"],
            "version": audience["version"],
            "as_of": as_of.isoformat(),
            "columns": headings,
            "count_rows": len(lines),
            "count_entered": len(now - known),
            "count_left": len(known - now),
            "sha256": hashlib.sha256(body).hexdigest(),
        }
        export_id = f"export-{clock.now():%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        # noted before anybody can upload them; the manifest first, since it makes the others ours
        with ledger.transaction():
            ledger.db.execute(
                "insert into audience_exported select ?, ?, unnest(?::bigint[]), "
                "unnest(?::varchar[]), unnest(?::varchar[]), 'email', unnest(?::varchar[]), "
                "unnest(?::varchar[]), ?",
                [
                    key, audience["destination_id"],
                    *(
                        [row[name] for row in rows]
                        for name in EXPORTED
                    ),
                    export_id,
                ],
            )  # fmt: skip
        with replacing(manifest_path, is_manifest, kind) as file:
            file.write(json.dumps(manifest, indent=2, sort_keys=True).encode() + b"\n")
        _write(left_path, "".join([_line(headings), *left]).encode(), key)
        _write(out, body, key)
        with ledger.transaction():
            ledger.db.execute(
                "delete from audience_exported where audience_key = ? and export_id <> ?",
                [key, export_id],
            )
            ledger.db.execute(
                "insert into audience_exports values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    export_id, key, audience["destination_id"], audience["version"], as_of,
                    manifest["count_rows"], manifest["count_entered"], manifest["count_left"],
                    manifest["sha256"], clock.now(),
                ],
            )  # fmt: skip
    console.line(
        f"{key}: {len(lines):,} rows for {audience['destination_id']} in {out}; "
        f"{manifest['count_entered']:,} came since the last file, {manifest['count_left']:,} left"
    )
    console.record(export=manifest)
    return manifest


def _audience(warehouse: Warehouse, key: str) -> dict[str, Any]:
    found = [row for row in warehouse.ask(SQL / "members.sql") if row["audience_key"] == key]
    files = [row for row in found if row["destination"] == "ads_file"]
    if not files:
        raise UsageError(
            "No such ad file is declared: name an ads_file of audiences.csv, as `counterfoil "
            "audiences list` shows them."
        )
    if files[0]["blocked_reason"]:
        raise CounterfoilError(
            f"The audience {key} is blocked, for {files[0]['blocked_reason']}: mend its row in "
            "audiences.csv and build again."
        )
    return files[0]


def _headings(warehouse: Warehouse, platform: str) -> list[str]:
    return [
        row["heading"]
        for row in warehouse.rows(
            "select heading from {ad_file_columns} where platform = ? order by position",
            [platform],
            reads=["ad_file_columns"],
        )
    ]


def _members(warehouse: Warehouse, key: str) -> list[dict[str, Any]]:
    """Members with the cells of their row by heading."""
    found = warehouse.ask(SQL / "file_members.sql", {"audience_key": key})
    for row in found:
        row["cells"] = dict(zip(row["headings"], row["cells"], strict=True))
    return found


def _line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _write(path: Path, body: bytes, key: str) -> None:
    with replacing(path, partial(_is_ours, key=key), f"{KIND} for this audience") as file:
        file.write(body)


def _is_ours(path: Path, key: str) -> bool:
    """Whether a file stands beside a manifest of this audience: another's leavers may be in it."""
    return _is_manifest(path.with_name(path.name.removesuffix(LEFT) + MANIFEST), key)


def _is_manifest(path: Path, key: str) -> bool:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return (
        isinstance(found, dict)
        and found.get("counterfoil_ad_file") == 1
        and found.get("audience_key") == key
    )

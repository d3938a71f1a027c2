"""What an erasure did and proved, for people and in a file of `erasures/`: no personal data."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from pipelines.erasure.deletion import HeapDeletion
from pipelines.settings import Settings

LINES_SHOWN = 20
AGGREGATES_SHOWN = 5
HOW = (
    "Identifiers are compared whole, each kind in its own columns; e-mail addresses are looked for "
    "in every text, in any case, also as JSON, HTML and addresses on the web spell them; other ids "
    "in texts where they have ten characters or more, a letter and a digit, and are no word of "
    "their own. Files are read as UTF-8 and as UTF-16, with letters that are spelled by their "
    "number; gzip, bzip2, xz and the members of zip archives are unpacked; Parquet, Avro and "
    "databases of SQLite and DuckDB are read by value. Names of files and folders count too."
)
_IN_DATABASES = ("raw.", "warehouse.", "ledger.", "the blocks of ")


@dataclass
class Proof:
    """What was searched after the erasure, for whole values, and what was found.

    Attributes:
        found: where the person still is: the erasure is not whole.
        left: what was seen and left on purpose, by place: files and rows of others.
        not_searched: what could not be searched, by place, with the reason.
        raw_files: files of rows that were loaded, by folder: how many were searched.
    """

    count_tables: int = 0
    count_text_columns: int = 0
    count_files: int = 0
    found: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    not_searched: dict[str, str] = field(default_factory=dict)
    raw_files: dict[str, int] = field(default_factory=dict)


@dataclass
class Certificate:
    """What an erasure did. Holds no personal data: the subject is a salted hash."""

    certificate_id: str
    subject_hash: str
    erased_at: datetime
    heap: HeapDeletion
    count_tombstones: int
    count_shared_identifiers_kept: int
    count_identifiers_in_columns_only: int = 0
    rows_removed: dict[str, int] = field(default_factory=dict)
    mentions_removed: dict[str, int] = field(default_factory=dict)
    files_removed: dict[str, int] = field(default_factory=dict)
    files_rewritten: dict[str, int] = field(default_factory=dict)
    still_held: dict[str, str] = field(default_factory=dict)
    """What Customer.io and ad platforms hold because we told them, and what to do there."""
    aggregates: list[str] = field(default_factory=list)
    """Figures that were made of the person's rows, and change with the next build."""
    proof: Proof = field(default_factory=Proof)
    path: Path | None = None


def certificate_lines(certificate: Certificate) -> list[str]:
    """A certificate in lines of text."""
    proof = certificate.proof
    mentions = sum(certificate.mentions_removed.values())
    lines = [
        f"erased: {sum(certificate.rows_removed.values()):,} rows in "
        f"{sum(1 for n in certificate.rows_removed.values() if n)} tables"
        + (f", {mentions:,} mentions in other people's rows" if mentions else "")
        + f", {sum(certificate.files_removed.values())} files removed and "
        f"{sum(certificate.files_rewritten.values())} rewritten; {certificate.heap.sentence}",
        f"  proof: {proof.count_text_columns} text columns of {proof.count_tables} tables and "
        f"{proof.count_files} files searched for whole values, nothing found"
        + (" but what is named here" if proof.left or proof.not_searched else ""),
    ]
    if certificate.count_shared_identifiers_kept:
        lines.append(
            f"  kept: {certificate.count_shared_identifiers_kept} identifiers that somebody else "
            "holds or held too; if that is the same human being, erase them as well"
        )
    if certificate.count_identifiers_in_columns_only:
        lines.append(
            f"  {certificate.count_identifiers_in_columns_only} identifiers could be any number or "
            "word: searched in their own columns, not in texts"
        )
    lines += [f"  {label}: {what}" for label, what in certificate.heap.apps.items()]
    lines += [f"  still held: {where}: {what}" for where, what in certificate.still_held.items()]
    if certificate.aggregates:
        lines.append(
            f"  {len(certificate.aggregates)} relations of sums still count the person until the "
            f"next build: {', '.join(certificate.aggregates[:AGGREGATES_SHOWN])}"
            + (", …" if len(certificate.aggregates) > AGGREGATES_SHOWN else "")
        )
    inside = [place for place in proof.left if place.startswith(_IN_DATABASES)]
    told = [f"  left: {p}: {why}" for p, why in proof.left.items() if p not in inside]
    told += [f"  not searched: {place}: {why}" for place, why in proof.not_searched.items()]
    if inside:
        lines.append(
            f"  left: longer identifiers that hold one of the person's, in {len(inside)} places of "
            "the databases (named in the certificate)"
        )
    lines += told[:LINES_SHOWN]
    if len(told) > LINES_SHOWN:
        lines.append(f"  and {len(told) - LINES_SHOWN} more in the certificate")
    return [
        *lines,
        f"  certificate: {certificate.path}",
        "  run `counterfoil build` to bring the counts up to date",
    ]


def facts(certificate: Certificate) -> dict[str, object]:
    """A certificate for programs."""
    said = asdict(certificate)
    said["how_searched"] = HOW
    said["path"] = certificate.path.name if certificate.path else None
    return said


def write(certificate: Certificate, settings: Settings) -> None:
    """Write it, on disk before this returns; sets its `path`."""
    folder = settings.home / "erasures"
    folder.mkdir(parents=True, exist_ok=True)
    certificate.path = folder / f"{certificate.certificate_id}.json"
    partial = certificate.path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as handle:
        json.dump(facts(certificate), handle, indent=2, default=str)
        handle.flush()
        os.fsync(handle.fileno())
    partial.replace(certificate.path)

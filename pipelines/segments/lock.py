"""The lock: a fingerprint of each version's logic, so that a published definition never changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.segments.definitions import SegmentVersion, read_versions
from pipelines.settings import PROJECT_DIR, Settings

LOCK_PATH = Path("models/segments/segments.lock")

_HEAD = """\
# Fingerprints of the segment versions: source, macros and var values, without comments and layout.
# Written by `counterfoil segments lock`, checked at the start of every build. A version that stands
# here never changes; a change is a new version (`counterfoil segments new KEY --from VERSION`).
"""


@dataclass(frozen=True)
class LockSummary:
    """What `lock_segments` did: names of versions, each list sorted."""

    locked: tuple[str, ...]
    unchanged: tuple[str, ...]
    accepted: tuple[str, ...]
    forgotten: tuple[str, ...]


def lock_segments(
    settings: Settings,
    console: Console,
    *,
    check: bool = False,
    accept: list[str] | None = None,
    forget: list[str] | None = None,
    because: str | None = None,
    project: Path = PROJECT_DIR,
) -> LockSummary:
    """Record the fingerprint of every version that has none yet.

    Args:
        check: record nothing; fail when a version is not locked as it is.
        accept: locked versions (`cart_abandoner_v1`) whose source changed, not their meaning.
        forget: locked versions that are gone and that nobody was ever told of.
        because: why; needed with `accept` and `forget`, kept in the lock.

    Raises:
        UsageError: `accept` or `forget` without a reason, or a name that does not apply.
        CounterfoilError: a locked version has changed or is gone, or, with `check`, is not locked.
    """
    accepted, forgotten = sorted(set(accept or [])), sorted(set(forget or []))
    if (accepted or forgotten) and not (because or "").strip():
        raise UsageError(
            "--accept and --forget need --because: one sentence that stays in the lock."
        )
    path = project / LOCK_PATH
    before = read_lock(path)
    versions = {version.name: version for version in read_versions(settings, project)}
    changed = {
        name
        for name, version in versions.items()
        if name in before and before[name].get("fingerprint") != version.fingerprint
    }
    gone = set(before) - set(versions)
    _refuse_names(accepted, changed, "--accept", "has not changed since it was locked")
    _refuse_names(forgotten, gone, "--forget", "is not both locked and gone")
    _refuse_changes(
        versions, before, sorted(changed - set(accepted)), sorted(gone - set(forgotten))
    )

    new = sorted(set(versions) - set(before))
    if check:
        if new:
            raise CounterfoilError(
                f"Not locked: {', '.join(new)}. Run `counterfoil segments lock` and commit it."
            )
    elif new or accepted or forgotten:
        _write(path, versions, before, accepted, because)
    summary = LockSummary(
        locked=tuple(new),
        unchanged=tuple(sorted(set(versions) & set(before) - set(accepted))),
        accepted=tuple(accepted),
        forgotten=tuple(forgotten),
    )
    _tell(console, summary, check)
    return summary


def read_lock(path: Path) -> dict[str, dict[str, Any]]:
    """Read the lock: version name to fingerprint and parts; empty when there is none.

    Raises:
        CounterfoilError: the file is not what `segments lock` writes.
    """
    import yaml

    if not path.is_file():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise CounterfoilError(
            f"{path.name} cannot be read: restore it from version control."
        ) from error
    if not isinstance(content, dict):
        raise CounterfoilError(f"{path.name} cannot be read: restore it from version control.")
    return content


def differences(version: SegmentVersion, locked: dict[str, Any]) -> list[str]:
    """Which vars, files and macros differ from the locked ones, in words."""
    found: list[str] = []
    for kind, word in (("vars", "var"), ("sources", "file"), ("macros", "macro")):
        then, now = locked.get(kind) or {}, version.parts[kind]
        for part in sorted(set(then) | set(now)):
            if then.get(part) != now.get(part):
                values = f" from {then.get(part)} to {now.get(part)}" if kind == "vars" else ""
                found.append(f"{word} {part}{values}")
    return found


def _refuse_names(names: list[str], allowed: set[str], option: str, why: str) -> None:
    for name in names:
        if name not in allowed:
            raise UsageError(f"{option} {name}: {name} {why}.")


def _refuse_changes(
    versions: dict[str, SegmentVersion],
    before: dict[str, dict[str, Any]],
    changed: list[str],
    gone: list[str],
) -> None:
    for name in changed:
        version = versions[name]
        raise CounterfoilError(
            f"{name} is locked and its logic has changed "
            f"({', '.join(differences(version, before[name]))}): undo that, or make the change in "
            f"a new version with `counterfoil segments new {version.segment_key} "
            f"--from {version.version}`."
        )
    for name in gone:
        raise CounterfoilError(
            f"{name} is locked and gone: bring it back and give it a valid_to, or, if nobody was "
            f"ever told of it, `counterfoil segments lock --forget {name} --because …`."
        )


def _write(
    path: Path,
    versions: dict[str, SegmentVersion],
    before: dict[str, dict[str, Any]],
    accepted: list[str],
    because: str | None,
) -> None:
    import yaml

    content: dict[str, dict[str, Any]] = {}
    for name, version in versions.items():
        entry: dict[str, Any] = {"fingerprint": version.fingerprint, **version.parts}
        reasons = list(before.get(name, {}).get("accepted", []))
        if name in accepted:
            reasons.append(str(because).strip())
        if reasons:
            entry["accepted"] = reasons
        content[name] = entry
    text = _HEAD + yaml.safe_dump(content, sort_keys=True, allow_unicode=True, width=100)
    beside = path.with_suffix(".lock.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _tell(console: Console, summary: LockSummary, check: bool) -> None:
    for name in summary.locked:
        console.line(f"Locked {name}.")
    for name in summary.accepted:
        console.line(f"Accepted the changed source of {name}.")
    for name in summary.forgotten:
        console.line(f"Forgot {name}.")
    if check or not (summary.locked or summary.accepted or summary.forgotten):
        console.line(f"{len(summary.unchanged)} versions are locked as they are.")
    console.record(
        locked=summary.locked,
        unchanged=summary.unchanged,
        accepted=summary.accepted,
        forgotten=summary.forgotten,
    )

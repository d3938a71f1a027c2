"""The message: what changed since the last one, in a few lines that name no person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelines.notices.standing import Standing
from pipelines.plural import counted

MOST = 12
"""Lines of one kind; the page and the checklist have all of them."""


@dataclass(frozen=True)
class Message:
    """What is sent: a title of one line, and a text."""

    title: str
    text: str


def message(before: Standing, now: Standing, result: dict[str, Any]) -> Message | None:
    """What to say about a run; None where nothing changed.

    Args:
        before: as it was told last.
        now: as it is.
        result: the facts that the run recorded.
    """
    if now == before:
        return None
    verdicts = list(_verdicts(before, now))
    broken = [title for name, title in now.failing.items() if name not in before.failing]
    mended = [title for name, title in before.failing.items() if name not in now.failing]
    lines: list[str] = []
    if now.trouble:
        lines.append(f"The run failed: {now.trouble}. Its log says why.")
    elif before.trouble:
        lines.append("The run works again.")
    lines += _listed("Verdicts that changed", verdicts)
    lines += _listed("Checklist lines that fail since", broken)
    lines += _listed("Checklist lines that are met again", mended)
    if waiting := len(now.failing) - len(broken):
        lines.append(f"Lines that fail as before: {waiting}.")
    lines += _sent(result)
    return Message(_title(now, len(verdicts), len(broken), len(mended)), "\n".join(lines))


def _title(now: Standing, verdicts: int, broken: int, mended: int) -> str:
    changes = (
        (verdicts, "verdict", "changed"),
        (broken, "line", "broke"),
        (mended, "line", "mended"),
    )
    said = [f"{counted(count, noun)} {change}" for count, noun, change in changes if count]
    first = ["the run failed"] if now.trouble else []
    return f"Counterfoil: {', '.join(first + said) or 'the run works again'}"


def _verdicts(before: Standing, now: Standing) -> Iterator[str]:
    for key in sorted({**before.verdicts, **now.verdicts}):
        was, is_now = before.verdicts.get(key), now.verdicts.get(key)
        if was != is_now:
            told = key.replace("/", ", ")
            yield f"{told}: {is_now or 'no longer told'}" + (f" (was: {was})" if was else "")


def _listed(heading: str, found: list[str]) -> list[str]:
    if not found:
        return []
    more = [f"- and {len(found) - MOST} more"] if len(found) > MOST else []
    return [f"{heading}:", *(f"- {one}" for one in found[:MOST]), *more]


def _sent(result: dict[str, Any]) -> list[str]:
    """What Heap acknowledged in this run; nothing where the run was not to send."""
    sent = result.get("publish")
    if sent is None:
        return []
    parts = [f"{sent['count_events']:,} events", f"{sent['count_users']:,} identities' properties"]
    if sent["count_dead_letters"]:
        parts.append(f"{sent['count_dead_letters']:,} rows refused")
    if sent["count_left"]:
        parts.append(f"{sent['count_left']:,} left for the next run")
    return [f"Sent to Heap: {', '.join(parts)}."]

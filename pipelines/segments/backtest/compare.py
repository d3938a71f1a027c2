"""`segments backtest`: what a new version would have done to the numbers, over the whole history.

Two versions of one segment are compared on the stays and orders that a build has left in the
warehouse. A person counts as a member from `entered_at` to `exited_at`; an order counts as a
member's when it was placed after the entry and not after the exit, so that the order that ends a
stay belongs to it and the order that begins one does not. What is taken back in that time lowers
the revenue and is no order.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from pipelines.built.tables import Record, Tables, open_warehouse
from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.segments.backtest.facts import Backtest, Overlap, VersionFacts, Week
from pipelines.segments.backtest.text import as_markdown, as_table
from pipelines.settings import Settings

FOLDER = Path(__file__).parent


def backtest(
    settings: Settings,
    console: Console,
    key: str,
    *,
    from_version: int,
    to_version: int,
    days: int | None = None,
    markdown: bool = False,
) -> Backtest:
    """Compare two versions of a segment on the warehouse as it was built.

    Args:
        days: only so many days before the build's instant; default the whole history.
        markdown: print Markdown fit for a pull request instead of a table.

    Raises:
        UsageError: the versions are the same, or `days` is not positive.
        CounterfoilError: the warehouse is missing or open elsewhere, or a version is not built.
    """
    if from_version == to_version:
        raise UsageError("Compare two different versions: --from and --to are the same.")
    if days is not None and days < 1:
        raise UsageError("--days is a whole number of days, 1 or more.")
    with console.progress(f"Comparing {key} v{from_version} with v{to_version}"):
        result = _compare(settings, key, from_version, to_version, days)
    console.lines((as_markdown(result) if markdown else as_table(result)).rstrip("\n"))
    console.record(**result.facts())
    return result


def _compare(
    settings: Settings, key: str, from_version: int, to_version: int, days: int | None
) -> Backtest:
    with open_warehouse(settings) as tables:
        as_of = _as_of(tables, key, from_version, to_version)
        since = _since(tables, key, as_of, days)
        window = {
            "key": key,
            "from_version": from_version,
            "to_version": to_version,
            "as_of": as_of,
            "since": since,
        }

        def rows(name: str, **more: object) -> list[Record]:
            return tables.ask(FOLDER / f"{name}.sql", {**window, **more})

        rows("stays")
        rows("orders")
        before = _facts(from_version, rows("version", version=from_version)[0])
        after = _facts(to_version, rows("version", version=to_version)[0])
        shared_days = float(rows("shared_time")[0]["shared_days"])
        shared = rows("shared_persons")[0]
        return Backtest(
            segment_key=key,
            since=since,
            as_of=as_of,
            before=before,
            after=after,
            jaccard_ever=_share(shared["ever_both"], shared["ever_either"]),
            jaccard_now=_share(shared["now_both"], shared["now_either"]),
            jaccard_time=_share(shared_days, before.person_days + after.person_days - shared_days),
            break_members=_step(before.count_members, after.count_members),
            break_order_rate=_step(before.order_rate, after.order_rate),
            break_revenue_per_person=_step(
                _share(float(before.revenue), before.count_persons),
                _share(float(after.revenue), after.count_persons),
            ),
            weeks=tuple(Week(**row) for row in rows("weeks")),
            overlaps=tuple(
                Overlap(
                    **row,
                    share_from=_share(row["persons_from"], before.count_persons),
                    share_to=_share(row["persons_to"], after.count_persons),
                )
                for row in rows("overlaps")
            ),
        )


def _as_of(tables: Tables, key: str, from_version: int, to_version: int) -> datetime:
    """The instant of the build, once both versions are in it."""
    versions = tables.require("dim_segment_versions")
    known = {
        row["version"]: row["as_of"]
        for row in tables.rows(
            f"select version, as_of from {versions} where segment_key = $key",
            {"key": key},
            reads=(),
        )
    }
    for version in (from_version, to_version):
        if version not in known:
            have = ", ".join(f"v{v}" for v in sorted(known)) or "no version of it"
            raise CounterfoilError(
                f"The warehouse has no {key}_v{version} ({have} is built): make it with "
                "`counterfoil segments new` and run `counterfoil build`."
            )
    as_of: datetime = known[from_version]
    return as_of


def _since(tables: Tables, key: str, as_of: datetime, days: int | None) -> datetime:
    if days is not None:
        return as_of - timedelta(days=days)
    first = tables.value(
        "select min(entered_at) from {fct_segment_memberships} where segment_key = $key",
        {"key": key},
        reads=["fct_segment_memberships"],
    )
    return first if isinstance(first, datetime) else as_of


def _facts(version: int, row: Record) -> VersionFacts:
    return VersionFacts(
        version=version,
        **{
            **row,
            "person_days": float(row["person_days"]),
            "revenue": f"{row['revenue']:.2f}",
            "order_rate": _share(row["count_buyers"], row["count_persons"]),
        },
    )


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _step(before: float | None, after: float | None) -> float | None:
    return after / before - 1 if before and after is not None else None

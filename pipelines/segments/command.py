"""The command group `segments`: options and printing only."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.command import Json, Verbose, told

segments_app = typer.Typer(help="Versioned segments.", no_args_is_help=True, rich_markup_mode=None)


@segments_app.command("list")
def segments_list(as_json: Json = False, verbose: Verbose = False) -> None:
    """Every version: motion, owner, members, state of its lock."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.segments.listing import list_segments

        list_segments(settings, console)


@segments_app.command("new")
def segments_new(
    key: Annotated[str, typer.Argument(help="Segment key, snake_case.")],
    from_version: Annotated[
        int | None, typer.Option("--from", min=1, help="Start from this version.")
    ] = None,
    from_finding: Annotated[
        str | None,
        typer.Option("--from-finding", help="Make it of this finding of the page, with evidence."),
    ] = None,
    as_hypothesis: Annotated[
        bool, typer.Option("--as-hypothesis", help="Also of a finding that may not be told.")
    ] = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Scaffold a segment, or the next version of one."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.segments.findings import find
        from pipelines.segments.scaffold import new_segment

        new_segment(
            console,
            key,
            from_version=from_version,
            finding=None if from_finding is None else find(settings, from_finding),
            is_hypothesis=as_hypothesis,
        )


@segments_app.command("lock")
def segments_lock(
    check: Annotated[bool, typer.Option("--check", help="Record nothing.")] = False,
    accept: Annotated[
        list[str] | None, typer.Option("--accept", help="Locked version that means the same.")
    ] = None,
    forget: Annotated[
        list[str] | None, typer.Option("--forget", help="Locked version that is gone.")
    ] = None,
    because: Annotated[str | None, typer.Option("--because", help="Why; kept in the lock.")] = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Record the fingerprint of every version that has none yet."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.segments.lock import lock_segments

        lock_segments(settings, console, check=check, accept=accept, forget=forget, because=because)


@segments_app.command("backtest")
def segments_backtest(
    key: Annotated[str, typer.Argument(help="Segment key.")],
    from_version: Annotated[int, typer.Option("--from", min=1, help="The version before.")],
    to_version: Annotated[int, typer.Option("--to", min=1, help="The version after.")],
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="Only the last days; default all.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Compare two versions of a segment over history."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.segments.backtest import backtest

        backtest(
            settings,
            console,
            key,
            from_version=from_version,
            to_version=to_version,
            days=days,
            markdown=markdown,
        )

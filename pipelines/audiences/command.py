"""The command group `audiences`: options and printing only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.command import Json, Verbose, path, told

audiences_app = typer.Typer(
    help="Who goes back to Customer.io and to ad platforms.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@audiences_app.command("list")
def audiences_list(as_json: Json = False, verbose: Verbose = False) -> None:
    """Every audience: its members, who came and left in a week, what is blocked."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.audiences.listing import list_audiences

        list_audiences(settings, console)


@audiences_app.command("plan")
def audiences_plan(
    out: Annotated[
        Path | None, typer.Option("--out", parser=path, help="Write the plan to this file.")
    ] = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Write down whom Customer.io would be told to add and to remove, without telling it."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.audiences.planning import make_plan

        make_plan(settings, console, out=out)


@audiences_app.command("push")
def audiences_push(
    plan_file: Annotated[
        Path | None,
        typer.Option("--plan", parser=path, help="Send this plan; default: a fresh one."),
    ] = None,
    max_minutes: Annotated[
        float | None, typer.Option("--max-minutes", min=0.01, help="Stop after this long.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also say again what Customer.io refused.")
    ] = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Tell Customer.io: the given plan, but for rows that are no longer so, or a fresh one."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.audiences.push import push, require_taken

        require_taken(push(settings, console, plan_file, max_minutes, is_again=again))


@audiences_app.command("export")
def audiences_export(
    key: Annotated[str, typer.Argument(help="An ads_file of audiences.csv.")],
    out: Annotated[Path, typer.Option("--out", parser=path, help="Write the file here.")],
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Write an ad platform's file, hashed, with a manifest beside it."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.audiences.export import export

        export(settings, console, key, out=out)

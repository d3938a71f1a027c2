"""The command group `identity`: options and printing only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.command import Json, Registries, Verbose, path, told

identity_app = typer.Typer(help="Who is who.", no_args_is_help=True, rich_markup_mode=None)


@identity_app.command("check")
def identity_check(as_json: Json = False, verbose: Verbose = False) -> None:
    """The match-rate gate: fails below the declared threshold and names who does not meet."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.identity.check import check

        result = check(settings, console)
        if result.failure is not None:
            raise result.failure


@identity_app.command("sample")
def identity_sample(
    sheet: Annotated[
        Path | None, typer.Argument(parser=path, help="A sheet to read back; none: draw one.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", parser=path, help="Write the sheet here.")
    ] = None,
    size: Annotated[int, typer.Option("--size", min=20, max=50, help="How many people.")] = 30,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same sheet.")] = 1,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """A spot check of 20 to 50 people: draw the sheet, or read it back with its verdicts."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.identity.sample import draw_sheet, read_sheet

        if sheet is not None:
            read_sheet(sheet, console)
        else:
            draw_sheet(settings, console, out=out, size=size, seed=seed)


@identity_app.command("migrate")
def identity_migrate(
    to: Annotated[str, typer.Option("--to", help="The identifier type to change to.")],
    workspace: Annotated[
        int | None, typer.Option("--workspace", help="One workspace; default all.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", parser=path, help="Write the rehearsal here.")
    ] = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Rehearse a change of the shared identifier; changes nothing."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.identity.migrate import rehearse

        rehearse(settings, console, to=to, workspace=workspace, out=out)


@identity_app.command("lock")
def identity_lock(
    registries: Registries = None,
    check: Annotated[bool, typer.Option("--check", help="Record nothing.")] = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Lock the primary identifier: a first choice, or one that was rehearsed and declared."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.identity.lock import lock_identity

        lock_identity(settings, console, registries=registries, check=check)

"""The command group `deadletters`: options and printing only."""

from __future__ import annotations

import typer

from pipelines.command import Json, Verbose, told

deadletters_app = typer.Typer(
    help="Rows Heap refused.", no_args_is_help=True, rich_markup_mode=None
)


@deadletters_app.command("list")
def deadletters_list(as_json: Json = False, verbose: Verbose = False) -> None:
    """Rows Heap refused, with reasons and without personal data."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.heap.deadletters import list_dead_letters

        console.record(dead_letters=list_dead_letters(settings, console))


@deadletters_app.command("retry")
def deadletters_retry(as_json: Json = False, verbose: Verbose = False) -> None:
    """Say the refused rows again, and nothing else."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.road import retry_refused

        retry_refused(settings, console)

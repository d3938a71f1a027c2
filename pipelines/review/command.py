"""The command group `review`: options and printing only."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.command import Json, Verbose, told

review_app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


@review_app.callback()
def review(context: typer.Context, as_json: Json = False, verbose: Verbose = False) -> None:
    """Write the weekly page and its JSON; `review diff` compares two of them."""
    if context.invoked_subcommand is not None:
        return
    with told(as_json, verbose) as (console, settings):
        from pipelines.road import write_review

        write_review(settings, console)


@review_app.command("diff")
def review_diff(
    before: Annotated[str, typer.Argument(help="A page's JSON, or the instant it was made for.")],
    after: Annotated[str, typer.Argument(help="The page after it, named likewise.")],
    is_whole: Annotated[
        bool, typer.Option("--all", help="Every figure that changed, not only the first.")
    ] = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """What changed between two pages, and which input, definition or late row caused it."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.explain.difference import explain_difference

        explain_difference(settings, before, after, console, is_whole=is_whole)

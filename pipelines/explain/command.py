"""The command group `explain`: options and printing only."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.command import Json, Verbose, told

Whole = Annotated[
    bool,
    typer.Option(
        "--verbose", help="Also every key, each SQL statement, and the traceback of an error."
    ),
]

explain_app = typer.Typer(help="Why a thing is so.", no_args_is_help=True, rich_markup_mode=None)


@explain_app.command("person")
def explain_person_command(
    identifier: Annotated[str, typer.Argument(help="Any identifier of the person.")],
    as_json: Json = False,
    verbose: Whole = False,
) -> None:
    """Why somebody is in a segment or an arm, and what Heap was told."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.explain.explanation import explain_person

        explain_person(settings, identifier, console, with_keys=verbose)


@explain_app.command("told")
def explain_told_command(as_json: Json = False, verbose: Verbose = False) -> None:
    """What Heap was told that a later build found to be otherwise."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.heap.otherwise import show

        show(settings, console)


@explain_app.command("delivery")
def explain_delivery_command(
    delivery_id: Annotated[str, typer.Argument(help="Delivery id.")],
    as_json: Json = False,
    verbose: Whole = False,
) -> None:
    """What a delivery was, and what Heap was told about it."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.explain.explanation import explain_delivery

        explain_delivery(settings, delivery_id, console, with_keys=verbose)


@explain_app.command("number")
def explain_number_command(
    name: Annotated[
        str | None, typer.Argument(help="Name of a figure; with --list, text in its name.")
    ] = None,
    is_list: Annotated[
        bool, typer.Option("--list", help="List the names, all or those with this text.")
    ] = False,
    as_json: Json = False,
    verbose: Whole = False,
) -> None:
    """What a figure of the weekly page means, and which rows it rests on."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.errors import UsageError
        from pipelines.explain.provenance import explain_number, list_numbers

        if is_list:
            list_numbers(settings, console, name or "")
        elif name is None:
            raise UsageError("Name a figure, or list the names with --list.")
        else:
            explain_number(settings, name, console, is_whole=verbose)

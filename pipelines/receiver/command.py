"""The command group `webhooks`: options and printing only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.command import Json, Verbose, path, told

webhooks_app = typer.Typer(
    help="Webhooks of Customer.io and Heap.", no_args_is_help=True, rich_markup_mode=None
)


@webhooks_app.callback()
def webhooks() -> None:
    """Webhooks of Customer.io and Heap."""


@webhooks_app.command("serve")
def webhooks_serve(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to serve on.")] = 8766,
    host: Annotated[
        str, typer.Option("--host", help="Address to serve on; default: this machine only.")
    ] = "127.0.0.1",
    spool: Annotated[
        Path | None,
        typer.Option("--spool", parser=path, help="Folder for the bodies; default: in the home."),
    ] = None,
    workspace: Annotated[
        int | None,
        typer.Option(
            "--workspace", min=0, help="Whose key Customer.io's is: written into its bodies."
        ),
    ] = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Receive webhooks until stopped, into files that `load` reads."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.receiver import serve_webhooks

        serve_webhooks(settings, console, port=port, host=host, spool=spool, workspace_id=workspace)

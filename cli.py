"""The `counterfoil` command: options and printing only. `pipelines/` does, dbt decides."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.console import Console
from pipelines.errors import CounterfoilError

if TYPE_CHECKING:
    from pipelines.settings import Settings

app = typer.Typer(
    help="Turn Customer.io exports into evidence that Heap can use.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
segments_app = typer.Typer(help="Versioned segments.", no_args_is_help=True, rich_markup_mode=None)
identity_app = typer.Typer(help="Who is who.", no_args_is_help=True, rich_markup_mode=None)
deadletters_app = typer.Typer(
    help="Rows Heap refused.", no_args_is_help=True, rich_markup_mode=None
)
explain_app = typer.Typer(help="Why a thing is so.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(segments_app, name="segments")
app.add_typer(identity_app, name="identity")
app.add_typer(deadletters_app, name="deadletters")
app.add_typer(explain_app, name="explain")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of lines.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show the traceback of an error.")]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="Judge at this UTC instant; default: the current hour."),
]
Registries = Annotated[
    Path | None,
    typer.Option("--registries", help="A folder whose registries replace ours."),
]


@contextmanager
def _told(as_json: bool, verbose: bool) -> Iterator[tuple[Console, Settings]]:
    """Run one command: print what it did, and turn errors into a sentence and an exit code."""
    console = Console(as_json=as_json)
    try:
        yield console, _settings()
        console.finish()
    except CounterfoilError as error:
        if verbose:
            raise
        console.record(error=str(error))
        console.finish()
        print(f"Error: {error}", file=sys.stderr)
        raise typer.Exit(error.exit_code) from error
    except typer.Exit:
        console.finish()
        raise
    except KeyboardInterrupt as error:
        print("Stopped. What was done is kept; run it again to go on.", file=sys.stderr)
        raise typer.Exit(1) from error
    except Exception as error:
        if verbose:
            raise
        print(
            f"Error: something unexpected went wrong ({type(error).__name__}); "
            "run it again with --verbose to see where.",
            file=sys.stderr,
        )
        raise typer.Exit(1) from error


def _settings() -> Settings:
    from pydantic import ValidationError

    from pipelines.errors import UsageError
    from pipelines.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        names = ", ".join(str(problem["loc"][0]) for problem in error.errors())
        raise UsageError(
            f"These settings cannot be read: {names}. See README, Settings."
        ) from error


@app.command()
def run(
    export: Annotated[
        list[str] | None, typer.Argument(help="Folders or URLs; none: the sample brand.")
    ] = None,
    as_of: AsOf = None,
    registries: Registries = None,
    publish: Annotated[bool, typer.Option("--publish", help="Also send the plan to Heap.")] = False,
    max_minutes: Annotated[
        float | None, typer.Option("--max-minutes", min=0.01, help="Stop sending after this long.")
    ] = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Load, build, plan, review and check; with --publish also send."""
    with _told(as_json, verbose) as (console, settings):
        from pipelines.road import run_all

        run_all(
            settings,
            console,
            exports=export or [],
            as_of=as_of,
            registries=registries,
            publish=publish,
            max_minutes=max_minutes,
        )


@app.command()
def load(
    export: Annotated[list[str], typer.Argument(help="Folders or URLs (file, s3, gs, az).")],
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Load new files only. Safe to repeat."""
    with _told(as_json, verbose) as (console, settings):
        from pipelines.road import load_exports

        load_exports(settings, console, export)


@app.command()
def build(
    as_of: AsOf = None,
    registries: Registries = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Build everything anew.")
    ] = False,
    select: Annotated[
        str | None, typer.Option("--select", help="Only these models (dbt's selection).")
    ] = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Build every mart and run every test."""
    with _told(as_json, verbose) as (console, settings):
        from pipelines.road import build_warehouse

        build_warehouse(
            settings,
            console,
            as_of=as_of,
            registries=registries,
            full_refresh=full_refresh,
            select=select,
        )


@app.command()
def plan(
    out: Annotated[Path | None, typer.Option("--out", help="Write the plan to this file.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Write down what Heap would be told, without telling it."""
    with _told(as_json, verbose) as (console, settings):
        from pipelines.road import plan_heap

        plan_heap(settings, console, out=out, markdown=markdown)


@app.command()
def publish(
    plan_file: Annotated[
        Path | None, typer.Option("--plan", help="Send this plan; default: a fresh one.")
    ] = None,
    max_minutes: Annotated[
        float | None, typer.Option("--max-minutes", min=0.01, help="Stop after this long.")
    ] = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Tell Heap: the given plan or a fresh one, exactly that or nothing."""
    with _told(as_json, verbose) as (console, settings):
        from pipelines.road import publish_heap

        publish_heap(settings, console, plan_file=plan_file, max_minutes=max_minutes)


@app.command()
def review(as_json: Json = False, verbose: Verbose = False) -> None:
    """Write the weekly page and its JSON."""
    with _told(as_json, verbose) as (console, settings):
        from pipelines.road import write_review

        write_review(settings, console)


@app.command()
def sample(
    out: Annotated[Path, typer.Argument(help="Folder to write to.")],
    people: Annotated[int | None, typer.Option("--people", min=1, help="How many people.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same brand.")] = 1,
    effect: Annotated[
        float | None, typer.Option("--effect", min=-0.5, max=0.5, help="True effect to plant.")
    ] = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Write a sample export and, apart from it, its truth."""
    with _told(as_json, verbose) as (console, _):
        from pipelines.road import write_sample_brand

        write_sample_brand(console, out=out, people=people, seed=seed, effect=effect)


@app.command()
def sandbox(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to serve on.")] = 8765,
    verbose: Verbose = False,
) -> None:
    """Serve the local Heap until stopped."""
    with _told(False, verbose) as (console, _):
        from pipelines.heap import serve_sandbox

        serve_sandbox(port, console=console)


if __name__ == "__main__":
    app()

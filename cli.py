"""The `counterfoil` command: options and printing only. `pipelines/` does, dbt decides."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pipelines.audiences.command import audiences_app
from pipelines.command import Json, Registries, Verbose, path, told
from pipelines.encoding import is_utf8
from pipelines.explain.command import explain_app
from pipelines.heap.command import deadletters_app
from pipelines.identity.command import identity_app
from pipelines.receiver.command import webhooks_app
from pipelines.review.command import review_app
from pipelines.segments.command import segments_app


class Readable(TyperGroup):
    """The command line, where every argument is text: what is none is refused before any work."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse all arguments, those of the command below among them."""
        for number, argument in enumerate(args, start=1):
            if not is_utf8(argument):
                raise typer.BadParameter(
                    f"argument {number} is not text in UTF-8: write it in UTF-8, or give the file "
                    "or folder another name."
                )
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=Readable,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(segments_app, name="segments")
app.add_typer(identity_app, name="identity")
app.add_typer(deadletters_app, name="deadletters")
app.add_typer(explain_app, name="explain")
app.add_typer(webhooks_app, name="webhooks")
app.add_typer(audiences_app, name="audiences")
app.add_typer(review_app, name="review")


def _print_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(f"counterfoil {version('counterfoil')}")
        raise typer.Exit


@app.callback()
def counterfoil(
    is_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Turn Customer.io exports into evidence that Heap can use."""


AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="Judge at this UTC instant; default: the current hour."),
]


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
    with told(as_json, verbose) as (console, settings):
        from pipelines.notices import notifying
        from pipelines.road import run_all

        with notifying(settings, console):
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
    export: Annotated[
        list[str] | None, typer.Argument(help="Folders or URLs (file, s3, gs, az).")
    ] = None,
    app_api: Annotated[
        int | None,
        typer.Option(
            "--app-api",
            metavar="WORKSPACE",
            min=0,
            help="Also ask the App API: who was merged, names, who is in the segments.",
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse a text file as a whole for one bad line.")
    ] = False,
    registries: Registries = None,
    is_dry: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be read, and how.")
    ] = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Load new files only. Safe to repeat."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.road import load_exports

        load_exports(
            settings,
            console,
            export or [],
            app_api_workspace=app_api,
            registries=registries,
            is_strict=strict,
            dry=is_dry,
        )


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
    with told(as_json, verbose) as (console, settings):
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
    out: Annotated[
        Path | None, typer.Option("--out", parser=path, help="Write the plan to this file.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Write down what Heap would be told, without telling it."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.road import plan_heap

        plan_heap(settings, console, out=out, markdown=markdown)


@app.command()
def publish(
    plan_file: Annotated[
        Path | None,
        typer.Option("--plan", parser=path, help="Send this plan; default: a fresh one."),
    ] = None,
    max_minutes: Annotated[
        float | None, typer.Option("--max-minutes", min=0.01, help="Stop after this long.")
    ] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Send nothing if a row of the plan is no longer so."),
    ] = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Tell Heap: the given plan, but for rows that are no longer so, or a fresh one."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.road import publish_heap

        publish_heap(settings, console, plan_file=plan_file, max_minutes=max_minutes, strict=strict)


@app.command()
def sample(
    out: Annotated[Path, typer.Argument(parser=path, help="Folder to write to.")],
    people: Annotated[int | None, typer.Option("--people", min=1, help="How many people.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same brand.")] = 1,
    effect: Annotated[
        float | None, typer.Option("--effect", min=-0.5, max=0.5, help="True effect to plant.")
    ] = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Write a sample export and, apart from it, its truth."""
    with told(as_json, verbose) as (console, _):
        from pipelines.road import write_sample_brand

        write_sample_brand(console, out=out, people=people, seed=seed, effect=effect)


@app.command()
def checklist(
    journey: Annotated[
        str | None, typer.Option("--journey", help="Validate this one journey.")
    ] = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Measure the implementation checklist, or one journey's."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.road import write_checklist

        write_checklist(settings, console, journey=journey)


@app.command()
def erase(
    identifier: Annotated[str, typer.Argument(help="Any identifier of the person.")],
    exports: Annotated[
        list[Path] | None,
        typer.Option("--exports", parser=path, help="Rewrite the export files in this folder too."),
    ] = None,
    only_app: Annotated[
        bool,
        typer.Option(
            "--only-app",
            help="Every other app that was told is of the same Heap account, or is no more.",
        ),
    ] = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Forget a person everywhere, Heap included, and prove it."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.erasure.erase import erase as erase_person

        erase_person(settings, identifier, console, is_only_app=only_app, exports=exports or [])


@app.command()
def sandbox(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to serve on.")] = 8765,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Serve the local Heap and the local Customer.io until stopped."""
    with told(as_json, verbose) as (console, _):
        from pipelines.sandbox import serve_sandbox

        serve_sandbox(port, console=console)


if __name__ == "__main__":
    app()

"""The `counterfoil` command: options and printing only. `pipelines/` does, dbt decides."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pipelines.audiences.command import audiences_app
from pipelines.command import Json, Verbose, path, told
from pipelines.encoding import is_utf8
from pipelines.receiver.command import webhooks_app
from pipelines.review_command import review_app


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
Registries = Annotated[
    Path | None,
    typer.Option("--registries", parser=path, help="A folder whose registries replace ours."),
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


@segments_app.command("list")
def segments_list(as_json: Json = False, verbose: Verbose = False) -> None:
    """Every version: motion, owner, members, state of its lock."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.segments import list_segments

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
        from pipelines.segments import new_segment
        from pipelines.segments.findings import find

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
        from pipelines.segments import lock_segments

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
        from pipelines.segments import backtest

        backtest(
            settings,
            console,
            key,
            from_version=from_version,
            to_version=to_version,
            days=days,
            markdown=markdown,
        )


@identity_app.command("check")
def identity_check(as_json: Json = False, verbose: Verbose = False) -> None:
    """The match-rate gate: fails below the declared threshold and names who does not meet."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.identity import check

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
        from pipelines.identity import draw_sheet, read_sheet

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
        from pipelines.identity import rehearse

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
        from pipelines.identity import lock_identity

        lock_identity(settings, console, registries=registries, check=check)


@deadletters_app.command("list")
def deadletters_list(as_json: Json = False, verbose: Verbose = False) -> None:
    """Rows Heap refused, with reasons and without personal data."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.heap import list_dead_letters

        console.record(dead_letters=list_dead_letters(settings, console))


@deadletters_app.command("retry")
def deadletters_retry(as_json: Json = False, verbose: Verbose = False) -> None:
    """Say the refused rows again, and nothing else."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.road import retry_refused

        retry_refused(settings, console)


@explain_app.command("person")
def explain_person_command(
    identifier: Annotated[str, typer.Argument(help="Any identifier of the person.")],
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Why somebody is in a segment or an arm, and what Heap was told."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.explain import explain_person

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
    verbose: Verbose = False,
) -> None:
    """What a delivery was, and what Heap was told about it."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.explain import explain_delivery

        explain_delivery(settings, delivery_id, console)


@explain_app.command("number")
def explain_number_command(
    name: Annotated[
        str | None, typer.Argument(help="Name of a figure; with --list, text in its name.")
    ] = None,
    is_list: Annotated[
        bool, typer.Option("--list", help="List the names, all or those with this text.")
    ] = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Which rows and SQL a figure of the weekly page rests on."""
    with told(as_json, verbose) as (console, settings):
        from pipelines.errors import UsageError
        from pipelines.explain import explain_number, list_numbers

        if is_list:
            list_numbers(settings, console, name or "")
        elif name is None:
            raise UsageError("Name a figure, or list the names with --list.")
        else:
            explain_number(settings, name, console)


@app.command()
def sandbox(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to serve on.")] = 8765,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Serve the local Heap until stopped."""
    with told(as_json, verbose) as (console, _):
        from pipelines.sandbox import serve_sandbox

        serve_sandbox(port, console=console)


if __name__ == "__main__":
    app()

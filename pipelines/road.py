"""The road from exports to Heap and the weekly page, a step at a time or all of it.

Each function does one command's work and says what it did. The order of the steps stands here and
nowhere else.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.home import private
from pipelines.locks import hold
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.heap.limits import Limits


def load_exports(
    settings: Settings,
    console: Console,
    exports: list[str],
    *,
    app_api_workspace: int | None = None,
    registries: Path | None = None,
    is_strict: bool = False,
    dry: bool = False,
) -> None:
    """Load what is new in `exports`, and what a workspace's App API tells: see `app_api.fetched`.

    Args:
        is_strict: refuse a text file as a whole for one bad line.
        dry: only say what would be read, and how.

    Raises:
        UsageError: neither is given, or the App API with a dry run.
        CounterfoilError: some files or lines could not be read; everything else was loaded.
    """
    from pipelines.loading import load, recogniser
    from pipelines.loading.dry import dry_run
    from pipelines.loading.sources.app_api import fetched

    if not exports and app_api_workspace is None:
        raise UsageError("Say what to load: folders or URLs, or --app-api with a workspace id.")
    if dry and app_api_workspace is not None:
        raise UsageError("A dry run asks nobody: leave out --app-api, or --dry-run.")
    with ExitStack() as stack:
        if app_api_workspace is not None:
            told = stack.enter_context(fetched(settings, app_api_workspace, console))
            exports = [*exports, *map(str, told)]
        if not exports:
            return
        if dry:
            recognise = recogniser(registries)
            dry_run(exports, settings, console, recognise=recognise, is_strict=is_strict)
            return
        summary = load(exports, settings, console, registries=registries, is_strict=is_strict)
    if summary.failure is not None:
        raise summary.failure


def build_warehouse(
    settings: Settings,
    console: Console,
    *,
    as_of: str | None = None,
    registries: Path | None = None,
    full_refresh: bool = False,
    select: str | None = None,
    with_unit_tests: bool = True,
) -> None:
    """Build every mart as of one instant and run every test."""
    from pipelines.warehouse import build, parse_as_of

    with hold(settings.home, "warehouse", "build"):
        summary = build(
            settings,
            console,
            as_of=parse_as_of(as_of),
            registries=registries,
            full_refresh=full_refresh,
            select=select,
            with_unit_tests=with_unit_tests,
        )
    for warning in summary.warnings:
        console.warn(f"Warning: {warning}")
    console.record(build=summary.facts())
    of_code = (
        "its unit tests passed before with this code"
        if with_unit_tests
        else "the unit tests of the code are left to `counterfoil build`"
    )
    console.line(
        f"Built {summary.models} models as of {summary.as_of:%Y-%m-%d %H:%M} UTC; "
        f"{summary.tests} tests passed"
        + ("" if summary.unit_tests or select else f"; {of_code}")
        + f" ({summary.seconds:.0f} s)."
    )
    if select:
        console.line("A part only: plan, page and checks are closed until the next whole build.")


def plan_heap(
    settings: Settings, console: Console, *, out: Path | None = None, markdown: bool = False
) -> None:
    """Write down what Heap would be told."""
    from pipelines.heap.planning import make_plan
    from pipelines.heap.summary import markdown as as_markdown

    quiet = Console(as_json=True)
    plan = make_plan(settings, quiet if markdown else console, out=out)
    if markdown:
        console.record(plan=plan.facts())
        console.lines(as_markdown(plan))


def publish_heap(
    settings: Settings,
    console: Console,
    *,
    plan_file: Path | None = None,
    max_minutes: float | None = None,
    limits: Limits | None = None,
    strict: bool = False,
) -> None:
    """Tell Heap: the given plan or a fresh one. `limits` are Heap's own unless raised.

    Raises:
        CounterfoilError: refused before the first send, or Heap refused rows (new dead letters).
    """
    from pipelines.heap.publish import publish

    summary = publish(settings, console, plan_file, max_minutes, limits=limits, strict=strict)
    if summary.has_new_dead_letters:
        raise CounterfoilError(
            f"Heap refused {summary.count_dead_letters:,} rows; everything else was sent. "
            "See `counterfoil deadletters list`."
        )


def retry_refused(settings: Settings, console: Console) -> None:
    """Say the rows Heap refused again, and nothing else.

    Raises:
        CounterfoilError: Heap refused some of them once more.
    """
    from pipelines.heap.deadletters import retry_dead_letters

    summary = retry_dead_letters(settings, console)
    if summary.has_new_dead_letters:
        raise CounterfoilError(f"Heap refused {summary.count_dead_letters:,} rows again.")


def write_review(settings: Settings, console: Console) -> None:
    """Write the weekly page and its JSON."""
    from pipelines.review.page import write_page

    page = write_page(settings)
    console.record(review=page.facts())
    console.lines(page.text())


def write_sample_brand(
    console: Console, *, out: Path, people: int | None, seed: int, effect: float | None
) -> None:
    """Write a sample export, its registries and, apart from them, its truth."""
    from pipelines.sample import DEFAULT_PEOPLE, write_sample

    write_sample(out, people=people or DEFAULT_PEOPLE, seed=seed, effect=effect, console=console)


def run_all(
    settings: Settings,
    console: Console,
    *,
    exports: list[str],
    as_of: str | None = None,
    registries: Path | None = None,
    publish: bool = False,
    max_minutes: float | None = None,
    limits: Limits | None = None,
    with_unit_tests: bool = True,
) -> None:
    """Load, build, plan, send if asked, review and check: the whole road.

    Without exports: the sample brand, as of its own end, in the state folder's `sample/`.
    Files and lines that could not be read do not stop the road; they are told at its end.
    """
    from pipelines.warehouse import parse_as_of

    parse_as_of(as_of)  # before anything is loaded
    if not exports:
        exports, as_of, registries = _sample_brand(settings, console, as_of, registries)
    quarantine: CounterfoilError | None = None
    try:
        load_exports(settings, console, exports, registries=registries)
    except CounterfoilError as error:
        if "load" not in console.result:
            raise
        quarantine = error
    build_warehouse(
        settings, console, as_of=as_of, registries=registries, with_unit_tests=with_unit_tests
    )
    if publish:
        publish_heap(settings, console, max_minutes=max_minutes, limits=limits)
    else:
        plan_heap(settings, console)
    write_review(settings, console)
    write_checklist(settings, console, strict=False)
    if quarantine is not None:
        raise quarantine


def write_checklist(
    settings: Settings, console: Console, *, journey: str | None = None, strict: bool = True
) -> None:
    """Measure the implementation checklist, or one journey's.

    Raises:
        CounterfoilError: a line fails and `strict` is set.
    """
    from pipelines.checklist import measure

    checklist = measure(settings, journey)
    console.record(checklist=checklist.facts())
    console.table(
        ("", "what must be true", "what was found"),
        checklist.table(),
        lines=checklist.text().split("\n"),
        title=checklist.title(),
    )
    if strict and checklist.count_failed:
        raise CounterfoilError(f"{checklist.count_failed} checklist lines fail; see above.")


def _sample_brand(
    settings: Settings, console: Console, as_of: str | None, registries: Path | None
) -> tuple[list[str], str, Path]:
    """The sample brand's export, its own end and its registries; written once per state folder."""
    from pipelines.sample import DEFAULT_PEOPLE, DEFAULT_SEED, SAMPLE_AS_OF, write_sample

    folder = settings.home / "sample"
    if not (folder / "truth" / "true_effects.json").is_file():
        with private(settings.home):
            write_sample(folder, people=DEFAULT_PEOPLE, seed=DEFAULT_SEED, console=console)
    return (
        [str(folder / "export")],
        as_of or SAMPLE_AS_OF.isoformat(sep=" "),
        registries or folder / "seeds",
    )

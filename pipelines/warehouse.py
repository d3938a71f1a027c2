"""The warehouse: `dbt build` in this process, with our profile and one instant."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import registries as registry_files
from pipelines.built import unit_tests
from pipelines.built.parse import FIXED, parse, take_registries
from pipelines.complaints import explain, explain_nodes, first_sentence
from pipelines.console import Console, silence
from pipelines.engines import engine_of
from pipelines.errors import CounterfoilError, UsageError
from pipelines.home import private
from pipelines.identity.lock import require_true_rehearsals
from pipelines.paths import plain_paths
from pipelines.quiet import DBT_FLAGS
from pipelines.selection import completed, existing_relations
from pipelines.settings import PROJECT_DIR, Settings

if TYPE_CHECKING:
    from pipelines.built.next_build import NextBuild
    from pipelines.engines import Engine

WRITES = {"build", "run", "seed", "retry"}
FINISHED = {"NodeFinished", "LogModelResult", "LogTestResult", "LogSeedResult"}


@dataclass(frozen=True)
class BuildSummary:
    """What one build did.

    Attributes:
        as_of: the instant it was judged at, UTC without zone.
        models, tests, seeds: nodes that passed.
        unit_tests: how many of the tests were unit tests; 0 where they were left out.
        warnings: messages of nodes that warned.
        seconds: wall time.
    """

    as_of: datetime
    models: int
    tests: int
    unit_tests: int
    seeds: int
    warnings: tuple[str, ...]
    seconds: float

    def facts(self) -> dict[str, object]:
        """What --json prints."""
        return dataclasses.asdict(self)


def current_hour() -> datetime:
    """The current UTC hour: the default instant of a build."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0, tzinfo=None)


YEARS = (1970, 2999)
"""Beyond them, windows and ends of time (year 9999) run into one another."""


def parse_as_of(text: str | None) -> datetime:
    """Read `--as-of`: ISO date or date and time, UTC unless it carries an offset.

    Raises:
        UsageError: the text is no instant, or one of no year that anything happened in.
    """
    if text is None:
        return current_hour()
    try:
        instant = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
        # a week of the ISO calendar is a date to Python, and a month to whoever reads it in haste
        if "W" in text or not YEARS[0] <= instant.year <= YEARS[1]:
            raise ValueError(instant.year)
    except ValueError as error:
        raise UsageError(
            "--as-of should be a date or a date and time in UTC, such as 2026-06-01T00:00:00, "
            f"from {YEARS[0]} to {YEARS[1]}."
        ) from error
    return instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant


def build(
    settings: Settings,
    console: Console,
    *,
    as_of: datetime | None = None,
    registries: Path | None = None,
    full_refresh: bool = False,
    select: str | None = None,
    with_unit_tests: bool = True,
) -> BuildSummary:
    """Build every model and run every test, or those that `select` names (dbt's own selection).

    It is made beside the last one and takes its place when every node has passed. Only a whole
    build is read by the other commands: after a part they refuse until the next whole one
    (`pipelines.built`).

    Args:
        as_of: rows with an event time at or after it are not seen; default the current UTC hour.
        registries: a folder whose registries replace ours.
        with_unit_tests: False leaves them to another build of the same code.

    Raises:
        UsageError: a registry or the selection cannot be read.
        CounterfoilError: broken data or definitions; the reason names the first of them.
    """
    if select is not None and not select.strip():
        raise UsageError("--select is empty: name a model, such as fct_lift, or leave it out.")
    instant = as_of or current_hour()
    seeds = registry_files.compose(settings, registries)
    require_true_rehearsals(settings, seeds)
    _ensure_raw(settings)
    _check_data_before(settings, instant)
    arguments = ["build", "--vars", f'{{"as_of": "{instant.isoformat(sep=" ")}"}}']
    if full_refresh:
        arguments.append("--full-refresh")
    if select:
        arguments += ["--select", *select.split()]
    started = datetime.now(UTC)
    with console.progress("Building") as advance:
        results = invoke(
            settings, seeds, arguments, on_node=advance, with_unit_tests=with_unit_tests
        )
    seconds = (datetime.now(UTC) - started).total_seconds()
    return _summarise(results, instant, seconds)


def invoke(
    settings: Settings,
    seeds: Path,
    arguments: list[str],
    on_node: Any = None,
    on_event: Any = None,
    project: Path = PROJECT_DIR,
    with_unit_tests: bool = True,
) -> list[Any]:
    """Run one dbt command in this process and return its node results.

    Args:
        on_node: called once for each node that has finished.
        on_event: called with each of dbt's events.
        project: the dbt project, ours unless said.
        with_unit_tests: False leaves them out of a whole build, as if they had passed before.

    Raises:
        CounterfoilError: dbt could not run, or a node failed.
    """
    from dbt.cli.main import dbtRunner
    from dbt_common.invocation import get_invocation_id

    complaints: list[str] = []

    def listen(event: Any) -> None:
        # what dbt writes of the project when it has built carries the build's id, not the parse's
        parsed.result.metadata.invocation_id = event.info.invocation_id
        if event.info.level == "error":
            complaints.append(event.info.msg)
        if on_node is not None and event.info.name in FINISHED:
            on_node()
        if on_event is not None:
            on_event(event)

    command, *options = arguments
    where = ["--project-dir", str(project), "--profiles-dir", str(project)]
    quiet = ["--quiet", "--log-level-file", "none", *DBT_FLAGS]
    variables = options[: options.index("--vars") + 2] if "--vars" in options else []
    is_part = command == "build" and "--select" in options
    engine = engine_of(settings, is_build=command in WRITES)
    there = _there(settings, engine) if is_part else None
    with ExitStack() as stack:
        stack.enter_context(private(settings.home))
        home = stack.enter_context(plain_paths())(settings.home)
        stack.enter_context(_environment(settings, engine, home, seeds, project))
        said = stack.enter_context(silence())
        stack.enter_context(_few_collections())
        with engine.running():
            parsed = _parse(settings, project, variables, quiet)
            code = (
                unit_tests.code_of(project, parsed.result, engine.packages)
                if command == "build"
                else ""
            )
            take_registries(parsed.result, seeds, project)
            gc.freeze()
            made = None
            if command in WRITES:
                anew = not is_part and ("--full-refresh" in options or not engine.keeps_relations)
                made = stack.enter_context(_beside(settings, engine, home, seeds, anew=anew))
            if there is not None:
                options = completed(options, parsed.result, where, there)
            if (code and options == variables) and (
                not with_unit_tests or unit_tests.passed_before(project, code)
            ):
                options = [*options, *unit_tests.LEFT_OUT]
                stack.enter_context(_set({unit_tests.APART: "apart"}))
            outcome = dbtRunner(manifest=parsed.result, callbacks=[listen]).invoke(
                [*quiet, "--write-json", command, *options, *where]
            )
            if made is not None and outcome.success:
                engine.hand_back(parsed.result, made.warehouse)
        written = made.warehouse if made is not None else settings.warehouse_path
        results = _results(settings, written, outcome, complaints, said.getvalue())
        if is_part and not results:
            raise UsageError("--select matches no model, seed or test: see `dbt ls --select`.")
        if command == "build":
            unit_tests.remember(project, code, parsed.result, results)
        if made is not None:
            made.take_place(settings.home / "target" / "manifest.json", get_invocation_id())
    return results


def _there(settings: Settings, engine: Engine) -> frozenset[tuple[str, str]] | None:
    """The relations that a part can be built on."""
    return existing_relations(settings) if engine.keeps_relations else frozenset()


def _parse(settings: Settings, project: Path, variables: list[str], quiet: list[str]) -> Any:
    """dbt's result of reading the project, with the manifest.

    Raises:
        CounterfoilError: it cannot be read.
    """
    import yaml

    with _set(FIXED):
        engine = os.environ["COUNTERFOIL_ENGINE"]
        given = yaml.safe_load(variables[-1]) if variables else {}
        parsed = parse(project, settings.home / "target", engine, given, quiet)
    if parsed.exception is not None:
        raise explain(settings, str(parsed.exception)) from parsed.exception
    return parsed


def _results(
    settings: Settings, written: Path, outcome: Any, complaints: list[str], said: str
) -> list[Any]:
    """What came of each node of a dbt command.

    Args:
        written: the database that it wrote or tested.

    Raises:
        CounterfoilError: dbt could not run, or a node failed.
    """
    if outcome.exception is not None:
        raise explain(settings, str(outcome.exception)) from outcome.exception
    results = list(getattr(outcome.result, "results", None) or [])
    failed = [r for r in results if str(r.status) in {"error", "fail", "runtime error"}]
    if failed and not hasattr(failed[0], "node"):  # a macro that was run by itself
        raise explain(settings, "\n".join(complaints))
    if failed:
        raise explain_nodes(settings, written, failed)
    if not outcome.success:
        raise CounterfoilError(f"dbt stopped: {first_sentence(said)}")
    return results


@contextlib.contextmanager
def _beside(
    settings: Settings, engine: Engine, home: Path, seeds: Path, *, anew: bool
) -> Iterator[NextBuild]:
    """A build beside the last one, which dbt then writes; `home` is the state folder's plain path.

    Raises:
        CounterfoilError: the last one is being written or no database, or there is no room.
    """
    import duckdb

    from pipelines.built.next_build import next_build

    with ExitStack() as stack:
        try:
            made = stack.enter_context(next_build(settings, anew=anew))
        except (OSError, duckdb.Error) as error:
            raise explain(settings, str(error)) from error
        plain = home / made.warehouse.relative_to(settings.home)
        stack.enter_context(_set({"COUNTERFOIL_WAREHOUSE": str(plain)}))
        engine.hand_over(plain.parent, seeds)
        yield made


@contextlib.contextmanager
def _environment(
    settings: Settings, engine: Engine, home: Path, seeds: Path, project: Path
) -> Iterator[None]:
    """What profiles.yml and dbt_project.yml read, set for one dbt run and put back after it.

    Args:
        home: the state folder by a plain path: dbt-duckdb reads the path of a database as a URL.
    """
    wanted = engine.environment() | {
        "COUNTERFOIL_HOME": str(home),
        "COUNTERFOIL_SEEDS": os.path.relpath(seeds, project),
        "COUNTERFOIL_THREADS": str(settings.threads),
        "COUNTERFOIL_MEMORY_LIMIT": settings.memory_limit,
        unit_tests.APART: "",
        "DBT_TARGET_PATH": str(home / "target"),
        "DBT_LOG_PATH": str(home / "logs"),
        "DO_NOT_TRACK": "1",
    }
    path_before = list(sys.path)
    if str(project) not in sys.path:
        sys.path.insert(0, str(project))
    try:
        with _set(wanted):
            yield
    finally:
        sys.path[:] = path_before


@contextlib.contextmanager
def _set(wanted: Mapping[str, str]) -> Iterator[None]:
    """Variables of the environment for a block, and what they were before after it."""
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _few_collections() -> Iterator[None]:
    """Look for garbage seldom: dbt holds a large project to the end, and makes little of it."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _ensure_raw(settings: Settings) -> None:
    from pipelines.loading import ensure_raw

    ensure_raw(settings)


def _check_data_before(settings: Settings, instant: datetime) -> None:
    """Refuse an instant that lies before everything that was loaded: nothing would be seen."""
    import duckdb

    connection = duckdb.connect(str(settings.raw_path), read_only=True)
    try:
        (earliest,) = connection.execute(
            """
            select least(
                (select min(created_at) from customerio.deliveries),
                (select min(started_campaign_at) from customerio.subjects),
                (select min(updated_at) from customerio.people),
                (select min(occurred_at) from behavior.events)
            )
            """
        ).fetchall()[0]
    finally:
        connection.close()
    if earliest is not None and instant <= earliest:
        raise UsageError(
            f"--as-of {instant:%Y-%m-%d %H:%M} lies before the first loaded row "
            f"({earliest:%Y-%m-%d %H:%M}): nothing would be seen. Choose a later instant."
        )


def _summarise(results: list[Any], instant: datetime, seconds: float) -> BuildSummary:
    kinds = [str(result.node.resource_type) for result in results]
    warned = [r for r in results if str(r.status) == "warn"]
    return BuildSummary(
        as_of=instant,
        models=kinds.count("model"),
        tests=kinds.count("test") + kinds.count("unit_test"),
        unit_tests=kinds.count("unit_test"),
        seeds=kinds.count("seed"),
        warnings=tuple(f"{r.node.name}: {r.message}" for r in warned),
        seconds=seconds,
    )

"""One sample, start to end: draw it in a scratch database, write the files, forget the scratch."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.paths import can_hold_database, plain_paths
from pipelines.sample.behavior import make_behavior
from pipelines.sample.brand import (
    BATCHES,
    DEFAULT_EFFECT,
    DEFAULT_PEOPLE,
    DEFAULT_SEED,
)
from pipelines.sample.carts import make_carts
from pipelines.sample.draws import define_draws
from pipelines.sample.files import Written, write_export
from pipelines.sample.heap import make_heap
from pipelines.sample.journeys import make_journeys
from pipelines.sample.orders import make_orders
from pipelines.sample.people import make_people
from pipelines.sample.reactions import make_reactions
from pipelines.sample.registries import write_registries
from pipelines.sample.truth import write_truth

FOLDERS = ("export", "seeds", "truth")
MOST_PEOPLE = 100_000_000


@dataclass(frozen=True)
class SampleSummary:
    """What was written."""

    out: Path
    people: int
    seed: int
    effect: float
    count_files: int
    count_rows: int
    true_effects: dict[str, Any]


def write_sample(
    out: Path,
    *,
    people: int = DEFAULT_PEOPLE,
    seed: int = DEFAULT_SEED,
    effect: float | None = None,
    console: Console,
    threads: int = 2,
    memory_limit: str = "4GB",
) -> SampleSummary:
    """Write OUT/export, OUT/seeds and OUT/truth.

    Args:
        out: a folder that is empty, missing, or an earlier sample (which is replaced).
        people: persons of the brand, 1 to `MOST_PEOPLE`.
        seed: the same seed and size give the same files.
        effect: absolute effect of the cart e-mail on those it reaches, -1 to 1; default 0.08.
        console: where to say what was done.
        threads: of the generator; they do not change what it writes.
        memory_limit: of the generator, in DuckDB's words.

    Raises:
        UsageError: a size below 1 or above the most, an effect beyond -1 to 1, or a folder that
            holds something else.
    """
    planted = DEFAULT_EFFECT if effect is None else effect
    if not 1 <= people <= MOST_PEOPLE:
        raise UsageError(
            f"A sample has at least one person and at most {MOST_PEOPLE:,}, not {people}: give "
            "--people another number."
        )
    if not -1 <= planted <= 1:
        raise UsageError(
            f"An effect is a difference of rates: give --effect from -1 to 1, not {planted}."
        )
    if not can_hold_database(out):
        raise UsageError(
            "The folder's path holds a question mark or a backslash, and the sample is made in a"
            " DuckDB database there: choose another folder."
        )
    _check_folder(out)
    try:
        # beside the target: the scratch is as large as the sample, and /tmp may be memory
        with (
            tempfile.TemporaryDirectory(prefix=".scratch-", dir=out) as scratch,
            plain_paths() as plain,
        ):
            folder = plain(Path(scratch))
            work = duckdb.connect(str(folder / "scratch.duckdb"))
            try:
                work.execute(
                    f"set threads = {int(threads)}; set memory_limit = '{memory_limit}'; "
                    "set timezone = 'UTC';"
                )
                written, effects = _draw_and_write(
                    work, folder, people=people, seed=seed, effect=planted, console=console
                )
            finally:
                work.close()
            # only now: an earlier sample stands until this one is whole
            for name in FOLDERS:
                shutil.rmtree(out / name, ignore_errors=True)
                (Path(scratch) / name).rename(out / name)
    except duckdb.OutOfMemoryException as error:
        raise CounterfoilError(
            f"A sample of {people:,} people needs more than {memory_limit}: "
            "raise COUNTERFOIL_MEMORY_LIMIT or ask for fewer."
        ) from error
    except (OSError, duckdb.IOException) as error:
        raise CounterfoilError(
            f"{out} cannot be written ({error}): free some space or choose another folder."
        ) from error
    console.line(
        f"sample: {people:,} people, {written.count_rows:,} rows in {written.count_files} files "
        f"under {out / 'export'}; registries in seeds/, the truth in truth/"
    )
    console.record(
        sample=str(out),
        people=people,
        seed=seed,
        effect=planted,
        count_files=written.count_files,
        count_rows=written.count_rows,
    )
    return SampleSummary(
        out, people, seed, planted, written.count_files, written.count_rows, effects
    )


def _draw_and_write(
    work: duckdb.DuckDBPyConnection,
    out: Path,
    *,
    people: int,
    seed: int,
    effect: float,
    console: Console,
) -> tuple[Written, dict[str, Any]]:
    stages: tuple[Callable[[], None], ...] = (
        lambda: define_draws(work, seed),
        lambda: make_people(work, people),
        lambda: make_carts(work, effect),
        lambda: make_orders(work),
        lambda: make_behavior(work),
        lambda: make_journeys(work),
        lambda: make_reactions(work),
        lambda: make_heap(work),
    )
    with console.progress("sample", total=len(stages) + BATCHES + 2) as advance:
        for stage in stages:
            stage()
            advance()
        written = Written(0, 0)
        for so_far in write_export(work, out / "export"):
            written = so_far
            advance()
        write_registries(out / "seeds")
        effects = write_truth(work, out / "truth", people=people, seed=seed, effect=effect)
        advance()
    return written, effects


def _check_folder(out: Path) -> None:
    """Make `out` if it is missing; refuse it if it holds anything but an earlier sample."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        held = {path.name for path in out.iterdir()}
    except OSError as error:
        raise CounterfoilError(
            f"{out} cannot be used ({error.strerror}): choose a folder that you may write to."
        ) from error
    if held and (not (out / "truth" / "ledger.json").is_file() or held - set(FOLDERS)):
        raise UsageError(f"{out} holds something that is no sample: choose an empty folder.")

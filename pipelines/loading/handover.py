"""The one place that knows how dlt takes a SELECT.

dlt's `model` job runs `INSERT ... SELECT` inside the destination, so rows go from the reader to
the table without passing through Python. Handing such a job over as a file is a semi-internal road
of dlt 1.31; where a dlt lacks it, the same SELECT streams through Arrow instead (about half the
speed, same rows). Where rows lie in files, DuckDB writes them as Parquet, and dlt's filesystem
destination lays them out by table and load.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pipelines.built.quoting import literal, quoted
from pipelines.loading import rawfiles
from pipelines.loading.families import DDL, Kind
from pipelines.loading.raw import ATTACH_INCOMING, ELSEWHERE, Connection
from pipelines.paths import Plain, plain_paths
from pipelines.quiet import private_context, quiet_dlt

if TYPE_CHECKING:
    from dlt.common.runtime.collector import Collector
    from dlt.extract.resource import DltResource

Road = Literal["model", "arrow"]

ARROW_ROWS = 100_000
_DLT_TYPES: dict[Kind, dict[str, Any]] = {
    "bigint": {"data_type": "bigint"},
    "text": {"data_type": "text"},
    "word": {"data_type": "text"},
    "id": {"data_type": "text"},
    "json": {"data_type": "text"},
    "bool": {"data_type": "bool"},
    "decimal": {"data_type": "decimal", "precision": 18, "scale": 2},
    "timestamp": {"data_type": "timestamp", "timezone": False, "precision": 6},
    "event_time": {"data_type": "timestamp", "timezone": False, "precision": 6},
}


@dataclass(frozen=True)
class Handed:
    """Rows for one table: the SELECT that yields `columns`, in that order."""

    table: str
    columns: dict[str, Kind]
    select: str
    rows: int


def available_road() -> Road:
    """The model road where this dlt has it, else Arrow. Asked only after `quiet_dlt`."""
    try:
        import dlt
        from dlt.common.destination.client import SqlModel  # noqa: F401

        formats = dlt.destinations.duckdb().capabilities().supported_loader_file_formats
        return "model" if "model" in formats and hasattr(dlt.mark, "with_file_import") else "arrow"
    except (ImportError, AttributeError):
        return "arrow"


def hand_over(
    connection: Connection,
    folder: Path,
    dataset: str,
    handed: Sequence[Handed],
    *,
    advance: Callable[[int], None],
    road: Road | None = None,
) -> None:
    """Load `handed` into `dataset` as one dlt package, through `connection`.

    Args:
        connection: open on the destination; rows are read and written through it.
        folder: dlt's working folder, scratch: nothing in it outlives the package.
        dataset: the schema to load into.
        handed: what to load; several may share a table.
        advance: told the rows of each job as it completes.
        road: overrides the choice of road.

    Raises:
        Exception: whatever dlt raises; the package is then void (see `raw.forget_unfinished`).
    """
    with _formattable(folder) as working:
        _hand_over(connection, working / dataset, dataset, handed, advance, road)


@contextmanager
def _formattable(folder: Path) -> Iterator[Path]:
    """This folder, or one of the system where dlt would take a % in its path as its own."""
    if "%" not in str(folder.resolve()):
        yield folder
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=ELSEWHERE) as plain:
        link = folder / Path(plain).name
        link.symlink_to(plain)  # by which `raw.opened` finds the rows of a load that was killed
        yield Path(plain)
        link.unlink()


def _hand_over(
    connection: Connection,
    working: Path,
    dataset: str,
    handed: Sequence[Handed],
    advance: Callable[[int], None],
    road: Road | None,
) -> None:
    import dlt
    from dlt.common.runtime.run_context import switched_run_context

    quiet_dlt(working)  # before anything of dlt is used
    road = road or available_road()
    shutil.rmtree(working, ignore_errors=True)
    models = working / "models"
    models.mkdir(parents=True)
    connection.execute(ATTACH_INCOMING)
    with switched_run_context(private_context(working)):
        pipeline = dlt.pipeline(
            pipeline_name=f"counterfoil_{dataset}",
            destination=dlt.destinations.duckdb(connection),
            dataset_name=dataset,
            pipelines_dir=str(working / "pipelines"),
            progress=_rows_of_jobs([part.rows for part in handed], advance),
        )
        tables: dict[str, list[tuple[int, Handed]]] = {}
        for number, part in enumerate(handed):
            tables.setdefault(part.table, []).append((number, part))
            if road == "model":
                # a view of this process only: dlt then parses names, not our expressions
                connection.execute(
                    f"create or replace view incoming.main.handed_{number} as {part.select}"
                )
        resources = [
            _resource(
                table,
                [part for _, part in parts],
                _by_arrow(connection, parts) if road == "arrow" else _by_model(models, parts),
            )
            for table, parts in tables.items()
        ]
        pipeline.run(resources, schema=dlt.Schema(dataset))
    shutil.rmtree(working, ignore_errors=True)


def hand_over_files(
    connection: Connection,
    folder: Path,
    dataset: str,
    handed: Sequence[Handed],
    *,
    home: Path,
    advance: Callable[[int], None],
) -> str:
    """Write `handed` as Parquet files of one dlt package, and return the package's id.

    Args:
        connection: rows are read through it.
        folder: dlt's working folder, scratch: nothing in it outlives the package.
        dataset: the folder below `rawfiles.FOLDER` to write into.
        handed: what to write; each becomes a file.
        home: the state folder.
        advance: told the rows of each file as it is written.

    Raises:
        Exception: whatever dlt raises; what it wrote is on no list (see `rawfiles`).
    """
    with _formattable(folder) as working, plain_paths(working) as plain:
        return _hand_over_files(
            connection, working / dataset, dataset, handed, plain, home, advance
        )


def _hand_over_files(
    connection: Connection,
    working: Path,
    dataset: str,
    handed: Sequence[Handed],
    plain: Plain,
    home: Path,
    advance: Callable[[int], None],
) -> str:
    import dlt
    from dlt.common.runtime.run_context import switched_run_context

    quiet_dlt(working)  # before anything of dlt is used
    shutil.rmtree(working, ignore_errors=True)
    files = working / "files"
    files.mkdir(parents=True)
    bucket = working / "bucket"

    def written(parts: list[Handed]) -> Iterator[Any]:
        for part in parts:
            target = plain(files) / f"{part.table}_{next(numbers)}.parquet"
            shown = ", ".join(
                f"cast({quoted(name)} as {DDL[kind]}) as {quoted(name)}"
                for name, kind in part.columns.items()
            )
            connection.cursor().execute(
                f"copy (select {shown} from ({part.select})) to {literal(str(target))}"
                " (format parquet)"
            )
            advance(part.rows)
            yield dlt.mark.with_file_import(str(target), "parquet", part.rows)

    numbers = count()
    tables: dict[str, list[Handed]] = {}
    for part in handed:
        tables.setdefault(part.table, []).append(part)
    with switched_run_context(private_context(working)):
        pipeline = dlt.pipeline(
            pipeline_name=f"counterfoil_{dataset}",
            destination=dlt.destinations.filesystem(
                bucket_url=str(plain(bucket)), layout=rawfiles.LAYOUT
            ),
            dataset_name=dataset,
            pipelines_dir=str(working / "pipelines"),
        )
        resources = [_resource(table, parts, written(parts)) for table, parts in tables.items()]
        done = pipeline.run(resources, schema=dlt.Schema(dataset))
    load_id = str(done.loads_ids[0])
    # only what is whole comes to where rows lie, and nothing that dlt notes beside it
    rawfiles.bring(bucket / dataset, home, dataset, load_id)
    shutil.rmtree(working, ignore_errors=True)
    return load_id


def _resource(table: str, parts: list[Handed], items: Iterator[Any]) -> DltResource:
    import dlt

    columns = {name: kind for part in parts for name, kind in part.columns.items()}
    return dlt.resource(
        items,
        name=table,
        write_disposition="append",
        columns={name: {**_DLT_TYPES[kind], "nullable": True} for name, kind in columns.items()},
    )


def _by_model(folder: Path, parts: list[tuple[int, Handed]]) -> Iterator[Any]:
    import dlt

    for number, part in parts:
        names = ", ".join(quoted(name) for name in part.columns)
        model = folder / f"handed_{number}.model"
        model.write_text(
            f"dialect: duckdb\nSELECT {names} FROM incoming.main.handed_{number}\n",
            encoding="utf-8",
        )
        yield dlt.mark.with_file_import(str(model), "model", part.rows)


def _by_arrow(connection: Connection, parts: list[tuple[int, Handed]]) -> Iterator[Any]:
    import pyarrow as pa

    for _, part in parts:
        batches = connection.cursor().sql(part.select).to_arrow_reader(ARROW_ROWS)
        for batch in batches:
            yield pa.Table.from_batches([batch])
        # an empty file is a file too: the table is declared by it
        yield batches.schema.empty_table()


def _rows_of_jobs(rows: list[int], advance: Callable[[int], None]) -> Collector:
    """Progress. dlt counts jobs, people count rows: the mean job stands for each."""
    from dlt.common.runtime.collector import Collector

    class Rows(Collector):  # type: ignore[misc,unused-ignore]
        done = 0

        def update(self, name: str, inc: int = 1, *_: object, **__: object) -> None:
            if name == "Jobs" and self.step.startswith("Load"):
                before, self.done = self.done, min(self.done + inc, len(rows))
                advance(sum(rows) * self.done // len(rows) - sum(rows) * before // len(rows))

        def _start(self, step: str) -> None:
            pass

        def _stop(self) -> None:
            pass

    return Rows()

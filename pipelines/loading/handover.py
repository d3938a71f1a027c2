"""The one place that knows how dlt takes a SELECT.

dlt's `model` job runs `INSERT ... SELECT` inside the destination, so rows go from the reader to
the table without passing through Python. Handing such a job over as a file is a semi-internal road
of dlt 1.31; where a dlt lacks it, the same SELECT streams through Arrow instead (about half the
speed, same rows).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipelines.loading.casts import quote
from pipelines.loading.families import Kind
from pipelines.loading.raw import Connection

Road = Literal["model", "arrow"]

ARROW_ROWS = 100_000
_DLT_TYPES: dict[Kind, dict[str, Any]] = {
    "bigint": {"data_type": "bigint"},
    "text": {"data_type": "text"},
    "json": {"data_type": "text"},
    "bool": {"data_type": "bool"},
    "decimal": {"data_type": "decimal", "precision": 18, "scale": 2},
    "timestamp": {"data_type": "timestamp", "timezone": False, "precision": 6},
}


@dataclass(frozen=True)
class Handed:
    """Rows for one table: the SELECT that yields `columns`, in that order."""

    table: str
    columns: dict[str, Kind]
    select: str
    rows: int


def available_road() -> Road:
    """The model road where this dlt has it, else Arrow."""
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
    import dlt
    from dlt.common.runtime.run_context import switched_run_context

    road = road or available_road()
    working = folder / dataset
    shutil.rmtree(working, ignore_errors=True)
    models = working / "models"
    models.mkdir(parents=True)
    connection.execute("attach if not exists ':memory:' as incoming")
    with switched_run_context(_private_context(working)):
        pipeline = dlt.pipeline(
            pipeline_name=f"counterfoil_{dataset}",
            destination=dlt.destinations.duckdb(connection),
            dataset_name=dataset,
            pipelines_dir=str(working / "pipelines"),
            progress=_collector(list(handed), advance),
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
            _resource(dlt, connection, table, parts, models, road)
            for table, parts in tables.items()
        ]
        pipeline.run(resources, schema=dlt.Schema(dataset))
    shutil.rmtree(working, ignore_errors=True)


def _resource(
    dlt: Any,
    connection: Connection,
    table: str,
    parts: list[tuple[int, Handed]],
    models: Path,
    road: Road,
) -> Any:
    columns = {name: kind for _, part in parts for name, kind in part.columns.items()}

    def by_model() -> Iterator[Any]:
        for number, part in parts:
            names = ", ".join(quote(name) for name in part.columns)
            model = models / f"handed_{number}.model"
            model.write_text(
                f"dialect: duckdb\nSELECT {names} FROM incoming.main.handed_{number}\n",
                encoding="utf-8",
            )
            yield dlt.mark.with_file_import(str(model), "model", part.rows)

    def by_arrow() -> Iterator[Any]:
        import pyarrow as pa

        for _, part in parts:
            batches = connection.cursor().sql(part.select).to_arrow_reader(ARROW_ROWS)
            empty = True
            for batch in batches:
                empty = False
                yield pa.Table.from_batches([batch])
            if empty:
                yield batches.schema.empty_table()

    return dlt.resource(
        by_model if road == "model" else by_arrow,
        name=table,
        write_disposition="append",
        columns={name: {**_DLT_TYPES[kind], "nullable": True} for name, kind in columns.items()},
    )


def _private_context(folder: Path) -> Any:
    """A dlt that reads no file, no environment and no home folder, sends nothing, and is silent."""
    from dlt.common.configuration.providers import DictionaryProvider
    from dlt.common.runtime.run_context import RunContext

    class PrivateContext(RunContext):
        @property
        def global_dir(self) -> str:
            return str(folder)

        data_dir = local_dir = run_dir = global_dir

        @property
        def settings_dir(self) -> str:
            return str(folder / "settings")

        def initial_providers(self) -> list[Any]:
            provider = DictionaryProvider()
            for key, value in {
                "runtime.log_level": "CRITICAL",
                "runtime.dlthub_telemetry": False,
                # parallel INSERTs cost memory and gain nothing in one DuckDB file
                "load.workers": 1,
                "load.raise_on_max_retries": 1,
                "normalize.workers": 1,
                "normalize.parquet_normalizer.add_dlt_load_id": True,
                "normalize.model_normalizer.add_dlt_load_id": True,
                "restore_from_destination": False,
            }.items():
                *sections, name = key.split(".")
                provider.set_value(name, value, None, *sections)
            return [provider]

    return PrivateContext(str(folder))


def _collector(handed: list[Handed], advance: Callable[[int], None]) -> Any:
    """dlt counts jobs, people count rows: the mean job stands for each."""
    from dlt.common.runtime.collector import Collector

    total = sum(part.rows for part in handed)

    class Rows(Collector):
        def __init__(self) -> None:
            super().__init__()
            self.done = 0

        def update(
            self,
            name: str,
            inc: int = 1,
            total: int | None = None,
            inc_total: int | None = None,
            message: str | None = None,
            label: str | None = None,
        ) -> None:
            if name == "Jobs" and inc and self.step.startswith("Load"):
                before, self.done = self.done, min(self.done + inc, len(handed))
                advance(self._rows(self.done) - self._rows(before))

        def _rows(self, jobs: int) -> int:
            return total * jobs // max(len(handed), 1)

        def _start(self, step: str) -> None:
            pass

        def _stop(self) -> None:
            pass

    return Rows()

"""The export folder: many Parquet files over time, with everything that goes wrong in real ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.sample.brand import BATCHES, BRAND_WORKSPACE, SISTER_WORKSPACE
from pipelines.sample.files.behavior import write_behavior
from pipelines.sample.files.export import Export
from pipelines.sample.files.heap import write_heap
from pipelines.sample.files.journeys import write_journeys
from pipelines.sample.files.names import write_names
from pipelines.sample.files.oddities import write_oddities
from pipelines.sample.files.people import prepare, write_people


@dataclass(frozen=True)
class Written:
    """What the export folder holds."""

    count_files: int
    count_rows: int


def write_export(work: duckdb.DuckDBPyConnection, folder: Path) -> Iterator[Written]:
    """Write every file, yielding after each batch what has been written so far."""
    prepare(work)
    export = Export(work, folder)
    for batch in range(1, BATCHES + 1):
        for workspace_id in (BRAND_WORKSPACE, SISTER_WORKSPACE):
            write_people(export, workspace_id, batch)
            write_journeys(export, workspace_id, batch)
        write_names(export, batch)
        write_behavior(export, batch)
        yield Written(export.count_files, export.count_rows)
    write_oddities(export)
    write_heap(export)
    yield Written(export.count_files, export.count_rows)

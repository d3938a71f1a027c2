"""JSON lines: an object a line, its keys in any order, read once ahead like other text."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.built.quoting import literal
from pipelines.loading.batches import (
    Batch,
    Reading,
    path_list,
    place,
    raw_columns,
    spoilers,
    what_is_missing,
)
from pipelines.loading.casts import JSON
from pipelines.loading.families import Constants
from pipelines.loading.files import Found
from pipelines.loading.raw import Connection
from pipelines.loading.readers.broken import line_reason, read_ahead
from pipelines.loading.readers.lines import LONGEST_LINE, is_gzip


def prepare(connection: Connection, files: Sequence[Found], reading: Reading) -> None:
    """Sort new files into the batches of `reading`, or say why they cannot be read."""
    keys: dict[str, list[str]] = {}

    def source(some: Sequence[Found]) -> str:
        zipped = is_gzip(some[0])
        return (
            f"read_json_objects({path_list(some)}, format = 'newline_delimited',"
            f" compression = '{'gzip' if zipped else 'none'}',"
            f" maximum_object_size = {LONGEST_LINE}, hive_partitioning = false,"
            " filename = 'filename')"
        )

    def read_keys(some: Sequence[Found]) -> None:
        keys.update(
            connection.execute(
                "select filename, list_sort(list_distinct(flatten(list(distinct"
                " case when json_type(json) = 'OBJECT' then json_keys(json)"
                " else error('a line is not an object') end))))"
                f" from {source(some)} group by filename"
            ).fetchall()
        )

    for zipped in (False, True):
        some = [found for found in files if is_gzip(found) == zipped]
        spoiled = dict(spoilers(some, read_keys))
        groups: dict[tuple[str, tuple[str, ...], Constants], list[Found]] = {}
        for found in some:
            family = found.kind.family
            names = keys.get(str(found.path), [])
            # a file of no lines has no names to lack
            lacking = what_is_missing(family, names) if names else None
            if found in spoiled:
                reading.rejected.append((found, line_reason(found, family)))
            elif lacking:
                reading.rejected.append((found, lacking))
            else:
                groups.setdefault((family.name, tuple(names), found.kind.constants), []).append(
                    found
                )
        for (_, names_, constants), group in groups.items():
            family = group[0].kind.family
            present = [(name, _json_field(name), JSON) for name in names_]
            batch = Batch(
                family=family,
                files=tuple(group),
                columns=raw_columns(family, present, dict(constants)),
                source=source,
                file_column="filename",
                line=place,
            )
            read_ahead(connection, batch, reading)


def _json_field(name: str) -> str:
    pointer = literal("/" + name.replace("~", "~0").replace("/", "~1"))
    return f"json_extract(json, {pointer})"

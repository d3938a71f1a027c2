"""Rows of the built warehouse, read-only, as dictionaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines import built
from pipelines.errors import CounterfoilError
from pipelines.settings import Settings


def ask(
    settings: Settings, query: str, parameters: Mapping[str, object] | None = None
) -> list[dict[str, Any]]:
    """Run one query against what was built.

    Raises:
        CounterfoilError: nothing was built yet or not whole, or the warehouse is in use.
    """
    import duckdb

    if not settings.warehouse_path.is_file():
        raise CounterfoilError("Nothing is built yet: run `counterfoil build` first.")
    try:
        with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
            built.require_whole(connection)
            result = connection.execute(query, parameters or {})
            names = [column[0] for column in result.description]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    except duckdb.CatalogException as error:
        raise CounterfoilError(
            "The warehouse was built without identity: run `counterfoil build` first."
        ) from error
    except duckdb.IOException as error:
        raise CounterfoilError(
            "The warehouse is open in another program: close it, or wait until it has finished."
        ) from error

"""The one way to know that a build is whole: dbt marks it in the warehouse, and every reader asks.

The mark goes before the first model of any build is touched, and comes back as a whole build's
last statement (macros/house/whole_build.sql). A part leaves relations of several instants and no
mark. Our builds are made beside the last one (`next_build`), so that one that fails or is killed
leaves that one as it was; plain `dbt build` writes into the warehouse itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelines.errors import CounterfoilError
from pipelines.opening import is_damage

if TYPE_CHECKING:
    import duckdb

TABLE = "whole_build"

NOT_WHOLE = (
    "The last build did not finish, or built only a part (--select): run `counterfoil build`; only "
    "a whole build is read."
)

NOT_SAME = "warehouse.duckdb and manifest.json are not of the same build: run `counterfoil build`."


@dataclass(frozen=True)
class WholeBuild:
    """What the mark says.

    Attributes:
        as_of: the instant of every relation in the warehouse, UTC without zone.
        build_id: dbt's name for the invocation; `manifest.json` of the same build carries it too.
        code: a hash of models, macros, contracts, declarations and vars.
        inputs: a hash of the registries and of every loaded file.
    """

    as_of: datetime
    build_id: str
    code: str
    inputs: str


def find_whole(db: duckdb.DuckDBPyConnection, catalog: str | None = None) -> WholeBuild | None:
    """The mark of the warehouse in `catalog` (default: the connection's own), or None."""
    import duckdb

    found = db.execute(
        "select table_catalog, table_schema from information_schema.tables "
        "where table_name = $1 and table_schema = 'main' "
        "and table_catalog = coalesce($2, current_database())",
        [TABLE, catalog],
    ).fetchall()
    if not found:
        return None
    try:
        rows = db.execute(
            f"select cast(as_of as timestamp), build_id, code, inputs from "
            f'"{found[0][0]}"."{found[0][1]}".{TABLE}'
        ).fetchall()
    except duckdb.Error as error:
        if is_damage(error):
            raise
        return None  # a table of that name which no build of ours made
    if len(rows) != 1 or None in rows[0]:
        return None
    as_of, *names = rows[0]
    return WholeBuild(as_of, *map(str, names))


def require_whole(db: duckdb.DuckDBPyConnection, catalog: str | None = None) -> WholeBuild:
    """The mark of a warehouse that may be read.

    Raises:
        CounterfoilError: the last build failed, was stopped, or built a part only.
    """
    whole = find_whole(db, catalog)
    if whole is None:
        raise CounterfoilError(NOT_WHOLE)
    return whole


def is_same(whole: WholeBuild, manifest: Mapping[str, Any]) -> bool:
    """Whether dbt's manifest describes this very build."""
    metadata = manifest.get("metadata")
    said = metadata.get("invocation_id") if isinstance(metadata, Mapping) else None
    return said == whole.build_id

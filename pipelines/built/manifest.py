"""What dbt wrote about the build that the warehouse holds: `manifest.json` beside it."""

from __future__ import annotations

import json
from typing import Any

from pipelines.built.next_build import manifests
from pipelines.built.tables import Tables
from pipelines.built.whole import NOT_SAME, is_same
from pipelines.errors import CounterfoilError
from pipelines.settings import Settings


def read_manifest(settings: Settings, tables: Tables) -> dict[str, Any]:
    """dbt's manifest of the very build that `tables` holds; empty when it is not there.

    Raises:
        CounterfoilError: it is there and cannot be read, or is another build's.
    """
    is_there = False
    for path in manifests(settings):
        try:
            said: dict[str, Any] = json.loads(path.read_bytes())
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise CounterfoilError(
                "manifest.json cannot be read: run `counterfoil build` again."
            ) from error
        is_there = True
        if isinstance(said, dict) and is_same(tables.whole, said):
            return said
    if is_there:
        raise CounterfoilError(NOT_SAME)
    return {}


def require_manifest(settings: Settings, tables: Tables) -> dict[str, Any]:
    """The same for a reader that cannot do without it.

    Raises:
        CounterfoilError: it is not there, cannot be read, or is another build's.
    """
    manifest = read_manifest(settings, tables)
    if not manifest:
        raise CounterfoilError(
            "Nothing was built yet (manifest.json is missing): run `counterfoil build` first."
        )
    return manifest

"""What dbt wrote about the build that the warehouse holds: `manifest.json` beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pipelines.built.tables import Tables
from pipelines.built.whole import require_same
from pipelines.errors import CounterfoilError
from pipelines.settings import Settings


def read_manifest(settings: Settings, tables: Tables) -> dict[str, Any]:
    """dbt's manifest of the very build that `tables` holds; empty when it is not there.

    Raises:
        CounterfoilError: it is there and cannot be read, or is another build's.
    """
    try:
        found = json.loads((settings.home / "manifest.json").read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CounterfoilError(
            "manifest.json cannot be read: run `counterfoil build` again."
        ) from error
    manifest: dict[str, Any] = found if isinstance(found, dict) else {}
    require_same(tables.whole, manifest)
    return manifest


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


def definitions_hash(manifest: Mapping[str, Any]) -> str | None:
    """One hash over every model's, seed's and test's own checksum: the same SQL, the same hash."""
    nodes = manifest.get("nodes") or {}
    sums = sorted(
        (str(name), str((node.get("checksum") or {}).get("checksum", "")))
        for name, node in nodes.items()
        if node.get("resource_type") in {"model", "seed"}
    )
    if not sums:
        return None
    return hashlib.sha256(json.dumps(sums).encode()).hexdigest()[:12]

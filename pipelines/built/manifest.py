"""What dbt wrote about the build that the warehouse holds: `manifest.json` beside it."""

from __future__ import annotations

import json
from typing import Any

from pipelines.built.next_build import manifests
from pipelines.built.whole import NOT_SAME, WholeBuild, is_same
from pipelines.errors import CounterfoilError
from pipelines.settings import Settings


def find_manifest(settings: Settings, whole: WholeBuild) -> dict[str, Any]:
    """dbt's manifest of this very build; empty when there is none.

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
        if isinstance(said, dict) and is_same(whole, said):
            return said
    if is_there:
        raise CounterfoilError(NOT_SAME)
    return {}


def require_manifest(settings: Settings, whole: WholeBuild) -> dict[str, Any]:
    """The same for a reader that cannot do without it.

    Raises:
        CounterfoilError: it is not there, cannot be read, or is another build's.
    """
    manifest = find_manifest(settings, whole)
    if not manifest:
        raise CounterfoilError(
            "Nothing was built yet (manifest.json is missing): run `counterfoil build` first."
        )
    return manifest

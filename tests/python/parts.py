"""Builds of a part of our project, without what another build of the same tests has run."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from pipelines.console import Console
from pipelines.settings import Settings
from pipelines.warehouse import build


def build_part(
    settings: Settings,
    as_of: datetime,
    select: str,
    *,
    registries: Path | None = None,
    is_tested: bool = True,
    full_refresh: bool = False,
) -> None:
    """What `select` names, and what it stands on.

    No unit tests: they do not see these rows. A build whose rows another one holds, or comes to,
    may do without data tests too.
    """
    left_out = "unit_test" if is_tested else "unit_test test"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBT_INDIRECT_SELECTION", "buildable")
        patch.setenv("DBT_EXCLUDE_RESOURCE_TYPES", left_out)
        build(
            settings,
            Console(as_json=True),
            as_of=as_of,
            registries=registries,
            select=select,
            full_refresh=full_refresh,
        )

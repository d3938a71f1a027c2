"""The one way to read what dbt built: whole or not at all, by name, read-only.

`whole` knows the mark of a whole build, `tables` opens the warehouse. Nothing heavy is imported
here, so that a command which only prints answers at once.
"""

from __future__ import annotations

from pipelines.built.whole import (
    NOT_WHOLE,
    WholeBuild,
    find_whole,
    require_same,
    require_whole,
)

__all__ = ["NOT_WHOLE", "WholeBuild", "find_whole", "require_same", "require_whole"]

"""The one way to read what dbt built: whole or not at all, by name, read-only.

`whole` knows the mark of a whole build, `next_build` is where one is made, `tables` opens it.
Nothing heavy is imported here, so that a command which only prints answers at once.
"""

from __future__ import annotations

from pipelines.built.whole import (
    NOT_WHOLE,
    WholeBuild,
    find_whole,
    require_whole,
)

__all__ = ["NOT_WHOLE", "WholeBuild", "find_whole", "require_whole"]

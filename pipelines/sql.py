"""SQL that Python must own, in files of its own: linted like the models, read by name."""

from __future__ import annotations

import re
from importlib import resources

_PART = re.compile(r"\{([a-z_]+)\}")


def read_sql(package: str, file: str, /, **parts: str) -> str:
    """The text of `sql/<file>.sql` in a package, with SQL in the place of each `{part}`.

    Raises:
        LookupError: the file has a part that was not given, or lacks one that was.
    """
    path = resources.files(package).joinpath("sql", f"{file}.sql")
    text = path.read_text(encoding="utf-8")
    if set(_PART.findall(text)) != set(parts):
        raise LookupError(f"{file}.sql and its caller do not name the same parts.")
    return _PART.sub(lambda found: parts[found[1]], text)

"""`make docs`: every relation and column as one HTML page that opens without a network."""

from __future__ import annotations

import shutil
import sys

from pipelines import registries
from pipelines.console import Console
from pipelines.errors import CounterfoilError
from pipelines.locks import hold
from pipelines.settings import Settings
from pipelines.warehouse import invoke


def main() -> int:
    """Write `docs/index.html` in the state folder; 0 when it was written."""
    console = Console()
    settings = Settings()
    try:
        if not settings.warehouse_path.is_file():
            raise CounterfoilError("Nothing is built yet: `make run` first, then `make docs`.")
        with hold(settings.home, "warehouse", "docs"):
            seeds = registries.compose(settings, None)
            invoke(settings, seeds, ["docs", "generate", "--static"])
            page = settings.home / "docs" / "index.html"
            page.parent.mkdir(exist_ok=True)
            shutil.copyfile(settings.home / "target" / "static_index.html", page)
    except CounterfoilError as error:
        console.warn(f"Error: {error}")
        return error.exit_code
    console.line(f"Documented every relation in {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

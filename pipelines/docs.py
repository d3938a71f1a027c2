"""`make docs`: every relation and column as one HTML page that opens without a network."""

from __future__ import annotations

import sys

from pipelines import registries
from pipelines.console import Console
from pipelines.errors import CounterfoilError
from pipelines.locks import hold
from pipelines.settings import Settings
from pipelines.warehouse import invoke

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; style-src 'unsafe-inline';"
    " img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'"
)
"""dbt's page is one script, and holds a tracker: what it needs is in it, and nothing leaves it."""


def shut_in(html: str) -> str:
    """dbt's page with a policy before its first script.

    Raises:
        CounterfoilError: it has no head, so that a browser would not read the policy.
    """
    if html.count("<head>") < 1:
        raise CounterfoilError("dbt wrote a page of another shape: its head is not where it was.")
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return html.replace("<head>", f"<head>{policy}", 1)


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
            made = settings.home / "target" / "static_index.html"
            page.write_text(shut_in(made.read_text(encoding="utf-8")), encoding="utf-8")
    except CounterfoilError as error:
        console.warn(f"Error: {error}")
        return error.exit_code
    console.line(f"Documented every relation in {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

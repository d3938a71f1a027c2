"""A command: the options that all have, what it did, and its errors as a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.console import Console
from pipelines.errors import CounterfoilError

if TYPE_CHECKING:
    from pipelines.settings import Settings


def path(given: str) -> Path:
    """A path of the command line: an empty one would be the folder that one happens to stand in."""
    if not given:
        raise typer.BadParameter("it is empty: give a path")
    return Path(given)


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of lines.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show the traceback of an error.")]
Registries = Annotated[
    Path | None,
    typer.Option("--registries", parser=path, help="A folder whose registries replace ours."),
]


@contextmanager
def told(as_json: bool, verbose: bool) -> Iterator[tuple[Console, Settings]]:
    """Run one command: print what it did, and turn errors into a sentence and an exit code."""
    from pipelines.opening import require_sound

    console = Console(as_json=as_json)
    try:
        settings = _settings()
        require_sound(settings)
        yield console, settings
        console.finish()
        console.require_printed()
    except CounterfoilError as error:
        if verbose:
            raise
        console.record(error=str(error), **error.facts)
        console.finish()
        console.warn(f"Error: {error}")
        raise typer.Exit(error.exit_code) from error
    except typer.Exit:
        console.finish()
        raise
    except KeyboardInterrupt as error:
        console.warn("Stopped. What was done is kept; run it again to go on.")
        raise typer.Exit(1) from error
    except Exception as error:
        if verbose:
            raise
        if said := _explained(error):
            console.record(error=said)
            console.finish()
            console.warn(f"Error: {said}")
            raise typer.Exit(1) from error
        console.warn(
            f"Error: something unexpected went wrong ({type(error).__name__}); "
            "run it again with --verbose to see where."
        )
        raise typer.Exit(1) from error


def _explained(error: Exception) -> str | None:
    """What keeps a database from being read in the middle of the work, in a sentence."""
    from pipelines.opening import explain_unexpected

    said = explain_unexpected(_settings(), error)
    return str(said) if said else None


def _settings() -> Settings:
    from pydantic import ValidationError

    from pipelines.errors import UsageError
    from pipelines.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        names = ", ".join(str(problem["loc"][0]) for problem in error.errors())
        raise UsageError(
            f"These settings cannot be read: {names}. See README, Settings."
        ) from error

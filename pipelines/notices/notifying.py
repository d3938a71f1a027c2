"""Says what a run changed, when it has ended; never more than that, and never in its way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.console import Console
from pipelines.errors import CounterfoilError
from pipelines.locks import InUse
from pipelines.notices.channel import SECONDS, deliver
from pipelines.notices.message import message
from pipelines.notices.standing import keep_standing, read_standing, standing_after
from pipelines.settings import Settings


@contextmanager
def notifying(settings: Settings, console: Console, *, seconds: float = SECONDS) -> Iterator[None]:
    """Run a block, then tell the channel what changed since it was told last.

    Without `COUNTERFOIL_NOTIFY` nothing is read, sent or kept. Whatever the channel does, the run
    ends as it would have without it; what could not be told is told after the next run. A run that
    finds another at work is none.

    Args:
        settings: where the home and the channel are.
        console: what the run recorded; it also says what could not be told.
        seconds: how long the channel may take.
    """
    if settings.notify is None:
        yield
        return
    failed = True
    try:
        yield
        failed = False
    except InUse:
        raise
    except Exception:
        _tell(settings, console, failed=failed, seconds=seconds)
        raise
    _tell(settings, console, failed=failed, seconds=seconds)


def _tell(settings: Settings, console: Console, *, failed: bool, seconds: float) -> None:
    if settings.notify is None:
        return
    try:
        before = read_standing(settings)
        now = standing_after(console.result, failed, before)
        told = message(before, now, console.result)
        console.record(is_notified=told is not None)
        if told is None:
            return
        why = deliver(settings.notify.get_secret_value(), told, seconds=seconds)
        if why is None:
            keep_standing(settings, now)
            console.line(f"Told the channel: {told.title.partition(': ')[2]}.")
            return
    except CounterfoilError as error:
        why = str(error)
    except Exception as error:  # a run never fails because nobody could be told of it
        why = f"something unexpected went wrong ({type(error).__name__})"
    console.record(is_notified=False)
    console.warn(f"Warning: the channel was not told, the next run will: {why}.")

"""Tells a channel, in a process of its own: its address is a secret, and its time is bounded.

The library that speaks to it writes addresses into its log and waits as long as whoever answers
wants. So it runs apart, what it prints goes nowhere, and it is ended when its time is over.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict

from pipelines.notices.message import Message
from pipelines.settings import PROJECT_DIR

SECONDS = 30.0
"""From the start of the process to its end."""

DELIVERED, UNREADABLE, REFUSED = 0, 3, 4
"""How `pipelines.notices.delivery` ends."""

WHY = {
    UNREADABLE: "COUNTERFOIL_NOTIFY is no address of a channel (docs/scheduling.md)",
    REFUSED: "it refused the message, or cannot be reached",
}


def deliver(address: str, message: Message, *, seconds: float = SECONDS) -> str | None:
    """Send a message; None when the channel took it, else why not, without its address."""
    asked = json.dumps({"address": address} | asdict(message))
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "pipelines.notices.delivery"],
            cwd=PROJECT_DIR,
            input=asked.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it did not answer within {seconds:,.0f} seconds"
    except OSError as error:
        return f"no process can be started for it ({error.strerror})"
    return None if ended.returncode == DELIVERED else WHY.get(ended.returncode, WHY[REFUSED])

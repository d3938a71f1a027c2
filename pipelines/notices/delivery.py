"""What runs apart: reads an address and a message as JSON, and hands them to the library."""

from __future__ import annotations

import json
import sys

from pipelines.notices.channel import DELIVERED, REFUSED, UNREADABLE


def main() -> int:
    """Deliver what standard input holds; the exit code says how it went."""
    from apprise import Apprise, AppriseAsset, NotifyFormat, PersistentStoreMode

    asked = json.load(sys.stdin)
    asset = AppriseAsset(app_id="Counterfoil", storage_mode=PersistentStoreMode.MEMORY)
    channels = Apprise(asset=asset)
    if not channels.add(asked["address"]):
        return UNREADABLE
    was_taken = channels.notify(
        title=asked["title"], body=asked["text"], body_format=NotifyFormat.TEXT
    )
    return DELIVERED if was_taken else REFUSED


if __name__ == "__main__":
    sys.exit(main())

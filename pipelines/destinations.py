"""Where an audience goes, in words."""

from __future__ import annotations


def destination(kind: str, place: str) -> str:
    """`segment 31 of Customer.io`, `an ad file for meta`; `place` is as it was declared."""
    return (
        f"segment {place} of Customer.io"
        if kind == "customerio_segment"
        else f"an ad file for {place}"
    )

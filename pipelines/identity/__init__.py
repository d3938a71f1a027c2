"""Who is who: the match-rate gate, the spot check by hand, the rehearsal of a new identifier."""

from pipelines.identity.check import Check, check
from pipelines.identity.lock import lock_identity
from pipelines.identity.migrate import Rehearsal, rehearse
from pipelines.identity.sample import Agreement, Sheet, draw_sheet, read_sheet

__all__ = [
    "Agreement",
    "Check",
    "Rehearsal",
    "Sheet",
    "check",
    "draw_sheet",
    "lock_identity",
    "read_sheet",
    "rehearse",
]

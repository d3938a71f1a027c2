"""Who is who: the match-rate gate, the spot check by hand, the rehearsal of a new identifier."""

from pipelines.identity.check import Check, check
from pipelines.identity.migrate import Rehearsal, rehearse
from pipelines.identity.rules import require_declared_primary
from pipelines.identity.sample import Agreement, Sheet, draw_sheet, read_sheet

__all__ = [
    "Agreement",
    "Check",
    "Rehearsal",
    "Sheet",
    "check",
    "draw_sheet",
    "read_sheet",
    "rehearse",
    "require_declared_primary",
]

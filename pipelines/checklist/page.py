"""Whether the page of the last build is there, with everything that it should tell."""

from __future__ import annotations

import json

from pipelines.built.tables import Record
from pipelines.built.whole import WholeBuild
from pipelines.review.page import stem_of
from pipelines.settings import Settings

LINE = "page"


def find_page(settings: Settings, whole: WholeBuild) -> Record:
    """The line of the checklist about the page: what was found, and whether it is met.

    A state folder in which no page was ever written has none to be fresh: not applicable.
    """
    if not any(settings.reviews_dir.glob("review-*.json")):
        return _told("no page was written yet", None)
    path = settings.reviews_dir / f"{stem_of(whole.as_of)}.json"
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        build, missing = facts["basis"]["build"], list(facts["missing"])
    except (OSError, ValueError, KeyError, TypeError):
        return _told("none is of this instant", False)
    if build != whole.build_id:
        return _told("the page is of an earlier build of this instant", False)
    if missing:
        return _told(f"of this build, without {', '.join(missing)}", False)
    return _told("of this build and whole", True)


def _told(measured: str, is_met: bool | None) -> Record:
    return {"line": LINE, "measured": measured, "is_met": is_met}

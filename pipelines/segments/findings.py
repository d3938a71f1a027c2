"""A finding of the page by its name, and the rule that makes a segment of its stratum."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.built.tables import Tables, open_warehouse
from pipelines.errors import CounterfoilError, UsageError
from pipelines.segments import finding_text as text
from pipelines.settings import Settings

TIER = "intent_tier="
FUNNEL = ("checkout_started", "shipping_viewed", "payment_viewed", "order_placed")
"""As macros/insight/funnel_steps.sql has them."""

SHAPES = {
    "lift_by_stratum": ("experiment_key", "metric_key", "arm", "population", "stratum"),
    "lift_within_tiers": ("experiment_key", "metric_key", "arm", "stratum"),
    "triage": (
        "workspace_id", "lifecycle_stage", "frequency_band", "ltv_tier", "intent_tier",
        "experiment_key", "arm",
    ),
    "funnel": ("workspace_id", "journey_id", "experiment_key", "arm", "step"),
}  # fmt: skip
"""Families of findings and the parts of their names, as `counterfoil explain number` has them."""

EVIDENCE = {
    "lift_by_stratum": ("count_treatment", "count_control", "lift", "lift_low", "lift_high"),
    "lift_within_tiers": (
        "count_treatment", "count_control", "lift", "lift_low", "lift_high", "lift_within_tiers",
        "lift_within_tiers_low", "lift_within_tiers_high",
    ),
    "triage": (
        "count_persons", "count_treatment", "count_control", "net_margin", "net_margin_low",
        "net_margin_high", "verdict",
    ),
    "funnel": (
        "count_persons", "count_dropped", "rate", "rate_control", "difference", "difference_low",
        "difference_high",
    ),
}  # fmt: skip


ROWS = {
    "lift_by_stratum": ("fct_lift", "stratum <> 'all'"),
    "triage": ("fct_reactivation_triage", "true"),
    "funnel": ("fct_checkout_funnel", "true"),
}
"""Where the rows of a family stand."""

LONGEST_COMMENT = 100
WITHIN_TIERS = Path(__file__).with_name("within_tiers.sql")
LISTED_AS = {"lift_within_tiers": "lift_by_stratum"}
"""The page lists its tiers as those of the lift."""


@dataclass(frozen=True)
class Finding:
    """A row that was found, and the segment that its stratum is.

    Attributes:
        status: ok, or why it may not be told.
        evidence: the figures that the yml of the version keeps, by name.
        words: who the people are, in words.
        sql, tests: the text of the model and of its unit test, with the key still open.
    """

    name: str
    status: str
    reasons: str
    evidence: dict[str, Any]
    as_of: datetime
    words: str
    sql: str
    tests: str

    @property
    def is_ok(self) -> bool:
        """Whether it may be told."""
        return self.status == "ok"


def find(settings: Settings, name: str) -> Finding:
    """The finding of this name in the last build.

    Args:
        name: family and keys, such as `funnel/208301/101/cart_recovery/treatment/payment_viewed`;
            a column behind them, as the names of figures have one, is left out.

    Raises:
        UsageError: there is no finding of this name, or none that a segment can be made of.
        CounterfoilError: nothing whole was built.
    """
    family, *parts = name.split("/")
    keys = SHAPES.get(family)
    if keys is None or len(parts) not in (len(keys), len(keys) + 1):
        shapes = "; ".join("/".join((shape, *SHAPES[shape])) for shape in SHAPES)
        raise UsageError(f"There is no finding {name!r}: a name has one of the shapes {shapes}.")
    wanted = dict(zip(keys, parts, strict=False))
    with open_warehouse(settings) as tables:
        row = _row(tables, family, wanted)
        workspace = wanted.get("workspace_id") or _workspace(tables, wanted["experiment_key"])
        bands = _bands(tables, row) if family == "triage" else ""
        as_of = tables.as_of
    rule = _rule(family, row, workspace, bands)
    return Finding(
        name="/".join((family, *parts[: len(keys)])),
        status=str(row["status"]),
        reasons=str(row["reasons"] or ""),
        evidence={column: row[column] for column in EVIDENCE[family]},
        as_of=as_of,
        words=rule[0],
        sql=rule[1],
        tests=rule[2],
    )


def _row(tables: Tables, family: str, wanted: dict[str, str]) -> dict[str, Any]:
    if family == "lift_within_tiers":
        rows = tables.ask(WITHIN_TIERS)
    else:
        relation, condition = ROWS[family]
        rows = tables.rows(f"select * from {{{relation}}} where {condition}", reads=[relation])
    found = [
        row
        for row in rows
        if all(str("" if row[key] is None else row[key]) == said for key, said in wanted.items())
    ]
    if not found:
        raise UsageError(
            "The last build has no such finding: see `counterfoil explain number --list "
            f"{LISTED_AS.get(family, family)}` for their names."
        )
    return found[0]


def _workspace(tables: Tables, experiment_key: str) -> str:
    found = tables.value(
        "select workspace_id from {experiments} where experiment_key = ?",
        [experiment_key],
        reads=["experiments"],
    )
    return "" if found is None else str(found)


def _bands(tables: Tables, row: dict[str, Any]) -> str:
    """How many orders the band of a row of the triage has, as a condition."""
    bounds = {
        "one order": "order_number <= 1",
        "two or three orders": "order_number between 2 and 3",
        "four or more orders": "order_number >= 4",
    }
    band = str(row["frequency_band"])
    if band not in bounds:
        raise CounterfoilError(
            f"The band {band!r} is none of those that are shipped: write the version by hand, from "
            "`counterfoil segments new KEY`."
        )
    return bounds[band]


def _wrapped(words: str) -> str:
    """Words of a comment, in lines as long as the linter lets them be."""
    return "\n-- ".join(textwrap.wrap(words, LONGEST_COMMENT))


def _rule(family: str, row: dict[str, Any], workspace: str, bands: str) -> tuple[str, str, str]:
    """Words, model and unit test of the stratum."""
    where = f"\n    where workspace_id = {workspace}" if workspace else ""
    of = f" of workspace {workspace}" if workspace else ""
    number = workspace or "1"
    if family in ("lift_by_stratum", "lift_within_tiers"):
        stratum = str(row["stratum"])
        if not stratum.startswith(TIER):
            raise UsageError(f"No segment can be made of the stratum {stratum!r}.")
        tier = stratum.removeprefix(TIER)
        words = f"People{of} whose intent tier is {tier}."
        return (
            words,
            text.TIER_SQL.format(words=_wrapped(words), tier=tier, where=where),
            text.TIER_TESTS.replace("<tier>", tier).replace("<workspace>", number),
        )
    if family == "funnel":
        step = str(row["step"])
        place = FUNNEL.index(step)
        if place == 0:
            raise UsageError(
                f"{step} is the first step of the checkout: nobody had a step before it, so the "
                "finding is about everybody who entered the journey."
            )
        before = FUNNEL[place - 1]
        words = (
            f"People{of} who came to {before} and not to {step} after it, for as long as the "
            "funnel waits."
        )
        return (
            words,
            text.FUNNEL_SQL.format(words=_wrapped(words), before=before, step=step, where=where),
            text.FUNNEL_TESTS.replace("<before>", before)
            .replace("<step>", step)
            .replace("<workspace>", number),
        )
    stage, tier, ltv = (str(row[key]) for key in ("lifecycle_stage", "intent_tier", "ltv_tier"))
    words = (
        f"Subscribed people{of}: {stage}, {row['frequency_band']}, lifetime value {ltv}, intent "
        f"{tier}."
    )
    return (
        words,
        text.TRIAGE_SQL.format(
            words=_wrapped(words),
            stage=stage,
            tier=tier,
            bands=bands,
            where=where,
            ltv=text.LTV[ltv],
        ),
        text.TRIAGE_TESTS.replace("<stage>", stage)
        .replace("<tier>", tier)
        .replace("<workspace>", number)
        .replace("<orders>", "4" if ">=" in bands else bands[-1])
        .replace("<value>", {"low": "1", "mid": "100", "high": "500"}[ltv]),
    )

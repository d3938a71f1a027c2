"""What makes an experiment refuse, in how many encodings it may come, and the global holdout: cases
of docs/measurement.md beside those of the specification.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from experiment_cases import (
    ANALYSIS_AT,
    HOLDOUT,
    MESSAGE,
    TRAP,
    TREATMENT,
    Case,
    Cases,
    bucket,
    second_profile,
)
from exports import at

EVEN = (0.5, 0.5)


def refusals() -> Cases:
    """For each reason code one fixture that triggers it and one just short of it."""
    cases = Cases()
    _assignment_refusals(cases)
    _reach_refusals(cases)
    _definition_refusals(cases)
    _outcome_refusals(cases)
    return cases


def _pair(cases: Cases, key: str, **registry: Any) -> tuple[Case, Case]:
    hit, short = (
        cases.new(f"{key}_{side}", **{"weights": EVEN, **registry}) for side in ("hit", "short")
    )
    return hit, short


def _assignment_refusals(cases: Cases) -> None:
    for case, excess in zip(_pair(cases, "srm"), (74, 73), strict=True):
        # chi-square 10.952 and 10.658
        case.recipe(1000 + excess, 150, 1000 - excess, 100)
    for key, cause, counts in (
        ("crossover_merge_invalid", "merge", (100, 99)),
        ("crossover_merge_warn", "merge", (20, 19)),
        ("crossover_reentry_warn", "reentry", (300, 19)),
    ):
        for case, crossing in zip(_pair(cases, key), counts, strict=True):
            _crossovers(case, crossing, cause)
    relabelled = _pair(
        cases, "crossover_relabel_invalid", source="attribute", attribute_name="cohort"
    )
    for case, crossing in zip(relabelled, (100, 99), strict=True):
        people = case.people(TREATMENT, 1000, 150)
        case.people(HOLDOUT, 1000, 100)
        for cio in people[:crossing]:
            cases.export.attribute(case.workspace, cio, "cohort", "B", 20.0)
    for key, second in (("hit", (1.0, 0.0)), ("short", (0.9, 0.1))):
        case = cases.new(
            f"winner_picked_{key}", versions=((1, EVEN, -1, 120), (2, second, 120, None))
        )
        case.recipe(1000, 150, 1000, 100)
        case.people(TREATMENT, 90, 30, when=168.0)
        case.people(HOLDOUT, 0 if key == "hit" else 10, 3, when=168.0)


def _reach_refusals(cases: Cases) -> None:
    for case, trapped in zip(_pair(cases, "srm_ghost", trap_action=TRAP), (396, 410), strict=True):
        # 500 of the treated are reached: chi-square 12.07 and 8.90
        case.people(TREATMENT, 500, 75)
        case.people(TREATMENT, 500, 75, message="none")
        case.people(HOLDOUT, trapped, 50, message="trap")
        case.people(HOLDOUT, 1000 - trapped, 50)
    for key, counts in (
        ("contamination_invalid", (100, 99)),
        ("contamination_warn", (10, 9)),
    ):
        for case, touched in zip(_pair(cases, key), counts, strict=True):
            case.people(TREATMENT, 1000, 150)
            case.people(HOLDOUT, touched, 0, message="sent")
            case.people(HOLDOUT, 1000 - touched, 100)
    for case, count in zip(_pair(cases, "late_label"), (11, 10), strict=True):
        for cio in case.people(TREATMENT, count, 0):
            case.send(cio, -0.5, action=MESSAGE)
        case.people(TREATMENT, 1000 - count, 150)
        case.people(HOLDOUT, 1000, 100)


def _definition_refusals(cases: Cases) -> None:
    versions = ((1, EVEN, -1, 120), (2, (0.9, 0.1), 120, None))
    cases.new("allocation_changed_hit", versions=versions).recipe(500, 75, 500, 50).recipe(
        900, 90, 100, 10, when=168.0
    )
    cases.new("allocation_changed_short", versions=versions).recipe(1000, 150, 1000, 100)
    decided = ("2025-03-10", "2025-03-03")
    for case, day in zip(_pair(cases, "definition_changed"), decided, strict=True):
        case.recipe(1000, 150, 1000, 100)
        cases.export.register(
            "identity_rules", workspace_id=case.workspace, identifier_type="customer_id",
            role="primary", normalisation="trim", max_profiles=5, owner="analytics",
            decided_on=day,
        )  # fmt: skip
    for case in _pair(cases, "cluster"):
        case.recipe(1000, 150, 1000, 100)
        if case.key.endswith("hit"):
            cases.export.register("experiment_clusters", experiment_key=case.key, cluster="company")


def _outcome_refusals(cases: Cases) -> None:
    for case, linked in zip(_pair(cases, "outcome_visibility"), (672, 670), strict=True):
        # 600 of 1000 are linked in the holdout: chi-square 11.2 and 10.6
        _linked_outcomes(case, treated_linked=linked)
    for case, treated in zip(
        _pair(cases, "underpowered", planned_n=2000), (999, 1000), strict=True
    ):
        case.recipe(treated, 150, 1000, 100)
    for case in _pair(cases, "immature"):
        case.recipe(1000, 150, 1000, 100, when=28.0 * 24)
        if case.key.endswith("short"):
            case.recipe(10, 1, 10, 1)
    for case, buyers in zip(_pair(cases, "few_events"), (9, 10), strict=True):
        case.recipe(1000, 150, 1000, buyers)
    for case, buyers in zip(_pair(cases, "few_non_events"), (991, 990), strict=True):
        case.recipe(1000, 900, 1000, buyers)
    for case, buyers in zip(_pair(cases, "skew"), (178, 179), strict=True):
        # 355 times the squared skewness is 1,006 and 996
        case.recipe(1000, buyers, 1000, buyers)


def encodings() -> Cases:
    """One experiment in every holdout encoding; the draw itself is the hash's."""
    cases = Cases()
    salt = "season_1"
    subjects = [f"c_{number:05d}" for number in range(4000)]
    held = {name: bucket(salt, name) < 2000 for name in subjects}
    ways: dict[str, Callable[[], Case]] = {
        "by_branch": lambda: cases.new("by_branch", weights=(0.8, 0.2)),
        "by_branch_from_one": lambda: cases.new("by_branch_from_one", weights=(0.8, 0.2), base=1),
        "by_split": lambda: cases.new(
            "by_split", source="split", weights=(0.8, 0.2), trap_action=TRAP
        ),
        "by_split_from_one": lambda: cases.new(
            "by_split_from_one", source="split", base=1, weights=(0.8, 0.2), trap_action=TRAP
        ),
        "by_mailbox": lambda: cases.new(
            "by_mailbox", source="split", weights=(0.8, 0.2), trap_recipient="Hole@brand.example"
        ),
        "by_attribute": lambda: cases.new(
            "by_attribute", source="attribute", weights=(0.8, 0.2), attribute_name="cohort"
        ),
        "by_hash": lambda: cases.new("by_hash", source="hash", weights=(0.8, 0.2), salt=salt),
    }
    for key, make in ways.items():
        case = make()
        for number, name in enumerate(subjects):
            arm = HOLDOUT if held[name] else TREATMENT
            cio = case.cio(arm)
            customer = f"{name}@{case.workspace}" if key != "by_hash" else name
            cases.export.person(case.workspace, cio, customer_id=customer)
            subject = case.assign(cio, arm)
            if arm == TREATMENT:
                case.send(cio, 1, subject=subject, action=MESSAGE)
            elif key.startswith("by_split"):
                case.send(cio, 1, subject=subject, action=TRAP, metrics=("sent", "delivered"))
            elif key == "by_mailbox":
                case.send(cio, 1, subject=subject, action=1102, recipient="hole@brand.example")
            if number % (8 if arm == TREATMENT else 11) == 0:
                cases.export.event(customer, 48, value=10 + number % 90)
    return cases


def global_holdouts() -> Cases:
    """A global holdout by hash over everybody known, and a journey drawn among the rest.

    Of 4,000 customers 10 % are held out of everything, on a weight that grew to 20 % for those
    first seen later; deleted and suppressed people are not drawn; a programme effect is planted.
    Nobody checks the holdout at the journey's door, so held-out people enter it too.
    """
    cases = Cases()
    journey = cases.new("journey", weights=EVEN)
    workspace = journey.workspace
    cases.export.register(
        "experiments", experiment_key="programme", kind="global_holdout", workspace_id=workspace,
        assignment_source="hash", salt="g1", started_at=at(-24).isoformat(),
        analysis_at=ANALYSIS_AT.isoformat(), window_hours=336, primary_metric="order_rate",
        alpha=0.05, owner="retention",
    )  # fmt: skip
    for arm, shares in (("held_out", (0.1, 0.2)), ("programme", (0.9, 0.8))):
        for version, share in enumerate(shares, start=1):
            cases.export.register(
                "experiment_arms", experiment_key="programme", arm=arm, weight=share,
                is_control="true" if arm == "held_out" else "false", allocation_version=version,
                valid_from=at(-24 if version == 1 else 24).isoformat(),
                valid_to=at(24).isoformat() if version == 1 else "",
            )  # fmt: skip
    for number in range(4000):
        customer = f"g_{number:05d}"
        late = number >= 3000
        cio = f"{workspace}c{number:05d}"
        gone = number % 100 == 99
        cases.export.person(
            workspace, cio, customer_id=customer, created_at=48.0 if late else -1000.0,
            deleted=gone and number % 200 == 99, suppressed=gone and number % 200 == 199,
        )  # fmt: skip
        arm = TREATMENT if bucket("j1", customer) < 5000 else HOLDOUT
        if number % 2 == 0:
            subject = journey.assign(cio, arm, 60.0)
            if arm == TREATMENT and bucket("g1", customer) >= (2000 if late else 1000):
                journey.send(cio, 61.0, subject=subject, action=MESSAGE)
        if number % 7 == 0:
            cases.export.event(customer, 72, value=20.0)
    return cases


def _linked_outcomes(case: Case, treated_linked: int) -> None:
    for arm, linked in ((TREATMENT, treated_linked), (HOLDOUT, 600)):
        for number, cio in enumerate(case.people(arm, 1000, 100)):
            if number < linked:
                second_profile(case, cio, f"{cio}e", merged_at=24)
            if number < 100:
                case.export.event(f"c_{cio}e", 48, name="web_order")


def _crossovers(case: Case, count: int, cause: str) -> None:
    people = case.people(TREATMENT, 1000, 150)
    case.people(HOLDOUT, 1000, 100)
    for cio in people[:count]:
        if cause == "merge":
            other = f"{cio}e"
            second_profile(case, cio, other, merged_at=100)
            case.assign(other, HOLDOUT, 20.0)
        else:
            case.assign(cio, HOLDOUT, 20.0, number=2)

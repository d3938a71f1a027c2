"""What makes an experiment refuse, in how many encodings it may come, and the global holdout: cases
of docs/measurement.md beside those of the specification.
"""

from __future__ import annotations

from collections.abc import Callable

from experiment_cases import (
    ANALYSIS_AT,
    HOLDOUT,
    MESSAGE,
    TRAP,
    TREATMENT,
    Case,
    Cases,
    bucket,
    scenarios,
)
from exports import at

EVEN = (0.5, 0.5)


def refusals() -> Cases:
    """For each reason code one fixture that triggers it and one just short of it."""
    cases = Cases()
    for told in scenarios("refusals"):
        for side in ("hit", "short"):
            registry = told.get(f"registry_{side}") or told.get("registry", {})
            cases.new(f"{told['case']}_{side}", **{"weights": EVEN, **registry}).play(told[side])
    return cases


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
            "by_mailbox",
            source="split",
            weights=(0.8, 0.2),
            # a zero-width space behind it, as a web page leaves it
            trap_recipient="Hole@brand.example\u200b",
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

"""The cases of docs/measurement.md as one export: one workspace and one experiment a case.

The recipe: campaign 101, one entry and one draw a person at T0, `branch_index` 0 treatment and 1
holdout, one delivery an hour later for the treated, the first so many of each arm order at 48
hours; the window is a week, the declared analysis ten days after T0, weights 0.9 and 0.1.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from math import isqrt
from typing import Any

from exports import T0, Export, Instant, at

AS_OF = T0 + timedelta(days=30)
ANALYSIS_AT = T0 + timedelta(days=10)
DRAW, MESSAGE, TRAP = 1100, 1101, 1103
TREATMENT, HOLDOUT = "treatment", "holdout"


@dataclass
class Case:
    """One experiment in its own workspace."""

    export: Export
    key: str
    workspace: int
    source: str = "branch"
    base: int = 0
    counts: dict[str, int] = field(default_factory=lambda: {"a": 0, "b": 0})

    def register(
        self,
        *,
        weights: tuple[float, float] = (0.9, 0.1),
        planned_n: int | None = None,
        trap_action: int | None = None,
        trap_recipient: str | None = None,
        versions: tuple[tuple[int, tuple[float, float], Instant | None, Instant | None], ...] = (),
        **columns: object,
    ) -> Case:
        """Write the experiment and its arms into the registries."""
        self.export.register(
            "experiments",
            **{
                "experiment_key": self.key,
                "kind": "journey_holdout",
                "workspace_id": self.workspace,
                "campaign_id": 101,
                "assignment_source": self.source,
                "started_at": at(-1).isoformat(),
                "analysis_at": ANALYSIS_AT.isoformat(),
                "window_hours": 168,
                "primary_metric": "order_rate",
                "alpha": 0.05,
                "planned_n": planned_n or "",
                "owner": "lifecycle",
                **columns,
            },
        )
        for version, shares, start, end in versions or ((1, weights, -1, None),):
            for place, (arm, share) in enumerate(zip((TREATMENT, HOLDOUT), shares, strict=True)):
                self.export.register(
                    "experiment_arms",
                    experiment_key=self.key,
                    arm=arm,
                    is_control="true" if arm == HOLDOUT else "false",
                    weight=share,
                    allocation_version=version,
                    valid_from=at(start).isoformat() if start is not None else "",
                    valid_to=at(end).isoformat() if end is not None else "",
                    split_action_id=DRAW if self.source in ("branch", "split") else "",
                    split_index=place + self.base if self.source in ("branch", "split") else "",
                    attribute_value="AB"[place] if self.source == "attribute" else "",
                    trap_action_id=(trap_action or "") if arm == HOLDOUT else "",
                    trap_recipient=(trap_recipient or "") if arm == HOLDOUT else "",
                )
        return self

    def cio(self, arm: str) -> str:
        """A fresh profile id for somebody first drawn into this arm."""
        letter = "a" if arm == TREATMENT else "b"
        self.counts[letter] += 1
        return f"{self.workspace}{letter}{self.counts[letter]:05d}"

    def assign(self, cio: str, arm: str, when: Instant = 0.0, number: int = 1) -> str:
        """An entry and its draw, in this case's encoding."""
        subject = self.export.entry(self.workspace, cio, when, number=number)
        place = 0 if arm == TREATMENT else 1
        if self.source == "branch":
            self.export.draw(
                self.workspace, subject, when, action=DRAW, branch_index=place + self.base
            )
        elif self.source == "split":
            self.export.draw(
                self.workspace, subject, when, action=DRAW, split_test_index=place + self.base
            )
        elif self.source == "attribute":
            self.export.attribute(self.workspace, cio, "cohort", "AB"[place], when)
        return subject

    def send(self, cio: str, when: Instant = 1.0, **options: object) -> None:
        """One delivery of the journey."""
        self.export.message(self.workspace, cio, when, **options)  # type: ignore[arg-type]

    def people(
        self,
        arm: str,
        count: int,
        buyers: int,
        *,
        when: float = 0.0,
        order_after: float = 48.0,
        message: str | None = None,
        value: float = 25.0,
        person: bool = True,
    ) -> list[str]:
        """So many people of an arm, the first of whom buy. `message`: sent, dropped, trap, none."""
        how = message or ("sent" if arm == TREATMENT else "none")
        made = []
        for number in range(count):
            cio = self.cio(arm)
            if person:
                self.export.person(self.workspace, cio)
            subject = self.assign(cio, arm, when)
            if how == "sent":
                self.send(cio, when + 1, subject=subject, action=MESSAGE)
            elif how == "dropped":
                self.send(cio, when + 1, subject=subject, action=MESSAGE, metrics=("dropped",))
            elif how == "trap":
                self.send(cio, when + 1, subject=subject, action=TRAP, metrics=("sent",))
            if number < buyers:
                self.export.event(f"c_{cio}", when + order_after, value=value)
            made.append(cio)
        return made

    def recipe(
        self, treated: int, treated_buyers: int, held: int, held_buyers: int, **options: object
    ) -> Case:
        """The two arms of the recipe."""
        self.people(TREATMENT, treated, treated_buyers, **options)  # type: ignore[arg-type]
        self.people(HOLDOUT, held, held_buyers, **options)  # type: ignore[arg-type]
        return self


class Cases:
    """Numbers workspaces and collects the cases of one export."""

    def __init__(self) -> None:
        self.export = Export()
        self._workspaces = iter(range(171000, 172000))
        self.by_key: dict[str, Case] = {}
        for metric, behavior, aggregation in (
            ("order_rate", "order_placed", "any"),
            ("order_count", "order_placed", "count"),
            ("order_value", "order_placed", "sum"),
            ("web_order_rate", "web_order_placed", "any"),
        ):
            self.export.register(
                "metrics", metric_key=metric, behavior=behavior, aggregation=aggregation,
                label=metric,
            )  # fmt: skip
        for name, behavior in (
            ("order", "order_placed"),
            ("web_order", "web_order_placed"),
            ("checkout", "checkout_started"),
        ):
            self.export.register("behavior_map", event_name=name, behavior=behavior)
        for identifier, role, normalisation in (
            ("customer_id", "primary", "trim"),
            ("email", "fallback", "trim|lower"),
        ):
            self.export.register(
                "identity_rules", identifier_type=identifier, role=role,
                normalisation=normalisation, max_profiles=5, owner="analytics",
                decided_on="2024-01-01",
            )  # fmt: skip

    def new(self, key: str, *, source: str = "branch", base: int = 0, **registry: Any) -> Case:
        """A case with its experiment registered."""
        case = Case(self.export, key, next(self._workspaces), source, base)
        self.by_key[key] = case
        return case.register(**registry)


def specification() -> Cases:
    """Cases V1 to V15, V18 and V29 of the specification."""
    cases = Cases()
    cases.new("v01").recipe(9000, 810, 1000, 60)
    cases.new("v02").recipe(9000, 630, 1000, 70)
    cases.new("v03").recipe(1800, 36, 200, 1)
    cases.new("v04_short").recipe(9100, 819, 900, 54)
    cases.new("v04_long").recipe(8900, 801, 1100, 66)
    _identity_merges(cases.new("v05"))
    traps = cases.new("v06", trap_action=TRAP)
    traps.people(TREATMENT, 9000, 810)
    traps.people(HOLDOUT, 1000, 60, message="trap")
    contaminated = cases.new("v07")
    contaminated.people(TREATMENT, 9000, 810)
    contaminated.people(HOLDOUT, 50, 3, message="sent")
    contaminated.people(HOLDOUT, 950, 57)
    _reentries(cases.new("v08"))
    immature = cases.new("v09").recipe(9000, 810, 1000, 60)
    immature.people(TREATMENT, 500, 0, when=28 * 24)
    _last_click(cases.new("v10"))
    reached = cases.new("v11")
    reached.people(TREATMENT, 7200, 480)
    reached.people(TREATMENT, 1800, 60, message="dropped")
    reached.people(HOLDOUT, 1000, 45)
    timing = cases.new("v12")
    for arm, scale in ((TREATMENT, 9), (HOLDOUT, 1)):
        timing.people(arm, 40 * scale, 40 * scale, order_after=0.5, message="none")
        timing.people(arm, 30 * scale, 30 * scale, order_after=2.0)
        timing.people(arm, 930 * scale, 30 * scale, order_after=8.0)
    ghosts = cases.new("v13", trap_action=TRAP)
    ghosts.people(TREATMENT, 36000, 3600, order_after=0.5, message="none")
    ghosts.people(TREATMENT, 9000, 720)
    ghosts.people(HOLDOUT, 4000, 400, order_after=0.5, message="none")
    ghosts.people(HOLDOUT, 1000, 50, message="trap")
    tiers = cases.new("v14")
    for cio in chain(tiers.people(TREATMENT, 1800, 270), tiers.people(HOLDOUT, 200, 30)):
        cases.export.event(f"c_{cio}", -2, name="checkout")
    tiers.recipe(7200, 360, 800, 40)
    weeks = cases.new("v15_weeks", versions=((1, (0.5, 0.5), -1, 120), (2, (0.9, 0.1), 120, None)))
    weeks.recipe(5000, 500, 5000, 500)
    weeks.recipe(9000, 450, 1000, 50, when=168.0)
    simpson = cases.new(
        "v15_tiers", versions=((1, (0.95, 0.05), -1, 120), (2, (0.5, 0.5), 120, None))
    )
    simpson.recipe(1900, 323, 100, 15)
    simpson.recipe(4000, 280, 4000, 200, when=168.0)
    _published_means(cases.new("v18", weights=(3461 / 6868, 3407 / 6868)))
    _visibility(cases.new("v29"))
    return cases


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


def bucket(salt: str, key: str) -> int:
    """Section 1.3 in Python: the oracle of the macro."""
    return int(hashlib.md5(f"{salt}-{key}".encode()).hexdigest()[:8], 16) % 10000


def with_sums(count: int, total: int, squares: int) -> list[int]:
    """Non-negative integers with this count, sum and sum of squares."""
    for copies in range(1, count):
        value = total // copies
        while value > 1:
            rest = squares - total - copies * (value * value - value)
            if rest >= 0:
                extra = []
                while rest:
                    step = (1 + isqrt(1 + 4 * rest)) // 2
                    extra.append(step)
                    rest -= step * step - step
                ones = total - copies * value - sum(extra)
                if 0 <= ones <= count - copies - len(extra):
                    made = [value] * copies + extra + [1] * ones
                    return made + [0] * (count - len(made))
                if ones > 0:
                    break
            value -= 1
    raise ValueError("no such integers found")


def _identity_merges(case: Case) -> None:
    case.recipe(7200, 360, 800, 40)
    for first, second, count, buyers in (
        (TREATMENT, TREATMENT, 1620, 324),
        (TREATMENT, HOLDOUT, 180, 36),
        (HOLDOUT, TREATMENT, 180, 36),
        (HOLDOUT, HOLDOUT, 20, 4),
    ):
        for cio in case.people(first, count, buyers):
            other = f"{cio}e"
            _second_profile(case, cio, other, merged_at=100)
            subject = case.assign(other, second, 2.0)
            if second == TREATMENT:
                case.send(other, 3.0, subject=subject, action=MESSAGE)


def _second_profile(case: Case, cio: str, other: str, merged_at: Instant) -> None:
    case.export.person(case.workspace, other)
    case.export.register(
        "identity_merges",
        workspace_id=case.workspace,
        primary_cio_id=cio,
        secondary_cio_id=other,
        merged_at=at(merged_at).isoformat(),
        reason="reported by the vendor",
    )


def _reentries(case: Case) -> None:
    draw = random.Random(8)
    case.recipe(9000, 630, 1000, 70)
    for letter, count in list(case.counts.items()):
        for number in range(1, count + 1):
            cio = f"{case.workspace}{letter}{number:05d}"
            for again in (2, 3):
                arm = TREATMENT if draw.random() < 0.9 else HOLDOUT
                case.assign(cio, arm, 10.0 * again, number=again)


def _last_click(case: Case) -> None:
    case.people(HOLDOUT, 1000, 70)
    for number in range(9000):
        cio = case.cio(TREATMENT)
        case.export.person(case.workspace, cio)
        subject = case.assign(cio, TREATMENT)
        case.send(cio, 1, subject=subject, clicked_at=47.0 if number < 400 else None)
        if number < 720:
            case.export.event(f"c_{cio}", 48, value=25.0)


def _published_means(case: Case) -> None:
    for arm, count, total, squares in (
        (HOLDOUT, 3407, 139687, 523779767),
        (TREATMENT, 3461, 242270, 1346982900),
    ):
        values = with_sums(count, total, squares)
        for cio, cents in zip(case.people(arm, count, 0), values, strict=True):
            if cents:
                case.export.event(f"c_{cio}", 48, value=cents / 100)


def _visibility(case: Case) -> None:
    """5 % buy in both arms; web orders show only where the web profile is linked."""
    for arm, count, buyers, linked, linked_buyers in (
        (TREATMENT, 9000, 450, 6120, 306),
        (HOLDOUT, 1000, 50, 600, 30),
    ):
        for number, cio in enumerate(case.people(arm, count, buyers)):
            is_linked = number < linked_buyers or 0 <= number - buyers < linked - linked_buyers
            if is_linked:
                _second_profile(case, cio, f"{cio}e", merged_at=24)
            else:
                case.export.person(case.workspace, f"{cio}e")
            if number < buyers:
                case.export.event(f"c_{cio}e", 48, name="web_order")


def _linked_outcomes(case: Case, treated_linked: int) -> None:
    for arm, linked in ((TREATMENT, treated_linked), (HOLDOUT, 600)):
        for number, cio in enumerate(case.people(arm, 1000, 100)):
            if number < linked:
                _second_profile(case, cio, f"{cio}e", merged_at=24)
            if number < 100:
                case.export.event(f"c_{cio}e", 48, name="web_order")


def _crossovers(case: Case, count: int, cause: str) -> None:
    people = case.people(TREATMENT, 1000, 150)
    case.people(HOLDOUT, 1000, 100)
    for cio in people[:count]:
        if cause == "merge":
            other = f"{cio}e"
            _second_profile(case, cio, other, merged_at=100)
            case.assign(other, HOLDOUT, 20.0)
        else:
            case.assign(cio, HOLDOUT, 20.0, number=2)


__all__ = ["AS_OF", "Cases", "bucket", "encodings", "global_holdouts", "refusals", "specification"]

"""The cases of docs/measurement.md as one export: one workspace and one experiment a case.

The recipe: campaign 101, one entry and one draw a person at T0, `branch_index` 0 treatment and 1
holdout, one delivery an hour later for the treated, the first so many of each arm order at 48
hours; the window is a week, the declared analysis ten days after T0, weights 0.9 and 0.1.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from math import isqrt
from typing import Any

import yaml
from exports import T0, Export, Instant, at

from pipelines.settings import PROJECT_DIR

SCENARIOS = PROJECT_DIR / "tests/scenarios/experiments"
AS_OF = T0 + timedelta(days=30)
ANALYSIS_AT = T0 + timedelta(days=10)
DRAW, MESSAGE, TRAP = 1100, 1101, 1103
TREATMENT, HOLDOUT = "treatment", "holdout"
PUBLISHED_PAIRS = [
    ((56, 70), (48, 80)), ((9, 10), (3, 10)), ((6, 7), (2, 7)), ((5, 56), (0, 29)),
    ((0, 10), (0, 20)), ((0, 10), (0, 10)), ((10, 10), (0, 20)), ((10, 10), (0, 10)),
    # for Wilson's limits alone
    ((1, 10), (5, 10)), ((20, 20), (0, 20)),
]  # fmt: skip
"""Newcombe's (1998) eight pairs of rates, each (successes, trials), treatment first."""


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

    def play(self, rows: list[Any]) -> Case:
        """The people of a scenario's table, and what its registries say beside."""
        for row in rows:
            if isinstance(row, dict):
                self._declare(row)
                continue
            arm, count, buyers, how = [*row, {}][:4]
            kept = ("when", "message", "order_after")
            made = self.people(arm, count, buyers, **{k: how[k] for k in kept if k in how})
            if "shown_at" in how:
                for cio in made:
                    self.send(cio, how["shown_at"], action=MESSAGE)
            if "linked" in how:
                self._link(made, how["linked"], buyers)
            if "crosses" in how:
                crossing, cause = how["crosses"]
                for cio in made[:crossing]:
                    self._cross(cio, cause)
        return self

    def _declare(self, more: dict[str, Any]) -> None:
        if "cluster" in more:
            self.export.register("experiment_clusters", experiment_key=self.key, **more)
        else:
            self.export.register(
                "identity_rules", workspace_id=self.workspace, identifier_type="customer_id",
                role="primary", normalisation="trim", max_profiles=5, owner="analytics", **more,
            )  # fmt: skip

    def _link(self, made: list[str], linked: int, buyers: int) -> None:
        for number, cio in enumerate(made):
            if number < linked:
                second_profile(self, cio, f"{cio}e", merged_at=24)
            if number < buyers:
                self.export.event(f"c_{cio}e", 48, name="web_order")

    def _cross(self, cio: str, cause: str) -> None:
        """Into the holdout as well."""
        if cause == "merge":
            second_profile(self, cio, f"{cio}e", merged_at=100)
            self.assign(f"{cio}e", HOLDOUT, 20.0)
        elif cause == "relabel":
            self.export.attribute(self.workspace, cio, "cohort", "B", 20.0)
        else:
            self.assign(cio, HOLDOUT, 20.0, number=2)

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
    """Cases V1 to V15, V18, V20, V21 and V29 of the specification."""
    cases = Cases()
    for told in scenarios("specification"):
        cases.new(told["case"], **told.get("registry", {})).play(told["people"])
    _identity_merges(cases.new("v05"))
    _reentries(cases.new("v08"))
    _last_click(cases.new("v10"))
    tiers = cases.new("v14")
    for cio in chain(tiers.people(TREATMENT, 1800, 270), tiers.people(HOLDOUT, 200, 30)):
        cases.export.event(f"c_{cio}", -2, name="checkout")
    tiers.recipe(7200, 360, 800, 40)
    _published_means(cases.new("v18", weights=(3461 / 6868, 3407 / 6868)))
    for number, (treatment, control) in enumerate(PUBLISHED_PAIRS):
        (buyers, people), (held_buyers, held) = treatment, control
        cases.new(f"v20_{number}").recipe(people, buyers, held, held_buyers)
    _visibility(cases.new("v29"))
    return cases


def scenarios(name: str) -> list[dict[str, Any]]:
    """The cases of `tests/scenarios/experiments/<name>.yml`."""
    told: list[dict[str, Any]] = yaml.safe_load((SCENARIOS / f"{name}.yml").read_text())
    return told


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
            second_profile(case, cio, other, merged_at=100)
            subject = case.assign(other, second, 2.0)
            if second == TREATMENT:
                case.send(other, 3.0, subject=subject, action=MESSAGE)


def second_profile(case: Case, cio: str, other: str, merged_at: Instant) -> None:
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
                second_profile(case, cio, f"{cio}e", merged_at=24)
            else:
                case.export.person(case.workspace, f"{cio}e")
            if number < buyers:
                case.export.event(f"c_{cio}e", 48, name="web_order")

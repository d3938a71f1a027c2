"""Experiments drawn from a seed, for properties that hold whatever happened.

A world is one experiment with everything that can befall it: two or three arms, changing weights,
entries again, labels rewritten, profiles merged, deliveries trapped, dropped, sent by mistake or
before the label, people of every intent tier, money with a long tail. Each world is written five
times into one export, one workspace a twin:

    base      the world, and beside it the same experiment with another primary metric
    idle      the world and people whom nobody assigned
    merged    the world with two more profiles of one arm declared one person
    plain     the world as an experiment of variants
    swapped   the same with the names of control and first treatment exchanged

The twins of a world differ by their workspace alone: ids are the workspace's number and a local
name.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
from experiment_cases import AS_OF, Cases
from exports import BEHAVIOR, REGISTRIES, SHAPES, Export, at, table_of

CONTROL, FIRST, SECOND = "holdout", "treatment", "second"
DRAW, MESSAGE, FOLLOW_UP, TRAP = 1100, 1101, 1102, 1103
TWINS = ("base", "idle", "merged", "plain", "swapped")
WINDOW = 168.0
LAST = (AS_OF - at(0)) / timedelta(hours=1)


@dataclass
class Profile:
    """One profile: its draws (hour, arm), its deliveries (hour, action, metrics), its behavior."""

    name: str
    draws: list[tuple[float, str]] = field(default_factory=list)
    deliveries: list[tuple[float, int, tuple[str, ...]]] = field(default_factory=list)
    events: list[tuple[float, str, float | None]] = field(default_factory=list)
    merged_into: str | None = None
    merged_at: float = 0.0


@dataclass
class World:
    """One experiment, free of any workspace."""

    seed: int
    arms: tuple[str, ...]
    source: str
    index_base: int
    versions: list[tuple[float, tuple[float, ...]]]
    is_trapped: bool
    analysis_at: float | None
    planned_n: int | None
    profiles: list[Profile]
    pair: tuple[str, str]

    @property
    def pair_arm(self) -> str:
        """The arm of the two profiles that the twin `merged` joins."""
        [arm] = {
            profile.draws[0][1] for profile in self.profiles if profile.name in self.pair
        }  # fmt: skip
        return arm


def world(seed: int) -> World:
    """The world of a seed; every second has three arms."""
    draw = random.Random(seed)
    arms = (CONTROL, FIRST, SECOND) if seed % 2 else (CONTROL, FIRST)
    # A third of the worlds ends with a version of which hardly anybody is mature.
    later = [draw.uniform(60, 420), LAST - WINDOW - draw.uniform(2, 6)][: seed % 3]
    starts = [-1.0, *later]
    made = World(
        seed,
        arms,
        draw.choice(("branch", "split", "attribute")),
        draw.choice((0, 1)),
        [(start, _weights(draw, len(arms))) for start in starts],
        draw.random() < 0.7,
        draw.choice((240.0, 240.0, 2000.0, None)),
        draw.choice((None, 300, 100_000)),
        [],
        ("", ""),
    )
    rate = draw.uniform(0.08, 0.3)
    for number in range(draw.randint(350, 550)):
        made.profiles.extend(_person(draw, made, f"{number:05d}", rate))
    alone = [
        profile
        for profile in made.profiles
        if len(profile.draws) == 1
        and profile.merged_into is None
        and not any(other.merged_into == profile.name for other in made.profiles)
        and profile.draws[0][0] + WINDOW < LAST
        and all(when > profile.draws[0][0] for when, _, _ in profile.deliveries)
    ]
    first = draw.choice(alone)
    second = draw.choice(
        [p for p in alone if p is not first and p.draws[0][1] == first.draws[0][1]]
    )
    made.pair = (first.name, second.name)
    return made


def _weights(draw: random.Random, count: int) -> tuple[float, ...]:
    shares = [draw.randint(2, 6) for _ in range(count)]
    return tuple(share / sum(shares) for share in shares)


def _person(draw: random.Random, made: World, name: str, rate: float) -> Iterator[Profile]:
    """One person with one profile, or with a second one that is merged into the first."""
    # Quarters of an hour: instants coincide.
    when = draw.randint(0, round(4 * (LAST - 60))) / 4
    profile = _profile(draw, made, name, when)
    arm = profile.draws[0][1]
    if draw.random() < 0.08:
        again = when + draw.choice((24.0, 100.0))
        if again < LAST:
            profile.draws.append((again, _arm(draw, made, again, arm)))
    for hours, behavior in ((2.0, "checkout"), (5.0, "view"), (900.0, "view")):
        if draw.random() < 0.25:
            profile.events.append((when - hours, behavior, None))
    lifted = rate * (1.0 if arm == CONTROL else 1.4)
    while draw.random() < lifted:
        value = round(min(draw.lognormvariate(3.5, 1.1), 5000.0), 2)
        profile.events.append((when + draw.uniform(-20, 220), "order", value))
    if draw.random() < rate:
        profile.events.append((when + draw.uniform(0, 160), "web_order", None))
    for _ in range(draw.randint(0, 4)):  # hardly skewed, unlike what people buy
        profile.events.append((when + draw.uniform(0, 160), "visit", None))
    yield profile
    if draw.random() < 0.06:
        later = when + draw.choice((0.0, 3.0, 50.0))
        other = _profile(draw, made, f"{name}e", later, usually=arm)
        other.merged_into, other.merged_at = name, later + 30
        if draw.random() < 0.3:
            other.draws.clear()
        if draw.random() < rate:
            other.events.append((later + 40, "web_order", None))
        yield other


def _profile(
    draw: random.Random, made: World, name: str, when: float, usually: str | None = None
) -> Profile:
    arm = _arm(draw, made, when, usually)
    profile = Profile(name, [(when, arm)])
    # Never the instant of the first profile's delivery: which is message 1 would hang on an id.
    when += 0.0 if usually is None else 0.1
    chance = draw.random()
    if arm != CONTROL:
        if chance < 0.85:
            profile.deliveries.append((when + 1, MESSAGE, ("sent", "delivered")))
            if draw.random() < 0.3:
                profile.deliveries.append((when + 30, FOLLOW_UP, ("sent",)))
        elif chance < 0.93:
            profile.deliveries.append((when + 1, MESSAGE, ("dropped",)))
    elif chance < 0.01:
        profile.deliveries.append((when + 3, MESSAGE, ("sent", "delivered")))
    elif chance < 0.9 and made.is_trapped:
        profile.deliveries.append((when + 1, TRAP, ("sent",)))
    if draw.random() < 0.002:
        profile.deliveries.append((when - 0.5, MESSAGE, ("sent", "delivered")))
    return profile


def _arm(draw: random.Random, made: World, when: float, usually: str | None) -> str:
    """Drawn by the weights of the hour; mostly the arm somebody already has, when they have one."""
    if usually is not None and draw.random() < 0.8:
        return usually
    [*_, weights] = [weights for start, weights in made.versions if start <= when]
    return draw.choices(made.arms, weights)[0]


def write(worlds: list[World], twins: tuple[str, ...] = TWINS) -> Cases:
    """These twins of every world as one export."""
    cases = Cases()
    cases.export.register("behavior_map", event_name="view", behavior="product_viewed")
    cases.export.register("behavior_map", event_name="visit", behavior="site_visited")
    cases.export.register(
        "metrics", metric_key="visits", behavior="site_visited", aggregation="count", label="Visits"
    )
    for made in worlds:
        for place, twin in enumerate(twins):
            _Twin(cases.export, made, twin, 200_000 + 10 * made.seed + place).write()
    return cases


class _Twin:
    """One world in one workspace."""

    def __init__(self, export: Export, made: World, twin: str, workspace: int) -> None:
        self.export = export
        self.world = made
        self.twin = twin
        self.workspace = workspace

    def write(self) -> None:
        for profile in self.world.profiles:
            self._profile(profile)
        self._register(f"w{self.world.seed:03d}_{self.twin}", "order_rate")
        if self.twin == "base":
            self._register(f"w{self.world.seed:03d}_metric", "order_value")
        if self.twin == "idle":
            self._idle()
        if self.twin == "merged":
            self._merge(*self.world.pair, 300.0)

    def _cio(self, name: str) -> str:
        return f"{self.workspace}p{name}"

    def _profile(self, profile: Profile) -> None:
        cio = self._cio(profile.name)
        self.export.person(self.workspace, cio)
        if profile.name.endswith("7"):
            self.export.person(
                self.workspace, cio, updated_at=-10.0, email_addr=f"{cio}@shop.example"
            )
        subject = None
        for number, (when, arm) in enumerate(profile.draws, start=1):
            entered = self.export.entry(self.workspace, cio, when, number=number)
            subject = subject or entered
            self._draw(cio, entered, when, arm)
        for when, action, metrics in profile.deliveries:
            self.export.message(
                self.workspace, cio, when, subject=subject, action=action, metrics=metrics
            )
        for when, name, value in profile.events:
            self.export.event(f"c_{cio}", when, name=name, value=value)
        if profile.merged_into is not None:
            self._merge(profile.merged_into, profile.name, profile.merged_at)

    def _draw(self, cio: str, subject: str, when: float, arm: str) -> None:
        place = self.world.arms.index(arm)
        if self.world.source == "attribute":
            self.export.attribute(self.workspace, cio, "cohort", "ABC"[place], when)
        else:
            index = "branch_index" if self.world.source == "branch" else "split_test_index"
            self.export.draw(
                self.workspace, subject, when, action=DRAW,
                **{index: place + self.world.index_base},
            )  # fmt: skip

    def _merge(self, first: str, second: str, when: float) -> None:
        self.export.register(
            "identity_merges",
            workspace_id=self.workspace,
            primary_cio_id=self._cio(first),
            secondary_cio_id=self._cio(second),
            merged_at=at(when).isoformat(),
            reason="drawn",
        )

    def _idle(self) -> None:
        """People of every kind but the assigned: buyers, readers of other journeys, entrants
        whose draw never came, profiles that are one person."""
        draw = random.Random(-self.world.seed - 1)
        for number in range(40):
            cio = self._cio(f"z{number:03d}")
            self.export.person(self.workspace, cio)
            when = draw.uniform(0, 400)
            if number % 4 == 0:
                self.export.entry(self.workspace, cio, when)
                self.export.message(self.workspace, cio, when + 1, action=MESSAGE)
            if number % 4 == 1:
                self.export.message(self.workspace, cio, when, campaign=202, action=2101)
            if number % 4 == 2:
                self.export.attribute(self.workspace, cio, "plan", "A", when)
            if number % 8 == 3:
                self._merge(f"z{number:03d}", f"z{number - 1:03d}", when)
            for name in ("order", "web_order", "checkout", "view"):
                self.export.event(f"c_{cio}", when + draw.uniform(0, 90), name=name, value=99.0)

    def _register(self, key: str, primary_metric: str) -> None:
        made = self.world
        is_holdout = self.twin not in ("plain", "swapped")
        self.export.register(
            "experiments",
            experiment_key=key,
            kind="journey_holdout" if is_holdout else "variant",
            workspace_id=self.workspace,
            campaign_id=101,
            assignment_source=made.source,
            attribute_name="cohort" if made.source == "attribute" else "",
            started_at=at(-1).isoformat(),
            analysis_at="" if made.analysis_at is None else at(made.analysis_at).isoformat(),
            window_hours=round(WINDOW),
            primary_metric=primary_metric,
            alpha=0.05,
            planned_n=made.planned_n or "",
            owner="lifecycle",
        )
        names = dict(zip(made.arms, made.arms, strict=True))
        if self.twin == "swapped":
            names |= {CONTROL: FIRST, FIRST: CONTROL}
        ends = [start for start, _ in made.versions[1:]]
        for version, (start, weights) in enumerate(made.versions, start=1):
            for place, (arm, weight) in enumerate(zip(made.arms, weights, strict=True)):
                is_trapped = made.is_trapped and (arm == CONTROL or not is_holdout)
                self.export.register(
                    "experiment_arms",
                    experiment_key=key,
                    arm=names[arm],
                    is_control="true" if names[arm] == CONTROL else "false",
                    weight=weight,
                    allocation_version=version,
                    valid_from=at(start).isoformat(),
                    valid_to=at(ends[version - 1]).isoformat() if version <= len(ends) else "",
                    split_action_id="" if made.source == "attribute" else DRAW,
                    split_index="" if made.source == "attribute" else place + made.index_base,
                    attribute_value="ABC"[place] if made.source == "attribute" else "",
                    trap_action_id=TRAP if is_trapped else "",
                )


def scatter(export: Export, folder: Path, seed: int) -> tuple[list[Path], Path]:
    """The same rows in other files: two folders to be loaded one after the other, and registries.

    Rows and registries are shuffled, each family is cut anywhere, every third file comes twice
    under two names.
    """
    shuffler = random.Random(seed)
    halves = [folder / "first", folder / "second"]
    seeds = folder / "seeds"
    for made in (*halves, seeds):
        made.mkdir(parents=True)
    sequence = iter(shuffler.sample(range(10_000), 10_000))
    for family in sorted(export.tables, key=lambda _: shuffler.random()):
        rows = export.tables[family]
        shuffler.shuffle(rows)
        for workspace in sorted({row["workspace_id"] for row in rows}):
            mine = [row for row in rows if row["workspace_id"] == workspace]
            cut = shuffler.randint(0, len(mine))
            for part in filter(None, (mine[:cut], mine[cut:])):
                table = table_of(part, SHAPES[family])
                for half in shuffler.sample(halves, 2 if shuffler.random() < 0.33 else 1):
                    name = f"{family}_v5_{workspace}_{241600000000300000 + next(sequence)}.parquet"
                    pq.write_table(table, half / name)
    shuffler.shuffle(export.behavior)
    cut = len(export.behavior) // 3
    for number, (half, part) in enumerate(
        zip((*halves, halves[1]), (export.behavior[:cut], export.behavior[cut:], export.behavior),
            strict=True)
    ):  # fmt: skip
        pq.write_table(table_of(part, BEHAVIOR), half / f"behavior_{number}.parquet")
    for registry, declared in export.registries.items():
        shuffler.shuffle(declared)
        with (seeds / f"{registry}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, REGISTRIES[registry], restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(declared)
    return halves, seeds

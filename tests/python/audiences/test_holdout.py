"""Whoever is held out leaves in no call and no file: random registries, merges, labels, aborts."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from audience_world import Arm, Human, World, audience
from conftest import PROVE

from pipelines.audiences.export import export
from pipelines.audiences.limits import UNHURRIED
from pipelines.audiences.planning import make_plan
from pipelines.audiences.push import push
from pipelines.calling.clock import Clock
from pipelines.errors import CounterfoilError
from pipelines.sandbox import Fault, Sandbox

SEEDS = range(200 if PROVE else 12)
FAST = replace(UNHURRIED, backoff_seconds=0.001, longest_backoff_seconds=0.01, ids_per_call=7)
FAULTS = ("error", "error_after", "reset", "commit_then_reset", "throttle")
DAYS = 3
PLATFORMS = ("meta", "tiktok", "google")


class Stopped(BaseException):
    """As if the process ended here."""


def dying(after: int) -> Clock:
    """A clock that ends the run when it is asked for the time once too often."""
    asked = iter(range(after))

    def now() -> datetime:
        if next(asked, None) is None:
            raise Stopped
        return datetime.now(UTC).replace(tzinfo=None)

    return Clock(now=now, sleep=lambda _: None)


def experiments(chance: random.Random) -> list[Arm]:
    """Several experiments of any kind, with one control or two, and one holdout from everything."""
    found: list[Arm] = []
    for key in ("cart", "tea", "win"):
        if key == "cart" or chance.random() < 0.5:
            kind = chance.choice(["journey_holdout", "variant", "timing", "global_holdout"])
            place = chance.choice([None, 1, 2])
            arms = [("control", True), ("shown", False), ("also", chance.random() < 0.3)]
            found += [(key, arm, control, kind, place) for arm, control in arms]
    if chance.random() < 0.8:
        found.append(("all", "control", True, "global_holdout", chance.choice([None, 1])))
    return found


def somebody(chance: random.Random, world: World, emails: list[str]) -> Human:
    """A new profile, who may share an address, a number or an id with others, or spell it anew."""
    number = len(world.humans)
    email = chance.choice([*emails, f"p{number}@shop.example", f"p{number}@shop.example", None])
    if email is not None and chance.random() < 0.1:
        email = chance.choice([email.upper(), email.replace("@", "+tag@")])
    customer_id = f"id-{number}" if email is None or chance.random() < 0.9 else None
    # who is no more leaves an id behind, and somebody else may come by it
    free = {human.customer_id for human in world.humans.values() if human.is_deleted} - {
        human.customer_id for human in world.humans.values() if not human.is_deleted
    }
    if free - {None} and chance.random() < 0.3:
        customer_id = chance.choice(sorted(one for one in free if one))
    human = Human(
        f"c{number}",
        f"person-{number}",
        customer_id,
        email,
        is_in=chance.random() < 0.8,
        consents=chance.random() < 0.8,
        phone=chance.choice([None, f"+1555{chance.randrange(30):07}"]),
        versions=chance.choice([(1,), (2,), (1, 2), (1, 2)]),
    )
    if email is not None:
        emails.append(email)
    label(chance, world, human)
    return human


def label(chance: random.Random, world: World, human: Human) -> None:
    """An assignment, maybe: of any experiment, maybe not the first, maybe of no declared arm."""
    if chance.random() < 0.5:
        experiment, arm = chance.choice(world.arms)[:2]
        human.arms.append((experiment, chance.choice([arm, arm, "shown", "lost"])))


def registry(chance: random.Random, world: World) -> list[dict[str, Any]]:
    """Audiences of any kind; those that name no experiment mind the global holdout."""
    kinds = [None, "customer_id", "email", "cio_id"]
    keys = sorted({arm[0] for arm in world.arms if arm[2]})
    rows = [
        audience(
            f"sms_{number}",
            workspace_id=chance.choice([None, 1]),
            version=chance.choice([1, 1, 2]),
            destination_id=str(40 + number),
            identifier_type=chance.choice(kinds),
            experiment_key=chance.choice([*keys, None]),
            max_members=chance.choice([None, None, 5]),
        )
        for number in range(3)
        if chance.random() < 0.8
    ]
    return rows + [
        audience(
            f"ads_{platform}",
            workspace_id=chance.choice([None, 1]),
            version=chance.choice([1, 1, 2]),
            destination="ads_file",
            destination_id=platform,
            consent_attribute="ok",
            experiment_key=chance.choice([*keys, None]),
        )
        for platform in PLATFORMS
    ]


def a_day(chance: random.Random, world: World, emails: list[str]) -> None:
    """What may happen between two builds."""
    for _ in range(chance.randrange(4)):
        world.add(somebody(chance, world, emails))
    for human in world.humans.values():
        if chance.random() < 0.15:
            label(chance, world, human)
        if chance.random() < 0.1:
            human.is_in = not human.is_in
        if chance.random() < 0.05 and human.customer_id:
            human.customer_id = f"moved-{human.customer_id}"
        if chance.random() < 0.05:
            human.consents = not human.consents
    living = [human for human in world.humans.values() if not human.is_deleted]
    for _ in range(chance.randrange(3)):
        if len(living) > 2:
            kept, merged = chance.sample(living, 2)
            if not merged.is_deleted and not kept.is_deleted:
                world.merge(kept.cio_id, merged.cio_id)
    for human in world.humans.values():
        if chance.random() < 0.03:
            human.is_deleted = True
    world.audiences = registry(chance, world) if chance.random() < 0.3 else world.audiences


def hashes_of(names: set[str]) -> set[str]:
    """How a platform's file would hold these: addresses without a tag, numbers without a +."""
    spelled = names | {name.removeprefix("+") for name in names}
    spelled |= {name.split("+")[0] + "@" + name.split("@")[-1] for name in names if "@" in name}
    return names | {hashlib.sha256(name.encode()).hexdigest() for name in spelled}


def judge_file(world: World, row: dict[str, Any], out: Path) -> None:
    """No file holds anything by which somebody held out could be known, or anything unhashed."""
    text = out.read_text()
    told = set(text.replace("\n", ",").split(","))
    assert told.isdisjoint(hashes_of(world.names_of(world.held_out(row))))
    for beside in out.parent.glob(f"{out.name}*"):
        assert "@" not in beside.read_text(), "no address, and a manifest names nobody"
    names = world.names_of(human.person for human in world.humans.values())
    assert told.isdisjoint(names)


def judge(world: World, heap: Sandbox, calls: int) -> None:
    """Nobody held out was added; nobody was named whom Customer.io does not hold."""
    workspace = heap.customerio
    assert workspace.invented == []
    named = {row["destination_id"]: row for row in world.audiences}
    for action, segment, _, ids in workspace.sent[calls:]:
        if action == "add_customers":
            held = world.names_of(world.held_out(named[str(segment)]))
            assert held.isdisjoint({name.lower() for name in ids} | set(ids))


def settle(world: World, heap: Sandbox) -> None:
    """A push that nobody disturbs: each segment holds its members, by us or by others before."""
    with heap.state.lock:
        heap.state.faults.clear()
    push(world.settings, world.console, limits=FAST, is_again=True)
    for row in world.audiences:
        if row["destination"] == "customerio_segment":
            inside = heap.customerio.segments.get(int(row["destination_id"]), set())
            assert inside == world.members(row["audience_key"])
            held = world.held_out(row)
            assert not [c for c in inside if world.humans[c].person in held]


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_held_out_ever_leaves(
    seed: int,
    heap: Sandbox,
    tmp_path: Path,
    make_world: Callable[[str], World],
) -> None:
    chance = random.Random(seed)
    world = make_world(f"world-{seed}")
    world.arms = experiments(chance)
    emails: list[str] = []
    for _ in range(chance.randrange(5, 40)):
        world.add(somebody(chance, world, emails))
    world.audiences = registry(chance, world)
    for day in range(DAYS):
        world.tell(heap.customerio)
        world.build()
        calls = len(heap.customerio.sent)
        plan = make_plan(world.settings, world.console, limits=FAST)
        if chance.random() < 0.3:  # a plan that was made before the labels came
            a_day(chance, world, emails)
            world.tell(heap.customerio)
            world.build()
        file = plan.path if chance.random() < 0.5 else None
        for _ in range(chance.randrange(3)):
            if chance.random() < 0.5:
                kind = chance.choice(FAULTS)
                heap.inject(Fault(kind, times=chance.randrange(1, 12), skip=chance.randrange(3)))
            try:
                clock = dying(chance.randrange(1, 30))
                push(world.settings, world.console, file, limits=FAST, clock=clock)
            except (Stopped, CounterfoilError):
                pass
            judge(world, heap, calls)
        settle(world, heap)
        judge(world, heap, calls)
        for row in world.audiences:
            if row["destination"] == "ads_file":
                out = tmp_path / f"{row['audience_key']}-{day}.csv"
                dying_export = partial(export, clock=dying(chance.randrange(3)))
                for write in (dying_export, export):
                    with suppress(Stopped):
                        write(world.settings, world.console, row["audience_key"], out=out)
                    if out.exists():
                        judge_file(world, row, out)
        a_day(chance, world, emails)

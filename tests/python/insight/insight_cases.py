"""One export in which every figure of the insight marts is known before it is built.

Workspace 1 holds one journey a case, all with people of their own; workspaces 2 and 3 hold nothing
but reorders. `write` returns the folders to load and to build with.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from exports import T0, Export, at

AS_OF = T0 + timedelta(days=30)
END = 720.0  # AS_OF in hours after T0

CREDIT, TIMING_TRAP, FUNNEL, TRAPPED, DELAYS, UNDRAWN, VARIANTS, BROKEN, WINBACK, CURVES = (
    110, 120, 130, 150, 160, 170, 180, 185, 190, 195,
)  # fmt: skip

LEUKAEMIA = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"
COFFEE = "21 24 26 27 28 28 29 30 31 33 35 40 15+ 18+ 22+ 30+ 45+ 50+ 55+ 60+ 60+ 60+ 60+ 60+"

WALKS: dict[str, dict[str, float]] = {
    "walked": {"checkout": 10, "shipping": 12, "payment": 20, "order": 30},
    "shipping_only": {"checkout": 10, "shipping": 12},
    "no_shipping": {"checkout": 10, "payment": 20},
    "backwards": {"checkout": 10, "shipping": 8},
    "to_payment": {"checkout": 10, "shipping": 12, "payment": 20},
    "straight": {"checkout": 10, "order": 30},
}


def write(folder: Path) -> tuple[Path, Path]:
    """Write every case; returns the export and the registries."""
    export = Export()
    for name, behavior in (
        ("checkout", "checkout_started"),
        ("shipping", "shipping_viewed"),
        ("payment", "payment_viewed"),
        ("order", "order_placed"),
    ):
        export.register("behavior_map", event_name=name, behavior=behavior)
    _credit(export)
    _timing_trap(export)
    _funnel(export)
    _trapped(export)
    _delays(export)
    _undrawn(export)
    _variants(export)
    _broken(export)
    _winback(export)
    reorders = [*_reorders(export), *_curves(export)]
    export_folder, seeds = export.write(folder)
    _write_reorders(export_folder, reorders)
    _write_confirmations(export_folder)
    return export_folder, seeds


def _declare(
    export: Export,
    key: str,
    campaign: int,
    *,
    kind: str = "journey_holdout",
    arms: tuple[str, str] = ("treatment", "holdout"),
    weight: float = 0.9,
    trap: int | None = None,
    workspace: int = 1,
    started_at: float = -24.0,
    window_hours: int = 168,
) -> None:
    """An experiment drawn by branch 0 (the first arm) and 1 (the control), read at AS_OF."""
    export.register(
        "experiments",
        experiment_key=key,
        kind=kind,
        workspace_id=workspace,
        campaign_id=campaign,
        assignment_source="branch",
        started_at=at(started_at).isoformat(),
        analysis_at=AS_OF.isoformat(),
        window_hours=window_hours,
        primary_metric="order_rate",
        alpha=0.05,
        owner="lifecycle",
    )
    for index, (arm, share) in enumerate(zip(arms, (weight, round(1 - weight, 6)), strict=True)):
        export.register(
            "experiment_arms",
            experiment_key=key,
            arm=arm,
            is_control="true" if index else "false",
            weight=share,
            allocation_version=1,
            split_action_id=campaign * 10,
            split_index=index,
            trap_action_id=trap if index and trap else "",
        )


def _people(
    export: Export, campaign: int, treatment: int, holdout: int
) -> Iterator[tuple[str, int, bool, str]]:
    """Enter and draw so many people; yields profile, number within the arm, is treated, entry."""
    for is_treated, count in ((True, treatment), (False, holdout)):
        for number in range(count):
            cio_id = f"{campaign}{'t' if is_treated else 'h'}{number:05d}"
            export.person(1, cio_id)
            subject = export.entry(1, cio_id, campaign=campaign)
            export.draw(1, subject, action=campaign * 10, branch_index=0 if is_treated else 1)
            yield cio_id, number, is_treated, subject


def _walk(export: Export, cio_id: str, ordered_at: float, value: float = 50.0) -> None:
    """The whole checkout, ending with an order."""
    for minutes_before, name in ((30, "checkout"), (20, "shipping"), (10, "payment")):
        export.event(f"c_{cio_id}", ordered_at - minutes_before / 60, name=name)
    export.event(f"c_{cio_id}", ordered_at, value=value)


def _credit(export: Export) -> None:
    """V10: 720 of 9,000 and 70 of 1,000 order; 400 of the 720 clicked before, 100 scanners did."""
    _declare(export, "credit", CREDIT)
    for cio_id, number, is_treated, subject in _people(export, CREDIT, 9000, 1000):
        if is_treated:
            claimed = ("converted",) if number < 500 else ()
            export.message(
                1,
                cio_id,
                subject=subject,
                campaign=CREDIT,
                metrics=("sent", "delivered", *claimed),
                clicked_at=2.0 if number < 500 else None,
            )
            if 400 <= number < 500:
                export.tables["metrics"][-1]["machine"] = True
        if number < (720 if is_treated else 70):
            _walk(export, cio_id, 48.0)


def _timing_trap(export: Export) -> None:
    """V12: no effect; 4 % buy in the first hour, 3 % by the fourth, 3 % later."""
    _declare(export, "timing_trap", TIMING_TRAP)
    for cio_id, number, is_treated, subject in _people(export, TIMING_TRAP, 9000, 1000):
        share = number / (9000 if is_treated else 1000)
        bought_at = 0.5 if share < 0.04 else 2.0 if share < 0.07 else 24.0 if share < 0.1 else None
        if bought_at is not None:
            export.event(f"c_{cio_id}", bought_at)
        for action, sent_at, channel in ((1201, 1.0, "email"), (1202, 4.0, "twilio")):
            if is_treated and (bought_at is None or bought_at > sent_at):
                export.message(
                    1, cio_id, sent_at, subject=subject, campaign=TIMING_TRAP, action=action
                )
                export.tables["deliveries"][-1]["delivery_type"] = channel


def _funnel(export: Export) -> None:
    """V25: six people, each with a walk of their own, minutes after the assignment."""
    _declare(export, "funnel", FUNNEL, weight=0.5)
    for (name, walk), index in zip(WALKS.items(), (0, 0, 0, 0, 1, 1), strict=True):
        export.person(1, name)
        subject = export.entry(1, name, campaign=FUNNEL)
        export.draw(1, subject, action=FUNNEL * 10, branch_index=index)
        for step, minutes in walk.items():
            export.event(f"c_{name}", minutes / 60, name=step)


def _trapped(export: Export) -> None:
    """A fifth of both arms buys before message 1; of the rest 115 of 1,440 and 16 of 160 do later.

    Of the treated 60 unsubscribe and 5 complain. The trap of the held-out clicks and unsubscribes;
    12 of them unsubscribe from a real message of another journey.
    """
    _declare(export, "trapped", TRAPPED, trap=1502)
    for cio_id, number, is_treated, subject in _people(export, TRAPPED, 1800, 200):
        leavers, buyers = (360, 115) if is_treated else (40, 16)
        if number < leavers:
            export.event(f"c_{cio_id}", 0.5)
            continue
        if number < leavers + buyers:
            export.event(f"c_{cio_id}", 48.0)
        reached = number - leavers
        if is_treated:
            reaction = ("unsubscribed",) if reached < 60 else ("spammed",) if reached < 65 else ()
            export.message(
                1,
                cio_id,
                subject=subject,
                campaign=TRAPPED,
                action=1501,
                metrics=("sent", "delivered", *reaction),
            )
        else:
            export.message(
                1,
                cio_id,
                subject=subject,
                campaign=TRAPPED,
                action=1502,
                metrics=("sent", "delivered", "unsubscribed", "converted"),
                clicked_at=3.0,
            )
        if not is_treated and reached >= 148:
            other = export.entry(1, cio_id, 2.0, campaign=UNDRAWN)
            export.message(
                1,
                cio_id,
                2.0,
                subject=other,
                campaign=UNDRAWN,
                metrics=("sent", "delivered", "unsubscribed"),
            )


def _delays(export: Export) -> None:
    """The delay is drawn: 80 of 1,000 order when it is a day, 50 of 1,000 when it is an hour."""
    _declare(export, "delays", DELAYS, kind="timing", arms=("one_day", "one_hour"), weight=0.5)
    for cio_id, number, is_late, subject in _people(export, DELAYS, 1000, 1000):
        sent_at = 24.0 if is_late else 1.0
        export.message(1, cio_id, sent_at, subject=subject, campaign=DELAYS)
        if number < (80 if is_late else 50):
            export.event(f"c_{cio_id}", 48.0)


def _undrawn(export: Export) -> None:
    """A journey without a control: one enters twice, clicks and orders; one came two days ago."""
    for cio_id, entered_at in (("regular", 0.0), ("regular", 200.0), ("young", END - 48)):
        if entered_at != 200.0:
            export.person(1, cio_id)
        export.entry(1, cio_id, entered_at, campaign=UNDRAWN, number=1 + int(entered_at == 200.0))
    export.message(1, "regular", 1.0, campaign=UNDRAWN, clicked_at=2.0)
    export.event("c_regular", 2.5, name="checkout")
    export.event("c_regular", 3.0, value=20.0)


def _variants(export: Export) -> None:
    """Two variants and nobody held out: 20 of 100 and 30 of 100 order."""
    _declare(export, "variants", VARIANTS, kind="variant", arms=("bold", "plain"), weight=0.5)
    for cio_id, number, is_bold, subject in _people(export, VARIANTS, 100, 100):
        export.message(1, cio_id, subject=subject, campaign=VARIANTS)
        if number < (20 if is_bold else 30):
            export.event(f"c_{cio_id}", 48.0)


def _broken(export: Export) -> None:
    """Declared 90/10, found 50/50; 40 of the treated click and order."""
    _declare(export, "broken", BROKEN)
    for cio_id, number, is_treated, subject in _people(export, BROKEN, 100, 100):
        if is_treated:
            clicked_at = 2.0 if number < 40 else None
            export.message(1, cio_id, subject=subject, campaign=BROKEN, clicked_at=clicked_at)
        if number < (40 if is_treated else 20):
            _walk(export, cio_id, 48.0)


def _winback(export: Export) -> None:
    """All ordered once 100 days ago. High intent: 20 % against 10 % order again; cold: 5 % in both.

    Thirty more are quiet today, and were in the checkout two hours before AS_OF.
    """
    _declare(export, "winback", WINBACK, weight=0.5)
    for cio_id, number, is_treated, subject in _people(export, WINBACK, 2000, 2000):
        export.event(f"c_{cio_id}", -2400.0, value=50.0)
        is_high, place = number < 1000, number % 1000
        if is_high:
            export.event(f"c_{cio_id}", -1.0, name="checkout")
        if is_treated:
            export.message(1, cio_id, subject=subject, campaign=WINBACK)
        if place < (200 if is_treated else 100) if is_high else place < 50:
            export.event(f"c_{cio_id}", 48.0, value=50.0)
    for number in range(30):
        export.person(1, f"quiet{number}")
        export.event(f"c_quiet{number}", -2400.0, value=40.0)
        export.event(f"c_quiet{number}", END - 2, name="checkout")


def _reorders(export: Export) -> Iterator[tuple[str, str, datetime]]:
    """Customer, category, instant. A gap ends on the day of AS_OF or is open then (`+`)."""
    cases = [(2, "Leukaemia", LEUKAEMIA), (2, "coffee", COFFEE)]
    cases += [(2, "filters", "20 " * 15 + "40 " * 15), (3, "filters", "20 " * 29)]
    for workspace, category, gaps in cases:
        for number, gap in enumerate(gaps.split()):
            cio_id = f"{category}{workspace}{number:02d}"
            export.person(workspace, cio_id, created_at=-3000.0)
            days = int(gap.rstrip("+"))
            yield f"c_{cio_id}", category, AS_OF - timedelta(days=days, hours=6)
            if not gap.endswith("+"):
                yield f"c_{cio_id}", category, AS_OF - timedelta(hours=6)


def _curves(export: Export) -> Iterator[tuple[str, str, datetime]]:
    """V22's two arms: waits from the assignment to the reorder, or to AS_OF (`+`)."""
    _declare(export, "curves", CURVES, weight=0.5, workspace=4, started_at=-480.0, window_hours=24)
    for index, waits in enumerate((LEUKAEMIA, PLACEBO)):
        for number, wait in enumerate(waits.split()):
            cio_id = f"curve{index}{number:02d}"
            days = int(wait.rstrip("+"))
            drawn_at = AS_OF - timedelta(days=days if wait.endswith("+") else 40)
            export.person(4, cio_id, created_at=-3000.0)
            subject = export.entry(4, cio_id, drawn_at, campaign=CURVES)
            export.draw(4, subject, drawn_at, action=CURVES * 10, branch_index=index)
            yield f"c_{cio_id}", "tablets", AS_OF - timedelta(days=100)
            if not wait.endswith("+"):
                yield f"c_{cio_id}", "tablets", drawn_at + timedelta(days=days)


def _write_reorders(folder: Path, reorders: list[tuple[str, str, datetime]]) -> None:
    customers, categories, instants = zip(*reorders, strict=True)
    table = pa.table(
        {
            "event_id": [f"r-{number:05d}" for number in range(len(reorders))],
            "customer_id": customers,
            "event_name": ["order"] * len(reorders),
            "occurred_at": pa.array(instants, pa.timestamp("us")),
            "category": categories,
        }
    )
    pq.write_table(table, folder / "behavior_reorders.parquet")


def _write_confirmations(folder: Path) -> None:
    """Order confirmations to 100 treated and 20 held-out people of the trapped journey."""
    people = [f"{TRAPPED}t{n:05d}" for n in range(100)] + [f"{TRAPPED}h{n:05d}" for n in range(20)]
    deliveries = [f"confirmation-{cio_id}" for cio_id in people]
    sent_at = pa.array([at(1.0)] * len(people), pa.timestamp("us"))
    workspaces = pa.array([1] * len(people), pa.int64())
    pq.write_table(
        pa.table(
            {
                "workspace_id": workspaces,
                "delivery_id": deliveries,
                "internal_customer_id": people,
                "delivery_type": ["email"] * len(people),
                "transactional_message_id": pa.array([3] * len(people), pa.int64()),
                "created_at": sent_at,
            }
        ),
        folder / "deliveries_v5_1_241600000000399000.parquet",
    )
    pq.write_table(
        pa.table(
            {
                "event_id": [f"{delivery}-sent" for delivery in deliveries],
                "workspace_id": workspaces,
                "delivery_id": deliveries,
                "metric": ["sent"] * len(people),
                "created_at": sent_at,
            }
        ),
        folder / "metrics_v5_1_241600000000399000.parquet",
    )

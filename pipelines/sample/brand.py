"""The sample brand's fixed facts: its calendar, its workspaces, its ids. Nothing here is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

SAMPLE_AS_OF = datetime(2026, 6, 1)
"""The sample's own end (UTC): no event happens at or after it."""

HISTORY_DAYS = 180
SAMPLE_START = SAMPLE_AS_OF - timedelta(days=HISTORY_DAYS)
"""Day 0 of the history; every `day` in this package counts from here."""

EXPORT_DAYS = 20
"""A batch of files every so many days; the first one (day 20) back-fills what came before it."""

BATCHES = HISTORY_DAYS // EXPORT_DAYS

DEFAULT_PEOPLE = 5_000
DEFAULT_SEED = 1
DEFAULT_EFFECT = 0.08
"""Planted effect of the cart e-mail on those it reaches, absolute, on the chance of ordering."""

WINBACK_EFFECT = 0.03
TEXT_EFFECT = 0.18
"""Planted effect of the text at thirty minutes on those it reaches; at four hours it has none."""

TEXTABLE_SHARE = 0.7
"""So many people left a number; only they are drawn for the text."""

WEEKEND_MOVES = 0.4
"""Of the carts that would be left on a weekday, so many are left on the Saturday after it."""

RETURNED_SHARE = 0.06
"""Of the orders, so many are sent back within three weeks."""

COMES_BACK, BACK_TO_SHIPPING, BACK_TO_PAYMENT = 0.18, 0.6, 0.5
"""Of abandoned carts, of those come back to, and of those in which the rates were seen again."""

PRICE_DROPS_DAY = 100
"""From that day on people are told of price drops: in a week once, or at every one of four."""

LEAVES_BY_DOSE = (0.006, 0.02, 0.02, 0.2)
"""How many leave by the first, second, third and fourth price-drop e-mail within a week."""

ASKED_SHARE, CONSENT_SHARE = 0.8, 0.6
"""Of the people, so many were asked for consent to ads; of those asked, so many gave it."""

BRAND_WORKSPACE = 208301
SISTER_WORKSPACE = 208477
BLACK_HOLE = "held-out@sister.example.net"
"""The mailbox that the sister brand sends its held-out people to (the legacy recipe)."""

CURATED_MERGES = 20
"""Rows of identity_merges.csv; later merged pairs are known by what they share alone."""


@dataclass(frozen=True)
class Category:
    """What is sold, how often it is bought again, and what an order costs about."""

    name: str
    cycle_days: int
    price: int


CATEGORIES = (
    Category("coffee", 28, 24),
    Category("skincare", 45, 46),
    Category("supplements", 30, 35),
)


@dataclass(frozen=True)
class Campaign:
    """A campaign or API-triggered broadcast of the brand's workspace."""

    campaign_id: int
    name: str
    campaign_type: str


CART, REPLENISHMENT, WINBACK, WELCOME, DRAFT, BROWSE, BROADCAST = 101, 102, 103, 104, 105, 106, 201
TEXT, PUSH, PRICE_DROPS = 107, 108, 109

CAMPAIGNS = (
    Campaign(CART, "Cart recovery", "event"),
    Campaign(REPLENISHMENT, "Replenishment reminder", "segment"),
    Campaign(WINBACK, "Winback", "segment"),
    Campaign(WELCOME, "Welcome", "segment"),
    Campaign(DRAFT, "Loyalty club", "segment"),
    Campaign(BROWSE, "Browse abandonment", "event"),
    Campaign(TEXT, "Shipping rates text", "event"),
    Campaign(PUSH, "Reorder nudge", "segment"),
    Campaign(PRICE_DROPS, "Price drops", "segment"),
)


@dataclass(frozen=True)
class Action:
    """A workflow item of a campaign."""

    campaign_id: int
    action_id: int
    name: str
    kind: str


ACTIONS = (
    Action(CART, 1010, "Cart split", "split_test"),
    Action(CART, 1011, "Your cart is waiting", "email"),
    Action(CART, 1012, "Your cart is waiting (holdout)", "email"),
    Action(CART, 1013, "Cart text after shipping rates", "sms"),
    Action(CART, 1014, "Wait an hour", "delay"),
    Action(CART, 1019, "Exit", "exit"),
    Action(REPLENISHMENT, 1020, "Random cohorts", "random_cohort_branch"),
    Action(REPLENISHMENT, 1021, "Running low?", "email"),
    Action(REPLENISHMENT, 1029, "Exit", "exit"),
    Action(WINBACK, 1030, "Winback cohort", "branch"),
    Action(WINBACK, 1031, "We kept your favourites", "email"),
    Action(WINBACK, 1032, "Welcome back banner", "in_app"),
    Action(WINBACK, 1039, "Exit", "exit"),
    Action(WELCOME, 1041, "Welcome", "email"),
    Action(WELCOME, 1042, "Find your routine", "in_app"),
    Action(WELCOME, 1043, "Tell the loyalty desk", "webhook"),
    Action(DRAFT, 1051, "Join the club", "email"),
    Action(BROWSE, 1061, "Still thinking it over?", "email"),
    Action(TEXT, 1070, "Random cohorts after shipping rates", "random_cohort_branch"),
    Action(TEXT, 1071, "Text at thirty minutes", "sms"),
    Action(TEXT, 1072, "Text at four hours", "sms"),
    Action(TEXT, 1079, "Exit", "exit"),
    Action(PUSH, 1080, "Push split", "split_test"),
    Action(PUSH, 1081, "Time for a refill", "push"),
    Action(PRICE_DROPS, 1091, "Your favourite costs less", "email"),
    Action(BROADCAST, 2011, "Delivery notice", "email"),
)

ORDER_CONFIRMATION = 3
"""Transactional message id."""


@dataclass(frozen=True)
class Newsletter:
    """A one-time send with two content variants."""

    newsletter_id: int
    day: int
    contents: tuple[int, int]
    name: str


NEWSLETTERS = (
    Newsletter(7, 12, (12, 13), "December letter"),
    Newsletter(8, 75, (14, 15), "February letter"),
    Newsletter(9, 140, (16, 17), "April letter"),
)


@dataclass(frozen=True)
class Experiment:
    """A journey with a control, as the registry declares it."""

    key: str
    workspace_id: int
    campaign_id: int
    source: str
    start_day: int
    window_hours: int
    control_share: float
    planned_n: int
    analysis_day: int | None = None
    attribute_name: str = ""
    salt: str = ""
    split_action_id: int | None = None
    arms: tuple[str, ...] = ("treatment", "holdout")
    changes: tuple[tuple[int, tuple[float, ...]], ...] = ()

    @property
    def allocations(self) -> tuple[tuple[int, tuple[float, ...]], ...]:
        """From which day on which arm gets how many; the control is the last arm."""
        return self.changes or ((self.start_day, (1 - self.control_share, self.control_share)),)

    @property
    def started_at(self) -> datetime:
        """First instant at which the journey assigns."""
        return SAMPLE_START + timedelta(days=self.start_day)


EXPERIMENTS = (
    Experiment(
        "cart_recovery",
        BRAND_WORKSPACE,
        CART,
        "split",
        21,
        168,
        0.3,
        2_000,
        172,
        split_action_id=1010,
    ),
    Experiment(
        "replenishment",
        BRAND_WORKSPACE,
        REPLENISHMENT,
        "branch",
        30,
        168,
        0.4,
        1_000,
        172,
        split_action_id=1020,
    ),
    Experiment(
        "winback",
        BRAND_WORKSPACE,
        WINBACK,
        "attribute",
        50,
        720,
        0.3,
        4_000,
        None,
        "cohort_winback",
        "winback_2026",
    ),
    Experiment(
        "sister_cart",
        SISTER_WORKSPACE,
        CART,
        "split",
        40,
        168,
        0.5,
        1_000,
        split_action_id=1010,
    ),
    # right before the first message, in a journey of its own: nothing else chose who is left
    Experiment(
        "shipping_text",
        BRAND_WORKSPACE,
        TEXT,
        "branch",
        60,
        168,
        0.3,
        1_000,
        172,
        split_action_id=1070,
        arms=("text_30m", "text_4h", "holdout"),
        changes=((60, (0.4, 0.3, 0.3)), (124, (0.35, 0.35, 0.3))),
    ),
    Experiment(
        "reorder_nudge",
        BRAND_WORKSPACE,
        PUSH,
        "split",
        60,
        168,
        0.4,
        600,
        172,
        split_action_id=1080,
    ),
)


def experiment(key: str) -> Experiment:
    """The experiment of that key."""
    return next(one for one in EXPERIMENTS if one.key == key)

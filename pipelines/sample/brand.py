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

CAMPAIGNS = (
    Campaign(CART, "Cart recovery", "event"),
    Campaign(REPLENISHMENT, "Replenishment reminder", "segment"),
    Campaign(WINBACK, "Winback", "segment"),
    Campaign(WELCOME, "Welcome", "segment"),
    Campaign(DRAFT, "Loyalty club", "segment"),
    Campaign(BROWSE, "Browse abandonment", "event"),
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
    Action(DRAFT, 1051, "Join the club", "email"),
    Action(BROWSE, 1061, "Still thinking it over?", "email"),
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

    @property
    def started_at(self) -> datetime:
        """First instant at which the journey assigns."""
        return SAMPLE_START + timedelta(days=self.start_day)


EXPERIMENTS = (
    Experiment("cart_recovery", BRAND_WORKSPACE, CART, "split", 21, 168, 0.3, 2_000, 172),
    Experiment("replenishment", BRAND_WORKSPACE, REPLENISHMENT, "branch", 30, 168, 0.4, 1_000, 172),
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
    Experiment("sister_cart", SISTER_WORKSPACE, CART, "split", 40, 168, 0.5, 1_000),
)


def experiment(key: str) -> Experiment:
    """The experiment of that key."""
    return next(one for one in EXPERIMENTS if one.key == key)

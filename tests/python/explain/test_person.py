"""`explain person` says why somebody is in a segment or an arm."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from publisher_home import Home

from pipelines.explain.explanation import explain_person
from pipelines.explain.life import tell, tell_delivery

RULE = "Left a cart and did not order."


def test_a_stay_names_its_rule_and_an_arm_who_drew_it(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.sql(
        "insert into marts.dim_persons (person_id, heap_identity, match_status, is_publishable) "
        "values ('ann', 'ann@shop.example', 'matched', true), ('bob', 'bob', 'matched', true)",
        "create table marts.fct_segment_memberships (person_id varchar, segment_key varchar, "
        "version bigint, entered_at timestamp, exited_at timestamp)",
        "insert into marts.fct_segment_memberships values "
        "('ann', 'cart', 2, '2026-01-01', null), ('ann', 'cart', 1, '2026-01-01', '2026-01-05')",
        "insert into marts.dim_segment_versions (segment_key, version, description) "
        f"values ('cart', 1, 'An older rule.'), ('cart', 2, '{RULE}')",
        "create or replace table marts.fct_experiment_assignments (experiment_key varchar, "
        "person_id varchar, arm varchar, assigned_at timestamp, count_assignments bigint, "
        "is_crossover boolean, crossover_cause varchar, exclusion_reason varchar)",
        "insert into marts.fct_experiment_assignments values "
        "('welcome', 'ann', 'holdout', '2026-01-02', 3, true, 'reentry', null), "
        "('winback', 'ann', 'treatment', '2026-01-03', 1, false, null, 'late_label')",
        "create schema registries",
        "create table registries.experiments (experiment_key varchar, assignment_source varchar)",
        "insert into registries.experiments values ('welcome', 'split'), ('winback', 'attribute')",
    )
    told = explain_person(home.settings, "ann", home.console)
    assert [line.strip() for line in told.lines if "segment" in line or "experiment" in line] == [
        "segment cart v1: in since 2026-01-01 00:00:00, out since 2026-01-05 00:00:00, "
        "by the rule: An older rule.",
        f"segment cart v2: in since 2026-01-01 00:00:00, still in, by the rule: {RULE}",
        "experiment welcome: arm holdout, assigned 2026-01-02 00:00:00 by split, "
        "the first of 3 assignments, crossed over (reentry)",
        "experiment winback: arm treatment, assigned 2026-01-03 00:00:00 by attribute, "
        "left out of the units (late_label)",
    ]
    assert "segment" not in " ".join(explain_person(home.settings, "bob", home.console).lines)


def test_a_life_is_told_day_by_day_with_names_and_without_keys() -> None:
    """Late before early, two people's rows, a ghost, a service message; each rule once."""
    stay: dict[str, Any] = {"segment_key": "cart_left", "version": 2}
    message: dict[str, Any] = {"delivery_id": "01HV-secret", "channel": "sms", "message_id": "7"}
    facts: dict[str, list[dict[str, Any]]] = {
        "dim_persons": [
            {
                "person_id": "p1f00", "match_status": "matched", "is_publishable": False,
                "heap_identity_source": "customer_id", "is_known_in_heap": True,
            }
        ],
        "map_identifiers": [
            {"person_id": "p1f00", "identifier_type": kind, "identifier": held, "valid_to": until}
            for kind, held, until in (
                ("cio_id", "f2d2abb", None), ("customer_id", "C9", None),
                ("email", "old@shop.example", datetime(2026, 1, 1)),
                ("email", "ann@shop.example", None),
            )
        ],
        "fct_segment_memberships": [
            stay | {"entered_at": datetime(2026, 1, 2, 9), "exited_at": datetime(2026, 1, 3, 8)},
            stay | {"entered_at": datetime(2026, 1, 9, 9), "exited_at": None},
        ],
        "dim_segment_versions": [stay | {"description": RULE}],
        "fct_experiment_assignments": [
            {
                "experiment_key": "welcome_test", "arm": "holdout",
                "assigned_at": datetime(2026, 1, 2, 8, 59, 59, 123456), "count_assignments": 2,
                "is_crossover": False, "exclusion_reason": "late_label",
            }
        ],
        "experiments": [{"experiment_key": "welcome_test", "assignment_source": "split"}],
        "fct_message_exposures": [
            message
            | {
                "message_name": "Second", "journey_name": "Cart", "exposure_kind": "real",
                "not_exposed_reason": None, "sent_at": datetime(2026, 1, 2, 11),
                "human_clicked_at": datetime(2026, 1, 3, 7),
            },
            message
            | {
                "message_name": None, "message_type": "campaign", "exposure_kind": "ghost",
                "not_exposed_reason": None, "created_at": datetime(2026, 1, 2, 10),
            },
            message
            | {
                "message_name": "Receipt", "exposure_kind": "none", "sent_at": datetime(2026, 1, 2),
                "not_exposed_reason": "transactional",
            },
            message
            | {
                "message_name": "Third", "exposure_kind": "none", "not_exposed_reason": "bounced",
                "sent_at": datetime(2026, 1, 3, 7, 30),
            },
        ],
        "receipts": [{"event": "cio_journey_entered", "acknowledged_at": datetime(2026, 2, 1, 6)}],
        "property_state": [{"acknowledged_at": datetime(2026, 2, 1, 7)}],
        "dead_letters": [{"reason": "no such user"}, {"reason": "no such user"}],
    }  # fmt: skip
    assert tell(facts) == [
        "Somebody who is matched: Heap knows them by their customer id, and may not be told of "
        "them.",
        "  customer id: C9",
        "  email: ann@shop.example",
        "  now in: Cart left v2",
        "  arms: holdout of welcome test",
        "",
        "Day by day (UTC)",
        "  2 Jan 2026",
        "    00:00  SMS “Receipt” was sent as a service, which counts as no exposure",
        "    08:59  was drawn into holdout of Welcome test by split, the first of 2 times; left "
        "out of the reading (late_label)",
        "    09:00  came into Cart left v2",
        "    10:00  SMS “campaign” was withheld, as they are held out",
        "    11:00  SMS “Second” of Cart was shown",
        "  3 Jan 2026",
        "    07:00  clicked in “Second”",
        "    07:30  SMS “Third” was not delivered (bounced)",
        "    08:00  left Cart left v2",
        "  9 Jan 2026",
        "    09:00  came into Cart left v2",
        "",
        "The rules of these segments",
        f"  Cart left v2: {RULE}",
        "",
        "Heap was told 1 event (cio_journey_entered) and 1 property, last on "
        "1 Feb 2026, 07:00 UTC.",
        "Heap refused 2: no such user.",
        "Every row with its keys: --verbose, or --json.",
    ]


def test_a_delivery_is_told_by_names_and_without_keys() -> None:
    """What it was, for whom, what came of it in the order of time, and what Heap was told."""
    facts: dict[str, list[dict[str, Any]]] = {
        "fct_message_exposures": [
            {
                "delivery_id": "01HV-secret", "person_id": "p1f00", "channel": "sms",
                "message_name": "Second", "journey_name": "Cart", "exposure_kind": "real",
                "not_exposed_reason": None, "minutes_since_trigger": 90,
                "arm": "cart_test=treatment||winback=holdout", "segments": "vip_v1",
                "intent_tier": None, "sent_at": datetime(2026, 1, 2, 11, 0, 0, 123456),
                "human_clicked_at": datetime(2026, 1, 3, 7),
            }
        ],
        "fct_goal_conversions": [
            {"goal": "order_placed", "converted_at": datetime(2026, 1, 2, 12)}
        ],
        "heap_refusals": [{"publish_key": "79b3", "reason": "order not known yet"}],
        "receipts": [
            {
                "event": "cio_message_sent", "publish_key": "79b4", "plan_id": "plan-1",
                "acknowledged_at": datetime(2026, 2, 1, 6, 0, 5, 1),
            }
        ],
        "dead_letters": [],
    }  # fmt: skip
    assert tell_delivery(facts) == [
        "SMS “Second” of Cart: a real exposure, it was shown.",
        "  90 min after its trigger",
        "  arms: treatment of Cart test, holdout of Winback",
        "  in the segments: Vip v1",
        "  intent: none",
        "",
        "Day by day (UTC)",
        "  2 Jan 2026",
        "    11:00  SMS “Second” of Cart was shown",
        "    12:00  the goal: order placed",
        "  3 Jan 2026",
        "    07:00  clicked in “Second”",
        "",
        "Heap is not told: order not known yet.",
        "Heap was told 1 event (cio_message_sent), last on 1 Feb 2026, 06:00 UTC.",
        "Every row with its keys: --verbose, or --json.",
    ]
    facts["fct_message_exposures"][0] |= {"exposure_kind": "ghost", "not_exposed_reason": "holdout"}
    facts["receipts"] = []
    ghost = tell_delivery(facts)
    assert ghost[0] == (
        "SMS “Second” of Cart: a ghost, withheld from somebody who is held out, which is no "
        "exposure (holdout)."
    )
    assert "Heap was told nothing of it." in ghost


@pytest.mark.parametrize(
    ("status", "is_known", "said"),
    [
        ("matched", True, "Heap knows them"),
        ("suppressed", True, "Heap knows them"),
        ("unmatched", False, "Heap has not met them, and would know them"),
        ("unverified", None, "Heap was not asked whether it has met them, and would know them"),
    ],
)
def test_only_whom_heap_has_met_is_said_to_be_known(
    status: str, is_known: bool | None, said: str
) -> None:
    facts: dict[str, list[dict[str, Any]]] = {
        "dim_persons": [
            {
                "person_id": "p1", "match_status": status, "is_publishable": True,
                "heap_identity_source": "customer_id", "is_known_in_heap": is_known,
            }
        ],
    }  # fmt: skip
    nothing = (
        "map_identifiers", "fct_segment_memberships", "fct_experiment_assignments", "experiments",
        "fct_message_exposures", "dim_segment_versions", "receipts", "property_state",
        "dead_letters",
    )  # fmt: skip
    assert tell(facts | {name: [] for name in nothing})[0] == (
        f"Somebody who is {status}: {said} by their customer id, and may be told of them."
    )

"""Why somebody is in a segment or an arm; what Heap was told, when, and by which plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipelines.blanks import BLANKS
from pipelines.built.manifest import find_manifest
from pipelines.console import Console
from pipelines.errors import CounterfoilError
from pipelines.explain.life import tell, tell_delivery
from pipelines.heap.ledger import Ledger
from pipelines.heap.marts import HeapModel, declared_models
from pipelines.heap.warehouse import Warehouse, attached
from pipelines.settings import Settings

Rows = list[dict[str, Any]]


@dataclass
class Explanation:
    """What is known about one person or delivery: rows by relation, and lines of text."""

    subject: str
    facts: dict[str, Rows] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)


def explain_person(
    settings: Settings, identifier: str, console: Console, *, with_keys: bool = False
) -> Explanation:
    """Identity, segments, arms, exposures and everything Heap was told about a person.

    Args:
        settings: where the home is.
        identifier: person_id, or any identifier they hold now.
        console: prints their life, records the facts.
        with_keys: print each row with its keys instead.

    Raises:
        CounterfoilError: nobody is known under it.
    """
    with Ledger(settings) as ledger, attached(ledger, settings) as warehouse:
        reader = _Reader(ledger, warehouse)
        persons = reader.persons(identifier.strip(BLANKS))
        told = Explanation(identifier)
        told.facts["dim_persons"] = reader.rows("dim_persons", "person_id", persons)
        for name in ("map_identifiers", "fct_segment_memberships", "fct_experiment_assignments"):
            told.facts[name] = reader.rows(name, "person_id", persons)
        for name, key, of in (
            ("dim_segment_versions", "segment_key", "fct_segment_memberships"),
            ("experiments", "experiment_key", "fct_experiment_assignments"),
        ):
            keys = sorted({str(row[key]) for row in told.facts[of]})
            told.facts[name] = reader.rows(name, key, keys)
        told.facts["fct_message_exposures"] = reader.rows(
            "fct_message_exposures", "person_id", persons
        )
        identities = sorted(
            {str(p["heap_identity"]) for p in told.facts["dim_persons"] if p.get("heap_identity")}
            | {
                str(i["identifier"])
                for i in told.facts["map_identifiers"]
                if i["identifier_type"] in ("heap_identity", "customer_id", "email")
            }
        )
        told.facts["user_properties"] = [
            row
            for model in _models(settings, warehouse)
            if model.kind == "user_properties"
            for row in reader.rows(model.alias, "person_id", persons)
        ]
        told.facts["property_state"] = reader.ledger_rows(
            "property, value_hash, is_true, acknowledged_at, plan_id",
            "property_state",
            "heap_identity",
            identities,
        )
        told.facts["receipts"] = reader.ledger_rows(
            "event, publish_key, acknowledged_at, plan_id", "receipts", "heap_identity", identities
        )
        hashes = [ledger.identity_hash(identity) for identity in identities]
        told.facts["dead_letters"] = reader.ledger_rows(
            "publish_key, kind, reason, status, attempts, last_seen_at, message",
            "dead_letters",
            "identity_hash",
            hashes,
        )
    _person_lines(told)
    return _speak(told, console, told.lines if with_keys else tell(told.facts))


def explain_delivery(
    settings: Settings, delivery_id: str, console: Console, *, with_keys: bool = False
) -> Explanation:
    """What a delivery was (real, ghost or none, and why), and what Heap was told about it.

    Args:
        settings: where the home is.
        delivery_id: of `fct_message_exposures`.
        console: prints what came of it, records the facts.
        with_keys: print each row with its keys instead.

    Raises:
        CounterfoilError: no such delivery.
    """
    with Ledger(settings) as ledger, attached(ledger, settings) as warehouse:
        reader = _Reader(ledger, warehouse)
        told = Explanation(delivery_id)
        told.facts["fct_message_exposures"] = reader.rows(
            "fct_message_exposures", "delivery_id", [delivery_id]
        )
        told.facts["fct_goal_conversions"] = reader.rows(
            "fct_goal_conversions", "delivery_id", [delivery_id]
        )
        events: Rows = []
        for model in _models(settings, warehouse):
            if model.kind == "event" and "delivery_id" in model.properties:
                for row in reader.rows(model.alias, "delivery_id", [delivery_id]):
                    events.append({"event": model.event, **row})
        told.facts["heap_events"] = events
        keys = [str(row["publish_key"]) for row in events]
        told.facts["receipts"] = reader.ledger_rows(
            "event, publish_key, heap_identity, acknowledged_at, plan_id",
            "receipts",
            "publish_key",
            keys,
        )
        told.facts["dead_letters"] = reader.ledger_rows(
            "publish_key, reason, status, attempts, last_seen_at, message",
            "dead_letters",
            "publish_key",
            keys,
        )
        told.facts["heap_refusals"] = reader.rows("heap_refusals", "publish_key", keys)
    if not told.facts["fct_message_exposures"] and not events:
        raise CounterfoilError(
            "No delivery is known under this id: use a delivery_id of fct_message_exposures."
        )
    _delivery_lines(told)
    return _speak(told, console, told.lines if with_keys else tell_delivery(told.facts))


class _Reader:
    """Rows of a relation by a key; a relation the build lacks has none."""

    def __init__(self, ledger: Ledger, warehouse: Warehouse) -> None:
        self.ledger = ledger
        self.warehouse = warehouse

    def rows(self, relation: str, key: str, values: list[str]) -> Rows:
        found = self.warehouse.find(relation)
        if found is None or key not in self.warehouse.columns[relation]:
            return []
        return self._read(f"select * from {found}", key, values)

    def ledger_rows(self, columns: str, table: str, key: str, values: list[str]) -> Rows:
        return self._read(f"select {columns} from {table}", key, values)

    def persons(self, text: str) -> list[str]:
        """The persons who hold an identifier now."""
        found: set[str] = set()
        identifiers = self.warehouse.find("map_identifiers")
        persons = self.warehouse.find("dim_persons")
        if identifiers:
            found |= {
                str(row[0])
                for row in self.ledger.rows(
                    f"select distinct person_id from {identifiers} where valid_to is null and "
                    "(identifier = ? or (identifier_type = 'email' and identifier = lower(?)))",
                    [text, text],
                )
            }
        if persons:
            found |= {
                str(row[0])
                for row in self.ledger.rows(
                    f"select person_id from {persons} where person_id = ? or heap_identity = ? "
                    "or customer_id = ? or lower(email) = lower(?)",
                    [text] * 4,
                )
            }
        if not found:
            raise CounterfoilError(
                "Nobody is known under this identifier: use a person_id, cio_id, customer_id, "
                "e-mail address or Heap identity."
            )
        return sorted(found)

    def _read(self, query: str, key: str, values: list[str]) -> Rows:
        cursor = self.ledger.db.execute(
            f"{query} where cast({key} as varchar) in (select unnest(?::varchar[])) order by all",
            [values],
        )
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _models(settings: Settings, warehouse: Warehouse) -> list[HeapModel]:
    """The Heap models of this build; none where they are not known or badly declared."""
    manifest = find_manifest(settings, warehouse.whole)
    try:
        return declared_models(manifest)
    except CounterfoilError:
        return []


def _person_lines(told: Explanation) -> None:
    for person in told.facts["dim_persons"]:
        told.lines.append(
            f"person {person['person_id']}: {person.get('match_status')}, Heap identity from "
            f"{person.get('heap_identity_source') or 'nowhere'}, "
            f"{'may' if person.get('is_publishable') else 'may not'} be published"
        )
    for link in told.facts["map_identifiers"]:
        told.lines.append(
            f"  {link['identifier_type']} {link['identifier']} from {link['valid_from']} to "
            f"{link['valid_to'] or 'now'}: {link.get('evidence')}"
        )
    _segment_lines(told)
    _experiment_lines(told)
    exposures = told.facts["fct_message_exposures"]
    kinds = {str(e["exposure_kind"]) for e in exposures}
    counted = ", ".join(
        f"{sum(e['exposure_kind'] == kind for e in exposures)} {kind}" for kind in sorted(kinds)
    )
    told.lines.append(f"  deliveries: {len(exposures)}" + (f" ({counted})" if counted else ""))
    _told_lines(told)


def _segment_lines(told: Explanation) -> None:
    """Each stay, and the rule of its version in words: why the person was in."""
    rules = {
        (version["segment_key"], version["version"]): version["description"]
        for version in told.facts["dim_segment_versions"]
    }
    for stay in told.facts["fct_segment_memberships"]:
        rule = rules.get((stay["segment_key"], stay["version"]))
        told.lines.append(
            f"  segment {stay['segment_key']} v{stay['version']}: in since {stay['entered_at']}"
            + (f", out since {stay['exited_at']}" if stay["exited_at"] else ", still in")
            + (f", by the rule: {rule}" if rule else "")
        )


def _experiment_lines(told: Explanation) -> None:
    """Each assignment that stands: who drew it and when, and what was said against it later."""
    sources = {row["experiment_key"]: row["assignment_source"] for row in told.facts["experiments"]}
    for assigned in told.facts["fct_experiment_assignments"]:
        source = sources.get(assigned["experiment_key"])
        count = assigned.get("count_assignments") or 1
        told.lines.append(
            f"  experiment {assigned['experiment_key']}: arm {assigned['arm']}, assigned "
            f"{assigned['assigned_at']}"
            + (f" by {source}" if source else "")
            + (f", the first of {count} assignments" if count > 1 else "")
            + (
                f", crossed over ({assigned.get('crossover_cause')})"
                if assigned.get("is_crossover")
                else ""
            )
            + (
                f", left out of the units ({assigned.get('exclusion_reason')})"
                if assigned.get("exclusion_reason")
                else ""
            )
        )


def _delivery_lines(told: Explanation) -> None:
    for exposure in told.facts["fct_message_exposures"]:
        why = f" ({exposure['not_exposed_reason']})" if exposure.get("not_exposed_reason") else ""
        told.lines.append(
            f"delivery {exposure['delivery_id']}: {exposure['exposure_kind']}{why}, person "
            f"{exposure['person_id']}, arm {exposure.get('arm') or 'none'}, sent "
            f"{exposure.get('sent_at') or 'never'}"
        )
    for conversion in told.facts["fct_goal_conversions"]:
        told.lines.append(f"  conversion {conversion['goal']} at {conversion['converted_at']}")
    for event in told.facts["heap_events"]:
        told.lines.append(f"  Heap event {event['event']}: key {event['publish_key']}")
    for refusal in told.facts["heap_refusals"]:
        told.lines.append(f"  refused before Heap: {refusal['reason']}")
    _told_lines(told)


def _told_lines(told: Explanation) -> None:
    for state in told.facts.get("property_state", []):
        told.lines.append(
            f"  Heap was told {state['property']}"
            + (" = true" if state["is_true"] else "")
            + f" at {_second(state['acknowledged_at'])} by {state['plan_id']}"
        )
    for receipt in told.facts["receipts"]:
        told.lines.append(
            f"  Heap was told {receipt['event']} {receipt['publish_key']} at "
            f"{_second(receipt['acknowledged_at'])} by {receipt['plan_id']}"
        )
    for letter in told.facts["dead_letters"]:
        told.lines.append(
            f"  Heap refused {letter['publish_key']} ({letter['reason']}, {letter['status']}, "
            f"{letter['attempts']} attempts): {letter['message']}"
        )
    if not told.facts["receipts"] and not told.facts.get("property_state"):
        told.lines.append("  Heap was told nothing")


def _second(instant: Any) -> str:
    """An instant to the second."""
    return f"{instant:%Y-%m-%d %H:%M:%S}"


def _speak(told: Explanation, console: Console, lines: list[str]) -> Explanation:
    for line in lines:
        console.line(line)
    console.record(subject=told.subject, facts=told.facts, lines=told.lines)
    return told

"""The plan: what Heap would be told, from the Heap marts and the ledger, without telling it."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines import locks
from pipelines.built.manifest import require_manifest
from pipelines.built.quoting import literal, quoted
from pipelines.console import Console
from pipelines.errors import CounterfoilError
from pipelines.heap import gates, planfile
from pipelines.heap.gates import Declared, Gate, read_declared
from pipelines.heap.ledger import Ledger
from pipelines.heap.limits import (
    HEAP_EVENTS_PER_MINUTE,
    MAX_IDENTITY,
    MAX_TEXT,
    MIN_KEY,
    Clock,
    Limits,
)
from pipelines.heap.marts import CADENCES, HeapModel, check_types, declared_models
from pipelines.heap.payload import (
    Column,
    cut_sql,
    fault_sql,
    hash_sql,
    instant_sql,
    json_sql,
    properties_sql,
    text_sql,
)
from pipelines.heap.planfile import FileDigest
from pipelines.heap.target import find_target
from pipelines.heap.warehouse import Warehouse, attached
from pipelines.settings import Settings

FUTURE_SKEW_MINUTES = 5
MAX_PROPERTIES = 200
"""So that no row can outgrow a call: 200 properties of 1,023 four-byte characters are 0.8 MB."""

Names = list[tuple[str, str, str, str]]
"""Names Heap would hold: (kind, event, property, wire type)."""


@dataclass
class Plan:
    """What one publish would say. `path` is the file that holds it; None for nothing to say.

    Counts are rows unless the name says otherwise; instants are UTC; `target` is the ledger's
    name for the Heap environment (None when none is configured and none was ever used).
    """

    plan_id: str
    created_at: datetime
    as_of: datetime | None
    target: str | None
    target_label: str
    ledger_version: int
    path: Path | None = None
    rows_sha256: str = ""
    events: dict[str, int] = field(default_factory=dict)
    properties: dict[str, int] = field(default_factory=dict)
    leavers: dict[str, int] = field(default_factory=dict)
    count_events: int = 0
    count_users: int = 0
    count_identities: int = 0
    new_identities: dict[str, int] = field(default_factory=dict)
    count_new_identities: int = 0
    new_events: list[str] = field(default_factory=list)
    new_properties: list[str] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    held_back: dict[str, int] = field(default_factory=dict)
    dead_letters_waiting: int = 0
    identities_moved: int = 0
    values_cut: int = 0
    uncertain: int = 0
    erasures_due: int = 0
    calls: int = 0
    minutes: float = 0.0
    is_replay: bool = False
    models_due: list[str] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    names: Names = field(default_factory=list)
    booleans: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether Heap has nothing to hear."""
        return self.count_events + self.count_users == 0

    @property
    def count_refused(self) -> int:
        """Rows that may not be sent."""
        return sum(self.refused.values())

    @property
    def closed_gates(self) -> list[Gate]:
        """The gates that stop this plan."""
        return [gate for gate in self.gates if not gate.is_open]

    def facts(self) -> dict[str, Any]:
        """The plan as `--json` prints it and as the file's first line keeps it."""
        facts = asdict(self)
        facts["path"] = str(self.path) if self.path else None
        facts["count_refused"] = self.count_refused
        return facts

    def header(self) -> dict[str, Any]:
        """The plan file's first line: all facts but the path."""
        facts = self.facts()
        del facts["path"]
        return facts


def from_header(header: dict[str, Any], path: Path) -> Plan:
    """The plan that a file's first line describes."""
    known = {name: header[name] for name in Plan.__dataclass_fields__ if name in header}
    known["created_at"] = datetime.fromisoformat(known["created_at"])
    known["as_of"] = datetime.fromisoformat(known["as_of"]) if known["as_of"] else None
    known["gates"] = [Gate(**gate) for gate in known["gates"]]
    known["names"] = [(n[0], n[1], n[2], n[3]) for n in known["names"]]
    return Plan(**{**known, "path": path})


def make_plan(
    settings: Settings,
    console: Console,
    *,
    out: Path | None = None,
    as_of: datetime | None = None,
    ignore_cadence: bool = False,
    limits: Limits | None = None,
    clock: Clock | None = None,
) -> Plan:
    """Compute a plan, write it to `out` (default: a file in `plans/`), and print its summary.

    Args:
        settings: where the home is; app id and region are optional here.
        console: prints the summary, records the facts for `--json`.
        out: the plan's file; made readable by its owner only.
        as_of: the instant to judge by (UTC); default: the build's.
        ignore_cadence: also plan models that are not due yet.
        limits: Heap's limits, for the number of calls.
        clock: the clock of the ledger's records.
    """
    from pipelines.heap.summary import summary_lines

    clock = clock or Clock()
    with locks.hold(settings.home, "publisher", "plan"), Ledger(settings) as ledger:
        plan = compute(
            settings,
            ledger,
            console,
            out=out,
            as_of=as_of,
            ignore_cadence=ignore_cadence,
            limits=limits or Limits(),
            clock=clock,
            keep_empty=True,
        )
    for line in summary_lines(plan):
        console.line(line)
    console.record(plan=plan.facts())
    return plan


def compute(
    settings: Settings,
    ledger: Ledger,
    console: Console,
    *,
    limits: Limits,
    clock: Clock,
    out: Path | None = None,
    as_of: datetime | None = None,
    ignore_cadence: bool = False,
    replay: bool = False,
    keep_empty: bool = False,
    declared: Declared | None = None,
) -> Plan:
    """Compute and file a plan with an open ledger. `replay`: open dead letters only."""
    declared = declared or read_declared()
    target = find_target(settings)
    now = clock.now()
    with console.progress("planning"), attached(ledger, settings) as warehouse:
        models = declared_models(require_manifest(settings, warehouse))
        planner = _Planner(ledger, warehouse, models, as_of or warehouse.as_of, replay=replay)
        key = ledger.target_key(target) if target else ledger.last_target()
        plan = Plan(
            plan_id=f"plan-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}",
            created_at=now,
            as_of=planner.as_of,
            target=key,
            target_label=target.label if target else "no app configured",
            ledger_version=ledger.version,
            is_replay=replay,
        )
        planner.compute(plan, ignore_cadence=ignore_cadence)
        plan.gates.extend(
            [
                Gate(
                    "app and region",
                    target is not None,
                    f"{plan.target_label}."
                    if target
                    else "HEAP_APP_ID and HEAP_REGION are needed to publish.",
                ),
                gates.match_rate_gate(warehouse),
                gates.budget_gate(ledger, key, plan.count_events, declared, now),
                gates.segment_gate(warehouse, models, planner.as_of),
            ]
        )
        work = _work_folder(settings)
        rows = planner.render(work) if keep_empty or not plan.is_empty else None
    if rows is None:
        return plan
    digest = _file(plan, rows, out or settings.plans_dir / f"{plan.plan_id}.jsonl", limits)
    ledger.record_plan(
        {
            "plan_id": plan.plan_id,
            "target": key,
            "as_of": plan.as_of,
            "created_at": now,
            "ledger_version": plan.ledger_version,
            "file_name": plan.path.name if plan.path else None,
            "rows_sha256": plan.rows_sha256,
            "file_sha256": digest.sha256,
            "file_bytes": digest.count_bytes,
            "count_events": plan.count_events,
            "count_users": plan.count_users,
            "count_calls": plan.calls,
            "status": "planned",
            "lines_settled": 0,
            "bytes_settled": 0,
        }
    )
    return plan


def _work_folder(settings: Settings) -> Path:
    """An empty folder beside the plans for rows that are being rendered; leftovers of a kill go."""
    work = settings.home / "tmp" / "rows"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    work.chmod(0o700)
    for leftover in settings.plans_dir.glob("*.partial"):
        leftover.unlink()
    return work


def _file(plan: Plan, rows: Path, path: Path, limits: Limits) -> FileDigest:
    found = planfile.scan(rows, limits)
    if (found.count_events, found.count_users) != (plan.count_events, plan.count_users):
        raise CounterfoilError(
            f"The Heap marts hold {found.count_events + found.count_users} rows where "
            f"{plan.count_events + plan.count_users} were planned: a publish_key is repeated in a "
            "mart, so fix its key and build again."
        )
    plan.rows_sha256 = found.sha256
    plan.calls = found.count_calls
    plan.path = path
    return planfile.write(path, plan.header(), rows)


class _Planner:
    """The SQL of a plan: candidates are judged once, in temp tables that spill to disk."""

    def __init__(
        self,
        ledger: Ledger,
        warehouse: Warehouse,
        models: Sequence[HeapModel],
        as_of: datetime | None,
        *,
        replay: bool,
    ) -> None:
        self.ledger = ledger
        self.db = ledger.db
        self.warehouse = warehouse
        self.models = list(models)
        self.as_of = as_of
        self.replay = replay
        self.marts = {model.name: warehouse.mart(model) for model in models}
        self.retired = {
            gates.SEGMENT_PREFIX + suffix for suffix in gates.segment_versions(warehouse, as_of)[1]
        }
        self.due: list[HeapModel] = []

    def compute(self, plan: Plan, *, ignore_cadence: bool) -> None:
        """Fill a plan's counts; the rows wait in temp tables for `render`."""
        check_types(self.models, {name: columns for name, (_, columns) in self.marts.items()})
        self._check_sizes()
        self.db.execute(
            f"create or replace temp table asked as select {_text(plan.target)} as target"
        )
        gates.load_forbidden(self.ledger, self.warehouse)
        self._load_known()
        self.due = [m for m in self.models if ignore_cadence or self._is_due(m, plan)]
        plan.models_due = [model.name for model in self.due]
        self._judge_events(plan)
        self._judge_users(plan)
        self._count(plan)

    def render(self, folder: Path) -> Path:
        """Write every row of the plan, as it will be sent, into one file."""
        rows, users = folder / "events", folder / "users"
        self._copy(self._event_lines(), rows)
        self._copy("select line from user_rows where verdict is null order by heap_identity", users)
        with rows.open("ab") as out, users.open("rb") as more:
            shutil.copyfileobj(more, out, 1 << 20)
        users.unlink()
        return rows

    # -- what is known ------------------------------------------------------------------------

    def _load_known(self) -> None:
        """Temp views on the ledger for this target, and what an open intent left uncertain."""
        mine = "target = (select target from asked)"
        self.db.execute(
            f"create or replace temp view known_receipts as "
            f"select publish_key, heap_identity from receipts where {mine}"
        )
        self.db.execute(
            f"""
            create or replace temp table uncertain as
            select publish_key, min(heap_identity) as heap_identity from intents
            where {mine} and publish_key is not null group by publish_key
            """
        )
        self.db.execute(
            f"""
            create or replace temp table uncertain_properties as
            select heap_identity, property, bool_or(is_true) as is_true from intents
            where {mine} and property is not null group by heap_identity, property
            """
        )
        self.db.execute(
            f"""
            create or replace temp view known_properties as
            select
                property_state.heap_identity, property_state.property,
                case when uncertain_properties.property is null then value_hash end as value_hash,
                property_state.is_true or coalesce(uncertain_properties.is_true, false) as is_true
            from property_state
            left join uncertain_properties
                on uncertain_properties.heap_identity = property_state.heap_identity
                and uncertain_properties.property = property_state.property
            where {mine}
            union all
            select heap_identity, property, null, is_true from uncertain_properties
            where not exists (
                select 1 from property_state
                where property_state.heap_identity = uncertain_properties.heap_identity
                    and property_state.property = uncertain_properties.property and {mine})
            """
        )
        self.db.execute(
            f"""
            create or replace temp table open_dead_letters as
            select publish_key, kind, row_hash from dead_letters where {mine} and status = 'open'
            """
        )

    def _is_due(self, model: HeapModel, plan: Plan) -> bool:
        """Cadence: not again within its hours, except for the same instant or a replay."""
        hours = CADENCES[model.cadence]
        if not hours or self.replay or self.as_of is None:
            return True
        last: datetime | None = self.ledger.value(
            "select max(as_of) from publications where target = ? and model = ?",
            [plan.target, model.name],
        )
        if last is None or not last < self.as_of < last + timedelta(hours=hours):
            return True
        plan.held_back[
            f"{model.title}: {model.cadence}, due at {last + timedelta(hours=hours)}"
        ] = 0
        return False

    def _check_sizes(self) -> None:
        for model in self.models:
            if len(model.properties) > MAX_PROPERTIES:
                raise CounterfoilError(
                    f"{model.name} has {len(model.properties)} properties and {MAX_PROPERTIES} "
                    "fit: remove some columns."
                )

    # -- events -------------------------------------------------------------------------------

    def _judge_events(self, plan: Plan) -> None:
        self.db.execute(
            "create or replace temp table candidates (model integer, publish_key varchar, "
            "heap_identity varchar, person_id varchar, occurred_at timestamp, is_moved boolean, "
            "fault varchar, count_cut integer, embargo_hours double)"
        )
        for number, model in enumerate(self.models):
            if model.kind == "event" and model in self.due:
                self._add_candidates(number, model)
        # one refused rate per reason; a null verdict is sent
        self.db.execute(
            f"create or replace temp table judged as select *, {self._event_verdict()} as verdict "
            f"from {self._with_repeats()}"
        )
        self.db.execute("drop table candidates")
        if self.replay:
            self.db.execute(
                "update judged set verdict = case when verdict = 'dead letter' then null "
                "else coalesce(verdict, 'not asked') end"
            )

    def _add_candidates(self, number: int, model: HeapModel) -> None:
        relation, columns = self.marts[model.name]
        occurred = self.warehouse.types(relation)["occurred_at"]
        faults = [f for f in (fault_sql(column, "mart") for column in columns) if f]
        cuts = [c for c in (cut_sql(column, "mart") for column in columns) if c]
        self.db.execute(
            f"""
            insert into candidates
            select
                {number}, mart.publish_key,
                coalesce(uncertain.heap_identity, mart.heap_identity),
                cast(mart.person_id as varchar), {_utc("mart.occurred_at", occurred)},
                known_receipts.publish_key is not null,
                {f"coalesce({', '.join(faults)})" if faults else "null"},
                {" + ".join(f"coalesce(cast({cut} as integer), 0)" for cut in cuts) or "0"},
                {model.embargo_hours}
            from {relation} as mart
            left join known_receipts on known_receipts.publish_key = mart.publish_key
            left join uncertain on uncertain.publish_key = mart.publish_key
            where known_receipts.publish_key is null
                or known_receipts.heap_identity is distinct from mart.heap_identity
            """
        )

    def _with_repeats(self) -> str:
        """The candidates with `repeat`, the rows of their key; a window only if one is needed."""
        repeats = self.ledger.value(
            "select count(publish_key) - count(distinct publish_key) from candidates"
        )
        if not repeats:
            return "(select *, 1 as repeat from candidates)"
        return "(select *, count(*) over (partition by publish_key) as repeat from candidates)"

    def _event_verdict(self) -> str:
        judge = "null" if self.as_of is None else f"timestamp '{self.as_of}'"
        forbidden = gates.forbidden_sql(self.ledger, "heap_identity", "person_id")
        return f"""
            case
                when is_moved then 'moved'
                when publish_key is null or length(publish_key) not between {MIN_KEY} and {MAX_TEXT}
                    then 'refused: the publish key is missing, too short or too long'
                when repeat > 1 then 'refused: the publish key is repeated'
                {_identity_verdict(self._placeholders())}
                when {forbidden} is not null then 'refused: ' || {forbidden}
                when occurred_at is null then 'refused: no timestamp'
                when not isfinite(occurred_at) or year(occurred_at) not between 1970 and 9998
                    then 'refused: the timestamp is out of range'
                when occurred_at > {judge} + interval {FUTURE_SKEW_MINUTES} minute
                    then 'refused: the timestamp is in the future'
                when embargo_hours > 0
                    and occurred_at > {judge} - to_seconds(embargo_hours * 3600) then 'embargo'
                when fault is not null then 'refused: ' || fault
                when publish_key in (select publish_key from open_dead_letters where kind = 'event')
                    then 'dead letter'
            end"""

    def _placeholders(self) -> str:
        """The deny-list as SQL: ours and what identity_rules declares."""
        words = set(gates.PLACEHOLDERS)
        rules = self.warehouse.find("identity_rules")
        if rules and "placeholder_values" in self.warehouse.types(rules):
            declared = self.ledger.rows(
                "select distinct lower(trim(word)) from (select unnest(regexp_split_to_array("
                f"cast(placeholder_values as varchar), '[|;,]+')) as word from {rules})"
            )
            words |= {row[0] for row in declared if row[0]}
        return ", ".join(literal(word) for word in sorted(words))

    def _event_lines(self) -> str:
        parts = [
            self._render_events(number, model)
            for number, model in enumerate(self.models)
            if model.kind == "event" and model in self.due
        ]
        if not parts:
            return "select null as line where false"
        return f"select line from ({' union all '.join(parts)}) order by place, publish_key"

    def _render_events(self, number: int, model: HeapModel) -> str:
        relation, columns = self.marts[model.name]
        key = "cast(to_json(mart.publish_key) as varchar)"
        inside = properties_sql(columns, "mart", first=f"""'"publish_key":' || {key}""")
        start = literal(f'{{"event":"{model.event}","identity":')
        return f"""
            select
                planned.place, planned.publish_key,
                {start} || cast(to_json(planned.heap_identity) as varchar)
                || ',"timestamp":"' || {instant_sql("planned.occurred_at", "TIMESTAMP")}
                || '","idempotency_key":' || {key}
                || ',"properties":{{' || {inside} || '}}}}' as line
            from {relation} as mart
            inner join planned on planned.publish_key = mart.publish_key
            where planned.model = {number}"""

    # -- user properties ----------------------------------------------------------------------

    def _judge_users(self, plan: Plan) -> None:
        models = [model for model in self.models if model.kind == "user_properties"]
        self.db.execute(
            "create or replace temp table changes (heap_identity varchar, property varchar, "
            "json varchar, is_leaver boolean)"
        )
        self.db.execute(
            "create or replace temp table judged_identities "
            "(model integer, heap_identity varchar, verdict varchar, count_cut integer)"
        )
        if all(model in self.due for model in models):
            for number, model in enumerate(models):
                self._judge_identities(number, model)
                self._add_changes(number, model)
            self._add_leavers(models)
        self.db.execute(
            f"""
            create or replace temp table user_rows as
            with grouped as (
                select
                    heap_identity,
                    '{{"identity":' || cast(to_json(heap_identity) as varchar) || ',"properties":{{'
                    || string_agg(cast(to_json(property) as varchar) || ':' || json, ','
                        order by property) || '}}}}' as line
                from changes
                group by heap_identity
            )
            select *, {self._user_verdict()} as verdict from grouped
            """
        )

    def _judge_identities(self, number: int, model: HeapModel) -> None:
        relation, columns = self.marts[model.name]
        faults = [f for f in (fault_sql(column, "mart") for column in columns) if f]
        cuts = [c for c in (cut_sql(column, "mart") for column in columns) if c]
        forbidden = gates.forbidden_sql(self.ledger, "heap_identity", "person_id")
        self.db.execute(
            f"""
            insert into judged_identities
            with held as (
                select
                    heap_identity, cast(person_id as varchar) as person_id,
                    count(*) over (partition by heap_identity) as repeat,
                    {f"coalesce({', '.join(faults)})" if faults else "null"} as fault,
                    {" + ".join(f"coalesce(cast({c} as integer), 0)" for c in cuts) or "0"}
                        as count_cut
                from {relation} as mart
            )
            select
                {number}, heap_identity,
                case
                    {_identity_verdict(self._placeholders())}
                    when repeat > 1 then 'refused: the identity is held by several persons'
                    when {forbidden} is not null then 'refused: ' || {forbidden}
                    when fault is not null then 'refused: ' || fault
                end,
                count_cut
            from held
            """
        )

    def _add_changes(self, number: int, model: HeapModel) -> None:
        """Per property, only the values that Heap does not hold yet."""
        relation, columns = self.marts[model.name]
        for column in columns:
            if column.name in self.retired:
                continue
            self.db.execute(
                f"""
                insert into changes
                with told as (
                    select mart.heap_identity, {text_sql(column, "mart")} as sent
                    from {relation} as mart
                    inner join judged_identities
                        on judged_identities.heap_identity = mart.heap_identity
                        and judged_identities.verdict is null and judged_identities.model = {number}
                )
                select told.heap_identity, {literal(column.name)}, {json_sql(column, "sent")}, false
                from told
                left join known_properties
                    on known_properties.heap_identity = told.heap_identity
                    and known_properties.property = {literal(column.name)}
                where sent is not null
                    and known_properties.value_hash is distinct from {hash_sql(column, "sent")}
                """
            )

    def _add_leavers(self, models: Sequence[HeapModel]) -> None:
        """Whoever was told `true` and is in no longer, or whose version retired: `false`, once."""
        told_true = self.ledger.rows(
            "select distinct property from known_properties where is_true order by property"
        )
        for (name,) in told_true:
            holders = [
                f"select heap_identity from {self.marts[model.name][0]} "
                f"where {quoted(name)} is not null and heap_identity is not null"
                for model in models
                if name in model.properties and name not in self.retired
            ]
            held = " union all ".join(holders) or "select null where false"
            self.db.execute(
                f"""
                insert into changes
                select heap_identity, property, '"false"', true
                from known_properties
                where is_true and property = {literal(name)} and heap_identity not in ({held})
                """
            )

    def _user_verdict(self) -> str:
        forbidden = gates.forbidden_sql(self.ledger, "heap_identity")
        waiting = "false"
        if self.ledger.value("select count(*) from open_dead_letters where kind <> 'event'"):
            key = user_key_sql(self.ledger.salt, "heap_identity")
            same = "" if self.replay else " and row_hash = md5(line)"
            waiting = (
                f"exists (select 1 from open_dead_letters where kind <> 'event' "
                f"and publish_key = {key}{same})"
            )
        found = f"case when {forbidden} is not null then 'refused: ' || {forbidden} "
        if self.replay:
            return found + f"when not {waiting} then 'not asked' end"
        return found + f"when {waiting} then 'dead letter' end"

    # -- counting -----------------------------------------------------------------------------

    def _count(self, plan: Plan) -> None:
        self._place_events()
        titles = {number: model.title for number, model in enumerate(self.models)}
        for number, count in self.ledger.rows(
            "select model, count(*) from planned group by model order by model"
        ):
            plan.events[titles[number]] = count
        plan.count_events = sum(plan.events.values())
        plan.count_users = int(
            self.ledger.value("select count(*) from user_rows where verdict is null")
        )
        for name, leaver, count in self.ledger.rows(
            "select property, is_leaver, count(*) from changes inner join user_rows "
            "using (heap_identity) where verdict is null group by all order by all"
        ):
            (plan.leavers if leaver else plan.properties)[name] = count
        self._count_refused(plan, titles)
        self._count_new(plan)
        busiest = int(
            self.ledger.value(
                "select coalesce(max(count), 0) from "
                "(select count(*) as count from planned group by heap_identity)"
            )
        )
        rows = plan.count_events + plan.count_users
        plan.minutes = round(max(rows / HEAP_EVENTS_PER_MINUTE, (busiest - 1) // 1000), 1)
        plan.uncertain = int(self.ledger.value("select count(*) from uncertain"))
        plan.erasures_due = int(
            self.ledger.value(
                "select count(*) from forbidden_identities where heap_identity in "
                "(select heap_identity from known_receipts union select heap_identity from "
                "known_properties)"
            )
        )

    def _place_events(self) -> None:
        """In order of time; an identity with more events than a minute takes is spread out."""
        heavy = self.ledger.value(
            "select count(*) from (select 1 from judged where verdict is null "
            "group by heap_identity having count(*) > 1000)"
        )
        # epoch microseconds, or the share of the way through
        place = "cast(epoch_us(occurred_at) as double)"
        if heavy:
            mine = "partition by heap_identity"
            place = f"""
                case when count(*) over ({mine}) > 1000
                    then (row_number() over ({mine} order by occurred_at, publish_key) - 0.5)
                        / count(*) over ({mine})
                    else (row_number() over (order by occurred_at, publish_key) - 0.5)
                        / count(*) over () end"""
        self.db.execute(
            f"create or replace temp table planned as "
            f"select model, publish_key, heap_identity, occurred_at, count_cut, {place} as place "
            "from judged where verdict is null"
        )

    def _count_refused(self, plan: Plan, titles: dict[int, str]) -> None:
        plan.values_cut = int(
            self.ledger.value(
                "select coalesce((select sum(count_cut) from planned), 0) + coalesce((select "
                "sum(count_cut) from judged_identities where heap_identity in "
                "(select heap_identity from user_rows where verdict is null)), 0)"
            )
        )
        for number, verdict, count in self.ledger.rows(
            "select model, verdict, count(*) from judged where verdict is not null "
            "group by all order by all"
        ):
            if verdict == "moved":
                plan.identities_moved += count
            elif verdict == "embargo":
                plan.held_back[f"{titles[number]}: embargo"] = count
            elif verdict == "dead letter":
                plan.dead_letters_waiting += count
            elif verdict != "not asked":
                plan.refused[f"{titles[number]}: {verdict.removeprefix('refused: ')}"] = count
        for verdict, count in self.ledger.rows(
            "select verdict, count(*) from (select verdict from user_rows union all select verdict "
            "from judged_identities) where verdict is not null group by all order by all"
        ):
            if verdict == "dead letter":
                plan.dead_letters_waiting += count
            elif verdict != "not asked":
                plan.refused[f"user properties: {verdict.removeprefix('refused: ')}"] = count
        refusals = self.warehouse.find("heap_refusals", "heap")
        if refusals and not self.replay:
            for kind, reason, count in self.ledger.rows(
                f"select kind, reason, count(*) from {refusals} group by all order by all"
            ):
                plan.refused[f"mart, {kind}: {reason}"] = count

    def _count_new(self, plan: Plan) -> None:
        persons = self.warehouse.find("dim_persons")
        matched = (
            f"union all select heap_identity from {persons} where match_status = 'matched'"
            if persons
            else ""
        )
        self.db.execute(
            """
            create or replace temp table told_identities as
            select model, heap_identity from planned group by all
            union all
            select -1, heap_identity from user_rows where verdict is null
            """
        )
        self.db.execute(
            f"""
            create or replace temp table new_identities as
            select told_identities.* from told_identities
            anti join (
                select heap_identity from known_receipts
                union all select heap_identity from known_properties
                {matched}
            ) as known on known.heap_identity = told_identities.heap_identity
            """
        )
        found = dict(self.ledger.rows("select model, count(*) from new_identities group by model"))
        plan.count_identities = int(
            self.ledger.value("select count(distinct heap_identity) from told_identities")
        )
        plan.count_new_identities = int(
            self.ledger.value("select count(distinct heap_identity) from new_identities")
        )
        for number, model in enumerate(self.models):
            if model in self.due:
                count = int(found.get(number if model.kind == "event" else -1, 0))
                plan.new_identities[model.title] = count
                plan.gates.append(gates.new_identity_gate(model, count))
        self._name(plan)

    def _name(self, plan: Plan) -> None:
        """Names the plan would use, those Heap has not seen, and types that may not change."""
        known = {
            (kind, event, name): wire
            for kind, event, name, wire in self.ledger.rows(
                "select kind, event, property, wire_type from names where target = ?", [plan.target]
            )
        }
        for model in self.models:
            event = model.event or ""
            if model.kind == "event" and not plan.events.get(model.title):
                continue
            key = [Column("publish_key", "VARCHAR")] if model.kind == "event" else []
            for column in key + self.marts[model.name][1]:
                if model.kind != "event" and column.name not in plan.properties:
                    continue
                self._add_name(plan, known, model, event, column)
            if event and not any(e == event for _, e, _ in known):
                plan.new_events.append(event)
        # a retired property is told false under a name that Heap already has
        plan.booleans = sorted({name for _, _, name, wire in plan.names if wire == "boolean"})

    def _add_name(
        self,
        plan: Plan,
        known: dict[tuple[str, str, str], str],
        model: HeapModel,
        event: str,
        column: Column,
    ) -> None:
        before = known.get((model.kind, event, column.name))
        if before is None:
            plan.new_properties.append(f"{event}.{column.name}" if event else column.name)
        elif before != column.wire_type:
            raise CounterfoilError(
                f"{model.name}.{column.name} was {before} and is now {column.wire_type}: "
                "Heap keeps one type per property, so give the new meaning a new name."
            )
        plan.names.append((model.kind, event, column.name, column.wire_type))

    # -- files --------------------------------------------------------------------------------

    def _copy(self, query: str, path: Path) -> None:
        # One column, a delimiter and no quoting: each value becomes a line byte for byte.
        # JSON escapes every control character, so neither can occur inside a row.
        path.touch(mode=0o600)
        self.db.execute(
            f"copy ({query}) to {literal(str(path))} "
            "(format csv, header false, quote '', escape '', delimiter e'\\x01')"
        )


def user_key(ledger: Ledger, identity: str) -> str:
    """The key under which an identity's properties are dead-lettered: a salted hash."""
    return f"user:{ledger.identity_hash(identity)}"


def user_key_sql(salt: str, identity: str) -> str:
    """SQL for `user_key`."""
    return f"'user:' || left(sha256('{salt}:identity:' || {identity}), 32)"


def _identity_verdict(placeholders: str) -> str:
    return f"""
                when heap_identity is null or trim(heap_identity) = '' then 'refused: no identity'
                when heap_identity <> trim(heap_identity)
                    then 'refused: the identity has blanks around it'
                when lower(heap_identity) in ({placeholders})
                    then 'refused: the identity is a placeholder'
                when length(heap_identity) > {MAX_IDENTITY}
                    then 'refused: the identity is too long'"""


def _utc(value: str, data_type: str) -> str:
    if data_type.endswith("WITH TIME ZONE"):
        return f"timezone('UTC', {value})"
    return f"cast({value} as timestamp)"


def _text(value: str | None) -> str:
    return "cast(null as varchar)" if value is None else literal(value)

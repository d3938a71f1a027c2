"""Validation of one journey: does it enter, show, hold out and measure as it should?"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.built.tables import Record
from pipelines.checklist.lines import Checklist, Line, judged, not_applicable
from pipelines.checklist.sources import Sources
from pipelines.errors import UsageError
from pipelines.review.words import REASONS, clean, codes_of, count, ratio, share

MIN_RESOLVED_SHARE = 0.95
MIN_SHOWN_SHARE = 0.5


def checklist(sources: Sources, journey: str) -> Checklist:
    """The lines of one journey, in every workspace that has one of that id.

    Args:
        journey: its id, alone or as `workspace/id`.

    Raises:
        UsageError: no such journey.
    """
    known = _known(sources)
    workspace, _, journey_id = journey.strip().rpartition("/")
    found = [
        row
        for row in known
        if row["journey_id"] == journey_id and workspace in ("", str(row["workspace_id"]))
    ]
    if not found:
        names = ", ".join(f"{r['journey_id']} ({_name(r)})" for r in known[:12])
        raise UsageError(
            f"There is no journey {clean(journey)}: "
            + (f"this warehouse knows {names}." if names else "this warehouse has none.")
        )
    lines = [line for row in found for line in _lines(sources, row, is_one=len(found) == 1)]
    subject = " and ".join(f"{_name(row)} (workspace {row['workspace_id']})" for row in found)
    return Checklist(f"journey {subject}", tuple(lines))


def _known(sources: Sources) -> list[Record]:
    return sources.tables.rows(
        """
        select workspace_id, journey_id, max(journey_name) as journey_name
        from (
            select workspace_id, journey_id, journey_name from {fct_journey_entries}
            union all
            select workspace_id, journey_id, journey_name from {fct_message_exposures}
        )
        where journey_id is not null
        group by workspace_id, journey_id
        order by workspace_id, journey_id
        """,
        reads=["fct_journey_entries", "fct_message_exposures"],
    )


def _name(row: Record) -> str:
    return clean(row["journey_name"] or f"journey {row['journey_id']}")


def _lines(sources: Sources, journey: Record, *, is_one: bool) -> Iterator[Line]:
    prefix = "" if is_one else f"[{journey['workspace_id']}] "
    experiments = sources.tables.rows(
        """
        select * from {experiments}
        where cast(campaign_id as varchar) = $1 and coalesce(workspace_id, $2) = $2
        order by experiment_key
        """,
        _key(journey),
        reads=["experiments"],
    )
    steps = [
        _entries(sources, journey),
        _names(sources, journey),
        _exposures(sources, journey),
        _clicks(sources, journey),
        _conversions(sources, journey),
        _holdout(sources, experiments),
        *(line for row in experiments for line in _experiment(sources, row)),
        _told(sources, journey),
        _funnel(sources, journey, experiments),
    ]
    for line in steps:
        yield Line(
            line.name,
            prefix + line.title,
            line.verdict,
            line.measured,
            line.threshold,
            line.advice,
        )


def _key(journey: Record) -> list[object]:
    return [journey["journey_id"], journey["workspace_id"]]


_OF_IT = "journey_id = $1 and workspace_id = $2"


def _entries(sources: Sources, journey: Record) -> Line:
    row = sources.tables.rows(
        f"""
        select count(*) as count_entries, count(person_id) as count_resolved,
            count(distinct person_id) as count_persons
        from {{fct_journey_entries}} where {_OF_IT}
        """,
        _key(journey),
        reads=["fct_journey_entries"],
    )[0]
    resolved = ratio(row["count_resolved"], row["count_entries"]) or 0.0
    return judged(
        "entries",
        "People enter",
        row["count_entries"] > 0 and resolved >= MIN_RESOLVED_SHARE,
        f"{count(row['count_entries'])} entries of {count(row['count_persons'])} persons, "
        f"{share(resolved)} resolved",
        f"some, and at least {share(MIN_RESOLVED_SHARE)} resolve to a person",
        "Without entries check the trigger and that subjects are exported; without persons, "
        "identity.",
    )


def _names(sources: Sources, journey: Record) -> Line:
    rows = sources.tables.rows(
        f"""
        select message_id, max(message_name) as message_name
        from {{fct_message_exposures}} where {_OF_IT} group by message_id order by message_id
        """,
        _key(journey),
        reads=["fct_message_exposures"],
    )
    bare = [clean(row["message_id"]) for row in rows if not row["message_name"]]
    unnamed = ["the journey"] if not journey["journey_name"] else []
    return judged(
        "names",
        "The journey and its messages have names",
        not bare and not unnamed,
        f"{len(rows) - len(bare)} of {len(rows)} messages named"
        + (f"; without: {', '.join(unnamed + bare)}" if unnamed or bare else ""),
        "all",
        "Export campaigns and campaign_actions, or name them in seeds/message_names.csv.",
    )


def _exposures(sources: Sources, journey: Record) -> Line:
    rows = sources.tables.rows(
        f"""
        select exposure_kind, coalesce(not_exposed_reason, '') as reason, count(*) as count_rows
        from {{fct_message_exposures}} where {_OF_IT}
        group by exposure_kind, reason order by exposure_kind, count_rows desc, reason
        """,
        _key(journey),
        reads=["fct_message_exposures"],
    )
    counted = {
        kind: sum(row["count_rows"] for row in rows if row["exposure_kind"] == kind)
        for kind in ("real", "ghost", "none")
    }
    reasons = ", ".join(
        f"{clean(r['reason'])} {count(r['count_rows'])}" for r in rows if r["reason"]
    )
    tried = counted["real"] + counted["none"]
    return judged(
        "exposure",
        "Messages reach people",
        counted["real"] > 0 and counted["real"] >= MIN_SHOWN_SHARE * tried,
        f"{count(counted['real'])} real, {count(counted['ghost'])} ghosts, "
        f"{count(counted['none'])} none" + (f" ({reasons})" if reasons else ""),
        f"some, and at least {share(MIN_SHOWN_SHARE)} of what was not held out",
        "Look at the commonest reason first; a draft journey sends nothing.",
    )


def _clicks(sources: Sources, journey: Record) -> Line:
    row = sources.tables.rows(
        f"""
        select count(*) filter (where exposure_kind = 'real') as count_real,
            count(*) filter (where exposure_kind = 'real' and human_clicked_at is not null)
                as count_clicked,
            count(*) filter (where exposure_kind = 'ghost' and human_clicked_at is not null)
                as count_ghost_clicked
        from {{fct_message_exposures}} where {_OF_IT}
        """,
        _key(journey),
        reads=["fct_message_exposures"],
    )[0]
    return judged(
        "clicks",
        "Nobody clicks what nobody was shown",
        row["count_ghost_clicked"] == 0,
        f"{count(row['count_clicked'])} human clicks on {count(row['count_real'])} real exposures, "
        f"{count(row['count_ghost_clicked'])} on trapped ones",
        "none on trapped deliveries",
        "A clicked trap is no trap: check trap_action_id and trap_recipient.",
    )


def _conversions(sources: Sources, journey: Record) -> Line:
    row = sources.tables.rows(
        f"""
        select count(*) as count_conversions, count(person_id) as count_resolved
        from {{fct_goal_conversions}} where {_OF_IT}
        """,
        _key(journey),
        reads=["fct_goal_conversions"],
    )[0]
    return judged(
        "conversions",
        "Its goal is reached by somebody",
        row["count_conversions"] > 0,
        f"{count(row['count_conversions'])} conversions, {count(row['count_resolved'])} resolved",
        "some",
        "Set a goal on the journey, or load the behavior that it is about.",
    )


def _holdout(sources: Sources, experiments: list[Record]) -> Line:
    name, title, threshold = "holdout", "Somebody is held out", "a registered control arm"
    advice = (
        "Hold people out in the journey and register it in seeds/experiments.csv and "
        "experiment_arms.csv; until then no lift is shown."
    )
    keys = [row["experiment_key"] for row in experiments]
    if not keys:
        return judged(name, title, False, "no experiment is registered", threshold, advice)
    arms = sources.tables.rows(
        "select * from {experiment_arms} where list_contains($1, experiment_key)"
        " order by experiment_key, allocation_version, arm",
        [keys],
        reads=["experiment_arms"],
    )
    bare = [
        key for key in keys if not any(a["is_control"] for a in arms if a["experiment_key"] == key)
    ]
    said = "; ".join(
        f"{clean(arm['experiment_key'])}: {clean(arm['arm'])} at {share(arm['weight'])}"
        for arm in arms
        if arm["is_control"]
    )
    return judged(name, title, not bare, said or "no control arm", threshold, advice)


def _experiment(sources: Sources, experiment: Record) -> Iterator[Line]:
    key = experiment["experiment_key"]
    label = clean(key)
    tables = sources.tables
    arms = tables.rows(
        """
        select arms.arm, max(arms.is_control) as is_control,
            max(arms.trap_action_id is not null or arms.trap_recipient is not null) as has_trap,
            count(distinct assignments.person_id) as count_people
        from {experiment_arms} as arms
        left join {fct_experiment_assignments} as assignments
            on arms.experiment_key = assignments.experiment_key and arms.arm = assignments.arm
        where arms.experiment_key = $1
        group by arms.arm order by arms.arm
        """,
        [key],
        reads=["experiment_arms", "fct_experiment_assignments"],
    )
    yield judged(
        "arms",
        f"Every arm of {label} gets people",
        bool(arms) and all(row["count_people"] for row in arms),
        ", ".join(f"{clean(row['arm'])} {count(row['count_people'])}" for row in arms) or "no arm",
        "somebody in each",
        "Compare split_index or attribute_value of seeds/experiment_arms.csv with the export; "
        "the index may count from 0 or from 1.",
    )
    health = tables.rows(
        """
        select guardrail, population, verdict, value, threshold from {fct_experiment_health}
        where experiment_key = $1 order by guardrail, population
        """,
        [key],
        reads=["fct_experiment_health"],
    )
    invalid = [row for row in health if row["verdict"] == "invalid"]
    yield judged(
        "health",
        f"No check makes {label} invalid",
        bool(health) and not invalid,
        f"{sum(row['verdict'] == 'ok' for row in health)} ok, "
        f"{sum(row['verdict'] == 'warn' for row in health)} warn, {len(invalid)} invalid"
        + "".join(f"; {REASONS.get(r['guardrail'], clean(r['guardrail']))}" for r in invalid),
        "none invalid",
        "Mend the cause; until then the lift is not shown.",
    )
    yield _labels(sources, experiment, [row for row in arms if row["has_trap"]])
    yield _lift(sources, experiment)


def _labels(sources: Sources, experiment: Record, trapped: list[Record]) -> Line:
    """Held-out people have ghosts where a trap is registered, and nothing real of the journey."""
    label = clean(experiment["experiment_key"])
    name, title = "holdout_label", f"Held-out people of {label} are told apart"
    threshold = "ghosts where a trap is registered, fewer than 10% shown the real message"
    rows = sources.tables.rows(
        """
        select units.arm, count(distinct units.person_id) as count_people,
            count(distinct units.person_id) filter (where units.is_exposed_ghost) as count_ghosts,
            count(distinct units.person_id) filter (where units.is_exposed_real) as count_real
        from {fct_experiment_units} as units
        inner join (
            select distinct experiment_key, arm from {experiment_arms} where is_control
        ) as controls
            on units.experiment_key = controls.experiment_key and units.arm = controls.arm
        where units.experiment_key = $1
        group by units.arm order by units.arm
        """,
        [experiment["experiment_key"]],
        reads=["fct_experiment_units", "experiment_arms"],
    )
    if not rows:
        return not_applicable(name, title, "nobody is held out yet", threshold)
    expected = {row["arm"] for row in trapped}
    bad = [
        row
        for row in rows
        if (row["arm"] in expected and not row["count_ghosts"])
        or row["count_real"] >= 0.1 * row["count_people"]
    ]
    return judged(
        name,
        title,
        not bad,
        "; ".join(
            f"{clean(r['arm'])}: {count(r['count_people'])} people, "
            f"{count(r['count_ghosts'])} with ghosts, {count(r['count_real'])} shown the message"
            for r in rows
        ),
        threshold,
        "Check trap_action_id and trap_recipient, and that the split stands before the message.",
    )


def _lift(sources: Sources, experiment: Record) -> Line:
    label = clean(experiment["experiment_key"])
    name, title = "lift", f"The lift of {label} can be read"
    threshold = "not invalid"
    rows = sources.tables.rows(
        """
        select status, reasons, count_treatment, count_control from {fct_lift}
        where experiment_key = $1 and metric_key = $2 and population = 'itt' and stratum = 'all'
        order by arm
        """,
        [experiment["experiment_key"], experiment["primary_metric"]],
        reads=["fct_lift"],
    )
    if not rows:
        return not_applicable(name, title, "no estimate yet", threshold)
    said = "; ".join(
        f"{row['status']}, {count(row['count_treatment'])} against {count(row['count_control'])}"
        + "".join(f", {REASONS.get(code, code)}" for code in codes_of(row["reasons"]))
        for row in rows
    )
    return judged(
        name,
        title,
        all(row["status"] != "invalid" for row in rows),
        said,
        threshold,
        "See the reasons; an invalid lift has no headline anywhere.",
    )


def _told(sources: Sources, journey: Record) -> Line:
    name, title = "told", "Its exposures are told to Heap, and only they"
    threshold = "some rows, none of them trapped"
    found = sources.tables.rows(
        f"""
        select count(*) as count_told,
            count(*) filter (where exposures.exposure_kind <> 'real') as count_wrong
        from (select * from {{heap_cio_message_sent}} where {_OF_IT}) as sent
        left join {{fct_message_exposures}} as exposures
            on sent.workspace_id = exposures.workspace_id
            and sent.delivery_id = exposures.delivery_id
        """,
        _key(journey),
        reads=["heap_cio_message_sent", "fct_message_exposures"],
    )
    if not found:
        return not_applicable(name, title, "the Heap marts are not built", threshold)
    row = found[0]
    return judged(
        name,
        title,
        row["count_told"] > 0 and row["count_wrong"] == 0,
        f"{count(row['count_told'])} rows, {count(row['count_wrong'])} not really shown",
        threshold,
        "See heap_refusals for why rows may not be sent.",
    )


def _funnel(sources: Sources, journey: Record, experiments: list[Record]) -> Line:
    name, title = "funnel", "The step where people drop is known"
    threshold = "rows in fct_checkout_funnel"
    tables = sources.tables
    if not tables.has("fct_checkout_funnel"):
        return not_applicable(name, title, "fct_checkout_funnel is not built", threshold)
    if tables.has_column("fct_checkout_funnel", "experiment_key"):
        if not experiments:
            return not_applicable(name, title, "no experiment, so no arms to compare", threshold)
        where = "list_contains($1, experiment_key)"
        values: list[object] = [[row["experiment_key"] for row in experiments]]
    else:
        where, values = _OF_IT, _key(journey)
    rows = tables.value(
        f"select count(*) from {{fct_checkout_funnel}} where {where}",
        values,
        reads=["fct_checkout_funnel"],
    )
    return judged(
        name,
        title,
        bool(rows),
        f"{count(rows or 0)} rows",
        threshold,
        "Map the brand's checkout events in seeds/behavior_map.csv.",
    )

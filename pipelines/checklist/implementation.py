"""The implementation checklist, in the order in which things must be right."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.checklist.lines import Line, judged, not_applicable
from pipelines.checklist.sources import (
    EVENT_MARTS,
    MAX_CHANGED_SHARE,
    MAX_REFUSED_SHARE,
    MAX_SEGMENTS,
    MIN_SEGMENTS,
    Sources,
)
from pipelines.review.words import clean, count, duration, moment, ratio, share


def lines(sources: Sources) -> Iterator[Line]:
    """Every line, measured."""
    yield _identifier_declared(sources)
    yield _identifier_unchanged(sources)
    yield _match_rate(sources)
    yield _events(sources)
    yield _exposure_without_click(sources)
    yield _segments(sources)
    yield _state_and_history(sources)
    yield _holdouts(sources)
    yield _sample_ratio(sources)
    yield _holdouts_apart(sources)
    yield _cadence(sources)
    yield _freshness(sources)
    yield _quarantine(sources)
    yield _refusals(sources)
    yield _dead_letters(sources)
    yield _read_back(sources)


def _identifier_declared(sources: Sources) -> Line:
    name, title = "identifier_declared", "One shared identifier is declared"
    threshold = "one primary identifier per workspace, with owner and date"
    advice = "Declare it in seeds/identity_rules.csv: role primary, with owner and decided_on."
    rows = sources.tables.rows(
        """
        select coalesce(cast(workspace_id as varchar), 'all workspaces') as workspace,
            identifier_type, owner, cast(decided_on as varchar) as decided_on
        from {identity_rules} where role = 'primary' order by workspace, identifier_type
        """,
        reads=["identity_rules"],
    )
    if not rows:
        return judged(name, title, False, "none", threshold, advice)
    workspaces = [row["workspace"] for row in rows]
    is_met = len(set(workspaces)) == len(rows) and all(r["owner"] and r["decided_on"] for r in rows)
    measured = "; ".join(
        f"{clean(r['identifier_type'])} for {r['workspace']}, by {clean(r['owner'] or 'nobody')} "
        f"on {clean(r['decided_on'] or 'no date')}"
        for r in rows
    )
    return judged(name, title, is_met, measured, threshold, advice)


def _identifier_unchanged(sources: Sources) -> Line:
    name, title = "identifier_unchanged", "It does not change under people"
    threshold = f"at most {share(MAX_CHANGED_SHARE)} of persons had more of them than profiles"
    found = sources.tables.rows(
        """
        with profiles as (
            select person_id, count(distinct identifier) as count_profiles
            from {map_identifiers} where identifier_type = 'cio_id' group by person_id
        ),
        held as (
            select map_identifiers.person_id, count(distinct identifier) as count_held
            from {map_identifiers} as map_identifiers
            inner join {identity_rules} as identity_rules
                on map_identifiers.identifier_type = identity_rules.identifier_type
                and (identity_rules.workspace_id is null
                    or identity_rules.workspace_id = map_identifiers.workspace_id)
            where identity_rules.role = 'primary'
            group by map_identifiers.person_id
        )
        select count(*) as count_persons,
            count(*) filter (where count_held > coalesce(count_profiles, 1)) as count_changed
        from held
        left join profiles on held.person_id = profiles.person_id
        """,
        reads=["map_identifiers", "identity_rules"],
    )
    if not found or not found[0]["count_persons"]:
        return not_applicable(name, title, "nobody holds the primary identifier", threshold)
    row = found[0]
    changed = ratio(row["count_changed"], row["count_persons"]) or 0.0
    return judged(
        name,
        title,
        changed <= MAX_CHANGED_SHARE,
        f"{count(row['count_changed'])} of {count(row['count_persons'])} persons had more of them "
        "than profiles",
        threshold,
        "Find what rewrites it (`counterfoil identity sample`), or rehearse a change of "
        "identifier (`counterfoil identity migrate`).",
    )


def _match_rate(sources: Sources) -> Line:
    name, title = "match_rate", "Enough persons are found in Heap"
    rows = sources.tables.rows(
        """
        select workspace_id, match_rate is not null as is_asked,
            coalesce(match_rate, identifiable_rate) as rate, minimum_rate
        from {fct_identity_match_rate}
        where coalesce(match_rate, identifiable_rate) is not null and minimum_rate is not null
        order by workspace_id
        """,
        reads=["fct_identity_match_rate"],
    )
    if not rows:
        return not_applicable(name, title, "nobody to match", "as declared")
    measured = "; ".join(
        f"workspace {r['workspace_id']} {share(r['rate'])} "
        f"{'matched' if r['is_asked'] else 'identifiable (no Heap Connect)'}"
        for r in rows
    )
    limits = sorted({row["minimum_rate"] for row in rows})
    return judged(
        name,
        title,
        all(row["rate"] >= row["minimum_rate"] for row in rows),
        measured,
        f"at least {' or '.join(share(limit) for limit in limits)}",
        "Look at 20 to 50 persons with `counterfoil identity sample` before publishing.",
    )


def _events(sources: Sources) -> Line:
    name, title = "standard_events", "The four standard events have rows and stable ids"
    threshold = "rows in each; no row without key or id; no key twice"
    said, bad = [], []
    for mart, needed in EVENT_MARTS.items():
        event = mart.removeprefix("heap_cio_")
        found = sources.tables.rows(
            f"""
            select count(*) as count_rows,
                count(*) - count(distinct publish_key) as count_twice,
                count(*) filter (where publish_key is null or {needed} is null) as count_without
            from {{{mart}}}
            """,
            reads=[mart],
        )
        if not found:
            bad.append(f"{event} is not built")
            continue
        row = found[0]
        said.append(f"{event} {count(row['count_rows'])}")
        if not row["count_rows"]:
            bad.append(f"{event} has no rows")
        if row["count_twice"] or row["count_without"]:
            bad.append(
                f"{event}: {count(row['count_twice'])} keys twice, "
                f"{count(row['count_without'])} rows without their id"
            )
    return judged(
        name,
        title,
        not bad,
        "; ".join([*said, *bad]),
        threshold,
        "Check that the export holds subjects, deliveries and metrics, and that people resolve.",
    )


def _exposure_without_click(sources: Sources) -> Line:
    name, title = "exposure_without_click", "Exposure is told with or without a click"
    threshold = "every real exposure is told or refused with a reason"
    found = sources.tables.rows(
        """
        select
            (select count(*) from {fct_message_exposures} where exposure_kind = 'real')
                as count_real,
            (select count(*) from {heap_cio_message_sent}) as count_told,
            (select count(*) from {heap_refusals} where kind like '%message_sent') as count_refused,
            (select count(*) from {heap_cio_message_sent} as sent
                where not exists (
                    select 1 from {heap_cio_message_clicked} as clicked
                    where clicked.workspace_id = sent.workspace_id
                        and clicked.delivery_id = sent.delivery_id)) as count_without_click
        """,
        reads=[
            "fct_message_exposures",
            "heap_cio_message_sent",
            "heap_cio_message_clicked",
            "heap_refusals",
        ],
    )
    if not found or not found[0]["count_real"]:
        return not_applicable(name, title, "nobody was shown a message", threshold)
    row = found[0]
    return judged(
        name,
        title,
        row["count_told"] + row["count_refused"] == row["count_real"]
        and (row["count_without_click"] > 0 or row["count_told"] == 0),
        f"{count(row['count_real'])} real exposures: {count(row['count_told'])} to be told "
        f"({count(row['count_without_click'])} without a click), "
        f"{count(row['count_refused'])} refused",
        threshold,
        "heap_cio_message_sent must hold every real exposure; look for a filter in it.",
    )


def _segments(sources: Sources) -> Line:
    name, title = "segments", "Few segments are exported, owned, and locked"
    threshold = f"{MIN_SEGMENTS} to {MAX_SEGMENTS}, each with motion, owner and fingerprint"
    rows = sources.tables.rows(
        """
        select segment_key, version, motion, owner, fingerprint
        from {dim_segment_versions}
        where is_exported and valid_from <= $1 and (valid_to is null or valid_to > $1)
        order by segment_key, version
        """,
        [sources.as_of],
        reads=["dim_segment_versions"],
    )
    bare = [
        f"{row['segment_key']} v{row['version']}"
        for row in rows
        if not (row["motion"] and row["owner"] and row["fingerprint"])
    ]
    keys = {row["segment_key"] for row in rows}
    measured = f"{len(keys)} exported" + (f"; not complete: {', '.join(bare)}" if bare else "")
    return judged(
        name,
        title,
        MIN_SEGMENTS <= len(keys) <= MAX_SEGMENTS and not bare,
        measured,
        threshold,
        "Edit the segments' yml (is_exported, motion, owner) and run `counterfoil segments lock`.",
    )


def _state_and_history(sources: Sources) -> Line:
    name, title = "state_and_history", "State and history are kept apart"
    threshold = "current state on the user, what was true at the time stamped on every event"
    tables = sources.tables
    stamps = ("segments", "intent_tier", "arm")
    bare = [
        f"{mart} lacks {stamp}"
        for mart in EVENT_MARTS
        for stamp in stamps
        if not tables.has_column(mart, stamp)
    ]
    if bare:
        return judged(name, title, False, "; ".join(bare), threshold, "Add it to the model.")
    state = tables.value(
        "select count(*) from {heap_user_properties}", reads=["heap_user_properties"]
    )
    stamped = tables.rows(
        " union all ".join(
            f"select count(*) as count_rows, count(segments) as segments, "
            f"count(intent_tier) as intent_tier, count(arm) as arm from {{{mart}}}"
            for mart in EVENT_MARTS
        ),
        reads=list(EVENT_MARTS),
    )
    total = sum(row["count_rows"] for row in stamped)
    if not total:
        return not_applicable(name, title, "no events to stamp", threshold)
    told = {stamp: sum(row[stamp] for row in stamped) for stamp in stamps}
    return judged(
        name,
        title,
        bool(state) and told["intent_tier"] + told["segments"] > 0,
        f"{count(state or 0)} users with state; of {count(total)} events "
        f"{share(ratio(told['segments'], total))} carry segments, "
        f"{share(ratio(told['intent_tier'], total))} a tier, "
        f"{share(ratio(told['arm'], total))} an arm",
        threshold,
        "Stamps come from stays in the segments: check that they reach back over the history.",
    )


def _holdouts(sources: Sources) -> Line:
    name, title = "holdouts", "Journeys have a holdout, or are named as without"
    threshold = "at least one journey has one; the others are named"
    rows = sources.tables.rows(
        """
        select exposures.workspace_id, exposures.journey_id,
            max(exposures.journey_name) as journey_name,
            count(experiments.experiment_key) > 0 as has_holdout
        from {fct_message_exposures} as exposures
        left join (
            select distinct experiments.experiment_key, experiments.workspace_id,
                cast(experiments.campaign_id as varchar) as journey_id
            from {experiments} as experiments
            inner join {experiment_arms} as arms
                on experiments.experiment_key = arms.experiment_key
            where arms.is_control
        ) as experiments
            on exposures.journey_id = experiments.journey_id
            and exposures.workspace_id = coalesce(experiments.workspace_id, exposures.workspace_id)
        where exposures.journey_id is not null
            and exposures.message_type not in ('newsletter', 'transactional')
            and exposures.exposure_kind in ('real', 'ghost')
        group by exposures.workspace_id, exposures.journey_id
        order by exposures.workspace_id, exposures.journey_id
        """,
        reads=["fct_message_exposures", "experiments", "experiment_arms"],
    )
    if not rows:
        return not_applicable(name, title, "no journey has messages", threshold)
    bare = [
        clean(row["journey_name"] or f"journey {row['journey_id']}")
        for row in rows
        if not row["has_holdout"]
    ]
    measured = f"{len(rows) - len(bare)} of {len(rows)} journeys with messages have a holdout"
    if bare:
        measured += f"; without, so without lift: {', '.join(bare)}"
    return judged(
        name,
        title,
        len(bare) < len(rows),
        measured,
        threshold,
        "Hold people out in the journey and register it (seeds/experiments.csv, "
        "experiment_arms.csv).",
    )


def _sample_ratio(sources: Sources) -> Line:
    name, title = "sample_ratio", "Arms have the sizes that were declared"
    threshold = "chi-square below the 0.001 limit in each experiment"
    rows = sources.tables.rows(
        """
        select experiment_key, population, value, threshold, verdict
        from {fct_experiment_health} where guardrail = 'srm'
        order by experiment_key, population desc
        """,
        reads=["fct_experiment_health"],
    )
    if not rows:
        return not_applicable(name, title, "no experiment has people", threshold)
    bad = [
        f"{clean(r['experiment_key'])} ({r['population']}) {r['value']:.1f} against "
        f"{r['threshold']:.1f}"
        for r in rows
        if r["verdict"] == "invalid"
    ]
    return judged(
        name,
        title,
        not bad,
        f"{len(rows) - len(bad)} of {len(rows)} hold" + (f"; not: {', '.join(bad)}" if bad else ""),
        threshold,
        "Look for what drops people from one arm (a filter after the split, a changed weight); "
        "do not read the lift until then.",
    )


def _holdouts_apart(sources: Sources) -> Line:
    name, title = "holdouts_apart", "Held-out people are not told as shown"
    threshold = "no trapped delivery in heap_cio_message_sent"
    found = sources.tables.rows(
        """
        select
            (select count(*) from {fct_message_exposures} where exposure_kind = 'ghost')
                as count_ghosts,
            (select count(*) from {heap_cio_message_sent} as sent
                inner join {fct_message_exposures} as exposures
                    on sent.workspace_id = exposures.workspace_id
                    and sent.delivery_id = exposures.delivery_id
                where exposures.exposure_kind <> 'real') as count_told
        """,
        reads=["fct_message_exposures", "heap_cio_message_sent"],
    )
    if not found:
        return not_applicable(name, title, "no messages are built", threshold)
    row = found[0]
    return judged(
        name,
        title,
        row["count_told"] == 0,
        f"{count(row['count_ghosts'])} trapped deliveries, {count(row['count_told'])} of them "
        "or of the unsent told as sent",
        threshold,
        "Register the trap of the control arm (trap_action_id or trap_recipient) and build again.",
    )


def _cadence(sources: Sources) -> Line:
    name, title = "cadence", "Every Heap model says how often it is told, and why"
    threshold = "cadence and reason in config.meta.heap"
    models = sources.heap_models()
    if not models:
        return not_applicable(name, title, "no manifest of a build", threshold)
    bare = [
        str(row["name"])
        for row in models
        if row.get("cadence") not in ("realtime", "hourly", "daily") or not row.get("reason")
    ]
    said = ", ".join(f"{row['name']} {row.get('cadence') or 'undeclared'}" for row in models)
    return judged(
        name,
        title,
        not bare,
        said if not bare else f"{said}; not declared: {', '.join(bare)}",
        threshold,
        "Add `cadence` and `reason` to the model's yml.",
    )


def _freshness(sources: Sources) -> Line:
    name, title = "freshness", "Sources are fresh"
    rows = sources.tables.rows(
        "select * from {fct_source_freshness} order by family", reads=["fct_source_freshness"]
    )
    there = [row for row in rows if row["verdict"] != "absent"]
    if not there:
        return not_applicable(name, title, "no source has events", "fresh as of the build")
    stale = [row for row in there if row["verdict"] == "stale"]
    said = [f"{row['family']} {duration(60 * row['hours_since_last_event'])} old" for row in stale]
    limit = max(row["stale_after_hours"] for row in there)
    return judged(
        name,
        title,
        not stale,
        f"{len(there) - len(stale)} of {len(there)} fresh"
        + (f"; stale: {', '.join(said)}" if stale else ""),
        f"last event within {limit} hours of {moment(sources.as_of)} UTC",
        "Check the sync of that family, or build as of the export's own end (--as-of).",
    )


def _quarantine(sources: Sources) -> Line:
    name, title = "quarantine", "No file is in quarantine"
    threshold = "none"
    rows = sources.tables.rows(
        "select file_name, reason from {load_quarantine} order by file_name",
        reads=["load_quarantine"],
    )
    files = ", ".join(clean(row["file_name"]) for row in rows[:3])
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    return judged(
        name,
        title,
        not rows,
        f"{len(rows)} files" + (f": {files}{more}" if rows else ""),
        threshold,
        "Their reasons stand in load_quarantine; replace the files and load again.",
    )


def _refusals(sources: Sources) -> Line:
    name, title = "refusals", "Few rows may not be sent"
    threshold = f"at most {share(MAX_REFUSED_SHARE)} of what would be told"
    marts = [*EVENT_MARTS, "heap_user_properties"]
    total = sources.tables.rows(
        "select "
        + " + ".join(f"(select count(*) from {{{mart}}})" for mart in marts)
        + " as count_rows",
        reads=marts,
    )
    rows = sources.tables.rows(
        """
        select reason, count(*) as count_rows from {heap_refusals}
        group by reason order by count_rows desc, reason
        """,
        reads=["heap_refusals"],
    )
    refused = sum(row["count_rows"] for row in rows)
    everything = refused + (total[0]["count_rows"] if total else 0)
    if not everything:
        return not_applicable(name, title, "nothing to tell", threshold)
    reasons = ", ".join(f"{clean(r['reason'])} {count(r['count_rows'])}" for r in rows[:4])
    refused_share = ratio(refused, everything) or 0.0
    return judged(
        name,
        title,
        refused_share <= MAX_REFUSED_SHARE,
        f"{share(refused_share, 2)} of {count(everything)}" + (f" ({reasons})" if reasons else ""),
        threshold,
        "Mend the largest reason first; heap_refusals names every row.",
    )


def _dead_letters(sources: Sources) -> Line:
    name, title = "dead_letters", "Heap refused nothing that still waits"
    threshold = "none open"
    if sources.ledger is None:
        return not_applicable(name, title, "nothing was published yet", threshold)
    rows = sources.ledger.rows(
        """
        select status, count(*) as count_rows from {dead_letters} group by status order by status
        """,
        reads=["dead_letters"],
    )
    waiting = sum(row["count_rows"] for row in rows if row["status"] == "open")
    return judged(
        name,
        title,
        waiting == 0,
        f"{count(waiting)} open, {count(sum(r['count_rows'] for r in rows) - waiting)} settled",
        threshold,
        "See `counterfoil deadletters list`, mend the cause, then `counterfoil deadletters retry`.",
    )


def _read_back(sources: Sources) -> Line:
    name, title = "read_back", "What Heap acknowledged is what Heap has"
    threshold = "every receipt older than the read-back is found in it"
    if sources.ledger is None:
        return not_applicable(name, title, "nothing was published yet", threshold)
    if not sources.tables.has("stg_heap__events"):
        return not_applicable(name, title, "Heap Connect's events are not built", threshold)
    receipts = sources.ledger.places.get("receipts")
    found = sources.tables.rows(
        f"""
        select count(*) as count_receipts, count(read_back.publish_key) as count_found
        from {receipts} as receipts
        left join (
            select distinct publish_key from {{stg_heap__events}} where publish_key is not null
        ) as read_back on receipts.publish_key = read_back.publish_key
        where receipts.kind = 'event'
            and receipts.acknowledged_at < (select max(occurred_at) from {{stg_heap__events}})
        """,
        reads=["stg_heap__events"],
    )
    row = found[0]
    if not row["count_receipts"]:
        return not_applicable(name, title, "no receipt is older than the read-back", threshold)
    return judged(
        name,
        title,
        row["count_found"] == row["count_receipts"],
        f"{count(row['count_found'])} of {count(row['count_receipts'])} receipts found",
        threshold,
        "A receipt is not storage: compare the missing keys with Heap's own limits.",
    )

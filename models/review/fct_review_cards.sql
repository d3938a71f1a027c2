with

journeys as (
    select * from {{ ref("fct_review_journeys") }}
),

tiles as (
    select * from {{ ref("fct_review_tiles") }}
),

decisions as (
    select * from {{ ref("int_review__decisions") }}
    where journey_id is not null
),

journey_motions as (
    select * from {{ ref("journey_motions") }}
),

-- Of the last week nothing came that came before: what stands in its place is no reading.
silent as (
    select
        workspace_id,
        max(hours_silent) as hours_silent
    from {{ ref("int_review__silent_weeks") }}
    where
        weeks_ago = 1
        and has_come_before
    group by workspace_id
),

told_weeks as (
    select
        workspace_id,
        journey_id,
        cast(sum(count_entries) as {{ dbt.type_bigint() }}) as count_entries,
        cast(sum(count_real + count_ghost) as {{ dbt.type_bigint() }}) as count_made
    from tiles
    group by workspace_id, journey_id
),

-- An experiment stands with its journey, or alone where nothing is known of that.
placed as (
    select
        coalesce(decisions.workspace_id, journeys.workspace_id) as workspace_id,
        decisions.journey_id,
        decisions.experiment_key,
        decisions.arm,
        decisions.metric_key,
        decisions.aggregation,
        decisions.decision,
        decisions.reason,
        decisions.figure,
        decisions.lift,
        decisions.lift_low,
        decisions.lift_high,
        decisions.guardrail_value,
        decisions.guardrail_threshold,
        decisions.count_mature,
        decisions.count_week,
        decisions.planned_n,
        decisions.count_weeks_to_plan,
        decisions.until_at
    from decisions
    left join journeys
        on
            decisions.journey_id = journeys.journey_id
            and coalesce(decisions.workspace_id, journeys.workspace_id) = journeys.workspace_id
),

-- What is broken comes first, then what harms, then what works: that another arm of it does nothing is
-- no reason to stop that one. What cannot be decided comes last.
ranked as (
    select
        *,
        count(*) over (partition by workspace_id, journey_id) as count_readings,
        row_number() over (
            partition by workspace_id, journey_id
            order by
                case decision
                    when 'repair_first' then 1
                    when 'keep' then 3
                    when 'stop' then case when reason = 'harms' then 2 else 4 end
                    when 'keep_running' then 5
                    else 6
                end asc,
                experiment_key asc,
                arm asc
        ) as reading_rank
    from placed
),

undrawn as (
    select
        told_weeks.workspace_id,
        told_weeks.journey_id
    from told_weeks
    left join ranked
        on
            told_weeks.workspace_id = ranked.workspace_id
            and told_weeks.journey_id = ranked.journey_id
            and ranked.reading_rank = 1
    where
        ranked.journey_id is null
        and told_weeks.count_made > 0
),

united as (
    select
        *,
        true as has_experiment
    from ranked
    where reading_rank = 1
    union all
    select
        workspace_id,
        journey_id,
        {%- for column in ["experiment_key", "arm", "metric_key", "aggregation"] %}
        cast(null as {{ dbt.type_string() }}) as {{ column }},
        {%- endfor %}
        'hold_out_first' as decision,
        'no_control' as reason,
        'held_out' as figure,
        {%- for column in ["lift", "lift_low", "lift_high", "guardrail_value", "guardrail_threshold"] %}
        cast(null as double) as {{ column }},
        {%- endfor %}
        {%- for column in ["count_mature", "count_week", "planned_n", "count_weeks_to_plan"] %}
        cast(null as {{ dbt.type_bigint() }}) as {{ column }},
        {%- endfor %}
        cast(null as timestamp) as until_at,
        cast(0 as {{ dbt.type_bigint() }}) as count_readings,
        cast(1 as {{ dbt.type_bigint() }}) as reading_rank,
        false as has_experiment
    from undrawn
),

told as (
    select
        -- ids
        united.workspace_id,
        united.journey_id,
        united.experiment_key,
        united.arm,
        united.metric_key,
        -- attributes
        journeys.journey_name,
        journey_motions.motion,
        united.aggregation,
        case when silent.workspace_id is null then united.decision else 'repair_first' end as decision,
        case when silent.workspace_id is null then united.reason else 'no_data' end as reason,
        case when silent.workspace_id is null then united.figure else 'silent' end as figure,
        -- numbers
        cast(row_number() over (
            order by
                case when journey_motions.motion is null then 1 else 0 end asc,
                journey_motions.motion asc,
                coalesce(journeys.journey_name, united.journey_id) asc,
                united.journey_id asc,
                united.workspace_id asc
        ) as {{ dbt.type_bigint() }}) as card_rank,
        united.lift,
        united.lift_low,
        united.lift_high,
        united.guardrail_value,
        united.guardrail_threshold,
        united.count_mature,
        united.count_week,
        united.planned_n,
        united.count_weeks_to_plan,
        silent.hours_silent,
        cast(united.count_readings as {{ dbt.type_bigint() }}) as count_readings,
        coalesce(told_weeks.count_entries, 0) as count_entries_told,
        -- flags
        united.has_experiment,
        -- timestamps
        case when silent.workspace_id is null then united.until_at end as until_at
    from united
    left join journeys
        on
            united.workspace_id = journeys.workspace_id
            and united.journey_id = journeys.journey_id
    left join told_weeks
        on
            united.workspace_id = told_weeks.workspace_id
            and united.journey_id = told_weeks.journey_id
    left join journey_motions
        on
            united.workspace_id = journey_motions.workspace_id
            and united.journey_id = journey_motions.journey_id
    left join silent
        on united.workspace_id = silent.workspace_id
)

select * from told

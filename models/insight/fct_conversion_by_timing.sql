{%- set cell = ["cohort_key", "shown_arm", "message_id", "timing_number", "state_kind", "state"] -%}
with

risk_cells as (
    select * from {{ ref("int_insight__risk_cells") }}
),

sends as (
    select * from {{ ref("int_insight__sends") }}
),

cohort_arms as (
    select * from {{ ref("int_insight__cohort_arms") }}
),

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

contrasts as (
    select * from {{ ref("int_insight__contrasts") }}
),

journey_names as (
    select * from {{ ref("int_journeys__journey_names") }}
),

message_names as (
    select * from {{ ref("int_journeys__message_names") }}
),

cohorts as (
    select distinct
        cohort_key,
        workspace_id,
        journey_id,
        experiment_key
    from cohort_arms
),

channels as (
    select
        cohort_key,
        message_id,
        min(channel) as channel
    from sends
    group by cohort_key, message_id
),

alphas as (
    select
        experiment_key,
        max(alpha) as alpha
    from arms
    group by experiment_key
),

summed as (
    select
        {{ cell | join(", ") }},
        stratum,
        basis,
        is_selected,
        {%- for count in ["units", "persons"] %}
        sum(case when arm = shown_arm then count_{{ count }} else 0 end) as count_{{ count }},
        sum(case when arm <> shown_arm then count_{{ count }} else 0 end) as count_{{ count }}_control,
        {%- endfor %}
        {%- for count in ["shown", "shown_persons", "shown_after"] %}
        sum(case when arm = shown_arm then count_{{ count }} else 0 end) as count_{{ count }},
        {%- endfor %}
        max(kind_units) as kind_units,
        max(kind_persons) as kind_persons,
        max(metric_key) as metric_key,
        min(first_started_at) as first_started_at,
        max(last_started_at) as last_started_at
    from risk_cells
    group by {{ cell | join(", ") }}, stratum, basis, is_selected
),

-- What a report without a control says: those who got the message in this state, against everybody else
-- of the arm.
others as (
    select
        *,
        kind_units - count_shown as count_others,
        kind_persons - count_shown_persons as count_others_persons
    from summed
),

rated as (
    select
        *,
        cast(count_shown_persons as double) / nullif(count_shown, 0) as rate_shown,
        cast(count_others_persons as double) / nullif(count_others, 0) as rate_others,
        cast(count_units as double) * 7
        / greatest(7, {{ dbt.datediff("first_started_at", "last_started_at", "day") }}) as count_week,
        case
            when count_units_control > 0
                then cast(count_persons_control as double) / count_units_control
            else
                cast(count_persons - count_shown_persons as double) / nullif(count_units - count_shown, 0)
        end as rate_compared
    from others
),

read as (
    select
        rated.*,
        cohorts.workspace_id,
        cohorts.journey_id,
        cohorts.experiment_key,
        alone.control_arm,
        alone.interval_kind,
        alone.status,
        alone.reasons,
        alone.rate,
        alone.rate_control,
        alone.difference,
        alone.difference_low,
        alone.difference_high,
        together.difference_low as together_low,
        together.difference_high as together_high,
        {{ people_needed(
            "coalesce(nullif(rated.rate_compared, 0), rated.rate_shown)",
            var("insight_detectable_ratio"),
            "coalesce(alphas.alpha, " ~ var("experiments_alpha") ~ ")",
            var("review_power"),
        ) }} as count_needed
    from rated
    inner join cohorts
        on rated.cohort_key = cohorts.cohort_key
    left join alphas
        on cohorts.experiment_key = alphas.experiment_key
    left join contrasts as alone
        on
            alone.question = 'risk set'
            and cohorts.experiment_key = alone.experiment_key
            and rated.stratum = alone.stratum
            and rated.shown_arm = alone.arm
    left join contrasts as together
        on
            together.question = 'risk set, together'
            and cohorts.experiment_key = together.experiment_key
            and rated.stratum = together.stratum
            and rated.shown_arm = together.arm
),

judged as (
    select
        *,
        case when basis = 'held out' then coalesce(status, 'insufficient') else 'no control' end
            as told_status,
        case
            when basis = 'held out' then coalesce(reasons, 'immature')
            when is_selected then 'shown_before'
            else 'no_control'
        end as told_reasons,
        case
            when basis = 'described' then 'not caused'
            when difference is null then 'no headline'
            when together_low > 0 then 'adds'
            when together_high < 0 then 'costs'
            else 'not distinguishable from zero'
        end as finding,
        case
            when basis = 'described' or count_needed is null then count_needed
            else greatest(count_needed - count_units - count_units_control, 0)
        end as count_lacking
    from read
),

named as (
    select
        -- ids
        judged.workspace_id,
        judged.journey_id,
        journey_names.journey_name,
        judged.experiment_key,
        nullif(judged.shown_arm, '') as arm,
        judged.control_arm,
        judged.metric_key,
        judged.message_id,
        message_names.message_name,
        channels.channel,
        -- attributes
        {{ timing_named("judged.timing_number") }} as sent_after,
        judged.state_kind,
        judged.state,
        judged.basis,
        judged.interval_kind,
        judged.told_status as status,
        judged.told_reasons as reasons,
        judged.finding,
        case
            when judged.basis = 'described' then 'hold out before this message'
            when judged.finding in ('adds', 'costs') then 'nothing'
            when judged.count_lacking > 0 then 'keep running'
            else 'nothing'
        end as advice,
        -- numbers
        cast(judged.timing_number as {{ dbt.type_bigint() }}) as timing_number,
        {%- for count in [
            "count_units", "count_persons", "count_shown", "count_shown_persons", "count_shown_after",
            "count_units_control", "count_persons_control", "count_others", "count_others_persons",
            "count_needed", "count_lacking",
        ] %}
        cast(judged.{{ count }} as {{ dbt.type_bigint() }}) as {{ count }},
        {%- endfor %}
        judged.count_week,
        cast(
            ceil(judged.count_lacking / nullif(judged.count_week, 0)) as {{ dbt.type_bigint() }}
        ) as count_weeks,
        judged.rate,
        judged.rate_control,
        judged.difference,
        judged.difference_low,
        judged.difference_high,
        judged.together_low,
        judged.together_high,
        judged.rate_shown,
        case when judged.basis = 'described' then judged.rate_shown - judged.rate_compared end
            as described_difference,
        judged.rate_shown / nullif(judged.rate_others, 0) as naive_ratio
    from judged
    left join channels
        on
            judged.cohort_key = channels.cohort_key
            and judged.message_id = channels.message_id
    left join journey_names
        on
            judged.workspace_id = journey_names.workspace_id
            and judged.journey_id = journey_names.journey_id
    left join message_names
        on
            judged.workspace_id = message_names.workspace_id
            and judged.message_id = message_names.message_id
)

select * from named

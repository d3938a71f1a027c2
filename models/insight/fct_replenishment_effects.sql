with

logranks as (
    select * from {{ ref("int_insight__reorder_logranks") }}
),

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

verdicts as (
    select * from {{ ref("int_experiments__verdicts") }}
    where
        is_current
        and population = 'itt'
),

-- The statistic is read once, at the declared analysis.
seasons as (
    select
        experiment_key,
        workspace_id,
        cast(campaign_id as {{ dbt.type_string() }}) as journey_id,
        max(
            case when analysis_at is not null and {{ as_of() }} >= analysis_at then 1 else 0 end
        ) = 1 as is_analysed
    from arms
    group by experiment_key, workspace_id, campaign_id
),

flagged as (
    select
        logranks.*,
        seasons.workspace_id,
        seasons.journey_id,
        {{ verdict_columns() }},
        false as has_visibility_gap,
        false as is_immature,
        logranks.logrank_z is null
        or {{ has_few_events("least(logranks.count_reorders_treatment, logranks.count_reorders_control)") }}
            as has_few_events,
        false as is_underpowered,
        not seasons.is_analysed as is_running
    from logranks
    inner join seasons
        on logranks.experiment_key = seasons.experiment_key
    inner join verdicts
        on logranks.experiment_key = verdicts.experiment_key
),

judged as (
    select
        *,
        {{ contrast_status(insufficient=["is_running"]) }} as status,
        {{ contrast_reasons({"running": "is_running"}) }} as reasons
    from flagged
),

told as (
    select
        -- ids
        workspace_id,
        journey_id,
        experiment_key,
        arm,
        control_arm,
        category,
        -- attributes
        status,
        reasons,
        case
            when not ({{ may_be_told() }}) then 'no headline'
            when abs(logrank_z) < z_critical then 'not distinguishable from zero'
            when logrank_z > 0 then 'sooner'
            else 'later'
        end as verdict,
        -- numbers
        count_treatment,
        count_control,
        count_reorders_treatment,
        count_reorders_control,
        expected_reorders_treatment,
        case when {{ may_be_told() }} then logrank_z end as logrank_z
    from judged
)

select * from told

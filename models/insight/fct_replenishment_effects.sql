with

logranks as (
    select * from {{ ref("int_insight__reorder_logranks") }}
),

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

health as (
    select * from {{ ref("fct_experiment_health") }}
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

verdicts as (
    select
        experiment_key,
        max(case when verdict = 'invalid' then 1 else 0 end) = 1 as is_invalid,
        max(case when guardrail = 'cluster' and verdict <> 'ok' then 1 else 0 end) = 1 as is_cluster,
        {{ joined_text("case when verdict <> 'ok' then guardrail end", "||") }} as reasons
    from health
    where
        population = 'itt'
        and guardrail in (
            'srm', 'crossover_rate', 'contamination', 'late_label', 'allocation_changed',
            'winner_picked', 'definition_changed', 'cluster'
        )
    group by experiment_key
),

flagged as (
    select
        logranks.*,
        seasons.workspace_id,
        seasons.journey_id,
        coalesce(verdicts.is_invalid, false) as is_invalid,
        coalesce(verdicts.is_cluster, false) as is_cluster,
        verdicts.reasons as health_reasons,
        not seasons.is_analysed as is_running,
        logranks.logrank_z is null
        or least(logranks.count_reorders_treatment, logranks.count_reorders_control)
        < {{ var("experiments_minimum_events") }} as has_few_events
    from logranks
    inner join seasons
        on logranks.experiment_key = seasons.experiment_key
    left join verdicts
        on logranks.experiment_key = verdicts.experiment_key
),

judged as (
    select
        *,
        case
            when is_invalid then 'invalid'
            when is_cluster or has_few_events or is_running then 'insufficient'
            else 'ok'
        end as status,
        {{ sorted_codes({"few_events": "has_few_events", "running": "is_running"}) }} as own_reasons
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
        concat(
            coalesce(health_reasons, ''),
            case when coalesce(health_reasons, '') <> '' and own_reasons <> '' then '||' else '' end,
            own_reasons
        ) as reasons,
        case
            when status <> 'ok' then 'no headline'
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
        case when status = 'ok' then logrank_z end as logrank_z
    from judged
)

select * from told

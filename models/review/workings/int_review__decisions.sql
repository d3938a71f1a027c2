-- What to do, the first that holds. Higher is better: of a metric that is not, the words turn round.
{%- set is_found = "(q_value is null or q_value <= alpha)" %}
with

experiments as (
    select * from {{ ref("experiments") }}
),

experiment_arms as (
    select * from {{ ref("experiment_arms") }}
),

plans as (
    select * from {{ ref("int_review__plans") }}
),

health as (
    select * from {{ ref("fct_experiment_health") }}
),

controls as (
    select distinct experiment_key
    from experiment_arms
    where is_control
),

failures as (
    select
        experiment_key,
        guardrail,
        value,
        threshold,
        row_number() over (partition by experiment_key order by guardrail) as failure_rank
    from health
    where
        verdict = 'invalid'
        and population = 'itt'
),

read_rows as (
    select
        experiments.experiment_key,
        plans.arm,
        experiments.workspace_id,
        cast(experiments.campaign_id as {{ dbt.type_string() }}) as journey_id,
        experiments.primary_metric as metric_key,
        plans.aggregation,
        plans.status,
        plans.reasons,
        failures.guardrail,
        failures.value as guardrail_value,
        failures.threshold as guardrail_threshold,
        plans.lift,
        plans.lift_low,
        plans.lift_high,
        plans.q_value,
        plans.alpha,
        coalesce(plans.count_mature, 0) as count_mature,
        coalesce(plans.count_week, 0) as count_week,
        experiments.planned_n,
        coalesce(plans.count_lacking, 0) as count_lacking,
        plans.count_weeks_to_plan,
        controls.experiment_key is not null as has_control,
        coalesce(plans.interval_kind = 'fixed', false) as is_analysed,
        coalesce(experiments.ended_at <= {{ as_of() }}, false) as is_ended,
        case when experiments.analysis_at > {{ as_of() }} then experiments.analysis_at end
            as analysis_at,
        case
            when plans.count_weeks_to_plan is not null
                then {{ dbt.dateadd("day", "cast(7 * plans.count_weeks_to_plan as integer)", as_of()) }}
        end as plan_reached_at
    from experiments
    left join plans
        on experiments.experiment_key = plans.experiment_key
    left join controls
        on experiments.experiment_key = controls.experiment_key
    left join failures
        on
            experiments.experiment_key = failures.experiment_key
            and failures.failure_rank = 1
    where
        experiments.started_at is null
        or experiments.started_at < {{ as_of() }}
),

dated as (
    select
        *,
        case
            when analysis_at is null then plan_reached_at
            when plan_reached_at is null then analysis_at
            else greatest(analysis_at, plan_reached_at)
        end as until_at
    from read_rows
),

judged as (
    select
        *,
        case
            when not has_control then 'no_control'
            when status is null then 'nobody_assigned'
            when status = 'invalid' then coalesce(guardrail, 'outcome_visibility')
            when lift_low > 0 and {{ is_found }} then 'works'
            when lift_high < 0 and {{ is_found }} then 'harms'
            when is_analysed and lift is not null and lift_low is null then 'interval_withheld'
            when
                is_analysed and status = 'ok' and lift_low <= 0 and lift_high >= 0
                then 'no_effect'
            when is_analysed and status = 'ok' then 'not_sure'
            when is_ended then 'ended_short'
            when count_lacking > 0 and count_week = 0 then 'nobody_assigned'
            when count_weeks_to_plan > {{ var("review_most_weeks") }} then 'too_slow'
            when until_at is not null then 'too_early'
            when is_analysed then 'too_small'
            when planned_n is null then 'no_plan'
            else 'no_analysis_date'
        end as reason
    from dated
),

decided as (
    select
        *,
        case
            when reason = 'works' then 'keep'
            when reason in ('harms', 'no_effect') then 'stop'
            when reason = 'too_early' then 'keep_running'
            when reason in ('no_control', 'not_sure', 'ended_short', 'too_small', 'too_slow')
                then 'hold_out_first'
            else 'repair_first'
        end as decision
    from judged
),

-- The one number: the difference where it decides, the check that failed, or how many people there are.
numbered as (
    select
        -- ids
        workspace_id,
        journey_id,
        experiment_key,
        arm,
        metric_key,
        -- attributes
        aggregation,
        decision,
        reason,
        case
            when decision in ('keep', 'stop') or reason in ('interval_withheld', 'not_sure')
                then 'lift'
            when status = 'invalid' and guardrail is not null then 'guardrail'
            when reason = 'nobody_assigned' then 'assigned'
            when reason = 'no_control' then 'held_out'
            when reason = 'too_slow' then 'weeks'
            else 'people'
        end as figure,
        -- numbers
        lift,
        lift_low,
        lift_high,
        guardrail_value,
        guardrail_threshold,
        count_mature,
        count_week,
        planned_n,
        count_weeks_to_plan,
        -- timestamps
        case when decision = 'keep_running' then until_at end as until_at
    from decided
)

select * from numbered

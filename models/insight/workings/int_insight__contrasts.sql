{%- set guardrails = [
    "srm", "crossover_rate", "contamination", "late_label", "allocation_changed", "winner_picked",
    "outcome_visibility", "definition_changed", "cluster",
] %}
-- One arm against its control, as the lift does it: versions are never pooled but weighed by their
-- units, Newcombe's limits are combined by MOVER, and until the declared analysis the interval is
-- the one that may be looked at every week.
with

arm_counts as (
    select * from {{ ref("int_insight__arm_counts") }}
),

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

health as (
    select * from {{ ref("fct_experiment_health") }}
),

drawn as (
    select
        arm_counts.topic,
        arm_counts.measure,
        arm_counts.experiment_key,
        arm_counts.arm,
        arms.control_arm,
        arm_counts.allocation_version,
        arms.planned_n,
        coalesce(arms.planned_n, {{ var("experiments_tuning_n") }}) as tuning_n,
        arms.alpha,
        arms.z_critical,
        arms.analysis_at,
        cast(arm_counts.count_units as double) as count_units,
        cast(arm_counts.count_persons as double) as count_persons
    from arm_counts
    inner join arms
        on
            arm_counts.experiment_key = arms.experiment_key
            and arm_counts.arm = arms.arm
            and arm_counts.allocation_version = arms.allocation_version
    where arms.control_arm is not null
),

paired as (
    select
        treatment.*,
        control.count_units as count_units_control,
        control.count_persons as count_persons_control,
        treatment.count_persons / nullif(treatment.count_units, 0) as rate,
        control.count_persons / nullif(control.count_units, 0) as rate_control,
        case
            when treatment.count_units > 0 and control.count_units > 0
                then treatment.count_units + control.count_units
            else 0
        end as count_compared
    from drawn as treatment
    inner join drawn as control
        on
            treatment.topic = control.topic
            and treatment.measure = control.measure
            and treatment.experiment_key = control.experiment_key
            and treatment.allocation_version = control.allocation_version
            and treatment.control_arm = control.arm
    where treatment.arm <> treatment.control_arm
),

bounded as (
    select
        *,
        count_compared / nullif(
            sum(count_compared) over (partition by topic, measure, experiment_key, arm), 0
        ) as weight,
        {{ wilson_low("count_persons", "count_units", "z_critical") }} as wilson_low,
        {{ wilson_high("count_persons", "count_units", "z_critical") }} as wilson_high,
        {{ wilson_low("count_persons_control", "count_units_control", "z_critical") }}
            as wilson_low_control,
        {{ wilson_high("count_persons_control", "count_units_control", "z_critical") }}
            as wilson_high_control
    from paired
),

limited as (
    select
        *,
        rate - rate_control as difference,
        {{ newcombe_low("rate", "wilson_low", "rate_control", "wilson_high_control") }}
            as newcombe_low,
        {{ newcombe_high("rate", "wilson_high", "rate_control", "wilson_low_control") }}
            as newcombe_high,
        rate * (1.0 - rate) / greatest(count_units - 1, 1)
        + rate_control * (1.0 - rate_control) / greatest(count_units_control - 1, 1) as variance
    from bounded
),

combined as (
    select
        topic,
        measure,
        experiment_key,
        arm,
        control_arm,
        max(planned_n) as planned_n,
        max(tuning_n) as tuning_n,
        max(alpha) as alpha,
        max(analysis_at) as analysis_at,
        sum(count_units) as count_units,
        sum(count_persons) as count_persons,
        sum(count_units_control) as count_units_control,
        sum(count_persons_control) as count_persons_control,
        sum(count_compared) as count_compared,
        coalesce(
            {{ steady_sum("weight * rate") }}, sum(count_persons) / nullif(sum(count_units), 0)
        ) as rate,
        coalesce(
            {{ steady_sum("weight * rate_control") }},
            sum(count_persons_control) / nullif(sum(count_units_control), 0)
        ) as rate_control,
        {{ steady_sum("weight * difference") }} as difference,
        sqrt(
            {{ steady_sum(
                "weight * weight * (difference - newcombe_low) * (difference - newcombe_low)"
            ) }}
        ) as reach_low,
        sqrt(
            {{ steady_sum(
                "weight * weight * (newcombe_high - difference) * (newcombe_high - difference)"
            ) }}
        ) as reach_high,
        sqrt({{ steady_sum("weight * weight * variance") }}) as standard_error
    from limited
    group by topic, measure, experiment_key, arm, control_arm
),

read as (
    select
        *,
        case
            when analysis_at is not null and {{ as_of() }} >= analysis_at then 'fixed'
            else 'sequence'
        end as interval_kind,
        {{ sequence_rho_squared("alpha", "tuning_n") }} as rho_squared
    from combined
),

-- The plan counts the units of all arms, and all who were assigned: at a landmark some have left.
units_by_measure as (
    select
        experiment_key,
        topic,
        measure,
        sum(count_units) + max(count_units_control) as count_units
    from read
    group by experiment_key, topic, measure
),

assigned_units as (
    select
        experiment_key,
        max(count_units) as count_units
    from units_by_measure
    group by experiment_key
),

verdicts as (
    select
        experiment_key,
        {%- for guardrail in guardrails %}
        max(
            case when population = 'itt' and guardrail = '{{ guardrail }}' then verdict end
        ) as {{ guardrail }},
        {%- endfor %}
        max(
            case when population = 'ghost_reached' and guardrail = 'srm' then verdict end
        ) as ghost_srm
    from health
    group by experiment_key
),

-- Steps of a checkout are seen on the web: where profiles are linked more often in one arm, they
-- are also seen more often in it. Orders come from the order system.
flagged as (
    select
        read.*,
        {%- for guardrail in guardrails %}
        coalesce(verdicts.{{ guardrail }}, 'ok') as {{ guardrail }},
        {%- endfor %}
        coalesce(verdicts.srm, 'ok') = 'invalid'
        or (read.measure = 'first message' and coalesce(verdicts.ghost_srm, 'ok') = 'invalid')
            as has_srm,
        read.topic = 'funnel'
        and read.measure <> 'order_placed'
        and coalesce(verdicts.outcome_visibility, 'ok') <> 'ok' as has_visibility_gap,
        read.count_units = 0 or read.count_units_control = 0 as is_immature,
        coalesce(assigned_units.count_units < read.planned_n, false) as is_underpowered,
        least(
            read.count_persons,
            read.count_units - read.count_persons,
            read.count_persons_control,
            read.count_units_control - read.count_persons_control
        ) < {{ var("experiments_minimum_events") }} as has_few_events
    from read
    inner join assigned_units
        on read.experiment_key = assigned_units.experiment_key
    left join verdicts
        on read.experiment_key = verdicts.experiment_key
),

judged as (
    select
        *,
        {{ contrast_status() }} as status,
        {{ contrast_reasons() }} as reasons
    from flagged
),

told as (
    select
        topic,
        measure,
        experiment_key,
        arm,
        control_arm,
        interval_kind,
        status,
        reasons,
        cast(count_units as {{ dbt.type_bigint() }}) as count_units,
        cast(count_persons as {{ dbt.type_bigint() }}) as count_persons,
        cast(count_units_control as {{ dbt.type_bigint() }}) as count_units_control,
        cast(count_persons_control as {{ dbt.type_bigint() }}) as count_persons_control,
        rate,
        rate_control,
        case when status in ('ok', 'underpowered') then difference end as difference,
        case
            when status not in ('ok', 'underpowered') then null
            when interval_kind = 'fixed' then difference - reach_low
            else
                difference
                - {{ sequence_halfwidth("standard_error", "count_compared", "rho_squared", "alpha") }}
        end as difference_low,
        case
            when status not in ('ok', 'underpowered') then null
            when interval_kind = 'fixed' then difference + reach_high
            else
                difference
                + {{ sequence_halfwidth("standard_error", "count_compared", "rho_squared", "alpha") }}
        end as difference_high
    from judged
)

select * from told

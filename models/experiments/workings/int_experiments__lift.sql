with

contrasts as (
    select * from {{ ref("int_experiments__contrasts") }}
),

inferences as (
    select * from {{ ref("int_experiments__inference") }}
),

guardrails as (
    select * from {{ ref("int_experiments__guardrails") }}
),

linked_outcomes as (
    select * from {{ ref("int_experiments__linked_outcomes") }}
),

-- Limits of each allocation version: Newcombe for rates, Welch for means.
limited as (
    select
        contrasts.*,
        case
            when contrasts.aggregation = 'any' then contrasts.newcombe_low
            else inferences.welch_low
        end as fixed_low,
        case
            when contrasts.aggregation = 'any' then contrasts.newcombe_high
            else inferences.welch_high
        end as fixed_high,
        -- The sequence takes the sample variance, n - 1, of rates as of means.
        case
            when contrasts.aggregation = 'any'
                then
                    contrasts.variance_treatment * contrasts.count_treatment
                    / greatest(contrasts.count_treatment - 1, 1)
            else contrasts.variance_treatment
        end as sample_variance_treatment,
        case
            when contrasts.aggregation = 'any'
                then
                    contrasts.variance_control * contrasts.count_control
                    / greatest(contrasts.count_control - 1, 1)
            else contrasts.variance_control
        end as sample_variance_control,
        inferences.fixed_p_value,
        inferences.sequence_p_value,
        inferences.p_method
    from contrasts
    left join inferences
        on {{ same_contrast("contrasts", "inferences") }}
),

-- Versions are never pooled: weighed by their units, their limits combined by MOVER.
combined as (
    select
        experiment_key,
        population,
        stratum,
        metric_key,
        arm,
        control_arm,
        aggregation,
        read_at,
        is_current,
        planned_n,
        tuning_n,
        alpha,
        z_critical,
        analysis_at,
        fixed_p_value,
        sequence_p_value,
        p_method,
        sum(count_treatment) as count_treatment,
        sum(count_control) as count_control,
        sum(case when is_comparable then count_treatment + count_control else 0 end)
            as count_compared,
        sum(count_nonzero_treatment) as count_nonzero_treatment,
        sum(count_nonzero_control) as count_nonzero_control,
        sum(case when count_treatment + count_control > 0 then 1 else 0 end) as count_versions,
        {{ steady_sum("sum_treatment") }} / nullif(sum(count_treatment), 0)
            as pooled_mean_treatment,
        {{ steady_sum("sum_control") }} / nullif(sum(count_control), 0)
            as pooled_mean_control,
        {{ steady_sum("weight * mean_treatment") }} as weighted_mean_treatment,
        {{ steady_sum("weight * mean_control") }} as weighted_mean_control,
        sqrt(
            {{ steady_sum(
                "weight * weight * (difference - fixed_low) * (difference - fixed_low)"
            ) }}
        ) as fixed_reach_low,
        sqrt(
            {{ steady_sum(
                "weight * weight * (fixed_high - difference) * (fixed_high - difference)"
            ) }}
        ) as fixed_reach_high,
        sqrt(
            {{ steady_sum(
                "weight * weight * (
                    sample_variance_treatment / nullif(count_treatment, 0)
                    + sample_variance_control / nullif(count_control, 0)
                )"
            ) }}
        ) as standard_error,
        {{ steady_sum("weight * weight * variance_treatment / nullif(count_treatment, 0)") }}
            as mean_variance_treatment,
        {{ steady_sum("weight * weight * variance_control / nullif(count_control, 0)") }}
            as mean_variance_control,
        max(case when is_skewed then 1 else 0 end) = 1 as is_skewed
    from limited
    group by
        experiment_key,
        population,
        stratum,
        metric_key,
        arm,
        control_arm,
        aggregation,
        read_at,
        is_current,
        planned_n,
        tuning_n,
        alpha,
        z_critical,
        analysis_at,
        fixed_p_value,
        sequence_p_value,
        p_method
),

estimated as (
    select
        *,
        coalesce(weighted_mean_treatment, pooled_mean_treatment) as mean_treatment,
        coalesce(weighted_mean_control, pooled_mean_control) as mean_control,
        weighted_mean_treatment - weighted_mean_control as difference,
        case
            when analysis_at is not null and read_at >= analysis_at then 'fixed'
            else 'sequence'
        end as interval_kind,
        {{ sequence_rho_squared("alpha", "tuning_n") }} as rho_squared
    from combined
),

bounded as (
    select
        *,
        case
            when is_skewed then null
            when interval_kind = 'fixed' then difference - fixed_reach_low
            else
                difference
                - {{ sequence_halfwidth("standard_error", "count_compared", "rho_squared", "alpha") }}
        end as difference_low,
        case
            when is_skewed then null
            when interval_kind = 'fixed' then difference + fixed_reach_high
            else
                difference
                + {{ sequence_halfwidth("standard_error", "count_compared", "rho_squared", "alpha") }}
        end as difference_high,
        case
            when interval_kind = 'fixed' then fixed_p_value
            when is_skewed then sequence_p_value
            when standard_error > 0
                then {{ sequence_p_value("(difference / standard_error)", "count_compared", "rho_squared") }}
            else 1.0
        end as difference_p_value,
        sqrt(
            mean_variance_treatment / nullif(mean_treatment * mean_treatment, 0)
            + mean_variance_control / nullif(mean_control * mean_control, 0)
        ) as log_ratio_error
    from estimated
),

-- The plan counts the units of all arms.
planned_units as (
    select
        experiment_key,
        read_at,
        population,
        stratum,
        metric_key,
        sum(count_treatment) + max(count_control) as count_units
    from bounded
    group by experiment_key, read_at, population, stratum, metric_key
),

verdicts as (
    select
        experiment_key,
        read_at,
        {% for guardrail in [
            "srm", "crossover_rate", "contamination", "late_label", "allocation_changed",
            "winner_picked", "outcome_visibility", "definition_changed", "cluster",
        ] -%}
        max(
            case when population = 'itt' and guardrail = '{{ guardrail }}' then verdict end
        ) as {{ guardrail }},
        {% endfor -%}
        max(
            case when population = 'ghost_reached' and guardrail = 'srm' then verdict end
        ) as ghost_srm
    from guardrails
    group by experiment_key, read_at
),

flagged as (
    select
        bounded.*,
        verdicts.srm = 'invalid'
        or (
            bounded.population = 'ghost_reached'
            and coalesce(verdicts.ghost_srm, 'ok') = 'invalid'
        ) as has_srm,
        verdicts.crossover_rate,
        verdicts.contamination,
        verdicts.late_label,
        verdicts.allocation_changed,
        verdicts.winner_picked,
        verdicts.definition_changed,
        verdicts.cluster,
        verdicts.outcome_visibility <> 'ok'
        and coalesce(linked_outcomes.linked_share, 0)
        >= {{ var("experiments_linked_outcomes_share") }} as has_visibility_gap,
        bounded.count_treatment = 0 or bounded.count_control = 0 as is_immature,
        coalesce(planned_units.count_units < bounded.planned_n, false) as is_underpowered,
        bounded.count_nonzero_treatment < {{ var("experiments_minimum_events") }}
        or bounded.count_nonzero_control < {{ var("experiments_minimum_events") }}
        or (
            bounded.aggregation = 'any'
            and (
                bounded.count_treatment - bounded.count_nonzero_treatment
                < {{ var("experiments_minimum_events") }}
                or bounded.count_control - bounded.count_nonzero_control
                < {{ var("experiments_minimum_events") }}
            )
        ) as has_few_events
    from bounded
    inner join verdicts
        on
            bounded.experiment_key = verdicts.experiment_key
            and bounded.read_at = verdicts.read_at
    left join planned_units
        on
            bounded.experiment_key = planned_units.experiment_key
            and bounded.read_at = planned_units.read_at
            and bounded.population = planned_units.population
            and bounded.stratum = planned_units.stratum
            and bounded.metric_key = planned_units.metric_key
    left join linked_outcomes
        on
            bounded.experiment_key = linked_outcomes.experiment_key
            and bounded.metric_key = linked_outcomes.metric_key
),

judged as (
    select
        *,
        {{ contrast_status() }} as status,
        {{ contrast_reasons({"skew": "is_skewed"}) }} as reasons
    from flagged
),

told as (
    select
        *,
        status in ('ok', 'underpowered') as is_told,
        case when status in ('ok', 'underpowered') then difference_p_value end as p_value
    from judged
),

-- Benjamini and Hochberg over everything that is read together: the headline rows of all
-- experiments are one family, the tiers another.
ranked as (
    select
        *,
        count(p_value) over (
            partition by read_at, population, case when stratum = 'all' then 1 else 0 end
        ) as count_tests,
        row_number() over (
            partition by read_at, population, case when stratum = 'all' then 1 else 0 end
            order by
                case when p_value is null then 1 else 0 end,
                p_value,
                experiment_key,
                stratum,
                metric_key,
                arm
        ) as p_rank
    from told
),

adjusted as (
    select
        *,
        case
            when p_value is not null
                then least(
                    1.0,
                    min(p_value * count_tests / p_rank) over (
                        partition by
                            read_at, population, case when stratum = 'all' then 1 else 0 end
                        order by p_rank desc
                        rows between unbounded preceding and current row
                    )
                )
        end as q_value
    from ranked
),

presented as (
    select
        -- ids
        experiment_key,
        population,
        stratum,
        metric_key,
        arm,
        control_arm,
        -- attributes
        interval_kind,
        status,
        reasons,
        p_method,
        -- numbers
        cast(count_treatment as {{ dbt.type_bigint() }}) as count_treatment,
        cast(count_control as {{ dbt.type_bigint() }}) as count_control,
        cast(mean_treatment as double) as mean_treatment,
        cast(mean_control as double) as mean_control,
        case when is_told then cast(difference as double) end as lift,
        case when is_told then cast(difference_low as double) end as lift_low,
        case when is_told then cast(difference_high as double) end as lift_high,
        case
            when is_told then cast(difference / nullif(mean_control, 0) as double)
        end as lift_relative,
        case
            when is_told and interval_kind = 'fixed' and not is_skewed
                then
                    mean_treatment / nullif(mean_control, 0)
                    * exp(-1.0 * z_critical * log_ratio_error) - 1.0
        end as lift_relative_low,
        case
            when is_told and interval_kind = 'fixed' and not is_skewed
                then
                    mean_treatment / nullif(mean_control, 0)
                    * exp(z_critical * log_ratio_error) - 1.0
        end as lift_relative_high,
        case when is_told then count_treatment * cast(difference as double) end as incremental,
        case
            when is_told then count_treatment * cast(difference_low as double)
        end as incremental_low,
        case
            when is_told then count_treatment * cast(difference_high as double)
        end as incremental_high,
        cast(p_value as double) as p_value,
        cast(q_value as double) as q_value,
        alpha,
        -- flags
        is_current,
        -- timestamps
        read_at
    from adjusted
)

select * from presented

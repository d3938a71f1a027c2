with

contrasts as (
    select * from {{ ref("int_experiments__contrasts") }}
),

inferences as (
    select * from {{ ref("int_experiments__inference") }}
),

verdicts as (
    select * from {{ ref("int_experiments__verdicts") }}
),

linked_outcomes as (
    select * from {{ ref("int_experiments__linked_outcomes") }}
),

limited as (
    select
        contrasts.*,
        {{ fixed_limits("contrasts", "inferences") }},
        inferences.fixed_p_value,
        inferences.permutation_z,
        inferences.p_method
    from contrasts
    left join inferences
        on {{ same_contrast("contrasts", "inferences") }}
),

{{ estimates_of("limited", by=["stratum", "fixed_p_value", "permutation_z", "p_method"]) }},

flagged as (
    select
        estimated.*,
        {{ verdict_columns() }},
        verdicts.outcome_visibility <> 'ok'
        and coalesce(linked_outcomes.linked_share, 0)
        >= {{ var("experiments_linked_outcomes_share") }} as has_visibility_gap,
        {{ is_underpowered("estimated.count_all_arms", "estimated.planned_n") }} as is_underpowered
    from estimated
    inner join verdicts
        on
            estimated.experiment_key = verdicts.experiment_key
            and estimated.read_at = verdicts.read_at
            and estimated.population = verdicts.population
    left join linked_outcomes
        on
            estimated.experiment_key = linked_outcomes.experiment_key
            and estimated.metric_key = linked_outcomes.metric_key
),

judged as (
    select
        *,
        {{ contrast_status(insufficient=["lacks_variance"]) }} as status,
        {{ contrast_reasons({"skew": "is_skewed", "no_variance": "lacks_variance"}) }} as reasons
    from flagged
),

told as (
    select
        *,
        {{ may_be_told() }} as is_told,
        case
            when not ({{ may_be_told() }}) then null
            when interval_kind = 'fixed' then fixed_p_value
            when is_skewed then {{ sequence_p_value("permutation_z", "count_compared", "rho_squared") }}
            when standard_error > 0
                then {{ sequence_p_value("(difference / standard_error)", "count_compared", "rho_squared") }}
            else 1.0
        end as p_value,
        {{ may_be_told() }} and interval_kind = 'fixed' and not is_skewed as is_ratio_told,
        mean_treatment / nullif(mean_control, 0) as ratio,
        sqrt(
            mean_variance_treatment / nullif(mean_treatment * mean_treatment, 0)
            + mean_variance_control / nullif(mean_control * mean_control, 0)
        ) as log_ratio_error
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
                p_value asc nulls last,
                experiment_key asc,
                stratum asc,
                metric_key asc,
                arm asc
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

history as (
    select
        -- ids
        read_at as as_of,
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
            when is_ratio_told then ratio * exp(-1.0 * z_critical * log_ratio_error) - 1.0
        end as lift_relative_low,
        case
            when is_ratio_told then ratio * exp(z_critical * log_ratio_error) - 1.0
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
        alpha
    from adjusted
)

select * from history

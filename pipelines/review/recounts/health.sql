-- What a check compares, counted from the people who were assigned, their units and what was declared.
with

people as (
    select *
    from {int_experiments__people}
    where
        experiment_key = $experiment_key
        and assigned_at < $as_of
),

drawn as (
    select
        arms.allocation_version,
        arms.arm,
        arms.weight / sum(arms.weight) over (partition by arms.allocation_version) as share,
        count(people.person_id) filter (
            case
                when $population = 'itt'
                    then coalesce(people.exclusion_reason, '') not in ('global_holdout', 'winner_picked')
                else
                    people.exclusion_reason is null
                    and people.is_ghost_reached
                    and people.reached_first_at < $as_of
            end
        ) as count_drawn
    from {int_experiments__arms} as arms
    left join people
        on
            arms.allocation_version = people.allocation_version
            and arms.arm = people.arm
    where
        arms.experiment_key = $experiment_key
        and arms.weight > 0
        and arms.is_randomised
    group by arms.allocation_version, arms.arm, arms.weight
),

expected as (
    select
        *,
        share * sum(count_drawn) over (partition by allocation_version) as count_expected
    from drawn
),

ratios as (
    select
        allocation_version,
        count(*) - 1 as freedom,
        sum((count_drawn - count_expected) ^ 2 / nullif(count_expected, 0)) as chi_square
    from expected
    group by allocation_version
),

-- the critical value is near enough to tell which version strays furthest (Wilson and Hilferty)
strayed as (
    select
        arg_max(
            chi_square,
            chi_square / (freedom * (1 - 2 / (9 * freedom) + 3.0902 * sqrt(2 / (9 * freedom))) ^ 3)
        ) as chi_square
    from ratios
),

merged as (
    select
        people.arm,
        people.is_control,
        count(*) as count_people,
        count(*) filter (
            (
                select count(*)
                from {int_identity__profiles} as profiles
                where profiles.person_id = people.person_id
            ) > 1
        ) as count_merged
    from people
    group by people.arm, people.is_control
),

linked as (
    select
        max(
            (treated.count_merged / treated.count_people - control.count_merged / control.count_people) ^ 2
            / nullif(
                (treated.count_merged + control.count_merged)
                / (treated.count_people + control.count_people)
                * (
                    1
                    - (treated.count_merged + control.count_merged)
                    / (treated.count_people + control.count_people)
                )
                * (1 / treated.count_people + 1 / control.count_people),
                0
            )
        ) as chi_square
    from merged as treated
    inner join merged as control on control.is_control and not treated.is_control
),

changed as (
    select distinct changed.changed_at
    from (
        select
            cast(valid_from as timestamp) as changed_at,
            cast(null as bigint) as workspace_id
        from {dim_segment_versions}
        where version > 1
        union all
        select
            cast(decided_on as timestamp) as changed_at,
            workspace_id
        from {identity_rules}
    ) as changed
    inner join {experiments} as experiments
        on
            experiments.experiment_key = $experiment_key
            and coalesce(changed.workspace_id, experiments.workspace_id, 0)
            = coalesce(experiments.workspace_id, changed.workspace_id, 0)
            and changed.changed_at > coalesce(experiments.started_at, timestamp '1970-01-01')
            and changed.changed_at < coalesce(experiments.ended_at, $as_of)
            and changed.changed_at < $as_of
),

-- each arm beside its control, in the allocations that have it
units as (
    select
        arms.arm as of_arm,
        arms.allocation_version,
        arms.planned_n,
        units.arm = arms.arm as is_treated,
        units.y,
        metrics.aggregation
    from {int_experiments__arms} as arms
    inner join {metrics} as metrics on arms.primary_metric = metrics.metric_key
    left join people
        on
            arms.allocation_version = people.allocation_version
            and people.arm in (arms.arm, arms.control_arm)
            and people.window_ends_at <= $as_of
            and ($population = 'itt' or people.is_ghost_reached)
    left join {fct_experiment_units} as units
        on
            people.experiment_key = units.experiment_key
            and people.person_id = units.person_id
            and arms.primary_metric = units.metric_key
    where
        arms.experiment_key = $experiment_key
        and arms.arm <> arms.control_arm
),

sized as (
    select
        of_arm,
        any_value(aggregation) as aggregation,
        count(y) filter (is_treated) as count_treatment,
        count(y) filter (not is_treated) as count_control,
        count(*) filter (is_treated and y <> 0) as count_treatment_nonzero,
        count(*) filter (not is_treated and y <> 0) as count_control_nonzero
    from units
    group by of_arm
),

deviations as (
    select
        of_arm,
        allocation_version,
        is_treated,
        y,
        y - avg(y) over (partition by of_arm, allocation_version, is_treated) as deviation
    from units
    where
        aggregation <> 'any'
        and y is not null
),

skewed as (
    select
        of_arm,
        allocation_version,
        is_treated,
        count(*) as count_units,
        case when count(*) = 1 then 1 else avg(deviation ^ 3) / nullif(avg(deviation ^ 2) ^ 1.5, 0) end
            as skewness
    from deviations
    group by of_arm, allocation_version, is_treated
)

-- what has nothing to measure is told as zero
select
    (select count(*) from people) as count_rows,
    coalesce(
        case $guardrail
            when 'srm' then (select chi_square from strayed)
            when 'allocation_changed'
                then (select count(distinct allocation_version) filter (is_randomised) from people)
            when 'winner_picked'
                then (select count(*) filter (exclusion_reason = 'winner_picked') from people)
            when 'cluster'
                then (
                    select count(distinct experiment_key)
                    from {experiment_clusters}
                    where experiment_key = $experiment_key
                )
            when 'crossover_rate'
                then (
                    select
                        count(*) filter (
                            crossed_over_at < $as_of
                            and ($verdict <> 'invalid' or crossover_cause in ('merge', 'relabel'))
                        ) / count(*)
                    from people
                )
            when 'contamination'
                then (
                    select
                        count(*) filter (is_contaminated and exposed_real_at < $as_of)
                        / count(*) filter (is_control and count_arms = 1)
                    from people
                )
            when 'late_label'
                then (select count(*) filter (exclusion_reason = 'late_label') / count(*) from people)
            when 'outcome_visibility' then (select chi_square from linked)
            when 'definition_changed' then (select count(*) from changed)
            when 'immature' then (select min(least(count_treatment, count_control)) from sized)
            when 'few_events'
                then (
                    select
                        min(
                            least(
                                count_treatment_nonzero,
                                count_control_nonzero,
                                case
                                    when aggregation = 'any' then count_treatment - count_treatment_nonzero
                                end,
                                case when aggregation = 'any' then count_control - count_control_nonzero end
                            )
                        )
                    from sized
                )
            when 'underpowered' then (select sum(count_treatment) + max(count_control) from sized)
            when 'skew'
                then (select max($experiments_skew_factor * skewness ^ 2 / count_units) from skewed)
        end, 0
    ) as value

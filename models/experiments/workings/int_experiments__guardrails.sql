with

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

instants as (
    select * from {{ ref("int_experiments__instants") }}
),

people as (
    select * from {{ ref("int_experiments__people") }}
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

contrasts as (
    select * from {{ ref("int_experiments__contrasts") }}
),

identity_rules as (
    select * from {{ ref("identity_rules") }}
),

segment_versions as (
    select * from {{ ref("dim_segment_versions") }}
),

clusters as (
    select * from {{ ref("experiment_clusters") }}
),

profile_counts as (
    select
        person_id,
        count(*) as count_profiles
    from profiles
    group by person_id
),

-- What was known of each arm at each instant.
known as (
    select
        people.experiment_key,
        instants.read_at,
        people.allocation_version,
        people.arm,
        people.is_control,
        people.is_randomised,
        sum(
            case
                when coalesce(people.exclusion_reason, '') not in ('global_holdout', 'winner_picked')
                    then 1
                else 0
            end
        ) as count_drawn,
        sum(
            case
                when
                    people.exclusion_reason is null and people.is_ghost_reached
                    and people.reached_first_at < instants.read_at
                    then 1
                else 0
            end
        ) as count_ghost_reached,
        count(*) as count_people,
        sum(
            case when people.crossed_over_at < instants.read_at then 1 else 0 end
        ) as count_crossovers,
        sum(
            case
                when
                    people.crossed_over_at < instants.read_at
                    and people.crossover_cause in ('merge', 'relabel')
                    then 1
                else 0
            end
        ) as count_hard_crossovers,
        sum(case when people.count_arms = 1 then 1 else 0 end) as count_single_arm,
        sum(
            case
                when people.is_contaminated and people.exposed_real_at < instants.read_at then 1
                else 0
            end
        ) as count_contaminated,
        sum(
            case when people.exclusion_reason = 'late_label' then 1 else 0 end
        ) as count_late_labels,
        sum(
            case when people.exclusion_reason = 'winner_picked' then 1 else 0 end
        ) as count_winner_picked,
        sum(
            case when profile_counts.count_profiles > 1 then 1 else 0 end
        ) as count_merged,
        sum(
            case
                when people.exclusion_reason is null and people.window_ends_at <= instants.read_at
                    then 1
                else 0
            end
        ) as count_mature
    from people
    inner join instants
        on
            people.experiment_key = instants.experiment_key
            and people.assigned_at < instants.read_at
    left join profile_counts
        on people.person_id = profile_counts.person_id
    group by
        people.experiment_key,
        instants.read_at,
        people.allocation_version,
        people.arm,
        people.is_control,
        people.is_randomised
),

-- The sample ratio, per allocation version, on first assignments and on the ghost population.
expected as (
    select
        arms.experiment_key,
        instants.read_at,
        arms.allocation_version,
        arms.arm,
        arms.count_weighed_arms,
        arms.weight / nullif(arms.weight_of_version, 0) as share,
        arms.has_control_trap,
        coalesce(known.count_drawn, 0) as count_drawn,
        coalesce(known.count_ghost_reached, 0) as count_ghost_reached
    from arms
    inner join instants
        on arms.experiment_key = instants.experiment_key
    left join known
        on
            arms.experiment_key = known.experiment_key
            and instants.read_at = known.read_at
            and arms.allocation_version = known.allocation_version
            and arms.arm = known.arm
    where
        arms.is_randomised
        and arms.weight > 0
),

totalled as (
    select
        *,
        share * sum(count_drawn) over (
            partition by experiment_key, read_at, allocation_version
        ) as expected_drawn,
        share * sum(count_ghost_reached) over (
            partition by experiment_key, read_at, allocation_version
        ) as expected_ghost_reached
    from expected
),

chi_squares as (
    select
        experiment_key,
        read_at,
        allocation_version,
        max(count_weighed_arms) - 1 as degrees_of_freedom,
        max(case when has_control_trap then 1 else 0 end) = 1 as has_control_trap,
        {{ steady_sum(
            "(count_drawn - expected_drawn) * (count_drawn - expected_drawn)
            / nullif(expected_drawn, 0)"
        ) }} as chi_square_drawn,
        {{ steady_sum(
            "(count_ghost_reached - expected_ghost_reached)
            * (count_ghost_reached - expected_ghost_reached)
            / nullif(expected_ghost_reached, 0)"
        ) }} as chi_square_ghost_reached
    from totalled
    group by experiment_key, read_at, allocation_version
),

judged_ratios as (
    select
        *,
        {{ chi_square_critical("degrees_of_freedom") }} as critical
    from chi_squares
),

-- The version that strays furthest from its critical value speaks for the experiment.
ratios as (
    select
        experiment_key,
        read_at,
        'itt' as population,
        coalesce(chi_square_drawn, 0.0) as chi_square,
        critical
    from judged_ratios
    union all
    select
        experiment_key,
        read_at,
        'ghost_reached' as population,
        coalesce(chi_square_ghost_reached, 0.0) as chi_square,
        critical
    from judged_ratios
    where has_control_trap
),

ranked_ratios as (
    select
        *,
        row_number() over (
            partition by experiment_key, read_at, population
            order by chi_square / critical desc, chi_square desc
        ) as stray_rank
    from ratios
),

known_of_experiment as (
    select
        experiment_key,
        read_at,
        sum(count_people) as count_people,
        sum(count_crossovers) as count_crossovers,
        sum(count_hard_crossovers) as count_hard_crossovers,
        sum(case when is_control then count_single_arm else 0 end) as count_single_arm_control,
        sum(count_contaminated) as count_contaminated,
        sum(count_late_labels) as count_late_labels,
        sum(count_winner_picked) as count_winner_picked,
        sum(count_mature) as count_mature,
        count(distinct case when is_randomised then allocation_version end) as count_versions
    from known
    group by experiment_key, read_at
),

-- Merges by arm: a treatment that stitches profiles together also makes outcomes visible.
merges_by_arm as (
    select
        experiment_key,
        read_at,
        arm,
        is_control,
        cast(sum(count_people) as double) as count_people,
        cast(sum(count_merged) as double) as count_merged
    from known
    group by experiment_key, read_at, arm, is_control
),

merge_contrasts as (
    select
        treatment.experiment_key,
        treatment.read_at,
        (treatment.count_merged / treatment.count_people - control.count_merged / control.count_people)
            as difference,
        (treatment.count_merged + control.count_merged)
        / (treatment.count_people + control.count_people) as pooled_rate,
        1.0 / treatment.count_people + 1.0 / control.count_people as inverse_counts
    from merges_by_arm as treatment
    inner join merges_by_arm as control
        on
            treatment.experiment_key = control.experiment_key
            and treatment.read_at = control.read_at
            and control.is_control
            and not treatment.is_control
),

visibility as (
    select
        experiment_key,
        read_at,
        max(
            coalesce(
                difference * difference
                / nullif(pooled_rate * (1.0 - pooled_rate) * inverse_counts, 0),
                0.0
            )
        ) as chi_square
    from merge_contrasts
    group by experiment_key, read_at
),

seasons as (
    select distinct
        experiment_key,
        workspace_id,
        kind,
        started_at,
        ended_at
    from arms
),

-- A later version of a segment, or an identity rule decided inside the season.
definition_instants as (
    select
        cast(null as {{ dbt.type_bigint() }}) as workspace_id,
        cast(valid_from as timestamp) as changed_at
    from segment_versions
    where version > 1
    union all
    select
        workspace_id,
        cast(decided_on as timestamp) as changed_at
    from identity_rules
),

definition_changes as (
    select
        seasons.experiment_key,
        instants.read_at,
        count(distinct definition_instants.changed_at) as count_changes
    from seasons
    inner join instants
        on seasons.experiment_key = instants.experiment_key
    inner join definition_instants
        on
            (
                seasons.workspace_id is null
                or definition_instants.workspace_id is null
                or seasons.workspace_id = definition_instants.workspace_id
            )
            and seasons.started_at < definition_instants.changed_at
            and instants.read_at > definition_instants.changed_at
            and (seasons.ended_at is null or seasons.ended_at > definition_instants.changed_at)
    group by seasons.experiment_key, instants.read_at
),

-- Guardrails of a row, told of the primary metric by its worst comparison.
primary_contrasts as (
    select
        contrasts.experiment_key,
        contrasts.read_at,
        contrasts.population,
        contrasts.arm,
        max(contrasts.planned_n) as planned_n,
        sum(contrasts.count_treatment) as count_treatment,
        sum(contrasts.count_control) as count_control,
        sum(contrasts.count_nonzero_treatment) as count_nonzero_treatment,
        sum(contrasts.count_nonzero_control) as count_nonzero_control,
        max(case when contrasts.aggregation = 'any' then 1 else 0 end) = 1 as is_rate,
        max(
            case
                when contrasts.aggregation <> 'any' and contrasts.is_comparable
                    then greatest(
                        {{ var("experiments_skew_factor") }}
                        * contrasts.skewness_treatment * contrasts.skewness_treatment
                        / nullif(contrasts.count_treatment, 0),
                        {{ var("experiments_skew_factor") }}
                        * contrasts.skewness_control * contrasts.skewness_control
                        / nullif(contrasts.count_control, 0)
                    )
            end
        ) as skew_ratio
    from contrasts
    inner join arms
        on
            contrasts.experiment_key = arms.experiment_key
            and contrasts.arm = arms.arm
            and contrasts.allocation_version = arms.allocation_version
            and contrasts.metric_key = arms.primary_metric
    where contrasts.stratum = 'all'
    group by
        contrasts.experiment_key, contrasts.read_at, contrasts.population, contrasts.arm
),

worst_contrasts as (
    select
        experiment_key,
        read_at,
        population,
        max(planned_n) as planned_n,
        sum(count_treatment) + max(count_control) as count_units,
        min(least(count_treatment, count_control)) as count_smaller_arm,
        min(
            case
                when is_rate
                    then least(
                        count_nonzero_treatment,
                        count_treatment - count_nonzero_treatment,
                        count_nonzero_control,
                        count_control - count_nonzero_control
                    )
                else least(count_nonzero_treatment, count_nonzero_control)
            end
        ) as count_fewest_events,
        max(skew_ratio) as skew_ratio
    from primary_contrasts
    group by experiment_key, read_at, population
),

rows_of_experiment as (
    select distinct
        seasons.experiment_key,
        seasons.kind,
        instants.read_at,
        instants.is_current
    from seasons
    inner join instants
        on seasons.experiment_key = instants.experiment_key
),

measured as (
    select
        experiment_key,
        read_at,
        population,
        'srm' as guardrail,
        chi_square as value,
        critical as threshold,
        case when chi_square > critical then 'invalid' else 'ok' end as verdict
    from ranked_ratios
    where stray_rank = 1
    union all
    select
        experiment_key,
        read_at,
        'itt' as population,
        'crossover_rate' as guardrail,
        case
            when count_hard_crossovers >= {{ var("experiments_crossover_invalid") }} * count_people
                then count_hard_crossovers / nullif(cast(count_people as double), 0)
            else count_crossovers / nullif(cast(count_people as double), 0)
        end as value,
        case
            when count_hard_crossovers >= {{ var("experiments_crossover_invalid") }} * count_people
                then {{ var("experiments_crossover_invalid") }}
            else {{ var("experiments_crossover_warn") }}
        end as threshold,
        case
            when count_hard_crossovers >= {{ var("experiments_crossover_invalid") }} * count_people
                then 'invalid'
            when count_crossovers >= {{ var("experiments_crossover_warn") }} * count_people
                then 'warn'
            else 'ok'
        end as verdict
    from known_of_experiment
    union all
    select
        experiment_key,
        read_at,
        'itt' as population,
        'contamination' as guardrail,
        coalesce(count_contaminated / nullif(cast(count_single_arm_control as double), 0), 0.0) as value,
        case
            when
                count_contaminated > 0
                and count_contaminated
                >= {{ var("experiments_contamination_invalid") }} * count_single_arm_control
                then {{ var("experiments_contamination_invalid") }}
            else {{ var("experiments_contamination_warn") }}
        end as threshold,
        case
            when count_contaminated = 0 then 'ok'
            when
                count_contaminated
                >= {{ var("experiments_contamination_invalid") }} * count_single_arm_control
                then 'invalid'
            when
                count_contaminated
                >= {{ var("experiments_contamination_warn") }} * count_single_arm_control
                then 'warn'
            else 'ok'
        end as verdict
    from known_of_experiment
    union all
    select
        experiment_key,
        read_at,
        'itt' as population,
        'late_label' as guardrail,
        count_late_labels / nullif(cast(count_people as double), 0) as value,
        {{ var("experiments_late_label_invalid") }} as threshold,
        case
            when count_late_labels > {{ var("experiments_late_label_invalid") }} * count_people
                then 'invalid'
            when count_late_labels > 0 then 'warn'
            else 'ok'
        end as verdict
    from known_of_experiment
    union all
    select
        experiment_key,
        read_at,
        'itt' as population,
        'allocation_changed' as guardrail,
        cast(count_versions as double) as value,
        1.0 as threshold,
        case when count_versions > 1 then 'warn' else 'ok' end as verdict
    from known_of_experiment
    union all
    select
        experiment_key,
        read_at,
        'itt' as population,
        'winner_picked' as guardrail,
        cast(count_winner_picked as double) as value,
        0.0 as threshold,
        case when count_winner_picked > 0 then 'warn' else 'ok' end as verdict
    from known_of_experiment
    union all
    select
        experiment_key,
        read_at,
        'itt' as population,
        'outcome_visibility' as guardrail,
        chi_square as value,
        {{ var("experiments_visibility_critical") }} as threshold,
        case
            when chi_square > {{ var("experiments_visibility_critical") }} then 'warn'
            else 'ok'
        end as verdict
    from visibility
    union all
    select
        experiment_key,
        read_at,
        'itt' as population,
        'definition_changed' as guardrail,
        cast(count_changes as double) as value,
        0.0 as threshold,
        'warn' as verdict
    from definition_changes
    union all
    select
        rows_of_experiment.experiment_key,
        rows_of_experiment.read_at,
        'itt' as population,
        'cluster' as guardrail,
        1.0 as value,
        0.0 as threshold,
        'warn' as verdict
    from rows_of_experiment
    inner join clusters
        on rows_of_experiment.experiment_key = clusters.experiment_key
    union all
    select
        experiment_key,
        read_at,
        population,
        'immature' as guardrail,
        cast(count_smaller_arm as double) as value,
        1.0 as threshold,
        case when count_smaller_arm = 0 then 'warn' else 'ok' end as verdict
    from worst_contrasts
    union all
    select
        experiment_key,
        read_at,
        population,
        'underpowered' as guardrail,
        cast(count_units as double) as value,
        cast(planned_n as double) as threshold,
        case when count_units < planned_n then 'warn' else 'ok' end as verdict
    from worst_contrasts
    union all
    select
        experiment_key,
        read_at,
        population,
        'few_events' as guardrail,
        cast(count_fewest_events as double) as value,
        cast({{ var("experiments_minimum_events") }} as double) as threshold,
        case
            when count_fewest_events < {{ var("experiments_minimum_events") }} then 'warn'
            else 'ok'
        end as verdict
    from worst_contrasts
    union all
    select
        experiment_key,
        read_at,
        population,
        'skew' as guardrail,
        round(coalesce(skew_ratio, 0.0), 9) as value,
        1.0 as threshold,
        case when skew_ratio > 1.0 then 'warn' else 'ok' end as verdict
    from worst_contrasts
),

-- Every guardrail has its row for every population it speaks of: silence is not health.
{%- set experiment_wide = {
    "srm": "cast(null as double)",
    "crossover_rate": var("experiments_crossover_warn"),
    "contamination": var("experiments_contamination_warn"),
    "late_label": var("experiments_late_label_invalid"),
    "allocation_changed": "1.0",
    "winner_picked": "0.0",
    "outcome_visibility": var("experiments_visibility_critical"),
    "definition_changed": "0.0",
    "cluster": "0.0",
    "immature": "1.0",
    "underpowered": "cast(null as double)",
    "few_events": var("experiments_minimum_events"),
    "skew": "1.0",
} %}
expected_guardrails as (
    {% for guardrail, threshold in experiment_wide.items() -%}
    select
        '{{ guardrail }}' as guardrail,
        cast({{ threshold }} as double) as threshold
    {{ "union all" if not loop.last }}
    {% endfor %}
),

quiet as (
    select
        rows_of_experiment.experiment_key,
        rows_of_experiment.read_at,
        'itt' as population,
        expected_guardrails.guardrail,
        cast(0 as double) as value,
        expected_guardrails.threshold,
        case when expected_guardrails.guardrail = 'immature' then 'warn' else 'ok' end as verdict
    from rows_of_experiment
    cross join expected_guardrails
    left join measured
        on
            rows_of_experiment.experiment_key = measured.experiment_key
            and rows_of_experiment.read_at = measured.read_at
            and expected_guardrails.guardrail = measured.guardrail
            and measured.population = 'itt'
    where measured.experiment_key is null
),

united as (
    select * from measured
    union all
    select * from quiet
),

dated as (
    select
        united.experiment_key,
        united.population,
        united.guardrail,
        united.verdict,
        cast(united.value as double) as value,
        cast(united.threshold as double) as threshold,
        rows_of_experiment.is_current,
        united.read_at
    from united
    inner join rows_of_experiment
        on
            united.experiment_key = rows_of_experiment.experiment_key
            and united.read_at = rows_of_experiment.read_at
)

select * from dated

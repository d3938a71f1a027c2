with

instants as (
    select * from {{ ref("int_experiments__instants") }}
),

assigned_counts as (
    select * from {{ ref("int_experiments__assigned_counts") }}
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
    from assigned_counts
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

compared as (
    select
        instants.experiment_key,
        instants.read_at,
        'itt' as population,
        max(
            merge_contrasts.difference * merge_contrasts.difference
            / nullif(
                merge_contrasts.pooled_rate * (1.0 - merge_contrasts.pooled_rate)
                * merge_contrasts.inverse_counts,
                0
            )
        ) as chi_square
    from instants
    left join merge_contrasts
        on
            instants.experiment_key = merge_contrasts.experiment_key
            and instants.read_at = merge_contrasts.read_at
    group by instants.experiment_key, instants.read_at
),

measured as (
    {{ guardrail_values(
        "compared",
        {"outcome_visibility": "chi_square"},
        threshold=chi_square_critical("1", var("experiments_chi_square_alpha")),
    ) }}
)

select * from measured

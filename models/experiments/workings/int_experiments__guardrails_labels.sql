with

instants as (
    select * from {{ ref("int_experiments__instants") }}
),

assigned_counts as (
    select * from {{ ref("int_experiments__assigned_counts") }}
),

counted as (
    select
        instants.experiment_key,
        instants.read_at,
        'itt' as population,
        cast(sum(assigned_counts.count_people) as double) as count_people,
        sum(assigned_counts.count_crossovers) as count_crossovers,
        sum(assigned_counts.count_hard_crossovers) as count_hard_crossovers,
        cast(
            sum(case when assigned_counts.is_control then assigned_counts.count_single_arm else 0 end)
            as double
        ) as count_single_arm_control,
        sum(assigned_counts.count_contaminated) as count_contaminated,
        sum(assigned_counts.count_late_labels) as count_late_labels
    from instants
    left join assigned_counts
        on
            instants.experiment_key = assigned_counts.experiment_key
            and instants.read_at = assigned_counts.read_at
    group by instants.experiment_key, instants.read_at
),

measured as (
    {{ guardrail_values("counted", {
        "crossover_rate": "count_crossovers / nullif(count_people, 0)",
        "hard_crossover_rate": "count_hard_crossovers / nullif(count_people, 0)",
        "contamination": "count_contaminated / nullif(count_single_arm_control, 0)",
        "late_label": "count_late_labels / nullif(count_people, 0)",
    }) }}
)

select * from measured

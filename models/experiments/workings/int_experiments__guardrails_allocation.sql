with

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

instants as (
    select * from {{ ref("int_experiments__instants") }}
),

assigned_counts as (
    select * from {{ ref("int_experiments__assigned_counts") }}
),

clusters as (
    select * from {{ ref("experiment_clusters") }}
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
        coalesce(assigned_counts.count_drawn, 0) as count_drawn,
        coalesce(assigned_counts.count_ghost_reached, 0) as count_ghost_reached
    from arms
    inner join instants
        on arms.experiment_key = instants.experiment_key
    left join assigned_counts
        on
            arms.experiment_key = assigned_counts.experiment_key
            and instants.read_at = assigned_counts.read_at
            and arms.allocation_version = assigned_counts.allocation_version
            and arms.arm = assigned_counts.arm
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
        {{ chi_square_critical("degrees_of_freedom", var("experiments_chi_square_alpha")) }} as critical
    from chi_squares
),

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

-- The version that strays furthest from its critical value speaks for the experiment.
ranked_ratios as (
    select
        *,
        row_number() over (
            partition by experiment_key, read_at, population
            order by chi_square / critical desc, chi_square desc
        ) as stray_rank
    from ratios
),

compared as (
    select
        instants.experiment_key,
        instants.read_at,
        'itt' as population,
        ranked_ratios.chi_square,
        ranked_ratios.critical
    from instants
    left join ranked_ratios
        on
            instants.experiment_key = ranked_ratios.experiment_key
            and instants.read_at = ranked_ratios.read_at
            and ranked_ratios.population = 'itt'
            and ranked_ratios.stray_rank = 1
    union all
    select
        experiment_key,
        read_at,
        population,
        chi_square,
        critical
    from ranked_ratios
    where
        population = 'ghost_reached'
        and stray_rank = 1
),

clustered as (
    select distinct experiment_key from clusters
),

drawn as (
    select
        instants.experiment_key,
        instants.read_at,
        'itt' as population,
        count(distinct case when assigned_counts.is_randomised then assigned_counts.allocation_version end)
            as count_versions,
        sum(assigned_counts.count_winner_picked) as count_winner_picked,
        max(case when clustered.experiment_key is not null then 1 else 0 end) as is_cluster
    from instants
    left join assigned_counts
        on
            instants.experiment_key = assigned_counts.experiment_key
            and instants.read_at = assigned_counts.read_at
    left join clustered
        on instants.experiment_key = clustered.experiment_key
    group by instants.experiment_key, instants.read_at
),

measured as (
    {{ guardrail_values("compared", {"srm": "chi_square"}, threshold="critical") }}
    union all
    {{ guardrail_values("drawn", {
        "allocation_changed": "count_versions",
        "winner_picked": "count_winner_picked",
        "cluster": "is_cluster",
    }) }}
)

select * from measured

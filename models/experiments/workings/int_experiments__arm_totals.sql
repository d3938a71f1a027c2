{#- Squares of larger amounts than this are summed as floating numbers: ten thousand million million of
    smaller ones fit decimal(38,4). -#}
{%- set is_ordinary = "abs(outcomes.amount) < 1000000000" -%}
with

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

instants as (
    select * from {{ ref("int_experiments__instants") }}
),

people as (
    select * from {{ ref("int_experiments__people") }}
    where exclusion_reason is null
),

metrics as (
    select * from {{ ref("metrics") }}
),

outcomes as (
    select * from {{ ref("int_experiments__outcomes") }}
),

grouped_people as (
    select
        people.experiment_key,
        instants.read_at,
        people.allocation_version,
        people.arm,
        people.intent_tier,
        people.is_ghost_reached,
        count(*) as count_units,
        sum(case when people.is_exposed_real then 1 else 0 end) as count_reached
    from people
    inner join instants
        on
            people.experiment_key = instants.experiment_key
            and people.window_ends_at <= instants.read_at
    group by
        people.experiment_key,
        instants.read_at,
        people.allocation_version,
        people.arm,
        people.intent_tier,
        people.is_ghost_reached
),

-- Money and its squares are summed as decimals, its cubes and the squares of enormous amounts, which
-- no decimal holds, from the smallest: the order of rows cannot move the last digit.
grouped_outcomes as (
    select
        people.experiment_key,
        instants.read_at,
        people.allocation_version,
        people.arm,
        people.intent_tier,
        people.is_ghost_reached,
        outcomes.metric_key,
        sum(case when outcomes.amount <> 0 then 1 else 0 end) as count_nonzero,
        sum(outcomes.amount) as sum_y,
        sum(
            case
                when {{ is_ordinary }}
                    then
                        cast(outcomes.amount as decimal(18, 2))
                        * cast(outcomes.amount as decimal(18, 2))
            end
        ) as sum_yy_ordinary,
        {{ steady_sum(
            "case
                when not " ~ is_ordinary ~ "
                    then cast(outcomes.amount as double) * cast(outcomes.amount as double)
            end"
        ) }} as sum_yy_enormous,
        {{ steady_sum(
            "cast(outcomes.amount as double) * cast(outcomes.amount as double)
            * cast(outcomes.amount as double)"
        ) }} as sum_yyy,
        sum(case when people.is_exposed_real then outcomes.amount else 0 end) as sum_yd
    from outcomes
    inner join people
        on
            outcomes.experiment_key = people.experiment_key
            and outcomes.person_id = people.person_id
    inner join instants
        on
            people.experiment_key = instants.experiment_key
            and people.window_ends_at <= instants.read_at
    group by
        people.experiment_key,
        instants.read_at,
        people.allocation_version,
        people.arm,
        people.intent_tier,
        people.is_ghost_reached,
        outcomes.metric_key
),

populations as (
    select
        experiment_key,
        'itt' as population
    from arms
    union
    select
        experiment_key,
        'ghost_reached' as population
    from arms
    where has_control_trap
),

strata as (
    select
        experiment_key,
        'all' as stratum,
        cast(null as {{ dbt.type_string() }}) as intent_tier
    from arms
    union
    select
        experiment_key,
        'intent_tier=' || intent_tier as stratum,
        intent_tier
    from people
    where intent_tier is not null
),

-- Every cell stands, also an empty one: an arm without people is a finding.
cells as (
    select
        arms.experiment_key,
        instants.read_at,
        instants.is_current,
        populations.population,
        strata.stratum,
        strata.intent_tier,
        arms.allocation_version,
        arms.arm
    from arms
    inner join instants
        on arms.experiment_key = instants.experiment_key
    inner join populations
        on arms.experiment_key = populations.experiment_key
    inner join strata
        on arms.experiment_key = strata.experiment_key
    where arms.is_randomised
),

counted as (
    select
        cells.experiment_key,
        cells.read_at,
        cells.is_current,
        cells.population,
        cells.stratum,
        cells.allocation_version,
        cells.arm,
        coalesce(sum(grouped_people.count_units), 0) as count_units,
        coalesce(sum(grouped_people.count_reached), 0) as count_reached
    from cells
    left join grouped_people
        on
            cells.experiment_key = grouped_people.experiment_key
            and cells.read_at = grouped_people.read_at
            and cells.allocation_version = grouped_people.allocation_version
            and cells.arm = grouped_people.arm
            and (cells.stratum = 'all' or cells.intent_tier = grouped_people.intent_tier)
            and (cells.population = 'itt' or grouped_people.is_ghost_reached)
    group by
        cells.experiment_key,
        cells.read_at,
        cells.is_current,
        cells.population,
        cells.stratum,
        cells.allocation_version,
        cells.arm
),

summed as (
    select
        cells.experiment_key,
        cells.read_at,
        cells.population,
        cells.stratum,
        cells.allocation_version,
        cells.arm,
        grouped_outcomes.metric_key,
        sum(grouped_outcomes.count_nonzero) as count_nonzero,
        sum(grouped_outcomes.sum_y) as sum_y,
        sum(grouped_outcomes.sum_yy_ordinary) as sum_yy_ordinary,
        {{ steady_sum("grouped_outcomes.sum_yy_enormous") }} as sum_yy_enormous,
        {{ steady_sum("grouped_outcomes.sum_yyy") }} as sum_yyy,
        sum(grouped_outcomes.sum_yd) as sum_yd
    from cells
    inner join grouped_outcomes
        on
            cells.experiment_key = grouped_outcomes.experiment_key
            and cells.read_at = grouped_outcomes.read_at
            and cells.allocation_version = grouped_outcomes.allocation_version
            and cells.arm = grouped_outcomes.arm
            and (cells.stratum = 'all' or cells.intent_tier = grouped_outcomes.intent_tier)
            and (cells.population = 'itt' or grouped_outcomes.is_ghost_reached)
    group by
        cells.experiment_key,
        cells.read_at,
        cells.population,
        cells.stratum,
        cells.allocation_version,
        cells.arm,
        grouped_outcomes.metric_key
),

joined as (
    select
        'outcome' as question,
        counted.experiment_key,
        counted.population,
        counted.stratum,
        metrics.metric_key,
        counted.arm,
        metrics.aggregation,
        counted.allocation_version,
        cast(counted.count_units as {{ dbt.type_bigint() }}) as count_units,
        cast(counted.count_reached as {{ dbt.type_bigint() }}) as count_reached,
        cast(coalesce(summed.count_nonzero, 0) as {{ dbt.type_bigint() }}) as count_nonzero,
        cast(coalesce(summed.sum_y, 0) as double) as sum_y,
        cast(coalesce(summed.sum_yy_ordinary, 0) as double)
        + coalesce(summed.sum_yy_enormous, cast(0 as double)) as sum_yy,
        coalesce(summed.sum_yyy, cast(0 as double)) as sum_yyy,
        cast(coalesce(summed.sum_yd, 0) as double) as sum_yd,
        counted.is_current,
        counted.read_at
    from counted
    cross join metrics
    left join summed
        on
            counted.experiment_key = summed.experiment_key
            and counted.read_at = summed.read_at
            and counted.population = summed.population
            and counted.stratum = summed.stratum
            and counted.allocation_version = summed.allocation_version
            and counted.arm = summed.arm
            and metrics.metric_key = summed.metric_key
)

select * from joined

with

units as (
    select * from {{ ref("fct_experiment_units") }}
),

experiments as (
    select * from {{ ref("experiments") }}
),

exposures as (
    select * from {{ ref("fct_message_exposures") }}
),

clickers as (
    select distinct
        experiments.experiment_key,
        exposures.person_id
    from exposures
    inner join experiments
        on
            exposures.workspace_id = experiments.workspace_id
            and exposures.journey_id = cast(experiments.campaign_id as {{ dbt.type_string() }})
    where exposures.human_clicked_at is not null
),

-- Every person has a row for each metric; all but what was measured is the same in them.
people as (
    select
        units.experiment_key,
        units.person_id,
        units.arm,
        max(
            case when units.metric_key = experiments.primary_metric and units.y > 0 then 1 else 0 end
        ) = 1 as is_converted,
        units.is_exposed_real,
        units.is_exposed_ghost,
        units.is_contaminated,
        units.is_mature
    from units
    inner join experiments
        on units.experiment_key = experiments.experiment_key
    group by
        units.experiment_key,
        units.person_id,
        units.arm,
        units.is_exposed_real,
        units.is_exposed_ghost,
        units.is_contaminated,
        units.is_mature
),

joined as (
    select
        people.experiment_key,
        people.person_id,
        people.arm,
        people.is_mature and people.is_exposed_real as is_read_naively,
        clickers.person_id is not null as is_clicker,
        people.is_converted,
        people.is_exposed_real,
        people.is_exposed_ghost,
        people.is_contaminated
    from people
    left join clickers
        on
            people.experiment_key = clickers.experiment_key
            and people.person_id = clickers.person_id
)

select * from joined

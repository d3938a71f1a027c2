-- Clickers beside the rest of an arm, on its primary metric, counted from units and deliveries.
with

declared as (
    select *
    from {experiments}
    where experiment_key = $experiment_key
),

clickers as (
    select distinct exposures.person_id
    from {fct_message_exposures} as exposures
    inner join declared
        on
            exposures.workspace_id = declared.workspace_id
            and exposures.journey_id = cast(declared.campaign_id as varchar)
    where exposures.human_clicked_at is not null
),

people as (
    select
        units.y > 0 as is_converted,
        clickers.person_id is not null as is_clicker
    from {fct_experiment_units} as units
    inner join declared on units.metric_key = declared.primary_metric
    left join clickers on units.person_id = clickers.person_id
    where
        units.experiment_key = $experiment_key
        and units.arm = $arm
        and units.is_mature
        and units.is_exposed_real
),

counted as (
    select
        count(*) as count_rows,
        count(*) filter (is_clicker) as count_clickers,
        count(*) filter (is_clicker and is_converted) as count_clickers_converted,
        count(*) filter (not is_clicker) as count_others,
        count(*) filter (not is_clicker and is_converted) as count_others_converted
    from people
),

rated as (
    select
        *,
        count_clickers_converted / nullif(count_clickers, 0) as share_clickers,
        count_others_converted / nullif(count_others, 0) as share_others
    from counted
),

measured as (
    select
        1 + lift_relative as measured_ratio,
        1 + lift_relative_low as measured_ratio_low,
        1 + lift_relative_high as measured_ratio_high
    from {fct_lift}
    where
        experiment_key = $experiment_key
        and arm = $arm
        and metric_key = (select primary_metric from declared)
        and population = 'itt'
        and stratum = 'all'
)

select
    rated.*,
    rated.share_clickers / nullif(rated.share_others, 0) as naive_ratio,
    measured.*
from rated
left join measured on true

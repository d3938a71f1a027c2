-- The people of an arm for whom a tool takes credit in their window: each counts once.
with

credited as (
    select distinct cohorts.person_id
    from {int_insight__cohorts} as cohorts
    inner join {int_insight__order_credits} as credits
        on
            cohorts.person_id = credits.person_id
            and cohorts.journey_id = credits.journey_id
            and cohorts.starts_at <= credits.ordered_at
            and cohorts.ends_at > credits.ordered_at
    where
        cohorts.experiment_key = $experiment_key
        and cohorts.arm = $arm
        and credits.workspace_id = $workspace_id
        and credits.is_order
        and credits.credit_kind = case $tool
            when 'last click' then 'last_click' when 'last exposure' then 'last_exposure'
        end
    union all
    select distinct cohorts.person_id
    from {int_insight__cohorts} as cohorts
    inner join {fct_message_exposures} as exposures
        on
            cohorts.person_id = exposures.person_id
            and cohorts.journey_id = exposures.journey_id
            and cohorts.starts_at <= exposures.converted_at
            and cohorts.ends_at > exposures.converted_at
    where
        $tool = 'Customer.io'
        and cohorts.experiment_key = $experiment_key
        and cohorts.arm = $arm
        and exposures.workspace_id = $workspace_id
        and exposures.exposure_kind = 'real'
),

caused as (
    select
        lift.incremental,
        lift.incremental_low,
        lift.incremental_high
    from {fct_lift} as lift
    inner join {experiments} as experiments
        on
            lift.experiment_key = experiments.experiment_key
            and lift.metric_key = experiments.primary_metric
    where
        lift.experiment_key = $experiment_key
        and lift.arm = $arm
        and lift.population = 'itt'
        and lift.stratum = 'all'
),

counted as (
    select count(*) as count_credited
    from credited
)

-- over what is not above zero there is no ratio
select
    counted.count_credited as count_rows,
    counted.count_credited,
    caused.incremental,
    case when caused.incremental > 0 then counted.count_credited / caused.incremental end as times_caused,
    case when caused.incremental_high > 0 then counted.count_credited / caused.incremental_high end
        as times_caused_low,
    case when caused.incremental_low > 0 then counted.count_credited / caused.incremental_low end
        as times_caused_high
from counted
left join caused on true

-- A tier that counts in the lift within tiers, beside that lift: neither may be untellable.
with

strata as (
    select * from {fct_lift}
    where
        population = 'itt'
        and stratum <> 'all'
        and count_treatment > 0
        and count_control > 0
),

within_tiers as (
    select * from {fct_lift_within_tiers}
)

select
    strata.experiment_key,
    strata.metric_key,
    strata.arm,
    strata.stratum,
    case when within_tiers.status <> 'ok' then within_tiers.status else strata.status end as status,
    case when within_tiers.status <> 'ok' then within_tiers.reasons else strata.reasons end as reasons,
    strata.count_treatment,
    strata.count_control,
    strata.lift,
    strata.lift_low,
    strata.lift_high,
    within_tiers.lift as lift_within_tiers,
    within_tiers.lift_low as lift_within_tiers_low,
    within_tiers.lift_high as lift_within_tiers_high
from strata
inner join within_tiers
    on
        strata.experiment_key = within_tiers.experiment_key
        and strata.metric_key = within_tiers.metric_key
        and strata.arm = within_tiers.arm
order by
    strata.experiment_key asc,
    strata.metric_key asc,
    strata.arm asc,
    strata.stratum asc

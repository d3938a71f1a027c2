-- Where the interval of the lift is withheld, so is that of whatever is read from the same outcomes.
with

lift as (
    select * from {{ ref("fct_lift") }}
    where population = 'itt'
),

limited as (
    select
        'fct_effect_on_the_reached' as relation,
        experiment_key,
        stratum,
        metric_key,
        arm
    from {{ ref("fct_effect_on_the_reached") }}
    where
        effect_low is not null
        or effect_high is not null
    union all
    select
        'fct_lift_adjusted' as relation,
        experiment_key,
        'all' as stratum,
        metric_key,
        arm
    from {{ ref("fct_lift_adjusted") }}
    where
        lift_low is not null
        or lift_high is not null
)

select
    limited.relation,
    limited.experiment_key,
    limited.stratum,
    limited.metric_key,
    limited.arm,
    lift.reasons
from limited
left join lift
    on
        limited.experiment_key = lift.experiment_key
        and limited.stratum = lift.stratum
        and limited.metric_key = lift.metric_key
        and limited.arm = lift.arm
where
    lift.lift_low is null
    or lift.lift_high is null

-- Post-stratified means differ by the post-stratified lift: whoever subtracts them finds it.
with

lift as (
    select
        experiment_key,
        metric_key,
        arm,
        lift,
        mean_treatment,
        mean_control
    from {{ ref("fct_lift_history") }}
),

tiers as (
    select
        experiment_key,
        metric_key,
        arm,
        lift,
        mean_treatment,
        mean_control
    from {{ ref("fct_lift_within_tiers") }}
),

united as (
    select * from lift
    union all
    select * from tiers
)

select *
from united
where abs(lift - (mean_treatment - mean_control)) > 1e-9 * greatest(1.0, abs(lift))

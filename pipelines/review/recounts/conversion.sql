-- A message by its timing and by what was known before it, counted from the people at risk at its instants.
with

at_risk as (
    select
        *,
        arm = shown_arm as is_of_arm,
        $state = case $state_kind
            when 'shipping_rates' then shipping_rates
            when 'intent_tier' then intent_tier
            else 'all'
        end as is_of_state
    from {int_insight__risk_sets}
    where
        cohort_key = coalesce(
            'experiment:' || $experiment_key, 'journey:' || $workspace_id || ':' || $journey_id
        )
        and shown_arm = coalesce($arm, '')
        and message_id = $message_id
        and timing_number = $timing_number
),

counted as (
    select
        count(*) filter (is_of_state) as count_rows,
        count(*) filter (is_of_arm and is_of_state) as count_units,
        count(*) filter (is_of_arm and is_of_state and is_converted = 1) as count_persons,
        count(*) filter (is_of_arm and is_of_state and is_shown = 1) as count_shown,
        count(*) filter (is_of_arm and is_of_state and is_shown = 1 and is_converted = 1)
            as count_shown_persons,
        count(*) filter (is_of_arm and is_of_state and is_shown_after = 1) as count_shown_after,
        count(*) filter (not is_of_arm and is_of_state) as count_units_control,
        count(*) filter (not is_of_arm and is_of_state and is_converted = 1) as count_persons_control,
        count(*) filter (is_of_arm and not (is_of_state and is_shown = 1)) as count_others,
        count(*) filter (is_of_arm and not (is_of_state and is_shown = 1) and is_converted = 1)
            as count_others_persons,
        greatest(
            7, date_diff('day', min(starts_at) filter (is_of_state), max(starts_at) filter (is_of_state))
        ) / 7 as count_weeks_seen
    from at_risk
),

versions as (
    select
        allocation_version,
        count(*) as count_units,
        count(*) filter (is_of_arm) as count_of_arm,
        count(*) filter (not is_of_arm) as count_of_control,
        avg(is_converted) filter (is_of_arm) as rate_of_arm,
        avg(is_converted) filter (not is_of_arm) as rate_of_control
    from at_risk
    where is_of_state
    group by allocation_version
),

weighed as (
    select
        *,
        case when count_of_arm > 0 and count_of_control > 0 then count_units end as weight
    from versions
),

rated as (
    select
        coalesce(
            sum(weight * rate_of_arm) / sum(weight),
            sum(count_of_arm * rate_of_arm) / nullif(sum(count_of_arm), 0)
        ) as rate,
        coalesce(
            sum(weight * rate_of_control) / sum(weight),
            sum(count_of_control * rate_of_control) / nullif(sum(count_of_control), 0)
        ) as rate_control
    from weighed
),

-- without a message: those held out, or those of the arm to whom it did not come
compared as (
    select
        *,
        count_shown_persons / nullif(count_shown, 0) as rate_shown,
        case
            when count_units_control > 0 then count_persons_control / count_units_control
            else (count_persons - count_shown_persons) / nullif(count_units - count_shown, 0)
        end as rate_compared
    from counted
),

quantiles as (
    select coalesce(max(z_critical), $z_alpha) as z_alpha
    from {int_experiments__arms}
    where experiment_key = $experiment_key
),

-- people of both arms together with whom a rate so many times this one is found, with that power
needed as (
    select
        *,
        coalesce(nullif(rate_compared, 0), rate_shown) as base,
        coalesce(nullif(rate_compared, 0), rate_shown) * $insight_detectable_ratio as raised
    from compared
),

lacking as (
    select
        needed.*,
        case
            when base > 0 and raised < 1
                then ceil(
                    2 * (quantiles.z_alpha + $z_power) ^ 2 * (base * (1 - base) + raised * (1 - raised))
                    / (raised - base) ^ 2
                )
        end as count_needed
    from needed
    cross join quantiles
),

coming as (
    select
        *,
        case
            when $basis = 'described' or count_needed is null then count_needed
            else greatest(count_needed - count_units - count_units_control, 0)
        end as count_lacking
    from lacking
)

select
    coming.* exclude (count_weeks_seen, rate_compared, base, raised),
    coming.count_units / coming.count_weeks_seen as count_week,
    ceil(coming.count_lacking / nullif(coming.count_units / coming.count_weeks_seen, 0)) as count_weeks,
    case when $basis = 'held out' then rated.rate end as rate,
    case when $basis = 'held out' then rated.rate_control end as rate_control,
    case when $difference is not null then rated.rate - rated.rate_control end as difference,
    case when $basis = 'described' then coming.rate_shown - coming.rate_compared end
        as described_difference,
    coming.rate_shown / nullif(coming.count_others_persons / nullif(coming.count_others, 0), 0)
        as naive_ratio
from coming
cross join rated

with

entries as (
    select * from {{ ref("int_journeys__entries") }}
),

deliveries as (
    select * from {{ ref("int_journeys__deliveries") }}
),

journey_names as (
    select * from {{ ref("int_journeys__journey_names") }}
),

order_credits as (
    select * from {{ ref("int_insight__order_credits") }}
),

cohorts as (
    select * from {{ ref("int_insight__cohorts") }}
),

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

lift as (
    select * from {{ ref("fct_lift") }}
),

journeys as (
    select
        workspace_id,
        journey_id
    from entries
    where journey_id is not null
    union
    select
        workspace_id,
        journey_id
    from deliveries
    where journey_id is not null
),

entered as (
    select
        workspace_id,
        journey_id,
        count(*) as count_entries,
        count(distinct person_id) as count_persons
    from entries
    group by workspace_id, journey_id
),

claimed as (
    select
        workspace_id,
        journey_id,
        count(*) as count_claimed_conversions
    from deliveries
    where
        exposure_kind = 'real'
        and converted_at is not null
    group by workspace_id, journey_id
),

credited as (
    select
        workspace_id,
        journey_id,
        sum(case when credit_kind = 'last_click' and is_order then 1 else 0 end) as count_last_click_orders,
        sum(case when credit_kind = 'last_exposure' and is_order then 1 else 0 end)
            as count_last_exposure_orders,
        sum(case when credit_kind = 'last_click' then order_value end) as last_click_value,
        sum(case when credit_kind = 'last_exposure' then order_value end) as last_exposure_value
    from order_credits
    group by workspace_id, journey_id
),

-- The same people, the same window: what a tool would credit among exactly those whose incremental
-- orders stand beside it.
credited_units as (
    select
        cohorts.experiment_key,
        cohorts.arm,
        order_credits.workspace_id,
        count(
            distinct case when order_credits.credit_kind = 'last_click' then cohorts.person_id end
        ) as count_last_click_units,
        count(
            distinct case when order_credits.credit_kind = 'last_exposure' then cohorts.person_id end
        ) as count_last_exposure_units
    from cohorts
    inner join order_credits
        on
            cohorts.person_id = order_credits.person_id
            and cohorts.journey_id = order_credits.journey_id
            and cohorts.starts_at <= order_credits.ordered_at
            and cohorts.ends_at > order_credits.ordered_at
    where
        cohorts.experiment_key is not null
        and order_credits.is_order
    group by cohorts.experiment_key, cohorts.arm, order_credits.workspace_id
),

-- Only a holdout tells what a journey adds. A test of two variants compares the two.
held_out as (
    select distinct
        experiment_key,
        workspace_id,
        cast(campaign_id as {{ dbt.type_string() }}) as journey_id,
        arm,
        control_arm,
        primary_metric
    from arms
    where
        kind = 'journey_holdout'
        and control_arm is not null
        and arm <> control_arm
),

primary_lift as (
    select
        held_out.experiment_key,
        held_out.arm,
        lift.interval_kind,
        lift.status,
        lift.reasons,
        lift.count_treatment,
        lift.count_control,
        lift.mean_treatment,
        lift.mean_control,
        lift.lift,
        lift.lift_low,
        lift.lift_high,
        lift.incremental,
        lift.incremental_low,
        lift.incremental_high
    from held_out
    inner join lift
        on
            held_out.experiment_key = lift.experiment_key
            and held_out.arm = lift.arm
            and held_out.primary_metric = lift.metric_key
            and lift.population = 'itt'
            and lift.stratum = 'all'
),

joined as (
    select
        -- ids
        journeys.workspace_id,
        journeys.journey_id,
        journey_names.journey_name,
        held_out.experiment_key,
        held_out.arm,
        held_out.control_arm,
        held_out.primary_metric as metric_key,
        -- attributes
        primary_lift.interval_kind,
        {{ status_in_all_arms("held_out.experiment_key", "primary_lift.status") }} as status,
        {{ reasons_in_all_arms("held_out.experiment_key", "primary_lift.reasons") }} as reasons,
        case
            when held_out.experiment_key is null then 'no control'
            when primary_lift.incremental is null then 'no headline'
            when primary_lift.incremental_low > 0 then 'adds orders'
            when primary_lift.incremental_high < 0 then 'costs orders'
            else 'not distinguishable from zero'
        end as verdict,
        -- numbers
        coalesce(entered.count_entries, 0) as count_entries,
        coalesce(entered.count_persons, 0) as count_persons,
        coalesce(claimed.count_claimed_conversions, 0) as count_claimed_conversions,
        cast(coalesce(credited.count_last_click_orders, 0) as {{ dbt.type_bigint() }})
            as count_last_click_orders,
        cast(coalesce(credited.count_last_exposure_orders, 0) as {{ dbt.type_bigint() }})
            as count_last_exposure_orders,
        {{ money("coalesce(credited.last_click_value, 0)") }} as last_click_value,
        {{ money("coalesce(credited.last_exposure_value, 0)") }} as last_exposure_value,
        case
            when held_out.experiment_key is not null
                then coalesce(credited_units.count_last_click_units, 0)
        end as count_last_click_units,
        case
            when held_out.experiment_key is not null
                then coalesce(credited_units.count_last_exposure_units, 0)
        end as count_last_exposure_units,
        primary_lift.count_treatment,
        primary_lift.count_control,
        primary_lift.mean_treatment,
        primary_lift.mean_control,
        primary_lift.lift,
        primary_lift.lift_low,
        primary_lift.lift_high,
        primary_lift.incremental,
        primary_lift.incremental_low,
        primary_lift.incremental_high
    from journeys
    left join journey_names
        on
            journeys.workspace_id = journey_names.workspace_id
            and journeys.journey_id = journey_names.journey_id
    left join entered
        on
            journeys.workspace_id = entered.workspace_id
            and journeys.journey_id = entered.journey_id
    left join claimed
        on
            journeys.workspace_id = claimed.workspace_id
            and journeys.journey_id = claimed.journey_id
    left join credited
        on
            journeys.workspace_id = credited.workspace_id
            and journeys.journey_id = credited.journey_id
    left join held_out
        on
            journeys.journey_id = held_out.journey_id
            and (
                held_out.workspace_id is null
                or journeys.workspace_id = held_out.workspace_id
            )
    left join primary_lift
        on
            held_out.experiment_key = primary_lift.experiment_key
            and held_out.arm = primary_lift.arm
    left join credited_units
        on
            held_out.experiment_key = credited_units.experiment_key
            and held_out.arm = credited_units.arm
            and journeys.workspace_id = credited_units.workspace_id
)

select * from joined

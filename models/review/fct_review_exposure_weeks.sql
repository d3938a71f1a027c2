with

deliveries as (
    select * from {{ ref("int_review__deliveries") }}
),

weeks as (
    select * from {{ ref("fct_review_weeks") }}
),

counted as (
    select
        deliveries.workspace_id,
        deliveries.journey_id,
        deliveries.exposure_kind,
        weeks.weeks_ago,
        cast(sum(deliveries.count_messages) as {{ dbt.type_bigint() }}) as count_messages
    from deliveries
    inner join weeks
        on deliveries.weeks_ago = weeks.weeks_ago
    where deliveries.journey_id is not null
    group by
        deliveries.workspace_id,
        deliveries.journey_id,
        deliveries.exposure_kind,
        weeks.weeks_ago
)

select * from counted

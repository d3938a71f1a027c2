with

deliveries as (
    select * from {{ ref("int_review__deliveries") }}
),

counted as (
    select
        -- ids
        workspace_id,
        journey_id,
        -- attributes
        not_exposed_reason,
        -- numbers
        cast(sum(count_none) as {{ dbt.type_bigint() }}) as count_ever,
        cast(sum(case when weeks_ago = 1 then count_none else 0 end) as {{ dbt.type_bigint() }})
            as count_week,
        cast(sum(case when weeks_ago = 2 then count_none else 0 end) as {{ dbt.type_bigint() }})
            as count_previous_week
    from deliveries
    where
        journey_id is not null
        and exposure_kind = 'none'
    group by workspace_id, journey_id, not_exposed_reason
)

select * from counted

with

people as (
    select * from {{ ref("stg_customerio__people") }}
),

subjects as (
    select * from {{ ref("stg_customerio__subjects") }}
),

deliveries as (
    select * from {{ ref("stg_customerio__deliveries") }}
),

seen as (
    select workspace_id, cio_id from people
    union
    select workspace_id, cio_id from subjects
    where cio_id is not null
    union
    select workspace_id, cio_id from deliveries
    where cio_id is not null
),

resolved as (
    select
        seen.workspace_id,
        seen.cio_id,
        md5(concat(
            cast(seen.workspace_id as {{ dbt.type_string() }}), ':',
            coalesce(people.customer_id, lower(people.email), seen.cio_id)
        )) as person_id
    from seen
    left join people
        on
            seen.workspace_id = people.workspace_id
            and seen.cio_id = people.cio_id
)

select * from resolved

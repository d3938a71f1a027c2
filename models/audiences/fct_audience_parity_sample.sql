-- The same people for the same lists: drawn by a digest, whoever looks.
with

compared as (
    select * from {{ ref("int_audiences__compared_members") }}
    where cause is not null
),

drawn as (
    select
        *,
        row_number() over (
            partition by audience_key
            order by md5(audience_key || '|' || member_id), member_id
        ) as place
    from compared
),

sampled as (
    select
        -- ids
        audience_key,
        member_id,
        person_id,
        -- attributes
        case when is_in_heap then 'heap' else 'sql' end as only_in,
        cause,
        -- numbers
        cast(place as {{ dbt.type_bigint() }}) as place,
        -- timestamps
        coalesce(heap_entered_at, sql_entered_at) as entered_at
    from drawn
    where place <= {{ var("audiences_parity_sample") }}
)

select * from sampled

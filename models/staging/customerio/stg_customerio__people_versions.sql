with

people as (
    select * from {{ source("customerio", "people") }}
),

called_people as (
    select * from {{ ref("stg_customerio__called_people") }}
),

files as (
    select * from {{ ref("stg_loads__file_sequences") }}
),

typed as (
    select
        people.workspace_id,
        people.internal_customer_id as cio_id,
        {{ not_blank("people.customer_id") }} as customer_id,
        {{ not_blank("people.email_addr") }} as email,
        false as is_called,
        coalesce(people.deleted, false) as is_deleted,
        coalesce(people.suppressed, false) as is_suppressed,
        case when people.created_at > {{ epoch() }} then people.created_at end as created_at,
        coalesce(people.updated_at, people.created_at, {{ epoch() }}) as updated_at,
        coalesce(files.file_sequence, 0) as file_sequence,
        files.loaded_at as learned_at
    from people
    left join files
        on people._source_file = files.file_name
    where
        people.workspace_id is not null
        and people.internal_customer_id is not null
    union all
    select
        workspace_id,
        cio_id,
        customer_id,
        email,
        true as is_called,
        false as is_deleted,
        false as is_suppressed,
        cast(null as timestamp) as created_at,
        updated_at,
        0 as file_sequence,
        learned_at
    from called_people
),

ranked as (
    select
        *,
        min(learned_at) over (partition by workspace_id, cio_id, updated_at) as first_learned_at,
        row_number() over (
            partition by workspace_id, cio_id, updated_at
            order by
                file_sequence desc,
                is_deleted desc,
                is_suppressed desc,
                customer_id desc nulls last,
                email desc nulls last,
                created_at desc nulls last
        ) as version_rank
    from typed
    where updated_at < {{ as_of() }}
),

deduplicated as (
    select
        workspace_id,
        cio_id,
        customer_id,
        email,
        is_called,
        is_deleted,
        is_suppressed,
        created_at,
        updated_at,
        first_learned_at as learned_at
    from ranked
    where version_rank = 1
)

select * from deduplicated

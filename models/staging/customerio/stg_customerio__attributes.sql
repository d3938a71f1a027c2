with

attributes as (
    select * from {{ source("customerio", "attributes") }}
),

files as (
    select * from {{ ref("stg_loads__file_sequences") }}
),

ranked as (
    select
        attributes.workspace_id,
        attributes.internal_customer_id as cio_id,
        attributes.attribute_name,
        attributes.attribute_value,
        attributes.timestamp as changed_at,
        min(files.loaded_at) over (
            partition by
                attributes.workspace_id,
                attributes.internal_customer_id,
                attributes.attribute_name,
                attributes.timestamp
        ) as learned_at,
        row_number() over (
            partition by
                attributes.workspace_id,
                attributes.internal_customer_id,
                attributes.attribute_name,
                attributes.timestamp
            order by
                files.file_sequence desc nulls last,
                attributes.attribute_value desc nulls last
        ) as version_rank
    from attributes
    left join files
        on attributes._source_file = files.file_name
    where
        attributes.workspace_id is not null
        and attributes.internal_customer_id is not null
        and attributes.attribute_name is not null
        and attributes.timestamp < {{ as_of() }}
),

deduplicated as (
    select
        workspace_id,
        cio_id,
        attribute_name,
        attribute_value,
        changed_at,
        learned_at
    from ranked
    where version_rank = 1
)

select * from deduplicated

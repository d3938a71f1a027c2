with

activities as (
    select * from {{ source("customerio", "activities") }}
),

files as (
    select * from {{ ref("stg_loads__file_sequences") }}
),

typed as (
    select
        activities.workspace_id,
        activities.activity_id,
        {{ first_json_text(var("merge_activity_kept")) }} as kept_cio_id,
        {{ first_json_text(var("merge_activity_merged")) }} as merged_cio_id,
        activities.occurred_at as merged_at,
        activities._source_file,
        files.loaded_at as learned_at
    from activities
    left join files
        on activities._source_file = files.file_name
    where
        {{ lowered(trimmed("activities.activity_type")) }} = 'profile_merge'
        and activities.workspace_id is not null
        and activities.activity_id is not null
        and activities.occurred_at < {{ as_of() }}
),

ranked as (
    select
        *,
        min(learned_at) over (partition by workspace_id, activity_id) as first_learned_at,
        row_number() over (
            partition by workspace_id, activity_id
            order by
                merged_at desc,
                merged_cio_id desc nulls last,
                kept_cio_id desc nulls last
        ) as version_rank
    from typed
),

deduplicated as (
    select
        workspace_id,
        activity_id,
        kept_cio_id,
        merged_cio_id,
        coalesce(kept_cio_id <> merged_cio_id, false) as is_readable,
        merged_at,
        first_learned_at as learned_at
    from ranked
    where version_rank = 1
)

select * from deduplicated

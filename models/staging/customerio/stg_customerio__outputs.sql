with

outputs as (
    select * from {{ source("customerio", "outputs") }}
),

typed as (
    select
        workspace_id,
        output_id,
        subject_name as journey_entry_id,
        delivery_id,
        action_id,
        output_type,
        split_test_index,
        branch_index,
        manual_segment_id,
        add_to_manual_segment as is_added_to_manual_segment,
        created_at,
        seq_num,
        _source_file
    from outputs
    where
        workspace_id is not null
        and output_id is not null
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace_id, output_id
            order by
                seq_num desc nulls last,
                created_at desc nulls last,
                _source_file desc nulls last,
                split_test_index desc nulls last,
                branch_index desc nulls last,
                delivery_id desc nulls last,
                journey_entry_id desc nulls last,
                action_id desc nulls last,
                output_type desc nulls last,
                manual_segment_id desc nulls last,
                is_added_to_manual_segment desc nulls last
        ) as version_rank
    from typed
    where created_at < {{ as_of() }}
),

deduplicated as (
    select
        workspace_id,
        output_id,
        journey_entry_id,
        delivery_id,
        action_id,
        output_type,
        split_test_index,
        branch_index,
        manual_segment_id,
        is_added_to_manual_segment,
        created_at,
        seq_num
    from ranked
    where version_rank = 1
)

select * from deduplicated

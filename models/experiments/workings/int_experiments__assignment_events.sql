with

recorded as (
    {% for source in ["split", "branch", "attribute", "hash"] -%}
    select
        experiment_key,
        workspace_id,
        cio_id,
        journey_entry_id,
        arm,
        allocation_version,
        assignment_source,
        source_key,
        unplaced_reason,
        assigned_at
    from {{ ref("int_experiments__assigned_by_" ~ source) }}
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from recorded

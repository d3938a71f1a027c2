{% macro watched_inputs() -%}
    {#- The families of input whose age and volume are watched: the family, the model that has its rows, and the columns for
        the workspace and the name of the event, where it has them, and for the instant (null: not of this input). -#}
    {{ return([
        ("people", "stg_customerio__people_versions", "workspace_id", none, "case when not is_called then updated_at end"),
        ("attributes", "stg_customerio__attributes", "workspace_id", none, "changed_at"),
        ("subjects", "stg_customerio__subjects", "workspace_id", none, "started_at"),
        ("outputs", "stg_customerio__outputs", "workspace_id", none, "created_at"),
        ("deliveries", "stg_customerio__synced_deliveries", "workspace_id", none, "created_at"),
        ("metrics", "stg_customerio__metrics", "workspace_id", "metric", "occurred_at"),
        ("webhooks", "stg_customerio__webhooks", "workspace_id", "metric", "occurred_at"),
        ("behavior", "stg_behavior__events", none, "event_name", "occurred_at"),
        ("heap_sessions", "stg_heap__sessions", none, none, "started_at"),
        ("heap_segments", "stg_heap__segment_pages", none, none, "received_at"),
    ]) }}
{%- endmacro %}

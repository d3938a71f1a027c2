with
{% for family, model, _, _, _ in watched_inputs() %}
{{ family }} as (
    select * from {{ ref(model) }}
),
{% endfor %}
happened as (
    {%- for family, _, workspace, event, at in watched_inputs() %}
    select
        cast({{ workspace or 'null' }} as {{ dbt.type_bigint() }}) as workspace_id,
        '{{ family }}' as family,
        cast({{ event or 'null' }} as {{ dbt.type_string() }}) as event_name,
        {{ at }} as occurred_at
    from {{ family }}
    where {{ at }} > {{ epoch() }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

placed as (
    select
        workspace_id,
        family,
        event_name,
        occurred_at,
        cast(
            floor({{ minutes_between("occurred_at", as_of()) }} / 1440.0) as {{ dbt.type_bigint() }}
        ) as days_before
    from happened
),

counted as (
    select
        workspace_id,
        family,
        event_name,
        days_before,
        count(*) as count_rows,
        max(occurred_at) as last_event_at
    from placed
    group by workspace_id, family, event_name, days_before
),

-- A family as a whole, each workspace of it, and each event of that
leveled as (
    select
        'family' as grain,
        cast(null as {{ dbt.type_bigint() }}) as workspace_id,
        family,
        cast(null as {{ dbt.type_string() }}) as event_name,
        days_before,
        count_rows,
        last_event_at
    from counted
    union all
    select
        'workspace' as grain,
        workspace_id,
        family,
        cast(null as {{ dbt.type_string() }}) as event_name,
        days_before,
        count_rows,
        last_event_at
    from counted
    union all
    select
        'event' as grain,
        workspace_id,
        family,
        event_name,
        days_before,
        count_rows,
        last_event_at
    from counted
    where event_name is not null
),

summed as (
    select
        grain || ' ' || coalesce(cast(workspace_id as {{ dbt.type_string() }}), '') || ' ' || family
        || ' ' || coalesce(event_name, '')
            as input_id,
        grain,
        workspace_id,
        family,
        event_name,
        days_before,
        sum(count_rows) as count_rows,
        max(last_event_at) as last_event_at
    from leveled
    group by grain, workspace_id, family, event_name, days_before
)

select * from summed

with
{% for family, model, _, _, _ in watched_inputs() %}
{{ family }} as (
    select * from {{ ref(model) }}
),
{% endfor %}
happened as (
    {%- for family, model, workspace, _, at in watched_inputs() %}
    select
        '{{ family }}' as family,
        '{{ model }}' as relation,
        cast({{ workspace or 'null' }} as {{ dbt.type_bigint() }}) as workspace_id,
        cast({{ at }} as date) as happened_on
    from {{ family }}
    where {{ at }} > {{ epoch() }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

counted as (
    select
        family,
        relation,
        workspace_id,
        happened_on,
        count(*) as count_rows
    from happened
    group by family, relation, workspace_id, happened_on
)

select * from counted

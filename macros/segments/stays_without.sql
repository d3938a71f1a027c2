{% macro stays_without(spans, blocked, into="stays") -%}
    {#-
        CTEs that end in `stays (person_id, entered_at, exited_at)`: the time inside `spans` and
        outside `blocked`. Both are CTEs as in stays_from.
    -#}
    {{ tiers_from([("out", blocked), ("in", spans)], into=into ~ "_parts") }},

    {{ into }} as (
        select
            person_id,
            entered_at,
            exited_at
        from {{ into }}_parts
        where tier = 'in'
    )
{%- endmacro %}

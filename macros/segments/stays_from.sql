{% macro stays_from(spans, into="stays") -%}
    {#-
        CTEs that end in `stays (person_id, entered_at, exited_at)`: the spans of a person merged
        into half-open stays that neither overlap nor touch, as far as they can be known at as_of.

        spans: a CTE with person_id, starts_at, ends_at (null: no end). Spans may overlap, touch,
        repeat, be empty or belong to nobody; the order of rows does not matter.

        Like events, entries and exits at or after as_of are not seen: such a stay is not there yet, or
        still open.
    -#}
    {{ into }}_known as (
        select
            person_id,
            starts_at,
            coalesce(ends_at, {{ forever() }}) as ends_at
        from {{ spans }}
        where
            person_id is not null
            and starts_at < {{ as_of() }}
            and starts_at < coalesce(ends_at, {{ forever() }})
    ),

    {{ into }}_reached as (
        select
            person_id,
            starts_at,
            ends_at,
            max(ends_at) over (
                partition by person_id
                order by starts_at, ends_at
                rows between unbounded preceding and 1 preceding
            ) as reached_at
        from {{ into }}_known
    ),

    {{ into }}_numbered as (
        select
            person_id,
            starts_at,
            ends_at,
            sum(case when reached_at >= starts_at then 0 else 1 end) over (
                partition by person_id
                order by starts_at, ends_at
                rows between unbounded preceding and current row
            ) as stay_number
        from {{ into }}_reached
    ),

    {{ into }} as (
        select
            person_id,
            min(starts_at) as entered_at,
            case when max(ends_at) < {{ as_of() }} then max(ends_at) end as exited_at
        from {{ into }}_numbered
        group by person_id, stay_number
    )
{%- endmacro %}

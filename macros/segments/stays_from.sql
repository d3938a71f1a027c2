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

    -- one pass over all spans: how far the earlier ones reach, and where the last one ends
    {{ into }}_reached as (
        select
            person_id,
            starts_at,
            max(ends_at) over (
                partition by person_id
                order by starts_at, ends_at
                rows between unbounded preceding and 1 preceding
            ) as reached_at,
            max(ends_at) over (partition by person_id) as last_ends_at
        from {{ into }}_known
    ),

    -- a stay begins where the earlier spans do not reach, and ends where they reached to
    {{ into }}_begun as (
        select
            person_id,
            starts_at as entered_at,
            last_ends_at,
            lead(reached_at) over (
                partition by person_id
                order by starts_at
            ) as ends_at
        from {{ into }}_reached
        where reached_at is null or reached_at < starts_at
    ),

    {{ into }} as (
        select
            person_id,
            entered_at,
            case
                when coalesce(ends_at, last_ends_at) < {{ as_of() }}
                    then coalesce(ends_at, last_ends_at)
            end as exited_at
        from {{ into }}_begun
    )
{%- endmacro %}

{% macro tiers_from(levels, otherwise=none, everyone=none, into="tiers") -%}
    {#-
        CTEs that end in `tiers (person_id, tier, entered_at, exited_at)`: at every instant a person
        has the first level whose spans hold, else `otherwise`.

        levels: a list of (tier, spans), strongest first; spans as in stays_from.
        otherwise: the tier of a person of `everyone` (a CTE with person_id) whom no span covers,
        from always on. Without it such times have no row.
    -#}
    {{ into }}_edges as (
        {%- for tier, spans in levels %}
        select
            person_id,
            {{ loop.index }} as level_number,
            1 as step,
            starts_at as changed_at
        from {{ spans }}
        where
            person_id is not null
            and starts_at < {{ as_of() }}
            and starts_at < coalesce(ends_at, {{ forever() }})
        union all
        select
            person_id,
            {{ loop.index }} as level_number,
            -1 as step,
            ends_at as changed_at
        from {{ spans }}
        where
            person_id is not null
            and starts_at < {{ as_of() }}
            and starts_at < ends_at
            and ends_at < {{ as_of() }}
        {% if not loop.last or everyone %}union all{% endif %}
        {%- endfor %}
        {%- if everyone %}
        select distinct
            person_id,
            0 as level_number,
            0 as step,
            {{ epoch() }} as changed_at
        from {{ everyone }}
        where person_id is not null
        {%- endif %}
    ),

    {{ into }}_steps as (
        select
            person_id,
            changed_at
            {%- for tier, spans in levels %},
            sum(case when level_number = {{ loop.index }} then step else 0 end) as step_{{ loop.index }}
            {%- endfor %}
        from {{ into }}_edges
        group by person_id, changed_at
    ),

    -- how many spans of each level hold from here on
    {{ into }}_heights as (
        select
            person_id,
            changed_at,
            row_number() over (
                partition by person_id
                order by changed_at
            ) as change_number
            {%- for tier, spans in levels %},
            step_{{ loop.index }},
            sum(step_{{ loop.index }}) over (
                partition by person_id
                order by changed_at
                rows between unbounded preceding and current row
            ) as height_{{ loop.index }}
            {%- endfor %}
        from {{ into }}_steps
    ),

    {{ into }}_named as (
        select
            person_id,
            changed_at,
            change_number,
            case
                {%- for tier, spans in levels %}
                when height_{{ loop.index }} > 0 then '{{ tier }}'
                {%- endfor %}
                else '{{ otherwise or "" }}'
            end as tier,
            case
                {%- for tier, spans in levels %}
                when height_{{ loop.index }} - step_{{ loop.index }} > 0 then '{{ tier }}'
                {%- endfor %}
                else '{{ otherwise or "" }}'
            end as tier_before
        from {{ into }}_heights
    ),

    {{ into }}_changed as (
        select
            person_id,
            tier,
            changed_at as entered_at,
            lead(changed_at) over (
                partition by person_id
                order by changed_at
            ) as exited_at
        from {{ into }}_named
        where change_number = 1 or tier <> tier_before
    ),

    {{ into }} as (
        select
            person_id,
            tier,
            entered_at,
            exited_at
        from {{ into }}_changed
        where tier <> ''
    )
{%- endmacro %}

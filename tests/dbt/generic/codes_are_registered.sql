{% test codes_are_registered(model, column_name, registered_as="code", is_complete=false) %}
    {#- Codes of a column (several joined with `||`) that guardrails.csv does not name. With `is_complete` also
        the other way: what it names and no row has, where there are rows at all. -#}
    with registered as (
        select distinct {{ registered_as }} as code
        from {{ ref("guardrails") }}
        where {{ registered_as }} is not null
    ),

    used as (
        {%- for place in range(1, 25) %}
        select {{ dbt.split_part(column_name, "'||'", place) }} as code
        from {{ model }}
        {{ "union distinct" if not loop.last }}
        {%- endfor %}
    )

    select used.code
    from used
    left join registered
        on used.code = registered.code
    where
        used.code <> ''
        and registered.code is null
    {%- if is_complete %}
    union all
    select registered.code
    from registered
    left join used
        on registered.code = used.code
    where
        used.code is null
        and exists (select 1 from used where used.code <> '')
    {%- endif %}
{% endtest %}

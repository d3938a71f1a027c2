{% macro known_answers(relation, table) -%}
    {#- What a relation of the fixture brand holds beside the known rows of it, and what it lacks.
        `table` is text: a line of names, then a line per row, cells parted by ` | `; an empty cell is
        null. Every column of `relation` named there is compared as text. Ends a `with`. -#}
    {%- set lines = table.strip().split("\n") | map("trim") | list -%}
    {%- set names = lines[0].split(" | ") | map("trim") | list -%}
    known as (
        {%- for line in lines[1:] %}
        {%- set cells = (line ~ " ").split(" | ") | map("trim") | list %}
        {%- if cells | length != names | length %}
        {{ exceptions.raise_compiler_error("a known row has other cells than names: " ~ line) }}
        {%- endif %}
        select
            {%- for name in names %}
            cast({{ "'" ~ cells[loop.index0] ~ "'" if cells[loop.index0] else "null" }} as {{ dbt.type_string() }}) as {{ name }}{{ "," if not loop.last }}
            {%- endfor %}
        {{ "union all" if not loop.last }}
        {%- endfor %}
    ),

    told as (
        select
            {%- for name in names %}
            cast({{ name }} as {{ dbt.type_string() }}) as {{ name }}{{ "," if not loop.last }}
            {%- endfor %}
        from {{ relation }}
    ),

    differences as (
        select
            'missing' as difference,
            missing.*
        from (select * from known except all select * from told) as missing
        union all
        select
            'not known' as difference,
            beyond.*
        from (select * from told except all select * from known) as beyond
    )

    select * from differences
{%- endmacro %}

{% macro fixture_workspace() -%}
    730
{%- endmacro %}

select
    written.place,
    written.said = literals.said as is_same
from {{ source("nasty", "written") }} as written
inner join (
    {%- for text in var("written") %}
    select {{ loop.index0 }} as place, {{ dbt.string_literal(dbt.escape_single_quotes(text)) }} as said
    {{- " union all" if not loop.last }}
    {%- endfor %}
) as literals on written.place = literals.place

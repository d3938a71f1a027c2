select
    place,
    {{ local_date("first_at", "zone") }} as local_date,
    {{ local_day_start(local_date("first_at", "zone"), "zone") }} as local_day_start,
    {{ minutes_between("first_at", "second_at") }} as whole_minutes,
    {%- for part in ["second", "minute", "hour", "day"] %}
    {{ dbt.dateadd(part, "units", "first_at") }} as {{ part }}s_later,
    cast({{ dbt.datediff("first_at", "second_at", part) }} as {{ dbt.type_bigint() }}) as {{ part }}s_between
    {{- "," if not loop.last }}
    {%- endfor %}
from {{ source("nasty", "instants") }}

-- A calendar day begins at the first instant that any clock of its zone shows it: where midnight comes
-- twice with the first, where it never comes when the clocks have gone forward.
with

days as (
    {% for time_zone, day, starts_at in [
        ("UTC", "2024-02-29", "2024-02-29 00:00"),
        ("Europe/Berlin", "2024-10-27", "2024-10-26 22:00"),
        ("America/Havana", "2024-11-03", "2024-11-03 04:00"),
        ("America/Havana", "2024-03-10", "2024-03-10 05:00"),
        ("Atlantic/Azores", "2024-10-27", "2024-10-27 00:00"),
        ("Africa/Cairo", "2024-04-26", "2024-04-25 22:00"),
        ("Africa/Cairo", "2024-11-01", "2024-10-31 22:00"),
        ("America/Santiago", "2024-04-07", "2024-04-07 04:00"),
        ("America/Santiago", "2024-09-08", "2024-09-08 04:00"),
        ("Asia/Beirut", "2024-10-27", "2024-10-26 22:00"),
    ] -%}
    select
        '{{ time_zone }}' as time_zone,
        '{{ day }}' as day_text,
        {{ local_day_start("cast('" ~ day ~ "' as date)", "'" ~ time_zone ~ "'") }} as starts_at,
        cast('{{ starts_at }}:00' as timestamp) as expected_at
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select *
from days
where starts_at <> expected_at

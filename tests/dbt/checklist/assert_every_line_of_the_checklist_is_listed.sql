-- Every line of the implementation is there, and every line that is there has its place.
with

lines as (
    select * from {{ ref("fct_checklist") }}
),

known_lines as (
    {%- for line in checklist_lines()[:checklist_lines().index("entries")] %}
    select '{{ line }}' as line
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

missing_lines as (
    select known_lines.line
    from known_lines
    left join lines
        on
            known_lines.line = lines.line
            and lines.subject = 'implementation'
    where lines.line is null
),

unplaced_lines as (
    select line
    from lines
    where {{ checklist_place("line") }} is null
),

faults as (
    select line from missing_lines
    union all
    select line from unplaced_lines
)

select * from faults

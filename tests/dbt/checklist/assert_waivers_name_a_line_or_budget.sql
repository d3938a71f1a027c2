-- A waiver of a name that the checklist does not know would wait for ever without saying so.
select
    rule,
    owner
from {{ ref("waivers") }}
where
    rule not in (
        {%- for known in checklist_lines() + checklist_budgets() %}
        '{{ known }}'{{ "," if not loop.last }}
        {%- endfor %}
    )

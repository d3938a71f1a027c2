-- A rule names who decided it and when, an identifier we know, and words we know for its normalisation.
select
    workspace_id,
    identifier_type
from {{ ref("identity_rules") }}
where
    identifier_type not in ('customer_id', 'email', 'anonymous_id', 'heap_identity', 'heap_user_id')
    or coalesce(lower({{ trimmed("role") }}), '') not in ('primary', 'fallback', 'link', 'ignore')
    or (
        lower({{ trimmed("role") }}) in ('primary', 'fallback')
        and identifier_type not in ('customer_id', 'email')
    )
    or owner is null
    or decided_on is null
    or replace(replace(replace(coalesce(normalisation, ''), 'trim', ''), 'lower', ''), '|', '') <> ''

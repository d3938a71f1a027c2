-- A person is told to Heap by a customer id or an address: no other identifier is primary or fallback.
select
    workspace_id,
    identifier_type
from {{ ref("identity_rules") }}
where
    role in ('primary', 'fallback')
    and identifier_type not in ('customer_id', 'email')

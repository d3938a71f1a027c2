-- A hub or a placeholder maps to nobody, under no type and in no spelling Heap knows.
with

refused as (
    select * from {{ ref("int_identity__refused_identifiers") }}
),

identifiers as (
    select * from {{ ref("map_identifiers") }}
)

select
    identifiers.workspace_id,
    identifiers.identifier_type,
    identifiers.identifier
from identifiers
inner join refused
    on
        identifiers.workspace_id = refused.workspace_id
        and identifiers.identifier_type = refused.identifier_type
        and identifiers.identifier = refused.identifier

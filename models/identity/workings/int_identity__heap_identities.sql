with

heap_users as (
    select * from {{ ref("int_identity__heap_users") }}
),

rules as (
    select * from {{ ref("int_identity__rules") }}
),

holds as (
    select * from {{ ref("int_identity__holds") }}
),

refused as (
    select * from {{ ref("int_identity__refused_identifiers") }}
),

identities as (
    select
        heap_identity,
        max(case when is_real then 1 else 0 end) = 1 as is_real
    from heap_users
    where heap_identity is not null
    group by heap_identity
),

held as (
    select
        holds.workspace_id,
        holds.identifier_type,
        holds.identifier,
        holds.cio_id,
        row_number() over (
            partition by holds.workspace_id, holds.identifier_type, holds.identifier
            order by holds.held_from desc, holds.cio_id asc
        ) as holder_rank
    from holds
    left join refused
        on
            holds.workspace_id = refused.workspace_id
            and holds.identifier_type = refused.identifier_type
            and holds.identifier = refused.identifier
    where refused.identifier is null
),

-- An identity may read as a customer_id and as an e-mail: the primary reading comes first.
read_by_rule as (
    select
        rules.workspace_id,
        rules.identifier_type,
        rules.preference,
        {{ normalised("identities.heap_identity") }} as identifier,
        identities.heap_identity,
        identities.is_real
    from identities
    inner join rules
        on rules.is_shared_with_heap
),

matched as (
    select
        read_by_rule.*,
        held.cio_id as last_cio_id,
        row_number() over (
            partition by read_by_rule.workspace_id, read_by_rule.heap_identity
            order by read_by_rule.preference, read_by_rule.identifier_type
        ) as match_rank
    from read_by_rule
    inner join held
        on
            read_by_rule.workspace_id = held.workspace_id
            and read_by_rule.identifier_type = held.identifier_type
            and read_by_rule.identifier = held.identifier
            and held.holder_rank = 1
),

best as (
    select
        workspace_id,
        heap_identity,
        identifier_type,
        identifier,
        last_cio_id,
        is_real
    from matched
    where match_rank = 1
)

select * from best

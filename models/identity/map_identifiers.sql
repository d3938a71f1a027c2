with

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

known_profiles as (
    select * from {{ ref("int_identity__known_profiles") }}
),

links as (
    select * from {{ ref("int_identity__links") }}
),

holds as (
    select * from {{ ref("int_identity__holds") }}
),

refused as (
    select * from {{ ref("int_identity__refused_identifiers") }}
),

heap_users as (
    select * from {{ ref("int_identity__heap_users") }}
),

heap_identities as (
    select * from {{ ref("int_identity__heap_identities") }}
),

-- Which fact put a profile into its person; the profile alone where it stands alone.
link_evidence as (
    select
        workspace_id,
        right_cio_id as cio_id,
        min(evidence) as evidence
    from links
    group by workspace_id, right_cio_id
),

profile_ids as (
    select
        profiles.workspace_id,
        'cio_id' as identifier_type,
        profiles.cio_id as identifier,
        profiles.person_id,
        {{ epoch() }} as valid_from,
        cast(null as timestamp) as valid_to,
        coalesce(link_evidence.evidence, 'profile') as evidence,
        known_profiles.learned_at
    from profiles
    left join known_profiles
        on
            profiles.workspace_id = known_profiles.workspace_id
            and profiles.cio_id = known_profiles.cio_id
    left join link_evidence
        on
            profiles.workspace_id = link_evidence.workspace_id
            and profiles.cio_id = link_evidence.cio_id
),

-- When somebody comes to hold an identifier: once a person and instant.
takings as (
    select
        holds.workspace_id,
        holds.identifier_type,
        holds.identifier,
        profiles.person_id,
        holds.held_from,
        min(holds.evidence) as evidence,
        min(holds.learned_at) as learned_at
    from holds
    inner join profiles
        on
            holds.workspace_id = profiles.workspace_id
            and holds.cio_id = profiles.cio_id
    left join refused
        on
            holds.workspace_id = refused.workspace_id
            and holds.identifier_type = refused.identifier_type
            and holds.identifier = refused.identifier
    where refused.identifier is null
    group by
        holds.workspace_id, holds.identifier_type, holds.identifier, profiles.person_id, holds.held_from
),

followed as (
    select
        *,
        lag(person_id) over (
            partition by workspace_id, identifier_type, identifier
            order by held_from, person_id
        ) as person_before,
        lead(held_from) over (
            partition by workspace_id, identifier_type, identifier
            order by held_from, person_id
        ) as next_held_from
    from takings
),

-- Of two people who come to hold it at one instant, the one who sorts last keeps it. Who holds it already
-- changes nothing by holding it again.
changes_of_holder as (
    select *
    from followed
    where
        person_before is null
        or person_before <> person_id
),

lasting as (
    select
        *,
        lead(held_from) over (
            partition by workspace_id, identifier_type, identifier
            order by held_from, person_id
        ) as next_taken_at
    from changes_of_holder
),

holders as (
    select
        *,
        row_number() over (
            partition by workspace_id, identifier_type, identifier
            order by held_from
        ) as holder_number
    from lasting
    where
        next_taken_at is null
        or next_taken_at > held_from
),

-- The first holder has it for the whole past, the last until somebody else takes it.
held_identifiers as (
    select
        workspace_id,
        identifier_type,
        identifier,
        person_id,
        case when holder_number = 1 then {{ epoch() }} else held_from end as valid_from,
        next_taken_at as valid_to,
        evidence,
        learned_at
    from holders
),

heap_identity_rows as (
    select
        heap_identities.workspace_id,
        'heap_identity' as identifier_type,
        heap_identities.heap_identity as identifier,
        held_identifiers.person_id,
        held_identifiers.valid_from,
        held_identifiers.valid_to,
        'heap connect by ' || heap_identities.identifier_type as evidence,
        held_identifiers.learned_at
    from heap_identities
    inner join held_identifiers
        on
            heap_identities.workspace_id = held_identifiers.workspace_id
            and heap_identities.identifier_type = held_identifiers.identifier_type
            and heap_identities.identifier = held_identifiers.identifier
),

-- A Heap user without an identity of its own is whoever it was migrated into.
identified_users as (
    select
        heap_users.heap_user_id,
        coalesce(heap_users.heap_identity, survivors.heap_identity) as heap_identity,
        case
            when heap_users.heap_identity is null then 'heap migration'
            else 'heap connect'
        end as evidence
    from heap_users
    left join heap_users as survivors
        on heap_users.surviving_heap_user_id = survivors.heap_user_id
),

heap_user_rows as (
    select
        heap_identity_rows.workspace_id,
        'heap_user_id' as identifier_type,
        identified_users.heap_user_id as identifier,
        heap_identity_rows.person_id,
        heap_identity_rows.valid_from,
        heap_identity_rows.valid_to,
        identified_users.evidence,
        heap_identity_rows.learned_at
    from identified_users
    inner join heap_identity_rows
        on identified_users.heap_identity = heap_identity_rows.identifier
),

united as (
    select * from profile_ids
    union all
    select * from held_identifiers
    union all
    select * from heap_identity_rows
    union all
    select * from heap_user_rows
),

mapped as (
    select
        workspace_id,
        identifier_type,
        identifier,
        person_id,
        evidence,
        valid_from,
        valid_to,
        learned_at
    from united
)

select * from mapped

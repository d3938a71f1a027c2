with

holds as (
    select * from {{ ref("int_identity__holds") }}
),

identifiers as (
    select * from {{ ref("map_identifiers") }}
    where valid_to is null
),

known_profiles as (
    select * from {{ ref("int_identity__known_profiles") }}
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

rules as (
    select * from {{ ref("int_identity__rules") }}
),

heap_identities as (
    select * from {{ ref("int_identity__heap_identities") }}
),

-- How Heap spells an identifier: the spelling real sessions use, then ours, then the first.
ranked_spellings as (
    select
        *,
        row_number() over (
            partition by workspace_id, identifier_type, identifier
            order by
                is_real desc,
                heap_identity = identifier desc,
                heap_identity asc
        ) as spelling_rank
    from heap_identities
),

held_by_person as (
    select
        holds.workspace_id,
        profiles.person_id,
        holds.identifier_type,
        holds.identifier,
        holds.held_to is null and known_profiles.is_live as is_held_now,
        holds.held_from,
        known_profiles.created_at,
        known_profiles.first_seen_at,
        known_profiles.cio_id
    from holds
    inner join profiles
        on
            holds.workspace_id = profiles.workspace_id
            and holds.cio_id = profiles.cio_id
    inner join known_profiles
        on
            holds.workspace_id = known_profiles.workspace_id
            and holds.cio_id = known_profiles.cio_id
    inner join identifiers
        on
            holds.workspace_id = identifiers.workspace_id
            and holds.identifier_type = identifiers.identifier_type
            and holds.identifier = identifiers.identifier
            and profiles.person_id = identifiers.person_id
    where holds.identifier_type in ('customer_id', 'email')
),

-- The oldest living profile speaks for the person, so that a younger one changes nothing.
ranked as (
    select
        held_by_person.workspace_id,
        held_by_person.person_id,
        held_by_person.identifier_type,
        held_by_person.identifier,
        held_by_person.is_held_now,
        coalesce(rules.preference, 9) as preference,
        coalesce(rules.is_shared_with_heap, false) as is_shared_with_heap,
        ranked_spellings.heap_identity is not null as is_known_to_heap,
        coalesce(ranked_spellings.is_real, false) as is_real,
        coalesce(ranked_spellings.heap_identity, held_by_person.identifier) as heap_spelling,
        row_number() over (
            partition by held_by_person.person_id, held_by_person.identifier_type
            order by
                held_by_person.is_held_now desc,
                coalesce(ranked_spellings.is_real, false) desc,
                {{ older_first("held_by_person") }},
                held_by_person.held_from desc,
                held_by_person.identifier
        ) as candidate_rank
    from held_by_person
    left join rules
        on
            held_by_person.workspace_id = rules.workspace_id
            and held_by_person.identifier_type = rules.identifier_type
    left join ranked_spellings
        on
            held_by_person.workspace_id = ranked_spellings.workspace_id
            and held_by_person.identifier_type = ranked_spellings.identifier_type
            and held_by_person.identifier = ranked_spellings.identifier
            and ranked_spellings.spelling_rank = 1
),

candidates as (
    select
        *,
        length(heap_spelling) > {{ var("identity_max_characters") }} as is_too_long
    from ranked
    where candidate_rank = 1
)

select * from candidates

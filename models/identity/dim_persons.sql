with

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

known_profiles as (
    select * from {{ ref("int_identity__known_profiles") }}
),

candidates as (
    select * from {{ ref("int_identity__candidates") }}
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

gathered as (
    select
        profiles.workspace_id,
        profiles.person_id,
        count(*) as count_profiles,
        max(case when known_profiles.is_live then 1 else 0 end) = 1 as has_live_profile,
        max(case when known_profiles.is_listed then 1 else 0 end) = 1 as has_listed_profile,
        max(case when known_profiles.is_deleted then 1 else 0 end) = 1 as has_deleted_profile,
        max(case when known_profiles.is_suppressed then known_profiles.stated_at end) as suppressed_at,
        max(
            case
                when known_profiles.is_live
                    then coalesce(known_profiles.created_at, known_profiles.first_seen_at)
            end
        ) as revived_at,
        min(known_profiles.first_seen_at) as first_seen_at
    from profiles
    left join known_profiles
        on
            profiles.workspace_id = known_profiles.workspace_id
            and profiles.cio_id = known_profiles.cio_id
    group by profiles.workspace_id, profiles.person_id
),

persons_at_hubs as (
    select distinct profiles.person_id
    from holds
    inner join refused
        on
            holds.workspace_id = refused.workspace_id
            and holds.identifier_type = refused.identifier_type
            and holds.identifier = refused.identifier
    inner join profiles
        on
            holds.workspace_id = profiles.workspace_id
            and holds.cio_id = profiles.cio_id
    where refused.reason = 'hub'
),

customer_ids as (
    select * from candidates
    where identifier_type = 'customer_id'
),

emails as (
    select * from candidates
    where identifier_type = 'email'
),

-- Heap takes at most 255 characters; what is longer cannot be an identity.
ranked_identities as (
    select
        *,
        row_number() over (
            partition by person_id
            order by preference, identifier_type
        ) as identity_rank
    from candidates
    where
        is_shared_with_heap
        and length(heap_spelling) <= 255
),

connected as (
    select count(*) > 0 as has_heap_connect
    from heap_users
),

identified as (
    select
        gathered.*,
        customer_ids.identifier as customer_id,
        emails.identifier as email,
        ranked_identities.heap_spelling as heap_identity,
        ranked_identities.identifier_type as heap_identity_source,
        coalesce(ranked_identities.is_real, false) as is_known_in_heap,
        customer_ids.person_id is not null or emails.person_id is not null as has_identifier,
        persons_at_hubs.person_id is not null as is_at_hub,
        connected.has_heap_connect,
        gathered.suppressed_at is not null
        and not coalesce(gathered.revived_at > gathered.suppressed_at, false) as is_suppressed,
        gathered.has_deleted_profile and not gathered.has_live_profile as is_deleted
    from gathered
    cross join connected
    left join customer_ids
        on gathered.person_id = customer_ids.person_id
    left join emails
        on gathered.person_id = emails.person_id
    left join ranked_identities
        on
            gathered.person_id = ranked_identities.person_id
            and ranked_identities.identity_rank = 1
    left join persons_at_hubs
        on gathered.person_id = persons_at_hubs.person_id
),

-- Two living persons under one Heap identity would become one user there, for ever.
shared_identities as (
    select heap_identity
    from identified
    where
        heap_identity is not null
        and not is_suppressed
        and not is_deleted
    group by heap_identity
    having count(*) > 1
),

judged as (
    select
        identified.*,
        case
            when identified.is_suppressed then 'suppressed'
            when identified.is_deleted then 'deleted'
            when not identified.has_listed_profile then 'anonymous'
            when shared_identities.heap_identity is not null then 'ambiguous'
            when identified.heap_identity is null and identified.is_at_hub then 'ambiguous'
            when not identified.has_identifier then 'anonymous'
            when not identified.has_heap_connect then 'unverified'
            when identified.is_known_in_heap then 'matched'
            else 'unmatched'
        end as match_status
    from identified
    left join shared_identities
        on identified.heap_identity = shared_identities.heap_identity
),

persons as (
    select
        person_id,
        workspace_id,
        customer_id,
        email,
        heap_identity,
        heap_identity_source,
        match_status,
        count_profiles,
        case
            when has_heap_connect then is_known_in_heap and heap_identity is not null
        end as is_known_in_heap,
        heap_identity is not null
        and match_status in ('matched', 'unverified', 'unmatched') as is_publishable,
        first_seen_at
    from judged
)

select * from persons

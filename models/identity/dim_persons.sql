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

-- Whoever holds an identifier that belongs to nobody.
at_refused_identifiers as (
    select
        profiles.person_id,
        max(case when refused.reason = 'hub' then 1 else 0 end) = 1 as is_at_hub,
        max(
            case
                when refused.reason = 'placeholder' and refused.identifier_type in ('customer_id', 'email')
                    then 1
                else 0
            end
        ) = 1 as is_at_placeholder
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
    group by profiles.person_id
),

customer_ids as (
    select * from candidates
    where identifier_type = 'customer_id'
),

emails as (
    select * from candidates
    where identifier_type = 'email'
),

-- The first that Heap can take; one that is too long for it comes after all others.
ranked_identities as (
    select
        *,
        row_number() over (
            partition by person_id
            order by
                case when is_too_long then 1 else 0 end,
                preference,
                identifier_type
        ) as identity_rank
    from candidates
    where is_shared_with_heap
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
        case when not ranked_identities.is_too_long then ranked_identities.heap_spelling end as heap_identity,
        case when not ranked_identities.is_too_long then ranked_identities.identifier_type end
            as heap_identity_source,
        coalesce(ranked_identities.is_real and not ranked_identities.is_too_long, false) as is_known_in_heap,
        coalesce(ranked_identities.is_too_long, false) as is_too_long,
        customer_ids.person_id is not null or emails.person_id is not null as has_identifier,
        coalesce(at_refused_identifiers.is_at_hub, false) as is_at_hub,
        coalesce(at_refused_identifiers.is_at_placeholder, false) as is_at_placeholder,
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
    left join at_refused_identifiers
        on gathered.person_id = at_refused_identifiers.person_id
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

-- The one verdict on who may be told: a person without a reason against it.
refused_persons as (
    select
        *,
        case
            when match_status = 'anonymous' and has_listed_profile and is_at_placeholder then 'placeholder'
            when match_status in ('suppressed', 'deleted', 'ambiguous', 'anonymous')
                then 'person is ' || match_status
            when is_too_long then 'identity too long'
            when heap_identity is null then 'no identity'
        end as refusal_reason
    from judged
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
        refusal_reason,
        count_profiles,
        case
            when has_heap_connect then is_known_in_heap and heap_identity is not null
        end as is_known_in_heap,
        refusal_reason is null as is_publishable,
        first_seen_at
    from refused_persons
)

select * from persons

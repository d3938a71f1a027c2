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

declared_merges as (
    select * from {{ ref("int_identity__merges") }}
),

holds as (
    select * from {{ ref("int_identity__holds") }}
),

refused_identifiers as (
    select * from {{ ref("int_identity__refused_identifiers") }}
),

-- Every profile is a person of its own at first: the id it would have had alone. A profile that only a
-- merge names begins with the merge.
first_merges as (
    select
        workspace_id,
        secondary_cio_id as cio_id,
        min(merged_at) as merged_at
    from declared_merges
    group by workspace_id, secondary_cio_id
),

beginnings as (
    select
        profiles.workspace_id,
        profiles.cio_id,
        profiles.person_id,
        {{ person_id("profiles.workspace_id", "profiles.cio_id") }} as own_person_id,
        coalesce(known_profiles.is_live, false) as is_live,
        known_profiles.created_at,
        known_profiles.first_seen_at,
        coalesce(known_profiles.first_seen_at, first_merges.merged_at) as began_at
    from profiles
    left join known_profiles
        on
            profiles.workspace_id = known_profiles.workspace_id
            and profiles.cio_id = known_profiles.cio_id
    left join first_merges
        on
            profiles.workspace_id = first_merges.workspace_id
            and profiles.cio_id = first_merges.cio_id
),

created as (
    select
        workspace_id,
        'created' as change_kind,
        own_person_id as person_id,
        cast(null as {{ dbt.type_string() }}) as other_person_id,
        cio_id,
        'profile' as evidence,
        began_at as changed_at
    from beginnings
),

-- Links seen from the profile that joined; the one to an older profile counts, the earliest first.
link_ends as (
    select
        workspace_id,
        right_cio_id as cio_id,
        evidence,
        linked_at,
        0 as is_younger_end
    from links
    union all
    select
        workspace_id,
        left_cio_id as cio_id,
        evidence,
        linked_at,
        1 as is_younger_end
    from links
),

ranked_links as (
    select
        *,
        row_number() over (
            partition by workspace_id, cio_id
            order by is_younger_end, linked_at nulls last, evidence
        ) as link_rank
    from link_ends
),

merged as (
    select
        beginnings.workspace_id,
        'merged' as change_kind,
        beginnings.person_id,
        beginnings.own_person_id as other_person_id,
        beginnings.cio_id,
        ranked_links.evidence,
        greatest(
            coalesce(ranked_links.linked_at, beginnings.began_at),
            coalesce(beginnings.began_at, ranked_links.linked_at)
        ) as changed_at
    from beginnings
    inner join ranked_links
        on
            beginnings.workspace_id = ranked_links.workspace_id
            and beginnings.cio_id = ranked_links.cio_id
            and ranked_links.link_rank = 1
    where beginnings.person_id <> beginnings.own_person_id
),

-- An identifier that became a hub joined its first holders until the one too many came.
hub_holders as (
    select
        holds.workspace_id,
        holds.identifier_type,
        holds.identifier,
        holds.cio_id,
        refused_identifiers.max_profiles,
        min(holds.held_from) as held_from,
        max(coalesce(holds.held_to, {{ end_of_time() }})) as held_to
    from holds
    inner join refused_identifiers
        on
            holds.workspace_id = refused_identifiers.workspace_id
            and holds.identifier_type = refused_identifiers.identifier_type
            and holds.identifier = refused_identifiers.identifier
    where
        refused_identifiers.reason = 'hub'
        and holds.is_linking
    group by
        holds.workspace_id,
        holds.identifier_type,
        holds.identifier,
        holds.cio_id,
        refused_identifiers.max_profiles
),

numbered_holders as (
    select
        hub_holders.*,
        beginnings.person_id,
        beginnings.created_at,
        beginnings.first_seen_at,
        case
            when beginnings.is_live
                then
                    sum(case when beginnings.is_live then 1 else 0 end) over (
                        partition by
                            hub_holders.workspace_id,
                            hub_holders.identifier_type,
                            hub_holders.identifier
                        order by hub_holders.held_from, hub_holders.cio_id
                        rows between unbounded preceding and current row
                    )
        end as live_number
    from hub_holders
    inner join beginnings
        on
            hub_holders.workspace_id = beginnings.workspace_id
            and hub_holders.cio_id = beginnings.cio_id
),

dated_hubs as (
    select
        *,
        min(case when live_number > max_profiles then held_from end) over (
            partition by workspace_id, identifier_type, identifier
        ) as hub_since
    from numbered_holders
),

joined_until_hub as (
    select
        *,
        first_value(person_id) over (
            partition by workspace_id, identifier_type, identifier
            order by {{ older_first(none) }}
        ) as oldest_person_id,
        first_value(held_from) over (
            partition by workspace_id, identifier_type, identifier
            order by {{ older_first(none) }}
        ) as oldest_held_from,
        first_value(held_to) over (
            partition by workspace_id, identifier_type, identifier
            order by {{ older_first(none) }}
        ) as oldest_held_to
    from dated_hubs
    where held_from < hub_since
),

parted as (
    select
        workspace_id,
        oldest_person_id,
        person_id,
        min(cio_id) as cio_id,
        min('same ' || identifier_type) as evidence,
        min(greatest(held_from, oldest_held_from)) as joined_at,
        min(hub_since) as hub_since
    from joined_until_hub
    where
        person_id <> oldest_person_id
        and held_from < oldest_held_to
        and oldest_held_from < held_to
    group by workspace_id, oldest_person_id, person_id
),

hub_merges as (
    select
        workspace_id,
        'merged' as change_kind,
        oldest_person_id as person_id,
        person_id as other_person_id,
        cio_id,
        evidence,
        joined_at as changed_at
    from parted
),

splits as (
    select
        workspace_id,
        'split' as change_kind,
        person_id,
        oldest_person_id as other_person_id,
        cio_id,
        evidence || ' became a hub' as evidence,
        hub_since as changed_at
    from parted
),

changes as (
    select * from created
    union all
    select * from merged
    union all
    select * from hub_merges
    union all
    select * from splits
)

select * from changes

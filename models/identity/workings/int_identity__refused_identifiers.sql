with

holds as (
    select * from {{ ref("int_identity__holds") }}
),

known_profiles as (
    select * from {{ ref("int_identity__known_profiles") }}
),

counted as (
    select
        holds.workspace_id,
        holds.identifier_type,
        holds.identifier,
        max(holds.max_profiles) as max_profiles,
        count(distinct holds.cio_id) as count_profiles,
        count(distinct case when known_profiles.is_live then holds.cio_id end) as count_live_profiles,
        max(case when holds.is_placeholder then 1 else 0 end) = 1 as is_placeholder,
        min(holds.held_from) as first_held_at,
        min(holds.learned_at) as learned_at
    from holds
    inner join known_profiles
        on
            holds.workspace_id = known_profiles.workspace_id
            and holds.cio_id = known_profiles.cio_id
    group by holds.workspace_id, holds.identifier_type, holds.identifier
),

refused as (
    select
        workspace_id,
        identifier_type,
        identifier,
        case when is_placeholder then 'placeholder' else 'hub' end as reason,
        max_profiles,
        count_profiles,
        count_live_profiles,
        first_held_at,
        learned_at
    from counted
    where
        is_placeholder
        or count_live_profiles > max_profiles
)

select * from refused

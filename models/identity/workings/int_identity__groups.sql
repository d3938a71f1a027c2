with

holds as (
    select * from {{ ref("int_identity__holds") }}
),

refused as (
    select * from {{ ref("int_identity__refused_identifiers") }}
),

usable as (
    select holds.*
    from holds
    left join refused
        on
            holds.workspace_id = refused.workspace_id
            and holds.identifier_type = refused.identifier_type
            and holds.identifier = refused.identifier
    where
        refused.identifier is null
        and holds.is_linking
),

-- An e-mail moves: it links only those who held it at the same time. Holders in order, and the furthest end
-- of any hold before: a gap starts a new group. Other identifiers make one group.
preceded as (
    select
        *,
        max(coalesce(held_to, {{ end_of_time() }})) over (
            partition by workspace_id, identifier_type, identifier
            order by held_from, cio_id
            rows between unbounded preceding and 1 preceding
        ) as held_until_before
    from usable
),

numbered as (
    select
        *,
        sum(case when identifier_type = 'email' and held_from >= held_until_before then 1 else 0 end) over (
            partition by workspace_id, identifier_type, identifier
            order by held_from, cio_id
            rows between unbounded preceding and current row
        ) as group_number
    from preceded
),

members as (
    select
        workspace_id,
        identifier_type,
        identifier,
        group_number,
        cio_id,
        min(held_from) as held_from,
        min(learned_at) as learned_at
    from numbered
    group by workspace_id, identifier_type, identifier, group_number, cio_id
)

select * from members

create or replace temp table audience_changes as
with recursive wanted as (
    select
        members.audience_key, audiences.destination_id, members.workspace_id, members.cio_id,
        members.identifier_type, members.identifier
    from {fct_audience_members} as members
    inner join {fct_audiences} as audiences using (audience_key)
    where members.is_member
        and audiences.destination = 'customerio_segment'
        and members.audience_key not in (select audience_key from audience_stops)
),

foreign_members as (
    select destination_id, cio_id
    from audience_memberships
    where target = {target}
),

adds as (
    select
        wanted.*,
        case
            when foreign_members.cio_id is not null and ours.cio_id is null then 'there already'
            else 'add'
        end as action,
        'member' as reason
    from wanted
    left join audience_ours as ours using (audience_key, destination_id, workspace_id, cio_id)
    left join foreign_members using (destination_id, cio_id)
    where ours.is_sure is not true
),

-- whoever is in through us and does not belong there
unwanted as (
    select ours.*, profiles.person_id, profiles.is_alive, profiles.is_merged_away
    from audience_ours as ours
    left join {int_audiences__profiles} as profiles using (workspace_id, cio_id)
    where ours.audience_key not in (select audience_key from audience_stops)
        and not exists (
            select 1 from wanted
            where wanted.audience_key = ours.audience_key
                and wanted.destination_id = ours.destination_id
                and wanted.workspace_id = ours.workspace_id
                and wanted.cio_id = ours.cio_id
        )
),

-- a merge takes manual segments along: what it became is in by what we added
followed as (
    select workspace_id, cio_id, cio_id as later_cio_id
    from unwanted
    union
    select followed.workspace_id, followed.cio_id, merges.primary_cio_id as later_cio_id
    from followed
    inner join {int_identity__merges} as merges
        on followed.workspace_id = merges.workspace_id and followed.later_cio_id = merges.secondary_cio_id
),

survivors as (
    select followed.workspace_id, followed.cio_id, min(followed.later_cio_id) as cio_id_now
    from followed
    inner join {int_audiences__profiles} as profiles
        on followed.workspace_id = profiles.workspace_id
            and followed.later_cio_id = profiles.cio_id
            and profiles.is_alive
    group by followed.workspace_id, followed.cio_id
),

became as (
    select unwanted.*, survivors.cio_id_now as living_cio_id
    from unwanted
    left join survivors using (workspace_id, cio_id)
),

holders as (
    select workspace_id, customer_id, count(*) as count_holders
    from {int_audiences__profiles}
    where is_alive and customer_id is not null
    group by workspace_id, customer_id
),

-- one page says that removing needs an id
removes as (
    select
        became.audience_key, became.destination_id, became.workspace_id, became.cio_id,
        case when holders.count_holders = 1 then 'customer_id' else 'cio_id' end as identifier_type,
        case when holders.count_holders = 1 then living.customer_id else living.cio_id end as identifier,
        case
            when living.cio_id is null then 'gone'
            when living.cio_id <> became.cio_id
                and (
                    exists (
                        select 1 from wanted
                        where wanted.audience_key = became.audience_key
                            and wanted.destination_id = became.destination_id
                            and wanted.cio_id = living.cio_id
                    )
                    or exists (
                        select 1 from audience_ours as ours
                        where ours.audience_key = became.audience_key
                            and ours.destination_id = became.destination_id
                            and ours.cio_id = living.cio_id
                    )
                )
                then 'gone'
            else 'remove'
        end as action,
        coalesce(members.exclusion_reason, 'left the segment') as reason
    from became
    left join {int_audiences__profiles} as living
        on became.workspace_id = living.workspace_id and became.living_cio_id = living.cio_id and living.is_alive
    left join holders
        on living.workspace_id = holders.workspace_id and living.customer_id = holders.customer_id
    left join {fct_audience_members} as members
        on became.audience_key = members.audience_key and became.person_id = members.person_id
),

united as (
    select * from adds
    union all by name
    select * from removes
),

keyed as (
    select
        *,
        sha256(concat_ws(':', {salt}, audience_key, destination_id, action, workspace_id, cio_id)) as change_key
    from united
),

buried as (
    select publish_key
    from dead_letters
    where target = {target} and status = 'open' and kind like 'audience %' and not {is_again}
)

select
    keyed.* exclude (action),
    case
        when keyed.action in ('add', 'remove') and buried.publish_key is not null then 'refused before'
        else keyed.action
    end as action
from keyed
left join buried on keyed.change_key = buried.publish_key

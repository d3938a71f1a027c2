create or replace temp table audience_changes as
with recursive targeted as (
    select
        audiences.audience_key,
        audiences.destination_id,
        stops.audience_key is not null as is_stopped
    from {fct_audiences} as audiences
    left join audience_stops as stops on audiences.audience_key = stops.audience_key
    where audiences.destination = 'customerio_segment'
),

wanted as (
    select
        members.audience_key,
        targeted.destination_id,
        members.workspace_id,
        members.cio_id,
        members.identifier_type,
        members.identifier,
        targeted.is_stopped
    from {fct_audience_members} as members
    inner join targeted on members.audience_key = targeted.audience_key
    where members.is_member
),

adds as (
    select
        wanted.audience_key,
        wanted.destination_id,
        wanted.workspace_id,
        wanted.cio_id,
        wanted.identifier_type,
        wanted.identifier,
        case
            when foreigners.cio_id is not null and ours.cio_id is null then 'there already'
            else 'add'
        end as said,
        'member' as why
    from wanted
    left join audience_ours as ours
        on
            wanted.audience_key = ours.audience_key
            and wanted.destination_id = ours.destination_id
            and wanted.workspace_id = ours.workspace_id
            and wanted.cio_id = ours.cio_id
    left join audience_memberships as foreigners
        on
            wanted.destination_id = foreigners.destination_id
            and wanted.cio_id = foreigners.cio_id
            and foreigners.target = {target}
    where ours.is_sure is not true and not wanted.is_stopped
),

-- whoever is in through us and does not belong there; who is in a blocked one waits
unwanted as (
    select
        ours.audience_key,
        ours.destination_id,
        ours.workspace_id,
        ours.cio_id,
        profiles.person_id,
        targeted.is_stopped
    from audience_ours as ours
    inner join targeted on ours.audience_key = targeted.audience_key
    left join {int_audiences__profiles} as profiles
        on ours.workspace_id = profiles.workspace_id and ours.cio_id = profiles.cio_id
    left join wanted
        on
            ours.audience_key = wanted.audience_key
            and ours.destination_id = wanted.destination_id
            and ours.workspace_id = wanted.workspace_id
            and ours.cio_id = wanted.cio_id
    where wanted.cio_id is null
),

-- a merge takes manual segments along: what it became is in by what we added
followed as (
    select
        workspace_id,
        cio_id,
        cio_id as later_cio_id
    from unwanted
    union distinct
    select
        followed.workspace_id,
        followed.cio_id,
        joined.primary_cio_id as later_cio_id
    from followed
    inner join {int_identity__merges} as joined
        on
            followed.workspace_id = joined.workspace_id
            and followed.later_cio_id = joined.secondary_cio_id
),

survivors as (
    select
        followed.workspace_id,
        followed.cio_id,
        min(followed.later_cio_id) as living_cio_id
    from followed
    inner join {int_audiences__profiles} as profiles
        on
            followed.workspace_id = profiles.workspace_id
            and followed.later_cio_id = profiles.cio_id
            and profiles.is_alive
    group by followed.workspace_id, followed.cio_id
),

holders as (
    select
        workspace_id,
        customer_id,
        count(*) as count_holders
    from {int_audiences__profiles}
    where is_alive and customer_id is not null
    group by workspace_id, customer_id
),

-- one page says that removing needs an id
removes as (
    select
        unwanted.audience_key,
        unwanted.destination_id,
        unwanted.workspace_id,
        unwanted.cio_id,
        case when holders.count_holders = 1 then 'customer_id' else 'cio_id' end as identifier_type,
        case
            when holders.count_holders = 1 then living.customer_id
            else living.cio_id
        end as identifier,
        case
            when unwanted.is_stopped then 'waits'
            when living.cio_id is null then 'gone'
            when living.cio_id <> unwanted.cio_id and (wanted.cio_id is not null or ours.cio_id is not null)
                then 'gone'
            else 'remove'
        end as said,
        case
            when members.exclusion_reason is not null then members.exclusion_reason
            when held_out.person_id is not null then 'held out'
            else 'left the segment'
        end as why
    from unwanted
    left join survivors
        on unwanted.workspace_id = survivors.workspace_id and unwanted.cio_id = survivors.cio_id
    left join {int_audiences__profiles} as living
        on survivors.workspace_id = living.workspace_id and survivors.living_cio_id = living.cio_id
    left join holders
        on living.workspace_id = holders.workspace_id and living.customer_id = holders.customer_id
    left join wanted
        on
            unwanted.audience_key = wanted.audience_key
            and unwanted.destination_id = wanted.destination_id
            and living.workspace_id = wanted.workspace_id
            and living.cio_id = wanted.cio_id
    left join audience_ours as ours
        on
            unwanted.audience_key = ours.audience_key
            and unwanted.destination_id = ours.destination_id
            and living.workspace_id = ours.workspace_id
            and living.cio_id = ours.cio_id
    left join {fct_audience_members} as members
        on unwanted.audience_key = members.audience_key and unwanted.person_id = members.person_id
    left join {int_audiences__held_out} as held_out
        on unwanted.audience_key = held_out.audience_key and unwanted.person_id = held_out.person_id
),

united as (
    select * from adds
    union all
    select * from removes
),

keyed as (
    select
        *,
        sha256(
            concat_ws(':', {salt}, audience_key, destination_id, said, workspace_id, cio_id)
        ) as change_key
    from united
),

buried as (
    select publish_key
    from dead_letters
    where
        target = {target}
        and status = 'open'
        and kind like 'audience %'
        and not {is_again}
)

select
    keyed.audience_key,
    keyed.destination_id,
    keyed.workspace_id,
    keyed.cio_id,
    keyed.identifier_type,
    keyed.identifier,
    keyed.why,
    keyed.change_key,
    case
        when keyed.said in ('add', 'remove') and buried.publish_key is not null
            then 'refused before'
        else keyed.said
    end as said
from keyed
left join buried on keyed.change_key = buried.publish_key

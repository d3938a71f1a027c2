create or replace temp table audience_stops as
with targeted as (
    select * from {fct_audiences}
    where destination = 'customerio_segment'
),

spread as (
    select count(distinct members.workspace_id) > 1 as is_spread
    from {fct_audience_members} as members
    inner join targeted on members.audience_key = targeted.audience_key
),

elsewhere as (
    select distinct targeted.audience_key
    from targeted
    inner join {fct_audience_members} as members on targeted.audience_key = members.audience_key
    where members.workspace_id <> {workspace}
),

judged as (
    select
        targeted.audience_key,
        case
            when targeted.blocked_reason is not null then targeted.blocked_reason
            when elsewhere.audience_key is not null
                then 'its people are of another workspace than CUSTOMERIO_WORKSPACE'
            when spread.is_spread and {workspace} is null
                then 'people are of several workspaces, the credentials of one: set CUSTOMERIO_WORKSPACE'
        end as reason
    from targeted
    cross join spread
    left join elsewhere on targeted.audience_key = elsewhere.audience_key
),

undeclared as (
    select distinct ours.audience_key
    from audience_ours as ours
    left join targeted on ours.audience_key = targeted.audience_key
    where targeted.audience_key is null
)

select
    audience_key,
    reason
from judged
where reason is not null
union all
select
    audience_key,
    'nobody declares it any more: declare it with a day on which it expires' as reason
from undeclared

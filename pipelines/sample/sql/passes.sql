create table passes as
with united as (
    select
        workspace_id,
        i,
        slot,
        subject_key,
        campaign_id,
        'event' as campaign_type,
        null::integer as trigger_id,
        entered_at
    from carts
    union all
    select
        workspace_id,
        i,
        slot,
        subject_key,
        campaign_id,
        'event',
        null,
        entered_at
    from sister_carts
    union all
    select
        {brand},
        i,
        slot,
        subject_key,
        {replenishment},
        'segment',
        null,
        entered_at
    from replenishments
    union all
    select
        {brand},
        i,
        slot,
        subject_key,
        {winback},
        'segment',
        null,
        entered_at
    from winbacks
    union all
    select
        {brand},
        i,
        slot,
        subject_key,
        {push},
        'segment',
        null,
        entered_at
    from nudges
    union all
    select
        {brand},
        i,
        slot,
        subject_key,
        {price_drop},
        'segment',
        null,
        entered_at
    from price_drops
    union all
    select
        {brand},
        i,
        slot,
        subject_key,
        campaign_id,
        case campaign_id
            when {broadcast} then 'triggered_broadcast'
            when {browse} then 'event'
            else 'segment'
        end,
        trigger_id,
        entered_at
    from other_entries
)

select
    united.*,
    ulid(subject_key) as subject_name
from united;

select
    workspace_id::bigint as workspace_id,
    delivery_id,
    campaign_id::bigint as campaign_id,
    action_id::bigint as action_id,
    null::bigint as newsletter_id,
    null::bigint as content_id,
    'hello@sister.example.net' as "from",
    null::varchar as reply_to,
    null::varchar as bcc,
    if(is_trapped, '{black_hole}', email) as recipient,
    'Still thinking?' as subject,
    '<p>A body that must never be loaded.</p>' as body,
    null::varchar as body_amp,
    'A body that must never be loaded.' as body_plain,
    null::varchar as preheader,
    null::varchar as url,
    null::varchar as method,
    null::varchar as headers,
    channel as type
from messages
inner join persons using (i)
where workspace_id = {workspace_id} and batch = {batch}
order by delivery_id

create table steps as
with splits as (
    select
        workspace_id,
        subject_key,
        'split_test' as output_type,
        1010 as action_id,
        'randomised' as explanation,
        null::varchar as delivery_id,
        if(is_held_out, 1, 0) as split_test_index,
        null::integer as branch_index,
        null::timestamp as delay_ends_at,
        assigned_at as created_at
    from carts
    where campaign_id = {cart}
    union all
    select
        {brand},
        subject_key,
        'split_test',
        1080,
        'randomised',
        null,
        if(is_held_out, 1, 0),
        null,
        null,
        assigned_at
    from nudges
    union all
    select
        workspace_id,
        subject_key,
        'split_test',
        1010,
        'randomised',
        null,
        if(is_held_out, 1, 0),
        null,
        null,
        assigned_at
    from sister_carts
),

branches as (
    select
        {brand},
        subject_key,
        'random_cohort_branch',
        1020,
        'cohort drawn',
        null,
        null::integer,
        if(is_held_out, 1, 0),
        null::timestamp,
        assigned_at
    from replenishments
    union all
    select
        {brand},
        subject_key,
        'branch',
        1030,
        'attribute cohort_winback',
        null,
        null,
        if(is_held_out, 1, 0),
        null,
        entered_at + to_seconds(4)
    from winbacks
    union all
    select
        {brand},
        subject_key,
        'random_cohort_branch',
        1070,
        'cohort drawn',
        null,
        null,
        case text_arm when 'text_30m' then 0 when 'text_4h' then 1 else 2 end,
        null,
        assigned_at
    from carts
    where campaign_id = {text}
),

delays as (
    select
        workspace_id,
        subject_key,
        'delay',
        1014,
        'waiting',
        null,
        null::integer,
        null::integer,
        entered_at + to_minutes(60),
        assigned_at + to_seconds(1)
    from carts
    where campaign_id = {cart}
),

sends as (
    select
        workspace_id,
        subject_key,
        channel,
        action_id,
        fate,
        delivery_id,
        null::integer,
        null::integer,
        null::timestamp,
        created_at
    from messages
    where subject_key is not null
),

exits as (
    select
        {brand},
        subject_key,
        'exit',
        1029,
        'held out',
        null,
        null::integer,
        null::integer,
        null::timestamp,
        assigned_at + to_seconds(1)
    from replenishments
    where is_held_out
    union all
    select
        {brand},
        subject_key,
        'exit',
        1039,
        'held out',
        null,
        null,
        null,
        null,
        entered_at + to_seconds(5)
    from winbacks
    where is_held_out
    union all
    select
        {brand},
        subject_key,
        'exit',
        1079,
        'held out',
        null,
        null,
        null,
        null,
        assigned_at + to_seconds(1)
    from carts
    where text_arm = 'holdout'
),

united as (
    select * from splits
    union all
    select * from branches
    union all
    select * from delays
    union all
    select * from sends
    union all
    select * from exits
)

select
    united.* exclude (subject_key),
    ulid(concat('step:', subject_key, ':', action_id)) as output_id,
    ulid(subject_key) as subject_name,
    batch_of(created_at) as batch
from united
where day_of(created_at) < {history_days};

create macro person_of(workspace_id, i) as
concat(if(workspace_id = {sister}, 'S', 'P'), lpad(i::varchar, 8, '0'));

create table true_persons as
select
    workspace_id,
    person_of(workspace_id, i) as person,
    concat('H', lpad(i::varchar, 8, '0')) as human,
    cio_id,
    slot,
    kind,
    noise,
    category,
    is_listed,
    profiles.created_at
from profiles
inner join persons using (i);

create table true_identifiers as
with versions as (
    select
        people_versions.*,
        cio_id,
        lead(held_from) over (
            partition by people_versions.workspace_id, i, slot order by held_from
        ) as next_from
    from people_versions
    inner join profiles using (workspace_id, i, slot)
)

select
    workspace_id,
    person_of(workspace_id, i) as person,
    cio_id,
    'customer_id' as identifier_type,
    customer_id as identifier,
    held_from,
    next_from as held_to
from versions
where customer_id is not null and not deleted and not suppressed
union all
select
    workspace_id,
    person_of(workspace_id, i),
    cio_id,
    'email',
    email,
    held_from,
    next_from
from versions
where email is not null and not deleted and not suppressed;

-- Planted intervals. They are facts of the generator, not anybody's segment definition.
create table true_stays as
select
    person_of({brand}, i) as person,
    if(saw_shipping, 'cart_left_after_shipping', 'cart_left') as stay,
    abandoned_at as entered_at,
    ordered_at as exited_at
from carts
union all
select
    person_of({brand}, i),
    'refill_due',
    entered_at,
    ordered_at
from replenishments
union all
select
    person_of({brand}, i),
    'lapsed',
    last_ordered_at + to_days(60),
    ordered_at
from winbacks;

-- Journeys that move nobody: both outcomes of everybody are one.
create table unmoved as
select
    'replenishment' as experiment_key,
    {brand} as workspace_id,
    i,
    subject_key,
    is_held_out,
    assigned_at,
    ordered_at,
    email_fate = 'sent' as is_reachable
from replenishments
union all
select
    'sister_cart',
    workspace_id,
    i,
    subject_key,
    is_held_out,
    assigned_at,
    ordered_at,
    email_fate = 'sent'
from sister_carts
union all
select
    'reorder_nudge',
    {brand},
    i,
    subject_key,
    is_held_out,
    assigned_at,
    ordered_at,
    true
from nudges;

-- `y_treated`: had the person been in the first arm of the journey. Only the text has a third arm,
-- and at four hours it does nothing: there `y_held_out` is what happens.
create table true_arms as
with assigned as (
    select
        'cart_recovery' as experiment_key,
        workspace_id,
        i,
        subject_key,
        if(is_held_out, 'holdout', 'treatment') as arm,
        assigned_at,
        buys_if_held_out as y_held_out,
        buys_if_treated as y_treated,
        ordered_at is not null as y,
        email_fate = 'sent' as is_reachable
    from carts
    where text_arm is null
    union all
    select
        'shipping_text',
        workspace_id,
        i,
        subject_key,
        text_arm,
        assigned_at,
        buys_if_held_out,
        buys_if_texted,
        ordered_at is not null,
        text_fate = 'sent'
    from carts
    where text_arm is not null
    union all
    select
        'winback',
        {brand},
        i,
        subject_key,
        if(is_held_out, 'holdout', 'treatment'),
        assigned_at,
        buys_if_held_out,
        buys_if_treated,
        ordered_at is not null,
        email_fate = 'sent'
    from winbacks
    union all
    select
        experiment_key,
        workspace_id,
        i,
        subject_key,
        if(is_held_out, 'holdout', 'treatment'),
        assigned_at,
        ordered_at is not null,
        ordered_at is not null,
        ordered_at is not null,
        is_reachable
    from unmoved
),

firsts as (
    select
        experiment_key,
        workspace_id,
        i,
        count(*) as count_assignments,
        count(distinct arm) as count_arms,
        arg_min(assigned, assigned_at) as first
    from assigned
    group by experiment_key, workspace_id, i
)

select
    experiment_key,
    person_of(firsts.workspace_id, firsts.i) as person,
    firsts.i,
    struct_extract(first, 'arm') as arm,
    struct_extract(first, 'assigned_at') as assigned_at,
    struct_extract(first, 'subject_key') as subject_key,
    count_assignments,
    count_arms,
    struct_extract(first, 'y_held_out') as y_held_out,
    struct_extract(first, 'y_treated') as y_treated,
    struct_extract(first, 'y') as y,
    struct_extract(first, 'is_reachable') as is_reachable,
    struct_extract(first, 'assigned_at') + to_hours(window_hours) <= timestamp '{ends_at}' as is_mature
from firsts
inner join (values {window_rows}) as windows (experiment_key, window_hours) using (experiment_key);

create table true_exposures as
select
    delivery_id,
    workspace_id,
    person_of(workspace_id, i) as person,
    ulid(subject_key) as subject_name,
    campaign_id,
    action_id,
    channel,
    created_at,
    case
        when is_trapped then 'ghost' when fate != 'sent' then 'none' else 'real'
    end as exposure_kind,
    if(fate = 'sent' or is_trapped, null, fate) as not_exposed_reason
from messages;

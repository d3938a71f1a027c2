with clicked as (
    select distinct delivery_id from reactions
    where metric = 'clicked' and not machine
),

treated as (
    select
        true_arms.experiment_key,
        true_arms.i,
        true_arms.y,
        bool_or(clicked.delivery_id is not null) as is_clicked,
        bool_or(messages.channel in ('sms', 'twilio') and messages.fate = 'sent') as is_texted
    from true_arms
    inner join messages on true_arms.subject_key = messages.subject_key
    left join clicked on messages.delivery_id = clicked.delivery_id
    where arm != 'holdout' and is_mature
    group by true_arms.experiment_key, true_arms.i, true_arms.y
)

select
    experiment_key,
    count(*) filter (is_clicked and y),
    count(*) filter (is_clicked),
    count(*) filter (not is_clicked and y),
    count(*) filter (not is_clicked),
    count(*) filter (is_texted and y),
    count(*) filter (is_texted),
    count(*) filter (not is_texted and y),
    count(*) filter (not is_texted)
from treated
group by experiment_key

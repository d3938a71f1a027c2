with

pressure as (
    select * from {{ ref("fct_message_pressure") }}
),

added as (
    select
        workspace_id,
        journey_id,
        experiment_key,
        arm,
        {%- for measure in ["messages", "marketing_messages", "transactional_messages"] %}
        sum(case when measure = '{{ measure }}' then count_events else 0 end) as count_{{ measure }},
        max(case when measure = '{{ measure }}' then count_persons else 0 end)
            as count_{{ measure }}_persons,
        {%- endfor %}
        count(*) as count_measures
    from pressure
    group by workspace_id, journey_id, experiment_key, arm
)

select *
from added
where
    count_messages <> count_marketing_messages + count_transactional_messages
    or count_messages_persons < greatest(
        count_marketing_messages_persons, count_transactional_messages_persons
    )
    or count_messages_persons
    > count_marketing_messages_persons + count_transactional_messages_persons

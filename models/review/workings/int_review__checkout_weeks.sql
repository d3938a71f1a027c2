{%- set missed_steps = funnel_steps()[1:] %}
-- The first window of a person in a journey, counted in the week in which it ended: by then
-- everybody had as long as everybody else.
with

funnels as (
    select * from {{ ref("int_insight__funnels") }}
),

orders as (
    select * from {{ ref("int_segments__orders") }}
),

journeys as (
    select distinct
        workspace_id,
        journey_id
    from {{ ref("fct_review_journey_weeks") }}
),

-- An experiment may cover every workspace: its journey is then that of the same id in each.
windows as (
    select
        journeys.workspace_id,
        journeys.journey_id,
        funnels.person_id,
        funnels.drop_off_step,
        funnels.starts_at,
        funnels.ends_at,
        row_number() over (
            partition by journeys.workspace_id, journeys.journey_id, funnels.person_id
            order by funnels.starts_at, funnels.cohort_key
        ) as window_rank
    from funnels
    inner join journeys
        on
            funnels.journey_id = journeys.journey_id
            and coalesce(funnels.workspace_id, journeys.workspace_id) = journeys.workspace_id
),

bought as (
    select distinct
        windows.workspace_id,
        windows.journey_id,
        windows.person_id
    from windows
    inner join orders
        on
            windows.person_id = orders.person_id
            and windows.starts_at <= orders.ordered_at
            and windows.ends_at > orders.ordered_at
    where windows.window_rank = 1
),

dated as (
    select
        windows.workspace_id,
        windows.journey_id,
        windows.drop_off_step,
        bought.person_id is not null as is_converted,
        {{ weeks_ago("windows.ends_at") }} as weeks_ago
    from windows
    left join bought
        on
            windows.workspace_id = bought.workspace_id
            and windows.journey_id = bought.journey_id
            and windows.person_id = bought.person_id
    where windows.window_rank = 1
),

-- Not to start a checkout is not to drop out of one.
counted as (
    select
        workspace_id,
        journey_id,
        weeks_ago,
        {%- for step in missed_steps %}
        cast(
            sum(case when drop_off_step = '{{ step }}' then 1 else 0 end) as {{ dbt.type_bigint() }}
        ) as missed_{{ step }},
        {%- endfor %}
        cast(count(*) as {{ dbt.type_bigint() }}) as count_completed,
        cast(sum(case when is_converted then 1 else 0 end) as {{ dbt.type_bigint() }})
            as count_converted,
        cast(
            sum(case when drop_off_step = '{{ funnel_steps()[0] }}' then 0 else 1 end)
            as {{ dbt.type_bigint() }}
        ) as count_started
    from dated
    group by workspace_id, journey_id, weeks_ago
),

worst as (
    select
        *,
        greatest(missed_{{ missed_steps | join(", missed_") }})
            as count_dropped
    from counted
),

told as (
    select
        workspace_id,
        journey_id,
        weeks_ago,
        case
            when count_dropped = 0 then null
            {%- for step in missed_steps %}
            when missed_{{ step }} = count_dropped then '{{ step }}'
            {%- endfor %}
        end as drop_step,
        count_completed,
        count_converted,
        count_started,
        count_dropped
    from worst
)

select * from told

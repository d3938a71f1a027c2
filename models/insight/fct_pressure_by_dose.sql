with

doses as (
    select * from {{ ref("int_insight__doses") }}
),

cohorts as (
    select * from {{ ref("int_insight__cohorts") }}
),

contrasts as (
    select * from {{ ref("int_insight__contrasts") }}
    where
        question = 'pressure'
        and metric_key = 'unsubscribed'
),

journey_names as (
    select * from {{ ref("int_journeys__journey_names") }}
),

-- Person-weeks of an arm: what everybody in it had time for, whoever got nothing included.
weeks as (
    select
        cohort_key,
        arm,
        cast(sum({{ dbt.datediff("starts_at", "ends_at", "second") }}) as double) / 604800
            as count_person_weeks
    from cohorts
    group by cohort_key, arm
),

bounds as (
    select {{ normal_quantile("1.0 - cast(" ~ var("experiments_alpha") ~ " as double) / 2.0") }} as z
),

rated as (
    select
        doses.*,
        sum(doses.count_messages) over (partition by doses.cohort_key, doses.arm) as count_messages_of_arm,
        {%- for side in ["low", "high"] %}
        {{ share_limit("doses.count_left", "doses.count_persons", "bounds.z", side) }} as rate_{{ side }},
        {%- endfor %}
        cast(doses.count_left as double) / nullif(doses.count_persons, 0) as rate
    from doses
    cross join bounds
),

-- Within one arm everybody is on the same plan: the lowest dose of the arm is what a higher one is held
-- against.
lowest as (
    select
        *,
        {%- for value in ["count_persons", "count_left", "rate", "rate_low", "rate_high"] %}
        first_value({{ value }}) over (
            partition by cohort_key, arm
            order by dose_number
        ) as lowest_{{ value }},
        {%- endfor %}
        row_number() over (
            partition by cohort_key, arm
            order by dose_number
        ) as place
    from rated
),

risen as (
    select
        *,
        place > 1
        and not ({{ has_few_events(
            "least(count_left + lowest_count_left, count_persons, lowest_count_persons)"
        ) }}) as is_readable,
        rate - lowest_rate as rise,
        {{ mover_difference_low("rate", "rate_low", "lowest_rate", "lowest_rate_high") }} as rise_low,
        {{ mover_difference_high("rate", "rate_high", "lowest_rate", "lowest_rate_low") }} as rise_high
    from lowest
),

told as (
    select
        -- ids
        risen.workspace_id,
        risen.journey_id,
        journey_names.journey_name,
        risen.experiment_key,
        risen.arm,
        -- attributes
        {{ dose_named("risen.dose_number") }} as dose,
        case
            when risen.place = 1 then 'lowest dose'
            when not risen.is_readable then 'no headline'
            when risen.rise_low > 0 then 'tires people'
            when risen.rise_high < 0 then 'does not tire people'
            else 'not distinguishable'
        end as verdict,
        contrasts.status as arm_status,
        -- numbers
        cast(risen.dose_number as {{ dbt.type_bigint() }}) as dose_number,
        cast(risen.count_messages as {{ dbt.type_bigint() }}) as count_messages,
        cast(risen.count_persons as {{ dbt.type_bigint() }}) as count_persons,
        cast(risen.count_unsubscribed as {{ dbt.type_bigint() }}) as count_unsubscribed,
        cast(risen.count_complained as {{ dbt.type_bigint() }}) as count_complained,
        cast(risen.count_left as {{ dbt.type_bigint() }}) as count_left,
        risen.rate,
        risen.rate_low,
        risen.rate_high,
        {%- for value in ["rise", "rise_low", "rise_high"] %}
        case when risen.is_readable then risen.{{ value }} end as {{ value }},
        {%- endfor %}
        risen.count_messages_of_arm / nullif(weeks.count_person_weeks, 0) as messages_per_week,
        cast({{ var("insight_most_messages_week") }} as double) as most_messages_per_week,
        contrasts.difference as arm_difference,
        contrasts.difference_low as arm_difference_low,
        contrasts.difference_high as arm_difference_high,
        -- flags
        risen.count_messages_of_arm / nullif(weeks.count_person_weeks, 0)
        > {{ var("insight_most_messages_week") }} as is_over_limit
    from risen
    left join weeks
        on
            risen.cohort_key = weeks.cohort_key
            and coalesce(risen.arm, '') = coalesce(weeks.arm, '')
    left join contrasts
        on
            risen.experiment_key = contrasts.experiment_key
            and risen.arm = contrasts.arm
    left join journey_names
        on
            risen.workspace_id = journey_names.workspace_id
            and risen.journey_id = journey_names.journey_id
)

select * from told

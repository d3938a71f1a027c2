{%- set tools = {
    "last click": "count_last_click_units",
    "last exposure": "count_last_exposure_units",
    "Customer.io": "count_claimed_units",
} -%}
-- What a tool takes credit for, over what the holdout says was caused among the very same people. The
-- most that can have been caused decides: whoever takes more than that takes credit.
with

credit as (
    select * from {{ ref("fct_journey_credit") }}
    where experiment_key is not null
),

cohorts as (
    select * from {{ ref("int_insight__cohorts") }}
),

deliveries as (
    select * from {{ ref("int_journeys__deliveries") }}
    where
        exposure_kind = 'real'
        and converted_at is not null
),

metrics as (
    select * from {{ ref("metrics") }}
    where aggregation = 'any'
),

claimed as (
    select
        cohorts.experiment_key,
        cohorts.arm,
        deliveries.workspace_id,
        count(distinct cohorts.person_id) as count_claimed_units
    from cohorts
    inner join deliveries
        on
            cohorts.person_id = deliveries.person_id
            and cohorts.journey_id = deliveries.journey_id
            and cohorts.starts_at <= deliveries.converted_at
            and cohorts.ends_at > deliveries.converted_at
    where cohorts.experiment_key is not null
    group by cohorts.experiment_key, cohorts.arm, deliveries.workspace_id
),

-- People are credited, so people must have been counted: a metric that happened or did not.
credited as (
    select
        credit.*,
        coalesce(claimed.count_claimed_units, 0) as count_claimed_units
    from credit
    inner join metrics
        on credit.metric_key = metrics.metric_key
    left join claimed
        on
            credit.experiment_key = claimed.experiment_key
            and credit.arm = claimed.arm
            and credit.workspace_id = claimed.workspace_id
),

united as (
    {% for tool, count in tools.items() -%}
    select
        workspace_id,
        journey_id,
        journey_name,
        experiment_key,
        arm,
        control_arm,
        '{{ tool }}' as tool,
        status,
        reasons,
        {{ count }} as count_credited,
        incremental,
        incremental_low,
        incremental_high
    from credited
    {{ "union all" if not loop.last }}
    {% endfor %}
),

judged as (
    select
        -- ids
        workspace_id,
        journey_id,
        journey_name,
        experiment_key,
        arm,
        control_arm,
        -- attributes
        tool,
        status,
        reasons,
        case
            when incremental is null then 'no headline'
            when count_credited > incremental_high then 'takes credit'
            when count_credited < incremental_low then 'credits too little'
            else 'within the limits'
        end as verdict,
        -- numbers
        cast(count_credited as {{ dbt.type_bigint() }}) as count_credited,
        incremental,
        incremental_low,
        incremental_high,
        -- Over what is not above zero there is no ratio: nothing says that anything was caused.
        case when incremental > 0 then count_credited / incremental end as times_caused,
        case when incremental_high > 0 then count_credited / incremental_high end as times_caused_low,
        case when incremental_low > 0 then count_credited / incremental_low end as times_caused_high
    from united
)

select * from judged

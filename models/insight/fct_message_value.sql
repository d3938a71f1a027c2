{%- set sides = ["", "_low", "_high"] -%}
with

margins as (
    select * from {{ ref("int_insight__arm_margins") }}
),

spending as (
    select * from {{ ref("int_insight__spending") }}
),

journey_names as (
    select * from {{ ref("int_journeys__journey_names") }}
),

message_names as (
    select * from {{ ref("int_journeys__message_names") }}
),

spent as (
    select
        experiment_key,
        arm,
        sum(count_messages) as count_messages,
        count(*) as count_kinds,
        case when sum(count_unpriced) = 0 then {{ steady_sum("spending") }} end as spending
    from spending
    group by experiment_key, arm
),

-- A holdout tells what all messages of its arm brought; where there are several, each one's is their mean.
summed as (
    select
        margins.*,
        spent.count_messages,
        spent.count_kinds,
        spent.spending,
        {%- for side in sides %}
        margins.margin{{ side }} * margins.count_treatment as arm_margin{{ side }},
        {%- endfor %}
        spent.spending / nullif(margins.count_treatment, 0) as cost_per_person
    from margins
    inner join spent
        on
            margins.experiment_key = spent.experiment_key
            and margins.arm = spent.arm
),

netted as (
    select
        *,
        {%- for side in sides %}
        arm_margin{{ side }} / nullif(count_messages, 0) as margin_per_message{{ side }},
        arm_margin{{ side }} / nullif(spending, 0) as margin_per_cost{{ side }},
        (arm_margin{{ side }} - spending) / nullif(count_messages, 0) as net_per_message{{ side }},
        {%- endfor %}
        case
            when arm_margin is null then 'no headline'
            when spending is null then 'no cost declared'
            when arm_margin_low > spending then 'pays'
            when arm_margin_high < spending then 'does not pay'
            else 'holdout too thin'
        end as verdict
    from summed
),

-- How many it takes to part the margin from the cost, if both stay as they are: a limit comes nearer with
-- the root of the people.
sized as (
    select
        *,
        case
            when verdict = 'holdout too thin' and arm_margin <> spending
                then ceil(
                    (count_treatment + count_control)
                    * power(
                        case
                            when arm_margin > spending then arm_margin - arm_margin_low
                            else arm_margin_high - arm_margin
                        end / (arm_margin - spending),
                        2
                    )
                )
        end as count_needed,
        {%- for side, other in [("", ""), ("_low", "_low"), ("_high", "_high")] %}
        first_value(net_per_message{{ side }}) over (
            order by
                case when net_per_message is null then 1 else 0 end asc,
                net_per_message desc,
                experiment_key asc,
                arm asc
        ) as best_net_per_message{{ side }},
        {%- endfor %}
        row_number() over (
            order by
                case when net_per_message is null then 1 else 0 end asc,
                net_per_message desc,
                experiment_key asc,
                arm asc
        ) as place
    from netted
),

compared as (
    select
        *,
        coalesce(
            {{ mover_difference_low(
                "best_net_per_message", "best_net_per_message_low",
                "net_per_message", "net_per_message_high",
            ) }} <= 0,
            false
        ) as is_tied_with_best
    from sized
),

told as (
    select
        -- ids
        compared.workspace_id,
        compared.journey_id,
        journey_names.journey_name,
        compared.experiment_key,
        compared.arm,
        compared.control_arm,
        spending.message_id,
        message_names.message_name,
        spending.channel,
        -- attributes
        case when compared.count_kinds = 1 then 'alone' else 'together' end as basis,
        compared.value_basis,
        compared.interval_kind,
        {{ status_in_all_arms("compared.experiment_key", "compared.status") }} as status,
        {%- set codes = reasons_with("compared.reasons", {"unpriced_channel": "compared.spending is null"}) %}
        {{ reasons_in_all_arms("compared.experiment_key", codes) }} as reasons,
        compared.verdict,
        -- numbers
        cast(compared.place as {{ dbt.type_bigint() }}) as place,
        cast(compared.count_treatment as {{ dbt.type_bigint() }}) as count_treatment,
        cast(compared.count_control as {{ dbt.type_bigint() }}) as count_control,
        cast(spending.count_messages as {{ dbt.type_bigint() }}) as count_messages,
        case when spending.count_unpriced = 0 then spending.spending end as spending,
        {%- for measure in ["margin_per_message", "margin_per_cost", "net_per_message"] %}
        {%- for side in sides %}
        compared.{{ measure }}{{ side }},
        {%- endfor %}
        {%- endfor %}
        cast({{ var("insight_budget_step") }} as double) as budget_step,
        {%- for side in sides %}
        compared.margin_per_cost{{ side }} * {{ var("insight_budget_step") }} as margin_of_step{{ side }},
        {%- endfor %}
        compared.cost_per_person * compared.count_control as cost_of_held_out,
        {%- for side in sides %}
        compared.margin{{ side }} * compared.count_control as margin_of_held_out{{ side }},
        {%- endfor %}
        cast(compared.count_needed as {{ dbt.type_bigint() }}) as count_needed,
        cast(
            ceil(
                (compared.count_needed - compared.count_treatment - compared.count_control)
                / compared.count_week
            ) as {{ dbt.type_bigint() }}
        ) as count_weeks,
        -- flags
        compared.is_tied_with_best
    from compared
    inner join spending
        on
            compared.experiment_key = spending.experiment_key
            and compared.arm = spending.arm
    left join journey_names
        on
            compared.workspace_id = journey_names.workspace_id
            and compared.journey_id = journey_names.journey_id
    left join message_names
        on
            compared.workspace_id = message_names.workspace_id
            and spending.message_id = message_names.message_id
)

select * from told

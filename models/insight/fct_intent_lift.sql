with

levels as (
    select * from {{ ref("int_insight__prediction_levels") }}
),

bounds as (
    select {{ normal_quantile("1.0 - cast(" ~ var("experiments_alpha") ~ " as double) / 2.0") }} as z
),

rated as (
    select
        levels.*,
        cast(levels.count_ordered as double) / nullif(levels.count_persons, 0) as rate,
        {%- for side in ["low", "high"] %}
        {{ share_limit("levels.count_ordered", "levels.count_persons", "bounds.z", side) }}
            as rate_{{ side }},
        {%- endfor %}
        cast(levels.all_count_ordered as double) / nullif(levels.all_count_persons, 0) as base_rate
    from levels
    cross join bounds
),

told as (
    select
        -- ids
        workspace_id,
        -- attributes
        predictor,
        case
            when predictor = 'intent_tier'
                then case level_number when 3 then 'high' when 2 then 'warm' else 'cold' end
            when level_number = 2 then 'heard of'
            else 'silent'
        end as level_name,
        -- numbers
        cast(level_number as {{ dbt.type_bigint() }}) as level_number,
        cast(count_persons as {{ dbt.type_bigint() }}) as count_persons,
        cast(count_ordered as {{ dbt.type_bigint() }}) as count_ordered,
        rate,
        rate_low,
        rate_high,
        rate / nullif(base_rate, 0) as times_base,
        rate_low / nullif(base_rate, 0) as times_base_low,
        rate_high / nullif(base_rate, 0) as times_base_high
    from rated
)

select * from told

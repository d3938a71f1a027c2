with

cells as (
    select * from {{ ref("int_insight__prediction_cells") }}
),

levels as (
    select * from {{ ref("int_insight__prediction_levels") }}
),

-- Both predictors of the same people: what they have in common falls out of the difference.
joined as (
    select
        cells.workspace_id,
        cells.count_ordered,
        cells.count_others,
        tiers.place_ordered as tier_place_ordered,
        tiers.place_others as tier_place_others,
        silences.place_ordered as silence_place_ordered,
        silences.place_others as silence_place_others,
        tiers.all_count_persons,
        tiers.all_count_ordered,
        tiers.all_count_others
    from cells
    inner join levels as tiers
        on
            tiers.predictor = 'intent_tier'
            and cells.workspace_id = tiers.workspace_id
            and cells.tier_level = tiers.level_number
    inner join levels as silences
        on
            silences.predictor = 'silence'
            and cells.workspace_id = silences.workspace_id
            and cells.silence_level = silences.level_number
),

scored as (
    {% for reading, ordered, others in [
        ("intent_tier", "tier_place_ordered", "tier_place_others"),
        ("silence", "silence_place_ordered", "silence_place_others"),
        (
            "difference",
            "(tier_place_ordered - silence_place_ordered)",
            "(tier_place_others - silence_place_others)",
        ),
    ] -%}
    select
        workspace_id,
        '{{ reading }}' as reading,
        count_ordered,
        count_others,
        {{ ordered }} as place_ordered,
        {{ others }} as place_others,
        all_count_persons,
        all_count_ordered,
        all_count_others
    from joined
    {{ "union all" if not loop.last }}
    {% endfor %}
),

averaged as (
    select
        workspace_id,
        reading,
        {{ steady_sum("count_ordered * place_ordered") }} / nullif(max(all_count_ordered), 0) as estimate
    from scored
    group by workspace_id, reading
),

summed as (
    select
        scored.workspace_id,
        scored.reading,
        scored.all_count_persons as count_persons,
        scored.all_count_ordered as count_ordered,
        averaged.estimate,
        {%- for side in ["ordered", "others"] %}
        {{ "+ " if not loop.first }}{{ spread(
            "scored.count_" ~ side,
            "(scored.place_" ~ side ~ " - averaged.estimate)",
            "scored.all_count_" ~ side,
        ) }}
        {%- endfor %}
            as variance
    from scored
    inner join averaged
        on
            scored.workspace_id = averaged.workspace_id
            and scored.reading = averaged.reading
    group by
        scored.workspace_id,
        scored.reading,
        scored.all_count_persons,
        scored.all_count_ordered,
        scored.all_count_others,
        averaged.estimate
),

bounds as (
    select {{ normal_quantile("1.0 - cast(" ~ var("experiments_alpha") ~ " as double) / 2.0") }} as z
),

limited as (
    select
        summed.*,
        {%- for limit, sign in [("low", "-"), ("high", "+")] %}
        case
            when summed.reading = 'difference'
                then {{ normal_limit("summed.estimate", "summed.variance", "bounds.z", sign, "-1.0", "1.0") }}
            else {{ normal_limit("summed.estimate", "summed.variance", "bounds.z", sign, "0.0", "1.0") }}
        end as limit_{{ limit }},
        {%- endfor %}
        case
            when
                {{ has_few_events(
                    "least(summed.count_ordered, summed.count_persons - summed.count_ordered)"
                ) }}
                then false
            else true
        end as is_readable
    from summed
    cross join bounds
),

told as (
    select
        -- ids
        workspace_id,
        -- attributes
        reading,
        case
            when not is_readable then 'no headline'
            when reading <> 'difference' then 'a reading'
            when limit_low > 0 then 'the intent tier predicts better'
            when limit_high < 0 then 'silence predicts better'
            else 'not distinguishable'
        end as verdict,
        -- numbers
        cast({{ var("insight_prediction_days") }} as {{ dbt.type_bigint() }}) as prediction_days,
        cast({{ var("insight_silence_days") }} as {{ dbt.type_bigint() }}) as silence_days,
        cast(count_persons as {{ dbt.type_bigint() }}) as count_persons,
        cast(count_ordered as {{ dbt.type_bigint() }}) as count_ordered,
        case when is_readable then estimate end as area,
        case when is_readable then limit_low end as area_low,
        case when is_readable then limit_high end as area_high
    from limited
)

select * from told

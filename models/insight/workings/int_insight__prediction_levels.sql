{%- set predictors = {"intent_tier": "tier_level", "silence": "silence_level"} -%}
-- Each level of each predictor beside those below and above it.
with

cells as (
    select * from {{ ref("int_insight__prediction_cells") }}
),

{% for predictor, level in predictors.items() -%}
{{ predictor }}_levels as (
    select
        workspace_id,
        '{{ predictor }}' as predictor,
        {{ level }} as level_number,
        sum(count_persons) as count_persons,
        sum(count_ordered) as count_ordered,
        sum(count_others) as count_others
    from cells
    group by workspace_id, {{ level }}
),

{% endfor -%}
united as (
    {% for predictor in predictors -%}
    select * from {{ predictor }}_levels
    {{ "union all" if not loop.last }}
    {% endfor %}
),

cumulated as (
    select
        *,
        {%- for count in ["count_ordered", "count_others"] %}
        sum({{ count }}) over (partition by workspace_id, predictor) as all_{{ count }},
        sum({{ count }}) over (
            partition by workspace_id, predictor
            order by level_number
            rows between unbounded preceding and current row
        ) - {{ count }} as below_{{ count }},
        {%- endfor %}
        sum(count_persons) over (partition by workspace_id, predictor) as all_count_persons
    from united
),

placed as (
    select
        workspace_id,
        predictor,
        level_number,
        count_persons,
        count_ordered,
        count_others,
        all_count_persons,
        all_count_ordered,
        all_count_others,
        {{ placement("below_count_others", "count_others", "all_count_others") }} as place_ordered,
        1.0 - {{ placement("below_count_ordered", "count_ordered", "all_count_ordered") }} as place_others
    from cumulated
)

select * from placed

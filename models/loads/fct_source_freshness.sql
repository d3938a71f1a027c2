with

inputs as (
    select * from {{ ref("int_loads__inputs") }}
),

families as (
    {%- for family, _, _, _, _ in watched_inputs() %}
    select '{{ family }}' as family
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

judged as (
    select
        families.family,
        case
            when inputs.input_id is null then 'absent'
            when inputs.hours_since_last_event > inputs.stale_after_hours then 'stale'
            else 'fresh'
        end as verdict,
        inputs.hours_since_last_event,
        coalesce(
            inputs.stale_after_hours, cast({{ var("stale_after_hours") }} as {{ dbt.type_bigint() }})
        ) as stale_after_hours,
        inputs.last_event_at
    from families
    left join inputs
        on
            families.family = inputs.family
            and inputs.grain = 'family'
)

select * from judged

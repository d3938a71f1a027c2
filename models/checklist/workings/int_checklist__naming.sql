{%- set standard = standard_events() -%}
{%- set people = "heap_user_properties" -%}
{%- set told = heap_told(heap_events()) -%}
with

event_aliases as (
    select * from {{ ref("fct_event_aliases") }}
),

{% for model in told -%}
{{ model }} as (
    select * from {{ ref(model) }}
),

{% endfor -%}
-- One concept has one name: an event of Heap beyond the four has an owner and a reason
heap_models as (
    {%- for model in heap_cadences() if model.kind == "event" %}
    select
        '{{ model.name }}' as model_name,
        {{ literal(model.event | string) }} as event_name,
        {{ literal(model.owner | string) }} as owner,
        {{ literal(model.reason | string) }} as reason
    union all
    {%- endfor %}
    select
        '' as model_name,
        '' as event_name,
        '' as owner,
        '' as reason
    where false
),

named_twice as (
    select
        event_name,
        count(*) as count_models
    from heap_models
    group by event_name
),

judged_names as (
    select
        heap_models.model_name,
        heap_models.event_name,
        case
            when named_twice.count_models > 1 then heap_models.event_name || ' is told by two models'
            when
                heap_models.event_name not in (
                    {%- for event in standard %}
                    'cio_{{ event }}'{{ "," if not loop.last }}
                    {%- endfor %}
                )
                and (heap_models.owner = '' or heap_models.reason = '')
                then heap_models.event_name || ' is beyond the four and lacks an owner or a reason'
        end as fault
    from heap_models
    inner join named_twice on heap_models.event_name = named_twice.event_name
),

-- What another name of the same behavior told too
judged_aliases as (
    select
        {{ shown_name("event_name") }} || ' tells ' || {{ grouped_digits("count_events") }}
        || ' events that another name tells too' as fault
    from event_aliases
    where count_events > 0
),

faults as (
    select fault from judged_names
    union all
    select fault from judged_aliases
),

ranked_faults as (
    select
        fault,
        row_number() over (order by fault) as place
    from faults
    where fault is not null
),

counted_names as (
    select count(distinct event_name) as count_names from heap_models
),

counted_faults as (
    select
        count(*) as count_faults,
        {{ listed_text("case when place <= 3 then fault end", "place", "; ") }} as first_faults
    from ranked_faults
),

-- No two properties of people, or of one event, say the same: equal in every row, of the first rows by
-- identity or key
{% for model in told if property_columns(model) -%}
{%- set properties = property_columns(model) -%}
{%- set key = "heap_identity" if model == people else "publish_key" -%}
{%- set subject = "" if model == people else model | replace("heap_", "", 1) ~ " " -%}
first_of_{{ model }} as (
    select * from {{ model }}
    order by {{ key }}
    limit {{ var("checklist_same_source_rows") }}
),

told_by_{{ model }} as (
    select
        '{{ subject }}' as subject,
        properties.property_name,
        first_rows.{{ key }} as row_key,
        coalesce(
            case properties.property_name
                {%- for column in properties %}
                when '{{ column }}' then cast(first_rows.{{ column }} as {{ dbt.type_string() }})
                {%- endfor %}
            end, ''
        ) as said
    from first_of_{{ model }} as first_rows
    cross join (
        values
        {%- for column in properties %}
        ('{{ column }}'){{ "," if not loop.last }}
        {%- endfor %}
    ) as properties (property_name)
),

{% endfor -%}
told_properties as (
    {%- for model in told if property_columns(model) %}
    select * from told_by_{{ model }}
    {% if not loop.last %}union all{% endif %}
    {%- else %}
    select
        '' as subject,
        '' as property_name,
        '' as row_key,
        '' as said
    {%- endfor %}
),

counted_properties as (
    select
        subject,
        property_name,
        min(said) < max(said) as is_several,
        -- two properties have the same when all their values are, whatever their order
        bit_xor({{ hash64("row_key || '|' || said") }}) as all_said
    from told_properties
    group by subject, property_name
),

equal_properties as (
    select
        counted_properties.subject || counted_properties.property_name || ' = ' || twins.property_name
            as said,
        row_number() over (
            order by counted_properties.subject, counted_properties.property_name, twins.property_name
        ) as place
    from counted_properties
    inner join counted_properties as twins
        on
            counted_properties.subject = twins.subject
            and counted_properties.all_said = twins.all_said
            and counted_properties.property_name < twins.property_name
    where counted_properties.is_several
),

counted_equals as (
    select
        count(*) as count_equals,
        {{ listed_text("case when place <= 3 then said end", "place", ", ") }} as first_equals
    from equal_properties
),

counted_people as (
    select count(*) as count_people from heap_user_properties
),

lines as (
    select
        'naming' as line,
        'One concept has one name' as title,
        cast(counted_names.count_names as {{ dbt.type_string() }}) || ' event names of Heap'
        || case
            when counted_faults.count_faults > 0 then '; ' || counted_faults.first_faults else ''
        end as measured,
        'the four, and beyond them only with owner and reason; no event told by two names' as threshold,
        'Give the model of a further event owner and reason (config.meta.heap); let one tool send each event.'
            as advice,
        cast(counted_faults.count_faults as double) as value,
        cast(0 as double) as bound,
        counted_faults.count_faults = 0 as is_met
    from counted_names
    cross join counted_faults
    union all
    select
        'same_source' as line,
        'No two properties say the same' as title,
        case
            when counted_people.count_people = 0 then 'nobody has properties'
            else
                '{{ count_properties([people]) }} properties of people, '
                || '{{ count_properties(told) - count_properties([people]) }} of events'
                || case
                    when counted_equals.count_equals > 0 then '; the same: ' || counted_equals.first_equals
                    else ''
                end
        end as measured,
        'none equal to another for everybody, nor in every row of an event' as threshold,
        'Drop one of them, or say in its description how they differ.' as advice,
        cast(counted_equals.count_equals as double) as value,
        cast(0 as double) as bound,
        case when counted_people.count_people > 0 then counted_equals.count_equals = 0 end as is_met
    from counted_equals
    cross join counted_people
)

select * from lines

{% test no_overlap(model, partition_by, valid_from="valid_from", valid_to="valid_to") %}
    {#- Half-open intervals of one key that touch more than their ends, or that are empty. -#}
    with intervals as (
        select
            {{ partition_by | join(", ") }},
            {{ valid_from }} as starts_at,
            {{ valid_to }} as ends_at,
            lead({{ valid_from }}) over (
                partition by {{ partition_by | join(", ") }}
                order by {{ valid_from }}, {{ valid_to }}
            ) as next_starts_at
        from {{ model }}
    )

    select *
    from intervals
    where
        (ends_at is not null and ends_at <= starts_at)
        or (next_starts_at is not null and (ends_at is null or ends_at > next_starts_at))
{% endtest %}

{% macro paired_in_time(events, same, tolerance_seconds, into="pairs") -%}
    {#-
        CTEs that end in `pairs (…same, sync_event_id, webhook_event_id)`: which rows of the two feeds
        are one event, though their ids do not say so. One to one, at most so many seconds apart.

        events: CTE with `feed` (sync or webhook), `metric_event_id`, `occurred_at` and the columns `same`.
        same: the columns in which the rows of a pair agree.

        The rows of both feeds are read in order of time as brackets are: a row of one feed is closed by
        the next row of the other that stands at its depth, if it is near enough. So no two rows that are
        near enough are both left alone, and of k rows of one feed and m of the other, all near one
        another, k or m remain, whichever is more. The rows taken are then paired first with first, second with
        second, which moves none further from its partner than the widest bracket.

        Each CTE is read once: Spark copies into its plan whatever is read twice, CTE within CTE.
    -#}
    {%- set by = same | join(", ") -%}
    {%- set in_time = "order by occurred_at, feed, metric_event_id" -%}
    {%- set so_far = in_time ~ " rows between unbounded preceding and current row" -%}
    {{ into }}_followed as (
        select
            *,
            lag(occurred_at) over (partition by {{ by }} {{ in_time }}) as occurred_before
        from {{ events }}
    ),

    -- whatever lies further apart than the tolerance has nothing to do with each other
    {{ into }}_clustered as (
        select
            *,
            sum({{ starts_anew("occurred_before", "occurred_at", tolerance_seconds) }})
                over (partition by {{ by }} {{ so_far }}) as cluster_number
        from {{ into }}_followed
    ),

    {{ into }}_nested as (
        select
            *,
            sum(case when feed = 'sync' then 1 else -1 end)
                over (partition by {{ by }}, cluster_number {{ so_far }})
            - case when feed = 'sync' then 1 else 0 end as depth
        from {{ into }}_clustered
    ),

    {{ into }}_neighboured as (
        select
            *,
            lag(occurred_at)
                over (partition by {{ by }}, cluster_number, depth {{ in_time }}) as neighbour_at
        from {{ into }}_nested
    ),

    {{ into }}_chained as (
        select
            *,
            sum({{ starts_anew("neighbour_at", "occurred_at", tolerance_seconds) }})
                over (partition by {{ by }}, cluster_number, depth {{ so_far }}) as chain_number
        from {{ into }}_neighboured
    ),

    -- at one depth the feeds take turns: the links of a chain are pairs, an odd last one stays alone
    {{ into }}_placed as (
        select
            *,
            row_number()
                over (partition by {{ by }}, cluster_number, depth, chain_number {{ in_time }}) as place,
            count(*)
                over (partition by {{ by }}, cluster_number, depth, chain_number) as chain_length
        from {{ into }}_chained
    ),

    {{ into }}_taken as (
        select
            {{ by }},
            feed,
            metric_event_id,
            row_number()
                over (partition by {{ by }}, feed order by occurred_at, metric_event_id) as pair_number
        from {{ into }}_placed
        where
            mod(place, 2) = 0
            or place < chain_length
    ),

    {{ into }} as (
        select
            {{ by }},
            min(case when feed = 'sync' then metric_event_id end) as sync_event_id,
            min(case when feed = 'webhook' then metric_event_id end) as webhook_event_id
        from {{ into }}_taken
        group by {{ by }}, pair_number
        having count(*) = 2
    )
{%- endmacro %}

{% macro starts_anew(before, at, tolerance_seconds) -%}
    {#- 1 where nothing stands before, or too long before; webhooks tell the time in whole seconds. -#}
    case
        when {{ before }} is null then 1
        when {{ dbt.datediff(before, at, "second") }} > {{ tolerance_seconds }} then 1
        else 0
    end
{%- endmacro %}

with

webhooks as (
    select * from {{ ref("stg_customerio__webhooks") }}
),

called_deliveries as (
    select * from {{ ref("stg_customerio__called_deliveries") }}
),

synced_workspaces as (
    select * from {{ ref("stg_customerio__synced_workspaces") }}
),

counted_bodies as (
    select
        count(*) as count_bodies,
        count(case when workspace_id is null then 1 end) as count_waiting,
        count(case when workspace_id = 0 then 1 end) as count_nameless
    from webhooks
),

-- What the sync will never tell of them is said once, here.
called_workspaces as (
    select distinct called_deliveries.workspace_id
    from called_deliveries
    left join synced_workspaces
        on called_deliveries.workspace_id = synced_workspaces.workspace_id
    where synced_workspaces.deliveries_since is null
),

listed_workspaces as (
    select
        {{ listed_text(
            "cast(workspace_id as " ~ dbt.type_string() ~ ")", "workspace_id", ", "
        ) }} as said
    from called_workspaces
),

lines as (
    select
        'webhooks' as line,
        'Webhook bodies are of a workspace that is named' as title,
        case
            when counted_bodies.count_bodies = 0 then 'no webhook was received'
            else
                {{ grouped_digits("counted_bodies.count_bodies") }} || ' bodies'
                || case
                    when counted_bodies.count_nameless > 0
                        then
                            ', ' || {{ grouped_digits("counted_bodies.count_nameless") }}
                            || ' of a workspace without a name'
                    else ''
                end
                || case
                    when counted_bodies.count_waiting > 0
                        then
                            ', ' || {{ grouped_digits("counted_bodies.count_waiting") }}
                            || ' wait for a sync that knows their delivery'
                    else ''
                end
                || case
                    when listed_workspaces.said <> ''
                        then
                            '; told by webhooks alone: workspace ' || listed_workspaces.said
                            || ', whose entries without a message, held-out people,'
                            || ' names and minutes since the trigger nothing tells'
                    else ''
                end
        end as measured,
        'none of a workspace without a name' as threshold,
        {{ literal(
            "List the workspace alone in workspaces.csv, or have whoever receives the bodies add workspace_id, before"
            ~ " anything is published: keys rest on it."
        ) }} as advice,
        cast(counted_bodies.count_nameless as double) as value,
        cast(0 as double) as bound,
        case when counted_bodies.count_bodies > 0 then counted_bodies.count_nameless = 0 end as is_met
    from counted_bodies
    cross join listed_workspaces
)

select * from lines

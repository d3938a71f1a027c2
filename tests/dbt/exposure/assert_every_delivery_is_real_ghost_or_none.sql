-- Every delivery is shown, trapped, or not shown for a reason; none is lost on the way, none is two.
with

deliveries as (
    select * from {{ ref("stg_customerio__deliveries") }}
),

exposures as (
    select * from {{ ref("fct_message_exposures") }}
)

select
    deliveries.workspace_id,
    deliveries.delivery_id,
    exposures.exposure_kind,
    exposures.not_exposed_reason
from deliveries
left join exposures
    on
        deliveries.workspace_id = exposures.workspace_id
        and deliveries.delivery_id = exposures.delivery_id
where
    exposures.delivery_id is null
    or (exposures.exposure_kind = 'none') <> (exposures.not_exposed_reason is not null)
union all
select
    exposures.workspace_id,
    exposures.delivery_id,
    exposures.exposure_kind,
    exposures.not_exposed_reason
from exposures
left join deliveries
    on
        exposures.workspace_id = deliveries.workspace_id
        and exposures.delivery_id = deliveries.delivery_id
where deliveries.delivery_id is null

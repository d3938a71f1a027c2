-- Of the fixture brand's deliveries six were shown, four trapped, two carried nowhere; clicks are by who clicked.
{{ config(enabled=var("known_answers", false)) }}
{%- set known %}
    delivery_id | channel | exposure_kind | not_exposed_reason | arm                 | minutes | human_click         | machine_click
    mail-ada    | email   | real          |                    | fern_cart=treatment | 60      | 2026-05-04 10:30:00 |
    mail-ben    | email   | real          |                    | fern_cart=treatment | 60      |                     | 2026-05-04 10:01:30
    mail-cy     | email   | none          | bounced            | fern_cart=treatment | 60      |                     |
    mail-dee    | email   | real          |                    | fern_cart=treatment | 60      |                     |
    mail-eve    | email   | real          |                    | fern_cart=treatment | 60      |                     |
    mail-lou    | email   | real          |                    | fern_cart=treatment | 60      |                     |
    mail-moe    | email   | none          | dropped            | fern_cart=treatment | 60      |                     |
    text-dee    | sms     | real          |                    | fern_cart=treatment | 240     |                     |
    trap-fay    | email   | ghost         |                    | fern_cart=holdout   | 60      |                     |
    trap-gus    | email   | ghost         |                    | fern_cart=holdout   | 60      |                     |
    trap-hal    | email   | ghost         |                    | fern_cart=holdout   | 60      |                     |
    trap-ida-2  | email   | ghost         |                    | fern_cart=holdout   | 60      |                     |
{%- endset %}
with

exposures as (
    select
        delivery_id,
        channel,
        exposure_kind,
        not_exposed_reason,
        arm,
        minutes_since_trigger as minutes,
        human_clicked_at as human_click,
        machine_clicked_at as machine_click
    from {{ ref("fct_message_exposures") }}
    where workspace_id = {{ fixture_workspace() }}
),

{{ known_answers("exposures", known) }}

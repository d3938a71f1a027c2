{% macro funnel_steps() -%}
    {#- The checkout, in the order in which it is walked. -#}
    {{- return(["checkout_started", "shipping_viewed", "payment_viewed", "order_placed"]) -}}
{%- endmacro %}

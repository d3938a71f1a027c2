-- 100,000 ids under two salts: the measured shares of a global and a cart holdout, and of both.
with

digits as (
    {% for digit in range(10) -%}
    select '{{ digit }}' as digit
    {{ "union all" if not loop.last }}
    {% endfor %}
),

ids as (
    select
        'p_0' || fifth.digit || fourth.digit || third.digit || second.digit || first_digit.digit
            as subject_key
    from digits as fifth
    cross join digits as fourth
    cross join digits as third
    cross join digits as second
    cross join digits as first_digit
),

buckets as (
    select
        {{ hash_bucket("'global_v1'", "subject_key") }} as global_bucket,
        {{ hash_bucket("'cart_v1'", "subject_key") }} as cart_bucket
    from ids
),

counted as (
    select
        sum(case when global_bucket < 500 then 1 else 0 end) as count_global,
        sum(case when cart_bucket < 1000 then 1 else 0 end) as count_cart,
        sum(case when global_bucket < 500 and cart_bucket < 1000 then 1 else 0 end) as count_both
    from buckets
)

select *
from counted
where
    count_global <> 5097
    or count_cart <> 9911
    or count_both <> 491

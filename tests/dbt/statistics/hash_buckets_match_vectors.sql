-- The seven vectors of the hash: the first five are the raw function's, the last two are salted.
with

vectors as (
    {% for text, bucket in [
        ("test-input", 5619), ("alice", 3170), ("bob", 7420), ("charlie", 7497), ("é-ü", 9942),
        ("cart_recovery_2025q1-p_000001", 4501), ("global_holdout_v1-cust_42", 5810),
    ] -%}
    select
        {% if "-" in text -%}
        '{{ text.split("-")[0] }}' as salt,
        '{{ text.split("-")[1] }}' as subject_key,
        {{ hash_bucket("'" ~ text.split("-")[0] ~ "'", "'" ~ text.split("-")[1] ~ "'") }} as bucket,
        {% else -%}
        '' as salt,
        '{{ text }}' as subject_key,
        {{ bucket_of_text("'" ~ text ~ "'") }} as bucket,
        {% endif -%}
        {{ bucket }} as expected_bucket
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select *
from vectors
where bucket <> expected_bucket

select
    place,
    said,
    {{ trimmed("said") }} as trimmed,
    {{ not_blank("said") }} as not_blank,
    {{ space_trimmed("said") }} as space_trimmed,
    {{ lowered("said") }} as lowered,
    {{ instant_of_text("said") }} as instant_of_text,
    {{ attribute_value_as("said", "number") }} as as_number,
    {{ attribute_value_as("said", "date") }} as as_date,
    {{ whole_number("said") }} as whole_number,
    {{ flag("said") }} as flag,
    {{ shown_name("said") }} as shown_name,
    {{ hash_bucket("'salt'", "said") }} as hash_bucket,
    {{ person_id("1", "said") }} as person_id,
    {{ publish_key("entered", ["said"]) }} as publish_key,
    {{ channel("said") }} as channel
from {{ source("nasty", "texts") }}

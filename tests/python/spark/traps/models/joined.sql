select
    place % 11 as bundle,
    {{ joined_text("said", "|") }} as joined_text,
    {{ listed_text("said", "place", "|") }} as listed_text
from {{ source("nasty", "texts") }}
group by place % 11

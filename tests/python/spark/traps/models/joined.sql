select
    case when said is not null then place % 11 else -1 end as bundle,
    {{ joined_text("said", "|") }} as joined_text,
    {{ listed_text("said", "place", "|") }} as listed_text
from {{ source("nasty", "texts") }}
group by case when said is not null then place % 11 else -1 end

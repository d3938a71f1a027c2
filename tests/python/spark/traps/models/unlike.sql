select place, said from {{ source("nasty", "texts") }}

"""Who there is: persons, the profiles Customer.io holds of them, and how profiles changed."""

from __future__ import annotations

from datetime import timedelta
from hashlib import md5
from pathlib import Path

import duckdb

from pipelines.sample.brand import (
    BRAND_WORKSPACE,
    CATEGORIES,
    CURATED_MERGES,
    SAMPLE_START,
    SISTER_WORKSPACE,
)
from pipelines.sql import read_sql

SQL = Path(__file__).with_name("sql")

NOISE = {
    1: "id_changed",
    2: "email_changed",
    3: "email_moved_from",
    4: "email_moved_to",
    5: "email_case",
    6: "merged",
    7: "shared_customer_id",
    8: "shared_email",
    9: "deleted",
    10: "suppressed",
    11: "deleted_before_first_sync",
    12: "recreated",
    13: "epoch_zero",
    14: "placeholder_id",
}
"""Identity noise by `person number % 250`; twelve numbers in a thousand share one mailbox."""


def make_people(work: duckdb.DuckDBPyConnection, people: int) -> None:
    """Create `persons`, `profiles` and `people_versions` (every state a profile was ever in)."""
    noise = " ".join(f"when {number} then '{name}'" for number, name in NOISE.items())
    names = ", ".join(f"'{category.name}'" for category in CATEGORIES)
    cycles = ", ".join(str(category.cycle_days) for category in CATEGORIES)
    prices = ", ".join(str(category.price) for category in CATEGORIES)
    work.execute(
        read_sql(
            SQL / "people.sql",
            first_uncurated=250 * CURATED_MERGES,
            noise_names=noise,
            count_categories=len(CATEGORIES),
            people=int(people),
            category_names=names,
            category_cycles=cycles,
            category_prices=prices,
            brand=BRAND_WORKSPACE,
            sister=SISTER_WORKSPACE,
        )
    )


def curated_merges() -> list[tuple[object, ...]]:
    """The rows of identity_merges.csv: the same for every seed and size."""

    def cio_id(person: int, slot: int) -> str:
        return md5(f"cio:{BRAND_WORKSPACE}:{person}:{slot}".encode()).hexdigest()[:12]

    merged_at = (SAMPLE_START + timedelta(days=100)).isoformat()
    numbers = [250 * block + 6 for block in range(CURATED_MERGES)]
    return [
        (BRAND_WORKSPACE, cio_id(number, 0), cio_id(number, 1), merged_at, "merged by support")
        for number in numbers
    ]

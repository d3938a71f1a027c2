"""Seconds per segment against a bare scan of the same behavior rows.

Two years of made-up behavior go straight into the tables the segments read; dbt then builds the
real models, with the threads and the memory limit of the profile. Full size: `--people 1000000`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import datetime
from pathlib import Path

import duckdb

from pipelines import registries, warehouse
from pipelines.settings import Settings

AS_OF = datetime(2026, 6, 1)
EVENTS_PER_PERSON = 50
SELECT = ["path:models/segments"]

# out of a hundred behavior rows
SHARES = {
    "site_visited": 40,
    "product_viewed": 36,
    "cart_updated": 10,
    "checkout_started": 4,
    "shipping_viewed": 3,
    "payment_viewed": 2,
    "order_placed": 3,
    "order_delivered": 2,
}


def write_inputs(settings: Settings, people: int) -> None:
    """The relations that segments read, with `EVENTS_PER_PERSON` rows a person, in time order."""
    ladder, so_far = "", 0
    for behavior, share in SHARES.items():
        so_far += share
        ladder += f" when kind < {so_far} then '{behavior}'"
    duckdb.connect(str(settings.raw_path)).close()
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute(
            f"set memory_limit = '{settings.memory_limit}'; set threads = {settings.threads}; "
            "create schema identity; create schema registries; create schema journeys; "
            "create schema staging"
        )
        connection.execute(
            f"""
            create table identity.int_identity__profiles as
            select
                cast(1 as bigint) as workspace_id,
                concat('cio', n) as cio_id,
                md5(cast(n as varchar)) as person_id
            from range({people}) as numbers (n);

            create table identity.int_identity__behavior_events as
            with drawn as (
                select
                    n,
                    hash(n, 'kind') % 100 as kind,
                    hash(n, 'person') % {people} as person_number,
                    hash(n, 'product') % 400 as product
                from range({people * EVENTS_PER_PERSON}) as numbers (n)
            )
            select
                concat('e', n) as event_id,
                cast(1 as bigint) as workspace_id,
                md5(cast(person_number as varchar)) as person_id,
                case {ladder} end as behavior,
                case {ladder} end as value_behavior,
                concat('p', product) as product_id,
                case product % 3 when 0 then 'coffee' when 1 then 'skincare' else 'toys' end
                    as category,
                cast(case when kind between 95 and 97 then 20 + product / 4 end as decimal(18, 2))
                    as value,
                cast('{AS_OF}' as timestamp) - to_seconds(cast(
                    63072000 * (1 - n / {people * EVENTS_PER_PERSON}.0) + 1 as bigint
                )) as occurred_at
            from drawn;

            create table registries.workspaces as
            select cast(1 as bigint) as workspace_id, 'bench' as name,
                'America/New_York' as time_zone;

            create table journeys.int_journeys__deliveries as
            select
                person_id,
                cast('2026-01-01' as timestamp) as unsubscribed_at,
                cast(null as timestamp) as spammed_at
            from identity.int_identity__profiles
            where hash(person_id) % 50 = 0;

            create table staging.stg_customerio__attributes as
            select workspace_id, cio_id, 'unsubscribed' as attribute_name,
                'true' as attribute_value, cast('2025-09-01' as timestamp) as changed_at
            from identity.int_identity__profiles
            where hash(cio_id) % 20 = 0;

            create table staging.stg_customerio__people as
            select workspace_id, cio_id, false as is_suppressed
            from identity.int_identity__profiles;
            """
        )


def bare_scan(settings: Settings) -> float:
    """Seconds to read every column that segments read, once: the best of three."""
    seconds = []
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute(
            f"set memory_limit = '{settings.memory_limit}'; set threads = {settings.threads}"
        )
        for _ in range(3):
            started = time.perf_counter()
            connection.execute(
                """
                select max(person_id), max(behavior), max(product_id), max(category), max(value),
                    max(occurred_at)
                from identity.int_identity__behavior_events
                """
            ).fetchall()
            seconds.append(time.perf_counter() - started)
    return min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=40_000)
    people = parser.parse_args().people
    with tempfile.TemporaryDirectory(prefix="bench-segments-") as folder:
        base = Settings()
        settings = base.model_copy(update={"home": Path(folder)})
        print(
            f"{people:,} people, {people * EVENTS_PER_PERSON:,} rows, {settings.threads} threads, "
            f"memory limit {settings.memory_limit}",
            flush=True,
        )
        write_inputs(settings, people)
        scan = bare_scan(settings)
        print(f"{'bare scan':<34}{scan:>9.2f} s")
        results = warehouse.invoke(
            settings,
            registries.compose(settings, None),
            ["run", "--vars", f'{{"as_of": "{AS_OF}"}}', "--select", *SELECT],
        )
        total = 0.0
        for result in sorted(results, key=lambda one: str(one.node.unique_id)):
            if str(result.node.resource_type) != "model":
                continue
            alias, seconds = result.node.alias, float(result.execution_time)
            total += seconds
            print(f"{alias:<34}{seconds:>9.2f} s {seconds / scan:>8.1f} scans", flush=True)
        print(f"{'all':<34}{total:>9.2f} s {total / scan:>8.1f} scans")


if __name__ == "__main__":
    main()

"""The sample brand: same seed same bytes, planted facts really in the files, truth recoverable."""

from __future__ import annotations

import csv
import json
from hashlib import md5, sha256
from math import sqrt
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.console import Console
from pipelines.errors import UsageError
from pipelines.sample import DEFAULT_EFFECT, DEFAULT_PEOPLE, SAMPLE_AS_OF, write_sample

# as the contract has them; deliberately not imported from the code that writes them
CONTRACT = {
    "experiments": "experiment_key, kind, workspace_id, campaign_id, assignment_source, "
    "attribute_name, salt, started_at, ended_at, analysis_at, window_hours, primary_metric, alpha, "
    "planned_n, owner",
    "experiment_arms": "experiment_key, arm, is_control, weight, allocation_version, valid_from, "
    "valid_to, split_action_id, split_index, attribute_value, trap_action_id, trap_recipient",
    "metrics": "metric_key, behavior, aggregation, label",
    "behavior_map": "event_name, behavior",
    "identity_rules": "workspace_id, identifier_type, role, normalisation, max_profiles, "
    "placeholder_values, owner, decided_on",
    "identity_merges": "workspace_id, primary_cio_id, secondary_cio_id, merged_at, reason",
    "workspaces": "workspace_id, name, time_zone",
    "message_names": "workspace_id, message_id, message_name",
    "channel_costs": "channel, cost_per_message, currency",
    "spot_checks": "workspace_id, checked_on, count_judged, count_right, owner",
}


class Sample:
    """A written sample, and SQL over its files by family name."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.sql = duckdb.connect()
        self.sql.execute("set timezone = 'UTC'; set threads = 2")
        for family in (
            "people",
            "attributes",
            "campaigns",
            "subjects",
            "outputs",
            "deliveries",
            "metrics",
            "delivery_contents",
        ):
            self.sql.execute(
                f"""
                create view {family} as select *, parse_filename(filename) as file
                from read_parquet('{out}/export/{family}_v5_*.parquet', union_by_name = true,
                    filename = true)
                """
            )
        self.sql.execute(
            f"""
            create view behavior as
            select distinct on (event_id) event_id, customer_id, email, event_name, occurred_at
            from (
                select event_id, customer_id, email, event_name,
                    occurred_at::timestamp as occurred_at
                from read_parquet('{out}/export/behavior_*.parquet', union_by_name = true)
                union all
                select event_id, customer_id, email, event_name, occurred_at::timestamp
                from read_csv('{out}/export/till/behavior_till.csv.gz', all_varchar = true)
                union all
                select event_id, customer_id, email, event_name, occurred_at::timestamp
                from read_json('{out}/export/app/behavior_app.jsonl.gz')
            );
            create view users as from read_parquet('{out}/export/heap/users_*.parquet');
            create view sessions as from read_parquet('{out}/export/heap/sessions_*.parquet');
            """
        )
        for table in ("persons", "identifiers", "stays", "arms", "exposures"):
            self.sql.execute(
                f"create view true_{table} as from read_parquet('{out}/truth/{table}.parquet')"
            )
        self.effects = self.json("true_effects")
        self.ledger = self.json("ledger")

    def json(self, stem: str) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.out / "truth" / f"{stem}.json").read_text())
        return facts

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self.sql.execute(query).fetchall()
        return found

    def number(self, query: str) -> Any:
        return self.rows(query)[0][0]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    out = tmp_path_factory.mktemp("sample")
    write_sample(out, console=Console(as_json=True))
    return Sample(out)


def registry(out: Path, stem: str) -> list[dict[str, str]]:
    with (out / "seeds" / f"{stem}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def digests(out: Path) -> dict[str, str]:
    return {
        str(path.relative_to(out)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def newcombe(y1: int, n1: int, y2: int, n2: int) -> tuple[float, float]:
    """Hybrid Wilson interval of a difference of rates."""

    def wilson(y: int, n: int) -> tuple[float, float]:
        z = 1.959963984540054
        centre = (y + z * z / 2) / (n + z * z)
        half = z / (n + z * z) * sqrt(y * (n - y) / n + z * z / 4)
        return centre - half, centre + half

    p1, p2 = y1 / n1, y2 / n2
    (l1, u1), (l2, u2) = wilson(y1, n1), wilson(y2, n2)
    return (
        p1 - p2 - sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2),
        p1 - p2 + sqrt((u1 - p1) ** 2 + (p2 - l2) ** 2),
    )


# --- the generator ------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_on_any_number_of_threads(tmp_path: Path) -> None:
    for name, threads in (("one", 1), ("two", 2)):
        write_sample(
            tmp_path / name, people=700, seed=5, console=Console(as_json=True), threads=threads
        )
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_another_seed_changes_the_export_and_no_registry(tmp_path: Path) -> None:
    write_sample(tmp_path / "a", people=300, seed=5, console=Console(as_json=True))
    write_sample(tmp_path / "b", people=200, seed=6, console=Console(as_json=True))
    a, b = digests(tmp_path / "a"), digests(tmp_path / "b")
    for name in a:
        if name.startswith("seeds/"):
            assert a[name] == b[name], name
    changed = [name for name in a.keys() & b.keys() if a[name] != b[name]]
    assert any(name.startswith("export/deliveries_") for name in changed)


def test_one_person_is_a_sample(tmp_path: Path) -> None:
    summary = write_sample(tmp_path / "s", people=1, console=Console(as_json=True))
    assert summary.count_files >= 5
    people = f"{tmp_path}/s/export/people_v5_208301_*.parquet"
    with duckdb.connect() as connection:
        assert connection.execute(f"select count(*) from '{people}'").fetchall() == [(1,)]


def test_an_earlier_sample_is_replaced_and_anything_else_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "s"
    write_sample(out, people=50, seed=1, console=Console(as_json=True))
    stale = out / "export" / "deliveries_v5_208301_999999999999999999.parquet"
    stale.write_bytes(b"stale")
    write_sample(out, people=40, seed=2, console=Console(as_json=True))
    assert not stale.exists()
    assert sorted(path.name for path in out.iterdir()) == ["export", "seeds", "truth"]

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep")
    with pytest.raises(UsageError, match="no sample"):
        write_sample(tmp_path / "mine", people=40, console=Console(as_json=True))
    assert (tmp_path / "mine" / "letter.txt").read_text() == "keep"


@pytest.mark.parametrize(
    ("people", "effect"), [(0, None), (10**20, None), (10, 1.5), (10, float("nan"))]
)
def test_impossible_wishes_are_refused(tmp_path: Path, people: int, effect: float | None) -> None:
    with pytest.raises(UsageError):
        write_sample(tmp_path / "s", people=people, effect=effect, console=Console(as_json=True))
    assert not (tmp_path / "s").exists()


def test_the_effect_is_what_was_asked_for(tmp_path: Path) -> None:
    for effect in (0.0, 0.3):
        summary = write_sample(
            tmp_path / "s", people=2400, effect=effect, console=Console(as_json=True)
        )
        found = summary.true_effects["cart_recovery"]["true_itt"]
        if effect == 0:
            assert found == 0
        else:
            assert found == pytest.approx(effect, abs=0.03)
        assert summary.true_effects["replenishment"]["true_itt"] == 0


# --- the registries -----------------------------------------------------------------------------


def test_registries_have_the_columns_of_the_contract(sample: Sample) -> None:
    assert {path.stem for path in (sample.out / "seeds").iterdir()} == CONTRACT.keys()
    for stem, columns in CONTRACT.items():
        header = (sample.out / "seeds" / f"{stem}.csv").read_text(encoding="utf-8").splitlines()[0]
        assert header == columns.replace(" ", ""), stem


def test_weights_sum_to_one_and_every_experiment_has_one_control(sample: Sample) -> None:
    arms = registry(sample.out, "experiment_arms")
    metrics = {row["metric_key"] for row in registry(sample.out, "metrics")}
    for row in registry(sample.out, "experiments"):
        versions: dict[str, list[dict[str, str]]] = {}
        for arm in arms:
            if arm["experiment_key"] == row["experiment_key"]:
                versions.setdefault(arm["allocation_version"], []).append(arm)
        for own in versions.values():
            assert sum(float(arm["weight"]) for arm in own) == pytest.approx(1, abs=1e-9)
            assert [arm["is_control"] for arm in own].count("true") == 1
        assert row["primary_metric"] in metrics
        assert sample.effects[row["experiment_key"]]["count_units"] > 0


def test_every_event_name_is_mapped_and_curated_merges_exist(sample: Sample) -> None:
    mapped = {row["event_name"] for row in registry(sample.out, "behavior_map")}
    assert {name for (name,) in sample.rows("select distinct event_name from behavior")} == mapped
    for row in registry(sample.out, "identity_merges"):
        pair = sample.rows(
            f"""
            select internal_customer_id, bool_or(deleted) from people
            where internal_customer_id in ('{row["primary_cio_id"]}', '{row["secondary_cio_id"]}')
            group by all
            """
        )
        assert dict(pair) == {row["primary_cio_id"]: False, row["secondary_cio_id"]: True}


# --- what was planted is in the files -----------------------------------------------------------


def test_nothing_happens_at_or_after_the_end(sample: Sample) -> None:
    for family, column in {
        "subjects": "created_at",
        "outputs": "created_at",
        "deliveries": "created_at",
        "metrics": "created_at",
        "attributes": '"timestamp"',
        "people": "updated_at",
        "behavior": "occurred_at",
        "sessions": "time",
    }.items():
        latest = sample.number(f"select max({column}::timestamp) from {family}")
        assert latest < SAMPLE_AS_OF, family


def test_people_come_in_two_families_with_all_the_noise(sample: Sample) -> None:
    noise = sample.ledger["identity"]
    assert noise["shared_mailbox"] == 60
    assert len(noise) == 15
    assert sample.number("select count(*) from people where file like 'people_v5_chngs_%'") > 150
    assert sample.number("select count(*) from people where created_at = '1970-01-01'") == 20
    assert sample.number("select count(*) from people where suppressed") == 20
    # 20 deleted, 20 merged away, 20 re-created under a new cio_id with the same customer_id
    assert sample.number("select count(*) from people where deleted") == 60
    recreated = """
        select customer_id from people
        where workspace_id = 208301 and customer_id is not null
            and customer_id not in ('guest', 'null')
        group by customer_id
        having count(distinct internal_customer_id) = 2 and bool_or(deleted)
    """
    assert len(sample.rows(recreated)) == 20
    hub = """
        select max(profiles) from (
            select lower(email_addr), count(distinct internal_customer_id) as profiles
            from people where email_addr like 'orders.%' group by 1)
    """
    assert sample.number(hub) == 12
    assert sample.number("select count(*) from people where customer_id in ('guest', 'null')") == 20
    moved = """
        select count(*) from (
            select email_addr from people where workspace_id = 208301
            group by email_addr
            having count(distinct internal_customer_id) = 2
                and min(updated_at) < '2026-01-01' and max(updated_at)::timestamp = '2026-03-18')
    """
    assert sample.number(moved) == 20
    in_two = """
        select count(*) from (
            select lower(email_addr) from people group by 1 having count(distinct workspace_id) = 2)
    """
    assert sample.number(in_two) == sample.ledger["in_sister_workspace"] > 300


def test_ids_are_of_any_length_parts_of_one_another_and_now_and_then_a_word(
    sample: Sample,
) -> None:
    ids = sample.rows("select distinct customer_id from people where workspace_id = 208301")
    known = {customer_id.strip() for (customer_id,) in ids if customer_id}
    lengths = {len(customer_id) for customer_id in known}
    assert min(lengths) == 2
    assert {3, 4, 5, 7, 11, 12, 13} <= lengths
    begun = {known_id for known_id in known for n in range(1, 4) if known_id[:-n] in known}
    assert len(begun) > 1_500
    assert {"customer-1", "customer-10", "customer-100", "customer-1000"} <= known
    words = {"coffee", "email", "order_placed", "101"}
    assert words <= known
    texts = {name for (name,) in sample.rows("select distinct event_name from behavior")}
    assert "order_placed" in texts
    inside = """
        with addresses as (
            select distinct lower(trim(email_addr)) as address from people
            where email_addr not like 'orders.%'
        )
        select count(*) filter (shorter.address = longer.address[-length(shorter.address):]),
            count(*) filter (starts_with(longer.address, shorter.address))
        from addresses as longer
        inner join addresses as shorter
            on regexp_extract(longer.address, '1[0-9]{5}') =
                regexp_extract(shorter.address, '1[0-9]{5}')
            and longer.address <> shorter.address
    """
    [(ending, beginning)] = sample.rows(inside)
    assert ending > 100
    assert beginning > 100


def test_those_deleted_before_the_first_sync_are_blank_in_history(sample: Sample) -> None:
    blank = sample.number(
        "select count(distinct delivery_id) from deliveries where internal_customer_id is null"
    )
    assert blank == sample.ledger["anonymised_deliveries"] > 0
    assert sample.number("select count(*) from subjects where internal_customer_id is null") > 0
    unlisted = """
        select count(*) from true_persons semi join people on cio_id = internal_customer_id
        where not is_listed
    """
    assert sample.number(unlisted) == 0


def test_rows_leave_again_newer_and_one_file_came_twice(sample: Sample) -> None:
    for family, key in {
        "deliveries": "delivery_id",
        "subjects": "subject_name",
        "outputs": "output_id",
        "metrics": "event_id",
    }.items():
        again = sample.number(
            f"""
            select count(*) from (
                select {key} from {family} group by {key} having count(distinct seq_num) = 2)
            """
        )
        total = sample.number(f"select count(distinct {key}) from {family}")
        assert 0.003 * total < again < 0.06 * total, family
    metrics = [
        sha256(path.read_bytes()).hexdigest()
        for path in (sample.out / "export").glob("metrics_v5_*.parquet")
    ]
    assert len(metrics) - len(set(metrics)) == 1


def test_files_differ_in_their_columns_and_types(sample: Sample) -> None:
    shapes: dict[str, set[str]] = {"metrics": set(), "deliveries": set(), "attributes": set()}
    for family, found in shapes.items():
        for path in (sample.out / "export").glob(f"{family}_v5_*.parquet"):
            columns = sample.rows(f"describe from '{path}'")
            found.add(",".join(f"{column[0]} {column[1]}" for column in columns))
    assert any("machine" not in shape for shape in shapes["metrics"])
    assert any("machine" in shape for shape in shapes["metrics"])
    assert any("campaign_id INTEGER" in shape for shape in shapes["deliveries"])
    assert any("campaign_id BIGINT" in shape for shape in shapes["deliveries"])
    assert any("WITH TIME ZONE" in shape for shape in shapes["deliveries"])
    assert any("created_at TIMESTAMP," in shape for shape in shapes["deliveries"])
    empty = [
        path
        for path in (sample.out / "export").glob("attributes_v5_*.parquet")
        if sample.number(f"select count(*) from '{path}'") == 0
    ]
    assert len(empty) == 1
    assert list((sample.out / "export").glob("objects_v5_*.parquet"))


def test_metrics_hold_machines_lateness_and_every_fate(sample: Sample) -> None:
    seen = {name for (name,) in sample.rows("select distinct metric from metrics")}
    assert seen == {
        "attempted",
        "bounced",
        "clicked",
        "converted",
        "delivered",
        "drafted",
        "dropped",
        "failed",
        "opened",
        "sent",
        "spammed",
        "undeliverable",
        "unsubscribed",
    }
    assert sample.number("select count(*) from metrics where machine") > 1000
    assert sample.number("select count(*) from metrics where prefetched") > 4000
    late = """
        select count(distinct metrics.event_id) from metrics
        where (regexp_extract(file, '_(\\d+)\\.parquet$', 1)::bigint - 241600000000300000) // 1000
            >= ceil(epoch(metrics.created_at::timestamp - timestamp '2025-12-03') / 86400 / 20) + 2
    """
    assert sample.number(late) > 500
    twice = """
        select count(*) from (select delivery_id from metrics where metric = 'converted'
        group by delivery_id having count(distinct event_id) > 1)
    """
    assert sample.number(twice) == sample.ledger["deliveries_converted_more_than_once"] > 100
    channels = {name for (name,) in sample.rows("select distinct delivery_type from deliveries")}
    assert channels == {"email", "sms", "twilio", "in_app", "in-app", "push", "webhook"}
    in_app_delivered = """
        select count(*) from metrics join deliveries using (delivery_id)
        where (metric = 'delivered' and delivery_type in ('in_app', 'in-app'))
            or (metric = 'opened' and delivery_type in ('sms', 'twilio'))
    """
    assert sample.number(in_app_delivered) == 0


def test_delivery_ids_and_sequences_have_the_vendors_shapes(sample: Sample) -> None:
    odd = """
        select count(*) from deliveries
        where not regexp_matches(delivery_id, '^[A-Za-z0-9_=-]{28,36}$')
    """
    assert sample.number(odd) == 0
    odd = """
        select count(*) from metrics
        where not regexp_matches(event_id, '^[0-9A-HJKMNP-TV-Z]{26}$')
    """
    assert sample.number(odd) == 0
    assert sample.number("select min(seq_num) > 2147483648 from deliveries")
    one_family = """
        select count(*) from deliveries where
        (campaign_id is not null)::int + (newsletter_id is not null)::int
        + (transactional_message_id is not null)::int != 1
    """
    assert sample.number(one_family) == 0


def test_trapped_deliveries_are_sent_and_never_opened(sample: Sample) -> None:
    query = """
        select metric, count(*) from metrics join (select distinct delivery_id from deliveries
            where workspace_id = 208301 and action_id = 1012) using (delivery_id)
        group by metric
    """
    found = dict(sample.rows(query))
    assert found["sent"] > 500
    assert "opened" not in found
    assert "clicked" not in found
    assert found["converted"] > 0
    black_hole = """
        select count(distinct delivery_id) from delivery_contents
        where recipient = 'held-out@sister.example.net'
    """
    assert sample.number(black_hole) > 100


def test_texts_went_only_to_those_who_saw_shipping_rates_and_had_not_bought(sample: Sample) -> None:
    texted = """
        select bool_and(stay = 'cart_left_after_shipping'),
            bool_and(exited_at is null or exited_at > created_at), count(*)
        from true_exposures join true_stays on true_exposures.person = true_stays.person
            and stay like 'cart%'
            and created_at between entered_at and entered_at + interval 5 hours
        where action_id in (1013, 1071, 1072)
    """
    assert sample.rows(texted)[0][:2] == (True, True)
    assert sample.rows(texted)[0][2] > 1_000


def test_the_cohort_attribute_is_the_contracts_hash_and_precedes_entry(sample: Sample) -> None:
    rows = sample.rows(
        """
        select coalesce(nullif(customer_id, ''), internal_customer_id), attribute_value,
            "timestamp" < started
        from attributes
        join (select internal_customer_id, min(started_campaign_at) as started from subjects
            where campaign_id = 103 group by all) using (internal_customer_id)
        join (select internal_customer_id, arg_min(customer_id, updated_at) as customer_id
            from people group by all) using (internal_customer_id)
        where attribute_name = 'cohort_winback'
        """
    )
    assert len(rows) > 500
    agreeing = 0
    for key, value, is_before in rows:
        assert is_before
        bucket = int(md5(f"winback_2026-{key}".encode()).hexdigest()[:8], 16) % 10_000
        agreeing += (bucket < 3000) == (value == "holdout")
    # a second profile carries the person's first id, not its own blank one
    assert agreeing > 0.98 * len(rows)


def test_heap_knows_some_and_some_only_through_a_server(sample: Sample) -> None:
    ours = "select count(*) from users where identity not like 'L%'"
    share = sample.number(ours) / DEFAULT_PEOPLE
    assert 0.78 < share < 0.90
    alone = """
        select count(*) from (select user_id from sessions group by 1
        having bool_and(library = 'server'))
    """
    assert sample.number(alone) == sample.ledger["heap_users_of_our_server_only"] > 50
    assert sample.number("select count(*) from users anti join sessions using (user_id)") > 20
    assert sample.number("select count(*) from users where identity like '%@Example.com'") > 50


def test_nobody_real_is_in_it(sample: Sample) -> None:
    addresses = """
        select distinct lower(split_part(address, '@', 2)) from (
            select email_addr as address from people union all select email from behavior
            union all select email from users union all select recipient from delivery_contents)
        where address is not null
    """
    assert {domain for (domain,) in sample.rows(addresses)} <= {
        "example.com",
        "example.com.example.net",
        "example.net",
        "shared.example.org",
        "sister.example.net",
    }
    phones = "select attribute_value from attributes where attribute_name = 'Phone Number'"
    assert all(phone.startswith("+120255501") for (phone,) in sample.rows(phones))


# --- the truth is recoverable -------------------------------------------------------------------

FIRST_ARMS = """
    with assigned as (
        select person, coalesce(split_test_index, branch_index) as arm,
            outputs.created_at::timestamp as assigned_at
        from outputs
        join (select distinct subject_name, internal_customer_id, workspace_id from subjects
            where campaign_id = {campaign_id} and workspace_id = {workspace_id})
            using (subject_name)
        join true_persons on cio_id = internal_customer_id
        where action_id = {action_id}
    ),

    firsts as (
        select person, arg_min(arm, assigned_at) as arm, min(assigned_at) as assigned_at
        from assigned group by person
    ),

    orders as (
        select person, occurred_at from behavior
        join true_identifiers on lower(trim(identifier)) = lower(coalesce(customer_id, email))
            and identifier_type = if(behavior.customer_id is null, 'email', 'customer_id')
            and occurred_at >= held_from and (held_to is null or occurred_at < held_to)
        where event_name in ('order_placed', 'Order Completed') and person[1] = 'P'
            and identifier not in ('guest', 'null')
    ),

    units as (
        select firsts.person, arm, assigned_at, count(orders.person) > 0 as y
        from firsts left join orders on firsts.person = orders.person
            and occurred_at >= assigned_at and occurred_at < assigned_at + interval 168 hours
        where assigned_at + interval 168 hours <= timestamp '2026-06-01'
        group by all
    )
"""
CART = FIRST_ARMS.format(campaign_id=101, workspace_id=208301, action_id=1010)
REFILL = FIRST_ARMS.format(campaign_id=102, workspace_id=208301, action_id=1020)
TEXT = FIRST_ARMS.format(campaign_id=107, workspace_id=208301, action_id=1070)
NUDGE = FIRST_ARMS.format(campaign_id=108, workspace_id=208301, action_id=1080)


def arms_of(
    sample: Sample, units: str, treated: int = 0, held_out: int = 1
) -> tuple[int, int, int, int]:
    """Orders and units of the treated, orders and units of the held out, by their indices."""
    counts = sample.rows(
        f"""{units}
        select count(*) filter (y and arm = {treated}), count(*) filter (arm = {treated}),
            count(*) filter (y and arm = {held_out}), count(*) filter (arm = {held_out})
        from units"""
    )[0]
    return counts[0], counts[1], counts[2], counts[3]


@pytest.mark.parametrize(
    ("key", "units", "arms"),
    [
        ("cart_recovery", CART, ("treatment", "holdout")),
        ("replenishment", REFILL, ("treatment", "holdout")),
        ("shipping_text", TEXT, ("text_30m", "text_4h", "holdout")),
        ("reorder_nudge", NUDGE, ("treatment", "holdout")),
    ],
)
def test_the_export_tells_the_arms_and_orders_that_the_truth_records(
    sample: Sample, key: str, units: str, arms: tuple[str, ...]
) -> None:
    for index, arm in enumerate(arms):
        y, n, *_ = arms_of(sample, units, index)
        assert sample.effects[key]["realised"][arm] == {"units": n, "ordered": y}, arm


def test_the_text_works_at_thirty_minutes_and_not_at_four_hours(sample: Sample) -> None:
    truth = sample.effects["shipping_text"]["true_itt_by_arm"]
    low, high = newcombe(*arms_of(sample, TEXT, 0, 2))
    assert 0 < low < truth["text_30m"] < high
    low, high = newcombe(*arms_of(sample, TEXT, 1, 2))
    assert low < truth["text_4h"] == 0 < high


def test_the_planted_effect_is_recovered(sample: Sample) -> None:
    low, high = newcombe(*arms_of(sample, CART))
    truth = sample.effects["cart_recovery"]
    assert truth["planted_effect_on_reached"] == DEFAULT_EFFECT
    assert 0 < low < truth["true_itt"] < high
    assert truth["true_itt"] == pytest.approx(DEFAULT_EFFECT, abs=0.015)


def test_on_the_zero_effect_journey_the_naive_contrast_flatters_and_the_interval_does_not(
    sample: Sample,
) -> None:
    low, high = newcombe(*arms_of(sample, REFILL))
    assert sample.effects["replenishment"]["true_itt"] == 0
    assert low < 0 < high
    naive = """
        , clicked as (
            select distinct person from metrics
            join (select distinct delivery_id, internal_customer_id from deliveries
                where workspace_id = 208301 and action_id = 1021) using (delivery_id)
            join true_persons on cio_id = internal_customer_id
            where metric = 'clicked' and not machine
        )
        select
            count(*) filter (y and clicked.person is not null)
                / count(*) filter (clicked.person is not null),
            count(*) filter (y and clicked.person is null)
                / count(*) filter (clicked.person is null)
        from units left join clicked using (person) where arm = 0
    """
    clickers, others = sample.rows(REFILL + naive)[0]
    assert clickers / others > 1.5
    written = sample.effects["replenishment"]["naive_contrasts"]
    assert written["clickers_over_other_recipients"] > 1.5


def test_recipients_of_the_text_order_far_more_than_the_text_explains(sample: Sample) -> None:
    cart = sample.effects["cart_recovery"]
    caused = cart["true_mean_treated"] / cart["true_mean_held_out"]
    shown = cart["naive_contrasts"]["text_recipients_over_other_recipients"]
    assert shown > 1.5
    assert shown > caused + 0.5


def test_arms_are_drawn_as_registered(sample: Sample) -> None:
    for row in registry(sample.out, "experiment_arms"):
        if row["is_control"] == "true":
            realised = sample.effects[row["experiment_key"]]["realised"]
            held = realised["holdout"]["units"]
            treated = sum(arm["units"] for arm in realised.values()) - held
            expected = float(row["weight"]) * (held + treated)
            chi_square = (held - expected) ** 2 / expected + (held - expected) ** 2 / (
                held + treated - expected
            )
            assert chi_square < 10.8276, row["experiment_key"]


def test_crossovers_exist_and_stay_below_the_warning(sample: Sample) -> None:
    cart = sample.effects["cart_recovery"]
    assert 0 < cart["count_crossovers"] < 0.01 * cart["count_units"]

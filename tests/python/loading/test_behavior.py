"""Orders and other behavior: lines, corrections, refunds and amounts, from files to marts."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import PROVE
from exports import T0, Export, at
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines import loading
from pipelines.console import Console
from pipelines.settings import Settings
from pipelines.warehouse import build

AS_OF = T0 + timedelta(days=90)
LARGEST = "9999999999999999.99"
WHALES = 130  # so many that no decimal holds the sum of their squares
FIELDS = [
    *("event_id", "customer_id", "email", "event_name", "occurred_at", "value"),
    *("product_id", "category"),
]

Row = dict[str, Any]


def row(event_id: str, person: str, hours: float, value: str | None, **more: Any) -> Row:
    """An order placed so many hours after T0, or what `name` says."""
    return {
        "event_id": event_id,
        "customer_id": f"c_{person}",
        "event_name": more.pop("name", "order_placed"),
        "occurred_at": at(hours).isoformat(sep=" "),
        "value": value,
        **more,
    }


def write(path: Path, rows: Sequence[Row]) -> Path:
    """A CSV or JSON lines file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        if path.suffix == ".csv":
            writer = csv.DictWriter(file, FIELDS, restval="")
            writer.writeheader()
            writer.writerows(rows)
        else:
            file.writelines(json.dumps(one) + "\n" for one in rows)
    return path


# ---------------------------------------------------------------- one world, built once


def _events() -> list[Row]:
    return [
        # one id for the order and for its delivery
        row("ORD-1", "both", 10, "60", category="coffee"),
        row("ORD-1", "both", 58, None, name="order_delivered", category="coffee"),
        # one id for three lines of an order, one of them a second later; one id for two views
        row("ORD-2", "lines", 10, "30", product_id="A", category="coffee"),
        row("ORD-2", "lines", 10, "20", product_id="B", category="skincare"),
        row("ORD-2", "lines", 10 + 1 / 3600, "10", product_id="C", category="supplements"),
        row("V-1", "lines", 5, None, name="product_viewed", product_id="A"),
        row("V-1", "lines", 5, None, name="product_viewed", product_id="B"),
        # an order taken back whole; something given back that was never ordered; a voucher
        row("ORD-3", "refunded", 10, "600"),
        row("ORD-3-r", "refunded", 34, "-550"),
        row("ORD-4-r", "returner", 10, "-50"),
        row("cart-4", "returner", 8, None, name="cart_updated"),
        row("ORD-5", "voucher", 10, "60", product_id="A"),
        row("ORD-5", "voucher", 10, "-10", product_id="voucher"),
        row("ORD-6", "gifted", 10, "0"),
        row("ORD-7", "unpriced", 10, None),
        row("ORD-8", "ordinary", 10, "19.99"),
        # one order whose lines do not fit its type together
        row("ORD-9", "rich", 10, LARGEST, product_id="A"),
        row("ORD-9", "rich", 10, LARGEST, product_id="B"),
        row("ORD-10", "debtor", 10, f"-{LARGEST}"),
        row("ORD-11", "debtor", 11, f"-{LARGEST}"),
        *(
            row(f"W-{number}-{order}", f"whale{number}", 10 + order, LARGEST)
            for number in range(WHALES)
            for order in (1, 2)
        ),
    ]


PEOPLE = [
    *("both", "lines", "refunded", "returner", "voucher", "gifted", "unpriced", "ordinary"),
    *("rich", "debtor", "early", "late", "moved"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Everybody enters one journey, is shown a message, clicks it and claims a conversion."""
    folder = tmp_path_factory.mktemp("behavior")
    export = Export()
    export.register(
        "experiments",
        experiment_key="journey",
        kind="journey_holdout",
        workspace_id=1,
        campaign_id=101,
        assignment_source="branch",
        started_at=at(-24).isoformat(),
        analysis_at=AS_OF.isoformat(),
        window_hours=168,
        primary_metric="order_rate",
        alpha=0.05,
        owner="lifecycle",
    )
    for index, arm in enumerate(("treatment", "holdout")):
        export.register(
            "experiment_arms",
            experiment_key="journey",
            arm=arm,
            is_control="true" if index else "false",
            weight=0.5,
            allocation_version=1,
            split_action_id=1100,
            split_index=index,
        )
    for number, person in enumerate([*PEOPLE, *(f"whale{n}" for n in range(WHALES))]):
        export.person(1, person)
        subject = export.entry(1, person)
        export.draw(1, subject, branch_index=number % 2)
        delivery = export.message(1, person, 1.0, subject=subject, clicked_at=2.0)
        export.tables["metrics"].append(
            {
                "workspace_id": 1,
                "event_id": f"converted-{person}",
                "delivery_id": delivery,
                "metric": "converted",
                "created_at": at(10.005),
                "seq_num": 1,
                "machine": None,
            }
        )
    folders, seeds = export.write(folder)
    shop = write(folders / "behavior_shop.jsonl", _events())
    # corrections: by file name and line, whichever is loaded first, and wherever it lies
    later = folder / "later" / "behavior_2.csv"
    write(
        later,
        [
            row("C-1", "early", 10, "30"),
            row("C-1", "early", 10, "20"),
            row("C-2", "late", 10, "7"),
        ],
    )
    write(
        folders / "z" / "behavior_1.csv",
        [
            row("C-1", "early", 12, "90"),
            row("C-2", "late", 10, "90"),
            row("C-2", "late", 10, "90"),
            row("C-3", "moved", 10, "5"),
            row("C-3", "moved", 2000, "6"),
            row("C-3", "moved", 99999, "7"),
        ],
    )
    lacking = {**row("O-9", "ordinary", 10, "999"), "event_name": None}
    table = pa.table({name: [value] for name, value in lacking.items()})
    pq.write_table(table, folders / "behavior_till.parquet")
    state = Settings(_env_file=None).model_copy(  # type: ignore[call-arg]
        update={"home": folder / "home"}
    )
    assert loading.load([str(later.parent)], state, Console(as_json=True)).failure is None
    # two bad lines at first, of which one is mended, beside a row that lacks its name
    whole = shop.read_text(encoding="utf-8")
    for number, content in ((2, whole.replace(" 22:00:00", " 22:00 EST", 1)), (1, whole)):
        shop.write_text(content + '{"event_id": "SECRET\n', encoding="utf-8")
        summary = loading.load([str(folders)], state, Console(as_json=True))
        assert [count for _, count, _ in summary.rejected_rows] == [number, 1]
    build(state, Console(as_json=True), as_of=AS_OF, registries=seeds)
    return state


def ask(home: Settings, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home.warehouse_path), read_only=True) as connection:
        found: list[tuple[Any, ...]] = connection.execute(query).fetchall()
    return found


def outcomes(home: Settings, person: str) -> dict[str, float]:
    """What the experiment counts for a person, by metric."""
    return dict(
        ask(
            home,
            "select metric_key, y from marts.fct_experiment_units inner join marts.dim_persons"
            f" using (person_id) where customer_id = 'c_{person}' and metric_key like 'order%'",
        )
    )


def state_of(home: Settings, person: str) -> tuple[Any, ...]:
    (found,) = ask(
        home,
        "select ltv_tier, lifecycle_stage, first_order_on, last_order_on"
        " from marts.dim_person_states inner join marts.dim_persons using (person_id)"
        f" where customer_id = 'c_{person}'",
    )
    return found


def goal_of(home: Settings, person: str) -> tuple[str, Decimal | None]:
    (found,) = ask(
        home, f"select goal, value from marts.fct_goal_conversions where conversion_id = '{person}'"
    )
    return found[0], found[1]


def segments_of(home: Settings, person: str) -> list[tuple[Any, ...]]:
    return ask(
        home,
        "select segment_key, entered_at, exited_at from marts.fct_segment_memberships"
        f" inner join marts.dim_persons using (person_id) where customer_id = 'c_{person}'"
        " order by all",
    )


DAY = T0.date()
TOLD = {"order_rate": 1.0, "order_count": 1.0}


def test_an_order_and_its_delivery_may_share_an_id(home: Settings) -> None:
    assert outcomes(home, "both") == {**TOLD, "order_value": 60.0}
    assert ("first_time_buyer_delivered", at(58)) in [s[:2] for s in segments_of(home, "both")]


def test_lines_under_one_id_are_one_order_with_all_its_money_and_categories(
    home: Settings,
) -> None:
    assert outcomes(home, "lines") == {**TOLD, "order_value": 60.0}
    assert goal_of(home, "converted-lines") == ("order_placed", Decimal("60.00"))
    assert state_of(home, "lines") == ("low", "at_risk", DAY, DAY)
    # coffee after 28 days, supplements after 30, skincare after 45: one stay, from the first of
    # them to the end of the last
    ((_, entered_at, exited_at),) = [
        stay for stay in segments_of(home, "lines") if stay[0] == "replenishment_window"
    ]
    assert entered_at.date() == DAY + timedelta(days=28 - 7)
    assert exited_at.date() == DAY + timedelta(days=45 + 14)
    assert ask(
        home,
        "select category, count(*) from insight.int_insight__reorder_gaps"
        " inner join marts.dim_persons using (person_id) where customer_id = 'c_lines'"
        " group by category order by category",
    ) == [("coffee", 1), ("skincare", 1), ("supplements", 1)]


def test_a_refund_lowers_value_and_is_no_order(home: Settings) -> None:
    assert outcomes(home, "refunded") == {**TOLD, "order_value": 50.0}
    assert state_of(home, "refunded") == ("low", "at_risk", DAY, DAY)
    assert [s for s in segments_of(home, "refunded") if s[0] in ("vip", "churn_risk")] == [
        ("vip", at(10), at(34))
    ]


def test_who_only_gave_something_back_has_not_ordered(home: Settings) -> None:
    assert outcomes(home, "returner") == {
        "order_rate": 0.0, "order_count": 0.0, "order_value": -50.0,
    }  # fmt: skip
    assert state_of(home, "returner") == ("none", "prospect", None, None)
    assert goal_of(home, "converted-returner") == ("unknown", None)
    # the cart was left: what came afterwards was no order
    assert [s[0] for s in segments_of(home, "returner")] == ["cart_abandoner"]


def test_a_voucher_is_a_line_and_nothing_is_a_price(home: Settings) -> None:
    assert outcomes(home, "voucher") == {**TOLD, "order_value": 50.0}
    assert goal_of(home, "converted-voucher") == ("order_placed", Decimal("50.00"))
    assert outcomes(home, "gifted") == {**TOLD, "order_value": 0.0}
    assert goal_of(home, "converted-gifted") == ("order_placed", Decimal("0.00"))
    assert outcomes(home, "unpriced") == {**TOLD, "order_value": 0.0}
    assert goal_of(home, "converted-unpriced") == ("order_placed", None)


def test_the_largest_amounts_stop_no_build_and_touch_nobody_else(home: Settings) -> None:
    assert outcomes(home, "ordinary") == {**TOLD, "order_value": 19.99}
    assert goal_of(home, "converted-ordinary") == ("order_placed", Decimal("19.99"))
    assert outcomes(home, "whale0") == {**TOLD, "order_count": 2.0, "order_value": 2e16}
    assert state_of(home, "whale0")[0] == "high"
    assert state_of(home, "debtor") == ("none", "prospect", None, None)
    assert outcomes(home, "rich") == {**TOLD, "order_value": 2e16}
    # a sum that its column cannot hold is missing, not cut
    assert goal_of(home, "converted-rich") == ("order_placed", None)
    ((orders, value, mean),) = ask(
        home,
        "select count_last_click_orders, last_click_value,"
        " (select mean_treatment from marts.fct_lift where metric_key = 'order_value'"
        " and stratum = 'all' and population = 'itt')"
        " from marts.fct_journey_credit where journey_id = '101'",
    )
    # a refund is credited with its money, not as an order
    assert (orders, value) == (len(PEOPLE) - 3 + 2 * WHALES, None)
    # every other one is treated: seven of the others, one of them as rich as the whales
    assert mean == pytest.approx(2e16 * (WHALES // 2 + 1) / (WHALES // 2 + 7))


def test_the_later_row_by_file_name_and_line_stands_whole(home: Settings) -> None:
    assert outcomes(home, "early") == {**TOLD, "order_value": 20.0}
    assert outcomes(home, "late") == {**TOLD, "order_value": 7.0}
    # moved to day 83, out of the window; a correction at or after as_of is not seen
    assert outcomes(home, "moved") == {
        "order_rate": 0.0, "order_count": 0.0, "order_value": 0.0,
    }  # fmt: skip
    assert state_of(home, "moved")[2:] == (at(2000).date(), at(2000).date())


def test_what_was_set_aside_or_left_out_is_told_wherever_somebody_looks(home: Settings) -> None:
    cut = "the line is not valid JSON: it ends in the middle of an object"
    place = len(_events()) + 1
    assert ask(home, "select * exclude (loaded_at) from marts.load_rejected_rows order by all") == [
        ("behavior_shop.jsonl", "behavior", place, None, cut),
        ("behavior_till.parquet", "behavior", 1, "event_name", "the row lacks `event_name`"),
    ]
    assert ask(
        home, "select verdict, value from marts.fct_checklist where line = 'rejected_rows'"
    ) == [("fail", 2)]
    # both contents of the shop's file were read, neither of them twice
    assert ask(home, "select * from marts.fct_review_loads where family = 'behavior'") == [
        ("behavior", 5, 0, 2)
    ]
    assert ask(
        home, "select count(*) from staging.stg_behavior__events where event_id = 'ORD-1'"
    ) == [(2,)]


def test_corrections_are_counted_and_identical_repeats_are_none(home: Settings) -> None:
    assert ask(home, "select * from marts.fct_event_corrections order by file_name") == [
        ("behavior_1.csv", "order_placed", 1),
        ("behavior_2.csv", "order_placed", 3),
    ]


# ---------------------------------------------------------------- any order of loading

MOMENTS = [T0, T0 + timedelta(days=1), AS_OF]  # the last one is not seen

some_rows = st.lists(
    st.fixed_dictionaries(
        {
            "event_id": st.sampled_from(["E1", "E2"]),
            "event_name": st.sampled_from(["order_placed", "order_delivered"]),
            "product_id": st.sampled_from([None, "", " ", "p", "q"]),
            "customer_id": st.sampled_from(["c1", "c2"]),
            "email": st.sampled_from([None, "a@example.com"]),
            "category": st.sampled_from([None, "", "coffee"]),
            "value": st.sampled_from([None, "-5.00", "0.00", "5.00"]),
            "occurred_at": st.sampled_from(MOMENTS),
        }
    ),
    min_size=1,
    max_size=6,
)
# two folders: files of one name may hold other rows
some_files = st.dictionaries(
    st.tuples(st.sampled_from("xy"), st.sampled_from(["behavior_1.csv", "behavior_10.jsonl"])),
    some_rows,
    min_size=1,
)


def _standing(files: dict[tuple[str, str], list[Row]]) -> tuple[set[Any], dict[Any, int]]:
    """The rows that stand and the corrections by file and event name, read plainly."""
    versions: dict[Any, set[tuple[Any, ...]]] = {}
    contents = set()
    for (folder, name), rows in files.items():
        if (name, str(rows)) in contents:  # one file, wherever it lies
            continue
        contents.add((name, str(rows)))
        for number, one in enumerate(rows, start=2 if name.endswith(".csv") else 1):
            if one["occurred_at"] >= AS_OF:
                continue
            told = (
                one["occurred_at"], one["value"], one["customer_id"], one["email"],
                one["category"] or None,
            )  # fmt: skip
            # nothing is less than anything
            rank = tuple((value is not None, Decimal(value) if n == 1 and value else value or "")
                         if n else value for n, value in enumerate(told))  # fmt: skip
            key = (one["event_id"], one["event_name"], (one["product_id"] or "").strip() or None)
            versions.setdefault(key, set()).add(((name, folder, number), rank, told))
    standing = set()
    corrections: dict[Any, int] = {}
    for key, found in versions.items():
        ordered = sorted(found)
        standing.add((*key, *ordered[-1][2]))
        for before, after in itertools.pairwise(ordered):
            if before[2] != after[2]:
                place = (after[0][0], key[1])
                corrections[place] = corrections.get(place, 0) + 1
    return standing, corrections


def test_the_order_of_loading_never_counts(
    home: Settings, tmp_path: Path, note: Callable[[str, int], None]
) -> None:
    """Files in any order and any number of loads, against a plain reading of the same rows."""
    manifest = json.loads((home.home / "manifest.json").read_text(encoding="utf-8"))
    compiled = {
        name: manifest["nodes"][f"model.counterfoil.{name}"]["compiled_code"]
        for name in ("stg_behavior__events", "stg_behavior__corrections")
    }
    runs = itertools.count()

    @settings(
        max_examples=200 if PROVE else 8,
        deadline=None,
        derandomize=not PROVE,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(files=some_files, dice=st.randoms(use_true_random=False))
    def same(files: dict[tuple[str, str], list[Row]], dice: Any) -> None:
        base = tmp_path / str(next(runs))
        order = sorted(files)
        dice.shuffle(order)
        state = Settings.model_validate({"COUNTERFOIL_HOME": base / "home"})
        loading.ensure_raw(state)
        for number, place in enumerate(order):
            rows = [{**one, "occurred_at": str(one["occurred_at"])} for one in files[place]]
            write(base / str(number if dice.random() < 0.7 else 0) / place[0] / place[1], rows)
        for folder in sorted(path for path in base.iterdir() if path.name != "home"):
            summary = loading.load_unlocked([str(folder)], state, Console(as_json=True))
            assert summary.quarantined == []
        with duckdb.connect() as connection:
            connection.execute(f"attach '{base}/home/raw.duckdb' as raw (read_only)")
            connection.execute(f"attach '{home.warehouse_path}' as warehouse (read_only)")
            events = connection.execute(
                "select event_id, event_name, product_id, occurred_at, cast(value as varchar),"
                f" customer_id, email, category from ({compiled['stg_behavior__events']})"
            ).fetchall()
            corrections = connection.execute(compiled["stg_behavior__corrections"]).fetchall()
        standing, counted = _standing(files)
        assert sorted(map(str, events)) == sorted(map(str, standing))
        assert {(name, event): count for name, event, count in corrections} == counted

    same()
    note("shuffles of files and loads", next(runs))

"""Registries: what analysts declare is checked before anything is built, in one sentence."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from conftest import PROVE
from hypothesis import HealthCheck, example, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from pipelines import registries
from pipelines.errors import UsageError
from pipelines.registries import cells, zones
from pipelines.registries.rules import Rule, declared
from pipelines.settings import Settings

EVERY_RULE = [rule for one in declared(registries.OURS).values() for rule in one.rules.values()]

ARMS_HEADER = (
    "experiment_key,arm,is_control,weight,allocation_version,valid_from,valid_to,split_action_id,"
    "split_index,attribute_value,trap_action_id,trap_recipient\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "registries"
    made.mkdir()
    return made


def test_ours_stand_where_no_folder_is_given(settings: Settings) -> None:
    assert registries.compose(settings, None) == registries.OURS


def test_a_folder_replaces_only_what_it_holds(settings: Settings, folder: Path) -> None:
    (folder / "workspaces.csv").write_text("workspace_id,name,time_zone\n7,Seven,Asia/Tokyo\n")
    (folder / "notes.csv").write_text("not,a,registry\n")
    composed = registries.compose(settings, folder)
    assert "Seven" in (composed / "workspaces.csv").read_text()
    assert (composed / "metrics.csv").read_text() == (registries.OURS / "metrics.csv").read_text()
    assert not (composed / "notes.csv").exists()


def test_a_file_without_the_columns_that_came_later_is_whole(
    settings: Settings, folder: Path
) -> None:
    """The contract's columns are all that a brand must have; faults still name the file's lines."""
    header = (
        "audience_key,workspace_id,segment_key,version,destination,destination_id,identifier_type,"
        "consent_attribute,heap_segment,min_parity,experiment_key,max_members,owner,expires_on\n"
    )
    row = 'mine,,vip,1,customerio_segment,7,customer_id,,"Big, ""old""",,,,me,\n'
    (folder / "audiences.csv").write_text(header + row, encoding="utf-8")
    with (registries.compose(settings, folder) / "audiences.csv").open(encoding="utf-8") as file:
        [read] = csv.DictReader(file)
    assert read.pop("heap_segment") == 'Big, "old"'
    later = ("most_messages", "messages_days", "leave_out_tired")
    assert [read.pop(column) for column in later] == ["", "", ""]
    assert list(read) == [c for c in header.strip().split(",") if c != "heap_segment"]
    (folder / "audiences.csv").write_text(header + row + row, encoding="utf-8")
    assert faults(settings, folder) == [
        "audiences.csv line 3: `audience_key` is that of line 2: keep one."
    ]


@pytest.mark.parametrize(
    "rows",
    [
        "\n7,Seven,UTC\n\n8,,\n\n\n",
        "7,Seven,UTC\r\n\n8,,\r\n\r\n",
        "7,Seven,UTC\n8, ,\t\n",
        "7,Seven,UTC\n8,\u00a0,\n",
        '"7",Seven,UTC\r\n8,,',
    ],
)
def test_blank_lines_are_no_rows_and_blank_cells_are_empty(
    settings: Settings, folder: Path, rows: str
) -> None:
    """What each engine would read in its own way is not left to them."""
    header = "workspace_id,name,time_zone\n"
    (folder / "workspaces.csv").write_bytes((header + rows).encode())
    composed = registries.compose(settings, folder) / "workspaces.csv"
    assert composed.read_text() == header + "7,Seven,UTC\n8,,\n"


def test_a_blank_cell_of_a_number_is_an_empty_one(settings: Settings, folder: Path) -> None:
    arms = ARMS_HEADER + "winback,a,false,0.5,1,,, ,\u2003,,,\nwinback,b,true,0.5,1,,,,,,,\n"
    (folder / "experiment_arms.csv").write_text(arms, encoding="utf-8")
    composed = registries.compose(settings, folder) / "experiment_arms.csv"
    assert "winback,a,false,0.5,1,,,,,,,\n" in composed.read_text()


@pytest.mark.parametrize("name", ["Se\rven", "Se\nven", "Se\r\nven", 'Se\n"v",\ren', " Seven "])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_whatever_ends_lines_within_a_cell_and_without_the_database_reads_the_cell(
    settings: Settings, folder: Path, name: str, end: str
) -> None:
    quoted = name.replace('"', '""')
    rows = f'workspace_id,name,time_zone\n7,"{quoted}",UTC{end}8,Eight,UTC\r\n9,Nine,UTC\n'
    (folder / "workspaces.csv").write_bytes(rows.encode())
    composed = registries.compose(settings, folder) / "workspaces.csv"
    with duckdb.connect() as database:
        database.execute("create table t (workspace_id bigint, name varchar, time_zone varchar)")
        # as macros/cross_db/load_csv_rows.sql does
        database.execute(f"copy t from '{composed}' (format csv, header true, delimiter ',')")
        assert database.execute("select workspace_id, name from t order by 1").fetchall() == [
            (7, name), (8, "Eight"), (9, "Nine")
        ]  # fmt: skip


def test_the_same_registries_stand_in_the_same_folder(settings: Settings, folder: Path) -> None:
    (folder / "workspaces.csv").write_text("workspace_id,name,time_zone\n")
    first = registries.compose(settings, folder)
    assert registries.compose(settings, folder) == first
    (folder / "workspaces.csv").write_text("workspace_id,name,time_zone\n7,Seven,\n")
    assert registries.compose(settings, folder) != first


EXPERIMENTS_HEADER = (
    "experiment_key,kind,workspace_id,campaign_id,assignment_source,attribute_name,salt,started_at,"
    "ended_at,analysis_at,window_hours,primary_metric,alpha,planned_n,owner\n"
)
WORKSPACES = "workspace_id,name,time_zone\n"


def faults(settings: Settings, folder: Path) -> list[str]:
    """What is said of the registries of a folder, a sentence each."""
    with pytest.raises(UsageError) as caught:
        registries.compose(settings, folder)
    lines = str(caught.value).splitlines()
    return [line.strip() for line in (lines[1:] if len(lines) > 1 else lines)]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (
            "workspaces",
            "workspace_id,name,time_zone,colour\n",
            "line 1 has an unknown column `colour`",
        ),
        ("workspaces", "workspace_id,name\n", "line 1 lacks the column `time_zone`"),
        ("workspaces", "", "line 1 lacks the column `workspace_id`"),
        ("workspaces", "workspace_id,nane,time_zone\n", "unknown column `nane`: write `name`"),
        ("workspaces", "workspace_id,name,name,time_zone\n", "has the column `name` twice"),
        ("workspaces", "workspace_id;name;time_zone\n7;x;UTC\n", "separated by semicolons"),
        (
            "workspaces",
            WORKSPACES + "seven,x,\n",
            "line 2: `workspace_id` should be a whole number",
        ),
        ("workspaces", WORKSPACES + "-7,x,\n", "line 2: `workspace_id` should be a whole number"),
        ("workspaces", WORKSPACES + "7_0,x,\n", "line 2: `workspace_id` should be a whole number"),
        ("workspaces", WORKSPACES + " 7,x,\n", "line 2: `workspace_id` has blanks round its value"),
        ("workspaces", WORKSPACES + ",x,\n", "line 2: `workspace_id` is empty and must not be"),
        ("workspaces", WORKSPACES + "7,null,\n", "line 2: `name` would be read as empty"),
        (
            "workspaces",
            WORKSPACES + "7,x,\n8,y,\n7,z,\n",
            "line 4: `workspace_id` is that of line 2",
        ),
        ("workspaces", WORKSPACES + "7,x\n", "line 2 has fewer fields than the header"),
        ("workspaces", WORKSPACES + "7,x,UTC,y\n", "line 2 has more fields than the header"),
        ("workspaces", WORKSPACES + '7,"a\nb",\n8,x\n', "line 4 has fewer fields"),
        ("workspaces", WORKSPACES + '7,"a\nb"\n', "line 2 has fewer fields"),
        ("workspaces", WORKSPACES + '7,"x,\n', "is not well-formed CSV"),
        ("workspaces", WORKSPACES + "7,x,BST\n", "by its place, such as Europe/London, not `BST`"),
        ("workspaces", WORKSPACES + "7,x,EST\n", "by its place, such as Europe/London, not `EST`"),
        ("workspaces", WORKSPACES + "7,x,UTC+2\n", "by its place, such as Europe/London"),
        ("workspaces", WORKSPACES + "7,x,UK/London\n", "not `UK/London`: write `Europe/London`"),
        ("workspaces", WORKSPACES + "7,x,europe/london\n", "write `Europe/London`"),
        ("workspaces", WORKSPACES + "7,x,New York\n", "write `America/New_York`"),
        (
            "workspaces",
            WORKSPACES + "7,x,jo@brand.example\n",
            "such as Europe/London, not (not shown)",
        ),
        (
            "identity_merges",
            "workspace_id,primary_cio_id,secondary_cio_id,merged_at,reason\n7,a,b,2026-02-30,x\n",
            "line 2: `merged_at` should be a date and time",
        ),
        (
            "identity_merges",
            "workspace_id,primary_cio_id,secondary_cio_id,merged_at,reason\n7,a,b,20260201,x\n",
            "line 2: `merged_at` should be a date and time",
        ),
        (
            "waivers",
            "rule,subject,reason,owner,expires_on\nfreshness,,audit,data,next week\n",
            "line 2: `expires_on` should be a date such as",
        ),
        (
            "metrics",
            "metric_key,behavior,aggregation,label\nbig,order_placd,any,x\n",
            "`order_placd` is no `behavior` of behavior_map.csv: write `order_placed`",
        ),
        (
            "metrics",
            "metric_key,behavior,aggregation,label\nbig,order_placed,Counts,x\n",
            "should be any, count or sum, not `Counts`: write `count`",
        ),
        (
            "message_names",
            "workspace_id,message_id,message_name\n7,901,x\n",
            "line 2: `message_id` should be a message",
        ),
        (
            "channel_costs",
            "channel,cost_per_message,currency\nIn-App,1,USD\n",
            "line 2: `channel` should be a key of a to z, 0 to 9 and _ that starts with a letter,"
            " not `In-App`: write `in_app`",
        ),
        (
            "channel_costs",
            "channel,cost_per_message,currency\nemail,-1,usd\n",
            "line 2: `cost_per_message` should be at least 0",
        ),
        (
            "identity_rules",
            "workspace_id,identifier_type,role,normalisation,max_profiles,placeholder_values,owner,"
            "decided_on\n,customer_id,primary,trim|lowr,5,,me,2026-01-01\n",
            "`normalisation` should hold trim or lower, joined with a bar: write `lower`",
        ),
        (
            "experiment_arms",
            ARMS_HEADER + "winback,a,perhaps,1,1,,,,,,,\n",
            "line 2: `is_control` should be true or false",
        ),
        (
            "experiment_arms",
            ARMS_HEADER + "winback,a=b,true,1,1,,,,,,,\n",
            "line 2: `arm` should be a name without",
        ),
        (
            "experiment_arms",
            ARMS_HEADER + "winback,a,true,1,1,2026-02-01,2026-01-01,,,,,\n",
            "line 2: `valid_to` should be after `valid_from`",
        ),
        (
            "experiment_arms",
            ARMS_HEADER + "winback,a,false,0.6,1,,,,,,,\nwinback,b,true,0.3,1,,,,,,,\n",
            "line 2: `weight` of experiment key `winback`, allocation version `1` sums to 0.900000",
        ),
        (
            "experiment_arms",
            ARMS_HEADER + "winback,a,true,0.5,,,,,,,,\nwinback,a,true,0.5,1,,,,,,,\n",
            "line 3: `experiment_key` is that of line 2 with the same arm and allocation_version",
        ),
        (
            "experiment_arms",
            ARMS_HEADER + "winbak,a,true,1,1,,,,,,,\n",
            "`winbak` is no `experiment_key` of experiments.csv: write `winback`",
        ),
        (
            "metrics",
            f"metric_key,behavior,aggregation,label\n{'k' * 300},order_placed,any,x\n",
            "line 2: `metric_key` has 300 signs and may have 100",
        ),
        (
            "experiment_arms",
            ARMS_HEADER + f"winback,{'a' * 101},true,1,1,,,,,,,\n",
            "line 2: `arm` has 101 signs and may have 100",
        ),
        (
            "experiments",
            EXPERIMENTS_HEADER + f"big,variant,7,,hash,,s,2026-01-01,,,{2**63 - 1},,,,me\n",
            "line 2: `window_hours` should be at most 87600",
        ),
        (
            "audiences",
            "audience_key,workspace_id,segment_key,version,destination,destination_id,"
            "identifier_type,consent_attribute,heap_segment,min_parity,experiment_key,max_members,"
            "most_messages,messages_days,owner,expires_on\n"
            "all,7,vip,1,ads_file,meta,email,ads,,,,,3,3651,me,\n",
            "line 2: `messages_days` should be at most 3650",
        ),
        ("identity_thresholds", "workspace_id,minimum_rate\n,0.9\n", "set identity_minimum_rate"),
        ("experiment_arm", ARMS_HEADER, "is no registry: name it experiment_arms.csv"),
    ],
)
def test_a_registry_that_cannot_be_is_told_in_one_sentence(
    settings: Settings, folder: Path, name: str, text: str, says: str
) -> None:
    (folder / f"{name}.csv").write_text(text)
    said = faults(settings, folder)
    assert any(says in sentence for sentence in said), said
    assert all(sentence.startswith(f"{name}.csv") for sentence in said)


@pytest.mark.parametrize("alpha", ["0", "1", "nan", "inf", "1e400", "0,05", "5%"])
def test_an_error_rate_lies_between_zero_and_one(
    settings: Settings, folder: Path, alpha: str
) -> None:
    row = f'big,variant,7,,hash,,s,2026-01-01,,,1,order_rate,"{alpha}",9,me\n'
    (folder / "experiments.csv").write_text(EXPERIMENTS_HEADER + row)
    [said] = faults(settings, folder)
    assert said.startswith("experiments.csv line 2: `alpha` should be ")


MERGES = "workspace_id,primary_cio_id,secondary_cio_id,merged_at,reason\n"


def test_a_merge_into_itself_or_in_a_circle_is_told(settings: Settings, folder: Path) -> None:
    (folder / "identity_merges.csv").write_text(
        MERGES
        + "7,a,a,,x\n"  # line 2: into itself
        + "7,c,b,,x\n"
        + "7,d,c,,x\n"
        + "8,b,d,,x\n"  # of another workspace: no circle
        + "7,b,d,,x\n"  # line 6: b to c to d to b
        + "7,b,e,,x\n"  # into the circle, and no part of it
        + ",f,g,,x\n"
        + "9,g,f,,x\n"  # line 9: a line of all workspaces counts in each
        + "9,h,i,,x\n9,h,j,,x\n9,k,h,,x\n"  # a tree
        + ",l,l,,x\n"
    )
    assert faults(settings, folder) == [
        "identity_merges.csv line 2: `primary_cio_id` is the same as `secondary_cio_id`: leave the"
        " line out.",
        "identity_merges.csv line 6: `primary_cio_id` leads back to `secondary_cio_id` over lines"
        " 3, 4: leave one of them out.",
        "identity_merges.csv line 9: `primary_cio_id` leads back to `secondary_cio_id` over line 8:"
        " leave one of them out.",
        "identity_merges.csv line 13: `primary_cio_id` is the same as `secondary_cio_id`: leave the"
        " line out.",
    ]


def test_a_circle_of_any_length_is_found(settings: Settings, folder: Path) -> None:
    count = 20_000
    rows = [f"7,p{number + 1},p{number},,x\n" for number in range(count)]
    (folder / "identity_merges.csv").write_text(
        MERGES + "".join(reversed(rows)) + f"7,p0,p{count},,x\n"
    )
    [said] = faults(settings, folder)
    assert said == (
        f"identity_merges.csv line {count + 2}: `primary_cio_id` leads back to `secondary_cio_id`"
        " over lines 2, 3, 4 and 19,997 more: leave one of them out."
    )


def test_every_fault_of_every_file_is_told_at_once(settings: Settings, folder: Path) -> None:
    (folder / "experiments.csv").write_text(
        EXPERIMENTS_HEADER
        + "checkout-cta,variant,7,,attribute,,,2026-02-01,,,168,order_rat,0.05,20,me\n"
        + "onlyT,varient,7,,hash,,s,2026-02-01,2026-01-01,,0,order_rate,2,20,me\n"
        + "x'; drop table,variant,7,,hash,,s,,,,,,,,\n"
    )
    (folder / "experiment_arms.csv").write_text(
        ARMS_HEADER + "checkout-cta,T,false,0.5,1,,,,,,,\ncheckout-cta,C,true,NaN,1,,,,,,,\n"
    )
    (folder / "workspaces.csv").write_bytes(b"\xff\xfew\0")
    key = "should be a key of a to z, 0 to 9 and _ that starts with a letter, not"
    assert faults(settings, folder) == [
        f"experiment_arms.csv line 2: `experiment_key` {key} `checkout-cta`: write `checkout_cta`.",
        f"experiment_arms.csv line 3: `experiment_key` {key} `checkout-cta`: write `checkout_cta`.",
        "experiment_arms.csv line 3: `weight` should be a number such as 0.5.",
        f"experiments.csv line 2: `experiment_key` {key} `checkout-cta`: write `checkout_cta`.",
        "experiments.csv line 2: `attribute_name` is empty, and `assignment_source` attribute "
        "needs it.",
        "experiments.csv line 2: `primary_metric` `order_rat` is no `metric_key` of metrics.csv: "
        "write `order_rate`.",
        f"experiments.csv line 3: `experiment_key` {key} `onlyT`: write `only_t`.",
        "experiments.csv line 3: `kind` should be journey_holdout, global_holdout, variant or "
        "timing, not `varient`: write `variant`.",
        "experiments.csv line 3: `window_hours` should be at least 1.",
        "experiments.csv line 3: `alpha` should be below 1.",
        "experiments.csv line 3: `ended_at` should be after `started_at`.",
        f"experiments.csv line 4: `experiment_key` {key} (not shown).",
        "workspaces.csv is UTF-16: save it as UTF-8.",
    ]


def test_what_ours_name_may_be_gone_with_the_brand_that_ours_describe(
    settings: Settings, folder: Path
) -> None:
    row = "big,variant,7,,hash,,s,2026-01-01,,,1,order_rate,0.05,9,me\n"
    (folder / "experiments.csv").write_text(EXPERIMENTS_HEADER + row)
    registries.compose(settings, folder)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"workspace_id,name,time_zone\n7,a\0b,\n", "line 2 holds a NUL byte"),
        (b"workspace_id,name,time_zone\n7,x,\n8,\xe9t\xe9,\n", "line 3 is not UTF-8"),
        ("workspace_id,name,time_zone\n".encode("utf-16"), "is UTF-16"),
        (b"workspace_id,name,time_zone\n" + b"7,x,\n" * 60_000, "has more than 50,000 rows"),
        (b"workspace_id,name,time_zone\n" + b"7," + b"x" * 17 * 2**20, "has more than 16 MB"),
        (b"workspace_id,name,time_zone\n" + b'7,"' + b"x" * 2**18, "is not well-formed CSV"),
    ],
    ids=["nul", "latin", "utf16", "rows", "bytes", "quote"],
)
def test_a_file_that_is_no_registry_is_told(
    settings: Settings, folder: Path, content: bytes, says: str
) -> None:
    (folder / "workspaces.csv").write_bytes(content)
    said = faults(settings, folder)
    assert any(says in sentence for sentence in said), said[-1]
    assert len(said) <= registries.faults.MOST_A_FILE + 1


def test_what_is_no_file_is_told(settings: Settings, folder: Path) -> None:
    (folder / "workspaces.csv").mkdir()
    (folder / "metrics.csv").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "waivers.csv")
    assert faults(settings, folder) == [
        "metrics.csv cannot be read (no such file or directory).",
        "waivers.csv is no ordinary file: put a CSV file there.",
        "workspaces.csv is a folder: put a CSV file there.",
    ]


def test_a_mark_before_the_text_and_capitals_are_what_spreadsheets_write(
    settings: Settings, folder: Path
) -> None:
    arms = ARMS_HEADER + "winback,a,FALSE,0.5,1,,,,,,,\nwinback,b,TRUE,.5e0,1,,,,,,,\n"
    (folder / "experiment_arms.csv").write_bytes(
        b"\xef\xbb\xbf" + arms.replace(".5e0", "5E-1").replace("\n", "\r\n").encode()
    )
    registries.compose(settings, folder)


@example("bigint", "9999999999999999999")
@example("decimal(18,6)", "0.0000001")
@example("timestamp", "2026-06-01T02:00:00+02:00")
@settings_of_hypothesis(max_examples=300 if PROVE else 60, deadline=None)
@given(
    st.sampled_from(sorted(rule.type for rule in EVERY_RULE)),
    st.one_of(
        st.text(max_size=30),
        st.datetimes(min_value=datetime(1990, 1, 1)).map(lambda at: at.isoformat()),
        st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat(" ")),
        st.dates().map(str),
        st.floats().map(str),
        st.integers().map(str),
        st.from_regex(cells._TIME, fullmatch=True),
        st.from_regex(cells._NUMBER, fullmatch=True),
    ),
)
def test_a_cell_is_read_as_the_database_reads_it_or_refused(kind: str, text: str) -> None:
    """What passes here can be seeded, and means the same there."""
    if cells.is_empty(text):
        return
    try:
        value = cells.read(text, Rule("it", kind))
    except cells.Refused:
        return
    [(read,)] = duckdb.connect().execute(f"select cast(? as {kind})", [text]).fetchall()
    assert read == (pytest.approx(value) if isinstance(value, float) else value)


def test_the_database_knows_every_zone_that_passes() -> None:
    known = {
        name
        for (name,) in duckdb.connect().execute("select name from pg_timezone_names()").fetchall()
    }
    assert len(zones.known()) > 400
    assert zones.known() <= known


@pytest.mark.parametrize("total", [1 - 9e-7, 1 + 9e-7])
def test_weights_may_miss_one_by_a_millionth(
    settings: Settings, folder: Path, total: float
) -> None:
    weights = f"winback,a,false,{total - 0.5},1,,,,,,,\nwinback,b,true,0.5,1,,,,,,,\n"
    (folder / "experiment_arms.csv").write_text(ARMS_HEADER + weights)
    registries.compose(settings, folder)


def test_bytes_that_are_no_text_are_refused(settings: Settings, folder: Path) -> None:
    (folder / "workspaces.csv").write_bytes(b"workspace_id,name,time_zone\n7,\xff\xfe,\n")
    with pytest.raises(UsageError, match="UTF-8"):
        registries.compose(settings, folder)


def test_no_folder_no_build(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no folder"):
        registries.compose(settings, tmp_path / "nowhere")


def test_a_folder_without_a_registry_is_the_wrong_one(settings: Settings, folder: Path) -> None:
    (folder / "notes.csv").write_text("not,a,registry\n")
    with pytest.raises(UsageError, match="holds no registry"):
        registries.compose(settings, folder)


@settings_of_hypothesis(
    max_examples=300 if PROVE else 50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.sampled_from(sorted(declared(registries.OURS))), st.integers(0, 400), st.data())
def test_whatever_a_file_holds_is_read_or_told(
    settings: Settings, folder: Path, name: str, at: int, data: st.DataObject
) -> None:
    ours = (registries.OURS / f"{name}.csv").read_bytes()
    put = data.draw(st.one_of(st.binary(max_size=40), st.text(max_size=40).map(str.encode)))
    for path in folder.iterdir():
        path.unlink()
    (folder / f"{name}.csv").write_bytes(ours[:at] + put + ours[at + len(put) // 2 :])
    said = f"{name}.csv"
    try:
        registries.checked(folder)
    except UsageError as error:
        said = str(error)
    assert f"{name}.csv" in said
    assert all(line.isprintable() for line in said.split("\n"))


def test_our_own_registries_are_in_order_and_stand_as_they_would_be_written(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    copy = tmp_path / "ours"
    shutil.copytree(registries.OURS, copy)
    composed = registries.compose(make_settings(), copy)
    for path in registries.OURS.glob("*.csv"):
        assert (composed / path.name).read_text() == path.read_text(), path.name
    assert registries.experiment_keys(registries.OURS)


def test_only_a_line_break_ends_a_line(settings: Settings, folder: Path) -> None:
    (folder / "workspaces.csv").write_text("workspace_id,name,time_zone\n7,Se\u2028ven\x0b,UTC\n")
    composed = registries.compose(settings, folder)
    assert "Se\u2028ven\x0b" in (composed / "workspaces.csv").read_text()

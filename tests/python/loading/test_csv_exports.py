"""CSV exports of people and deliveries, read by the headings that a registry declares.

The headings here are of our own making: the vendor documents none.
"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from cli import app
from pipelines.console import Console
from pipelines.errors import UsageError
from pipelines.loading import load
from pipelines.settings import Settings

QUIET = Console(as_json=True)
FILES = (
    "file_pattern,family,workspace_id\npeople-of-*.csv,people,7\ndeliveries-*.csv,deliveries,7\n"
)
HEADINGS = (
    "family,heading,column_name\n"
    "people,Profile,internal_customer_id\n"
    "people,E-mail address,email_addr\n"
    "people,Changed,updated_at\n"
    "deliveries,Message,delivery_id\n"
    "deliveries,Profile,internal_customer_id\n"
    "deliveries,Kind,delivery_type\n"
    "deliveries,Made,created_at\n"
)
PEOPLE = (
    "Profile,customer_id,E-mail address,Changed,Shoe size\n"
    "aa01,c-1,ann@brand.example,2026-03-01 10:00:00,38\n"
    "aa02,c-2,,2026-03-02 10:00:00,41\n"
)
DELIVERIES = "Made,Message,Profile,Kind\n2026-03-02T10:00:00Z,d1,aa01,email\n"


@pytest.fixture
def registries(tmp_path: Path) -> Path:
    folder = tmp_path / "registries"
    folder.mkdir()
    (folder / "export_files.csv").write_text(FILES)
    (folder / "export_headings.csv").write_text(HEADINGS)
    return folder


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "people-of-march.csv").write_text(PEOPLE)
    (folder / "deliveries-1.csv").write_text(DELIVERIES)
    return folder


def rows(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(settings.raw_path), read_only=True) as connection:
        return list(connection.execute(query).fetchall())


def test_a_heading_is_read_as_the_registry_says_and_no_other(
    settings: Settings, export: Path, registries: Path
) -> None:
    """A heading that happens to be a column's name is not read either: nobody said so."""
    summary = load([str(export)], settings, QUIET, registries=registries)
    assert summary.quarantined == []
    assert rows(
        settings,
        "select workspace_id, internal_customer_id, customer_id, email_addr, updated_at::varchar"
        " from customerio.people order by 2",
    ) == [
        (7, "aa01", None, "ann@brand.example", "2026-03-01 10:00:00"),
        (7, "aa02", None, None, "2026-03-02 10:00:00"),
    ]
    assert rows(
        settings, "select workspace_id, delivery_id, delivery_type from customerio.deliveries"
    ) == [(7, "d1", "email")]
    columns = {name for (name,) in rows(settings, "select column_name from duckdb_columns()")}
    assert not {"shoe_size", "e_mail_address"} & columns


def test_only_a_star_stands_for_other_signs(
    settings: Settings, export: Path, registries: Path
) -> None:
    """Names may hold what other patterns are made of: each such sign stands for itself."""
    named = "file_pattern,family,workspace_id\npeople [1]?*.csv,people,7\n"
    (registries / "export_files.csv").write_text(named)
    for name in ("people [1]?-march.csv", "people 1x.csv", "people 1?.csv"):
        (export / name).write_text(PEOPLE)
    summary = load([str(export)], settings, QUIET, registries=registries)
    assert (summary.files_loaded, summary.quarantined) == (1, [])
    assert rows(settings, "select file_name from loads.files") == [("people [1]?-march.csv",)]


def test_nothing_is_known_of_such_a_file_without_a_registry(
    settings: Settings, export: Path
) -> None:
    with pytest.raises(UsageError, match="Nothing to load"):
        load([str(export)], settings, QUIET)


def test_what_must_be_there_must_be_named(
    settings: Settings, export: Path, registries: Path
) -> None:
    """And once it is named, the file that waited is read: no byte of it has to change."""
    named = "people,Changed,updated_at\n"
    (registries / "export_headings.csv").write_text(HEADINGS.replace(named, ""))
    summary = load([str(export)], settings, QUIET, registries=registries)
    assert summary.quarantined == [
        ("people-of-march.csv", "it lacks the required column `updated_at`")
    ]
    (registries / "export_headings.csv").write_text(HEADINGS)
    summary = load([str(export)], settings, QUIET, registries=registries)
    assert (summary.files_loaded, summary.files_known, summary.quarantined) == (1, 1, [])
    assert rows(settings, "select count(*) from loads.quarantine") == [(0,)]
    summary = load([str(export)], settings, QUIET, registries=registries)
    assert (summary.files_loaded, summary.files_known) == (0, 2)


@pytest.mark.parametrize(
    ("registry", "more", "says"),
    [
        (
            "export_headings",
            "deliveries,Made for,creatd_at\n",
            "line 9: `column_name` is no column of deliveries, which has .*: write `created_at`",
        ),
        ("export_headings", "people,Id,internal_customer_id\n", "line 9: `family` is that of"),
        ("export_files", "folder/*.csv,people,7\n", "line 4: `file_pattern` should be"),
        ("export_files", "deliveries.xlsx,people,7\n", "line 4: `file_pattern` should be"),
        ("export_files", "*-march.csv,people,8\n", "says two things of one file"),
    ],
)
def test_a_declaration_that_cannot_be_is_told(
    settings: Settings, export: Path, registries: Path, registry: str, more: str, says: str
) -> None:
    with (registries / f"{registry}.csv").open("a") as file:
        file.write(more)
    with pytest.raises(UsageError, match=says):
        load([str(export)], settings, QUIET, registries=registries)


def test_a_dry_run_says_what_would_be_read_and_writes_nothing(
    tmp_path: Path, export: Path, registries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (export / "behavior.jsonl").write_text(
        '{"event_id": "e1", "email": "ann@brand.example", "event_name": "order_placed",'
        ' "occurred_at": "2026-03-01", "coupon": "X"}\n'
    )
    (export / "behavior-2.csv").write_text(
        "event_id,email,event_name,occurred_at\n"
        + "".join(f"b{number},a@brand.example,x,2026-03-01\n" for number in range(30))
        + "b30,a@brand.example\n,a@brand.example,x,2026-03-01\n"
    )
    (export / "deliveries-2.csv").write_text("Made,Message\nyesterday,d2\n")
    (export / "notes.txt").write_text("hello")
    monkeypatch.setenv("COUNTERFOIL_HOME", str(tmp_path / "home"))
    arguments = ["load", str(export), "--registries", str(registries), "--dry-run"]

    told = CliRunner().invoke(app, arguments)
    assert told.exit_code == 0, told.output
    assert told.stdout.splitlines() == [
        "behavior: 30 rows from behavior-2.csv",
        "  reads event_id, email, event_name, occurred_at",
        "  lacks customer_id, product_id, category, value",
        "  would tell 2 bad lines of behavior-2.csv",
        "deliveries of workspace 7: 1 rows from deliveries-1.csv",
        "  reads workspace_id, delivery_id (from Message), internal_customer_id (from Profile),"
        " delivery_type (from Kind), created_at (from Made)",
        "  lacks campaign_id, action_id, newsletter_id, content_id, trigger_id,"
        " transactional_message_id, seq_num, subject_id, event_id",
        "people of workspace 7: 2 rows from people-of-march.csv",
        "  reads workspace_id, internal_customer_id (from Profile), email_addr (from E-mail"
        " address), updated_at (from Changed)",
        "  lacks customer_id, deleted, suppressed, created_at",
        "  leaves out customer_id, Shoe size",
        "behavior: 1 rows from behavior.jsonl",
        "  reads event_id, email, event_name, occurred_at, coupon",
        "  lacks customer_id, product_id, category, value",
        "Would skip notes.txt: not a file that Counterfoil knows.",
        "Would quarantine deliveries-2.csv: line 2: the column `created_at` holds a value that is"
        " not a time (like aaaaaaaaa) (more than one line in 10 is bad).",
        "Nothing was loaded. A load would read 34 rows from 4 new files and tell 2 bad lines; 0 are"
        " known, 1 unknown, 1 cannot be read.",
    ]
    strict = json.loads(CliRunner().invoke(app, [*arguments, "--strict", "--json"]).stdout)
    assert [bad["file_name"] for bad in strict["dry_run"]["rejected"]] == [
        "behavior-2.csv",
        "deliveries-2.csv",
    ]
    groups = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)["dry_run"]["groups"]
    assert [group["set_aside"] for group in groups if group["set_aside"]] == [{"behavior-2.csv": 2}]
    assert not (tmp_path / "home").exists()

    CliRunner().invoke(app, [argument for argument in arguments if argument != "--dry-run"])
    before = {path: path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file()}
    again = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)["dry_run"]
    assert (again["groups"], again["files_known"]) == ([], 4)
    assert [bad["file_name"] for bad in again["rejected"]] == ["deliveries-2.csv"]
    assert before == {
        path: path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file()
    }

"""The identity commands and guards, on a small sample brand beside a thousand people."""

from __future__ import annotations

import csv
import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import data_folder
from parts import build_part
from publisher_home import mark_whole
from typer.testing import CliRunner, Result

from cli import app
from pipelines import registries
from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.heap.ledger import Ledger
from pipelines.identity.check import check
from pipelines.identity.lock import lock_identity, require_true_rehearsals
from pipelines.identity.migrate import rehearse
from pipelines.identity.sample import draw_sheet, read_sheet
from pipelines.loading import load
from pipelines.sample import write_sample
from pipelines.settings import PROJECT_DIR, Settings
from pipelines.warehouse import invoke

FAKE_WORKSPACE = 999_000
STRANGE_WORKSPACE = 999_001  # nobody there was ever in Heap
SELECTION = " ".join(
    f"+{name}"
    for name in (
        "map_identifiers",
        "dim_persons",
        "fct_identity_match_rate",
        "fct_identity_match_rate_by_arm",
        "fct_identity_populations",
        "fct_identity_links",
        "fct_identity_refused_links",
        "fct_identity_changes",
    )
)
QUIET = Console(as_json=True)
AS_OF = datetime(2030, 1, 1)


def build_identity(
    settings: Settings, select: str = SELECTION, registries: Path | None = None
) -> None:
    build_part(settings, AS_OF, select, registries=registries)
    mark_whole(settings.home, AS_OF)  # identity is all that these tests read


def write_people(rows: str, workspace: int, export: Path) -> None:
    """Profiles of a workspace of their own from a query of (number, email)."""
    export.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (
                select
                    {workspace}::bigint as workspace_id,
                    concat('row-', {workspace}, '-', number) as customer_id,
                    printf('%08x', number::bigint) as internal_customer_id,
                    false as deleted,
                    false as suppressed,
                    timestamp '2026-01-01' as created_at,
                    timestamp '2026-01-01' as updated_at,
                    upper(email) as email_addr
                from ({rows})
            ) to '{export}/people_v5_{workspace}_241600000000300001.parquet'
            """
        )


@pytest.fixture(scope="module")
def fake_people() -> Path | None:
    """fake_1000.csv where the real data is at hand."""
    folder = data_folder()
    path = folder / "identity" / "fake_1000.csv" if folder else None
    return path if path and path.is_file() else None


@pytest.fixture(scope="module")
def home(fake_people: Path | None, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("identity")
    write_sample(folder / "brand", people=1_500, seed=7, effect=None, console=QUIET)
    strangers = (
        "select i as number, concat('x', i, '@example.com') as email from range(30) as t (i)"
    )
    write_people(strangers, STRANGE_WORKSPACE, folder / "more")
    if fake_people is not None:
        fakes = f"select unique_id as number, email from read_csv('{fake_people}')"
        write_people(fakes, FAKE_WORKSPACE, folder / "more")
    settings = Settings(_env_file=None).model_copy(  # type: ignore[call-arg]
        update={"home": folder / "home"}
    )
    exports = [str(folder / "brand" / "export"), str(folder / "more")]
    assert load(exports, settings, QUIET).failure is None
    build_identity(settings)
    return settings


def ask(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        rows: list[tuple[Any, ...]] = connection.execute(query).fetchall()
    return rows


def test_equal_addresses_join_no_two_clusters(home: Settings, fake_people: Path | None) -> None:
    if fake_people is None:
        pytest.skip("the real data is not on this machine")
    rows = ask(
        home,
        f"""
        select count(*), count(distinct person_id), max(clusters)
        from (
            select
                profiles.person_id,
                count(distinct fake.cluster) over (partition by profiles.person_id) as clusters
            from identity.int_identity__profiles as profiles
            inner join read_csv('{fake_people}') as fake
                on profiles.cio_id = printf('%08x', fake.unique_id)
            where profiles.workspace_id = {FAKE_WORKSPACE}
        )
        """,
    )
    ((count_profiles, count_persons, most_clusters),) = rows
    assert (count_profiles, most_clusters) == (1_000, 1)
    assert count_persons < 800  # and it did join


def test_check_names_who_does_not_meet(home: Settings) -> None:
    found = check(home, QUIET)
    brand = max(found.workspaces, key=lambda rate: rate.count_persons)
    assert brand.match_rate is not None
    assert 0.7 < brand.match_rate < 1
    assert brand.is_met
    names = {population.population for population in found.populations}
    assert "in Heap only through server calls" in names
    assert found.failure is not None
    assert "Identity does not meet in workspace 999" in str(found.failure)
    assert "customer_id here, nothing there" in str(found.failure)


def test_who_counts_as_matched_has_that_status(home: Settings) -> None:
    """Deleted and suppressed people count neither as matched nor as identifiable."""
    found = ask(
        home,
        """
        select
            count(*) filter (where match_status = 'matched'),
            count(*) filter (where is_publishable),
            count(*) filter (where match_status in ('deleted', 'suppressed') and is_known_in_heap)
        from marts.dim_persons where workspace_id = 208301
        """,
    )
    rates = ask(
        home,
        "select count_matched, count_identifiable from marts.fct_identity_match_rate "
        "where workspace_id = 208301",
    )
    ((count_matched, count_publishable, count_known_but_gone),) = found
    assert count_known_but_gone > 0
    assert rates == [(count_matched, count_publishable)]


def test_match_rate_by_arm_covers_the_assigned(home: Settings) -> None:
    schema = schema_of(home, "fct_experiment_assignments")
    ((by_arm, assigned),) = ask(
        home,
        f"""
        select
            (select sum(count_persons) from marts.fct_identity_match_rate_by_arm),
            (select count(*) from {schema}.fct_experiment_assignments)
        """,
    )
    assert by_arm == assigned > 0


def schema_of(settings: Settings, relation: str) -> str:
    ((schema,),) = ask(
        settings,
        f"select table_schema from information_schema.tables where table_name = '{relation}'",
    )
    return str(schema)


def test_sheet_is_reproducible_and_stratified(home: Settings, tmp_path: Path) -> None:
    sheets = [draw_sheet(home, QUIET, out=tmp_path / name, size=40, seed=3) for name in "ab"]
    assert sheets[0].path.read_bytes() == sheets[1].path.read_bytes()
    assert sheets[0].count_persons == 40
    assert {"matched", "unmatched", "merged"} <= set(sheets[0].strata)
    other = draw_sheet(home, QUIET, out=tmp_path / "c", size=40, seed=4)
    assert other.path.read_bytes() != sheets[0].path.read_bytes()
    with pytest.raises(UsageError, match="20 to 50"):
        draw_sheet(home, QUIET, out=tmp_path / "d", size=51)


def test_sheet_is_read_back_with_wilson_limits(home: Settings, tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    draw_sheet(home, QUIET, out=path, size=20)
    with pytest.raises(CounterfoilError, match="no verdicts"):
        read_sheet(path, QUIET)
    with path.open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    for number, row in enumerate(rows):
        row["verdict"] = "" if number == 0 else "No" if number == 1 else "yes"
    with path.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    found = read_sheet(path, QUIET)
    assert (found.count_right, found.count_judged, found.count_open) == (18, 19, 1)
    assert found.low == pytest.approx(0.7536, abs=1e-3)  # Wilson for 18 of 19, by hand
    assert found.high == pytest.approx(0.9906, abs=1e-3)
    with pytest.raises(CounterfoilError, match="holds verdicts already"):
        draw_sheet(home, QUIET, out=path)


def test_rehearsal_counts_everybody_once(home: Settings, tmp_path: Path) -> None:
    found = rehearse(home, QUIET, to="email", out=tmp_path / "map.csv")
    told = ask(home, "select count(*) from marts.dim_persons where is_publishable")
    counted = (
        found.count_mapped + found.count_unchanged + found.count_orphaned + found.count_collided
    )
    assert told == [(counted,)]
    assert found.count_mapped > 0
    assert found.count_doubled > 0  # Heap knows them by their id
    with found.mapping.open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == counted
    kept = [row["new_identity"] for row in rows if row["outcome"] in {"mapped", "unchanged"}]
    assert len(kept) == len(set(kept))
    with pytest.raises(CounterfoilError, match="already"):
        rehearse(home, QUIET, to="customer_id")


def test_rehearsal_reads_the_verdict_and_the_limit(home: Settings, tmp_path: Path) -> None:
    """Of mapped persons: the first loses the verdict, the second the same address as the first,
    the third an address that is short enough."""
    before = rehearse(home, QUIET, to="email", out=tmp_path / "before.csv")
    with before.mapping.open(newline="") as handle:
        mapped = [r["person_id"] for r in csv.DictReader(handle) if r["outcome"] == "mapped"]
    refused, twin, long = mapped[:3]
    changed = home.model_copy(update={"home": tmp_path / "home"})
    shutil.copytree(home.home, changed.home)
    of_email = "identity.int_identity__candidates where identifier_type = 'email' and person_id ="
    with duckdb.connect(str(changed.warehouse_path)) as db:
        db.execute(
            f"""
            update marts.dim_persons
            set is_publishable = false, refusal_reason = 'no identity'
            where person_id = '{refused}';
            update identity.int_identity__candidates
            set heap_spelling = (select heap_spelling from {of_email} '{refused}')
            where identifier_type = 'email' and person_id = '{twin}';
            update identity.int_identity__candidates
            set is_too_long = true
            where identifier_type = 'email' and person_id = '{long}'
            """
        )
    after = rehearse(changed, QUIET, to="email", out=tmp_path / "after.csv")
    with after.mapping.open(newline="") as handle:
        outcomes = {row["person_id"]: row["outcome"] for row in csv.DictReader(handle)}
    assert refused not in outcomes
    assert (outcomes[twin], outcomes[long]) == ("collided", "orphaned")
    assert after.count_mapped == before.count_mapped - 3


def run_command(home: Settings, *arguments: str) -> Result:
    return CliRunner().invoke(
        app, ["identity", *arguments], env={"COUNTERFOIL_HOME": str(home.home)}
    )


def test_the_check_command_fails_with_its_reason_after_its_facts(home: Settings) -> None:
    result = run_command(home, "check", "--json")
    assert result.exit_code == 1
    facts = json.loads(result.stdout)["identity_check"]
    assert {rate["workspace_id"] for rate in facts["workspaces"]} >= {STRANGE_WORKSPACE}
    assert result.stderr.startswith("Error: Identity does not meet in workspace 999")


def test_the_sample_command_draws_a_sheet_and_reads_it_back(home: Settings, tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    drawn = run_command(home, "sample", "--out", str(path), "--size", "20", "--seed", "5")
    assert drawn.exit_code == 0, drawn.output
    assert "@" not in drawn.output
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    verdict = header.split(",").index("verdict")
    assert len(lines) == 20
    read = list(csv.reader(lines))
    for row in read:
        row[verdict] = "yes"
    with path.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([header.split(","), *read])
    judged = run_command(home, "sample", str(path))
    assert judged.exit_code == 0, judged.output
    assert "20 of 20" in judged.output
    assert run_command(home, "sample", "--size", "51").exit_code == 2


def test_the_migrate_command_rehearses_and_changes_nothing(home: Settings, tmp_path: Path) -> None:
    before = home.warehouse_path.stat().st_mtime_ns
    out = tmp_path / "map.csv"
    result = run_command(home, "migrate", "--to", "email", "--out", str(out))
    assert result.exit_code == 0, result.output
    for said in ("orphaned", "collided", "months", "the old roles in identity_rules.csv"):
        assert said in result.output.lower()
    assert "@" not in result.output
    assert out.is_file()
    assert home.warehouse_path.stat().st_mtime_ns == before
    refused = run_command(home, "migrate", "--to", "shoe_size")
    assert refused.exit_code == 2
    assert "Traceback" not in refused.output


RULES = (PROJECT_DIR / "seeds" / "identity_rules.csv").read_text(encoding="utf-8")
LOCK = "workspace_id,identifier_type,rehearsal\n"


def test_a_changed_primary_identifier_needs_a_migration(home: Settings, tmp_path: Path) -> None:
    swapped = RULES.replace("customer_id,primary", "customer_id,fallback").replace(
        "email,fallback", "email,primary"
    )
    (tmp_path / "identity_rules.csv").write_text(swapped, encoding="utf-8")
    lock = tmp_path / "identity_lock.csv"
    lock.write_text(LOCK + ",email,first choice\n", encoding="utf-8")
    with pytest.raises(CounterfoilError, match="changed from customer_id to email"):
        build_identity(home, "+int_identity__rules", tmp_path)
    # nor does making everything anew forget what was built before
    given = ["--vars", json.dumps({"as_of": str(AS_OF)}), "--exclude", "resource_type:test"]
    composed = registries.compose(home, tmp_path)
    with pytest.raises(CounterfoilError, match="changed from customer_id to email"):
        invoke(home, composed, ["build", *given, "resource_type:unit_test", "--full-refresh"])
    ours = (PROJECT_DIR / "seeds" / "identity_migrations.csv").read_text(encoding="utf-8")
    migrations = tmp_path / "identity_migrations.csv"
    there = f"{ours},customer_id,email,2026-07-01,Lifecycle,rehearsed\n"
    migrations.write_text(there, encoding="utf-8")
    lock.write_text(LOCK + ",email,rehearsed\n", encoding="utf-8")
    build_identity(home, "+int_identity__rules", tmp_path)
    assert ask(
        home,
        "select distinct identifier_type from identity.int_identity__rules where role = 'primary'",
    ) == [("email",)]
    back = ",email,customer_id,2026-08-01,Lifecycle,and back\n"
    migrations.write_text(there + back, encoding="utf-8")
    lock.write_text(LOCK + ",customer_id,and back\n", encoding="utf-8")
    (tmp_path / "identity_rules.csv").write_text(RULES, encoding="utf-8")
    build_identity(home, "+int_identity__rules", tmp_path)


def test_no_rule_no_build(home: Settings, tmp_path: Path) -> None:
    (tmp_path / "identity_rules.csv").write_text(RULES.splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(CounterfoilError, match="declares no primary identifier"):
        build_identity(home, "+int_identity__rules", tmp_path)


SWAPPED = RULES.replace("customer_id,primary", "customer_id,fallback").replace(
    "email,fallback", "email,primary"
)
NONE = "workspace_id,from_identifier_type,to_identifier_type,decided_on,owner,rehearsal\n"


def test_our_primary_identifier_is_locked_as_it_is(tmp_path: Path, settings: Settings) -> None:
    summary = lock_identity(settings, QUIET, check=True)
    assert (summary.locked, summary.unchanged) == ((), ("customer_id for all workspaces",))
    for name in ("identity_rules", "identity_lock", "identity_migrations"):
        shutil.copy(PROJECT_DIR / "seeds" / f"{name}.csv", tmp_path)
    (tmp_path / "identity_rules.csv").write_text(SWAPPED, encoding="utf-8")
    with pytest.raises(CounterfoilError, match="is not locked as it is"):
        lock_identity(settings, QUIET, registries=tmp_path, check=True)
    (tmp_path / "identity_rules.csv").write_text(RULES.splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(CounterfoilError, match="declares no primary identifier"):
        lock_identity(settings, QUIET, registries=tmp_path)


def test_a_fresh_warehouse_holds_the_rules_to_the_lock(settings: Settings, tmp_path: Path) -> None:
    """As in CI, where nothing remembers what was built before."""
    for name in ("identity_lock", "identity_migrations"):
        shutil.copy(PROJECT_DIR / "seeds" / f"{name}.csv", tmp_path)
    (tmp_path / "identity_rules.csv").write_text(SWAPPED, encoding="utf-8")
    with pytest.raises(CounterfoilError, match=r"email in .*customer_id is locked.*identity lock"):
        build_identity(settings, "+int_identity__rules", tmp_path)
    # a lock that was edited by hand, with no migration behind it
    lock = tmp_path / "identity_lock.csv"
    lock.write_text(lock.read_text().replace("customer_id", "email"), encoding="utf-8")
    with pytest.raises(CounterfoilError, match=r"locks email on .*last migration .* otherwise"):
        build_identity(settings, "+int_identity__rules", tmp_path)
    # other rules come without our migrations; their first choice is free, once it is locked
    for name in ("identity_lock", "identity_migrations"):
        (tmp_path / f"{name}.csv").unlink()
    with pytest.raises(CounterfoilError, match=r"customer_id is locked.*lock --registries DIR"):
        build_identity(settings, "+int_identity__rules", tmp_path)
    lock_identity(settings, QUIET, registries=tmp_path)
    assert lock.read_text() == LOCK + ",email,first choice\n"
    build_identity(settings, "+int_identity__rules", tmp_path)
    (tmp_path / "identity_rules.csv").write_text(RULES, encoding="utf-8")
    settings.warehouse_path.unlink()
    with pytest.raises(CounterfoilError, match=r"customer_id in .*email is locked"):
        build_identity(settings, "+int_identity__rules", tmp_path)


def test_a_lock_changes_by_a_rehearsal_that_is_still_true(home: Settings, tmp_path: Path) -> None:
    moved = home.model_copy(update={"home": tmp_path / "home"})
    moved.home.mkdir()
    shutil.copy(home.warehouse_path, moved.warehouse_path)
    folder = tmp_path / "registries"
    folder.mkdir()
    rules, migrations = folder / "identity_rules.csv", folder / "identity_migrations.csv"
    lock = folder / "identity_lock.csv"
    rules.write_text(RULES, encoding="utf-8")
    lock_identity(moved, QUIET, registries=folder)
    first = lock.read_text()
    rules.write_text(SWAPPED, encoding="utf-8")
    found = rehearse(moved, QUIET, to="email")
    decided = found.declaration.replace("<decided on>", "2026-07-01").replace("<owner>", "Ops")
    wrong = decided[:-1] + ("0" if decided[-1] != "0" else "1")
    for row, why in (
        ("", "rehearse the change with"),
        (decided.replace("customer_id,email", "email,customer_id"), "rehearse the change with"),
        (",customer_id,email,2026-07-01,Ops,", "rehearse the change with"),
        (wrong, "is not what a change to email would do now"),
    ):
        migrations.write_text(f"{NONE}{row}\n" if row else NONE, encoding="utf-8")
        with pytest.raises(CounterfoilError, match=why):
            lock_identity(moved, QUIET, registries=folder)
        assert lock.read_text() == first
    migrations.write_text(f"{NONE}{decided}\n", encoding="utf-8")
    summary = lock_identity(moved, QUIET, registries=folder)
    assert summary.locked == ("email for all workspaces",)
    assert lock.read_text().endswith(f"\n,email,{decided.rpartition(',')[2]}\n")
    # one person less by the time of the build: where Heap was told, nobody may go by that
    with duckdb.connect(str(moved.warehouse_path)) as db:
        db.execute(
            "delete from marts.dim_persons where person_id = "
            "(select min(person_id) from marts.dim_persons where is_publishable)"
        )
    require_true_rehearsals(moved, folder)
    with Ledger(moved) as ledger:
        ledger.db.execute("insert into receipts (publish_key) values ('a key')")
    with pytest.raises(CounterfoilError, match="is not what a change to email would do now"):
        require_true_rehearsals(moved, folder)
    shutil.copy(home.warehouse_path, moved.warehouse_path)
    require_true_rehearsals(moved, folder)

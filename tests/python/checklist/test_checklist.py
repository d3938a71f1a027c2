"""The checklist: every line measured, and seen to fail for the cause that it names."""

from __future__ import annotations

import inspect
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from rebuilt import compiled, rebuilt
from review_home import built_home, changed, settings_for
from terminal import on_a_terminal, piped, rows_of

from pipelines.checklist import Checklist, Line, measure
from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.heap.ledger import Ledger
from pipelines.review.page import write_page
from pipelines.road import write_checklist
from pipelines.settings import PROJECT_DIR

LINES = (
    "identifier_declared",
    "identifier_unchanged",
    "match_rate",
    "spot_check",
    "naming",
    "same_source",
    "standard_events",
    "event_recency",
    "key_properties",
    "exposure_without_click",
    "segments",
    "state_and_history",
    "holdouts",
    "major_holdouts",
    "sample_ratio",
    "holdouts_apart",
    "cadence",
    "cadence_kept",
    "freshness",
    "gaps",
    "webhooks",
    "quarantine",
    "rejected_rows",
    "refusals",
    "dead_letters",
    "read_back",
    "told_otherwise",
    "audiences",
    "audience_parity",
    "landed",
    "page",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built brand with its page."""
    built = built_home(tmp_path_factory)
    write_page(settings_for(built))
    return built


def line(checklist: Checklist, name: str) -> Line:
    return next(found for found in checklist.lines if found.name == name)


def read_back(home: Path, folder: Path, keys: list[str], until: str) -> Line:
    """The line after three acknowledged events and one property, and these keys read back."""
    events = ", ".join(
        f"('e{number}', 'u1', '{key}', 'cio_message_sent', timestamp '2026-05-01')"
        for number, key in enumerate(keys)
    )
    settings = changed(
        home,
        folder,
        "insert into staging.stg_heap__events values "
        f"('e99', 'u1', null, 'pageviews', timestamp '{until}'), {events}",
    )
    with Ledger(settings) as ledger:
        for number, kind in enumerate(("event", "event", "event", "user_properties")):
            ledger.db.execute(
                "insert into receipts (publish_key, heap_identity, kind, acknowledged_at) "
                f"values ('k{number}', 'i', '{kind}', timestamp '2026-05-02')"
            )
    return line(measure(settings), "read_back")


def test_receipts_are_looked_for_in_what_heap_gives_back(home: Path, tmp_path: Path) -> None:
    kept = read_back(home, tmp_path / "kept", ["k0", "k1", "k2", "k2"], "2026-05-03")
    assert (kept.verdict, kept.measured) == ("ok", "3 of 3 receipts found")
    lost = read_back(home, tmp_path / "lost", ["k0", "k2"], "2026-05-03")
    assert (lost.verdict, lost.measured) == ("fail", "2 of 3 receipts found")
    early = read_back(home, tmp_path / "early", ["k0"], "2026-05-01")
    assert early.verdict == "not applicable"


def test_every_line_is_measured(home: Path) -> None:
    """On the sample brand each line says what was found, against what, and what to do."""
    checklist = measure(settings_for(home))
    assert tuple(found.name for found in checklist.lines) == LINES
    for found in checklist.lines:
        assert found.measured
        assert found.threshold
        assert found.advice
    assert line(checklist, "dead_letters").verdict == "not applicable"
    assert line(checklist, "dead_letters").facts()["verdict"] == "not applicable"
    for name in ("identifier_declared", "exposure_without_click", "holdouts", "holdouts_apart"):
        assert line(checklist, name).verdict == "ok"
    assert "Welcome series" in line(checklist, "holdouts").measured
    text = checklist.text()
    assert len(text.splitlines()) == 1 + len(LINES)
    assert checklist.facts()["count_failed"] == checklist.count_failed


def test_on_a_terminal_what_fails_stands_first(home: Path) -> None:
    """Each failing line with what is asked and what to do; the same order where programs read."""
    checklist = measure(settings_for(home))
    failing = [found for found in checklist.lines if found.verdict == "fail"]
    assert failing
    assert checklist.lines[0].verdict == "ok"
    drawn = on_a_terminal("cli.py", "checklist", home=home, width=400)
    title, _, *rows = [" ".join(words) for words in rows_of(drawn)]
    asked = sum(found.verdict != "not applicable" for found in checklist.lines)
    assert title.startswith(
        f"Checklist of the implementation: {len(failing)} of {asked} lines need attention; "
    )
    assert [row for row in rows if row.startswith("FAIL ")] == rows[: 3 * len(failing) : 3]
    assert rows[:3] == [
        f"FAIL {failing[0].title} {failing[0].measured}",
        f"asked: {failing[0].threshold}",
        f"to do: {failing[0].advice}",
    ]
    assert {row.split()[0] for row in rows[3 * len(failing) :]} == {"ok", "n.a."}
    said = piped("cli.py", "checklist", home=home)
    assert said == checklist.text() + "\n"
    verdicts = [row.split()[0] for row in said.splitlines()[1:]]
    assert verdicts[: len(failing)] == ["FAIL"] * len(failing)
    assert verdicts == sorted(verdicts, key=["FAIL", "waived", "ok", "n.a."].index)
    assert [row.split("  ", 2)[2] for row in said.splitlines()[1 : 1 + len(failing)]] == [
        found.sentence for found in failing
    ]


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("identifier_declared", "update registries.identity_rules set owner = null"),
        (
            "identifier_unchanged",
            "insert into marts.map_identifiers by name "
            "select * replace (identifier || '-new' as identifier) from marts.map_identifiers "
            "where identifier_type = 'customer_id'",
        ),
        (
            "match_rate",
            "update marts.fct_identity_match_rate set match_rate = 0.1, is_met = false",
        ),
        ("standard_events", "delete from heap.heap_cio_goal_converted"),
        ("standard_events", "update heap.heap_cio_message_sent set publish_key = 'same'"),
        (
            "exposure_without_click",
            "delete from heap.heap_cio_message_sent where delivery_id not in "
            "(select delivery_id from heap.heap_cio_message_clicked)",
        ),
        (
            "segments",
            "update marts.dim_segment_versions set owner = null where segment_key = 'vip'",
        ),
        ("segments", "update marts.dim_segment_versions set is_exported = segment_key = 'vip'"),
        ("state_and_history", "delete from heap.heap_user_properties"),
        ("holdouts", "update registries.experiment_arms set is_control = false"),
        (
            "sample_ratio",
            "update marts.fct_experiment_health set verdict = 'invalid', value = 50 "
            "where guardrail = 'srm' and experiment_key = 'cart_recovery'",
        ),
        (
            "holdouts_apart",
            "update marts.fct_message_exposures set exposure_kind = 'ghost' where delivery_id = "
            "(select min(delivery_id) from heap.heap_cio_message_sent)",
        ),
        ("freshness", "update marts.fct_source_freshness set verdict = 'stale'"),
        (
            "quarantine",
            "insert into marts.load_quarantine (file_name, family, reason, loaded_at) values "
            "('metrics_v5_1_1.parquet', 'metrics', 'It cannot be read.', timestamp '2026-06-01')",
        ),
        (
            "rejected_rows",
            "insert into marts.load_rejected_rows (file_name, family, line_number, reason) values "
            "('behavior.csv', 'behavior', 7, 'the line is not in UTF-8')",
        ),
        (
            "refusals",
            "insert into heap.heap_refusals select publish_key || 'x', 'cio_message_sent', "
            "'no identity' from heap.heap_cio_message_sent",
        ),
    ],
)
def test_each_line_fails_for_its_cause(home: Path, tmp_path: Path, name: str, cause: str) -> None:
    found = line(measure(rebuilt(home, tmp_path / "changed", cause)), name)
    assert found.verdict == "fail"
    assert f"FAIL  {found.title}" in found.text()
    assert found.advice in found.text()


@pytest.mark.parametrize(
    "broken",
    [
        {
            "spot_check": ("none was done", "delete from registries.spot_checks"),
            "naming": (
                "Order Completed tells 7 events that another name tells too",
                "insert into marts.fct_event_aliases values ('Order Completed', 7, 7)",
            ),
            "same_source": (
                "the same: cio_intent_tier = cio_ltv_tier",
                "update heap.heap_user_properties set cio_ltv_tier = cio_intent_tier",
            ),
            "event_recency": (
                "but message_sent last came ",
                "update heap.heap_cio_message_sent set occurred_at = occurred_at - interval 8 day",
            ),
            "key_properties": (
                "lacking: sms message_name 0.0%",
                "update heap.heap_cio_message_sent set message_name = null where channel = 'sms'",
            ),
            "major_holdouts": (
                "0 of 2 have one; without: Cart recovery, Replenishment reminder",
                "delete from marts.fct_experiment_assignments where arm = 'holdout'",
            ),
            "audience_parity": (
                "0.40",
                "update marts.fct_audience_parity set verdict = 'blocked', jaccard = 0.4",
            ),
        },
        {
            "same_source": (
                "the same: cio_journey_entered arm = segments",
                "update heap.heap_cio_journey_entered set segments = arm",
            ),
            "spot_check": ("37 of 40", "update registries.spot_checks set count_right = 37"),
            "event_recency": (
                "journey_entered came ",
                "delete from heap.heap_cio_journey_entered where "
                "occurred_at >= timestamp '2026-05-25' and hash(publish_key) % 5 > 0",
            ),
            "major_holdouts": (
                "0 of 2 have one",
                "update marts.fct_experiment_health set verdict = 'invalid' "
                "where guardrail = 'srm'",
            ),
        },
    ],
    ids=["what is missing", "what is bad"],
)
def test_several_lines_fail_at_once_each_for_its_cause(
    home: Path, tmp_path: Path, broken: dict[str, tuple[str, str]]
) -> None:
    causes = [cause for _, cause in broken.values()]
    checklist = measure(rebuilt(home, tmp_path / "changed", *causes))
    for name, (says, _) in broken.items():
        found = line(checklist, name)
        assert found.verdict == "fail", name
        assert says in found.measured
        assert found.advice in found.text()


def test_the_validation_of_a_journey_fails_line_by_line(home: Path, tmp_path: Path) -> None:
    """Half of the people do not meet, a property is gone, a message comes before its trigger."""
    settings = rebuilt(
        home,
        tmp_path / "changed",
        "update marts.dim_persons set match_status = 'unmatched' where hash(person_id) % 2 = 0",
        "update heap.heap_cio_message_sent set intent_tier = null where journey_id = '101'",
        "update marts.fct_message_exposures set minutes_since_trigger = -1 where delivery_id = "
        "(select min(delivery_id) from heap.heap_cio_message_sent "
        "where journey_id = '101' and workspace_id = 208301)",
        "update marts.fct_message_exposures set minutes_since_trigger = null "
        "where journey_id = '102' and hash(delivery_id) % 10 = 0",
        "insert into staging.stg_heap__events by name select publish_key, "
        "timestamp '2026-05-31' as occurred_at from heap.heap_cio_message_sent "
        "where journey_id = '102' or hash(publish_key) % 2 = 0",
    )
    cart = measure(settings, "208301/101")
    for name in ("found_in_heap", "arrival", "complete", "timing_report"):
        assert line(cart, name).verdict == "fail", name
    assert line(cart, "timing_report").measured.endswith(", 1 before the trigger")
    reminder = measure(settings, "102")
    assert line(reminder, "timing_report").verdict == "fail"
    assert line(reminder, "timing_report").measured.endswith(", 0 before the trigger")
    assert line(reminder, "arrival").verdict == "ok"


def test_gaps_are_told_until_there_are_none(home: Path, tmp_path: Path) -> None:
    """Whole families come first, and the sister brand of the sample has stopped."""
    found = line(measure(settings_for(home)), "gaps")
    assert found.verdict == "fail"
    assert ": deliveries of 208477 stopped (nothing for 478 hours;" in found.text()
    closed = rebuilt(home, tmp_path / "changed", "delete from marts.fct_input_gaps")
    assert line(measure(closed), "gaps").verdict == "ok"


def test_undeclared_cadence_fails(home: Path, tmp_path: Path) -> None:
    """The build writes what the models declare into the statement; here one declares otherwise."""
    settings = changed(home, tmp_path / "changed")
    manifest = settings.home / "manifest.json"
    text = manifest.read_text()
    assert "'hourly' as cadence" in text
    manifest.write_text(text.replace("'hourly' as cadence", "'now and then' as cadence"))
    found = line(measure(rebuilt(settings.home, tmp_path / "rebuilt")), "cadence")
    assert found.verdict == "fail"
    assert "heap_cio_message_sent now and then" in found.measured


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("cadence_kept", "'realtime' as kept_cadence", "'hourly' as kept_cadence", "leave hourly"),
        (
            "naming",
            "'cio_message_sent' as event_name",
            "'cio_message_shown' as event_name",
            "cio_message_shown is beyond the four and lacks an owner or a reason",
        ),
    ],
)
def test_what_models_declare_otherwise_fails(
    home: Path, tmp_path: Path, name: str, old: str, new: str, says: str
) -> None:
    """The build writes what the models declare into the statement; here one declares otherwise."""
    settings = changed(home, tmp_path / "changed")
    manifest = settings.home / "manifest.json"
    text = manifest.read_text()
    assert old in text
    text = text.replace(old, new)
    if name == "cadence_kept":
        text = text.replace("cast(1 as bigint) as kept_place", "cast(2 as bigint) as kept_place")
    else:
        text = text.replace("'Retention' as owner", "'' as owner")
    manifest.write_text(text)
    found = line(measure(rebuilt(settings.home, tmp_path / "rebuilt")), name)
    assert found.verdict == "fail"
    assert says in found.measured


def test_a_major_journey_may_be_waived_until_a_day(home: Path, tmp_path: Path) -> None:
    gone = "update registries.experiment_arms set is_control = false"
    both = [waiver("holdout", subject=f"'208301/{journey}'") for journey in (101, 102)]
    found = line(measure(rebuilt(home, tmp_path / "waived", gone, *both)), "major_holdouts")
    assert (found.verdict, found.measured) == ("ok", "0 of 2 have one, 2 waived for a time")
    late = [one.replace("2026-06-02", "2026-06-01") for one in both]
    found = line(measure(rebuilt(home, tmp_path / "late", gone, *late)), "major_holdouts")
    assert found.verdict == "fail"


def test_a_page_is_of_this_build_and_whole(home: Path, tmp_path: Path) -> None:
    """None at all is nothing to judge; one of another build, or with a tile missing, fails."""
    settings = changed(home, tmp_path / "changed")
    assert line(measure(settings), "page").verdict == "not applicable"
    page = write_page(settings).json
    assert line(measure(settings), "page").verdict == "ok"
    facts = json.loads(page.read_text())
    page.write_text(json.dumps(facts | {"missing": ["fct_checkout_funnel"]}))
    found = line(measure(settings), "page")
    assert (found.verdict, found.measured) == ("fail", "of this build, without fct_checkout_funnel")
    page.write_text(json.dumps(facts | {"basis": facts["basis"] | {"build": "an earlier one"}}))
    assert line(measure(settings), "page").verdict == "fail"
    page.rename(page.with_name("review-2026-05-25.json"))
    found = line(measure(settings), "page")
    assert (found.verdict, found.measured) == ("fail", "none is of this instant")


def test_dead_letters_and_receipts(home: Path, tmp_path: Path) -> None:
    """An open dead letter fails its line; a settled one does not."""
    settings = changed(home, tmp_path / "changed")
    with Ledger(settings) as ledger:
        ledger.db.execute(
            "insert into dead_letters (publish_key, kind, reason, status, first_seen_at, attempts) "
            "values ('k', 'cio_message_sent', 'refused', 'open', ?, 1)",
            [datetime(2026, 6, 1)],
        )
    assert line(measure(settings), "dead_letters").verdict == "fail"
    with Ledger(settings) as ledger:
        ledger.db.execute("update dead_letters set status = 'resolved'")
    checklist = measure(settings)
    assert line(checklist, "dead_letters").verdict == "ok"
    assert line(checklist, "read_back").verdict == "not applicable"


def test_what_heap_was_told_otherwise_fails_its_line(home: Path, tmp_path: Path) -> None:
    settings = changed(home, tmp_path / "changed")
    with Ledger(settings) as ledger:
        ledger.db.execute(
            "insert into receipts (publish_key, kind) values ('k0', 'event'), ('k1', 'event')"
        )
    assert line(measure(settings), "told_otherwise").verdict == "ok"
    with Ledger(settings) as ledger:
        ledger.db.execute(
            "insert into heap_told_otherwise (publish_key, what) values ('k1', 'arm'), ('k1', 'x')"
        )
    found = line(measure(settings), "told_otherwise")
    assert (found.verdict, found.measured) == ("fail", "1 of 2 events are otherwise now")
    with Ledger(settings) as ledger:
        ledger.db.execute("drop table heap_told_otherwise")
    with pytest.raises(CounterfoilError, match="older version: run `counterfoil plan`"):
        measure(settings)


def test_whom_customerio_was_told_of_and_lacks_fails_its_line(home: Path, tmp_path: Path) -> None:
    settings = changed(home, tmp_path / "changed")
    with Ledger(settings) as ledger:
        ledger.db.execute(
            "insert into audience_landings by name select 'sms' as audience_key, "
            "8 as count_told, 8 as count_landed, 0 as count_missing, 1 as count_foreign"
        )
    assert line(measure(settings), "landed").verdict == "ok"
    with Ledger(settings) as ledger:
        ledger.db.execute("update audience_landings set count_landed = 5, count_missing = 3")
    found = line(measure(settings), "landed")
    assert (found.verdict, found.measured) == ("fail", "5 of 8 landed, 1 added by others")


def waiver(rule: str, subject: str = "null", expires_on: str = "2026-06-02") -> str:
    return (
        f"insert into registries.waivers values ('{rule}', {subject}, 'until the audit', "
        f"'data platform', date '{expires_on}')"
    )


def test_a_waived_line_says_by_whom_and_until_when(home: Path, tmp_path: Path) -> None:
    """The sister brand of the sample has stopped; somebody accepts that until the next day."""
    checklist = measure(rebuilt(home, tmp_path / "waived", waiver("gaps")))
    found = line(checklist, "gaps")
    assert checklist.count_failed == 0
    assert checklist.text().splitlines()[0].endswith("0 fail, 1 waived, 7 not applicable")
    assert found.text().startswith("waived Nothing lacks in what comes in: ")
    assert (
        "deliveries of 208477 stopped (nothing for 478 hours; expected within 396)" in found.text()
    )
    assert found.text().endswith("Waived by data platform until 2026-06-02: until the audit")
    assert found.facts()["waived_by"] == "data platform"
    assert found.facts()["waived_until"] == "2026-06-02"
    assert "waived_by" not in line(checklist, "quarantine").facts()


@pytest.mark.parametrize(
    "too_late_or_elsewhere",
    [
        waiver("gaps", expires_on="2026-06-01"),
        waiver("gaps", subject="'208301/101'"),
        waiver("quarantine"),
    ],
)
def test_a_waiver_of_something_else_changes_nothing(
    home: Path, tmp_path: Path, too_late_or_elsewhere: str
) -> None:
    checklist = measure(rebuilt(home, tmp_path / "changed", too_late_or_elsewhere))
    assert line(checklist, "gaps").verdict == "fail"
    assert checklist.count_failed == 1


def test_a_waived_line_about_the_ledger(home: Path, tmp_path: Path) -> None:
    """It is measured when the command runs, and waived as every other line is."""
    settings = rebuilt(home, tmp_path / "waived", waiver("dead_letters"))
    with Ledger(settings) as ledger:
        ledger.db.execute(
            "insert into dead_letters (publish_key, kind, reason, status, first_seen_at, attempts) "
            "values ('k', 'cio_message_sent', 'refused', 'open', ?, 1)",
            [datetime(2026, 6, 1)],
        )
    found = line(measure(settings), "dead_letters")
    assert found.verdict == "waived"
    assert found.measured == "1 open, 0 settled"
    assert found.text() == (
        "waived Heap refused nothing that still waits: 1 open, 0 settled (none open). "
        "Waived by data platform until 2026-06-02: until the audit"
    )


def test_the_command_fails_with_a_failing_line_only(home: Path, tmp_path: Path) -> None:
    console = Console(as_json=True)
    with pytest.raises(CounterfoilError, match="1 checklist lines fail"):
        write_checklist(settings_for(home), console)
    write_checklist(rebuilt(home, tmp_path / "waived", waiver("gaps")), console)


@pytest.mark.parametrize(("rule", "count"), [("holdots", 1), ("told", 0), ("segment_budget", 0)])
def test_a_waiver_of_no_line_is_found(home: Path, tmp_path: Path, rule: str, count: int) -> None:
    """The build runs this test on the registry, and fails with its sentence."""
    settings = changed(home, tmp_path / "changed", waiver(rule))
    test = compiled(settings)["assert_waivers_name_a_line_or_budget"]
    with duckdb.connect(str(settings.warehouse_path)) as db:
        assert len(db.execute(test).fetchall()) == count


def test_one_journey(home: Path) -> None:
    """A journey with a holdout passes the lines that make it measurable."""
    checklist = measure(settings_for(home), "208301/101")
    assert "Cart recovery" in checklist.subject
    for name in ("entries", "names", "exposure", "clicks", "holdout", "arms", "holdout_label"):
        assert line(checklist, name).verdict == "ok", line(checklist, name)
    assert "ghosts" in line(checklist, "holdout_label").measured


def test_a_journey_without_holdout_fails_that_line(home: Path) -> None:
    found = line(measure(settings_for(home), "104"), "holdout")
    assert found.verdict == "fail"
    assert "no lift is shown" in found.advice


def test_one_id_in_two_workspaces(home: Path) -> None:
    """Both journeys of that id are checked, each line under its workspace."""
    checklist = measure(settings_for(home), "101")
    assert {found.title[:8] for found in checklist.lines} == {"[208301]", "[208477]"}


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("entries", "delete from marts.fct_journey_entries where journey_id = '101'"),
        ("names", "update marts.fct_message_exposures set message_name = null"),
        (
            "exposure",
            "update marts.fct_message_exposures set exposure_kind = 'none', "
            "not_exposed_reason = 'failed' where exposure_kind = 'real'",
        ),
        (
            "clicks",
            "update marts.fct_message_exposures set human_clicked_at = created_at "
            "where exposure_kind = 'ghost'",
        ),
        ("conversions", "delete from marts.fct_goal_conversions"),
        ("arms", "delete from marts.fct_experiment_assignments where arm = 'holdout'"),
        ("health", "update marts.fct_experiment_health set verdict = 'invalid'"),
        ("holdout_label", "update marts.fct_experiment_units set is_exposed_ghost = false"),
        ("holdout_label", "update marts.fct_experiment_units set is_exposed_real = true"),
        ("lift", "update marts.fct_lift set status = 'invalid', reasons = 'srm'"),
        ("told", "delete from heap.heap_cio_message_sent"),
        ("funnel", "delete from marts.fct_checkout_funnel"),
    ],
)
def test_each_line_of_a_journey_fails_for_its_cause(
    home: Path, tmp_path: Path, name: str, cause: str
) -> None:
    checklist = measure(rebuilt(home, tmp_path / "changed", cause), "208301/101")
    assert line(checklist, name).verdict == "fail"


ALONE: dict[str, Any] = {
    "gaps": test_gaps_are_told_until_there_are_none,
    "cadence": test_undeclared_cadence_fails,
    "page": test_a_page_is_of_this_build_and_whole,
    "dead_letters": test_dead_letters_and_receipts,
    "read_back": test_receipts_are_looked_for_in_what_heap_gives_back,
    "told_otherwise": test_what_heap_was_told_otherwise_fails_its_line,
    "landed": test_whom_customerio_was_told_of_and_lacks_fails_its_line,
    "holdout": test_a_journey_without_holdout_fails_that_line,
    "found_in_heap": test_the_validation_of_a_journey_fails_line_by_line,
    "arrival": test_the_validation_of_a_journey_fails_line_by_line,
    "complete": test_the_validation_of_a_journey_fails_line_by_line,
    "timing_report": test_the_validation_of_a_journey_fails_line_by_line,
}
"""Lines that a test of their own breaks."""

BROKEN_ALIKE: tuple[Any, ...] = (
    test_each_line_fails_for_its_cause,
    test_several_lines_fail_at_once_each_for_its_cause,
    test_what_models_declare_otherwise_fails,
    test_each_line_of_a_journey_fails_for_its_cause,
)


def test_every_line_has_a_fixture_that_fails_it() -> None:
    """A line that nothing breaks would be green for ever: here, or in a story of its model."""
    broken = {name for name, test in ALONE.items() if name in inspect.getsource(test)}
    assert broken == set(ALONE)
    for test in BROKEN_ALIKE:
        (mark,) = test.pytestmark
        for case in mark.args[1]:
            broken |= set(case) if isinstance(case, dict) else {case[0]}
    for path in (PROJECT_DIR / "models" / "checklist" / "workings").glob("*.yml"):
        for story in yaml.safe_load(path.read_text(encoding="utf-8")).get("unit_tests", []):
            for row in story["expect"]["rows"]:
                if row.get("is_met") is False:
                    broken.add(row["line"])
    text = (PROJECT_DIR / "macros" / "checklist" / "checklist_lines.sql").read_text("utf-8")
    listed = re.findall(r'"(\w+)"', text[: text.index("endmacro")])
    assert set(LINES) < set(listed)
    assert set(listed) - broken == set()


def test_what_is_printed_of_the_sample_brand(home: Path) -> None:
    """Every line of the implementation and of each journey, word for word."""
    journeys = (None, "101", "102", "103", "104", "105", "106", "107", "108", "109", "201")
    printed = [measure(settings_for(home), journey).text() for journey in journeys]
    expected = Path(__file__).with_name("sample_brand.txt").read_text(encoding="utf-8")
    assert "\n".join(printed) + "\n" == expected


def test_unknown_journey_lists_the_known(home: Path) -> None:
    with pytest.raises(UsageError, match=r"no journey 9.*101 \(Cart recovery\)"):
        measure(settings_for(home), "9")


def test_nothing_built(tmp_path: Path) -> None:
    with pytest.raises(CounterfoilError, match="run `counterfoil build` first"):
        measure(settings_for(tmp_path))

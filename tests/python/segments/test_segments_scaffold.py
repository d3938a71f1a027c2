"""`segments new`, and the recipe that an analyst follows, on a segment that is not in the set."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import duckdb
import pytest
from publisher_home import mark_whole
from segment_world import copy_project, make_home

from pipelines import warehouse
from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.segments.backtest import backtest
from pipelines.segments.lock import lock_segments
from pipelines.segments.scaffold import new_segment
from pipelines.settings import PROJECT_DIR, Settings

QUIET = Path("models/segments/quiet_subscriber")
WINBACK = Path("models/segments/winback_eligible")
AS_OF = '{"as_of": "2026-06-01 00:00:00"}'


def build(settings: Settings, project: Path, *select: str) -> list[str]:
    """Build and test what is selected; the names of what passed (nothing may fail)."""
    results = warehouse.invoke(
        settings,
        project / "seeds",
        ["build", "--vars", AS_OF, "--select", *select],
        project=project,
    )
    # dbt hangs the version on the name of a unit test
    return [re.sub(r"_v\d+$", "", str(result.node.name)) for result in results]


def test_the_recipe_from_scaffold_to_backtest(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    project = copy_project(tmp_path / "project")
    settings = make_home(tmp_path / "home")
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute(
            """
            insert into identity.int_identity__behavior_events
            select 'ann', 'order_placed', 'p', 'coffee', 10, timestamp '2026-03-01 10:00:00', 1,
                'o', 'order_placed'
            """
        )

    # a first version and a next one build and pass unedited
    console = Console(as_json=True)
    assert new_segment(console, "quiet_subscriber", project=project).name == "quiet_subscriber_v1"
    assert new_segment(console, "winback_eligible", project=project).name == "winback_eligible_v2"
    union = ["+fct_segment_memberships,path:models/segments", "fct_segment_memberships"]
    passed = build(settings, project, *union, "dim_segment_versions")
    assert "quiet_subscriber_v1_seven_days_from_a_visit" in passed
    assert {f"winback_eligible_v{n}_from_day_60_to_day_90" for n in (1, 2)} <= set(passed)

    # the recipe: its SQL and its unit test, as the page has them
    page = (PROJECT_DIR / "docs/recipes/segment.md").read_text(encoding="utf-8")
    (sql,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    (tests,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (project / QUIET / "quiet_subscriber_v1.sql").write_text(sql, encoding="utf-8")
    yml = project / QUIET / "quiet_subscriber.yml"
    head = yml.read_text(encoding="utf-8").partition("unit_tests:")[0]
    yml.write_text(head + tests, encoding="utf-8")
    passed = build(settings, project, "quiet_subscriber")
    assert "quiet_subscriber_v1_the_fifth_message_and_the_first_open" in passed

    # a changed copy of winback, locked beside the old one
    copy = project / WINBACK / "winback_eligible_v2.sql"
    text = copy.read_text(encoding="utf-8").replace('var("winback_from_days")', "45")
    copy.write_text(text, encoding="utf-8")
    spoken = project / WINBACK / "winback_eligible.yml"
    head, _, tests = spoken.read_text(encoding="utf-8").partition("unit_tests:")
    kept = [t for t in re.split(r"(?m)^(?=  - name)", tests) if "include: [2]" not in t]
    spoken.write_text(head + "unit_tests:" + "".join(kept), encoding="utf-8")
    locked = lock_segments(settings, console, project=project)
    assert locked.locked == ("quiet_subscriber_v1", "winback_eligible_v2")
    build(settings, project, *union, "dim_segment_versions")
    mark_whole(settings.home, datetime(2026, 6, 1))  # all that there is of this warehouse is built
    result = backtest(settings, console, "winback_eligible", from_version=1, to_version=2)
    # ordered on 1 March: day 60 is 30 April, day 45 is 15 April, both until 30 May
    assert (result.before.person_days, result.after.person_days) == (30, 45)
    assert result.jaccard_time == pytest.approx(30 / 45)


def test_wrong_use_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    project = copy_project(tmp_path / "project")
    console = Console(as_json=True)
    with pytest.raises(UsageError, match="snake_case"):
        new_segment(console, "Quiet-Subscriber", project=project)
    with pytest.raises(UsageError, match="at most 100 characters"):
        new_segment(console, "x" * 300, project=project)
    with pytest.raises(UsageError, match="no segment quiet_subscriber to take version 1 from"):
        new_segment(console, "quiet_subscriber", from_version=1, project=project)
    with pytest.raises(UsageError, match="has no version 7; it has 1"):
        new_segment(console, "vip", from_version=7, project=project)
    (project / "models/segments/vip/vip.yml").unlink()
    with pytest.raises(CounterfoilError, match=r"vip\.yml is missing"):
        new_segment(console, "vip", project=project)

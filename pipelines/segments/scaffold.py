"""`segments new`: a model, its yml and a unit test that build and pass before any edit."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.segments.findings import Finding
from pipelines.settings import PROJECT_DIR

_KEY = re.compile(r"(?!.{101})[a-z][a-z0-9]*(_[a-z0-9]+)*")
"""Snake_case, at most a hundred characters: it names files and, in Heap, a property."""
_UNION = Path("models/segments/fct_segment_memberships.sql")

_SQL = """\
-- {words}
with

behavior_events as (
    select * from {{{{ ref("int_identity__behavior_events") }}}}
),

spans as (
    select
        person_id,
        occurred_at as starts_at,
        {{{{ dbt.dateadd("day", 7, "occurred_at") }}}} as ends_at
    from behavior_events
    where behavior = 'site_visited'
),

{{{{ stays_from("spans") }}}}

select * from stays
"""

_YML = """\
models:
  - name: {key}
    description: >-
      One row per person and stay. Say in one line who these people are.
    latest_version: 1
    config:
      access: public
      group: segmentation
      contract: {{enforced: true}}
    data_tests:
      - unique_combination:
          arguments:
            combination_of_columns: [person_id, entered_at]
      - no_overlap:
          arguments:
            partition_by: [person_id]
            valid_from: entered_at
            valid_to: exited_at
    columns:
      - name: person_id
        data_type: varchar
        description: '{{{{ doc("person_id") }}}}'
        data_tests: [not_null]
      - name: entered_at
        data_type: timestamp
        description: '{{{{ doc("entered_at") }}}}'
        data_tests: [not_null]
      - name: exited_at
        data_type: timestamp
        description: '{{{{ doc("exited_at") }}}}'
    versions:
      - v: 1
        defined_in: {key}_v1
        config:
          meta:
            description: >-
              {words}
            motion: null
            owner: null
            is_exported: false
            valid_from: {today}
            valid_to: null
            cadence: daily
            reason: null
            service_level: null
            deprecated_on: null

unit_tests:
  - name: {key}_v1_seven_days_from_a_visit
    model: {key}
    versions: {{include: [1]}}
    description: >-
      Ann visits twice in a week: one stay, over 7 days after the second visit. Bob came at the end
      and is still in.
    overrides: {{vars: {{as_of: "2026-06-01 00:00:00"}}}}
    given:
      - input: ref('int_identity__behavior_events')
        rows:
          - {{person_id: ann, behavior: site_visited, occurred_at: 2026-05-01 10:00:00}}
          - {{person_id: ann, behavior: site_visited, occurred_at: 2026-05-05 10:00:00}}
          - {{person_id: bob, behavior: site_visited, occurred_at: 2026-05-30 10:00:00}}
          - {{person_id: cat, behavior: cart_updated, occurred_at: 2026-05-30 10:00:00}}
    expect:
      rows:
        - {{person_id: ann, entered_at: 2026-05-01 10:00:00, exited_at: 2026-05-12 10:00:00}}
        - {{person_id: bob, entered_at: 2026-05-30 10:00:00, exited_at: null}}
"""


@dataclass(frozen=True)
class Scaffold:
    """What `new_segment` wrote: the version and the files, as paths inside the project."""

    segment_key: str
    version: int
    files: tuple[Path, ...]

    @property
    def name(self) -> str:
        """Key and version as one word."""
        return f"{self.segment_key}_v{self.version}"


def new_segment(
    console: Console,
    key: str,
    *,
    from_version: int | None = None,
    finding: Finding | None = None,
    is_hypothesis: bool = False,
    project: Path = PROJECT_DIR,
) -> Scaffold:
    """Write the next version of a segment, or the first of a new one.

    The next version begins as a copy of `from_version` (default: the newest), its unit tests too.
    It is not exported and not locked: both are for the day it is done.

    Args:
        finding: the first version's rule is its stratum; the yml keeps the evidence.
        is_hypothesis: also from a finding that may not be told; the yml says so.

    Raises:
        UsageError: the key is not snake_case or is too long, `from_version` does not exist, the
            segment of a finding is there already, or the finding may not be told.
        CounterfoilError: the yml of the segment is not laid out as ours are.
    """
    if not _KEY.fullmatch(key):
        raise UsageError(
            "The key of a segment is snake_case of at most 100 characters, such as "
            f"quiet_subscriber, not {key!r}."
        )
    folder = project / "models/segments" / key
    have = sorted(
        int(found.group(1))
        for path in folder.glob(f"{key}_v*.sql")
        if (found := re.fullmatch(rf"{key}_v(\d+)", path.stem))
    )
    if finding is not None:
        _require_fit(finding, key, is_new=not have, is_hypothesis=is_hypothesis)
        scaffold = _first_version(folder, key, finding)
    elif not have:
        if from_version is not None:
            raise UsageError(f"There is no segment {key} to take version {from_version} from.")
        scaffold = _first_version(folder, key)
    else:
        source = have[-1] if from_version is None else from_version
        if source not in have:
            raise UsageError(
                f"{key} has no version {source}; it has {', '.join(str(v) for v in have)}."
            )
        scaffold = _next_version(folder, key, source, have[-1] + 1)
    _unite(project / _UNION, scaffold)
    written = (*scaffold.files, project / _UNION)
    scaffold = Scaffold(key, scaffold.version, tuple(p.relative_to(project) for p in written))
    for path in scaffold.files:
        console.line(f"Wrote {path}.")
    console.line(
        f"Next: write the rule, then `dbt build --select {key}`, `counterfoil segments lock`"
        + (
            f" and `counterfoil segments backtest {key} --from {scaffold.version - 1} "
            f"--to {scaffold.version}`."
            if have
            else "."
        )
    )
    console.record(
        segment_key=key, version=scaffold.version, files=[str(path) for path in scaffold.files]
    )
    return scaffold


def _require_fit(finding: Finding, key: str, *, is_new: bool, is_hypothesis: bool) -> None:
    if not is_new:
        raise UsageError(f"There is a segment {key} already: a finding begins a new one.")
    if not finding.is_ok and not is_hypothesis:
        raise UsageError(
            f"The finding is {finding.status} ({finding.reasons or 'no reason given'}), so it says "
            "nothing of these people yet: with --as-hypothesis the version is made all the same, "
            "and its yml says so."
        )


def _first_version(folder: Path, key: str, finding: Finding | None = None) -> Scaffold:
    words = f"The rule of {key} in words: for now, visited in the last 7 days."
    sql_text = _SQL.format(words=words)
    yml_text = _YML.format(key=key, words=words, today=_today())
    if finding is not None:
        sql_text = finding.sql
        yml_text = _YML.format(key=key, words=finding.words, today=_today())
        yml_text = yml_text.replace("Say in one line who these people are.", finding.words)
        yml_text = yml_text.partition("\nunit_tests:\n")[0]
        yml_text += _evidence(finding) + "\n" + finding.tests.replace("<key>", key)
    folder.mkdir(parents=True, exist_ok=True)
    sql, yml = folder / f"{key}_v1.sql", folder / f"{key}.yml"
    sql.write_text(sql_text, encoding="utf-8")
    yml.write_text(yml_text, encoding="utf-8")
    return Scaffold(key, 1, (sql, yml))


def _evidence(finding: Finding) -> str:
    """What the version rests on, as the yml keeps it."""
    figures = {
        "finding": finding.name,
        "found_as_of": f"{finding.as_of:%Y-%m-%d}",
        "is_hypothesis": not finding.is_ok,
        "status": finding.status,
        "reasons": finding.reasons or None,
        **finding.evidence,
    }
    lines = [f"              {name}: {_cell(value)}" for name, value in figures.items()]
    return "            evidence:\n" + "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return json.dumps(value, ensure_ascii=False, default=str)


def _next_version(folder: Path, key: str, source: int, version: int) -> Scaffold:
    sql, yml = folder / f"{key}_v{version}.sql", folder / f"{key}.yml"
    if not yml.is_file():
        raise CounterfoilError(
            f"{yml.name} is missing beside {key}_v{source}.sql: restore it first."
        )
    text = yml.read_text(encoding="utf-8")
    head, found, tests = text.partition("\nunit_tests:\n")
    block = re.search(rf"^      - v: {source}\n(?:        .*\n|\s*\n)*", head + "\n", re.MULTILINE)
    if block is None:
        raise CounterfoilError(
            f"{yml.name} does not list version {source} as `      - v: {source}` under "
            "`versions:`; lay it out as the other segments are and try again."
        )
    changes = {
        rf"^      - v: {source}$": f"      - v: {version}",
        rf"defined_in: {key}_v{source}$": f"defined_in: {key}_v{version}",
        r"is_exported: .*$": "is_exported: false",
        r"valid_from: .*$": f"valid_from: {_today()}",
        r"valid_to: .*$": "valid_to: null",
        r"deprecated_on: .*$": "deprecated_on: null",
        r"(description: >-\n +)": rf"\1Version {version}, for now as {source}: ",
    }
    new_block = block.group(0).rstrip() + "\n"
    for pattern, replacement in changes.items():
        new_block = re.sub(pattern, replacement, new_block, flags=re.MULTILINE)
    content = head.rstrip() + "\n" + new_block
    if found:
        content += "\nunit_tests:\n" + tests.rstrip() + "\n"
        content += _copied_tests(tests, key, source, version)
    sql.write_text((folder / f"{key}_v{source}.sql").read_text(encoding="utf-8"), encoding="utf-8")
    yml.write_text(content, encoding="utf-8")
    return Scaffold(key, version, (sql, yml))


def _copied_tests(tests: str, key: str, source: int, version: int) -> str:
    """The unit tests of `source`, once more for `version`."""
    copies = ""
    for test in re.split(r"(?m)^(?=  - name: )", tests):
        if re.search(rf"versions: \{{include: \[{source}\]\}}", test):
            copy = test.replace(f"{key}_v{source}_", f"{key}_v{version}_", 1)
            copy = copy.replace(f"include: [{source}]", f"include: [{version}]", 1)
            copies += "\n" + copy.rstrip() + "\n"
    return copies


def _unite(path: Path, scaffold: Scaffold) -> None:
    """Tell dbt that fct_segment_memberships stands on the version: one sorted line."""
    line = f'-- depends_on: {{{{ ref("{scaffold.segment_key}", v={scaffold.version}) }}}}'
    lines = path.read_text(encoding="utf-8").splitlines()
    places = [n for n, text in enumerate(lines) if text.startswith("-- depends_on: ")]
    if line in lines:
        return
    known = sorted([line, *(lines[n] for n in places)])
    start = places[0] if places else 0
    rest = lines[:start] + known + [t for t in lines[start:] if not t.startswith("-- depends_on: ")]
    path.write_text("\n".join(rest) + "\n", encoding="utf-8")


def _today() -> str:
    return datetime.now(UTC).date().isoformat()

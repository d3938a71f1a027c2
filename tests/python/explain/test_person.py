"""`explain person` says why somebody is in a segment or an arm."""

from __future__ import annotations

from pathlib import Path

from publisher_home import Home

from pipelines.explain import explain_person

RULE = "Left a cart and did not order."


def test_a_stay_names_its_rule_and_an_arm_who_drew_it(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.sql(
        "insert into marts.dim_persons (person_id, heap_identity, match_status, is_publishable) "
        "values ('ann', 'ann@shop.example', 'matched', true), ('bob', 'bob', 'matched', true)",
        "create table marts.fct_segment_memberships (person_id varchar, segment_key varchar, "
        "version bigint, entered_at timestamp, exited_at timestamp)",
        "insert into marts.fct_segment_memberships values "
        "('ann', 'cart', 2, '2026-01-01', null), ('ann', 'cart', 1, '2026-01-01', '2026-01-05')",
        "insert into marts.dim_segment_versions (segment_key, version, description) "
        f"values ('cart', 1, 'An older rule.'), ('cart', 2, '{RULE}')",
        "create or replace table marts.fct_experiment_assignments (experiment_key varchar, "
        "person_id varchar, arm varchar, assigned_at timestamp, count_assignments bigint, "
        "is_crossover boolean, crossover_cause varchar, exclusion_reason varchar)",
        "insert into marts.fct_experiment_assignments values "
        "('welcome', 'ann', 'holdout', '2026-01-02', 3, true, 'reentry', null), "
        "('winback', 'ann', 'treatment', '2026-01-03', 1, false, null, 'late_label')",
        "create schema registries",
        "create table registries.experiments (experiment_key varchar, assignment_source varchar)",
        "insert into registries.experiments values ('welcome', 'split'), ('winback', 'attribute')",
    )
    told = explain_person(home.settings, "ann", home.console)
    assert [line.strip() for line in told.lines if "segment" in line or "experiment" in line] == [
        "segment cart v1: in since 2026-01-01 00:00:00, out since 2026-01-05 00:00:00, "
        "by the rule: An older rule.",
        f"segment cart v2: in since 2026-01-01 00:00:00, still in, by the rule: {RULE}",
        "experiment welcome: arm holdout, assigned 2026-01-02 00:00:00 by split, "
        "the first of 3 assignments, crossed over (reentry)",
        "experiment winback: arm treatment, assigned 2026-01-03 00:00:00 by attribute, "
        "left out of the units (late_label)",
    ]
    assert "segment" not in " ".join(explain_person(home.settings, "bob", home.console).lines)

"""`make mutate`: what it breaks and in which order, and that nothing declared is stale."""

from __future__ import annotations

from pathlib import Path

import breaks
import mutants
import pytest
import report
import yaml
from masked import Masked

MODEL = """\
with

sends as (
    select * from {{ ref("sends") }}
),

ranked as (
    select distinct
        sends.person_id,
        coalesce(sends.sent_at, sends.created_at) as told_at,
        case when sends.is_ghost then 'ghost' when sends.kind in ('a', 'b') then 'real' end as kind,
        row_number() over (partition by person_id order by sent_at desc, seq, part asc) as place
    from sends
    left join {{ ref("profiles") }} as profiles
        on
            sends.workspace_id = profiles.workspace_id
            and sends.sent_at >= profiles.held_from
    where
        sends.count_parts > {{ var("vip_lifetime_value") }}
        and (sends.seen_at is null or sends.seen_at between 1 and 5)
    {% for part in parts %}
    union select min(a), 'x' from b where is_live and '{{ part }}' <> 'or'
    {{ "," if not loop.last }}
    {% endfor %}
)

select * from ranked
where place = 1
"""


def edits(name: str, text: str = MODEL) -> set[tuple[str, str]]:
    """What stood there and what stands there instead, blanks told once."""
    found = set()
    for start, end, instead in getattr(breaks, name)(Masked.of(text)):
        found.add((" ".join(text[start:end].split()), " ".join(instead.split())))
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "comparison_flipped",
            {
                (">=", ">"), (">=", "<="), (">", ">="), (">", "<"), ("is", "is not"), ("<>", "="),
                ("=", "<>"), ("in", "not in"),
            },
        ),
        (
            "condition_dropped",
            {
                ("sends.workspace_id = profiles.workspace_id and", ""),
                ("and sends.sent_at >= profiles.held_from", ""),
                ('sends.count_parts > {{ var("vip_lifetime_value") }} and', ""),
                ("and (sends.seen_at is null or sends.seen_at between 1 and 5)", ""),
                ("sends.seen_at is null or", ""),
                ("or sends.seen_at between 1 and 5", ""),
                ("is_live and", ""),
                ("and '{{ part }}' <> 'or'", ""),
                ("where place = 1", ""),
                ("'a',", ""),
                (", 'b'", ""),
            },
        ),
        ("join_changed", {("left", "inner")}),
        ("order_turned", {("desc", ""), ("", "desc"), ("asc", "desc")}),
        ("end_swapped", {("min", "max")}),
        (
            "constant_moved",
            {("1", "2"), ("5", "6"),
             ('var("vip_lifetime_value")', '(var("vip_lifetime_value") + 1)')},
        ),
        (
            "branch_dropped",
            {
                ("when sends.is_ghost then 'ghost'", ""),
                ("when sends.kind in ('a', 'b') then 'real'", ""),
            },
        ),
        (
            "coalesce_turned",
            {("sends.sent_at, sends.created_at", "sends.created_at, sends.sent_at")},
        ),
        ("repeats_kept", {("distinct", ""), ("", "all")}),
        (
            "flag_swapped",
            {("", "not"), ("'ghost' when sends.kind in ('a', 'b') then 'real'",
                           "'real' when sends.kind in ('a', 'b') then 'ghost'")},
        ),
        (
            "instant_swapped",
            {("sent_at", "told_at"), ("created_at", "seen_at"), ("seen_at", "sent_at")},
        ),
    ],
)  # fmt: skip
def test_a_break_makes_these_edits_and_no_others(name: str, expected: set[tuple[str, str]]) -> None:
    assert edits(name) == expected


def test_what_is_only_counted_is_no_constant() -> None:
    text = "select count(case when a > 2 then 1 end), sum(case when b then 1 end) from c"
    found = list(breaks.constant_moved(Masked.of(text)))
    assert sorted(text[start:] for start, _, _ in found) == sorted(
        ["2 then 1 end), sum(case when b then 1 end) from c", "1 end) from c"]
    )


def test_an_arm_is_swapped_under_the_name_it_had() -> None:
    text = "select count_treatment, a.lift_low as low_limit from contrasts as a where lift_high > 0"
    assert edits("arm_swapped", text) == {
        ("count_treatment", "count_control as count_treatment"),
        ("lift_low", "lift_high"),
        ("lift_high", "lift_low"),
    }


def test_every_break_breaks_something() -> None:
    assert {kind.__name__ for kind in breaks.BREAKS if not edits(kind.__name__)} == {"arm_swapped"}


def test_an_edit_never_touches_jinja_but_a_threshold(tmp_path: Path) -> None:
    for path in mutants.models():
        raw = path.read_text(encoding="utf-8")
        masked = Masked.of(raw)
        for kind in breaks.BREAKS:
            for start, end, instead in kind(masked):
                if "var(" not in instead:
                    assert "{%" not in raw[start:end].replace("{%-", "{%") or "%}" in raw[start:end]


def test_a_mutant_keeps_its_key_when_other_lines_change(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(mutants, "PROJECT", tmp_path)
    path = tmp_path / "models" / "heap" / "told.sql"
    path.parent.mkdir(parents=True)
    path.write_text(MODEL)
    before = {mutant.key: mutant.diff for mutant in mutants.mutants_of(path)}
    path.write_text("-- One more line.\n" + MODEL.replace("is_ghost", "is_trapped"))
    after = {mutant.key: mutant.diff for mutant in mutants.mutants_of(path)}
    assert len(before) == len(list(mutants.mutants_of(path)))
    changed = {diff for key, diff in before.items() if key not in after}
    assert changed
    assert all("is_ghost" in diff for diff in changed)


def test_a_sample_is_the_same_for_a_seed_and_leaves_no_model_out() -> None:
    found = [m for path in mutants.models(("heap",)) for m in mutants.mutants_of(path)]
    once, again = (mutants.chosen(found, seed=3, count=20) for _ in range(2))
    assert once == again
    assert once != mutants.chosen(found, seed=4, count=20)
    assert {m.model for m in once} == {m.model for m in found}


def test_what_is_declared_to_change_nothing_is_a_mutant_and_has_a_reason() -> None:
    everywhere = mutants.models((*mutants.DOMAINS, *mutants.OTHERS))
    found = {m.key: m for path in everywhere for m in mutants.mutants_of(path)}
    for key, row in report.equivalents().items():
        assert key in found, f"{row['model']}: {key} is no mutant any more, take it out"
        assert (found[key].model, found[key].kind) == (row["model"], row["kind"])
        assert len(row["reason"].split()) >= 4, f"{key} says no reason"


PASSED_ON = {"arm_swapped", "instant_swapped"}
"""Another column under the name of this one: what a model without a rule can get wrong."""


def told_of() -> set[str]:
    """The models of which a unit test tells, as their files are called."""
    told = set()
    for path in (mutants.PROJECT / "models").rglob("*.yml"):
        declared = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        versions = {
            (model["name"], version["v"])
            for model in declared.get("models") or []
            for version in model.get("versions") or []
        }
        for unit in declared.get("unit_tests") or []:
            told.add(unit["model"])
            told |= {f"{name}_v{v}" for name, v in versions if name == unit["model"]}
    return told


def test_every_model_with_a_rule_has_a_story() -> None:
    """A rule is what the harness can break: a filter, a join, a case, an order, a limit."""
    told = told_of()
    for path in mutants.models((*mutants.DOMAINS, *mutants.OTHERS)):
        kinds = {mutant.kind for mutant in mutants.mutants_of(path)} - PASSED_ON
        assert path.stem in told or not kinds, f"{path.stem} has no unit test: {sorted(kinds)}"


def test_a_model_without_a_break_that_counts_leaves_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "mutants.md"
    page.write_text("| `dim_persons` | 0 | 1 | 0% |\n| `heap_refusals` | 4 | 4 | 100% |\n")
    monkeypatch.setattr(report, "PAGE", page)
    report.write_page([], whole={"dim_persons"})
    assert list(report.recorded()) == ["heap_refusals"]

"""What README, CONTRIBUTING and docs say of commands, files, relations and settings is true."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import docs_claims as claims
import pytest
import yaml

from pipelines.review.words import spelled
from pipelines.settings import PROJECT_DIR

CHECKS: dict[str, Callable[[str], Iterator[str]]] = {
    "commands": claims.wrong_commands,
    "targets": claims.wrong_targets,
    "paths": claims.wrong_paths,
    "relations": claims.wrong_relations,
    "settings": claims.wrong_settings,
}


@pytest.mark.parametrize("page", claims.PAGES, ids=lambda page: page.stem)
def test_a_page_claims_only_what_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    wrong = [problem for check in CHECKS.values() for problem in check(text)]
    wrong += claims.wrong_links(text, page)
    assert wrong == []


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        ("commands", "`counterfoil segment list`", "there is no command `counterfoil segment`"),
        (
            "commands",
            "    counterfoil segments drop x\n",
            "there is no command `counterfoil segments drop`",
        ),
        ("commands", "`build --selected x`", "`counterfoil build` has no --selected"),
        (
            "commands",
            "```sh\n.venv/bin/counterfoil identity sample --read x\n```",
            "`counterfoil identity sample` has no --read",
        ),
        ("targets", "`make everything`", "there is no `make everything`"),
        ("paths", "`models/experiment/`", "there is no models/experiment"),
        ("paths", "`tests/dbt/statistics/*.py`", "there is no tests/dbt/statistics/*.py"),
        ("paths", "`cli2.py`", "there is no file cli2.py"),
        ("relations", "`fct_lifts`", "there is no relation fct_lifts"),
        ("relations", "`fct_lift.uplift`", "fct_lift has no column uplift"),
        ("settings", "`HEAP_KEY`", "there is no setting HEAP_KEY"),
    ],
)
def test_each_kind_of_false_claim_is_noticed(kind: str, text: str, problem: str) -> None:
    assert list(CHECKS[kind](text)) == [problem]


def test_links_are_followed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Here it is\n")
    text = "[a](other.md) [b](#here-it-is) [c](page.md#there) [d](https://example.com)"
    assert list(claims.wrong_links(text, page)) == [
        "the link other.md leads nowhere",
        "page.md has no heading #there",
    ]


def test_readme_lists_every_setting_and_command() -> None:
    text = (PROJECT_DIR / "README.md").read_text(encoding="utf-8")
    listed = text.partition("## Settings")[2]
    assert set(re.findall(r"`([A-Z]+_[A-Z_]+)`", listed)) == claims.settings()
    table = " ".join(re.findall(r"^\| (`.*?) \|", text.partition("## Commands")[2], re.MULTILINE))
    named = {span.split()[0] for span in claims.SPAN.findall(table)}
    assert {name.split()[0] for name in claims.commands() if name} <= named


def test_every_page_is_reached_from_the_readme() -> None:
    waiting, seen = [PROJECT_DIR / "README.md"], set()
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        links = re.findall(r"\]\(([^)\s#]+\.md)", page.read_text(encoding="utf-8"))
        waiting += [(page.parent / link).resolve() for link in links if "://" not in link]
    told = {page for page in claims.PAGES if page.parent.name != "decisions"}
    assert {page.name for page in told - seen} == set()


NUMBERS = {
    "segments.md": (
        "for {cart_abandoner_wait_hours} hour neither that again nor an order; until the order, "
        "at most {cart_abandoner_window_days} days",
        "for {high_intent_abandoner_wait_hours} hour neither that again nor an order; until the "
        "order, at most {high_intent_abandoner_window_days} days",
        "no second one; at most {first_time_buyer_window_days} days",
        "{replenishment_days_before} days before to {replenishment_days_after} days after the gap "
        "of a category ({gaps}, others {replenishment_usual_gap_days} days)",
        "orders so far are worth {vip_lifetime_value} or more",
        "{churn_risk_orders} orders or more; none for twice the own mean gap and "
        "{churn_risk_from_days} days; until {lifecycle_lapsed_days} days",
        "last order {winback_from_days} to {winback_to_days} days ago",
        "the same product twice within {intent_repeat_hours} hours, or the checkout, in the last "
        "{intent_high_hours} hours; warm: a product or a cart in the last {intent_warm_days} days",
        "at risk from {lifecycle_at_risk_days} days, lapsed from {lifecycle_lapsed_days}",
        "mid from {ltv_mid_lifetime_value}, high from {vip_lifetime_value}",
    ),
    "recipes/segment.md": ("{Least} to {most} versions are exported at a time",),
}
"""What pages say of vars, where a reader wants the number and not the var's name."""


def test_the_numbers_of_a_page_are_those_of_the_vars() -> None:
    declared = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text())["vars"]
    known = dict(declared)
    known |= {
        name.replace("_hours", "_days"): value // 24
        for name, value in declared.items()
        if name.endswith(("_window_hours", "_warm_hours"))
    }
    known["gaps"] = ", ".join(f"{k} {v}" for k, v in declared["replenishment_gap_days"].items())
    known["churn_risk_orders"] = spelled(declared["churn_risk_orders"])
    assert declared["churn_risk_gap_factor"] == 2, "the page says twice"
    known["Least"] = spelled(declared["segment_budget"]["least"]).capitalize()
    known["most"] = spelled(declared["segment_budget"]["most"])
    for page, sentences in NUMBERS.items():
        text = " ".join((PROJECT_DIR / "docs" / page).read_text(encoding="utf-8").split())
        for sentence in sentences:
            assert sentence.format(**known) in text


def test_the_cadences_of_the_architecture_are_declared_so() -> None:
    text = (PROJECT_DIR / "docs/architecture.md").read_text(encoding="utf-8")
    told = {
        name: cadence
        for names, cadence in re.findall(r"^\| (`heap_[^|]+) \| (\w+)", text, re.MULTILINE)
        for name in claims.SPAN.findall(names)
    }
    assert told == {
        name: model["config"]["meta"]["heap"]["cadence"]
        for name, model in claims.relations().items()
        if "heap" in ((model.get("config") or {}).get("meta") or {})
    }


def test_every_target_says_what_it_does() -> None:
    text = (PROJECT_DIR / "Makefile").read_text()
    described = set(re.findall(r"^([a-z]+):.*## \S", text, re.MULTILINE))
    assert claims.targets() == described
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert described <= set(phony.split())


def test_advice_in_the_code_names_what_is_there() -> None:
    assert list(claims.wrong_advice('f"{x}: read it with --read, please"')) == [
        "there is no --read"
    ]
    wrong = {
        path.name: problems
        for path in [PROJECT_DIR / "cli.py", *(PROJECT_DIR / "pipelines").rglob("*.py")]
        if (problems := list(claims.wrong_advice(path.read_text(encoding="utf-8"))))
    }
    assert wrong == {}

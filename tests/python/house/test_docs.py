"""What README, CONTRIBUTING and docs say of commands, files, relations and settings is true."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import docs_claims as claims
import pytest

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

"""What pages claim that can be checked: commands, targets, paths, relations, settings, links."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
import yaml

from cli import app
from pipelines.settings import PROJECT_DIR, Settings

PAGES = (
    PROJECT_DIR / "README.md",
    PROJECT_DIR / "CONTRIBUTING.md",
    *sorted((PROJECT_DIR / "docs").rglob("*.md")),
)
SPAN = re.compile(r"`([^`\n]+)`")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```|((?:^    [^\n]*\n)+)", re.DOTALL | re.MULTILINE)
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
RELATION = re.compile(
    r"((?:stg|int|dim|fct|map|load)_[a-z0-9_]+|heap_(?:cio_\w+|refusals|user_\w+))"
)
ELSEWHERE = {
    # of the state folder, of the sample's truth, of what others write
    "identity_sample.csv", "manifest.json", "tombstones.json", "true_effects.json", "ledger.json",
}  # fmt: skip
IN_RECIPES = {
    "quiet_subscriber",
    "silent_sources",
    "stage_entered",
    "surveys",
    "manual_segment",
    "guardrails_flow",
    "checklist__costs",
}
"""What somebody who follows a recipe makes."""
OF_THE_TESTS = {"COUNTERFOIL_PROVE", "COUNTERFOIL_SHARED_DATA"}
OF_THE_ENGINE = {"COUNTERFOIL_RAW_DATABASE", "COUNTERFOIL_RAW_SCHEMA"}
"""Set for dbt by the engine object: nobody sets them by hand."""


def code(text: str) -> Iterator[str]:
    """Code spans and the lines of code blocks."""
    for _, fenced, indented in BLOCK.findall(text):
        yield from (fenced or indented).splitlines()
    yield from SPAN.findall(BLOCK.sub("", text))


# -- what there is --------------------------------------------------------------------------------


@functools.cache
def commands() -> dict[str, Any]:
    """Every command by its words: `segments lock` as well as `build`."""
    root = typer.main.get_command(app)
    found: dict[str, Any] = {"": root}
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        found[name] = command
        for inner, below in getattr(command, "commands", {}).items():
            found[f"{name} {inner}"] = below
    return found


def flags(command: Any) -> set[str]:
    return {"--help", *(flag for parameter in command.params for flag in parameter.opts)}


@functools.cache
def targets() -> frozenset[str]:
    return frozenset(
        re.findall(r"^([a-z]+):", (PROJECT_DIR / "Makefile").read_text(), re.MULTILINE)
    )


@functools.cache
def file_names() -> frozenset[str]:
    folders = (".ci", "docs", "macros", "models", "pipelines", "seeds", "tests")
    inner = (path for folder in folders for path in (PROJECT_DIR / folder).rglob("*"))
    return frozenset(path.name for path in (*PROJECT_DIR.iterdir(), *inner))


@functools.cache
def relations() -> dict[str, dict[str, Any]]:
    """Every model and seed of the project with its yml; generic tests and macros are none."""
    found: dict[str, dict[str, Any]] = {}
    for path in [*PROJECT_DIR.glob("models/**/*.yml"), *PROJECT_DIR.glob("seeds/*.yml")]:
        declared = yaml.safe_load(path.read_text()) or {}
        for node in [*(declared.get("models") or []), *(declared.get("seeds") or [])]:
            found[node["name"]] = node
            for version in node.get("versions") or []:
                found[f"{node['name']}_v{version['v']}"] = node
    return found


@functools.cache
def settings() -> frozenset[str]:
    return frozenset(str(field.validation_alias) for field in Settings.model_fields.values())


# -- what is claimed ------------------------------------------------------------------------------


def wrong_commands(text: str) -> Iterator[str]:
    """Commands and flags that the command does not have."""
    for piece in code(text):
        said = re.sub(r"\s#.*", "", piece)
        called = re.search(r"(?:^|[\s/])counterfoil\s+(\S.*)", said)
        words = (called.group(1) if called else said).split()
        if not words or not (called or words[0] in commands()):
            continue
        if not re.fullmatch(r"[a-z]+|--\w+", words[0]):
            continue
        name = next((n for n in (" ".join(words[:2]), words[0]) if n in commands()), "")
        if not name and not words[0].startswith("--"):
            yield f"there is no command `counterfoil {words[0]}`"
            continue
        is_group = hasattr(commands()[name], "commands")
        if called and is_group and len(words) > 1 and re.fullmatch(r"[a-z]+", words[1]) and name:
            yield f"there is no command `counterfoil {name} {words[1]}`"
        for flag in FLAG.findall(said):
            if flag not in flags(commands()[name]):
                yield f"`counterfoil {name}` has no {flag}"


def wrong_targets(text: str) -> Iterator[str]:
    """Targets that the Makefile does not have."""
    for piece in code(text):
        for name in re.findall(r"(?:^|\s)make ([a-z]+)\b", piece):
            if name not in targets():
                yield f"there is no `make {name}`"


def wrong_paths(text: str) -> Iterator[str]:
    """Paths and file names of this repository that are not there."""
    tops = {path.name for path in PROJECT_DIR.iterdir()}
    for span in SPAN.findall(BLOCK.sub("", text)):
        path = span.rstrip("/")
        if not re.fullmatch(r"[\w.*/-]+", path) or path in ELSEWHERE:
            continue
        if "/" in path and path.split("/")[0] in tops:
            if not list(PROJECT_DIR.glob(path)) and not any(made in path for made in IN_RECIPES):
                yield f"there is no {path}"
        elif re.fullmatch(r"[\w-]+\.(py|sql|yml|csv|toml|md|lock|j2|css)", path) and not (
            {path, f"test_{path}"} & file_names() or any(made in path for made in IN_RECIPES)
        ):
            yield f"there is no file {path}"


def wrong_relations(text: str) -> Iterator[str]:
    """Relations and columns that no model has."""
    for span in SPAN.findall(BLOCK.sub("", text)):
        found = re.fullmatch(rf"{RELATION.pattern}(?:\.(?!(?:sql|yml|py)$)([a-z_]+))?", span)
        if found is None:
            continue
        name, column = found.groups()
        if any(made in name for made in IN_RECIPES):
            continue
        if name not in relations():
            yield f"there is no relation {name}"
        elif column and column not in {c["name"] for c in relations()[name].get("columns", [])}:
            yield f"{name} has no column {column}"


def wrong_settings(text: str) -> Iterator[str]:
    """Names of settings that nothing reads."""
    for piece in code(text):
        for name in re.findall(r"\b(?:COUNTERFOIL|HEAP|CUSTOMERIO)_[A-Z_]+\b", piece):
            if name not in settings() | OF_THE_TESTS | OF_THE_ENGINE:
                yield f"there is no setting {name}"


def wrong_links(text: str, page: Path) -> Iterator[str]:
    """Relative links that lead nowhere, and headings that are not there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", text)):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        aim = (page.parent / name).resolve() if name else page
        if not aim.exists():
            yield f"the link {target} leads nowhere"
        elif anchor and anchor not in _anchors(aim.read_text(encoding="utf-8")):
            yield f"{aim.name} has no heading #{anchor}"


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings}


def wrong_advice(source: str) -> Iterator[str]:
    """Commands and flags that a sentence of the code names and that are not there."""
    known = {flag for command in commands().values() for flag in flags(command)}
    tree = ast.parse(source)
    inner = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        if id(node) in inner:
            continue
        parts: list[ast.AST] = [*node.values] if isinstance(node, ast.JoinedStr) else [node]
        sentence = "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}"
            for part in parts
            if isinstance(part, ast.Constant | ast.FormattedValue)
        )
        if " " not in sentence:
            continue
        yield from (f"there is no {flag}" for flag in FLAG.findall(sentence) if flag not in known)
        spans = SPAN.findall(sentence)
        yield from wrong_commands("".join(f"`{s}`\n" for s in spans if s.startswith("counterfoil")))

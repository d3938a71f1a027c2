"""sqlfluff over the SQL that is not known to be clean: `sql_style.py [--templater NAME] PATH…`.

sqlfluff spends its time on parsing and rules, not on dbt's rendering. So every file is rendered
each time, and the rules are spared only where they were clean on exactly this: the same source,
rendered to the same text in the same pieces, under the same settings and version. A changed macro,
var, setting or version therefore shows in whatever it touches, and nowhere else.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import logging
import multiprocessing
import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlfluff.core import FluffConfig, Linter
from sqlfluff.core.errors import SQLFluffSkipFile, SQLFluffUserError

PROJECT = Path(__file__).resolve().parent.parent
CLEAN = PROJECT / "target" / "sql_style.json"
PROCESSES = 2

Finding = tuple[str, str, list[str], list[str]]
"""A file, its mark, its faults, its warnings."""


def main() -> int:
    """Lint, print what is wrong, remember what is clean; 1 when anything is wrong."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--templater", default="dbt", help="sqlfluff's templater of these files")
    arguments.add_argument("paths", nargs="+", type=Path, help="files or folders of SQL")
    asked = arguments.parse_args()
    logging.getLogger("sqlfluff").setLevel(logging.ERROR)
    os.chdir(PROJECT)

    linter = Linter(config=FluffConfig.from_root(overrides={"templater": asked.templater}))
    known = _read_clean()
    waiting: list[tuple[str, Any]] = []
    clean: dict[str, str] = {}
    count_wrong = 0
    for rendered in _render(linter, sorted(_files(asked.paths))):
        mark = _mark(rendered)
        if known.get(rendered.fname) == mark:
            clean[rendered.fname] = mark
        else:
            waiting.append((mark, rendered))
    count_known = len(clean)

    for fname, mark, faults, warnings in _lint(linter, waiting):
        for line in [*faults, *warnings]:
            print(f"{fname}:{line}", flush=True)
        count_wrong += bool(faults)
        if not faults and not warnings:
            clean[fname] = mark
            # a run that is stopped keeps what it found out
            _write_clean({**known, **clean})
    print(f"{len(waiting)} SQL files linted, {count_known} clean as they were")
    return 1 if count_wrong else 0


def _files(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        if not path.exists():
            raise SystemExit(f"There is no {path} to lint.")
        found = path.rglob("*.sql") if path.is_dir() else [path]
        # generic tests are macros, which have no text of their own
        yield from (str(file) for file in found if file.parent != Path("tests/dbt/generic"))


def _render(linter: Linter, files: list[str]) -> Iterator[Any]:
    """Each file as rules see it.

    Raises:
        SystemExit: one that cannot be rendered; sqlfluff itself would leave it out and go on.
    """
    config = linter.config
    try:
        for fname in linter.templater.sequence_files(files, config=config, formatter=None):
            yield linter.render_file(fname, config)
    except (SQLFluffSkipFile, SQLFluffUserError) as error:
        raise SystemExit(f"The SQL cannot be linted: {error}") from None


def _mark(rendered: Any) -> str:
    """Everything that the findings on a file depend on, as one hash."""
    parts = [
        version("sqlfluff"),
        sys.version,
        Path(__file__).read_text(),
        repr(list(rendered.config.iter_vals())),
        rendered.source_str,
        repr(rendered.templater_violations),
    ]
    for variant in rendered.templated_variants:
        parts += [variant.templated_str, repr(variant.sliced_file), repr(variant.raw_sliced)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _lint(linter: Linter, waiting: list[tuple[str, Any]]) -> Iterator[Finding]:
    """What was found in each file, as it is ready; the longest files first."""
    tasks = [
        (mark, rendered, linter.get_rulepack(config=rendered.config))
        for mark, rendered in sorted(waiting, key=lambda task: -len(task[1].source_str))
    ]
    if len(tasks) <= 1:
        yield from map(_lint_one, tasks)
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, spawn, _few_collections) as pool:
        for done in as_completed([pool.submit(_lint_one, task) for task in tasks]):
            yield done.result()


def _lint_one(task: tuple[str, Any, Any]) -> Finding:
    mark, rendered, rules = task
    linted = Linter.lint_rendered(rendered, rules, fix=False, formatter=None)
    found = linted.get_violations(
        filter_warning=False, warn_unused_ignores=rendered.config.get("warn_unused_ignores")
    )
    # a line in a loop is found once for each time round
    faults, warnings = (
        dict.fromkeys(
            f"{v.line_no}:{v.line_pos}: {v.rule_code()} {v.desc()}"
            for v in found
            if v.warning == is_warning
        )
        for is_warning in (False, True)
    )
    return rendered.fname, mark, list(faults), list(warnings)


def _few_collections() -> None:
    """sqlfluff's trees are cyclic: by default half the time goes to looking for garbage."""
    gc.freeze()
    gc.set_threshold(1_000_000)


def _read_clean() -> dict[str, str]:
    try:
        kept: dict[str, str] = json.loads(CLEAN.read_text())
    except (OSError, ValueError):
        return {}
    return kept


def _write_clean(marks: dict[str, str]) -> None:
    CLEAN.parent.mkdir(exist_ok=True)
    partial = CLEAN.with_suffix(".partial")
    partial.write_text(json.dumps(marks, indent=1, sort_keys=True))
    partial.replace(CLEAN)


if __name__ == "__main__":
    _few_collections()
    sys.exit(main())

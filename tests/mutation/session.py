"""One dbt, started once, that builds broken models and runs their tests, by dbt's own runners.

`dbt build --select model+` would parse, look around and run whatever lies downstream for each
mutant. Here the project is parsed once; a mutant is its text in the parsed node. What it does not
change is not built again: a model is built when a parent's rows changed, a test is run when its
model's did.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from mutants import PROJECT, Mutant, is_sql

from pipelines.built.parse import declare_arms
from pipelines.quiet import DBT_FLAGS

SECONDS = 20
"""A statement that takes longer has no end: rows joined to rows that are not theirs."""

UNREADABLE = ("Parser Error", "Binder Error", "Catalog Error", "Compilation Error", "Syntax error")
"""What the engine says of a text that is no model: nobody could merge it."""
COUNTED = ("ERROR", "count(*)", "!= 0", None)
"""Severity, what is counted, when it fails, limit: of a test that fails when it finds a row."""
HERE, SOUND = '"warehouse".', '"sound".'
ENDLESS = ("INTERRUPT", "Interrupted", "Out of Memory")


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant.

    Attributes:
        outcome: noticed, survived, or dead (it could not be run at all: no break that counts).
        by: the test, or the model whose build stopped; why, where it is dead.
        changed: how many relations had other rows.
        seconds: how long it took.
    """

    outcome: str
    by: str
    changed: int
    seconds: float


@dataclass(frozen=True)
class Brand:
    """A built home that mutants start from.

    Attributes:
        home: with `raw.duckdb`, `warehouse.duckdb` and dbt's `target` of the last parse.
        seeds: the folder of registries it was built with.
        as_of: the instant it was built at.
        only_stories: whether unit tests are all that is run.
    """

    home: Path
    seeds: Path
    as_of: str
    only_stories: bool = False


def variables(as_of: str) -> str:
    """Those a brand is built with: its known answers are asked for."""
    return json.dumps({"as_of": as_of, "known_answers": True})


def with_session(brand: Brand, scratch: Path, work: Callable[[Session], None]) -> None:
    """Start dbt in this process on a copy of the brand, and hand the session to `work`."""
    from dbt.cli import requires
    from dbt.cli.main import build, cli

    def body(context: click.Context, **_: Any) -> tuple[None, bool]:
        found = context.obj
        declare_arms(found["manifest"], brand.seeds)
        work(Session(brand, scratch, found["flags"], found["runtime_config"], found["manifest"]))
        return None, True

    started: Any = requires.manifest(write=False)(body)
    for step in (
        requires.runtime_config, requires.catalogs, requires.project, requires.profile,
        requires.preflight, requires.postflight,
    ):  # fmt: skip
        started = step(started)
    scratch.mkdir(parents=True, exist_ok=True)
    _copy(brand, scratch)
    (scratch / "raw.duckdb").unlink(missing_ok=True)
    (scratch / "raw.duckdb").symlink_to(brand.home / "raw.duckdb")
    os.environ.update(
        COUNTERFOIL_HOME=str(scratch),
        COUNTERFOIL_SEEDS=os.path.relpath(brand.seeds, PROJECT),
        COUNTERFOIL_THREADS="1",
        COUNTERFOIL_MEMORY_LIMIT="1500MB",
        DBT_TARGET_PATH=str(scratch / "target"),
        DBT_LOG_PATH=str(scratch / "logs"),
        DO_NOT_TRACK="1",
    )
    command = click.Command("build", params=build.params, callback=click.pass_context(started))
    group = click.Group("cli", params=cli.params, commands={"build": command})
    arguments = [
        "--quiet", "--log-level-file", "none", *DBT_FLAGS, "build",
        "--vars", variables(brand.as_of),
        "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT),
    ]  # fmt: skip
    context = group.make_context("cli", list(arguments))
    context.obj = {"manifest": None, "callbacks": [], "dbt_runner_command_args": arguments}
    group.invoke(context)


class Unfit(Exception):
    """Nobody can be judged: a test or story fails where nothing is broken."""


class _Settled(Exception):
    """Nothing more need be run."""

    def __init__(self, outcome: str, by: str) -> None:
        super().__init__(by)
        self.outcome = outcome
        self.by = by


class Session:
    """dbt on one copy of the brand's warehouse, which every mutant gets as it was."""

    def __init__(self, brand: Brand, scratch: Path, flags: Any, config: Any, manifest: Any) -> None:
        from dbt.adapters.factory import get_adapter
        from dbt.task.build import BuildTask

        self.brand = brand
        self.scratch = scratch
        self.manifest = manifest
        self.task = BuildTask(flags, config, manifest)
        self.task.compile_manifest()
        self.adapter = get_adapter(config)
        with self.adapter.connection_named("master"):
            self.task.populate_adapter_cache(self.adapter)
        self.models = {
            key: node
            for key, node in manifest.nodes.items()
            if node.resource_type == "model" and node.config.enabled
        }
        self.order = self._in_order()
        self.place = {key: place for place, key in enumerate(self.order)}
        self.compiled: dict[str, str] = {}
        self.sound_stories: set[str] = set()
        self.tests: dict[int, list[Any]] = {}
        for node in manifest.nodes.values():
            if node.resource_type == "test":
                places = [self.place[p] for p in node.depends_on.nodes if p in self.place]
                self.tests.setdefault(max(places, default=-1), []).append(node)

    def judge(self, mutant: Mutant) -> Verdict:
        """Build what the mutant changes, until a test notices it."""
        started = time.monotonic()
        if is_sql(self.node_of(mutant).raw_code) and not is_sql(mutant.text):
            return Verdict("dead", "no SQL any more", 0, 0.0)
        self._require_sound_stories(self.node_of(mutant).unique_id)
        with self._broken(mutant) as key:
            outcome, by, changed = self._judge(key)
        return Verdict(outcome, by, changed, round(time.monotonic() - started, 2))

    def _require_sound_stories(self, key: str) -> None:
        """A story that the sound model does not tell can judge nobody."""
        if key in self.sound_stories:
            return
        self._fresh()
        told = [u for u in self.manifest.unit_tests.values() if key in u.depends_on.nodes[:1]]
        results = {unit.name: self._run(unit) for unit in told}
        failed = [
            f"{name} fails on the sound model:\n{result.message}"
            for name, result in results.items()
            if str(result.status) != "pass"
        ]
        if failed:
            raise Unfit("\n".join(failed))
        self.sound_stories.add(key)

    def node_of(self, mutant: Mutant) -> Any:
        """The sound model."""
        [node] = [n for n in self.models.values() if n.original_file_path == mutant.path]
        return node

    def _judge(self, key: str) -> tuple[str, str, int]:
        """Outcome, by whom, and how many relations had changed until then."""
        changed: set[str] = set()
        try:
            self._build(key, changed)
        except _Settled as settled:
            return settled.outcome, settled.by, len(changed)
        return "survived", "" if changed else "no row of its brand changes", len(changed)

    def _build(self, key: str, changed: set[str]) -> None:
        """Run what the mutant changes, in order; `changed` collects the relations with other rows.

        Raises:
            _Settled: somebody noticed, or it could not be run.
        """
        for unit in self.manifest.unit_tests.values():
            if key in unit.depends_on.nodes[:1]:
                self._require(self._run(unit), f"unit test {unit.name}", is_first=True)
        if self.brand.only_stories:
            return
        for place in range(self.place[key], len(self.order)):
            here = self.order[place]
            node = self.models[here]
            if here == key or changed.intersection(node.depends_on.nodes):
                said = f"build of {node.name}"
                self._require(self._run(node), said, is_first=here == key)
                if self._has_changed(here):
                    changed.add(here)
                elif here == key:
                    return
            for test in self.tests.get(place, []):
                if changed.intersection(test.depends_on.nodes):
                    self._test(test)

    def _test(self, node: Any) -> None:
        """Run a data test: its SQL at once where dbt would do no more than count its rows."""
        config = node.config
        if (config.severity.upper(), config.fail_calc, config.error_if, config.limit) != COUNTED:
            self._require(self._run(node), f"data test {node.name}")
            return
        if node.unique_id not in self.compiled:
            with self.adapter.connection_named("mutation"):
                compiled = self.task.compiler.compile_node(node, self.manifest, write=False)
            self.compiled[node.unique_id] = str(compiled.compiled_code)
        sql = self.compiled[node.unique_id]
        with self._limited():
            try:
                found = self._ask(f"select exists({sql})").rows[0][0]
            except Exception as error:
                dead = any(word in str(error) for word in ENDLESS)
                raise _Settled("dead" if dead else "noticed", f"data test {node.name}") from error
        if not found:
            return
        if self._ask(f"select exists({sql.replace(HERE, SOUND)})").rows[0][0]:
            raise Unfit(f"{node.name} fails on the sound brand: mend it first")
        raise _Settled("noticed", f"data test {node.name}")

    def _require(self, result: Any, by: str, *, is_first: bool = False) -> None:
        if str(result.status) in {"success", "pass", "warn"}:
            return
        said = str(result.message)
        dead = ENDLESS + (UNREADABLE if is_first else ())
        if any(word in said for word in dead):
            raise _Settled("dead", _said(result))
        raise _Settled("noticed", by)

    @contextmanager
    def _broken(self, mutant: Mutant) -> Iterator[str]:
        """The mutant's text in its node, on a warehouse as it was; both are put back."""
        node = self.node_of(mutant)
        sound = node.raw_code
        if not self.brand.only_stories:  # a story changes nothing of the warehouse
            self._fresh()
        node.raw_code = mutant.text
        try:
            yield node.unique_id
        finally:
            node.raw_code = sound
            node.extra_ctes_injected = False

    def _fresh(self) -> None:
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager

        environment = DuckDBConnectionManager._ENV
        if environment is not None:
            environment.close()
        DuckDBConnectionManager.close_all_connections()
        _copy(self.brand, self.scratch)
        self._ask(f"attach '{self.brand.home / 'warehouse.duckdb'}' as sound (read_only)")
        self._ask("set threads = 1")

    def _ask(self, sql: str) -> Any:
        with self.adapter.connection_named("mutation"):
            _, table = self.adapter.execute(sql, fetch=True)
        return table

    def _run(self, node: Any) -> Any:
        with self._limited():
            return self.task.call_runner(self.task.get_runner(node))

    @contextmanager
    def _limited(self) -> Iterator[None]:
        timer = threading.Timer(SECONDS, self._interrupt)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _interrupt(self) -> None:
        for connection in list(self.adapter.connections.thread_connections.values()):
            if connection.state == "open":
                self.adapter.connections.cancel(connection)

    def _has_changed(self, key: str) -> bool:
        """Whether a relation has other rows, or other columns, than the sound one."""
        node = self.models[key]
        if node.config.materialized == "view":
            return True
        here = f"warehouse.{node.schema}.{node.alias}"
        sound = f"sound.{node.schema}.{node.alias}"
        ours, theirs = (
            [(row[0], row[1]) for row in self._ask(f"describe {name}").rows]
            for name in (here, sound)
        )
        if ours != theirs:
            return True
        sql = (
            f"select exists((select * from {here} except all select * from {sound}) union all "
            f"(select * from {sound} except all select * from {here}))"
        )
        return bool(self._ask(sql).rows[0][0])

    def _in_order(self) -> list[str]:
        """The models, each after those it reads."""
        done: dict[str, None] = {}

        def walk(key: str) -> None:
            if key in done:
                return
            for parent in sorted(self.models[key].depends_on.nodes):
                if parent in self.models:
                    walk(parent)
            done[key] = None

        for key in sorted(self.models):
            walk(key)
        return list(done)


def _copy(brand: Brand, scratch: Path) -> None:
    """The brand's warehouse, whatever a run that was stopped has left."""
    for name in ("warehouse.duckdb", "warehouse.duckdb.wal"):
        (scratch / name).unlink(missing_ok=True)
    shutil.copy(brand.home / "warehouse.duckdb", scratch / "warehouse.duckdb")


def _said(result: Any) -> str:
    lines = [line.strip() for line in str(result.message).splitlines() if line.strip()]
    return " ".join(lines[1:3] if len(lines) > 1 else lines)[:160]

"""What a build of a part needs besides: whatever it stands on that was never built."""

from __future__ import annotations

import json
from typing import Any

from pipelines.errors import CounterfoilError
from pipelines.settings import Settings


def existing_relations(settings: Settings) -> frozenset[tuple[str, str]] | None:
    """Schema and name of each relation in the warehouse; None when it cannot be read."""
    from pipelines.built.tables import Tables

    if not settings.warehouse_path.exists():
        return frozenset()
    try:
        with Tables.opened_in_part(settings) as tables:
            return frozenset(
                (schema, name) for name, schemas in tables.schemas.items() for schema in schemas
            )
    except CounterfoilError:  # dbt will meet the same and say it
        return None


def completed(
    options: list[str], manifest: Any, where: list[str], there: frozenset[tuple[str, str]]
) -> list[str]:
    """The options of a `dbt build --select …`, made to work where not everything was built before.

    dbt takes whatever is not selected as built. Where that is not so, what the selection stands on
    is built with it, and of the tests only those run whose relations are then there.

    Args:
        options: as `dbt build` takes them, with --select last.
        manifest: of the project, parsed.
        where: the options that say which project.
        there: the relations of the warehouse.
    """
    models = {
        key: node
        for key, node in manifest.nodes.items()
        if node.resource_type in ("model", "seed") and node.config.materialized != "ephemeral"
    }
    missing = {key for key, node in models.items() if (node.schema, node.alias) not in there}
    if not missing:
        return options
    selected = _selected(options, manifest, where)
    needed = _missing_below(manifest, selected, missing) - selected
    named = ["fqn:" + ".".join(models[key].fqn) for key in sorted(needed)]
    return ["--indirect-selection", "buildable", *options, *named]


def _selected(options: list[str], manifest: Any, where: list[str]) -> set[str]:
    from dbt.cli.main import dbtRunner

    shape = ["--quiet", "--log-level-file", "none", "ls", "--output", "json"]
    kinds = [f"--resource-type={kind}" for kind in ("model", "seed", "test", "unit_test")]
    asked = options[options.index("--select") :]
    listed = dbtRunner(manifest=manifest).invoke(
        # a test that merely touches the selection must bring no relation along
        [*shape, "--output-keys=unique_id", "--indirect-selection=cautious", *kinds, *where, *asked]
    )
    lines: Any = listed.result or []  # none where the selection is no selection, as dbt will say
    return {json.loads(line)["unique_id"] for line in lines}


def _missing_below(manifest: Any, keys: set[str], missing: set[str]) -> set[str]:
    """What `keys` stand on and that is missing; what is there is taken as it is."""
    found: set[str] = set()
    waiting = list(keys)
    while waiting:
        key = waiting.pop()
        node = manifest.nodes.get(key) or manifest.unit_tests.get(key)
        parents = getattr(getattr(node, "depends_on", None), "nodes", ())
        new = missing.intersection(parents) - found
        found |= new
        waiting += new
    return found

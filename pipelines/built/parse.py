"""dbt's reading of the project, remembered beside the code for every state folder and instant.

dbt throws away what it remembers when a variable of the command line, the place of the database or
the folder of the seeds is another. None of them changes what it reads, so it reads with fixed ones,
and the registries take their places in the manifest afterwards.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pipelines import registries as registry_files

ARM = "cio_arm_"
MEMORY = "partial_parse.msgpack"
INSTANT = "as_of"

FIXED = {
    "COUNTERFOIL_HOME": ".counterfoil",
    "COUNTERFOIL_WAREHOUSE": ".counterfoil/warehouse.duckdb",
    "COUNTERFOIL_SEEDS": "seeds",
    "COUNTERFOIL_MEMORY_LIMIT": "4GB",
}
"""What profiles.yml and dbt_project.yml read while the project is read."""


def parse(
    project: Path, target: Path, engine: str, variables: dict[str, Any], options: list[str]
) -> Any:
    """dbt's result of reading the project, with the manifest.

    Args:
        target: the folder for what dbt remembers, where the project cannot be written.
        engine: what it was read for: each has a memory of its own.
        variables: of the command line; the instant among them says nothing of the project.
        options: of dbt itself.
    """
    from dbt.cli.main import dbtRunner

    others = {name: value for name, value in variables.items() if name != INSTANT}
    command = ["--no-write-json", "parse", "--vars", json.dumps(others)]
    command += ["--project-dir", str(project)]
    command += ["--profiles-dir", str(project), "--target-path"]
    command += [str(_memory(project, engine) or target)]
    parsed = dbtRunner().invoke([*options, *command])
    if parsed.exception is not None:
        # dbt trips over its memory of the last parse when a version went with its unit tests
        parsed = dbtRunner().invoke([*options, "--no-partial-parse", *command])
    return parsed


def take_registries(manifest: Any, seeds: Path, project: Path) -> None:
    """Let the manifest read the registries of `seeds`, which may be others than the project's."""
    from dbt.contracts.files import FilePath
    from dbt.parser.read_files import load_seed_source_file

    for node in manifest.nodes.values():
        path = seeds / f"{node.name}.csv"
        if node.resource_type != "seed" or not path.is_file():
            continue
        place = FilePath(os.path.relpath(seeds, project), path.name, 0.0, str(project))
        node.root_path = str(project)
        node.original_file_path = place.original_file_path
        node.checksum = load_seed_source_file(place, node.package_name).checksum
    declare_arms(manifest, seeds)
    manifest.build_flat_graph()  # what Jinja reads of it


def declare_arms(manifest: Any, seeds: Path) -> None:
    """Let the contract of the user properties follow the registry: one column per experiment.

    The yml lists the experiments of our own registry. With other registries their experiments
    stand in the contract instead, so that the mart stays the allow-list of what may leave.
    """
    from dbt.artifacts.resources import ColumnInfo

    node = manifest.nodes.get("model.counterfoil.heap_user_properties")
    if node is None:
        return
    kept = {name: column for name, column in node.columns.items() if not name.startswith(ARM)}
    for key in registry_files.experiment_keys(seeds):
        name = f"{ARM}{key}"
        kept[name] = node.columns.get(name) or ColumnInfo(
            name=name, description=f"Arm in `{key}`, by first assignment.", data_type="varchar"
        )
    node.columns = kept


def _memory(project: Path, engine: str) -> Path | None:
    """The folder beside the code, if it can be written and what lies in it is ours."""
    folder = project / "target" / f"parsed_{engine}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    memory = folder / MEMORY
    there = [folder, *([memory] if memory.exists() else [])]
    return folder if all(os.access(path, os.R_OK | os.W_OK) for path in there) else None

"""The order of domains and the places of models: dbt-bouncer.yml refuses what is out of them."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import warehouse
from pipelines.settings import PROJECT_DIR, Settings

AGAINST_THE_ORDER = {
    "dim_persons": "heap_user_properties",
    "int_journeys__deliveries": "fct_message_exposures",
    "fct_lift": "fct_checkout_funnel",
    "fct_audience_members": "fct_reactivation_triage",
    "int_insight__doses": "fct_audience_members",
}
"""Model, and a model of a later domain that it then reads."""

OUT_OF_PLACE = (
    "models/odds/fct_odds.sql",
    "models/insight/extra/whatever.sql",
    "models/insight/workings/deeper/int_insight__deeper.sql",
    "models/segments/vip/anything.sql",
    "models/segments/vip/deeper/vip_v9.sql",
    "models/staging/stg_customerio__nowhere.sql",
    "models/staging/elsewhere/stg_elsewhere__people.sql",
)


def bounced(manifest: dict[str, Any], folder: Path) -> tuple[int, list[str]]:
    """How dbt-bouncer ends over a manifest, and what it says of each failure."""
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    rules = (PROJECT_DIR / "dbt-bouncer.yml").read_text(encoding="utf-8")
    (folder / "rules.yml").write_text(f"dbt_artifacts_dir: {folder}\n{rules}", encoding="utf-8")
    said = folder / "said.json"
    ended = subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt-bouncer")),
            *("run", "--config-file", str(folder / "rules.yml")),
            *("--output-file", str(said), "--output-format", "json"),
        ],
        cwd=PROJECT_DIR,
        capture_output=True,
        check=False,
    )
    found = json.loads(said.read_text(encoding="utf-8"))
    failed = [
        f"{one['check_run_id']} {one['failure_message']}"
        for one in found
        if one["outcome"] == "failed"
    ]
    return ended.returncode, failed


def mutated(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest with every reference against the order, and every model out of its place."""
    wrong = copy.deepcopy(manifest)
    nodes = wrong["nodes"]
    for model, later in AGAINST_THE_ORDER.items():
        nodes[f"model.counterfoil.{model}"]["depends_on"]["nodes"].append(
            f"model.counterfoil.{later}"
        )
    for path in OUT_OF_PLACE:
        name = Path(path).stem
        node = copy.deepcopy(nodes["model.counterfoil.int_identity__rules"])
        node |= {"name": name, "alias": name, "unique_id": f"model.counterfoil.{name}"}
        node |= {"original_file_path": path, "path": path.removeprefix("models/")}
        nodes[node["unique_id"]] = node
    return wrong


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("order") / "home"
    home.mkdir()
    settings = Settings.model_validate({"COUNTERFOIL_HOME": home})
    duckdb.connect(str(settings.raw_path)).close()
    warehouse.invoke(settings, PROJECT_DIR / "seeds", ["compile", "--select", "fct_lift"])
    found: dict[str, Any] = json.loads((home / "target" / "manifest.json").read_bytes())
    return found


@pytest.fixture(scope="module")
def refusals(manifest: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    code, said = bounced(mutated(manifest), tmp_path_factory.mktemp("wrong") / "target")
    assert code == 1
    return said


def test_the_project_is_in_order(manifest: dict[str, Any], tmp_path: Path) -> None:
    assert bounced(manifest, tmp_path / "target")[0] == 0


@pytest.mark.parametrize("model", AGAINST_THE_ORDER)
def test_a_reference_against_the_order_is_refused(refusals: list[str], model: str) -> None:
    later = AGAINST_THE_ORDER[model]
    assert any(
        "permitted_upstream_models" in said and f"`{model}`" in said and later in said
        for said in refusals
    )


@pytest.mark.parametrize("path", OUT_OF_PLACE)
def test_a_model_out_of_its_place_is_refused(refusals: list[str], path: str) -> None:
    assert any("check_model_names" in said and f"`{Path(path).stem}`" in said for said in refusals)


WHATEVER_THE_DATA = {"expression_holds", "no_overlap", "codes_are_registered"}
KEYS = {"unique", "unique_combination"}
FIRST_TO_NOTICE = {"int_experiments__guardrails"}
"""A working that one model reads, and whose key noticed a break before any story did."""


def test_a_working_has_no_data_test_that_never_is_the_first_to_notice(
    manifest: dict[str, Any],
) -> None:
    """`docs/testing.md`: what every row must be, and the key where several models read it."""
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    idle = []
    for test in tests:
        if "/workings/" not in test["original_file_path"]:
            continue
        of = test["attached_node"]
        readers = [n for n in manifest["child_map"][of] if n.startswith("model.")]
        is_shared = len(readers) > 1 or of.rpartition(".")[2] in FIRST_TO_NOTICE
        if test["test_metadata"]["name"] not in WHATEVER_THE_DATA | (KEYS if is_shared else set()):
            idle.append(test["name"])
    assert not idle
    assert len(tests) > 400

"""Registries: what analysts declare is checked before anything is built, in one sentence."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines import registries
from pipelines.errors import UsageError
from pipelines.settings import Settings

ARMS_HEADER = (
    "experiment_key,arm,is_control,weight,allocation_version,valid_from,valid_to,split_action_id,"
    "split_index,attribute_value,trap_action_id,trap_recipient\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "registries"
    made.mkdir()
    return made


def test_ours_stand_where_no_folder_is_given(settings: Settings) -> None:
    assert registries.compose(settings, None) == registries.OURS


def test_a_folder_replaces_only_what_it_holds(settings: Settings, folder: Path) -> None:
    (folder / "workspaces.csv").write_text("workspace_id,name,time_zone\n7,Seven,Asia/Tokyo\n")
    (folder / "notes.csv").write_text("not,a,registry\n")
    composed = registries.compose(settings, folder)
    assert "Seven" in (composed / "workspaces.csv").read_text()
    assert (composed / "metrics.csv").read_text() == (registries.OURS / "metrics.csv").read_text()
    assert not (composed / "notes.csv").exists()


def test_the_same_registries_stand_in_the_same_folder(settings: Settings, folder: Path) -> None:
    (folder / "workspaces.csv").write_text("workspace_id,name,time_zone\n")
    first = registries.compose(settings, folder)
    assert registries.compose(settings, folder) == first
    (folder / "workspaces.csv").write_text("workspace_id,name,time_zone\n7,Seven,\n")
    assert registries.compose(settings, folder) != first


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("workspaces", "workspace_id,name,time_zone,colour\n", "unknown column `colour`"),
        ("workspaces", "workspace_id,name\n", "lacks the column `time_zone`"),
        ("workspaces", "", "lacks the column `workspace_id`"),
        (
            "workspaces",
            "workspace_id,name,time_zone\nseven,x,\n",
            "line 2: `workspace_id` should be",
        ),
        ("workspaces", "workspace_id,name,time_zone\n7,x\n", "fewer fields than the header"),
        ("workspaces", "workspace_id,name,time_zone\n7,x,UTC,y\n", "more fields than the header"),
        (
            "identity_merges",
            "workspace_id,primary_cio_id,secondary_cio_id,merged_at,reason\n7,a,b,2026-02-30,x\n",
            "line 2: `merged_at` should be a date and time",
        ),
        (
            "waivers",
            "rule,subject,reason,owner,expires_on\nfreshness,,audit,data,next week\n",
            "line 2: `expires_on` should be a date such as",
        ),
        (
            "experiment_arms",
            ARMS_HEADER + "e,a,perhaps,1,1,,,,,,,\n",
            "line 2: `is_control` should be true or false",
        ),
        (
            "experiment_arms",
            ARMS_HEADER + "e,a,false,0.6,1,,,,,,,\ne,b,true,0.3,1,,,,,,,\n",
            "weights of `e`, allocation version 1, sum to 0.900000",
        ),
        ("identity_thresholds", "workspace_id,minimum_rate\n,0.9\n", "set identity_minimum_rate"),
    ],
)
def test_a_registry_that_cannot_be_is_told_in_one_sentence(
    settings: Settings, folder: Path, name: str, text: str, says: str
) -> None:
    (folder / f"{name}.csv").write_text(text)
    with pytest.raises(UsageError) as caught:
        registries.compose(settings, folder)
    assert says in str(caught.value)
    assert f"{name}.csv" in str(caught.value)


@pytest.mark.parametrize("total", [1 - 9e-7, 1 + 9e-7])
def test_weights_may_miss_one_by_a_millionth(
    settings: Settings, folder: Path, total: float
) -> None:
    weights = f"e,a,false,{total - 0.5},1,,,,,,,\ne,b,true,0.5,1,,,,,,,\n"
    (folder / "experiment_arms.csv").write_text(ARMS_HEADER + weights)
    registries.compose(settings, folder)


def test_bytes_that_are_no_text_are_refused(settings: Settings, folder: Path) -> None:
    (folder / "workspaces.csv").write_bytes(b"workspace_id,name,time_zone\n7,\xff\xfe,\n")
    with pytest.raises(UsageError, match="UTF-8"):
        registries.compose(settings, folder)


def test_no_folder_no_build(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no folder"):
        registries.compose(settings, tmp_path / "nowhere")


def test_our_own_registries_are_in_order(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    copy = tmp_path / "ours"
    shutil.copytree(registries.OURS, copy)
    assert registries.compose(make_settings(), copy).is_dir()
    assert registries.experiment_keys(registries.OURS)


def test_only_a_line_break_ends_a_line(settings: Settings, folder: Path) -> None:
    (folder / "workspaces.csv").write_text("workspace_id,name,time_zone\n7,Se\u2028ven\x0b,UTC\n")
    composed = registries.compose(settings, folder)
    assert "Se\u2028ven\x0b" in (composed / "workspaces.csv").read_text()

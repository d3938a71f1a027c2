"""How Counterfoil is set up: any Python that fits, and no wheel that lacks the models."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.settings import PROJECT_DIR

UV = PROJECT_DIR / ".tools" / "bin" / "uv"


def fake_python(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def make(folder: Path, pythons: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run our Makefile in a folder of its own, where the only Pythons are those of `pythons`."""
    shutil.copy(PROJECT_DIR / "Makefile", folder / "Makefile")
    tools = pythons.parent / "bin"
    tools.mkdir(exist_ok=True)
    for tool in ("sh", "bash", "cmp", "rm", "mv", "mkdir", "touch", "cat"):
        if not (tools / tool).exists() and (found := shutil.which(tool)):
            (tools / tool).symlink_to(found)
    return subprocess.run(
        [str(shutil.which("make")), *arguments],
        cwd=folder,
        env={"PATH": f"{pythons}:{tools}"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def pythons(tmp_path: Path) -> Path:
    folder = tmp_path / "pythons"
    folder.mkdir()
    # named by a version that is not there, as pyenv's shims are
    fake_python(folder, "python3.11", "exit 127")
    return folder


def test_the_first_python_that_fits_is_taken(tmp_path: Path, pythons: Path) -> None:
    shown = ("--eval", "shown: ; @echo taken $(PYTHON)", "shown")
    assert make(tmp_path, pythons, *shown).stdout == "taken\n"
    too_old = 'case "$2" in *version_info*) exit 1;; esac'
    fake_python(pythons, "python3", too_old)
    assert make(tmp_path, pythons, *shown).stdout == "taken\n"
    fake_python(pythons, "python3.13", f'exec {sys.executable} "$@"')
    assert make(tmp_path, pythons, *shown).stdout == "taken python3.13\n"
    fake_python(pythons, "python3.12", f'exec {sys.executable} "$@"')
    assert make(tmp_path, pythons, *shown).stdout == "taken python3.12\n"


def test_without_one_setup_says_what_to_install(tmp_path: Path, pythons: Path) -> None:
    said = make(tmp_path, pythons, "setup")
    assert said.returncode == 2
    assert "needs a Python from 3.11 to 3.13" in said.stdout
    assert "apt-get install python3.11 python3.11-venv" in said.stdout


def test_another_python_is_another_environment(tmp_path: Path, pythons: Path) -> None:
    (tmp_path / ".tools/bin").mkdir(parents=True)
    for name in ("pyproject.toml", "uv.lock"):
        (tmp_path / name).touch()
    # stands for uv: a line for each time it is asked to make the environment
    fake_python(
        tmp_path / ".tools/bin",
        "uv",
        'mkdir -p .venv; for last; do :; done; echo "$last" >> .venv/made',
    )
    for name in ("python3.12", "python3.13"):
        fake_python(
            pythons,
            name,
            f'case "$2" in *print*) echo {name};; *) exec {sys.executable} "$@";; esac',
        )
    for name in ("python3.12", "python3.12", "python3.13", "python3.13"):
        said = make(tmp_path, pythons, "setup", f"PYTHON={name}")
        assert said.returncode == 0, said.stdout + said.stderr
    assert (tmp_path / ".venv/made").read_text() == "python3.12\npython3.13\n"


@pytest.mark.skipif(not UV.exists(), reason="this environment was not made by `make setup`")
def test_a_wheel_that_would_lack_the_models_is_not_built(tmp_path: Path) -> None:
    built = subprocess.run(
        [str(UV), "build", "--wheel", "--out-dir", str(tmp_path), "--python", sys.executable],
        cwd=PROJECT_DIR,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode != 0
    assert "a wheel would lack them" in built.stderr
    assert list(tmp_path.glob("*.whl")) == []


def test_the_lock_names_no_private_registry() -> None:
    lock = (PROJECT_DIR / "uv.lock").read_text()
    hosts = {part.split("/")[2] for part in lock.split('"') if "://" in part}
    assert hosts == {"pypi.org", "files.pythonhosted.org"}
    assert 'requires-python = ">=3.11, <3.14"' in lock


def test_what_is_fetched_before_the_lock_file_counts_is_known_by_its_hash(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    for name in ("Makefile", ".ci/uv.txt"):
        shutil.copy(PROJECT_DIR / name, tmp_path / name)
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    # a registry that gives something else under the name and version
    with zipfile.ZipFile(shelf / "uv-0.13.9-py3-none-any.whl", "w") as wheel:
        about = "uv-0.13.9.dist-info"
        wheel.writestr("uv.py", "")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: uv\nVersion: 0.13.9\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    said = subprocess.run(
        ["make", ".tools/bin/uv", f"PYTHON={sys.executable}"],
        cwd=tmp_path,
        env={**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(shelf)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode != 0
    assert "DO NOT MATCH THE HASHES" in said.stderr
    assert not list((tmp_path / ".tools").rglob("uv.py"))


def test_what_builds_ourselves_is_locked_too() -> None:
    project = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text())
    assert project["tool"]["uv"]["no-build-isolation-package"] == ["counterfoil"]
    lock = tomllib.loads((PROJECT_DIR / "uv.lock").read_text())
    locked = {package["name"]: package for package in lock["package"]}
    for name in ("hatchling", "editables"):
        assert all(wheel["hash"].startswith("sha256:") for wheel in locked[name]["wheels"])


@pytest.fixture
def bring(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `.ci/bring java` where there is nothing but an apt-get that knows it after an update."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("bash", "sh", "env", "chmod"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    fake_python(
        tools,
        "apt-get",
        f'case "$*" in *update*) : > {tmp_path}/new;; '
        f"*openjdk-17-jre-headless) [ -e {tmp_path}/new ] && : > {tools}/java "
        f"&& chmod +x {tools}/java;; esac",
    )

    def run(*, user: int) -> subprocess.CompletedProcess[str]:
        fake_python(tools, "id", f"echo {user}")
        return subprocess.run(
            [
                str(tools / "bash"),
                str(PROJECT_DIR / ".ci" / "bring"),
                "java",
                "openjdk-17-jre-headless",
            ],
            env={"PATH": str(tools)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_what_ci_lacks_is_brought_as_root(
    tmp_path: Path, bring: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    for _ in range(2):
        said = bring(user=1000)
        assert (said.returncode, (tmp_path / "tools" / "java").exists()) == (1, False)
        assert said.stdout == ""
    assert (bring(user=0).returncode, (tmp_path / "tools" / "java").exists()) == (0, True)
    assert (bring(user=1000).returncode, bring(user=1000).stdout) == (0, "")


def test_what_ci_lacks_is_brought_by_sudo_where_it_asks_nothing(
    tmp_path: Path, bring: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    fake_python(tmp_path / "tools", "sudo", '[ "$1" = -n ] && shift && exec "$@"')
    assert (bring(user=1000).returncode, (tmp_path / "tools" / "java").exists()) == (0, True)


@pytest.mark.parametrize("has_java", [True, False])
def test_ci_leaves_spark_out_with_a_sentence_and_ends_with_the_tests(
    tmp_path: Path, has_java: bool
) -> None:
    tools, ci = tmp_path / "tools", tmp_path / ".ci"
    tools.mkdir()
    ci.mkdir()
    for tool in ("bash", "sh", "env", "dirname"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    for name in ("run", "bring"):
        shutil.copy(PROJECT_DIR / ".ci" / name, ci / name)
    fake_python(tools, "make", 'echo "made $*"')
    fake_python(tools, "id", "echo 1000")
    if has_java:
        fake_python(tools, "java", "exit 0")
    said = subprocess.run(
        [str(tools / "bash"), str(ci / "run")],
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = said.stdout.splitlines()
    assert (said.returncode, lines[-1]) == (0, "made test")
    assert ("made spark" in lines) is has_java
    left_out = [line for line in lines if line.startswith("the tests on Spark are left out: ")]
    assert len(left_out) == (0 if has_java else 1)

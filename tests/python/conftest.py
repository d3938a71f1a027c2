"""What every test may ask for: the real data when it is there, and state folders of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.settings import PROJECT_DIR, Settings

PROVE = os.environ.get("COUNTERFOIL_PROVE") == "1"
"""Set by `make prove`: full example counts."""


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the settings of whoever runs it."""
    for name in list(os.environ):
        if name.startswith(("HEAP_", "CUSTOMERIO_", "COUNTERFOIL_")) and name not in {
            "COUNTERFOIL_PROVE",
            "COUNTERFOIL_SHARED_DATA",
        }:
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data; tests that need it are left out where it is absent."""
    folder = Path(os.environ.get("COUNTERFOIL_SHARED_DATA", PROJECT_DIR.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the real data is not on this machine")
    return folder


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings with a state folder of their own; `make_settings("other")` for a second one."""

    def make(name: str = "home", **changes: object) -> Settings:
        settings = Settings(_env_file=None)  # type: ignore[call-arg]
        return settings.model_copy(update={"home": tmp_path / name, **changes})

    return make


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    """Settings with a fresh state folder."""
    return make_settings()

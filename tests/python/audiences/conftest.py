"""A world of audiences for each test; the models are compiled once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from audience_world import World, audience, compiled_models, settings_of

from pipelines.sandbox import Sandbox


@pytest.fixture(scope="session")
def statements(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The SQL of the audience models."""
    return compiled_models(tmp_path_factory.mktemp("compiled"))


@pytest.fixture
def make_world(
    tmp_path: Path, heap: Sandbox, statements: Mapping[str, str]
) -> Callable[[str], World]:
    """A world of its own in a home of that name."""

    def make(name: str) -> World:
        return World(settings_of(tmp_path / name, heap.url), statements, audiences=[audience()])

    return make


@pytest.fixture
def world(make_world: Callable[[str], World]) -> World:
    """A world with one audience and nobody in it."""
    return make_world("home")

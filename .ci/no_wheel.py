"""Counterfoil is a folder that people edit: a wheel would lack the models, and is not built."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class NoWheel(BuildHookInterface):
    """Lets `make setup` link this folder into its environment, and builds nothing else."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Refuse every wheel but the editable one, which holds a link to this folder.

        Raises:
            RuntimeError: a wheel was asked for.
        """
        if version != "editable":
            raise RuntimeError(
                "Counterfoil is used from its folder, where the models and registries are edited: "
                "a wheel would lack them. Clone the repository and run `make setup`."
            )

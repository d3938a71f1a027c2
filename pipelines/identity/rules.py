"""The identity rules in `seeds/`: is the primary identifier the one that was decided."""

from __future__ import annotations

from pathlib import Path

from pipelines.blanks import BLANKS
from pipelines.errors import CounterfoilError
from pipelines.registries import rows

IDENTIFIERS = ("customer_id", "email")


def require_declared_primary(seeds: Path) -> None:
    """Hold the primary identifier in a folder of seeds to the last migration declared beside it.

    The build holds it to what the warehouse was built with; this holds it where there is no
    warehouse yet, as in a fresh clone.

    Raises:
        CounterfoilError: the rules name no primary identifier, or one nobody migrated to.
    """
    primaries = {
        row["workspace_id"].strip(BLANKS): row["identifier_type"].strip(BLANKS)
        for row in rows(seeds / "identity_rules.csv")
        if row["role"].strip(BLANKS).lower() == "primary"
    }
    if not primaries:
        raise CounterfoilError(
            "identity_rules.csv declares no primary identifier, so nobody can be told apart: "
            "declare one row with the role primary (ours is customer_id)."
        )
    decided: dict[str, tuple[str, str]] = {}
    for row in rows(seeds / "identity_migrations.csv"):
        scope, made = row["workspace_id"].strip(BLANKS), row["decided_on"].strip(BLANKS)
        if made >= decided.get(scope, ("", ""))[0]:
            decided[scope] = (made, row["to_identifier_type"].strip(BLANKS))
    for scope, identifier in sorted(primaries.items()):
        known = decided.get(scope) or decided.get("")
        if known is not None and known[1] != identifier:
            where = f"workspace {scope}" if scope else "all workspaces"
            raise CounterfoilError(
                f"The primary identifier of {where} changed from {known[1]} to {identifier} and "
                "identity_migrations.csv does not say so: rehearse it with "
                "`counterfoil identity migrate`, then declare the migration."
            )

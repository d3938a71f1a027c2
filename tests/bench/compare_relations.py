"""Whether two warehouses say the same: every public relation, columns, types, rows both ways.

A change that should change nothing is held against the state before it:

    python tests/bench/compare_relations.py dump BEFORE_HOME/warehouse.duckdb /tmp/before
    python tests/bench/compare_relations.py dump AFTER_HOME/warehouse.duckdb /tmp/after
    python tests/bench/compare_relations.py compare /tmp/before /tmp/after

Instants that follow the clock of the loading (`loaded_at`, `learned_at`) are left out, and doubles
are compared to twelve significant digits. Exits 1 when something differs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb

PUBLIC = ("heap", "marts")
CLOCKED = {"loaded_at", "learned_at"}


def dump(warehouse: Path, out: Path) -> int:
    """Write each public relation as one Parquet file, and their columns as `columns.json`."""
    out.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(warehouse), read_only=True) as db:
        columns = db.execute(
            "select table_schema, table_name, column_name, data_type "
            "from information_schema.columns "
            f"where table_catalog = current_database() and table_schema in {PUBLIC} order by all"
        ).fetchall()
        shape: dict[str, dict[str, str]] = {}
        for schema, table, column, kind in columns:
            if column not in CLOCKED:
                shape.setdefault(f"{schema}.{table}", {})[column] = kind
        for relation, kinds in shape.items():
            wanted = ", ".join(
                f'cast(printf(\'%.12g\', "{name}") as double) as "{name}"'
                if kind == "DOUBLE"
                else f'"{name}"'
                for name, kind in kinds.items()
            )
            db.execute(
                f"copy (select {wanted} from {relation} order by all) "
                f"to '{out / relation}.parquet' (format parquet)"
            )
    (out / "columns.json").write_text(json.dumps(shape, indent=1, sort_keys=True))
    print(f"{len(shape)} relations in {out}")
    return 0


def compare(before: Path, after: Path) -> int:
    """Print what differs, relation by relation, with up to two rows of each side."""
    old, new = (json.loads((folder / "columns.json").read_text()) for folder in (before, after))
    found = 0
    for relation in sorted(set(old) | set(new)):
        if relation not in old or relation not in new:
            print(f"{relation}: only {'after' if relation in new else 'before'}")
            found += relation not in new  # a relation more is no difference
            continue
        gone = {
            name: kind for name, kind in old[relation].items() if new[relation].get(name) != kind
        }
        if gone:
            print(f"{relation}: columns gone or of another type: {gone}")
        names = ", ".join(f'"{name}"' for name in old[relation] if name not in gone)
        sides = [f"select {names} from '{folder / relation}.parquet'" for folder in (before, after)]
        with duckdb.connect() as db:
            differences = {
                word: db.execute(f"{one} except all {other}").fetchall()
                for word, one, other in (("lost", *sides), ("came", *reversed(sides)))
            }
        for word, rows in differences.items():
            if rows:
                print(
                    f"{relation}: {len(rows)} rows {word}",
                    *(str(r)[:400] for r in rows[:2]),
                    sep="\n  ",
                )
        found += bool(gone) + any(map(bool, differences.values()))
    print(f"{found} of {len(old)} relations differ" if found else f"{len(old)} relations are equal")
    return 1 if found else 0


if __name__ == "__main__":
    verb, *paths = sys.argv[1:] or [""]
    if verb not in {"dump", "compare"} or len(paths) != 2:
        sys.exit(__doc__)
    sys.exit({"dump": dump, "compare": compare}[verb](Path(paths[0]), Path(paths[1])))

"""Heap Connect: users and sessions in two dumps each, and the merge map."""

from __future__ import annotations

from pipelines.sample.files.export import Export


def write_heap(export: Export) -> None:
    """Heap Connect: users and sessions in two dumps each, and the merge map."""
    for dump in (0, 1):
        export.parquet(
            f"heap/users_{dump + 1}.parquet",
            f"""
        select user_id, identity, email, joindate, last_modified
        from heap_users where i % 2 = {dump} order by user_id
            """,
        )
        export.parquet(
            f"heap/sessions_{dump + 1}.parquet",
            f"""
        select session_id, user_id, time, library, platform
        from heap_sessions where session_id % 2 = {dump} order by session_id
            """,
        )
    export.parquet(
        "heap/user_migrations_1.parquet",
        "select from_user_id, to_user_id, time from heap_migrations order by from_user_id",
    )

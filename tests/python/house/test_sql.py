"""SQL in files beside Python: its parts are what the caller gives, no more and no less."""

from __future__ import annotations

import pytest

from pipelines.sql import read_sql


def test_parts_take_the_place_of_their_names_and_json_stays() -> None:
    text = read_sql("pipelines.heap", "user_rows", forbidden="null", waiting="'dead letter'")
    assert "case\n        when null is not null then 'refused: ' || null" in text
    assert "else 'dead letter'" in text
    assert """'{"identity":' ||""" in text


@pytest.mark.parametrize("parts", [{}, {"forbidden": "null", "waiting": "null", "more": "null"}])
def test_another_part_than_those_of_the_file_is_refused(parts: dict[str, str]) -> None:
    with pytest.raises(LookupError, match=r"user_rows\.sql"):
        read_sql("pipelines.heap", "user_rows", **parts)

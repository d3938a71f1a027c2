"""What the deletion API says is used in headers, addresses and certificates: words, or nothing."""

from __future__ import annotations

import json

import httpx
import pytest

from pipelines.erasure.deletion import _said
from pipelines.errors import CounterfoilError


@pytest.mark.parametrize("said", ["eyJhbGciOi.J-_~+/=", 17, "pending", "0"])
def test_a_word_is_taken_as_it_is(said: object) -> None:
    answer = httpx.Response(200, content=json.dumps({"status": said}))
    assert _said(answer, "status") == str(said)


@pytest.mark.parametrize(
    "said", [None, "", "a\nb", "a b", "☃", {"a": 1}, [1], 1.5, "x" * 5000, "<html>", "\x1b[2J"]
)
def test_what_is_no_word_is_not_heap_s_answer(said: object) -> None:
    answer = httpx.Response(200, content=json.dumps({"status": said}))
    with pytest.raises(CounterfoilError, match="not Heap as documented"):
        _said(answer, "status")
    with pytest.raises(CounterfoilError, match="not Heap as documented"):
        _said(answer, "another")

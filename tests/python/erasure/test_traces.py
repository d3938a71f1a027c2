"""Mentions of a person in texts: identifiers are found whole, never inside longer ones."""

from __future__ import annotations

import json
import string
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.erasure.person import Person
from pipelines.erasure.traces import ERASED

ANN = Person(
    "ann@example.com",
    identifiers={
        ("email", "ann@example.com"),
        ("customer_id", "customer-10"),
        ("cio_id", "a01"),
        ("customer_id", "4001234567"),
    },
)
LOCAL = string.ascii_letters + string.digits + ".!#$%&'*+/=?^_`{|}~-é"
ID = string.ascii_letters + string.digits + "-_.:/"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("ann@example.com", None),
        (" Ann@Example.COM\n", None),
        ("customer-10", None),
        ("referred by ann@example.com, thanks", f"referred by {ERASED}, thanks"),
        ("<Ann@example.com>;customer-10", f"<{ERASED}>;{ERASED}"),
        ("mailto:ann@example.com?subject=hi", f"mailto:{ERASED}?subject=hi"),
        ("ask ann@example.com.", f"ask {ERASED}."),
        ("'ann@example.com'", f"'{ERASED}'"),
        ("**ann@example.com**", f"**{ERASED}**"),
        (["x", "ann@example.com", "joann@example.com"], ["x", "joann@example.com"]),
        ('{"a": ["ann@example.com", 10]}', '{"a": [null, 10]}'),
        ('{"a":{"b":"ann\\u0040example.com"},"c":1.10}', '{"a":{"b":null},"c":1.10}'),
        ("https://x.example/u?e=ann%40example.com&n=1", f"https://x.example/u?e={ERASED}&n=1"),
        ("https://x.example/u/Ann%40Example.com/out", f"https://x.example/u/{ERASED}/out"),
        ("?to=a%20b%3B%20ann%40example.com", "?to=a%20b%3B%20(erased)"),
        (
            "go?to=https%3A%2F%2Fx%2F%3Fe%3Dann%2540example.com&i=1",
            f"go?to=https:%2F%2Fx%2F%3Fe%3D{ERASED}&i=1",
        ),
        ('{"href": "https://x/?e=ann%40example.com"}', f'{{"href": "https://x/?e={ERASED}"}}'),
        ('{"ann@example.com": 1}', f'{{"{ERASED}": 1}}'),
        (
            '{"note": "ask customer-10 or customer-100"}',
            f'{{"note": "ask {ERASED} or customer-100"}}',
        ),
    ],
)
def test_a_mention_is_taken_out_and_the_rest_stays(value: object, kept: object) -> None:
    assert ANN.mentions().without(value) == kept


def spelled(text: str) -> set[str]:
    """Base64 for texts and for addresses on the web, filled up or not, and hex in both cases."""
    content = text.encode()
    both = {b64encode(content).decode(), urlsafe_b64encode(content).decode()}
    return {*both, *(word.rstrip("=") for word in both), content.hex(), content.hex().upper()}


@pytest.mark.parametrize("text", ["ann@example.com", "customer-10"])
def test_a_mention_in_base64_or_hex_is_one(text: str) -> None:
    mentions = ANN.mentions()
    for word in spelled(text):
        assert mentions.without(word) is None
        assert mentions.without(f"to {word}, thanks") == f"to {ERASED}, thanks"
        assert mentions.without(f'{{"a": "{word}", "n": 1.10}}') == '{"a": null, "n": 1.10}'
        for part in (word.rstrip("="), quote(word, safe="")):
            address = mentions.without(f"https://x.example/u?e={part}&n=1")
            assert address == f"https://x.example/u?e={ERASED}&n=1", part


def test_the_hex_of_an_id_that_is_any_number_is_not_looked_for() -> None:
    ids = ["apps123456", "apps-12345"]
    mentions = Person(ids[0], identifiers={("customer_id", text) for text in ids}).mentions()
    number, word = (text.encode().hex() for text in ids)
    assert number.isdigit()
    assert mentions.without(number) == number
    assert mentions.without(word) is None
    assert [mentions.without(text) for text in ids] == [None, None]


@pytest.mark.parametrize(
    "text",
    ["joann@example.com", "ann@example.com.au", "customer-100", "customer-1", "xcustomer-10"],
)
def test_of_somebody_else_base64_and_hex_stay(text: str) -> None:
    for word in spelled(text):
        for value in (word, f"to {word}, thanks", f"https://x.example/u?e={word}&n=1"):
            assert ANN.mentions().without(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "joann@example.com", "ann@example.com.au", "o'ann@example.com", "x+ann@example.com",
        "ann@example.community", "ann@example.com-pany.org", "a=ann@example.com",
        "éann@example.com",
        "ann@example.com@other.org", "user%ann@example.com", "ann@sub.example.com",
        "customer-100", "customer-1", "customer-10-b", "xcustomer-10", "order:customer-10",
        "?e=joann%40example.com", "?e=o%27ann%40example.com", "?e=ann%40example.com.au",
        "?e=x%2Bann%40example.com", "?e=a%3Dann%40example.com", "%2525252540", "100%", "%40", "%zz",
        # a short id, or a number, may be anything
        "a01", "4001234567", '{"id": "a01", "n": "4001234567"}',
        '{"to": "joann@example.com", "cc": ["ann@example.com.au"]}',
        None, ["joann@example.com", None],
    ],
)  # fmt: skip
def test_whoever_is_somebody_else_stays_byte_for_byte(value: object) -> None:
    assert ANN.mentions().without(value) == value


@given(st.text(LOCAL, max_size=6), st.text(string.ascii_lowercase + "-_.", max_size=6))
def test_no_longer_address_is_taken_for_a_shorter_one(before: str, after: str) -> None:
    address = f"{before}ann@example.com{after}"
    if address.rstrip(".-").lower() == "ann@example.com":
        return
    mentions = ANN.mentions()
    for text in (address, f"see {address} there", json.dumps({"a": [address]}), f"<{address}>"):
        assert mentions.without(text) == text


@given(st.text(ID, max_size=4), st.text(ID, max_size=4))
def test_no_longer_id_is_taken_for_a_shorter_one(before: str, after: str) -> None:
    word = f"{before}customer-10{after}"
    if word.rstrip(".:!") == "customer-10" or "://" in word:  # on the web, a sign ends a word
        return
    mentions = ANN.mentions()
    for text in (word, f"see {word} there", json.dumps([word])):
        assert mentions.without(text) == text


@given(st.text(LOCAL, max_size=5), st.integers(0, 3), st.text(max_size=5))
def test_a_spelled_out_address_is_found_whole_or_not_at_all(
    before: str, deep: int, other: str
) -> None:
    address, rest = f"{before}ann@example.com", other
    for _ in range(deep):
        address, rest = quote(address, safe=""), quote(rest, safe="", errors="surrogatepass")
    text = f"https://x.example/?a=1&e={address}&o={rest}"
    kept = ANN.mentions().without(text)
    # where it is not spelled out, a sign of the web ends what stands before it
    is_whole = before == "" or (deep == 0 and before[-1] in "?&=/#;")
    assert (kept != text) == is_whole


@given(st.text(), st.text())
def test_any_text_around_a_mention_is_kept(before: str, after: str) -> None:
    text = f"{before} ann@example.com {after}"
    kept = ANN.mentions().in_text(text)
    assert "ann@example.com" not in kept.split()
    if "ann@example.com" not in f"{before} {after}".lower() and "customer-10" not in text:
        assert kept == f"{before} {ERASED} {after}"

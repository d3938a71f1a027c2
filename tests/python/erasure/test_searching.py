"""Files that are not ours: whatever spells or packs a person is found, and nobody else is."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import sqlite3
import zipfile
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather
from test_traces import ANN

from pipelines.erasure import others, searching
from pipelines.erasure.others import is_named_by, search_other
from pipelines.erasure.person import Person
from pipelines.erasure.proof import masked, prove
from pipelines.settings import Settings

MINE = ["ann@example.com", "Ann@Example.COM", "customer-10"]
SOMEBODY_ELSE = ["joann@example.com", "ann@example.com.au", "customer-100", "xcustomer-10"]


def every_letter(spelled: Callable[[int], str]) -> Callable[[str], str]:
    return lambda text: "".join(spelled(ord(letter)) for letter in text)


SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "json sign": lambda text: text.replace("@", r"\u0040").replace("-", r"\u002D"),
    "json letters": every_letter(lambda code: f"\\u{code:04x}"),
    "json in json": every_letter(lambda code: f"\\\\u{code:04X}"),
    "after a line end in json": lambda text: f"of\\n{text}\\tand",
    "percent sign": lambda text: quote(text, safe=""),
    "percent letters": every_letter(lambda code: f"%{code:02x}"),
    "percent in percent": every_letter(lambda code: f"%2525{code:02X}"),
    "html decimal": every_letter(lambda code: f"&#{code};"),
    "base64": lambda text: b64encode(text.lower().encode()).decode(),
    "base64 on the web": lambda text: urlsafe_b64encode(text.lower().encode()).decode().rstrip("="),
    "hex": lambda text: text.lower().encode().hex(),
    "html hexadecimal": every_letter(lambda code: f"&#x{code:04X};"),
}
ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "utf-8": str.encode,
    "utf-16, little end": lambda text: text.encode("utf-16-le"),
    "utf-16, big end": lambda text: text.encode("utf-16-be"),
    "utf-16, little end marked": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "utf-16, big end marked": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "utf-16 packed": lambda text: gzip.compress(text.encode("utf-16")),
}


def found_in(settings: Settings, folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return search_other(settings, folder / name, ANN)[0]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_person_is_found_however_they_are_written(
    settings: Settings, tmp_path: Path, spelling: str, encoding: str
) -> None:
    spelled, encoded = SPELLINGS[spelling], ENCODINGS[encoding]
    for around in ("%s", 'to "%s", 雪', "a,%s\r\nb,c"):
        for text in MINE:
            content = encoded(around % spelled(text))
            assert found_in(settings, tmp_path, "notes.txt", content) == "whole", (around, text)
        for text in SOMEBODY_ELSE:
            content = encoded(around % spelled(text))
            assert found_in(settings, tmp_path, "notes.txt", content) != "whole", (around, text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16, little end", "utf-16, big end"])
@pytest.mark.parametrize("spelling", ["plain", "json letters", "percent in percent"])
def test_no_end_of_a_block_hides_a_person(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spelling: str,
    encoding: str,
) -> None:
    monkeypatch.setattr(searching, "BLOCK", 4096)
    spelled, encoded = SPELLINGS[spelling], ENCODINGS[encoding]
    for text, is_mine in ((MINE[0], True), (SOMEBODY_ELSE[0], False), (SOMEBODY_ELSE[1], False)):
        word = spelled(text)
        for inside in range(-8, len(encoded(word)) + 8, 5):
            before = ";" * ((4096 - inside) // len(encoded(";")))
            content = encoded(before + word + " ;" * 4000)
            found = found_in(settings, tmp_path, "notes.txt", content)
            assert (found == "whole") == is_mine, (inside, text)


def zipped(members: dict[str, bytes], *, has_password: bool = False, comment: bytes = b"") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = comment
        for name, text in members.items():
            archive.writestr(name, text)
    held = bytearray(content.getvalue())
    if has_password:  # the flag of the first member, in its head and in the list at the end
        for sign, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            held[held.index(sign) + place] |= 1
    return bytes(held)


ANN_SAID = b'{"to": "ann@example.com"}'
JOANN_SAID = b'{"to": "joann@example.com", "id": "customer-100"}'
ARCHIVES: dict[str, tuple[bytes, str]] = {
    "text": (zipped({"notes": JOANN_SAID, "people/list": b"of customer-10"}), "whole"),
    "packed again": (zipped({"notes": gzip.compress(ANN_SAID)}), "whole"),
    "two bytes a letter": (zipped({"notes": "ann@example.com".encode("utf-16")}), "whole"),
    "name of a member": (zipped({"ann@example.com.txt": b""}), "whole"),
    "name of a folder": (zipped({"customer-10/list.txt": b""}), "whole"),
    "what it says of itself": (zipped({"notes": b"nobody"}, comment=ANN_SAID), "whole"),
    "somebody else": (zipped({"notes": JOANN_SAID, "customer-100.txt": b""}), "inside"),
    "nobody": (zipped({"notes": b"nobody"}), "nothing"),
    "empty": (zipped({}), "nothing"),
    "an archive in it": (zipped({"notes": zipped({"notes": ANN_SAID})}), "unread"),
    "a table in it": (zipped({"people.parquet": b"PAR1"}), "unread"),
    "behind a password": (zipped({"notes": b"nobody"}, has_password=True), "unread"),
    "cut short": (zipped({"notes": ANN_SAID})[:-30], "unread"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_is_searched_by_its_members(
    settings: Settings, tmp_path: Path, name: str
) -> None:
    content, finding = ARCHIVES[name]
    assert found_in(settings, tmp_path, "archive.zip", content) == finding
    if finding != "unread":
        assert found_in(settings, tmp_path, "book.xlsx", content) == finding


def test_an_archive_that_unpacks_too_far_is_not_searched(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = zipped({"first": b" " * 1000, "second": b" " * 1000})
    assert found_in(settings, tmp_path, "archive.zip", content) == "nothing"
    for name, most in (("MOST_UNPACKED", 1500), ("MOST_MEMBERS", 1)):
        with monkeypatch.context() as bounded:
            bounded.setattr(others, name, most)
            assert found_in(settings, tmp_path, "archive.zip", content) == "unread"


PEOPLE = pa.table({"who": ["nobody", "ann@example.com"]})
UUID = "4f9d2c1a-0b3e-4a57-8c6d-1e2f3a4b5c6d"


def arrow(table: pa.Table, compression: str) -> bytes:
    out = io.BytesIO()
    feather.write_feather(table, out, compression=compression)
    return out.getvalue()


def parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()


@pytest.mark.parametrize("name", ["people.bak", "people", "people.txt"])
@pytest.mark.parametrize(
    "content",
    [
        arrow(PEOPLE, "uncompressed"), arrow(PEOPLE, "zstd"), "nobody".encode("utf-32"),
        gzip.compress(gzip.compress(ANN_SAID)), gzip.compress(bytes(range(256)) * 9),
        bytes(range(256)),
    ],
)  # fmt: skip
def test_what_is_no_text_was_not_searched_whatever_it_is_called(
    settings: Settings, tmp_path: Path, content: bytes, name: str
) -> None:
    assert found_in(settings, tmp_path, name, content) == "unread"


@pytest.mark.parametrize(
    "content",
    [b"", b"caf\xe9, \x1b[1mnobody\x1b[0m\r\n\f", "雪, nobody\n".encode("utf-16"), "雪".encode()],
)
def test_what_is_text_in_any_letters_was_searched(
    settings: Settings, tmp_path: Path, content: bytes
) -> None:
    assert found_in(settings, tmp_path, "notes", content) == "nothing"


@pytest.mark.parametrize("name", ["people.parquet", "people.PARQUET", "people.bak", "people"])
@pytest.mark.parametrize(
    ("table", "finding"),
    [
        (PEOPLE, "whole"),
        (pa.table({"who": [{"is": [b"ann@example.com"]}]}), "whole"),
        (pa.table({"ann@example.com": [1]}), "whole"),
        (pa.table({"who": [{"ann@example.com": 1}]}), "whole"),
        (pa.table({"n": [1]}).replace_schema_metadata({"who": "ann@example.com"}), "whole"),
        (pa.table({"who": ["joann@example.com"]}), "inside"),
        (pa.table({"joann@example.com": [1]}), "inside"),
        (pa.table({"who": ["nobody"]}), "nothing"),
    ],
)
def test_a_file_of_tables_is_searched_by_its_values_and_names(
    settings: Settings, tmp_path: Path, table: pa.Table, finding: str, name: str
) -> None:
    assert found_in(settings, tmp_path, name, parquet(table)) == finding


def test_an_id_that_is_a_uuid_is_found_as_one(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "people.parquet"
    with duckdb.connect() as db:
        db.execute(f"copy (select uuid '{UUID}' as who) to '{path}' (format parquet)")
    asked = Person(UUID, {("customer_id", UUID)})
    assert search_other(settings, path, asked)[0] == "whole"


def sqlite(path: Path, *statements: str, encoding: str = "UTF-8") -> Path:
    path.unlink(missing_ok=True)
    db = sqlite3.connect(path)
    db.execute(f"pragma encoding = '{encoding}'")
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()
    return path


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
@pytest.mark.parametrize(
    ("value", "column", "finding"),
    [
        ("'of ann@example.com'", "note", "whole"),
        ('\'{"to": "ann\\u0040example.com"}\'', "note", "whole"),
        ("'a01'", "internal_customer_id", "whole"),
        ("4001234567", "customer_id", "whole"),
        ("cast('ann@example.com' as blob)", "note", "whole"),
        ("'a01'", "note", "nothing"),
        ("4001234567", "price", "nothing"),
        ("'joann@example.com, customer-100'", "note", "nothing"),
    ],
)
def test_a_database_of_sqlite_is_searched_by_its_values(
    settings: Settings, tmp_path: Path, value: str, column: str, finding: str, encoding: str
) -> None:
    path = sqlite(
        tmp_path / "crm.db",
        f'create table "the ""people""" (n, {column})',
        'insert into "the ""people""" values (null, null)',
        f'insert into "the ""people""" values (1, {value})',
        encoding=encoding,
    )
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert search_other(settings, path, ANN) == (finding, 1)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_what_of_a_database_is_not_searched_is_told(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sqlite(tmp_path / "crm.sqlite", "create table t (a)", "insert into t values ('x')")
    assert search_other(settings, path, ANN)[0] == "nothing"
    log = tmp_path / "crm.sqlite-wal"
    log.write_bytes(b"not written back yet")
    assert search_other(settings, path, ANN)[0] == "unread"
    log.unlink()
    with monkeypatch.context() as bounded:
        bounded.setattr(others, "MOST_UNPACKED", path.stat().st_size - 1)
        assert search_other(settings, path, ANN)[0] == "unread"
    with monkeypatch.context() as bounded:
        bounded.setattr(others, "SQLITE_SECONDS", -1.0)
        bounded.setattr(others, "STEPS_BETWEEN_LOOKS", 1)
        assert search_other(settings, path, ANN)[0] == "unread"
    path.write_bytes(path.read_bytes()[:2000])
    assert search_other(settings, path, ANN)[0] == "unread"


@pytest.mark.parametrize("name", ["copy.duckdb", "copy.db", "copy"])
@pytest.mark.parametrize(
    ("values", "finding"),
    [
        ("'of ann@example.com' as note", "whole"),
        ("'a01' as internal_customer_id", "whole"),
        ("'joann@example.com' as note, 'a01' as product", "inside"),
        ("'nobody' as note", "nothing"),
    ],
)
def test_a_database_of_duckdb_is_searched_by_its_values(
    settings: Settings, tmp_path: Path, values: str, finding: str, name: str
) -> None:
    with duckdb.connect(str(tmp_path / name)) as db:
        db.execute(f"create table t as select {values}")
    before = (tmp_path / name).read_bytes()
    assert search_other(settings, tmp_path / name, ANN) == (finding, 1)
    assert (tmp_path / name).read_bytes() == before


@pytest.mark.parametrize(
    "name",
    [
        "ann@example.com", "Ann@Example.com.txt", "mail to ann@example.com.csv.gz", "customer-10",
        "customer-10.json", "ann%40example.com.eml", "%61nn%40example.com", "orders (customer-10)",
    ],
)  # fmt: skip
def test_a_name_that_tells_the_person_is_known_and_never_repeated(name: str) -> None:
    assert is_named_by(name, ANN)
    assert masked(f"people/{name}", ANN) == "people/(erased)"


@pytest.mark.parametrize(
    "name",
    ["joann@example.com.txt", "customer-100", "customer-1.0", "customer-10_orders.csv", "a01",
     "ann@example.com.au", "people.csv", ".hidden", "10"],
)  # fmt: skip
def test_a_name_of_somebody_else_is_left(name: str) -> None:
    assert not is_named_by(name, ANN)


def test_the_proof_tells_of_all_that_is_left(settings: Settings) -> None:
    """By place and reason; nothing of it is an identifier, however it is written."""
    home = settings.home
    folders = ["people/ann@example.com", "other/customer-10", "other/customer-100", "kept"]
    for folder in folders:
        (home / folder).mkdir(parents=True)
    contents: dict[str, bytes] = {
        "people/ann@example.com/list.csv": b"nobody",
        "people/ann%40example.com.eml": b"nobody",
        "kept/a.txt": "of ann@example.com".encode("utf-16"),
        "kept/b.json": json.dumps({"to": "x"}).replace("x", r"\u0061nn@example.com").encode(),
        "kept/c.zip": ARCHIVES["text"][0],
        "kept/d.zip": ARCHIVES["behind a password"][0],
        "kept/e.txt": "of joann@example.com".encode("utf-16"),
        "kept/list.customer-10": b"PK\x03\x04",
        "tmp/rows/ann@example.com": b"",
    }
    for name, content in contents.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)
    sqlite(
        home / "kept" / "f.db",
        "pragma secure_delete = off",
        "create table t (a)",
        "insert into t values ('ann@example.com')",
        "delete from t",
    )
    sqlite(home / "kept" / "g.db", "create table t (a)", "insert into t values ('customer-10')")
    (home / "tmp/rows/ann@example.com").unlink()
    proof = prove(settings, ANN)
    rename = "its name names the person: yours to rename"
    clean = "not ours, names the person: yours to clean (a load keeps them out)"
    assert proof.left == {
        "people/(erased)": rename,
        "people/(erased) (2)": rename,
        "other/(erased)": rename,
        "kept/a.txt": clean,
        "kept/b.json": clean,
        "kept/c.zip": clean,
        "the blocks of kept/f.db": "bytes that hold an identifier inside longer values, or over "
        "two of them",
        "kept/g.db": clean,
    }
    assert set(proof.not_searched) == {"kept/*.zip", "kept/(erased)"}
    assert proof.found == []
    assert proof.count_tables == 2

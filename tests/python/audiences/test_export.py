"""Files of ad platforms: hashed, with consent, told apart from the last ones."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from audience_world import Human, World, audience, crowd

from pipelines.audiences import export as exporting
from pipelines.audiences.export import export
from pipelines.errors import CounterfoilError, UsageError

ADS = {"destination": "ads_file", "destination_id": "meta", "consent_attribute": "ok"}


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_file_holds_hashes_of_members_and_its_manifest_names_nobody(
    world: World, tmp_path: Path
) -> None:
    world.audiences = [audience("ads", **ADS)]
    world.add(*crowd(10), Human("c9", "p9", "id-99", "No@Shop.example", consents=False))
    world.humans["c000001"].email = "Shopper1@Shop.Example"
    world.build()
    out = tmp_path / "out" / "ads.csv"
    manifest = export(world.settings, world.console, "ads", out=out)
    lines = out.read_text().splitlines()
    assert lines[0] == "email,extern_id"
    expected = [n for n in range(10) if n % 5]
    assert sorted(lines[1:]) == sorted(
        f"{hashed(f'shopper{n}@shop.example')},{hashed(f'id-{n}')}" for n in expected
    )
    assert out.stat().st_mode & 0o077 == 0
    beside = (tmp_path / "out" / "ads.csv.manifest.json").read_text()
    assert json.loads(beside) == manifest
    assert (manifest["count_rows"], manifest["count_entered"], manifest["count_left"]) == (8, 8, 0)
    assert manifest["version"] == 1
    assert manifest["as_of"].startswith("2026-06-01")
    assert "@" not in beside
    assert hashed("shopper1@shop.example") not in beside


def test_the_next_file_says_who_left(world: World, tmp_path: Path) -> None:
    world.audiences = [audience("ads", **ADS)]
    world.add(*crowd(10))
    world.build()
    out = tmp_path / "ads.csv"
    export(world.settings, world.console, "ads", out=out)
    world.humans["c000001"].consents = False
    world.humans["c000002"].is_deleted = True
    world.add(Human("c77", "p77", None, "new@shop.example"))
    world.build()
    manifest = export(world.settings, world.console, "ads", out=out)
    assert (manifest["count_rows"], manifest["count_entered"], manifest["count_left"]) == (7, 1, 2)
    left = (tmp_path / "ads.csv.left.csv").read_text().splitlines()
    assert left[1:] == sorted(
        f"{hashed(f'shopper{n}@shop.example')},{hashed(f'id-{n}')}" for n in (1, 2)
    )
    assert world.ledger("select count_rows, count_left from audience_exports order by 1") == [
        (7, 2),
        (8, 0),
    ]


class Stopped(BaseException):
    """As if the process ended here."""


@pytest.mark.parametrize("count_written", [1, 2])
def test_whom_a_stopped_export_wrote_the_next_one_knows(
    count_written: int, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.audiences = [audience("ads", **ADS)]
    world.add(*crowd(10))
    world.build()
    out, write, calls = tmp_path / "ads.csv", exporting._write, iter(range(1, 9))

    def stopping(path: Path, body: bytes, key: str) -> None:
        write(path, body, key)
        if next(calls) == count_written:
            raise Stopped

    monkeypatch.setattr(exporting, "_write", stopping)
    with pytest.raises(Stopped):
        export(world.settings, world.console, "ads", out=out)
    monkeypatch.undo()
    # somebody may have uploaded it by now
    assert out.exists() == (count_written == 2)
    world.humans["c000001"].consents = False
    world.build()
    manifest = export(world.settings, world.console, "ads", out=out)
    assert (manifest["count_rows"], manifest["count_left"]) == (7, 1)
    gone = f"{hashed('shopper1@shop.example')},{hashed('id-1')}"
    assert gone not in out.read_text()
    assert (tmp_path / "ads.csv.left.csv").read_text().splitlines()[1:] == [gone]
    assert export(world.settings, world.console, "ads", out=out)["count_left"] == 0


def test_without_a_consent_attribute_a_file_is_empty(world: World, tmp_path: Path) -> None:
    world.audiences = [audience("ads", destination="ads_file", destination_id="meta")]
    world.add(*crowd(10))
    world.build()
    out = tmp_path / "ads.csv"
    assert export(world.settings, world.console, "ads", out=out)["count_rows"] == 0
    assert out.read_text() == "email,extern_id\n"


def test_what_is_no_ad_file_is_refused_in_a_sentence(world: World, tmp_path: Path) -> None:
    world.audiences = [audience(), audience("ads", **{**ADS, "destination_id": "myspace"})]
    world.build()
    out = tmp_path / "ads.csv"
    for key in ("sms", "nothing"):
        with pytest.raises(UsageError, match="No such ad file"):
            export(world.settings, world.console, key, out=out)
    with pytest.raises(CounterfoilError, match="no columns are declared for its platform"):
        export(world.settings, world.console, "ads", out=out)
    world.audiences = [audience("ads", **ADS)]
    world.build()
    out.write_text("somebody's own file")
    with pytest.raises(UsageError, match="is not an ad file of Counterfoil"):
        export(world.settings, world.console, "ads", out=out)
    assert out.read_text() == "somebody's own file"


def test_an_id_that_somebody_held_out_left_behind_is_in_no_file(
    world: World, tmp_path: Path
) -> None:
    world.audiences = [audience("ads", **ADS)]
    world.add(*crowd(10))
    world.humans["c000005"].is_deleted = True  # held out, and no more
    world.add(Human("c77", "p77", "id-5", "new@shop.example"))
    world.add(Human("c78", "p78", "id-78", "other@shop.example"))
    world.build()
    out = tmp_path / "ads.csv"
    assert export(world.settings, world.console, "ads", out=out)["count_rows"] == 9
    assert hashed("id-5") not in out.read_text()
    assert hashed("id-78") in out.read_text()


@pytest.mark.parametrize(
    ("held", "other"),
    [
        ("Jo.Hn+x@gmail.com", "john@gmail.com"),
        ("john@googlemail.com", "john@gmail.com"),
        ("john@shop.example", "john @shop.example"),
    ],
)
def test_an_address_that_a_platform_may_read_as_that_of_somebody_held_out_is_in_no_file(
    held: str, other: str, world: World, tmp_path: Path
) -> None:
    world.audiences = [audience("ads", **{**ADS, "destination_id": "google"})]
    world.add(
        Human("c1", "p1", "id-1", held, arms=[("cart", "control")]),
        Human("c2", "p2", "id-2", other),
        Human("c3", "p3", "id-3", "jane@shop.example"),
    )
    world.build()
    out = tmp_path / "ads.csv"
    export(world.settings, world.console, "ads", out=out)
    assert out.read_text() == f"Email,Phone\n{hashed('jane@shop.example')},\n"


def test_the_file_of_another_audience_is_not_overwritten(world: World, tmp_path: Path) -> None:
    """Its leavers stand beside it, and maybe nobody has taken them off the platform yet."""
    world.audiences = [audience("ads", **ADS), audience("more", **ADS)]
    world.add(*crowd(10))
    world.build()
    out = tmp_path / "ads.csv"
    export(world.settings, world.console, "ads", out=out)
    world.humans["c000001"].is_in = False
    world.build()
    export(world.settings, world.console, "ads", out=out)
    beside = {path: path.read_bytes() for path in tmp_path.glob("ads.csv*")}
    assert len(beside) == 3
    with pytest.raises(UsageError, match="is not an ad file of Counterfoil for this audience"):
        export(world.settings, world.console, "more", out=out)
    assert {path: path.read_bytes() for path in tmp_path.glob("ads.csv*")} == beside
    assert export(world.settings, world.console, "ads", out=out)["count_rows"] == 7

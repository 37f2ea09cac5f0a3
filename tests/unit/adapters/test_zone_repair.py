"""Damage in the landing zone: found on reading, repaired from a good copy, and held where there is none."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from evenkeel.adapters.landing import LandingZone
from evenkeel.errors import DataRejected, Transient
from tests.unit.adapters.zones import MAX, file_in, land, tree


def test_a_replica_that_a_crash_kept_from_its_manifest_gets_it(zone: LandingZone, tmp_path: Path) -> None:
    path = file_in(tmp_path / "in", "a.csv")
    land(zone, "one", path)
    (tmp_path / "copy/market/one/batch.json").unlink()
    assert not land(zone, "one", path).new
    assert tree(tmp_path / "zone") == tree(tmp_path / "copy")


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_a_damaged_file_is_repaired_from_the_replica(zone: LandingZone, tmp_path: Path, damage: str) -> None:
    landing = land(zone, "one", file_in(tmp_path / "in", "a.csv")).landing
    held = tmp_path / "zone/market/one" / landing.files[0].name
    if damage == "gone":
        held.unlink()
    else:
        held.write_bytes(b"id,x\n1,3\n" if damage == "flipped" else b"id,x")
    assert zone.fetch(landing)[0][1].read_bytes() == b"id,x\n1,2\n"
    assert held.read_bytes() == b"id,x\n1,2\n"


def test_a_file_damaged_in_every_copy_is_held(zone: LandingZone, tmp_path: Path) -> None:
    landing = land(zone, "one", file_in(tmp_path / "in", "a.csv")).landing
    for copy in ("zone", "copy"):
        (tmp_path / copy / "market/one" / landing.files[0].name).write_bytes(b"id,x\n1,3\n")
    with pytest.raises(DataRejected, match="damaged or gone in every copy") as caught:
        zone.fetch(landing)
    assert caught.value.cause == "data.landed_copy_damaged"


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone", "whole folder gone"])
def test_reading_repairs_a_replica_that_is_not_read(zone: LandingZone, tmp_path: Path, damage: str) -> None:
    landing = land(zone, "one", file_in(tmp_path / "in", "a.csv")).landing
    copy = tmp_path / "copy/market/one" / landing.files[0].name
    if damage == "whole folder gone":
        shutil.rmtree(tmp_path / "copy")
    elif damage == "gone":
        copy.unlink()
    else:
        copy.write_bytes(b"id,x\n1,3\n" if damage == "flipped" else b"id,x")
    assert zone.repaired(landing) == []
    assert zone.fetch(landing)[0][1].read_bytes() == b"id,x\n1,2\n"
    assert copy.read_bytes() == b"id,x\n1,2\n"
    assert [r.partition(": ")[2] for r in zone.repaired(landing)] == [f"market/one/{landing.files[0].name}"]


def test_a_replica_that_cannot_be_repaired_keeps_nobody_from_reading(
    zone: LandingZone, tmp_path: Path
) -> None:
    landing = land(zone, "one", file_in(tmp_path / "in", "a.csv")).landing
    shutil.rmtree(tmp_path / "copy")
    (tmp_path / "copy").symlink_to("copy")  # every access to it is an OSError
    assert zone.fetch(landing)[0][1].read_bytes() == b"id,x\n1,2\n"
    assert zone.repaired(landing) == []


def test_one_bit_anywhere_in_the_zone_is_found_and_put_right(zone: LandingZone, tmp_path: Path) -> None:
    path = file_in(tmp_path / "in", "a.csv", bytes(range(200)))
    landing = land(zone, "one", path).landing
    held = tmp_path / "zone/market/one" / landing.files[0].name
    for bit in range(0, 200 * 8, 67):
        content = bytearray(held.read_bytes())
        content[bit // 8] ^= 1 << bit % 8
        held.write_bytes(content)
        assert zone.fetch(landing)[0][1].read_bytes() == bytes(range(200))
        assert held.read_bytes() == bytes(range(200))


def test_a_manifest_of_before_is_still_read(zone: LandingZone, tmp_path: Path) -> None:
    landing = land(zone, "one", file_in(tmp_path / "in", "a.csv")).landing
    body = json.loads((tmp_path / "zone/market/one/batch.json").read_text())["landing"]
    del body["repeats"]
    for file in body["files"]:
        del file["origin"], file["stale"]
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    for copy in ("zone", "copy"):
        written = tmp_path / copy / "market/one/batch.json"
        written.write_text(json.dumps({"landing": body, "sha256": digest}))
    assert zone.landed("market") == [landing]


def test_a_damaged_manifest_is_repaired_from_the_replica(zone: LandingZone, tmp_path: Path) -> None:
    landing = land(zone, "one", file_in(tmp_path / "in", "a.csv")).landing
    manifest = tmp_path / "zone/market/one/batch.json"
    sound = manifest.read_bytes()
    manifest.write_bytes(sound.replace(b'"size": 9', b'"size": 8'))
    assert zone.landed("market") == [landing]
    assert manifest.read_bytes() == sound
    for copy in ("zone", "copy"):
        (tmp_path / copy / "market/one/batch.json").write_bytes(b"{")
    with pytest.raises(DataRejected, match=r"batch\.json is damaged"):
        zone.landing("market", "one")


def test_a_batch_whose_manifest_is_damaged_everywhere_is_named_and_keeps_no_other_away(
    zone: LandingZone, tmp_path: Path
) -> None:
    path = file_in(tmp_path / "in", "a.csv")
    land(zone, "bad", path)
    good = land(zone, "good", file_in(tmp_path / "in", "b.csv", b"id\n2\n")).landing
    assert zone.damaged("market") == []
    for copy in ("zone", "copy"):
        (tmp_path / copy / "market/bad/batch.json").write_bytes(b"{")
    assert zone.landed("market") == [good]
    assert zone.damaged("market") == ["bad"]
    # Other content does not get the id of which nobody knows what it held.
    with pytest.raises(DataRejected, match=r"bad: batch\.json is damaged"):
        land(zone, "bad", file_in(tmp_path / "in", "c.csv", b"id\n3\n"))


@pytest.mark.parametrize("damaged", [("zone",), ("copy",), ("zone", "copy")])
@pytest.mark.parametrize("what", ["file", "no file", "manifest", "both"])
def test_landing_the_same_file_again_repairs_every_copy(
    zone: LandingZone, tmp_path: Path, damaged: tuple[str, ...], what: str
) -> None:
    path = file_in(tmp_path / "in", "a.csv")
    landing = land(zone, "one", path).landing
    for copy in damaged:
        folder = tmp_path / copy / "market/one"
        if what == "no file":
            (folder / landing.files[0].name).unlink()
        elif what != "manifest":
            (folder / landing.files[0].name).write_bytes(b"id,x\n1,3\n")
        if what in {"manifest", "both"}:
            (folder / "batch.json").write_bytes(b"{")
    again = land(zone, "two", path)
    assert not again.new
    assert again.landing.files == landing.files
    assert tree(tmp_path / "zone") == tree(tmp_path / "copy")
    for copy in ("zone", "copy"):
        alone = LandingZone(str(tmp_path / copy), max_bytes=MAX)
        assert alone.damaged("market") == []
        assert alone.fetch(alone.landed("market")[0])[0][1].read_bytes() == Path(path).read_bytes()


def test_a_zone_that_cannot_be_reached_is_read_from_its_replica(tmp_path: Path) -> None:
    land(LandingZone(str(tmp_path / "copy"), max_bytes=MAX), "one", file_in(tmp_path / "in", "a.csv"))
    (tmp_path / "loop").symlink_to("loop")  # every access to it is an OSError: Transient
    zone = LandingZone(str(tmp_path / "loop/zone"), [str(tmp_path / "copy")], max_bytes=MAX)
    landing = zone.landing("market", "one")
    assert landing is not None
    assert zone.landed("market") == [landing]
    with pytest.raises(Transient):
        zone.landing("market", "two")  # it may be in the copy that does not answer


def test_a_lost_zone_is_read_from_its_replica(zone: LandingZone, tmp_path: Path) -> None:
    landing = land(zone, "one", file_in(tmp_path / "in", "a.csv")).landing
    shutil.rmtree(tmp_path / "zone")
    assert zone.landed("market") == [landing]
    assert zone.fetch(landing)[0][1].read_bytes() == b"id,x\n1,2\n"

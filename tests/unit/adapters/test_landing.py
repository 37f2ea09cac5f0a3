"""The landing zone: what lands stays byte for byte, once, whatever is killed, damaged or done twice."""

from __future__ import annotations

import shutil
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenkeel.adapters.landing import LandingZone
from evenkeel.adapters.sources import fetch_files
from evenkeel.errors import UsageError
from tests.unit.adapters.zones import MAX, file_in, land, tree


def test_a_batch_lands_whole_in_the_zone_and_its_replica(zone: LandingZone, tmp_path: Path) -> None:
    paths = [file_in(tmp_path / "in", "a.csv"), file_in(tmp_path / "in", "b.jsonl", b'{"id": 2}\n')]
    result = land(zone, "2026-01-01", *paths)
    assert result.new
    assert [f.format for f in result.landing.files] == ["csv", "jsonl"]
    assert zone.landing("market", "2026-01-01") == result.landing
    assert zone.landed("market") == [result.landing]
    assert [p.read_bytes() for _, p in zone.fetch(result.landing)] == [Path(p).read_bytes() for p in paths]
    assert tree(tmp_path / "zone") == tree(tmp_path / "copy")


def test_the_same_content_is_landed_once_under_any_id(zone: LandingZone, tmp_path: Path) -> None:
    path = file_in(tmp_path / "in", "a.csv")
    first = land(zone, "one", path)
    before = tree(tmp_path / "zone")
    again, renamed = land(zone, "one", path), land(zone, "two", file_in(tmp_path / "in", "renamed.csv"))
    assert (again.new, renamed.new) == (False, False)
    assert again.landing == renamed.landing == first.landing
    assert tree(tmp_path / "zone") == before
    assert zone.landing("market", "two") is None
    assert zone.land("other", "one", fetch_files([path])).new  # another pipeline takes it for itself


def test_other_content_under_a_taken_id_is_refused(zone: LandingZone, tmp_path: Path) -> None:
    land(zone, "one", file_in(tmp_path / "in", "a.csv"))
    before = tree(tmp_path / "zone")
    with pytest.raises(UsageError, match=r"batch one has landed with other content.*--batch"):
        land(zone, "one", file_in(tmp_path / "in", "b.csv", b"id\n9\n"))
    assert tree(tmp_path / "zone") == before


def test_the_same_bytes_given_twice_in_one_batch_land_once(zone: LandingZone, tmp_path: Path) -> None:
    paths = [file_in(tmp_path / "in", "a.csv"), file_in(tmp_path / "in", "again.csv")]
    assert len(land(zone, "one", *paths).landing.files) == 1


def test_a_landing_that_was_killed_is_no_landing_and_is_finished_by_the_next(
    zone: LandingZone, tmp_path: Path
) -> None:
    path = file_in(tmp_path / "in", "a.csv")
    whole = LandingZone(str(tmp_path / "whole"), max_bytes=MAX)
    name = land(whole, "one", path).landing.files[0].name
    # Killed while copying: half a file, a temporary one, one of yet another attempt, no batch.json.
    for leftover in (name, ".part-abc", "0000000000000000-old.csv"):
        file_in(tmp_path / "zone" / "market" / "one", leftover, b"id,")
    assert zone.landing("market", "one") is None
    assert zone.landed("market") == []
    assert land(zone, "one", path).new
    assert sorted(p.name for p in (tmp_path / "zone/market/one").iterdir()) == sorted([name, "batch.json"])
    assert zone.fetch(zone.landing("market", "one"))[0][1].read_bytes() == Path(path).read_bytes()


def test_a_batch_that_repeats_another_lands_beside_it_and_once(zone: LandingZone, tmp_path: Path) -> None:
    files = fetch_files([file_in(tmp_path / "in", "a.csv")])
    first = zone.land("market", "one", files).landing
    files[0].stale = "feed"
    again = zone.land("market", "two", files, repeats="one")
    assert again.new
    assert (again.landing.repeats, again.landing.stale) == ("one", ("feed",))
    assert not zone.land("market", "two", files, repeats="one").new
    assert zone.landed("market") == [first, again.landing]
    with pytest.raises(UsageError, match="was landed from batch one while its source was away"):
        land(zone, "two", file_in(tmp_path / "in", "b.csv", b"id\n7\n"))


def test_the_same_content_at_the_same_instant_under_several_ids_stands_once(tmp_path: Path) -> None:
    for turn in range(15):
        place = str(tmp_path / f"zone{turn}"), [str(tmp_path / f"copy{turn}")]
        barrier = threading.Barrier(4)

        def race(number: int, place=place, barrier=barrier, turn=turn):
            zone = LandingZone(*place, max_bytes=MAX)
            path = file_in(tmp_path / f"in{turn}-{number}", f"{number}.csv")
            barrier.wait()
            return land(zone, f"b{number}", path)

        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(race, range(4)))
        (standing,) = LandingZone(*place, max_bytes=MAX).landed("market")
        assert [r.landing for r in results] == [standing] * 4
        assert [r.new for r in results].count(True) == 1


def test_a_claim_that_a_crash_left_is_taken_over(zone: LandingZone, tmp_path: Path) -> None:
    path = file_in(tmp_path / "in", "a.csv")
    land(zone, "crashed", path)
    for copy in ("zone", "copy"):
        shutil.rmtree(tmp_path / copy / "market/crashed")
    # The batch that was begun is finished, whichever id is asked for now.
    result = land(zone, "later", path)
    assert result.new
    assert zone.landed("market") == [result.landing]
    # Where its id has gone to other content since, the new id takes the content.
    for copy in ("zone", "copy"):
        shutil.rmtree(tmp_path / copy / "market/crashed")
    land(zone, "crashed", file_in(tmp_path / "in", "b.csv", b"id\n2\n"))
    last = land(zone, "later", path)
    assert (last.new, last.landing.batch_id) == (True, "later")
    assert not land(zone, "even-later", path).new
    assert [x.batch_id for x in zone.landed("market")] == ["crashed", "later"]


def test_names_and_ids_cannot_leave_the_zone(zone: LandingZone, tmp_path: Path) -> None:
    for batch in ("../x", "a/b", "..", ".by-content", ""):
        with pytest.raises(UsageError, match="cannot be used"):
            land(zone, batch, file_in(tmp_path / "in", "a.csv"))
    odd = file_in(tmp_path / "in", "..\\.. ;ü$(x)\n.csv", b"id\n5\n")
    name = land(zone, "one", odd).landing.files[0].name
    assert name.endswith(".csv")
    assert not set(name) & set("/\\ ;$()\n")


def test_a_file_larger_than_allowed_is_refused(tmp_path: Path) -> None:
    small = LandingZone(str(tmp_path / "zone"), max_bytes=5)
    with pytest.raises(UsageError, match="9 bytes, larger than the 5 allowed"):
        land(small, "one", file_in(tmp_path / "in", "a.csv"))
    assert not (tmp_path / "zone").exists()


def test_passwords_do_not_reach_the_manifest(zone: LandingZone, tmp_path: Path) -> None:
    from evenkeel.adapters.fetched import Brought, Fetched

    path = Path(file_in(tmp_path / "in", "a.csv"))
    file = Fetched(
        "a.csv", "https://me:hunter2@host/a.csv?token=s3cret", lambda _scratch, _check: Brought(path)
    )
    landed = zone.land("market", "one", [file]).landing.files[0]
    assert landed.source == "https://me:***@host/a.csv?***"
    assert not any(b"hunter2" in c or b"s3cret" in c for c in tree(tmp_path / "zone").values())


def test_an_empty_zone_has_landed_nothing(zone: LandingZone) -> None:
    assert zone.landed("market") == []
    assert zone.landing("market", "one") is None


@settings(max_examples=30)
@given(
    batches=st.lists(
        st.tuples(
            st.sampled_from("abcd"),
            st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=3),
        ),
        max_size=6,
    )
)
def test_landing_anything_twice_leaves_the_zone_as_landing_it_once(
    batches: list[tuple[str, list[bytes]]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        zone = LandingZone(str(home / "zone"), [str(home / "copy")], max_bytes=MAX)

        def land_all() -> list[tuple[str, bool]]:
            outcome = []
            for number, (batch, contents) in enumerate(batches):
                files = [file_in(home / f"in{number}", f"{i}.csv", c) for i, c in enumerate(contents)]
                try:
                    result = land(zone, batch, *files)
                except UsageError:
                    outcome.append(("refused", False))
                else:
                    outcome.append((result.landing.batch_id, result.new))
            return outcome

        first, before = land_all(), tree(home / "zone")
        second = land_all()
        assert tree(home / "zone") == before == tree(home / "copy")
        assert [b for b, _ in first if b != "refused"] == [
            b for (b, _), (was, _) in zip(second, first, strict=True) if was != "refused"
        ]
        assert not any(new for _, new in second)
        contents = [frozenset(f.sha256 for f in x.files) for x in zone.landed("market")]
        assert len(contents) == len(set(contents))

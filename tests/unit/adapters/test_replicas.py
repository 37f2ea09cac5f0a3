"""Replicas: the first sound and fresh copy is taken, and every one that was passed over is named."""

from __future__ import annotations

import hashlib
import os
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from evenkeel.errors import DataRejected, Transient, UsageError
from tests.looking import look

if TYPE_CHECKING:
    from pathlib import Path

    from evenkeel.adapters.replicas import Look

ROWS = "id,x\n1,2\n2,3.50\n"
DEAD = "http://127.0.0.1:9/{batch}.csv"
NOW = datetime(2026, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def places(tmp_path: Path) -> list[Path]:
    """Three folders that each hold batch b."""
    folders = [tmp_path / name for name in ("a", "b", "c")]
    for folder in folders:
        folder.mkdir()
        (folder / "b.csv").write_text(ROWS)
    return folders


def _sources(places: list[Path], **more: object) -> dict[str, object]:
    first, *others = (str(p / "{batch}.csv") for p in places)
    return {"uri": first, "replicas": [{"uri": o} for o in others], **more}


def _taken(looked: Look) -> str:
    return looked.take("b")[0].path.parent.name


def _found(looked: Look) -> list[tuple[str, str]]:
    return [(f.cause, f.place) for f in looked.findings]


def _age(file: Path, seconds: float) -> None:
    then = NOW.timestamp() - seconds
    os.utime(file, (then, then))


def test_the_first_place_is_taken_and_no_other_asked(places: list[Path], tmp_path: Path) -> None:
    looked = look(tmp_path, **_sources(places))
    assert _taken(looked) == "a"
    assert looked.findings == []


@pytest.mark.parametrize(
    ("breakage", "cause"),
    [
        ("gone", "data.file_missing"),
        ("empty", "data.empty"),
        ("folder", "code.bad_config"),
        ("pipe", "data.unsafe_path"),
        ("link out", "data.unsafe_path"),
    ],
)
def test_a_place_that_has_it_not_whole_is_passed_over_and_named(
    places: list[Path], tmp_path: Path, breakage: str, cause: str
) -> None:
    file = places[0] / "b.csv"
    file.unlink()
    if breakage == "empty":
        file.touch()
    elif breakage == "folder":
        file.mkdir()
    elif breakage == "pipe":
        os.mkfifo(file)
    elif breakage == "link out":
        file.symlink_to(places[2] / "b.csv")
    looked = look(tmp_path, **_sources(places))
    assert _taken(looked) == "b"
    assert _found(looked) == [(cause, "sources.main")]


def test_a_place_that_does_not_answer_is_passed_over_and_named(places: list[Path], tmp_path: Path) -> None:
    looked = look(tmp_path, uri=DEAD, replicas=[{"uri": str(places[1] / "{batch}.csv")}])
    assert _taken(looked) == "b"
    assert _found(looked) == [("dependency.source_down", "sources.main")]


def test_where_no_place_has_it_the_look_fails_and_may_be_made_again_if_one_may_yet_answer(
    tmp_path: Path,
) -> None:
    away = look(tmp_path, uri=str(tmp_path / "none.csv"), replicas=[{"uri": DEAD}])
    with pytest.raises(Transient, match=r"no such file.*127\.0\.0\.1:9") as caught:
        away.take("b")
    assert caught.value.cause == "dependency.source_down"
    missing = look(tmp_path, uri=str(tmp_path / "none.csv"), replicas=[{"uri": str(tmp_path / "nor.csv")}])
    with pytest.raises(DataRejected) as told:
        missing.take("b")
    assert told.value.cause == "data.file_missing"
    assert len(missing.findings) == 2


def test_a_stale_place_is_passed_over_for_a_fresh_one(places: list[Path], tmp_path: Path) -> None:
    _age(places[0] / "b.csv", 7200)
    _age(places[1] / "b.csv", 1800)
    looked = look(tmp_path, now=NOW, **_sources(places, max_age=3600))
    [file] = looked.take("b")
    assert (file.path.parent.name, file.stale) == ("b", "")
    assert _found(looked) == [("data.file_late", "sources.main")]
    assert looked.findings[0].evidence["age_seconds"] == 7200


def test_where_every_place_is_stale_the_freshest_is_taken_and_says_so(
    places: list[Path], tmp_path: Path
) -> None:
    for place, age in zip(places, (7200, 5000, 9000), strict=True):
        _age(place / "b.csv", age)
    looked = look(tmp_path, now=NOW, **_sources(places, max_age=3600, name="feed"))
    [file] = looked.take("b")
    assert (file.path.parent.name, file.stale) == ("b", "feed")
    assert [f.cause for f in looked.findings] == ["data.file_late"] * 4
    assert [f.batch for f in looked.findings_of("b")] == ["b"]


@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_a_copy_that_does_not_match_its_sidecar_is_passed_over(
    places: list[Path], tmp_path: Path, algorithm: str
) -> None:
    for place in places:
        (place / f"b.csv.{algorithm}").write_text(
            f"{hashlib.new(algorithm, ROWS.encode()).hexdigest()}  b.csv\n"
        )
    (places[0] / "b.csv").write_text(ROWS.replace("3", "8"))
    looked = look(tmp_path, **_sources(places, checksum="sidecar"))
    assert _taken(looked) == "b"
    assert _found(looked) == [("data.checksum_mismatch", "sources.main")]
    assert looked.findings[0].evidence["algorithm"] == algorithm


def test_without_a_copy_that_matches_nothing_is_taken(places: list[Path], tmp_path: Path) -> None:
    (places[0] / "b.csv.sha256").write_text(hashlib.sha256(b"other").hexdigest())
    looked = look(tmp_path, **_sources(places[:1], checksum="sidecar"))
    with pytest.raises(DataRejected, match="its source states") as caught:
        looked.take("b")
    assert caught.value.cause == "data.checksum_mismatch"
    (places[0] / "b.csv.sha256").unlink()  # a sum that is not there yet: the file is still being written
    with pytest.raises(DataRejected, match="states no checksum"):
        look(tmp_path, **_sources(places[:1], checksum="sidecar")).take("b")


def test_one_of_three_that_differs_is_outvoted_and_named(places: list[Path], tmp_path: Path) -> None:
    (places[0] / "b.csv").write_text(ROWS.replace("2,3.50", "2,9"))
    looked = look(tmp_path, **_sources(places, compare="all"))
    assert looked.take("b")[0].path.read_text() == ROWS
    [finding] = looked.findings
    assert (finding.cause, finding.place, finding.batch) == ("data.sources_disagree", "sources.main", "b")
    assert "outvoted" in finding.said


def test_two_that_differ_are_both_named_and_the_freshest_is_used(places: list[Path], tmp_path: Path) -> None:
    (places[1] / "b.csv").write_text(ROWS.replace("2,3.50", "2,9"))
    _age(places[0] / "b.csv", 100)
    _age(places[1] / "b.csv", 50)
    looked = look(tmp_path, now=NOW, **_sources(places[:2], compare="all"))
    assert _taken(looked) == "b"
    [finding] = looked.findings
    assert finding.cause == "data.sources_disagree"
    assert {"sources.main", "sources.main.replicas[0]"} == set(finding.place.split(", "))


def test_one_that_matches_its_checksum_is_believed_before_a_fresher_database(
    places: list[Path], tmp_path: Path
) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "rows.db") as connection:
        connection.execute("create table rows (id integer, x real)")
        connection.execute("insert into rows values (1, 5)")
    connection.close()
    (places[0] / "b.csv.sha256").write_text(hashlib.sha256(ROWS.encode()).hexdigest())
    replica = {"uri": f"sqlite:///{tmp_path}/rows.db", "table": "rows"}
    looked = look(
        tmp_path, uri=str(places[0] / "{batch}.csv"), replicas=[replica], compare="all", checksum="sidecar"
    )
    assert _taken(looked) == "a"


def test_copies_of_the_same_rows_in_other_formats_agree(places: list[Path], tmp_path: Path) -> None:
    pq.write_table(pyarrow.csv.read_csv(places[1] / "b.csv"), places[1] / "b.parquet")
    (places[2] / "b.csv").write_text("x,id\n3.5,2\n2.0,1\n")
    uris = [str(p) for p in (places[0] / "b.csv", places[1] / "b.parquet", places[2] / "b.csv")]
    looked = look(tmp_path, uri=uris[0], replicas=[{"uri": u} for u in uris[1:]], compare="all")
    assert looked.take("b")
    assert looked.findings == []


def test_matches_of_a_star_come_from_the_fresh_place_where_the_first_is_late(
    places: list[Path], tmp_path: Path
) -> None:
    _age(places[0] / "b.csv", 7200)
    _age(places[1] / "b.csv", 7200)
    (places[1] / "new.csv").write_text("id,x\n7,7\n")
    _age(places[1] / "new.csv", 60)
    uris = {"uri": str(places[0] / "*.csv"), "replicas": [{"uri": str(places[1] / "*.csv")}]}
    looked = look(tmp_path, now=NOW, max_age=3600, **uris)
    assert sorted(looked.offers()) == ["b", "new"]
    assert [looked.take(b)[0].path.parent.name for b in ("b", "new")] == ["a", "b"]
    assert ("data.file_late", "sources.main") in _found(looked)


def test_a_listing_that_does_not_come_is_stood_in_for_by_its_replica(
    places: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    looked = look(tmp_path, uri="s3://nowhere/*.csv", replicas=[{"uri": str(places[1] / "*.csv")}])
    assert list(looked.offers()) == ["b"]
    assert _taken(looked) == "b"
    assert _found(looked) == [("dependency.source_down", "sources.main")]


def test_a_link_out_of_the_folder_is_refused_and_the_others_go_on(places: list[Path], tmp_path: Path) -> None:
    (places[0] / "passwd.csv").symlink_to("/etc/passwd")
    (places[0] / "near.csv").symlink_to(places[0] / "b.csv")
    (places[0] / "bad name.csv").write_text(ROWS)
    shutil.copytree(places[0], places[0] / "deep", symlinks=True)
    looked = look(tmp_path, uri=str(places[0] / "*.csv"))
    assert sorted(looked.offers()) == ["b", "near", "passwd"]
    with pytest.raises(DataRejected, match="out of its source's folder") as caught:
        looked.take("passwd")
    assert caught.value.cause == "data.unsafe_path"
    assert looked.take("b")
    assert looked.take("near")
    assert [type(e) for e in looked.refused] == [UsageError]


def test_a_database_whose_newest_row_is_old_is_late(tmp_path: Path, places: list[Path]) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "rows.db") as connection:
        connection.execute("create table rows (id integer, at text)")
        then = NOW - timedelta(hours=2)
        connection.execute("insert into rows values (1, ?)", (then.isoformat(),))
    connection.close()
    _age(places[0] / "b.csv", 60)
    looked = look(
        tmp_path,
        now=NOW,
        uri=f"sqlite:///{tmp_path}/rows.db",
        table="rows",
        max_age=3600,
        replicas=[{"uri": str(places[0] / "{batch}.csv")}],
    )
    assert _taken(looked) == "a"
    assert _found(looked) == [("data.file_late", "sources.main")]

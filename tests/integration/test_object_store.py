"""The landing zone, the lake and a source on a real S3 server (moto, a process of its own)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from evenkeel.adapters.lake import Lake, Table
from evenkeel.adapters.landing import LandingZone
from evenkeel.adapters.reading import read
from evenkeel.adapters.seen import Seen
from evenkeel.adapters.sources import fetch_files
from evenkeel.adapters.zone_copy import ZoneCopy
from evenkeel.errors import DataRejected, Permanent, Transient, UsageError
from tests import servers
from tests.looking import look

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.s3(tmp_path_factory.mktemp("s3")) as url:
        yield url


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    import s3fs

    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    name = f"bucket-{abs(hash(request.node.name))}"
    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem(use_listings_cache=False).mkdir(name)
    return f"s3://{name}"


def _put(url: str, content: bytes) -> None:
    import s3fs

    s3fs.S3FileSystem(use_listings_cache=False).pipe_file(url, content)


def _objects(url: str) -> dict[str, bytes]:
    import s3fs

    files = s3fs.S3FileSystem(use_listings_cache=False)
    return {p: files.cat_file(p) for p in files.find(url)}


def test_a_batch_lands_once_and_is_repaired_from_its_replica(bucket: str, tmp_path: Path) -> None:
    zone = LandingZone(f"{bucket}/zone", [f"{bucket}/copy"], max_bytes=10**6)
    (tmp_path / "a.csv").write_bytes(b"id,x\n1,2\n")
    file = fetch_files([str(tmp_path / "a.csv")])
    _put(f"{bucket}/zone/market/a/leftover.csv", b"half")
    landing = zone.land("market", "a", file).landing
    before = _objects(f"{bucket}/zone")
    assert not any("leftover" in p for p in before)
    assert not zone.land("market", "a", file).new
    assert zone.land("market", "b", file).landing == landing
    assert _objects(f"{bucket}/zone") == before
    (tmp_path / "b.csv").write_bytes(b"id,x\n3,4\n")
    with pytest.raises(UsageError, match="other content"):
        zone.land("market", "a", fetch_files([str(tmp_path / "b.csv")]))

    _put(f"{bucket}/zone/market/a/{landing.files[0].name}", b"id,x\n1,3\n")
    _put(f"{bucket}/zone/market/a/batch.json", b"{}")
    again = LandingZone(f"{bucket}/zone", [f"{bucket}/copy"], max_bytes=10**6)
    assert again.landed("market") == [landing]
    assert read(again.fetch(landing)).frame["x"].tolist() == ["2"]
    assert _objects(f"{bucket}/zone") == before
    for copy in ("zone", "copy"):
        _put(f"{bucket}/{copy}/market/a/{landing.files[0].name}", b"id,x\n1,3\n")
    with pytest.raises(DataRejected):
        again.fetch(landing)


def test_a_lake_in_a_bucket_publishes_once(bucket: str) -> None:
    lake = Lake(f"{bucket}/lake")
    rows = pa.table({"id": [1, 2], "label": ["UP", "DOWN"], "arrived_at": [datetime.now(UTC)] * 2})
    assert lake.append_labels("market", rows, file_sha256="aa")
    assert not lake.append_labels("market", rows, file_sha256="aa")
    assert lake.read("market", Table.LABELS)["label"].tolist() == ["UP", "DOWN"]
    texts = pa.array([[], []], pa.list_(pa.string()))
    columns = {"id": [1, 2], "batch_id": ["b"] * 2} | dict.fromkeys(("imputed", "stale", "repaired"), texts)
    accepted = pa.table(columns | {"original": pa.nulls(2, pa.string())})
    for _ in range(2):
        lake.replace_batch("market", Table.ACCEPTED, "b", accepted)
    assert lake.read("market", Table.ACCEPTED, batch_id="b")["id"].tolist() == [1, 2]
    assert lake.counts("market", Table.ACCEPTED) == {"b": 2}
    assert not lake.exists("market", Table.PREDICTIONS)


def test_every_match_in_a_bucket_is_a_batch(bucket: str, tmp_path: Path) -> None:
    _put(f"{bucket}/in/b.csv", b"id\n2\n")
    _put(f"{bucket}/in/a.csv", b"id\n1\n")
    looked = look(tmp_path, uri=f"{bucket}/in/*.csv")
    found = {batch: looked.take(batch)[0] for batch in looked.offers()}
    assert {b: f.path.read_bytes() for b, f in found.items()} == {"a": b"id\n1\n", "b": b"id\n2\n"}
    [named] = fetch_files([f"{bucket}/in/a.csv"])
    assert (named.name, named.source, named.sha256) == (
        "a.csv",
        f"{bucket}/in/a.csv",
        found["a"].sha256,
    )
    with pytest.raises(UsageError, match="not there"):
        fetch_files([f"{bucket}/in/none.csv"])


def test_what_a_store_says_of_an_object_is_heard(bucket: str, tmp_path: Path) -> None:
    _put(f"{bucket}/in/a.csv", b"id\n1\n")
    _put(f"{bucket}/copy/a.csv", b"id\n1\n")
    by_tag = look(tmp_path, uri=f"{bucket}/in/a.csv", checksum="sidecar")
    assert by_tag.take("b")[0].stated.checksum.startswith("md5:")
    _put(f"{bucket}/in/a.csv.sha256", b"0" * 64)
    replicas = [{"uri": f"{bucket}/copy/a.csv"}]
    beside = look(tmp_path, uri=f"{bucket}/in/a.csv", replicas=replicas, checksum="sidecar")
    assert beside.take("b")[0].source == f"{bucket}/copy/a.csv"
    assert [f.cause for f in beside.findings] == ["data.checksum_mismatch"]
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for star in ("a.csv", "*.csv"):
        late = look(tmp_path, now=tomorrow, uri=f"{bucket}/in/{star}", max_age=3600)
        for batch in late.offers():
            late.take(batch)
        assert {f.cause for f in late.findings} == {"data.file_late"}


def test_an_object_is_read_again_only_when_it_is_another(bucket: str, tmp_path: Path) -> None:
    _put(f"{bucket}/in/a.csv", b"id\n1\n")
    seen = Seen(ZoneCopy(f"{bucket}/zone"), "market", "main")

    def known() -> bool:
        looked = look(tmp_path, uri=f"{bucket}/in/*.csv")
        looked.offers()
        if not seen.landed(looked.listed("a"), {"a"}):
            seen.add(looked.listed("a"), "a")
            return False
        return True

    assert [known(), known()] == [False, True]
    seen.save()
    assert _objects(f"{bucket}/zone")
    _put(f"{bucket}/in/a.csv", b"id\n2\n")
    assert not known()


def test_reading_sees_a_replica_that_is_gone_or_cut(bucket: str, tmp_path: Path) -> None:
    zone = LandingZone(str(tmp_path / "zone"), [f"{bucket}/copy"], max_bytes=10**6)
    (tmp_path / "a.csv").write_bytes(b"id,x\n1,2\n")
    landing = zone.land("market", "a", fetch_files([str(tmp_path / "a.csv")])).landing
    before = _objects(f"{bucket}/copy")
    _put(f"{bucket}/copy/market/a/{landing.files[0].name}", b"id")
    assert zone.fetch(landing)
    assert _objects(f"{bucket}/copy") == before
    assert len(zone.repaired(landing)) == 1


def test_a_store_that_does_not_answer_is_worth_a_retry(
    bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import s3fs

    (tmp_path / "a.csv").write_bytes(b"id\n1\n")
    file = fetch_files([str(tmp_path / "a.csv")])
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(Transient):
        LandingZone(f"{bucket}/zone", max_bytes=100).land("market", "a", file)
    with pytest.raises(Transient):
        Lake(f"{bucket}/lake").exists("market", Table.LABELS)
    with pytest.raises(Transient):
        fetch_files([f"{bucket}/in/a.csv"])
    s3fs.S3FileSystem.clear_instance_cache()


def test_a_bucket_that_is_not_there_is_not_retried(bucket: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id\n1\n")
    with pytest.raises(Permanent):
        LandingZone(f"{bucket}-none/zone", max_bytes=100).land(
            "market", "a", fetch_files([str(tmp_path / "a.csv")])
        )

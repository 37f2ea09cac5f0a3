"""Sources: files named by hand and configured ones, each batch under its right id and each mistake told."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from evenkeel.adapters.formats import masked, safe_name, stem
from evenkeel.adapters.landing import LandingZone
from evenkeel.adapters.reading import read
from evenkeel.adapters.replicas import Look
from evenkeel.adapters.sources import Asked, fetch_files
from evenkeel.errors import DataRejected, EvenkeelError, UsageError
from evenkeel.settings.sources import Source

if TYPE_CHECKING:
    from pathlib import Path

    from evenkeel.adapters.fetched import Fetched

NOW = datetime(2026, 3, 4, 5, tzinfo=UTC)


@dataclass
class _Batch:
    batch_id: str
    files: tuple[Fetched, ...]


def _found(home: Path, batch: str | None = None, **source: Any) -> list[_Batch]:
    """Return what a look at a source brings."""
    place = Source.model_validate(source)
    asked = Asked(home=home, named=batch or NOW.strftime(place.batch_format), batch=batch)
    look = Look(place, asked, now=NOW, patience=60)
    return [_Batch(b, look.take(b)) for b in look.offers(batch)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("2026-01-02.csv", "2026-01-01.csv.gz", "2026-01-03.jsonl"):
        (tmp_path / name).write_bytes(b"id,x\n1,2\n")
    return tmp_path


def test_every_match_of_a_star_is_a_batch_named_by_its_file(folder: Path) -> None:
    found = _found(folder, uri="{home}/*.*")
    assert [i.batch_id for i in found] == ["2026-01-01", "2026-01-02", "2026-01-03"]
    assert [i.files[0].format for i in found] == ["csv.gz", "csv", "jsonl"]
    assert [i.batch_id for i in _found(folder, "2026-01-02", uri="{home}/*.csv")] == ["2026-01-02"]
    assert _found(folder, uri="{home}/none-*.csv") == []


def test_batch_in_a_uri_is_the_one_asked_for_or_the_scheduled_one(folder: Path) -> None:
    (folder / "2026-03-04.csv").write_text("id\n9\n")
    [scheduled] = _found(folder, uri="{home}/{batch}.csv")
    [asked] = _found(folder, "2026-01-02", uri="{home}/{batch}.csv")
    [hourly] = _found(folder, uri="{home}/2026-01-02.csv", batch_format="%Y-%m-%dT%H")
    assert (scheduled.batch_id, asked.batch_id, hourly.batch_id) == (
        "2026-03-04",
        "2026-01-02",
        "2026-03-04T05",
    )


@pytest.mark.parametrize(("batch", "uri"), [(None, "{home}/{batch}.csv"), ("1999", "{home}/*.csv")])
def test_a_file_missing_at_a_source_is_a_missing_file(folder: Path, batch: str | None, uri: str) -> None:
    with pytest.raises(DataRejected) as caught:
        _found(folder, batch, uri=uri)
    assert caught.value.cause == "data.file_missing"


def test_mistakes_on_the_command_line_are_told(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "rows.jsonl.gz").write_bytes(b"\x1f\x8b rest")
    for name, said in {
        "none.csv": "no such file",
        "": "is a folder",
        "empty.csv": r"empty \(0 bytes\)",
        "notes.txt": r"unknown file format.*csv, csv\.gz, jsonl .*parquet",
        "rows.jsonl.gz": "unknown file format",
    }.items():
        with pytest.raises(UsageError, match=said) as caught:
            fetch_files([str(tmp_path / name)])
        assert str(tmp_path / name).rstrip("/").rpartition("/")[2] in str(caught.value)


def test_a_file_without_a_telling_name_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"PAR1....")
    (tmp_path / "b.dat").write_bytes(b"\x1f\x8b....")
    assert [f.format for f in fetch_files([str(tmp_path / "a"), str(tmp_path / "b.dat")])] == [
        "parquet",
        "csv.gz",
    ]


def test_a_link_is_read_as_the_file_it_leads_to(folder: Path) -> None:
    (folder / "link.csv").symlink_to(folder / "2026-01-02.csv")
    (folder / "dead.csv").symlink_to(folder / "gone.csv")
    [file] = fetch_files([str(folder / "link.csv")])
    assert (file.name, file.size) == ("link.csv", 9)
    with pytest.raises(UsageError, match="no such file"):
        fetch_files([str(folder / "dead.csv")])


def test_a_star_needs_a_place_that_can_be_listed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be listed"):
        _found(tmp_path, uri="https://host/*.csv")


def test_names_and_secrets() -> None:
    assert [stem(n) for n in ("a/2026.csv.gz", "x.ndjson", "x.y.parquet", "none")] == [
        "2026",
        "x",
        "x.y",
        "none",
    ]
    assert masked("postgresql+psycopg://u:p%40w@h:1/db?password=x") == "postgresql+psycopg://u:***@h:1/db?***"
    assert masked("/plain/path?x.csv") == "/plain/path?x.csv"
    assert safe_name("...") == "file"
    assert len(safe_name("x" * 500 + ".csv")) == 80


@pytest.fixture
def database(tmp_path: Path) -> str:
    with sqlite3.connect(tmp_path / "rows.db") as connection:
        connection.execute("create table rows (id integer, day text, x real)")
        connection.executemany(
            "insert into rows values (?, ?, ?)", [(2, "a", 0.5), (1, "a", None), (3, "b", 1.5)]
        )
    connection.close()
    return "sqlite:///{home}/rows.db"


def test_a_query_gives_the_rows_of_its_batch_and_the_same_rows_the_same_bytes(
    database: str, tmp_path: Path
) -> None:
    query = "select id, x from rows where day = :batch"

    def landed() -> Fetched:
        [found] = _found(tmp_path, "a", uri=database, query=query)
        assert found.batch_id == "a"
        return found.files[0]

    first = landed()
    assert pq.read_table(first.path).to_pydict() == {"id": [1, 2], "x": [None, 0.5]}
    with sqlite3.connect(tmp_path / "rows.db") as connection:  # the same rows, stored in another order
        connection.execute("delete from rows where id = 2")
        connection.execute("insert into rows values (2, 'a', 0.5)")
    assert landed().sha256 == first.sha256
    with sqlite3.connect(tmp_path / "rows.db") as connection:
        connection.execute("update rows set x = 7 where id = 2")
    assert landed().sha256 != first.sha256


def test_an_order_the_query_asks_for_is_kept(database: str, tmp_path: Path) -> None:
    [found] = _found(tmp_path, uri=database, query="select id from rows order by id desc")
    assert pq.read_table(found.files[0].path)["id"].to_pylist() == [3, 2, 1]


def test_the_batch_is_bound_and_never_part_of_the_query(database: str, tmp_path: Path) -> None:
    [found] = _found(tmp_path, "a+-.=_1", uri=database, query="select :batch as batch, 1 as x")
    assert pq.read_table(found.files[0].path)["batch"].to_pylist() == ["a+-.=_1"]


def test_a_table_lands_like_a_file_and_reads_back(database: str, tmp_path: Path) -> None:
    [found] = _found(tmp_path, uri=database, table="rows")
    zone = LandingZone(str(tmp_path / "zone"), max_bytes=10**6)
    landing = zone.land("market", found.batch_id, found.files).landing
    assert landing.files[0].source.endswith("rows.db#rows")
    assert read(zone.fetch(landing)).frame["id"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("source", "said", "kind"),
    [
        ({"table": "none"}, "no table 'none'", UsageError),
        ({"query": "selekt 1"}, "syntax error", UsageError),
        ({"query": "select 1 as a, 2 as a"}, "column 'a' comes twice", UsageError),
        ({"query": "select 1 as a union all select 'x'"}, "several types", UsageError),
        ({"query": "select 1", "table": "rows"}, "query and table", UsageError),
        ({"uri": "sqlite:///{home}/none.db", "table": "rows"}, "no such database", DataRejected),
        ({"uri": "nodb://x", "table": "rows"}, "no SQLAlchemy URL", UsageError),
        (
            {"uri": "postgresql+psycopg://u:${EVENKEEL_NO_SUCH}@h/d", "table": "rows"},
            "EVENKEEL_NO_SUCH is not set",
            UsageError,
        ),
    ],
)
def test_mistakes_of_a_database_source_are_told(
    database: str, tmp_path: Path, source: dict[str, str], said: str, kind: type[EvenkeelError]
) -> None:
    with pytest.raises(kind, match=said):
        _ = _found(tmp_path, **({"uri": database} | source))[0].files[0].path

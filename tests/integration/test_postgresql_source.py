"""A PostgreSQL database as a source."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from evenkeel.errors import EvenkeelError, Permanent, Transient
from tests.looking import look

if TYPE_CHECKING:
    from pathlib import Path

    from evenkeel.adapters.fetched import Fetched


def _file(uri: str, home: Path, **asked: str) -> Fetched:
    return look(home, "a", uri=uri, **asked).take("a")[0]


@pytest.fixture
def database(postgresql_url: str) -> str:
    engine = sa.create_engine(postgresql_url)
    with engine.begin() as connection:
        connection.execute(sa.text("create schema power"))
        connection.execute(
            sa.text(
                "create table power.rows (id bigint, day text, at timestamptz, price numeric, more jsonb)"
            )
        )
        connection.execute(
            sa.text(
                "insert into power.rows select i, case when i % 2 = 0 then 'a' else 'b' end,"
                " timestamptz '2026-01-01 00:00:00+00' + i * interval '1 minute', i / 4.0, '{\"k\": 1}'"
                " from generate_series(1, 60000) i"
            )
        )
    engine.dispose()
    return postgresql_url


def test_a_query_and_a_table_come_as_typed_files_of_the_same_bytes_each_time(
    database: str, tmp_path: Path
) -> None:
    query = "select id, at, price, more from power.rows where day = :batch"
    first, second = _file(database, tmp_path, query=query), _file(database, tmp_path, query=query)
    assert first.sha256 == second.sha256
    table = pq.read_table(first.path)
    assert table.num_rows == 30_000
    assert [str(t) for t in table.schema.types] == ["int64", "timestamp[us, tz=UTC]", "double", "string"]
    assert table.slice(0, 1).to_pylist() == [
        {"id": 2, "at": datetime(2026, 1, 1, 0, 2, tzinfo=UTC), "price": 0.5, "more": '{"k": 1}'}
    ]
    assert pq.read_table(_file(database, tmp_path, table="power.rows").path).num_rows == 60_000


def test_the_password_comes_from_the_environment_and_goes_nowhere(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_PASSWORD", "hunter2")
    url = sa.make_url(database)
    with_password = (
        f"postgresql+psycopg://{url.username}:${{SOURCE_PASSWORD}}@{url.host}:{url.port}/{url.database}"
    )
    file = _file(with_password, tmp_path, table="power.rows")
    assert file.size > 0
    assert "hunter2" not in file.source
    assert "***" in file.source
    with pytest.raises(EvenkeelError) as caught:
        _file(with_password.replace(url.database, "none"), tmp_path, table="power.rows")
    assert "hunter2" not in str(caught.value)


def test_a_database_that_is_away_is_worth_a_retry_and_a_closed_door_is_not(
    database: str, tmp_path: Path
) -> None:
    url = sa.make_url(database)
    with pytest.raises(Transient) as caught:
        _file(url.set(port=9).render_as_string(hide_password=False), tmp_path, table="power.rows")
    assert caught.value.cause == "dependency.source_down"
    with pytest.raises(Permanent) as refused:
        _file(url.set(username="nobody").render_as_string(hide_password=False), tmp_path, table="power.rows")
    assert refused.value.cause == "dependency.source_refuses"


def test_a_database_that_lags_is_passed_over_for_its_replica(database: str, tmp_path: Path) -> None:
    newest = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=60_000)
    replica = {"uri": database, "query": "select 1 as id, timestamptz '2026-02-12 00:00+00' as at"}
    looked = look(
        tmp_path,
        now=newest + timedelta(hours=3),
        uri=database,
        table="power.rows",
        replicas=[replica],
        max_age=3600,
    )
    assert looked.take("b")[0].source.endswith("#query")
    [finding] = looked.findings
    assert (finding.cause, finding.evidence["age_seconds"]) == ("data.file_late", 3 * 3600)

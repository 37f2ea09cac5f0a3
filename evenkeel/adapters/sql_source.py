"""A batch out of a database: one SELECT, written as a parquet file whose bytes depend on the rows only."""

from __future__ import annotations

import decimal
import json
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from evenkeel.adapters.fetched import Brought, Fetched, Stated
from evenkeel.adapters.formats import masked
from evenkeel.errors import DataRejected, EvenkeelError, Permanent, Transient, UsageError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from evenkeel.adapters.fetched import Check
    from evenkeel.adapters.sources import Asked
    from evenkeel.settings.sources import Place

_CHUNK_ROWS = 50_000
_CONNECT_SECONDS = 10
_ORDERED = re.compile(r"\border\s+by\b", re.IGNORECASE)


def fetched_query(place: Place, key: str, url: str, asked: Asked) -> Fetched:
    """Return the rows of a configured query or table as a file; nothing is asked before it is looked at.

    Without an ORDER BY the rows are sorted, so that the same rows always make the same bytes.

    Args:
        place: The place, with ``query`` or ``table``.
        key: Where it stands in the configuration.
        url: Its SQLAlchemy URL, passwords filled in.
        asked: What is asked for; ``named`` is bound to ``:batch`` where the query holds it.

    Raises:
        UsageError: Both or neither of query and table are given, or the URL is none.
    """
    import sqlalchemy as sa

    if (place.query is None) == (place.table is None):
        raise UsageError(f"{key}: gives query and table", fix="give one of them")
    try:
        parsed = sa.make_url(url)
        parsed.get_dialect()
    except sa.exc.ArgumentError:
        raise UsageError(
            f"{key}.uri: {masked(url)!r} is no SQLAlchemy URL", fix="see docs of the source"
        ) from None
    shown = f"{_shown(parsed)}#{place.table or 'query'}"
    bring = partial(_bring, _Query(place, key, asked), parsed)
    return Fetched(f"{asked.named}.parquet", shown, bring, origin=asked.origin)


@dataclass(frozen=True)
class _Query:
    """What a database is asked.

    Attributes:
        place: Its query or table.
        key: Where that stands in the configuration.
        asked: For which batch, and how much at most.
    """

    place: Place
    key: str
    asked: Asked


def _bring(query: _Query, url: sa.URL, scratch: Path, check: Check) -> Brought:
    import sqlalchemy as sa

    shown = _shown(url)
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite and url.database and not Path(url.database).is_file():
        raise DataRejected(
            f"{shown}: no such database", fix=f"check {query.key}.uri", cause="data.file_missing"
        )
    arguments = {"connect_timeout": _CONNECT_SECONDS} if url.get_backend_name() == "postgresql" else {}
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool, connect_args=arguments)
    try:
        with engine.connect() as connection:
            table = _rows(connection, query, check)
    except sa.exc.SQLAlchemyError as error:
        raise _told(query, shown, url, error) from None
    finally:
        engine.dispose()
    path = scratch / "rows.parquet"
    pq.write_table(table, path, compression="snappy")
    return Brought(path, Stated(_newest(table, query.asked.time)))


def _newest(table: pa.Table, column: str) -> datetime | None:
    """Return the time of the newest row in UTC, None where no column tells it; a time without a zone is UTC."""
    if column not in table.column_names:
        return None
    times = pd.to_datetime(pd.Series(table[column].to_pandas()), utc=True, errors="coerce", format="ISO8601")
    newest = times.max()
    return None if pd.isna(newest) else newest.to_pydatetime()


def _rows(connection: sa.Connection, query: _Query, check: Check) -> pa.Table:
    import sqlalchemy as sa

    bound: dict[str, str] = {}
    statement: Any
    place, key, max_bytes = query.place, query.key, query.asked.max_bytes
    if place.table is not None:
        schema, _, name = place.table.rpartition(".")
        statement = sa.select(sa.Table(name, sa.MetaData(), schema=schema or None, autoload_with=connection))
    else:
        statement = sa.text(place.query or "")
        if "batch" in statement.compile().params:
            bound = {"batch": query.asked.named}
    result = connection.execution_options(stream_results=True).execute(statement, bound)
    names = list(result.keys())
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise UsageError(f"{key}: column {twice[0]!r} comes twice", fix="name each once in the query")
    parts: list[pa.Table] = []
    size = 0
    while rows := result.fetchmany(_CHUNK_ROWS):
        check()
        columns = [_column(key, name, [row[i] for row in rows]) for i, name in enumerate(names)]
        parts.append(pa.Table.from_arrays(columns, names=names))
        size += parts[-1].nbytes
        if size > max_bytes:
            raise Permanent(
                f"{key}: the rows take more than the {max_bytes} bytes allowed",
                fix="select fewer rows, or raise platform.landing.max_bytes",
                cause="data.too_large",
            )
    table = _joined(key, parts) if parts else pa.table({n: pa.array([], pa.null()) for n in names})
    if place.table is None and _ORDERED.search(place.query or ""):
        return table
    sortable = [n for n in names if not pa.types.is_null(table.schema.field(n).type)]
    return table.sort_by([(n, "ascending") for n in sortable]) if sortable else table


def _joined(key: str, parts: list[pa.Table]) -> pa.Table:
    try:
        return pa.concat_tables(parts, promote_options="permissive").combine_chunks()
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise _mixed(key, str(error).splitlines()[0]) from None


def _column(key: str, name: str, values: list[Any]) -> pa.Array:
    """Return database values as Arrow: exact numerics as float64, times in UTC, documents as text."""
    try:
        return pa.array([_plain(v) for v in values])
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        raise _mixed(key, f"column {name!r}") from None


def _mixed(key: str, what: str) -> UsageError:
    return UsageError(
        f"{key}: {what}: its values are of several types",
        fix="cast the column to one type in the query",
    )


def _shown(url: sa.URL) -> str:
    return masked(url.render_as_string(hide_password=True))


def _plain(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)  # the session's time zone must not show in the bytes
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    return value


def _told(query: _Query, shown: str, url: sa.URL, error: Exception) -> EvenkeelError:
    import sqlalchemy as sa

    text = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
    said = text[0].replace(url.password, "***") if url.password else text[0]
    where = f"{query.key}: {shown}: {said}"
    # SQLite calls a mistyped table an operational error, as if trying again could help.
    mistyped = url.get_backend_name() == "sqlite" and re.match(r"no such|near |unrecognized|incomplete", said)
    if (
        isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.TimeoutError)
        and not mistyped
    ):
        refused = re.search(r"authentication failed|permission denied|role .* does not exist", said)
        if refused:
            return Permanent(where, fix="check user and password", cause="dependency.source_refuses")
        return Transient(where, cause="dependency.source_down")
    if isinstance(error, sa.exc.NoSuchTableError):
        where = f"{query.key}: {shown}: there is no table {query.place.table!r}"
    return UsageError(where, fix=f"correct {query.key} in the pipeline's configuration")

"""The ledger's database: transactions that a crash leaves whole, one at a time where they must be, and migrations."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, make_url

from evenkeel.adapters.ledger import tables
from evenkeel.errors import Permanent, Transient

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEGIN = "evenkeel_begin"
_PATIENCE = 10  # seconds to wait for a lock


class Database:
    """A SQLite file or a PostgreSQL database.

    Attributes:
        engine: The SQLAlchemy engine.
    """

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self._is_sqlite = parsed.get_backend_name() == "sqlite"
        if self._is_sqlite and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        self.engine = sa.create_engine(parsed, pool_pre_ping=True)
        if self._is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    def migrate(self) -> None:
        """Bring the tables to the newest revision, all or nothing; where they are there it costs one query."""
        with self.transaction() as connection:
            if _is_current(connection):
                return
        with self.transaction(alone="migrate") as connection:
            if not _is_current(connection):  # another process may have been first
                _upgrade(connection)

    def insert(self, table: sa.Table) -> Any:
        """Return the dialect's INSERT, which knows ON CONFLICT."""
        return (sqlite if self._is_sqlite else postgresql).insert(table)

    @contextmanager
    def transaction(self, *, alone: str = "") -> Iterator[Connection]:
        """Run a transaction.

        Args:
            alone: No two transactions of the same name run at once; the second waits. Empty: any number do.

        Raises:
            Transient: The database cannot be reached or is locked.
            Permanent: It refuses what is asked for good.
        """
        where = self.engine.url.render_as_string(hide_password=True)
        try:
            with self.engine.connect() as connection:
                begin = "BEGIN IMMEDIATE" if alone else "BEGIN"
                with connection.execution_options(**{_BEGIN: begin}).begin():
                    if alone and not self._is_sqlite:
                        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_lock_number(alone))))
                    yield connection
        except sa.exc.SQLAlchemyError as error:
            if _may_pass(error):
                raise Transient(
                    f"the ledger {where} does not answer: {_first_line(error)}",
                    cause="dependency.ledger_down",
                ) from error
            raise Permanent(
                f"the ledger {where} refused: {_first_line(error)}", cause="code.ledger_refused"
            ) from error


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # Left to itself the driver commits before and after every CREATE TABLE; we begin, so nothing else does.
    connection.isolation_level = None
    # WAL lets readers go on while a run writes; the timeout waits for another run's short transaction.
    connection.execute(f"PRAGMA busy_timeout={_PATIENCE * 1000}")
    _use_wal(connection)
    connection.execute("PRAGMA synchronous=NORMAL")


def _use_wal(connection: Any) -> None:
    """Switch to WAL; where several processes do so to a new file at once SQLite itself does not wait."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))


def _lock_number(name: str) -> int:
    """Return a number of 64 bits for PostgreSQL's advisory locks, ours alone in a shared database."""
    digest = hashlib.sha256(f"evenkeel ledger {name}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def _is_current(connection: Connection) -> bool:
    if not sa.inspect(connection).has_table(tables.VERSION_TABLE):
        return False
    version = sa.table(tables.VERSION_TABLE, sa.column("version_num"))
    return connection.execute(sa.select(version)).scalar() == tables.REVISION


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _may_pass(error: sa.exc.SQLAlchemyError) -> bool:
    """Say whether the same statement may succeed later: no connection, no free slot, or a lock."""
    if isinstance(error.__cause__, sqlite3.Error):
        # SQLite says everything with one exception class; only a lock passes by itself.
        return "locked" in str(error) or "busy" in str(error)
    return isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.TimeoutError)


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]

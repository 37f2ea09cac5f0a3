"""The Delta tables under one URI: opened, made and committed to so that writers see each other."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from evenkeel.adapters.delta import first_line, translated, writer_properties
from evenkeel.adapters.lake_schemas import BATCH
from evenkeel.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from deltalake import CommitProperties, DeltaTable

_CHECKPOINT_EVERY = "20"  # commits; opening a table replays what came after the last checkpoint
_CONFLICTS = 5
# Conditional puts keep two writers from one version; by default the vendor would retry for minutes by itself.
_S3 = {
    "allow_http": "true",
    "conditional_put": "etag",
    "timeout": "60s",
    "connect_timeout": "10s",
    "max_retries": "1",
}


class DeltaTables:
    """The tables ``<uri>/<pipeline>/<table>``."""

    def __init__(self, uri: str) -> None:
        self._uri = uri.removeprefix("file://").rstrip("/")
        self._options = _S3 if "://" in self._uri else None

    def commit(
        self,
        pipeline: str,
        table: str,
        data: pa.Table,
        *,
        metadata: Mapping[str, Any] | None = None,
        batch_id: str | None = None,
        once: tuple[str, int] | None = None,
        mark: tuple[str, int] | None = None,
    ) -> bool:
        """Write rows in one commit against the newest version, looking again when another writer was first.

        Args:
            pipeline: Pipeline name.
            table: str name.
            data: The rows; a column the table does not know is added to it, one they lack is null.
            metadata: Kept with the commit.
            batch_id: Replace this batch's rows; None appends.
            once: An application and its version, recorded with the commit; where that version or a higher
                one is recorded already nothing is written.
            mark: An application and its version, recorded with the commit whatever was recorded before.

        Returns:
            Whether anything was written.
        """
        from deltalake import write_deltalake
        from deltalake.exceptions import CommitFailedError

        mode: dict[str, Any] = {"mode": "append"}
        if batch_id is not None:
            mode = {"mode": "overwrite", "predicate": f"{BATCH} = '{batch_id}'"}
        said = ""
        for _ in range(_CONFLICTS):
            opened = self._open_or_make(pipeline, table, data.schema)
            with translated(f"{pipeline}/{table}"):
                if once and (opened.transaction_version(once[0]) or 0) >= once[1]:
                    return False
                known = {f.name for f in opened.schema().fields}
                other = {"schema_mode": "merge"} if set(data.column_names) != known else {}
                try:
                    write_deltalake(
                        opened,
                        data,
                        writer_properties=writer_properties(data.schema),
                        commit_properties=_properties(metadata, once or mark),
                        **mode,
                        **other,
                    )
                except CommitFailedError as error:
                    said = first_line(error)
                    continue
                return True
        raise Transient(
            f"lake {pipeline}/{table}: no commit in {_CONFLICTS} attempts against other writers: {said}",
            cause="dependency.lake_down",
        )

    def open(self, pipeline: str, table: str) -> DeltaTable | None:
        """Return the table at its newest version, None where there is none."""
        from deltalake import DeltaTable
        from deltalake.exceptions import TableNotFoundError

        with translated(f"{pipeline}/{table}"):
            try:
                return DeltaTable(self._where(pipeline, table), storage_options=self._options)
            except TableNotFoundError:
                return None

    def _open_or_make(self, pipeline: str, table: str, schema: pa.Schema) -> DeltaTable:
        """Open the table, made apart from its first rows: doing both at once, writers overlook each other."""
        from deltalake import DeltaTable, Schema
        from deltalake.exceptions import CommitFailedError

        if opened := self.open(pipeline, table):
            return opened
        with translated(f"{pipeline}/{table}"):
            with suppress(CommitFailedError):  # another process has just made it
                DeltaTable.create(
                    self._where(pipeline, table),
                    Schema.from_arrow(schema),
                    mode="ignore",
                    partition_by=[BATCH] if BATCH in schema.names else None,
                    configuration={"delta.checkpointInterval": _CHECKPOINT_EVERY},
                    storage_options=self._options,
                )
            return DeltaTable(self._where(pipeline, table), storage_options=self._options)

    def _where(self, pipeline: str, table: str) -> str:
        return f"{self._uri}/{pipeline}/{table}"

    def filesystem(self, pipeline: str, table: str) -> Any:
        """Return pyarrow's own file system of a table's folder.

        The vendor's, in Python, is slower, and a dataset of it still open at exit aborts the interpreter.
        """
        from pyarrow import fs

        if self._options is None:
            return fs.SubTreeFileSystem(self._where(pipeline, table), fs.LocalFileSystem())
        found, path = fs.FileSystem.from_uri(self._where(pipeline, table))
        return fs.SubTreeFileSystem(path, found)


def _properties(
    metadata: Mapping[str, Any] | None, transaction: tuple[str, int] | None = None
) -> CommitProperties:
    from deltalake import CommitProperties, Transaction

    return CommitProperties(
        custom_metadata=dict(metadata or {}),
        app_transactions=[Transaction(*transaction)] if transaction else None,
        max_commit_retries=_CONFLICTS,
    )

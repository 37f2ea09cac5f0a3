"""The lake: Delta tables of each pipeline, written idempotently, the predictions in one commit per batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from evenkeel.adapters.delta import expression, translated
from evenkeel.adapters.delta_tables import DeltaTables
from evenkeel.adapters.lake_schemas import BATCH, REQUIRED, Table, conformed
from evenkeel.domain.batch import check_batch_id
from evenkeel.errors import Permanent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Lake", "Table", "as_frame"]


class Lake:
    """The Delta tables under one URI, ``<uri>/<pipeline>/<table>``.

    Raises (every method):
        Transient: The disk is full, the object store does not answer, or other writers won too often.
        Permanent: Access is refused, or the data does not fit the table.
    """

    def __init__(self, uri: str) -> None:
        """Name the lake; nothing is opened or made yet.

        Args:
            uri: A folder or ``s3://bucket/prefix``; credentials come from the ``AWS_*`` environment.
        """
        self._tables = DeltaTables(uri)

    def replace_batch(
        self,
        pipeline: str,
        table: Table,
        batch_id: str,
        data: pa.Table,
        *,
        revision: int = 1,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Write a batch's rows in place of whatever the table holds of that batch.

        Args:
            pipeline: Pipeline name.
            table: The table.
            batch_id: The batch; column ``batch_id`` of every row.
            data: Its rows; a column the table does not know yet is added to the table.
            revision: Which answer to the batch they belong to, recorded with the commit.
            metadata: Kept with the commit.
        """
        data = _of_batch(table, batch_id, data)
        mark = (_app_id(pipeline, batch_id), revision)
        self._tables.commit(pipeline, table, data, metadata=metadata, batch_id=batch_id, mark=mark)

    def replaced(self, pipeline: str, table: Table, batch_id: str, *, revision: int) -> pa.Table | None:
        """Return the rows that a batch had in a revision, where those of a later one have replaced them.

        Args:
            pipeline: Pipeline name.
            table: The table.
            batch_id: The batch.
            revision: The revision.

        Returns:
            The rows; None where they stand.

        Raises:
            Permanent: Delta's history does not reach back to them.
        """
        opened, app = self._tables.open(pipeline, table), _app_id(pipeline, batch_id)
        if opened is None or (opened.transaction_version(app) or 0) <= revision:
            return None
        with translated(f"{pipeline}/{table}"):
            while (opened.transaction_version(app) or 0) > revision:
                if opened.version() == 0:
                    raise Permanent(f"lake {pipeline}/{table}: revision {revision} of {batch_id} has gone")
                opened.load_as_version(opened.version() - 1)
            dataset = opened.to_pyarrow_dataset(filesystem=self._tables.filesystem(pipeline, table))
            return dataset.to_table(filter=expression([(BATCH, "=", batch_id)]))

    def publish(
        self,
        pipeline: str,
        batch_id: str,
        data: pa.Table,
        *,
        revision: int,
        metadata: Mapping[str, Any] | None = None,
    ) -> bool:
        """Commit a batch's predictions, once: this is the batch's single commit point.

        The revision is the commit's Delta application transaction. A higher one replaces the batch's rows.

        Args:
            pipeline: Pipeline name.
            batch_id: The batch.
            data: Its predictions.
            revision: 1 for the first answers, one more for each replay.
            metadata: Kept with the commit.

        Returns:
            Whether this call published; False where this or a higher revision stands, whoever wrote it.
        """
        data = _of_batch(Table.PREDICTIONS, batch_id, data)
        transaction = (_app_id(pipeline, batch_id), revision)
        return self._tables.commit(
            pipeline, Table.PREDICTIONS, data, metadata=metadata, batch_id=batch_id, once=transaction
        )

    def clear_batch(self, pipeline: str, table: Table, batch_id: str) -> None:
        """Remove a batch's rows from a table, if it has any."""
        if batch_id in self.counts(pipeline, table):
            opened = self._tables.open(pipeline, table)
            if opened is not None:
                with translated(f"{pipeline}/{table}"):
                    opened.delete(f"{BATCH} = '{check_batch_id(batch_id)}'")

    def append_labels(self, pipeline: str, data: pa.Table, *, file_sha256: str) -> bool:
        """Add the labels of one file, once.

        Args:
            pipeline: Pipeline name.
            data: The row key, ``label`` and ``arrived_at``.
            file_sha256: Digest of the file, written to ``source_sha256``.

        Returns:
            Whether they were added; False where this file's labels are there.
        """
        source = pa.repeat(pa.scalar(file_sha256, pa.string()), data.num_rows)
        data = conformed(Table.LABELS, data.append_column("source_sha256", source))
        transaction = (f"{pipeline}/labels/{file_sha256}", 1)
        return self._tables.commit(pipeline, Table.LABELS, data, once=transaction)

    def read(
        self,
        pipeline: str,
        table: Table,
        *,
        batch_id: str | None = None,
        batch_ids: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
        filters: Sequence[tuple[str, str, Any]] = (),
    ) -> pd.DataFrame:
        """Return a table's rows in the order written; lists are Python lists.

        Where there is no table the frame is empty and has the columns asked for, or those that must be there.

        Args:
            pipeline: Pipeline name.
            table: The table.
            batch_id: Only this batch.
            batch_ids: Only these batches.
            columns: Only these, null where the table has none of that name; None for all.
            filters: Further conditions, all of which must hold: (column, operator, value), the operators
                ``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=``, ``in``.
        """
        opened = self._tables.open(pipeline, table)
        if opened is None:
            return pd.DataFrame({c: pd.Series(dtype=object) for c in columns or REQUIRED[table]})
        conditions = [*filters]
        if batch_id is not None:
            conditions.append((BATCH, "=", batch_id))
        if batch_ids is not None:
            conditions.append((BATCH, "in", list(batch_ids)))
        with translated(f"{pipeline}/{table}"):
            pruned = [c for c in conditions if c[0] == BATCH and c[1] in {"=", "in"} and c[2]]
            dataset = opened.to_pyarrow_dataset(
                filesystem=self._tables.filesystem(pipeline, table), file_pruning_predicate=pruned or None
            )
            known = None if columns is None else [c for c in columns if c in dataset.schema.names]
            frame = as_frame(dataset.to_table(columns=known, filter=expression(conditions)))
        return frame if columns is None or known == list(columns) else frame.reindex(columns=list(columns))

    def exists(self, pipeline: str, table: Table) -> bool:
        """Say whether the table has ever been written."""
        return self._tables.open(pipeline, table) is not None

    def batches(self, pipeline: str, table: Table) -> list[str]:
        """Return the ids of the batches that have rows in the table, sorted."""
        return sorted(self.counts(pipeline, table))

    def counts(self, pipeline: str, table: Table) -> dict[str, int]:
        """Return the number of rows of each batch that has any, from the table's log alone."""
        opened = self._tables.open(pipeline, table)
        if opened is None:
            return {}
        with translated(f"{pipeline}/{table}"):
            files = pa.table(opened.get_add_actions(flatten=True))
        rows: dict[str, int] = {}
        for batch, count in zip(
            files[f"partition.{BATCH}"].to_pylist(), files["num_records"].to_pylist(), strict=True
        ):
            rows[batch] = rows.get(batch, 0) + count
        return rows

    def columns(self, pipeline: str, table: Table) -> list[str]:
        """Return the table's columns, none where there is no table."""
        opened = self._tables.open(pipeline, table)
        return [f.name for f in opened.schema().fields] if opened else []

    def published(self, pipeline: str, batch_id: str) -> int | None:
        """Return the revision of the batch's published predictions, None where none are."""
        opened = self._tables.open(pipeline, Table.PREDICTIONS)
        if opened is None:
            return None
        found: int | None = opened.transaction_version(_app_id(pipeline, batch_id))
        return found


def as_frame(table: pa.Table) -> pd.DataFrame:
    """Turn Arrow into pandas with list cells as lists: arrays would cost many times as much."""
    lists = [f.name for f in table.schema if pa.types.is_list(f.type)]
    frame: pd.DataFrame = table.drop_columns(lists).to_pandas(split_blocks=True)
    for name in lists:
        cells = pd.Series(_lists(table.column(name)), index=frame.index, dtype=object)
        frame.insert(table.column_names.index(name), name, cells)
    return frame


def _lists(column: pa.ChunkedArray) -> list[list[Any]]:
    """Return list cells, a null one as an empty list; one by one pyarrow would take seconds for a million."""
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    values = pc.list_flatten(column).to_pylist()
    ends = lengths.cumsum()
    return [values[a:b] for a, b in zip((ends - lengths).tolist(), ends.tolist(), strict=True)]


def _of_batch(table: Table, batch_id: str, data: pa.Table) -> pa.Table:
    check_batch_id(batch_id)
    data = conformed(table, data)
    others = [b for b in data[BATCH].unique().to_pylist() if b != batch_id]
    if others:
        raise ValueError(f"{table}: rows of batch {others[0]!r} among those of {batch_id!r}")
    return data


def _app_id(pipeline: str, batch_id: str) -> str:
    return f"{pipeline}/{batch_id}"

"""Join the columns of another source to the rows of a batch, by key and by the time from which they hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from evenkeel.quality.coercion import coerce_column, null_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenkeel.quality.schema import TableSchema
    from evenkeel.settings.enrichment import Enrichment

_ROW, _FOUND = "__row__", "__found__"


@dataclass(frozen=True)
class Joined:
    """What one source brings to a batch.

    Attributes:
        values: Column -> n values, typed by the schema, null where nothing was found; index as the batch's.
        found: Which of the n rows found something.
        disagreements: Keys, with their time where there is one, for which it brought different values at
            once; the last that came is used.
    """

    values: dict[str, pd.Series[Any]]
    found: npt.NDArray[np.bool_]
    disagreements: int


def join(
    batch: pd.DataFrame,
    deliveries: Sequence[pd.DataFrame],
    source: Enrichment,
    schema: TableSchema,
    *,
    time: str,
) -> Joined:
    """Join a source to a batch.

    Args:
        batch: n rows with the columns of ``source.key`` and ``time``, as they came.
        deliveries: The source's rows as they came, the oldest delivery first; later ones win.
        source: How to join.
        schema: The types of all columns.
        time: The batch's time column.
    """
    needed = [*source.key, *([time] if source.time else [])]
    brought = [_brought(frame, source, schema) for frame in deliveries]
    others = pd.concat(brought, ignore_index=True) if brought else pd.DataFrame()
    if others.empty or not set(needed) <= set(batch.columns):
        nothing = {c: null_column(batch.index, schema.kinds[c]) for c in source.columns}
        return Joined(nothing, np.zeros(len(batch), dtype=np.bool_), 0)
    rows = _typed(batch, schema, needed)
    key = [*source.key, *([source.time] if source.time else [])]
    others, disagreements = _one_each(others, key)
    rows[_ROW] = np.arange(len(rows))
    others[_FOUND] = True
    joined = (
        _as_of(rows, others, source, time)
        if source.time
        else rows.merge(others, on=list(source.key), how="left")
    )
    joined = joined.set_index(_ROW).reindex(range(len(batch)))
    found = joined[_FOUND].eq(True).fillna(False).to_numpy(dtype=np.bool_)
    kinds = schema.kinds
    values = {c: coerce_column(joined[c], kinds[c]).values.set_axis(batch.index) for c in source.columns}
    return Joined(values, found, disagreements)


def _typed(frame: pd.DataFrame, schema: TableSchema, columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {c: schema.coerce(c, frame[c]).values.array for c in columns}, index=range(len(frame))
    )


def _brought(frame: pd.DataFrame, source: Enrichment, schema: TableSchema) -> pd.DataFrame:
    """Return the rows of a delivery that have a key and a time, typed."""
    typed = _typed(frame, schema, [*source.key, *source.columns])
    if source.time:
        written = schema.time_formats.get(source.time)
        typed[source.time] = coerce_column(frame[source.time], "time", time_format=written).values.array
    return typed.dropna(subset=[*source.key, *([source.time] if source.time else [])])


def _one_each(rows: pd.DataFrame, key: list[str]) -> tuple[pd.DataFrame, int]:
    """Keep the last row of each key, and count the keys whose rows differ."""
    different = rows.drop_duplicates()
    disagreements = int(different.duplicated(key).sum())
    return rows.drop_duplicates(key, keep="last").copy(), disagreements


def _as_of(rows: pd.DataFrame, others: pd.DataFrame, source: Enrichment, time: str) -> pd.DataFrame:
    """Give each row with a time the newest of its key that held at that time."""
    others = others.rename(columns={source.time: time}).sort_values(time, kind="stable")
    timed = rows.dropna(subset=[time]).sort_values(time, kind="stable")
    return pd.merge_asof(
        timed,
        others,
        on=time,
        by=list(source.key) or None,
        direction="backward",
        tolerance=pd.Timedelta(seconds=source.tolerance) if source.tolerance else None,
    )

"""Join the columns of another source to the rows of a batch, by key and by the time from which they hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from evenkeel.quality.coercion import coerce_column, null_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenkeel.quality.schema import TableSchema
    from evenkeel.settings.enrichment import Enrichment

_ROW, _FOUND, _AT_ODDS, _UNREADABLE = "__row__", "__found__", "__at_odds__", "__unreadable__"


@dataclass(frozen=True)
class Joined:
    """What one source brings to a batch.

    Attributes:
        values: Column -> n values, typed by the schema, null where nothing was found; index as the batch's.
        found: Which of the n rows found something.
        at_odds: Which of them found several different rows in one delivery; the last of them is used.
        unreadable: Column -> rows that found a cell which cannot be read as the column's kind, if any did.
        lost: Rows of the source without a readable key or time, which nothing can find.
    """

    values: dict[str, pd.Series[Any]]
    found: npt.NDArray[np.bool_]
    at_odds: npt.NDArray[np.bool_]
    unreadable: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    lost: int = 0


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
        deliveries: The source's rows as they came, the oldest delivery first; a later one corrects those
            before it.
        source: How to join.
        schema: The types of all columns.
        time: The batch's time column.
    """
    needed = [*source.key, *([time] if source.time else [])]
    brought = [_brought(frame, source, schema) for frame in deliveries]
    lost = sum(map(len, deliveries)) - sum(map(len, brought))
    key = [*source.key, *([source.time] if source.time else [])]
    each = [_one_each(rows, key) for rows in brought if len(rows)]
    nowhere = np.zeros(len(batch), dtype=np.bool_)
    if not each or not set(needed) <= set(batch.columns):
        nothing = {c: null_column(batch.index, schema.kinds[c]) for c in source.columns}
        return Joined(nothing, nowhere, nowhere, lost=lost)
    rows = _typed(batch, schema, needed)
    others = pd.concat(each, ignore_index=True).drop_duplicates(key, keep="last")
    rows[_ROW] = np.arange(len(rows))
    others[_FOUND] = True
    joined = (
        _as_of(rows, others, source, time)
        if source.time
        else rows.merge(others, on=list(source.key), how="left")
    )
    joined = joined.set_index(_ROW).reindex(range(len(batch)))
    kinds = schema.kinds
    unreadable = {c: _true(joined[_UNREADABLE + c]) for c in source.columns}
    return Joined(
        values={c: coerce_column(joined[c], kinds[c]).values.set_axis(batch.index) for c in source.columns},
        found=_true(joined[_FOUND]),
        at_odds=_true(joined[_AT_ODDS]),
        unreadable={c: mask for c, mask in unreadable.items() if mask.any()},
        lost=lost,
    )


def _true(marks: pd.Series[Any]) -> npt.NDArray[np.bool_]:
    return marks.eq(True).fillna(False).to_numpy(dtype=np.bool_)


def _typed(frame: pd.DataFrame, schema: TableSchema, columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {c: schema.coerce(c, frame[c]).values.array for c in columns}, index=range(len(frame))
    )


def _brought(frame: pd.DataFrame, source: Enrichment, schema: TableSchema) -> pd.DataFrame:
    """Return the rows of a delivery that have a key and a time, typed, their unreadable cells marked."""
    typed = _typed(frame, schema, source.key)
    for column in source.columns:
        read = schema.coerce(column, frame[column])
        typed[column] = read.values.array
        marks = np.zeros(len(frame), dtype=np.bool_)
        for mask in read.flawed.values():
            marks |= mask
        typed[_UNREADABLE + column] = marks
    if source.time:
        written = schema.time_formats.get(source.time)
        typed[source.time] = coerce_column(frame[source.time], "time", time_format=written).values.array
    return typed.dropna(subset=[*source.key, *([source.time] if source.time else [])])


def _one_each(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Keep the last row of each key, and mark those whose rows differ."""
    different = rows.drop_duplicates(keep="last")
    return different.assign(**{_AT_ODDS: different.duplicated(key, keep=False)}).drop_duplicates(
        key, keep="last"
    )


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

"""What the models see: the one function that training and serving both make their input with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from evenkeel.settings import Pipeline
    from evenkeel.settings.pipeline import Calendar


@dataclass(frozen=True)
class ModelColumns:
    """Columns of a model's input by how they must be encoded; together in this order, the whole input.

    Attributes:
        categorical: Object columns of str, NaN where missing.
        numeric: float64 columns; booleans are among them as 0 and 1, times as seconds since 1970.
        calendar: float64 columns of small whole numbers, named ``<time column>.<part>`` so that they cannot
            be taken for a feature called ``hour`` or ``month``.
    """

    categorical: tuple[str, ...]
    numeric: tuple[str, ...]
    calendar: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, in the order of :func:`model_frame`."""
        return (*self.categorical, *self.numeric, *self.calendar)


def model_columns(
    pipeline: Pipeline, kinds: Mapping[str, str], *, columns: Sequence[str] | None = None
) -> ModelColumns:
    """Return the columns that :func:`model_frame` gives for the same arguments."""
    chosen = tuple(pipeline.features.columns if columns is None else columns)
    return ModelColumns(
        categorical=tuple(c for c in chosen if kinds[c] in ("categorical", "text")),
        numeric=tuple(c for c in chosen if kinds[c] not in ("categorical", "text")),
        calendar=tuple(f"{pipeline.time}.{part}" for part in pipeline.features.calendar),
    )


def model_frame(
    frame: pd.DataFrame,
    pipeline: Pipeline,
    kinds: Mapping[str, str],
    *,
    columns: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return the models' input for accepted rows.

    float64 columns and complete object columns are passed on without a copy.

    Args:
        frame: n accepted rows, imputed or not; columns that are not asked for may be missing.
        pipeline: Names the feature columns, the time column and the parts of the calendar.
        kinds: Kind of each column, as the schema says.
        columns: Feature columns wanted; None for all of ``pipeline.features.columns``.

    Returns:
        n rows with the index of ``frame``; columns as :class:`ModelColumns` lists them.

    Raises:
        KeyError: ``frame`` lacks a wanted column, or the time column where calendar parts are configured.
    """
    wanted = model_columns(pipeline, kinds, columns=columns)
    parts: dict[str, Any] = {c: _category(frame[c]) for c in wanted.categorical}
    parts |= {c: _number(frame[c], kinds[c]) for c in wanted.numeric}
    if wanted.calendar:
        times = utc_times(frame[pipeline.time])
        parts |= {
            name: calendar_part(times, part)
            for name, part in zip(wanted.calendar, pipeline.features.calendar, strict=True)
        }
    return pd.DataFrame(parts, index=frame.index, columns=list(wanted.names), copy=False)


def utc_times(column: pd.Series[Any]) -> pd.DatetimeIndex:
    """Return a time column as UTC, naive times read as UTC."""
    return pd.DatetimeIndex(pd.to_datetime(column, utc=True))


def nanoseconds(times: pd.DatetimeIndex) -> npt.NDArray[np.int64]:
    """Return UTC times as nanoseconds since 1970."""
    return times.to_numpy(dtype="datetime64[ns]").view(np.int64)


def calendar_part(times: pd.DatetimeIndex, part: Calendar) -> npt.NDArray[np.float64]:
    """Return one part of each time as float64 of the same length, NaN where there is no time.

    ``half_hour`` is 0 to 47, ``hour`` 0 to 23, ``weekday`` 0 (Monday) to 6, ``day`` 1 to 31, ``month`` 1 to
    12, ``weekend`` 1 on Saturday and Sunday, else 0.
    """
    if part == "half_hour":
        return _floats(times.hour) * 2 + (_floats(times.minute) >= 30)  # noqa: PLR2004 - half an hour
    if part == "weekend":
        weekday = _floats(times.weekday)
        return np.where(np.isnan(weekday), np.nan, weekday >= 5)  # noqa: PLR2004 - Saturday
    return _floats(getattr(times, part))


def _floats(values: Any) -> npt.NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)


def _number(column: pd.Series[Any], kind: str) -> Any:
    if column.dtype == np.float64:
        return column
    if kind == "time":
        times = utc_times(column)
        return np.where(np.asarray(times.isna()), np.nan, nanoseconds(times) / 1e9)
    if kind == "boolean":
        return column.astype("boolean").to_numpy(dtype=np.float64, na_value=np.nan)
    if column.dtype == object:
        return column.astype(np.float64)
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _category(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return object str with NaN for missing: scikit-learn's encoders take None for one more category."""
    column = column if column.dtype == object else column.astype(object)
    missing = column.isna()
    return column.mask(missing, np.nan) if missing.any() else column

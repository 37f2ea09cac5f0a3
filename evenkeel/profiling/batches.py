"""What a batch as a whole must be: limits that every stretch of the history keeps, with room."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from evenkeel.profiling.column import Column

_STRETCHES = 20
_FIRST = 5
_MARGINS = (1.0, 2.0, 4.0, 8.0)
_WATCHED = 10  # columns whose batches are judged: the strongest
_MOSTLY = 0.5
_OFTEN_MISSING = 0.25
_ROOM = 0.3
_ROW_SHARE, _BATCH_SHARE, _MOST = 0.5, 0.4, 0.95


@dataclass(frozen=True)
class Limits:
    """What a batch must keep.

    Attributes:
        expectations: Great Expectations' entries, each with its severity.
        max_row_share: Share of a row's features that may be missing.
        max_batch_share: Share of a batch's feature cells that may be.
        worst_row: The share seen in all but one row in a thousand.
        worst_batch: The largest seen in a stretch of the history.
    """

    expectations: tuple[dict[str, Any], ...]
    max_row_share: float
    max_batch_share: float
    worst_row: float
    worst_batch: float


def learn_limits(
    columns: Mapping[str, Column], features: Mapping[str, float], order: npt.NDArray[np.intp]
) -> Limits:
    """Learn the limits of a batch from twenty stretches of the history.

    Args:
        columns: Name -> column.
        features: Name -> strength.
        order: Positions of the rows in time order.
    """
    gaps = pd.DataFrame({c: columns[c].values.isna() for c in features}).iloc[order]
    worst_row = float(gaps.mean(axis=1).quantile(0.999))
    worst_batch = max(float(part.to_numpy().mean()) for part in _stretches(gaps))
    strongest = sorted(features, key=lambda c: -features[c])[:_WATCHED]
    expectations: list[dict[str, Any]] = []
    for name in strongest:
        worst = max(float(part.mean()) for part in _stretches(gaps[name]))
        if worst > _OFTEN_MISSING:
            continue
        expectations.append(_present(name, worst))
        if columns[name].kind == "numeric" and (median := _median(columns[name], order)):
            expectations.append(median)
    return Limits(
        tuple(expectations),
        max_row_share=_limit(worst_row, _ROW_SHARE),
        max_batch_share=_limit(worst_batch, _BATCH_SHARE),
        worst_row=worst_row,
        worst_batch=worst_batch,
    )


def _stretches(rows: Any) -> Sequence[Any]:
    cuts = np.linspace(0, len(rows), _STRETCHES + 1).astype(int)
    return [rows.iloc[a:b] for a, b in pairwise(cuts) if b > a]


def _limit(worst: float, usual: float) -> float:
    return usual if worst <= usual - 0.1 else round(min(_MOST, worst + _ROOM), 2)


def _present(name: str, worst: float) -> dict[str, Any]:
    return {
        "type": "expect_column_values_to_not_be_null",
        "kwargs": {"column": name, "mostly": _MOSTLY},
        "meta": {"severity": "degrade", "seen": f"at most {worst:.1%} missing in a stretch of the history"},
    }


def _median(column: Column, order: npt.NDArray[np.intp]) -> dict[str, Any] | None:
    """Return bounds of a batch's median with the least margin that no later stretch would have broken."""
    values = pd.Series(column.values.to_numpy(dtype=np.float64, na_value=np.nan)[order])
    spread = float(values.quantile(0.75) - values.quantile(0.25))
    medians = np.array([m for part in _stretches(values) if not np.isnan(m := part.median())])
    if len(medians) <= _FIRST or spread == 0:
        return None
    for margin in _MARGINS:
        rooms = [_room(medians[:step], spread, margin) for step in range(_FIRST, len(medians))]
        if all(low <= m <= high for (low, high), m in zip(rooms, medians[_FIRST:], strict=True)):
            low, high = _room(medians, spread, margin)
            return {
                "type": "expect_column_median_to_be_between",
                "kwargs": {"column": column.name, "min_value": low, "max_value": high},
                "meta": {
                    "severity": "warn",
                    "seen": f"{medians.min():.4g} to {medians.max():.4g} in {len(medians)}",
                },
            }
    return None


def _room(medians: npt.NDArray[np.float64], spread: float, margin: float) -> tuple[float, float]:
    """Return the medians seen, with room for their own spread and for that of the values."""
    low, high = float(medians.min()), float(medians.max())
    width = margin * max(high - low, spread)
    return float(f"{low - width:.4g}"), float(f"{high + width:.4g}")

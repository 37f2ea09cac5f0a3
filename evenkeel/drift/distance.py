"""Evidently's distances between two samples of one column, without the report machinery around them."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Values = npt.NDArray[Any]
Distance = Callable[[Values, Values], float]

MEASURED_KINDS = frozenset({"numeric", "categorical", "boolean"})
WASSERSTEIN = "Wasserstein distance (normed)"
JENSEN_SHANNON = "Jensen-Shannon distance"

_BEYOND = 1e12


def method_of(kind: str) -> str:
    """Return the distance used for a kind of column, in Evidently's words."""
    return WASSERSTEIN if kind == "numeric" else JENSEN_SHANNON


def values_of(column: pd.Series[Any], kind: str) -> Values:
    """Return what a distance sees of a column: its values, without nulls and infinities.

    Returns:
        float64 for a numeric column; for the others text (``True`` becomes ``"True"``), dtype object.
    """
    if kind == "numeric":
        numbers: Values = column.to_numpy(dtype="float64", na_value=np.nan)
        finite: Values = numbers[np.isfinite(numbers)]
        return finite
    present = column.dropna()
    return np.array([str(value) for value in present], dtype=object)


def load_distances() -> dict[str, Distance]:
    """Import Evidently and return its distance for each measured kind: ``distance(reference, current)``.

    Evidently's statistical functions are called as its ``ValueDrift`` metric calls them, on values that
    :func:`values_of` or an integer encoding of them has cleaned as it does; the metric itself spends over
    95% of its time on rendering widgets. Importing any part of Evidently imports all of it, which takes seconds.

    Returns:
        Kind -> distance. A distance is finite: beyond 1e12 (overflow) it is given as 1e12.
    """
    os.environ.setdefault("DO_NOT_TRACK", "1")
    from evidently.legacy.calculations import stattests
    from evidently.legacy.core import ColumnType

    def numeric(reference: Values, current: Values) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            result = stattests.wasserstein_stat_test(reference, current, ColumnType.Numerical, None)
        return _finite(result.drift_score)

    def nominal(reference: Values, current: Values) -> float:
        result = stattests.jensenshannon_stat_test(
            pd.Series(reference), pd.Series(current), ColumnType.Categorical, None
        )
        return _finite(result.drift_score)

    return {"numeric": numeric, "categorical": nominal, "boolean": nominal}


def _finite(score: float) -> float:
    return min(float(score), _BEYOND) if math.isfinite(score) else _BEYOND

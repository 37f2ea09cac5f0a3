"""Fit scikit-learn's imputers on the reference: one per column for the last resort, one over all numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from evenkeel.quality.kind import Kind

# Nearest neighbours are searched among all rows for each gap; a regression only has to be fitted once.
_JOINT_ROWS = {"knn": 2_000, "iterative": 20_000}


def simple_imputer(values: pd.Series[Any], kind: Kind, strategy: str, fill_value: Any) -> Any:
    """Return the fitted ``SimpleImputer`` of one column: its strategy's, or that of the last resort.

    Args:
        values: The column in the reference, typed.
        kind: Its kind; booleans are fitted as 0 and 1.
        strategy: As configured; knn, iterative and last_known_good fall back on median or most frequent.
        fill_value: For ``constant``.
    """
    from sklearn.impute import SimpleImputer

    cells = _cells(values, kind)
    missing = None if kind == "categorical" else np.nan
    if strategy == "constant":
        fill = float(_truth(fill_value)) if kind == "boolean" else fill_value
        imputer = SimpleImputer(
            missing_values=missing, strategy="constant", fill_value=fill, keep_empty_features=True
        )
    elif values.isna().all():
        empty = "missing" if kind == "categorical" else 0.0
        imputer = SimpleImputer(
            missing_values=missing, strategy="constant", fill_value=empty, keep_empty_features=True
        )
    else:
        by_median = kind == "numeric" and strategy != "most_frequent"
        imputer = SimpleImputer(missing_values=missing, strategy="median" if by_median else "most_frequent")
    return imputer.fit(cells)


def _cells(values: pd.Series[Any], kind: Kind) -> npt.NDArray[Any]:
    if kind == "categorical":
        cells: npt.NDArray[Any] = values.to_numpy(dtype=object, copy=True)
        cells[values.isna().to_numpy()] = None
    else:
        cells = values.to_numpy(dtype="float64", na_value=np.nan)
    return cells.reshape(-1, 1)


def joint_imputer(strategy: str, numbers: pd.DataFrame, seed: int) -> dict[str, Any]:
    """Return the fitted scaler and imputer that look at all numbers of a row.

    Args:
        strategy: ``knn`` or ``iterative``.
        numbers: Numeric columns of the reference, each with at least one value.
        seed: Of the iterative imputer.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - makes the next import possible
    from sklearn.impute import IterativeImputer, KNNImputer
    from sklearn.preprocessing import RobustScaler

    columns = list(numbers.columns)
    if not columns:
        return {"columns": [], "scaler": None, "imputer": None}
    scaler = RobustScaler().fit(numbers.to_numpy(dtype="float64"))
    scaled = scaler.transform(_evenly(numbers, _JOINT_ROWS[strategy]).to_numpy(dtype="float64"))
    imputer: Any = KNNImputer(n_neighbors=5, weights="distance", keep_empty_features=True)
    if strategy == "iterative":
        # Never past what the reference has seen: a regression would extrapolate.
        low, high = np.nanmin(scaled, axis=0, initial=np.inf), np.nanmax(scaled, axis=0, initial=-np.inf)
        seen = low <= high
        imputer = IterativeImputer(
            random_state=seed,
            keep_empty_features=True,
            min_value=np.where(seen, low, -np.inf),
            max_value=np.where(seen, high, np.inf),
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # ten rounds are enough to fill a gap
        imputer.fit(scaled)
    return {"columns": columns, "scaler": scaler, "imputer": imputer}


def _evenly(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Return at most ``rows`` rows that hold a value, evenly spaced."""
    known = frame[frame.notna().any(axis=1)]
    return known.iloc[np.unique(np.linspace(0, len(known) - 1, min(rows, len(known))).astype(np.intp))]


def typed_value(value: Any, kind: str) -> Any:
    """Return a single value as cells of its kind hold it."""
    if kind == "categorical":
        return str(value)
    return _truth(value) if kind == "boolean" else float(value)


def _truth(value: Any) -> bool:
    return value.strip().lower() in ("true", "yes", "1", "1.0") if isinstance(value, str) else bool(value)

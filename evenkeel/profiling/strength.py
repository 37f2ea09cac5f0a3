"""How much of the target one column tells by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import numpy.typing as npt

    from evenkeel.profiling.column import Column
    from evenkeel.profiling.target import Target

_ROWS = 4_000  # looked at, spread over the file
_FOLDS = 3
_ALMOST = 0.5  # from here on it is worth a closer look
_LEAST_GROUPS = 50
_ROUNDING, _NEARLY_ONE, _EXACT = 1e-6, 1e-3, 1e-9


def strength(column: Column, target: Target, *, close: bool = False) -> float:
    """Return the share of the target's variance that a regression tree explains from one column, 0 to 1.

    Cross-validated; for classes the variance is that of their indicators, so that the share is the Brier
    skill score. Categories are ordered by how often they come. What tells the target is told by the closest
    tree, which learns every single value; a coarse one is not fooled by columns that have many.

    Args:
        column: The column.
        target: The target.
        close: Take the closest tree.
    """
    from sklearn.model_selection import KFold, cross_val_predict
    from sklearn.tree import DecisionTreeRegressor

    rows = spread(int(target.known.sum()), _ROWS)
    # A tree sees only which value is the larger: ranks are as good as values, however huge those are.
    numbers = pd.Series(as_numbers(column)[target.known][rows])
    inputs = numbers.rank(method="dense").to_numpy().reshape(-1, 1)
    truth = target.codes[rows]
    leaf = 1 if close else max(5, len(rows) // _LEAST_GROUPS)
    total = float(((truth - truth.mean(axis=0)) ** 2).sum())
    if len(rows) < _FOLDS * 2 or total == 0 or np.isnan(inputs).all():
        return 0.0
    tree = DecisionTreeRegressor(min_samples_leaf=leaf, random_state=0)
    answers = cross_val_predict(tree, inputs, truth, cv=KFold(_FOLDS, shuffle=True, random_state=0))
    return max(0.0, 1 - float(((truth - answers.reshape(truth.shape)) ** 2).sum()) / total)


def gives_away(column: Column, target: Target, told: float) -> float:
    """Return how much of the target a column tells at the closest look, 0 where it cannot be all.

    Args:
        column: The column.
        target: The target.
        told: What :func:`strength` said of it.
    """
    return strength(column, target, close=True) if told >= _ALMOST else told


def as_numbers(column: Column) -> npt.NDArray[np.float64]:
    """Return a column's values as float64: categories by how often they come, NaN where there is none."""
    if column.kind == "numeric":
        return np.asarray(column.values, dtype=np.float64)
    if column.kind == "boolean":
        return np.asarray(column.values.astype("Float64").to_numpy(dtype="float64", na_value=np.nan))
    order = {value: float(i) for i, value in enumerate(column.values.value_counts().index)}
    return np.asarray(column.values.map(order), dtype=np.float64)


def spread(rows: int, most: int) -> npt.NDArray[np.intp]:
    """Return at most ``most`` positions, evenly spread over ``rows``."""
    return (
        np.unique(np.linspace(0, rows - 1, min(most, rows)).astype(np.intp))
        if rows
        else np.array([], np.intp)
    )


def adds_up(columns: list[Column], target: Target) -> tuple[str, ...]:
    """Return the numeric columns that sum to a numeric target, each as it is or turned round; empty if none do."""
    if target.classes or len(columns) < 2:  # noqa: PLR2004 - a sum has two parts
        return ()
    frame = pd.DataFrame({c.name: as_numbers(c) for c in columns}).assign(**{"": target.values}).dropna()
    frame = frame.iloc[spread(len(frame), _ROWS)]
    parts, total = frame.drop(columns=[""]).to_numpy(), frame[""].to_numpy(dtype=np.float64)
    if len(parts) <= 2 * parts.shape[1] or not total.any():
        return ()
    scale = np.abs(parts).max(axis=0)
    scale[scale == 0] = 1.0
    weights = np.linalg.lstsq(parts / scale, total, rcond=None)[0] / scale
    left = np.abs(total - parts @ weights).max() / np.abs(total).max()
    used = np.abs(weights * scale) > _ROUNDING * np.abs(total).max()
    whole = np.abs(np.abs(weights[used]) - 1) < _NEARLY_ONE  # a sum, not just a good fit
    exact = left < _EXACT and used.sum() > 1 and whole.all()
    return tuple(c.name for c, u in zip(columns, used, strict=True) if u) if exact else ()

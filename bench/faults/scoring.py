"""What answers are worth, and whether a fault was named right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

    from bench.faults.alarms import Alarms
    from bench.faults.cases import Case
    from bench.faults.problem import Problem

_WORST = -100.0  # points: twice the prior's error


def points(problem: Problem, truth: npt.NDArray[Any], answers: npt.NDArray[Any]) -> float:
    """Return 100 for perfect answers: accuracy x 100, or 100 x (1 - MAE / MAE of the prior), at least -100."""
    if problem.task == "binary":
        return float(100 * np.mean(truth == answers))
    scale = np.abs(truth - problem.prior).mean()
    error = np.abs(truth.astype(float) - answers.astype(float)).mean()
    return max(_WORST, float(100 * (1 - error / scale)))


def named_right(case: Case, columns: tuple[str, ...], new: Alarms) -> bool:
    """Return whether the cause is named in its columns, and no other column is accused."""
    named = {column for cause, column in new if cause in case.accepted}
    if not columns or case.fault.needs_previous:
        return bool(named)
    accused = {column for _, column in new if column} - set(columns)
    return set(columns) <= named and not accused


def origin(frame: pd.DataFrame, batch: pd.DataFrame, problem: Problem) -> npt.NDArray[np.intp]:
    """Return which row of the sound batch each row is, -1 for none: by position, else by key."""
    if len(frame) == len(batch):
        return np.arange(len(batch))
    if any(k not in frame.columns for k in problem.key):
        return np.full(len(frame), -1)
    places = {key: row for row, key in enumerate(_keys(batch, problem))}
    return _keys(frame, problem).map(places).fillna(-1).to_numpy(dtype=np.intp)


def _keys(frame: pd.DataFrame, problem: Problem) -> pd.Series[str]:
    return frame[list(problem.key)].astype(str).agg("|".join, axis=1)

"""A column that stands still where it never stood still so long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from evenkeel.diagnosis.runs import cut, numbers, shared
from evenkeel.domain.diagnosis import Fault

if TYPE_CHECKING:
    import pandas as pd

    from evenkeel.diagnosis.past import Past, Subject

Positions = npt.NDArray[np.intp]

_TIMES_LONGEST = 4
_MORE_ROWS = 8
_FEWEST_RUNS = 10
_FEWEST_CHANGES = 6
_REACH = 5.0
_COMMON = 0.05
_TWICE = 2
"""A value that is common anyway may come to stay as the world changes: it takes twice as much to call it frozen."""


def detect(batch: pd.DataFrame, past: Past, subject: Subject) -> list[Fault]:
    """Find features that hold one value for far longer than they ever did.

    A run of equal values must be several times as long as the longest of the past. Where the batch is too
    short for that, it must not change at all, and every run of the past as long as it must have changed
    often. Null cells are stepped over.

    Returns:
        One fault for each such column, its rows those that stand still; None where all do.
    """
    found = []
    runs = cut(past, len(batch))
    for name in shared(batch, past, subject, "numeric", "categorical", "boolean", "text"):
        values, at = _present(batch[name], subject.kinds[name])
        if len(values) <= _MORE_ROWS:
            continue
        start, stop = _longest(values)
        if stop - start <= _MORE_ROWS + _TIMES_LONGEST:
            continue
        before, known_at = _present(past.rows[name], subject.kinds[name])
        if len(before) < 2 * (stop - start) and len(before) < len(batch):
            continue
        first, last = _longest(before)
        longest = last - first
        whole = stop - start == len(values)
        doubt = _TWICE if np.mean(before == values[start]) > _COMMON else 1
        long = stop - start >= doubt * _TIMES_LONGEST * longest + _MORE_ROWS
        # A common number, as 0 or 1, may be what a quiet day counts.
        quiet = doubt > 1 and subject.kinds[name] == "numeric"
        still = whole and not quiet and _always_moves(before, known_at, runs, doubt * _REACH)
        if not long and not still:
            continue
        # The value that is then repeated was still a good one.
        rows = np.arange(at[start + (start > 0)], at[stop - 1] + 1)
        found.append(
            Fault(
                cause="data.constant_column",
                columns=(name,),
                confidence=0.98 if long else 0.9,
                transform="frozen",
                rows=None if whole else rows,
                evidence={
                    "value": values[start] if isinstance(values[start], str) else float(values[start]),
                    "rows": int(stop - start),
                    "longest_before": int(longest),
                },
            )
        )
    return found


def _present(column: pd.Series[Any], kind: str) -> tuple[npt.NDArray[Any], Positions]:
    """Return the values that are there and where."""
    values = numbers(column) if kind in {"numeric", "boolean"} else column.to_numpy(dtype=object)
    there = ~np.isnan(values) if values.dtype.kind == "f" else column.notna().to_numpy()
    return (values, np.arange(len(values))) if there.all() else (values[there], np.flatnonzero(there))


def _longest(values: npt.NDArray[Any]) -> tuple[int, int]:
    """Return the bounds of the longest run of equal values."""
    if not len(values):
        return 0, 0
    edges = np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1, [len(values)]])
    first = int(np.argmax(np.diff(edges)))
    return int(edges[first]), int(edges[first + 1])


def _always_moves(before: npt.NDArray[Any], at: Positions, runs: list[slice], reach: float) -> bool:
    """Tell whether no change at all lies ``reach`` deviations below what the runs of the past show."""
    changed = at[1:][before[1:] != before[:-1]]
    counts = np.array([np.sum((changed > run.start) & (changed < run.stop)) for run in runs])
    if len(counts) < _FEWEST_RUNS or counts.min() < _FEWEST_CHANGES:
        return False
    logs = np.log1p(counts)
    return bool(logs.mean() > reach * max(float(logs.std(ddof=1)), 0.1))

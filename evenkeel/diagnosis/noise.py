"""A column that no longer goes with the others or with its own past, though each value may be a good one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from evenkeel.diagnosis.runs import Floats, cut, numbers, sample, shared
from evenkeel.domain.diagnosis import Fault

if TYPE_CHECKING:
    from evenkeel.diagnosis.past import Past, Subject

_MOST_ROWS = 250
_MOST_RUNS = 24
_FEWEST_RUNS = 6
_FEWEST_ROWS = 20
_MOST_NAMES = 3
_RIDGE = 1e-3
_TIED = 0.7
_TIED_AND_ROUGH = 0.55
_REACH = 4.0
_LEFT = 0.25
_LEFT_AND_ROUGH = 0.5
_LEAST_SPREAD = 0.1
_ROUGH = 1.5
_TIMES_ROUGHER = 3.5
_TIMES_ROUGHEST = 2.5
_QUANTILE = 0.75
_MIDDLE = 2.0


def detect(batch: pd.DataFrame, past: Past, subject: Subject) -> list[Fault]:
    """Find columns whose ties have come undone.

    Each column is foretold, row by row, from its neighbours above and below and from the other columns, by a
    ridge regression learned from the past. What is watched is the rank correlation of foretold and true
    values, which outliers, another level or another scale do not touch, by Fisher's z
    (Fisher, *Metron* 1, 1921). It must lie far below that of every run of the past, with half to three
    quarters of what the past ties together gone. A column that was never tied to anything says nothing.

    Returns:
        One fault for each such column. Where others fall because they lean on it, it is told from them by
        looking at each without the rest.
    """
    table = _Table.of(batch, past, subject)
    if table is None:
        return []
    undone: dict[int, tuple[float, float]] = {}
    while (worst := table.worst(list(undone))) is not None:
        undone[worst[0]] = worst[1:]
    found = []
    for column, (now, usual) in undone.items():
        again = table.worst([other for other in undone if other != column])
        if again is not None and again[0] == column:
            evidence = {"tie": round(now, 3), "usual": round(usual, 3)}
            found.append(_fault(table.names[column], 0.95 if now < usual / 3 else 0.85, evidence))
    named = {fault.columns[0] for fault in found}
    for name, times in table.rougher().items():
        if name not in named and subject.kinds[name] == "numeric":
            found.append(_fault(name, 0.85, {"times_rougher": round(times, 2)}))
    # Where many come undone at once, the world has changed, or another fault is behind it.
    return found if len(found) <= max(2, len(set(table.names)) // 3) else []


def _fault(name: str, confidence: float, evidence: dict[str, float]) -> Fault:
    return Fault("data.noise", (name,), confidence, transform="noise", evidence=dict(evidence))


@dataclass(frozen=True)
class _Table:
    """The columns as numbers, of the batch and of the runs of the past.

    Attributes:
        names: Feature of each column.
        batch: Rows x columns, standardised by the past, consecutive rows.
        runs: The same for each run of the past.
    """

    names: tuple[str, ...]
    batch: Floats
    runs: tuple[Floats, ...]

    @classmethod
    def of(cls, batch: pd.DataFrame, past: Past, subject: Subject) -> Self | None:
        """Read a stretch of the batch and of each run; None where there is too little of either."""
        runs = cut(past, len(batch))
        runs = [runs[i] for i in sample(len(runs), _MOST_RUNS)]
        if len(runs) < _FEWEST_RUNS or min(run.stop - run.start for run in runs) < _FEWEST_ROWS:
            return None
        if len(batch) < _FEWEST_ROWS:
            return None
        stretch = batch.iloc[_middle(slice(0, len(batch)))]
        at = np.concatenate([np.arange(part.start, part.stop) for part in map(_middle, runs)])
        known = past.rows.iloc[at]
        names, ours, theirs = [], [], []
        for name in shared(batch, past, subject, "numeric", "boolean", "categorical"):
            for now, before in _encoded(stretch[name], known[name], subject.kinds[name]):
                spread = float(np.nanstd(before)) if not np.isnan(before).all() else 0.0
                if spread > 0 and not np.isnan(now).all() and np.nanmin(now) < np.nanmax(now):
                    middle = float(np.nanmean(before))
                    names.append(name)
                    ours.append((now - middle) / spread)
                    theirs.append((before - middle) / spread)
        if not names:
            return None
        bounds = np.cumsum([0, *(part.stop - part.start for part in map(_middle, runs))])
        past_rows = _filled(theirs)
        return cls(
            tuple(names),
            _filled(ours),
            tuple(past_rows[a:b] for a, b in pairwise(bounds)),
        )

    def worst(self, distrusted: list[int]) -> tuple[int, float, float] | None:
        """Return the column that fell farthest from what it was tied to, its tie now and usually; None for none.

        Args:
            distrusted: Columns already named, with which nothing is foretold any more.
        """
        out = {self.names[c] for c in distrusted}
        columns = [c for c in range(len(self.names)) if self.names[c] not in out]
        if not columns:
            return None
        usual, now = self._ties(columns)
        z = np.arctanh(np.clip(usual, -0.999, 0.999))
        spread = np.maximum(z.std(axis=0, ddof=1), _LEAST_SPREAD)
        fall = (z.mean(axis=0) - np.arctanh(np.clip(now, -0.999, 0.999))) / spread
        typical, lowest = np.median(usual, axis=0), np.maximum(usual.min(axis=0), 0)
        rise, roughest = (values[columns] for values in self._rise)
        # A column that is also much rougher than any run of the past need not have fallen as far. A loose tie may
        # come undone as the world changes.
        undone = (
            (typical > np.where(roughest > _TIMES_ROUGHEST, _TIED_AND_ROUGH, _TIED))
            & (fall > np.where(roughest > _ROUGH, _REACH / 2, _REACH))
            & (
                np.maximum(now, 0) ** 2
                < np.where(roughest > _ROUGH, _LEFT_AND_ROUGH, _LEFT) * np.minimum(typical, lowest) ** 2
            )
        )
        if not undone.any():
            return None
        # Two columns that lean on each other fall together: the one that is rough itself is the broken one.
        which = int(np.argmax(np.where(undone, fall + np.maximum(rise, 0), -np.inf)))
        return columns[which], float(now[which]), float(typical[which])

    def rougher(self) -> dict[str, float]:
        """Return the columns that vary far more from row to row about their middle, and how many times the usual."""
        rise, roughest = self._rise
        now, usual = _roughness(self.batch), np.median([_roughness(run) for run in self.runs], axis=0)
        middle = np.abs(np.median(self.batch, axis=0))
        rough = (rise > _REACH) & (roughest > _TIMES_ROUGHEST) & (now > _TIMES_ROUGHER * usual)
        rough &= middle < np.maximum(_MIDDLE, now)
        return {self.names[c]: float(now[c] / usual[c]) for c in np.flatnonzero(rough)}

    @cached_property
    def _rise(self) -> tuple[Floats, Floats]:
        """Return how many deviations of the runs each column is rougher than usual, and how many times the roughest.

        Roughness is the upper quartile of each value's distance from the mean of its neighbours; columns that
        were smooth in some run, as most of few values are, count as no rougher.
        """
        now, before = _roughness(self.batch), np.array([_roughness(run) for run in self.runs])
        smooth = (before > 0).all(axis=0) & (now > 0)
        logs = np.log(np.where(smooth, before, 1.0))
        spread = np.maximum(logs.std(axis=0, ddof=1), _LEAST_SPREAD)
        rise = (np.log(np.where(smooth, now, 1.0)) - logs.mean(axis=0)) / spread
        return rise, np.where(smooth, now / np.where(smooth, before, 1.0).max(axis=0), 0.0)

    def _ties(self, columns: list[int]) -> tuple[Floats, Floats]:
        """Return the rank correlation of each column with what it is foretold to be: runs x columns, and now."""
        runs = [_with_neighbours(run[:, columns]) for run in self.runs]
        weights = _weights(np.concatenate(runs), len(columns))
        usual = np.array([_rank_correlation(run[:, : len(columns)], run @ weights) for run in runs])
        ours = _with_neighbours(self.batch[:, columns])
        return usual, _rank_correlation(ours[:, : len(columns)], ours @ weights)


def _middle(run: slice) -> slice:
    """Return at most 250 consecutive rows out of the middle of a run."""
    spare = max(0, run.stop - run.start - _MOST_ROWS) // 2
    return slice(run.start + spare, min(run.stop, run.start + spare + _MOST_ROWS))


def _encoded(now: pd.Series[Any], before: pd.Series[Any], kind: str) -> list[tuple[Floats, Floats]]:
    """Return a column as numbers; names as whether it is one of the three commonest."""
    if kind != "categorical":
        return [(numbers(now), numbers(before))]
    names = before.value_counts().index[:_MOST_NAMES]
    cells, known = now.to_numpy(dtype=object), before.to_numpy(dtype=object)
    gone, unknown = pd.isna(cells), pd.isna(known)
    return [
        (
            np.where(gone, np.nan, cells == name).astype(float),
            np.where(unknown, np.nan, known == name).astype(float),
        )
        for name in names
    ]


def _filled(rows: list[Floats]) -> Floats:
    """Return columns side by side, null cells filled with the value above them, the first with the one below."""
    return pd.DataFrame(np.column_stack(rows)).ffill().bfill().to_numpy()


def _with_neighbours(rows: Floats) -> Floats:
    """Return each row with the mean of the rows above and below it appended."""
    padded = np.pad(rows, ((1, 1), (0, 0)), mode="edge")
    return np.hstack([rows, (padded[:-2] + padded[2:]) / 2])


def _roughness(rows: Floats) -> Floats:
    """Return the upper quartile of each column's distances from the mean of both neighbours."""
    off = np.abs(rows[1:-1] - (rows[:-2] + rows[2:]) / 2)
    return np.quantile(off, _QUANTILE, axis=0)


def _weights(known: Floats, count: int) -> Floats:
    """Return for each of the first ``count`` columns the weights that foretell it from all the others.

    They stand in the inverse of the covariance matrix: minus its row over its diagonal.
    """
    spread = known.T @ known / len(known)
    inverse = np.linalg.inv(spread + _RIDGE * np.eye(len(spread)))
    weights: Floats = -inverse[:, :count] / np.diag(inverse)[:count]
    weights[np.arange(count), np.arange(count)] = 0.0
    return weights


def _rank_correlation(true: Floats, foretold: Floats) -> Floats:
    from scipy.stats import rankdata

    ranks, others = rankdata(true, axis=0), rankdata(foretold, axis=0)
    ranks, others = ranks - ranks.mean(axis=0), others - others.mean(axis=0)
    size = np.sqrt((ranks**2).sum(axis=0) * (others**2).sum(axis=0))
    both: npt.NDArray[np.float64] = (ranks * others).sum(axis=0)
    return np.where(size > 0, both / np.where(size > 0, size, 1.0), 0.0)

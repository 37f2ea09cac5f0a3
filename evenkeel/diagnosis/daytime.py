"""How columns go with the time of day: what tells a batch whose clock is wrong from one whose clock is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenkeel.diagnosis.rhythm import DAY, FARTHEST, HALF_HOUR, HOUR, seconds
from evenkeel.diagnosis.runs import Floats, numbers, sample, shared

if TYPE_CHECKING:
    import pandas as pd

    from evenkeel.diagnosis.past import Past, Subject

_BINS = 48
_SAMPLE = 300
_SAMPLE_OF_PAST = 6000
_CAP = 9.0
_LEAST_EXPLAINED = 0.1
_FEWEST_RUNS = 6
_LEAST_ALONE = 4 * HOUR
_TIMES_CHANCE = 5.0
_SHARE_OF_COST = 0.6

SHIFTS = np.arange(-12 * HOUR, FARTHEST + 1, HALF_HOUR)


class Daytime:
    """Each half hour's mean of every numeric column, and how many rows come in it."""

    def __init__(self, past: Past, subject: Subject, batch: pd.DataFrame) -> None:
        rows = sample(len(past.rows), _SAMPLE_OF_PAST)
        known = past.rows.iloc[rows]
        bins = _bin(seconds(known[subject.time]))
        self._time = subject.time
        self._density = _counts(bins) + 1.0
        self._columns: dict[str, tuple[Floats, float]] = {}
        for name in shared(batch, past, subject, "numeric", "boolean"):
            values = numbers(known[name])
            present = ~np.isnan(values) & (bins >= 0)
            if not present.any() or np.ptp(values[present]) == 0:
                continue
            totals = np.bincount(bins[present], values[present], _BINS)
            counts = np.bincount(bins[present], minlength=_BINS)
            means = np.where(counts > 0, totals / np.maximum(counts, 1), values[present].mean())
            rest = values[present] - means[bins[present]]
            spread = float(rest.std())
            if 1 - spread**2 / float(values[present].var()) >= _LEAST_EXPLAINED:
                self._columns[name] = (means, max(spread, 1e-3 * float(np.ptp(values[present]))))

    def misfit(self, rows: pd.DataFrame, shifts: Floats) -> Floats:
        """Return for each shift how badly the rows go with the time of day if it is taken back.

        The mean squared deviation of each column from its half hour's mean, in deviations of the past and
        without the batch's own level, and the surprise at when rows come.
        """
        some = rows.iloc[sample(len(rows), _SAMPLE)]
        bins = _bin(seconds(some[self._time]))
        known = bins >= 0
        if not known.any():
            return np.zeros(len(shifts))
        back = (bins[known] - (shifts[:, None] // HALF_HOUR).astype(np.intp)) % _BINS
        found = -2 * np.log(self._density / self._density.sum())[back].mean(axis=1)
        for name in [c for c in self._columns if c in some.columns]:
            means, spread = self._columns[name]
            column = numbers(some[name])[known]
            present = ~np.isnan(column)
            if present.any():
                off = column[present] - means[back[:, present]]
                off = (off - np.median(off, axis=1, keepdims=True)) / spread
                found += np.minimum(off**2, _CAP).mean(axis=1)
        return np.asarray(found)

    def verdict(self, batch: pd.DataFrame, past: Past, shift: float) -> int:
        """Say whether the columns speak for a shift (1), against it (-1) or neither (0).

        They speak for it where taking it back mends the batch, while it would spoil every good batch.
        """
        both = np.array([0.0, shift])
        gains = [-float(np.diff(self.misfit(run, both))[0]) for run in past.recent[-20:] if self._time in run]
        gain = -float(np.diff(self.misfit(batch, both))[0])
        if len(gains) < _FEWEST_RUNS or max(gains) > 0:
            return 0
        usual = float(np.median(gains))
        return 1 if gain > -usual / 4 else -1 if gain < usual / 4 else 0

    def best(self, batch: pd.DataFrame, past: Past) -> float:
        """Return the shift that the columns alone are sure of; 0 for none."""
        ours = self.misfit(batch, SHIFTS)
        usual = np.array([self.misfit(run, SHIFTS) for run in past.recent[-12:] if self._time in run])
        if len(usual) < _FEWEST_RUNS:
            return 0.0
        none = int(np.flatnonzero(SHIFTS == 0)[0])
        gain = ours[none] - ours.min()
        found = int(ours.argmin())
        # Shifting a good batch as far must cost as much as taking it back from this one gains.
        cost = float(np.median(usual[:, found] - usual[:, none]))
        by_chance = float((usual[:, none] - usual.min(axis=1)).max())
        sure = abs(SHIFTS[found]) >= _LEAST_ALONE and gain > max(
            _TIMES_CHANCE * by_chance, _SHARE_OF_COST * cost
        )
        return float(SHIFTS[found]) if sure and cost > 0 else 0.0


def _bin(times: Floats) -> np.ndarray:
    """Return the half hour of the day of each time; -1 for none."""
    return np.where(np.isnan(times), -1, np.nan_to_num(times % DAY // HALF_HOUR)).astype(np.intp)


def _counts(bins: np.ndarray) -> Floats:
    return np.bincount(bins[bins >= 0], minlength=_BINS).astype(np.float64)

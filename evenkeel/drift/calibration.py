"""Drift thresholds learned from the reference itself: how far its own windows lie from the rest of it.

Textbook p-values assume independent rows. The rows of a batch are not: a day of half hours is one day's
weather. So contiguous windows of the reference, as long as a batch, play the undrifted batches, each compared
with the rest of the reference. What they show by chance sets the thresholds, see :mod:`evenkeel.drift.tail`.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from evenkeel.drift.distance import MEASURED_KINDS, Distance, load_distances, values_of
from evenkeel.drift.sampling import Draw, generator
from evenkeel.drift.tail import Floats, critical_value, standardise
from evenkeel.errors import ModelUnusable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenkeel.settings.quality import Drift

LEAST_THRESHOLD = 0.1
"""Evidently's own default for both distances: what lies nearer is no drift worth a name, however sure."""

_DISJOINT = 12
_WINDOWS = 80
_WINDOWS_OF_HALVES = 40
_FEWEST_ROWS = 5


@dataclass(frozen=True)
class Level:
    """What windows of one length show by chance.

    Attributes:
        rows: Rows of a window.
        disjoint: How many fit side by side into the reference.
        center: Column -> mean distance.
        spread: Column -> standard deviation of the distance.
        peaks: Each window's largest standardised distance, ascending.
    """

    rows: int
    disjoint: int
    center: dict[str, float]
    spread: dict[str, float]
    peaks: tuple[float, ...]

    def thresholds(self, false_alarm: float) -> dict[str, float]:
        """Return for each column the distance beyond which it has drifted.

        An undrifted batch of ``rows`` rows exceeds any of them with probability ``false_alarm``.
        """
        reach = critical_value(np.asarray(self.peaks), false_alarm, disjoint=self.disjoint)
        return {c: max(LEAST_THRESHOLD, self.center[c] + reach * self.spread[c]) for c in self.center}


@dataclass(frozen=True)
class Calibration:
    """The drift thresholds of one reference, for any false-alarm rate and any size of batch.

    Attributes:
        kinds: Measured column -> kind: numeric, categorical, boolean.
        present: Column -> share of its cells in the reference that hold a value.
        levels: Window lengths, ascending; empty where the reference was too short for any.
        sample: Rows looked at, at most, of a window and of the rest.
        batch_rows: Rows of a batch, as asked for.
        reference_rows: Rows of the reference.
    """

    kinds: dict[str, str]
    present: dict[str, float]
    levels: tuple[Level, ...]
    sample: int
    batch_rows: int
    reference_rows: int

    def thresholds(self, false_alarm: float, rows: Mapping[str, float]) -> dict[str, float]:
        """Return each column's threshold for a batch that holds ``rows[column]`` rows of it.

        Between two window lengths the threshold is interpolated, linear in logarithms. Below the shortest it
        grows with the square root of the shortfall, the rate of both distances for independent rows; above
        the longest it stays, for correlated rows need not get nearer.
        """
        if not self.levels:
            return {}
        lengths = np.log([level.rows for level in self.levels])
        by_level = [level.thresholds(false_alarm) for level in self.levels]
        found = {}
        for column in rows:
            if not all(column in thresholds for thresholds in by_level):
                continue
            length = math.log(rows[column])
            known = np.log([thresholds[column] for thresholds in by_level])
            found[column] = math.exp(np.interp(length, lengths, known) + max(0.0, lengths[0] - length) / 2)
        return found

    def describe(self, false_alarm: float) -> str:
        """Say for a person how the thresholds were set."""
        if not self.levels:
            return f"no thresholds: a reference of {self.reference_rows} rows is too short to learn them from"
        longest = self.levels[-1]
        text = (
            f"thresholds from {len(longest.peaks)} windows of {longest.rows} rows of the reference;"
            f" {false_alarm:.2%} of undrifted batches may alarm"
        )
        if longest.rows < self.batch_rows:
            text += (
                f"; the reference ({self.reference_rows} rows) is short for batches of {self.batch_rows}:"
                " its shorter windows vary more, which makes the thresholds wide"
            )
        return text

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form, a few kilobytes for 20 columns."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` wrote.

        Raises:
            ModelUnusable: The document is not a calibration.
        """
        try:
            levels = tuple(Level(**{**level, "peaks": tuple(level["peaks"])}) for level in document["levels"])
            return cls(**{**document, "levels": levels})
        except (KeyError, TypeError) as error:
            raise ModelUnusable(
                f"drift calibration of the model is not readable: {error}", cause="model.artifact_corrupt"
            ) from error


def calibrate(
    reference: pd.DataFrame, kinds: Mapping[str, str], config: Drift, *, batch_rows: int, seed: int
) -> Calibration:
    """Learn from the reference how far undrifted batches lie from it.

    Windows are as long as a batch, and half of that for batches that lost rows to quarantine. Where fewer
    than 12 windows fit side by side, they are shortened until 12 do: shorter windows lie further off, so
    the thresholds get wider, never narrower.

    Args:
        reference: Rows in time order, consecutive (not thinned); columns that ``kinds`` does not call
            numeric, categorical or boolean are left out.
        kinds: Column -> kind.
        config: The policy.
        batch_rows: Rows of a usual batch.
        seed: Of the sampling.

    Returns:
        The calibration; without levels where the reference is shorter than 60 rows.
    """
    measured = {str(c): kinds[c] for c in reference.columns if kinds.get(c) in MEASURED_KINDS}
    columns = {column: _encoded(reference[column], kind) for column, kind in measured.items()}
    present = {column: float(np.mean(_filled(values))) for column, values in columns.items() if len(values)}
    usual = min(max(batch_rows, config.min_rows), len(reference) // _DISJOINT)
    levels: list[Level] = []
    if usual >= _FEWEST_ROWS and columns:
        distances = load_distances()
        rng = generator(seed, Draw.CALIBRATION)
        shortest = min(usual, config.min_rows)
        for rows in sorted({r for r in (usual // 2, usual) if r >= shortest}):
            most = _WINDOWS if rows == usual else _WINDOWS_OF_HALVES
            windows = _windows(
                columns, measured, distances, rows=rows, most=most, sample=config.sample, rng=rng
            )
            levels.append(_level(tuple(columns), windows, rows=rows, disjoint=len(reference) // rows))
    return Calibration(
        kinds=measured,
        present=present,
        levels=tuple(level for level in levels if level.center),
        sample=config.sample,
        batch_rows=batch_rows,
        reference_rows=len(reference),
    )


def _encoded(column: pd.Series[Any], kind: str) -> npt.NDArray[Any]:
    """Return numbers with NaN for null, or category codes with -1: equal distances, faster to compute."""
    if kind == "numeric":
        numbers = column.to_numpy(dtype="float64", na_value=np.nan)
        return np.where(np.isfinite(numbers), numbers, np.nan)
    codes = np.full(len(column), -1, dtype=np.int64)
    codes[column.notna().to_numpy()] = pd.factorize(values_of(column, kind))[0]
    return codes


def _filled(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return ~np.isnan(values) if values.dtype.kind == "f" else values >= 0


def _windows(
    columns: Mapping[str, npt.NDArray[Any]],
    kinds: Mapping[str, str],
    distances: Mapping[str, Distance],
    *,
    rows: int,
    most: int,
    sample: int,
    rng: np.random.Generator,
) -> Floats:
    """Return every window's distances from the rest, windows x columns; overlaps are half at most."""
    total = len(next(iter(columns.values())))
    count = min(most, 2 * total // rows - 1)
    starts = np.linspace(0, total - rows, count).astype(np.int64)
    found = np.full((count, len(columns)), np.nan)
    for i, start in enumerate(starts):
        # Positions of the rest are drawn from a reference with the window cut out, then shifted past it.
        rest = rng.choice(total - rows, min(sample, total - rows), replace=False, shuffle=False)
        rest = rest + np.where(rest >= start, rows, 0)
        window = start + rng.choice(rows, min(sample, rows), replace=False, shuffle=False)
        for j, (column, values) in enumerate(columns.items()):
            ours, theirs = values[window], values[rest]
            ours, theirs = ours[_filled(ours)], theirs[_filled(theirs)]
            if len(ours) and len(theirs):
                found[i, j] = distances[kinds[column]](theirs, ours)
    return found


def _level(columns: tuple[str, ...], windows: Floats, *, rows: int, disjoint: int) -> Level:
    center, spread, peaks = standardise(windows)
    known = [j for j in range(len(columns)) if math.isfinite(center[j])]
    return Level(
        rows=rows,
        disjoint=disjoint,
        center={columns[j]: float(center[j]) for j in known},
        spread={columns[j]: float(spread[j]) for j in known},
        peaks=tuple(float(p) for p in np.sort(peaks)),
    )

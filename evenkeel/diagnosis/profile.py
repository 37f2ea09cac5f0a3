"""What the past says of single values and of what goes with what: densities and a Gaussian copula.

A row is as likely as its values are in their columns, times how well they go together. The second part is a
Gaussian copula (Nelsen, *An Introduction to Copulas*, Springer 2006) over the normal scores of the numbers, one
number for each category, and the time of day and of the week: crude, but of one closed form, so that a
hypothesis about one column costs a few products per row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from evenkeel.diagnosis.density import Floats, NameDensity, NumberDensity
from evenkeel.diagnosis.runs import cut, numbers, sample, shared
from evenkeel.diagnosis.usual import row_traits

if TYPE_CHECKING:
    from collections.abc import Hashable

    from evenkeel.diagnosis.past import Past, Subject

WINDOW_ROWS = 160
_WINDOWS = 30
_MOST_NAMES = 40
_SHRINKAGE = 0.02
_DAY, _WEEK = 86_400.0, 604_800.0
_COVERED = 0.9
_DEAD = 1e-6
_FEWEST_WINDOWS = 2

Codes = npt.NDArray[np.intp]
Density = NumberDensity | NameDensity


@dataclass(frozen=True)
class Sample:
    """Rows as the profile sees them.

    Attributes:
        rows: Positions in the frame they were taken from, ascending.
        values: Column -> numbers (NaN for null), or codes of names (-1 null, -2 never seen).
        scores: Rows x columns of the copula.
        pull: ``scores @ precision``.
    """

    rows: Codes
    values: dict[str, npt.NDArray[Any]]
    scores: Floats
    pull: Floats

    def thinned(self, most: int) -> Sample:
        """Return at most so many of the rows."""
        at = sample(len(self.rows), most)
        return Sample(
            self.rows[at], {c: v[at] for c, v in self.values.items()}, self.scores[at], self.pull[at]
        )


@dataclass(frozen=True)
class Profile:
    """The past, learned.

    Attributes:
        densities: Column -> its distribution; columns that never vary or have too many names are left out.
        order: Position of each column in the copula; the rhythms stand behind them.
        precision: Inverse of the correlation matrix of the scores.
        past: Rows of the past, those of one run of it side by side.
        runs: Where each run lies in ``past``, oldest first.
        time: The time column.
    """

    densities: dict[str, Density]
    order: dict[str, int]
    precision: Floats
    past: Sample
    runs: tuple[slice, ...]
    time: str

    @property
    def numeric(self) -> list[str]:
        """The numeric columns."""
        return [c for c, d in self.densities.items() if isinstance(d, NumberDensity)]

    @property
    def nominal(self) -> list[str]:
        """The categorical and boolean columns."""
        return [c for c, d in self.densities.items() if isinstance(d, NameDensity)]

    @cached_property
    def past_traits(self) -> dict[str, Floats]:
        """Row traits of the past by column, see :func:`evenkeel.diagnosis.usual.row_traits`."""
        return {column: row_traits(self, self.past, column) for column in self.densities}

    @cached_property
    def inflation(self) -> dict[str, float]:
        """How many rows are worth one, by column: the rows of a run are alike."""
        lengths = float(np.mean([run.stop - run.start for run in self.runs]))
        found = {}
        for column, (likely, *_) in self.past_traits.items():
            independent = float(np.var(likely)) / lengths
            between = float(np.var([likely[run].mean() for run in self.runs]))
            found[column] = float(np.clip(between / independent, 1.0, lengths)) if independent else 1.0
        return found

    def look(self, frame: pd.DataFrame, rows: Codes) -> Sample:
        """Return some rows of a typed frame as the profile sees them."""
        values: dict[str, npt.NDArray[Any]] = {}
        scores = np.zeros((len(rows), len(self.precision)))
        for column, density in self.densities.items():
            if column in frame.columns:
                cells = frame[column].iloc[rows]
                values[column] = (
                    encode(cells, density.names) if isinstance(density, NameDensity) else numbers(cells)
                )
                scores[:, self.order[column]] = density.score(values[column])
        if len(self.precision) > len(self.order):
            scores[:, len(self.order) :] = _rhythms(frame, rows, self.time)
        return Sample(rows, values, scores, scores @ self.precision)

    def replaced(self, look: Sample, values: dict[str, npt.NDArray[Any]]) -> Sample:
        """Return the same rows with other values in some columns."""
        scores = look.scores.copy()
        for column, cells in values.items():
            scores[:, self.order[column]] = self.densities[column].score(cells)
        return Sample(look.rows, {**look.values, **values}, scores, scores @ self.precision)


def learn(past: Past, subject: Subject, rows: int) -> Profile | None:
    """Learn the past for batches of ``rows`` rows; None where there is too little of it.

    Looks at 30 runs of the past at the most, the newest, and at some 5,000 rows of them, once.
    """
    key = (rows, subject.features)
    if key not in past.learned:
        past.learned[key] = _learned(past, subject, rows)
    return past.learned[key]


def _learned(past: Past, subject: Subject, rows: int) -> Profile | None:
    cuts = cut(past, rows)[-_WINDOWS:]
    if len(cuts) < _FEWEST_WINDOWS:
        return None
    picks = [piece.start + sample(piece.stop - piece.start, WINDOW_ROWS) for piece in cuts]
    ends = np.cumsum([len(p) for p in picks])
    runs = tuple(slice(int(e - len(p)), int(e)) for e, p in zip(ends, picks, strict=True))
    frame = past.rows.iloc[np.concatenate(picks)]
    densities: dict[str, Density] = {}
    values: dict[str, npt.NDArray[Any]] = {}
    for name in shared(frame, past, subject, "numeric", "categorical", "boolean"):
        if subject.kinds[name] == "numeric":
            values[name] = numbers(frame[name])
            density: Density | None = NumberDensity.of(values[name])
        else:
            values[name], density = _names(frame[name])
        if density is not None:
            densities[name] = density
    if not densities:
        return None
    everything = np.arange(len(frame))
    numeric = {c: d.score(values[c]) for c, d in densities.items() if isinstance(d, NumberDensity)}
    rhythms = _rhythms(frame, everything, subject.time)
    densities |= _scored(densities, values, np.column_stack([*numeric.values(), rhythms]))
    scores = np.column_stack(
        [numeric[c] if c in numeric else d.score(values[c]) for c, d in densities.items()] + [rhythms]
    )
    precision = _precision(scores)
    return Profile(
        densities=densities,
        order={name: at for at, name in enumerate(densities)},
        precision=precision,
        past=Sample(everything, values, scores, scores @ precision),
        runs=runs,
        time=subject.time,
    )


def encode(cells: pd.Series[Any], names: dict[Hashable, int]) -> Codes:
    """Return the code of each cell's name: -1 for null, -2 for a name that is not among ``names``."""
    own, found = pd.factorize(cells.astype(object).to_numpy())
    table = np.array([names.get(name, -2) for name in found] + [-1], dtype=np.intp)
    return table[own]


def _names(cells: pd.Series[Any]) -> tuple[Codes, NameDensity | None]:
    """Return a column's codes by falling share, and the names it has; None where they tell nothing."""
    own, found = pd.factorize(cells.astype(object).to_numpy())
    counts = np.bincount(own[own >= 0], minlength=len(found))
    kept = np.argsort(-counts, kind="stable")[:_MOST_NAMES]
    kept = kept[counts[kept] > 0]
    if len(kept) < 2 or counts[kept].sum() < _COVERED * counts.sum():  # noqa: PLR2004 - one name tells nothing
        return own, None
    table = np.full(len(found) + 1, -2, dtype=np.intp)
    table[kept], table[-1] = np.arange(len(kept)), -1
    names = {found[old]: code for code, old in enumerate(kept)}
    return table[own], NameDensity(names, counts[kept] / counts.sum(), np.zeros(len(kept)))


def _rhythms(frame: pd.DataFrame, rows: Codes, time: str) -> Floats:
    """Return two waves of the day and one of the week at each row's time; 0 where it is null or has none."""
    if time not in frame.columns or frame[time].dtype.kind != "M":
        return np.zeros((len(rows), 6))
    times = frame[time].iloc[rows]
    known = times.notna().to_numpy()
    seconds = times.to_numpy(dtype="datetime64[ns]").astype(np.int64) / 1e9
    angles = 2 * np.pi * np.outer(np.where(known, seconds, 0), [1 / _DAY, 2 / _DAY, 1 / _WEEK])
    waves = np.hstack([np.sin(angles), np.cos(angles)]) * np.sqrt(2)
    return np.where(known[:, None], waves, 0.0)


def _scored(
    densities: dict[str, Density], values: dict[str, npt.NDArray[Any]], company: Floats
) -> dict[str, Density]:
    """Give each name its score: the first direction in which the names' company differs.

    Company are the other columns' scores and names; the direction is that of a correspondence analysis
    (Greenacre, *Theory and Applications of Correspondence Analysis*, Academic Press 1984).
    """
    nominal = {c: d for c, d in densities.items() if isinstance(d, NameDensity)}
    if not nominal:
        return {}
    flags = [values[c][:, None] == np.arange(len(d.masses)) for c, d in nominal.items()]
    owner = np.repeat(np.arange(-1, len(nominal)), [company.shape[1], *(f.shape[1] for f in flags)])
    everything = np.hstack([company, *flags]).astype(np.float32)
    everything -= everything.mean(axis=0)
    spread = everything.std(axis=0)
    together = np.hstack(flags).T.astype(np.float32) @ (everything / np.where(spread > 0, spread, 1))
    found: dict[str, Density] = {}
    for number, (column, density) in enumerate(nominal.items()):
        share = density.masses
        means = together[owner[company.shape[1] :] == number][:, owner != number] / np.sqrt(share)[:, None]
        points = np.linalg.svd(means, full_matrices=False)[0][:, 0] / np.sqrt(share)
        points = points - share @ points
        width = float(np.sqrt(share @ points**2)) or 1.0
        found[column] = replace(density, scores=points / width)
    return found


def _precision(scores: Floats) -> Floats:
    alive = scores.std(axis=0) > _DEAD
    precision = np.eye(scores.shape[1])
    if alive.sum() > 1:
        correlation = (1 - _SHRINKAGE) * np.atleast_2d(np.corrcoef(scores[:, alive], rowvar=False))
        correlation[np.diag_indices_from(correlation)] = 1
        precision[np.ix_(alive, alive)] = np.linalg.inv(correlation)
    return precision

"""Which way of filling gaps brings back cells best, measured by masking cells that are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evenkeel.quality.imputers import joint_imputer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from evenkeel.profiling.column import Column

_EARLIER = 0.7  # share of the history that is learned from; the rest is filled
_ROWS = 1_500
_MASKED = 0.1
_WORTH = 0.1  # a strategy that is less than this much better than the plain one is not worth its while
_FEWEST = 10
_AGO = (1, 5, 10)  # rows since the last known value: a gap is seldom alone


@dataclass(frozen=True)
class Filling:
    """How gaps of a column are filled.

    Attributes:
        strategy: As the configuration says it.
        plain: Strategy that it was compared with: ``median`` or ``most_frequent``.
        gain: By how much of the plain one's error it is better, 0 to 1; 0 for the plain one itself.
    """

    strategy: str
    plain: str
    gain: float


def choose_fillings(
    columns: Mapping[str, Column], features: Sequence[str], order: npt.NDArray[np.intp], seed: int = 0
) -> dict[str, Filling]:
    """Mask a tenth of the known cells of the later rows, fill them from the earlier ones, and compare.

    Numbers are judged by the mean absolute error, other values by the share of wrong ones.

    Args:
        columns: Name -> column.
        features: Columns to choose for.
        order: Positions of the n rows in time order.
        seed: Of the choice of cells.
    """
    frame = pd.DataFrame({c: columns[c].values for c in features}).iloc[order].reset_index(drop=True)
    cut = int(len(frame) * _EARLIER)
    earlier, later = frame.iloc[:cut], frame.iloc[cut:].reset_index(drop=True)
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(len(later), min(_ROWS, len(later)), replace=False))
    hidden = rng.random((len(rows), len(features))) < _MASKED
    numeric = [c for c in features if columns[c].kind == "numeric" and earlier[c].notna().any()]
    near = _by_neighbours(
        earlier[numeric], later[numeric].iloc[rows], hidden[:, _at(features, numeric)], seed
    )
    fillings = {}
    for i, name in enumerate(features):
        cells = np.flatnonzero(hidden[:, i] & later[name].iloc[rows].notna().to_numpy())
        guesses = {"last_known_good": [_carried(earlier[name], later[name], rows[cells] - n) for n in _AGO]}
        if name in numeric:
            guesses["knn"] = [pd.Series(near[cells, numeric.index(name)])]
        truth = later[name].iloc[rows[cells]]
        fillings[name] = _best(earlier[name], truth, guesses, numeric=columns[name].kind == "numeric")
    return fillings


def _at(features: Sequence[str], chosen: Sequence[str]) -> list[int]:
    return [list(features).index(c) for c in chosen]


def _by_neighbours(
    earlier: pd.DataFrame, later: pd.DataFrame, hidden: npt.NDArray[np.bool_], seed: int
) -> npt.NDArray[np.float64]:
    """Return the later numbers with the hidden ones filled as a champion's own imputer would."""
    if earlier.shape[1] < 2 or earlier.empty or later.empty:  # noqa: PLR2004 - there is nothing to be near in
        return np.full(later.shape, np.nan)
    part = joint_imputer("knn", earlier, seed)
    given = later.to_numpy(dtype=np.float64, copy=True)
    given[hidden] = np.nan
    filled = part["imputer"].transform(part["scaler"].transform(given))
    answer: npt.NDArray[np.float64] = part["scaler"].inverse_transform(filled)
    return answer


def _carried(earlier: pd.Series[Any], later: pd.Series[Any], newest: npt.NDArray[np.intp]) -> pd.Series[Any]:
    """Return the last value known at each of the positions ``newest``, some of which may be before the first."""
    both = pd.concat([earlier, later], ignore_index=True)
    known = np.maximum.accumulate(np.where(both.notna().to_numpy(), np.arange(len(both)), -1))
    source = known[np.maximum(newest + len(earlier), 0)]
    values: pd.Series[Any] = both.iloc[np.maximum(source, 0)]
    return values


def _best(
    earlier: pd.Series[Any],
    truth: pd.Series[Any],
    guesses: Mapping[str, Sequence[pd.Series[Any]]],
    *,
    numeric: bool,
) -> Filling:
    plain = "median" if numeric else "most_frequent"
    known = earlier.dropna()
    if len(truth) < _FEWEST or known.empty:
        return Filling(plain, plain, 0.0)
    usual = known.median() if numeric else known.value_counts().index[0]
    least = _error(truth, pd.Series([usual] * len(truth)), numeric=numeric)
    errors = {s: float(np.mean([_error(truth, g, numeric=numeric) for g in gs])) for s, gs in guesses.items()}
    errors = {s: e for s, e in errors.items() if np.isfinite(e)}
    if not errors or least == 0:
        return Filling(plain, plain, 0.0)
    best = min(errors, key=lambda s: errors[s])
    gain = 1 - errors[best] / least
    return Filling(best, plain, gain) if gain >= _WORTH else Filling(plain, plain, 0.0)


def _error(truth: pd.Series[Any], guess: pd.Series[Any], *, numeric: bool) -> float:
    if numeric:
        return float(np.abs(truth.to_numpy(dtype=np.float64) - guess.to_numpy(dtype=np.float64)).mean())
    return float((truth.to_numpy(dtype=object) != guess.to_numpy(dtype=object)).mean())

"""Values that stand for nothing, as -999: told by their name, how often they come and how rarely they did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from evenkeel.diagnosis.runs import Floats, cut, numbers, sample, shared
from evenkeel.domain.diagnosis import Fault

if TYPE_CHECKING:
    from evenkeel.diagnosis.past import Past, Subject

Mask = npt.NDArray[np.bool_]

_NINES = tuple(int("9" * digits) for digits in range(1, 12))
_BOUNDS = (-128, 255, -32768, 32767, 65535, -2147483648, 2147483647, 4294967295, -1e20, 1e20, -1e30, 1e30)
_NUMBERS = np.array(
    [0, -1, -888, -8888, -7777, -9998, *_NINES, *(-nines for nines in _NINES), *_BOUNDS], dtype=np.float64
)
_NAMES = frozenset(
    {
        "null",
        "none",
        "nil",
        "na",
        "n/a",
        "#n/a",
        "nan",
        "<na>",
        "missing",
        "unknown",
        "undefined",
        "?",
        "-",
        "--",
    }
    | {"", ".", "not available", "not applicable", "no data", "-1", "-9", "-99", "-999", "-9999", "99", "999"}
    | {"9999", "99999", "xxx", "tbd", "error", "#value!", "#ref!", "#err"}
)
_NEVER = ("1900-01-01", "1970-01-01", "1899-12-30", "1899-12-31", "1904-01-01", "1753-01-01", "1980-01-01")

_BULK = (0.005, 0.995)
_FAR = 1.0
_VERY_FAR = 5.0
_LONG = 99
_CHANCE = 1e-5
_TIMES_USUAL = 5.0
_OFTEN = 0.05
_OFTEN_FOR_A_KNOWN_NAME = 0.25
_FEWEST = 5
_NEARLY_ALL = 0.9
_SCATTERED = 0.4
_CONTINUOUS = 0.2
_ALONE = 0.3
_SAMPLE = 2000
_LONG_AGO = pd.Timedelta(days=5 * 365)


def detect(batch: pd.DataFrame, past: Past, subject: Subject) -> list[Fault]:
    """Find well-known sentinels that come far more often than they ever did.

    Numbers must be of the well-known ones and either lie far outside the bulk of the past, or, inside it,
    come scattered over the rows in a column whose values hardly ever repeat. A sentinel that the past
    always had is no fault.

    Returns:
        One fault for each column and value, its rows those with the value.
    """
    found: list[Fault] = []
    runs = cut(past, len(batch))
    for name in shared(batch, past, subject, "numeric"):
        found += _among_numbers(name, numbers(batch[name]), numbers(past.rows[name]), runs)
    for name in shared(batch, past, subject, "categorical", "text"):
        found += _among_names(name, batch[name], past.rows[name], runs)
    times = {subject.time, *shared(batch, past, subject, "time")}
    for name in sorted(times & set(batch.columns) & set(past.rows.columns)):
        found += _among_times(name, batch[name], past.rows[name])
    return found


def _among_numbers(name: str, values: Floats, before: Floats, runs: list[slice]) -> list[Fault]:
    known = before[~np.isnan(before)]
    if not len(known) or known.min() == known.max() or np.isnan(values).all():
        return []
    low, high = np.quantile(known, _BULK)
    width = float(high - low) or float(known.max() - known.min())
    found = []
    for value in _candidates(values, low, high):
        hit = values == value
        seen = before == value
        far = float(max(low - value, value - high)) / width
        if _too_many(hit, seen, runs):
            impossible = abs(value) >= _LONG and value < 0 <= known.min()
            certain = (far >= _FAR or impossible) and _alone(value, values, known)
            if not certain and not _stands_out(hit, values, known, value):
                continue
        # One cell is enough where nothing but a sentinel can be so far from everything.
        elif far < _VERY_FAR or abs(value) < _LONG or seen.any() or not _alone(value, values, known):
            continue
        found.append(_fault(name, hit, seen, float(value), confidence=0.97 if far >= _FAR else 0.85))
    return found


def _candidates(values: Floats, low: float, high: float) -> Floats:
    """Return the sentinels that may be in the column: all outside the bulk, inside it the commonest value."""
    outside = np.unique(values[(values < low) | (values > high)][: 10 * _SAMPLE])
    some = values[sample(len(values), _SAMPLE)]
    distinct, counts = np.unique(some[~np.isnan(some)], return_counts=True)
    commonest = distinct[counts >= max(_FEWEST, _OFTEN / 2 * len(some))]
    return np.intersect1d(np.union1d(outside, commonest), _NUMBERS)


def _too_many(hit: Mask, seen: Mask, runs: list[slice]) -> bool:
    """Tell whether a value comes more often than chance or habit allow."""
    from scipy.stats import binom

    share = min((int(seen.sum()) + 3) / (len(seen) + 3), 1.0)
    usual = max((float(seen[run].mean()) for run in runs), default=0.0)
    if hit.mean() <= _TIMES_USUAL * usual:
        return False
    return bool(binom.sf(int(hit.sum()) - 1, len(hit), share) < _CHANCE)


def _alone(value: float, values: Floats, known: Floats) -> bool:
    """Tell whether a value is a good part of all that lies on its side of the past: no new world is there."""
    beyond = (values < known.min()) if value < known.min() else (values > known.max())
    return bool(np.sum(values == value) >= _ALONE * beyond.sum())


def _stands_out(hit: Mask, values: Floats, known: Floats, value: float) -> bool:
    """Tell whether a value near the past is a sentinel all the same: frequent now, scattered, unlike the rest."""
    rows = np.flatnonzero(hit)
    # A column that is nothing else stands still: that is another fault.
    if not max(_FEWEST, _OFTEN * len(values)) <= len(rows) < _NEARLY_ALL * len(values):
        return False
    expected = len(rows) * (1 - len(rows) / len(values)) + 1
    if 1 + int(np.sum(np.diff(rows) > 1)) < _SCATTERED * expected:
        return False
    some = known[sample(len(known), _SAMPLE)]
    continuous = len(np.unique(some)) > _CONTINUOUS * len(some)
    new = abs(value) >= _LONG and not bool(np.any(known == value))
    outside = value < known.min() or value > known.max()
    return continuous or new or (outside and _alone(value, values, known))


def _among_names(name: str, column: pd.Series[Any], before: pd.Series[Any], runs: list[slice]) -> list[Fault]:
    cells = column.to_numpy(dtype=object)
    found = []
    for value in pd.unique(cells):
        if not isinstance(value, str) or value.strip().lower() not in _NAMES:
            continue
        hit, seen = cells == value, (before == value).to_numpy()
        # A name that the past knows may be a category like any other, and come and go with the world.
        if seen.any() and hit.mean() < _OFTEN_FOR_A_KNOWN_NAME:
            continue
        if _too_many(hit, seen, runs):
            found.append(_fault(name, hit, seen, value, confidence=0.95))
    return found


def _among_times(name: str, column: pd.Series[Any], before: pd.Series[Any]) -> list[Fault]:
    earliest = before.min()
    found = []
    for text in _NEVER:
        value = pd.Timestamp(text, tz="UTC")
        if pd.isna(earliest) or value > earliest - _LONG_AGO:
            continue
        hit, seen = (column == value).to_numpy(), (before == value).to_numpy()
        if hit.any():
            found.append(_fault(name, hit, seen, text, confidence=0.97))
    return found


def _fault(name: str, hit: Mask, seen: Mask, value: float | str, *, confidence: float) -> Fault:
    said = f"{value:.12g}" if isinstance(value, float) else repr(value)
    return Fault(
        cause="data.sentinel_values",
        columns=(name,),
        confidence=confidence,
        transform=f"null->{said}",
        rows=np.flatnonzero(hit),
        evidence={
            "value": value,
            "share": round(float(hit.mean()), 4),
            "usual": round(float(seen.mean()), 4),
        },
    )

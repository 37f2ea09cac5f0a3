"""Which parts of the calendar tell something about the target, and which answer is best without a model."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from evenkeel.learning.features import calendar_part
from evenkeel.learning.heuristic import fit_heuristic
from evenkeel.settings.pipeline import Calendar, Features, Heuristic, Ladder, Pipeline
from evenkeel.settings.pipeline import Target as TargetSettings

if TYPE_CHECKING:
    import numpy.typing as npt

    from evenkeel.profiling.target import Target

_PARTS: tuple[Calendar, ...] = ("half_hour", "hour", "weekday", "weekend", "day", "month")
_SEASONS: tuple[tuple[Calendar, ...], ...] = (
    ("hour",), ("half_hour",), ("weekday",), ("weekday", "hour"), ("month",), ("month", "hour"),
)  # fmt: skip
_BLOCKS = 20
_FOLDS = 5
_TELLS = 0.003  # share of the target's variance from which on a part of the calendar is worth a column
_STEADY = 0.8  # share of the stretches in which it must be better: once or twice is chance
_BETTER = 0.05  # how much fewer errors make a heuristic worth its name


@dataclass(frozen=True)
class Seasons:
    """What repeats.

    Attributes:
        calendar: Parts of the row's time worth seeing -> share of the target's variance that each tells.
        kind: The best heuristic.
        season: Its season, where it is seasonal.
        gain: How much fewer errors it makes than the prior, 0 to 1.
    """

    calendar: dict[Calendar, float]
    kind: Literal["prior", "last", "seasonal"]
    season: tuple[Calendar, ...]
    gain: float


def study_seasons(times: pd.Series[Any] | None, target: Target, order: npt.NDArray[np.intp]) -> Seasons:
    """Measure what the calendar tells.

    Args:
        times: n times, UTC; None where rows have none of their own.
        target: The target, n rows.
        order: Positions of the rows in time order.
    """
    known = order[target.known[order]]
    labels = target.values.iloc[known].reset_index(drop=True)
    clock = None if times is None else times.iloc[known].reset_index(drop=True)
    calendar = {} if clock is None else _calendar(pd.DatetimeIndex(clock), _codes(target, labels))
    kind, season, gain = _heuristic(clock, labels, target, calendar)
    return Seasons(calendar, kind, season, gain)


def _codes(target: Target, labels: pd.Series[Any]) -> npt.NDArray[np.float64]:
    if target.classes:
        return np.eye(len(target.classes))[pd.Index(target.classes).get_indexer(pd.Index(labels))]
    return labels.to_numpy(dtype=np.float64).reshape(-1, 1)


def _calendar(times: pd.DatetimeIndex, codes: npt.NDArray[np.float64]) -> dict[Calendar, float]:
    """Score each part by the means of its cells, learned on other stretches of the history."""
    told: dict[Calendar, float] = {}
    for part in _PARTS:
        cells = calendar_part(times, part)
        if len(np.unique(cells)) > 1 and (score := _told(cells, codes)) >= _TELLS:
            told[part] = score
    if "half_hour" in told and told["half_hour"] <= told.get("hour", 0.0) * (1 + _BETTER):
        del told["half_hour"]
    if "half_hour" in told:
        told.pop("hour", None)
    if "weekend" in told and "weekday" in told:
        del told["weekend"]
    return told


def _told(cells: npt.NDArray[np.float64], codes: npt.NDArray[np.float64]) -> float:
    fold = np.arange(len(cells)) * _BLOCKS // len(cells) % _FOLDS
    left = total = 0.0
    for one in range(_FOLDS):
        train, test = fold != one, fold == one
        base = codes[train].mean(axis=0)
        means = pd.DataFrame(codes[train]).groupby(cells[train]).mean()
        answers = means.reindex(cells[test]).fillna(dict(enumerate(base))).to_numpy()
        left += float(((codes[test] - answers) ** 2).sum())
        total += float(((codes[test] - base) ** 2).sum())
    return 1 - left / total if total else 0.0


def _heuristic(
    times: pd.Series[Any] | None, labels: pd.Series[Any], target: Target, calendar: dict[Calendar, float]
) -> tuple[Literal["prior", "last", "seasonal"], tuple[Calendar, ...], float]:
    """Let each heuristic answer each stretch of the history from what was before it."""
    tried: list[Heuristic] = [Heuristic(kind="last")]
    if calendar and times is not None:
        clock = pd.DatetimeIndex(times)
        tried += [Heuristic(kind="seasonal", season=s) for s in _SEASONS if _varies(s, clock)]
    frame = pd.DataFrame({"time": times if times is not None else pd.NaT}, index=labels.index)
    prior = _errors(Heuristic(), frame, labels, target)
    errors = {h: _errors(h, frame, labels, target) for h in tried}
    steady = {h: e for h, e in errors.items() if len(e) and (e < prior).mean() >= _STEADY}
    if not steady:
        return "prior", (), 0.0
    best = min(steady, key=lambda h: (steady[h].mean(), len(h.season)))
    gain = 1 - float(steady[best].mean() / prior.mean())
    return (best.kind, best.season, gain) if gain >= _BETTER else ("prior", (), 0.0)


def _varies(season: tuple[Calendar, ...], times: pd.DatetimeIndex) -> bool:
    return all(len(np.unique(calendar_part(times, part))) > 1 for part in season)


def _errors(
    heuristic: Heuristic, frame: pd.DataFrame, labels: pd.Series[Any], target: Target
) -> npt.NDArray[np.float64]:
    """Return the share of wrong answers, or the mean absolute error, in each stretch of the later half."""
    pipeline = Pipeline(
        pipeline="profile",
        task=target.task,
        target=TargetSettings(column="target", classes=target.classes, default=target.default),
        row_key=("time",),
        time="time",
        features=Features(columns=("time",)),
        ladder=Ladder(baseline_columns=("time",), heuristic=heuristic),
    )
    cuts = np.linspace(len(labels) // 2, len(labels), _BLOCKS // 2 + 1).astype(int)
    wrong: list[float] = []
    for start, stop in pairwise(cuts):
        if start in {0, stop}:
            continue
        fitted = fit_heuristic(frame.iloc[:start], labels.iloc[:start], pipeline)
        answers, truth = fitted.answer(frame.iloc[start:stop], pipeline), labels.iloc[start:stop].to_numpy()
        off = answers != truth if target.classes else np.abs(answers - truth.astype(np.float64))
        wrong.append(float(np.mean(off)))
    return np.array(wrong)

"""Prior drift: whether a batch's answers are shared out otherwise than the labels that the champion learned from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evenkeel.drift.calibration import LEAST_THRESHOLD
from evenkeel.drift.tail import Floats, critical_value, standardise

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from evenkeel.settings.quality import Drift

_DISJOINT = 12
_WINDOWS = 80
_MEAN = "mean"


@dataclass(frozen=True)
class PriorDrift:
    """A batch's answers against the labels of the reference.

    Attributes:
        observed: Class -> its share among the answers; for numbers ``mean``.
        reference: The same of the labels.
        thresholds: How far apart they may lie by chance; for numbers in standard deviations of the label.
        drifted: Classes (or ``mean``) that lie further apart.
    """

    observed: dict[str, float]
    reference: dict[str, float]
    thresholds: dict[str, float]
    drifted: tuple[str, ...]


def measure_prior(
    answers: pd.DataFrame, target: pd.Series[Any], config: Drift, classes: Sequence[str]
) -> PriorDrift | None:
    """Compare the shares of the classes among the answers, or their mean, with the reference's labels.

    Answers are hard and labels are not: a rare class is seldom answered. So an answer counts for its class with
    its confidence and for the others with the rest, which sums to the shares that the model expects. The
    thresholds come from runs of the reference as long as the batch, all classes together, as those of
    covariate drift do (:mod:`evenkeel.drift.tail`); below 0.1 nothing is called drift.

    Args:
        answers: The champion's answers of one batch: ``prediction`` and ``confidence``.
        target: Labels of the reference in time order.
        config: The drift policy.
        classes: All classes; none for numbers.

    Returns:
        What was found; None where the batch or the reference is too short to say.
    """
    rows = min(len(answers), len(target) // _DISJOINT)
    if min(len(answers), rows) < config.min_rows:
        return None
    names = tuple(classes) or (_MEAN,)
    labels = _one_hot(target, classes) if classes else _numbers(target)
    scale = 1.0 if classes else float(labels.std()) or 1.0
    now = _expected(answers, classes) if classes else _numbers(answers["prediction"]).mean(axis=0)
    usual = labels.mean(axis=0)
    starts = np.linspace(0, len(labels) - rows, min(_WINDOWS, 2 * len(labels) // rows - 1)).astype(np.int64)
    whole, length = labels.sum(axis=0), len(labels)
    sums = np.array([labels[s : s + rows].sum(axis=0) for s in starts])
    distances = np.abs(sums / rows - (whole - sums) / (length - rows)) / scale
    center, spread, peaks = standardise(distances)
    reach = critical_value(peaks, config.false_alarm, disjoint=length // rows)
    thresholds = np.maximum(LEAST_THRESHOLD, center + reach * spread)
    apart = np.abs(now - usual) / scale
    return PriorDrift(
        observed=_named(names, now),
        reference=_named(names, usual),
        thresholds=_named(names, thresholds),
        drifted=tuple(name for name, far in zip(names, apart > thresholds, strict=True) if far),
    )


def _named(names: tuple[str, ...], values: Floats) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(names, values, strict=True)}


def _numbers(column: pd.Series[Any]) -> Floats:
    return column.to_numpy(dtype=np.float64).reshape(-1, 1)


def _one_hot(target: pd.Series[Any], classes: Sequence[str]) -> Floats:
    return np.column_stack([(target == name).to_numpy(dtype=np.float64) for name in classes])


def _expected(answers: pd.DataFrame, classes: Sequence[str]) -> Floats:
    sure = answers["confidence"].to_numpy(dtype=np.float64).reshape(-1, 1)
    chosen = _one_hot(answers["prediction"], classes)
    shares: Floats = (chosen * sure + (1 - chosen) * (1 - sure) / (len(classes) - 1)).mean(axis=0)
    return shares

"""How sure an answer is: a calibrated probability, or the chance that a number is near enough."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import numpy.typing as npt

_MIN_PER_CLASS = 5
_ROWS_PER_BIN = 50
_MAX_BINS = 10


@dataclass(frozen=True)
class Confidence:
    """Turns a model's output into a confidence in [0, 1].

    For classes it is the calibrated probability of the answer, which the model gives by itself. For numbers
    it is the estimated chance that the truth lies within ``tolerance`` of the answer, looked up by the
    answer's size.

    Attributes:
        kind: ``probability`` or ``tolerance``.
        tolerance: The error that still counts as right, in the target's unit; None for classes.
        edges: k - 1 rising limits that divide the answers into k bins.
        within: For each of the k bins, the chance of staying within the tolerance.
    """

    kind: str
    tolerance: float | None = None
    edges: tuple[float, ...] = ()
    within: tuple[float, ...] = ()

    def of_predictions(self, predictions: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the confidence of n numbers, NaN where the number is."""
        at = np.searchsorted(np.asarray(self.edges, dtype=np.float64), predictions, side="right")
        return np.where(np.isnan(predictions), np.nan, np.asarray(self.within, dtype=np.float64)[at])

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form, read back by :meth:`from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what :meth:`to_json` wrote."""
        return cls(data["kind"], data["tolerance"], tuple(data["edges"]), tuple(data["within"]))


def probability_confidence() -> Confidence:
    """Return the confidence of a classifier: the probability of its answer."""
    return Confidence("probability")


def tolerance_confidence(
    predictions: npt.NDArray[np.float64], truth: npt.NDArray[np.float64], tolerance: float
) -> Confidence:
    """Estimate the chance of staying within the tolerance from answers the model did not learn from.

    The answers are divided at their quantiles into at most 10 bins of at least 50 rows; within a bin the
    chance is the share of rows within the tolerance, with Jeffreys' half a row added on either side
    (Brown, Cai and DasGupta 2001) so that it is never quite 0 or 1.

    Args:
        predictions: n >= 1 answers for calibration rows.
        truth: n labels.
        tolerance: The error that still counts as right, > 0.
    """
    bins = max(1, min(_MAX_BINS, len(predictions) // _ROWS_PER_BIN))
    edges = np.unique(np.quantile(predictions, np.arange(1, bins) / bins)) if bins > 1 else np.empty(0)
    at = np.searchsorted(edges, predictions, side="right")
    right = np.abs(predictions - truth) <= tolerance
    rows = np.bincount(at, minlength=len(edges) + 1)
    hits = np.bincount(at, weights=right, minlength=len(edges) + 1)
    within = (hits + 0.5) / (rows + 1)
    return Confidence("tolerance", float(tolerance), tuple(edges.tolist()), tuple(within.tolist()))


def calibrated(model: Any, inputs: pd.DataFrame, labels: npt.NDArray[Any]) -> tuple[Any, str]:
    """Calibrate a fitted classifier on rows it did not learn from.

    Sigmoid (Platt 1999), one class against the rest. Its two numbers per class also move the threshold
    towards the newer rows' shares of classes, and never give a probability of 0 or 1; isotonic regression
    fits itself to the calibration rows' own period and was worse on later rows of drifting data.

    Args:
        model: Fitted, with string ``classes_``.
        inputs: n rows of the models' input.
        labels: n classes as text.

    Returns:
        The calibrated classifier, with the model's ``classes_``, and an empty note; or, where the rows
        cannot calibrate every class, the model as it is and the reason.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator

    counts = pd.Series(labels).value_counts().reindex(model.classes_, fill_value=0)
    known = np.isin(labels, model.classes_)
    if counts.min() < _MIN_PER_CLASS:
        return model, (
            f"not calibrated: class {counts.idxmin()!r} has {counts.min()} calibration rows,"
            f" fewer than {_MIN_PER_CLASS}"
        )
    # The model is frozen, so the folds learn nothing: each row is scored by the same model.
    wrapped = CalibratedClassifierCV(FrozenEstimator(model), method="sigmoid", cv=2)
    wrapped.fit(inputs[known], labels[known])
    wrapped.estimator = None  # the fitted one is in calibrated_classifiers_; both would be stored
    return wrapped, ""

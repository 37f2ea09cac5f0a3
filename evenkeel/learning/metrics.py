"""How good answers were: the numbers that models are chosen, gated and shown by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evenkeel.learning.resampling import calibration_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

_SMALLEST = 1e-15


def class_metrics(
    probabilities: npt.NDArray[np.float64], classes: Sequence[str], truth: npt.NDArray[Any]
) -> dict[str, float]:
    """Return accuracy, log loss, Brier score and expected calibration error.

    A class the model does not know has probability 0. The Brier score is the mean squared distance to the
    truth over all classes, halved for two classes (Brier 1950).

    Args:
        probabilities: n x k.
        classes: k classes, in the order of the columns.
        truth: n labels.
    """
    names = np.asarray(classes, dtype=object)
    answers = names.take(probabilities.argmax(axis=1))
    is_truth = truth[:, None] == names[None, :]
    of_truth = np.where(is_truth, probabilities, 0.0).sum(axis=1)
    unknown = ~is_truth.any(axis=1)
    squares = ((probabilities - is_truth) ** 2).sum(axis=1) + unknown
    right = answers == truth
    return {
        "accuracy": float(right.mean()),
        "log_loss": float(-np.log(np.clip(of_truth, _SMALLEST, 1)).mean()),
        "brier": float(squares.mean() / (2 if len(names) == 2 else 1)),  # noqa: PLR2004 - binary
        "expected_calibration_error": calibration_error(probabilities.max(axis=1), right),
    }


def number_metrics(predictions: npt.NDArray[np.float64], truth: npt.NDArray[np.float64]) -> dict[str, float]:
    """Return the mean absolute error (and its negative, the gate's metric), root mean squared error and R2.

    R2 is left out where the truth is constant.
    """
    errors = predictions - truth
    mae, spread = float(np.abs(errors).mean()), float(((truth - truth.mean()) ** 2).mean())
    found = {
        "neg_mean_absolute_error": -mae,
        "mean_absolute_error": mae,
        "root_mean_squared_error": float(np.sqrt((errors**2).mean())),
    }
    return found | ({"r2": 1 - float((errors**2).mean()) / spread} if spread else {})

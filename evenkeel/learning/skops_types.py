"""The types beyond skops's own defaults that a model file may hold: reviewed by name, no others load."""

from __future__ import annotations

from typing import Any

from evenkeel.errors import ModelUnusable

# scikit-learn's and numpy's own holders of fitted numbers; building one runs no code that the file brings. A
# file is checked against the sha256 that was written for it before this list is even asked.
REVIEWED = (
    "functools.partial",  # skops lists the function inside by itself, so this trusts none but the one below
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.impute._iterative.IterativeImputer",
    "sklearn.impute._iterative._ImputerTriplet",
    "sklearn.tree._tree.Tree",
    "sklearn.utils.validation.check_array",
)


def load(data: bytes, name: str) -> Any:
    """Load a skops file from memory.

    Args:
        data: The file's bytes, already verified.
        name: The file, for messages.

    Raises:
        ModelUnusable: Cause ``model.unloadable``: it holds an unreviewed type, or cannot be read as skops.
    """
    import skops.io

    try:
        return skops.io.loads(data, trusted=list(REVIEWED))
    except Exception as error:  # whatever a reader trips over in a foreign file, it is unusable
        first = (str(error).splitlines() or [""])[0]
        raise ModelUnusable(
            f"{name}: cannot be loaded ({type(error).__name__}: {first})",
            fix="train the model with this version of evenkeel",
            cause="model.unloadable",
        ) from error

"""What a rung gave, taken apart into rows that may be published and rows that may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evenkeel.errors import ModelUnusable

if TYPE_CHECKING:
    import numpy.typing as npt

WRONG = "model.wrong_output"
NULL = "model.returns_nan"


@dataclass(frozen=True)
class Output:
    """A rung's checked output for n rows.

    Attributes:
        predictions: Shape (n,): object str for classes, float64 for regression.
        confidences: Shape (n,), float64; NaN throughout for a heuristic.
        usable: Shape (n,), which rows are answered; None where all are.
        faults: Cause, one line and number of rows, for rows that are not.
    """

    predictions: npt.NDArray[Any]
    confidences: npt.NDArray[np.float64]
    usable: npt.NDArray[np.bool_] | None
    faults: tuple[tuple[str, str, int], ...]


def checked(
    predictions: Any, confidences: Any, rows: int, classes: tuple[str, ...], *, confident: bool = True
) -> Output:
    """Check what a rung gave for ``rows`` rows.

    A null prediction or confidence, a class that is not among ``classes``, an infinite number or a
    confidence outside 0 to 1 leaves its row unanswered. That every answer is the same is no fault.

    Args:
        predictions: What the rung answered.
        confidences: How sure it says it is; not looked at where not ``confident``.
        rows: Rows it was asked.
        classes: The classes it may answer with; empty for a regression.
        confident: Whether it states confidences at all; a heuristic does not.

    Raises:
        ModelUnusable: Cause ``model.wrong_output``: wrong shape or type, so that no row can be trusted.
    """
    answers = _of_shape("answers", predictions, rows)
    if classes:
        null, wrong = _bad_classes(answers, classes)
    else:
        answers = _floats("answers", answers)
        null, wrong = np.isnan(answers), np.isinf(answers)
    if confident:
        stated = _floats("confidences", _of_shape("confidences", confidences, rows))
        null = null | np.isnan(stated)
        wrong = wrong | (stated < 0) | (stated > 1)
    else:
        stated = np.full(rows, np.nan)
    wrong = wrong & ~null
    faults = tuple(
        (cause, f"{int(bad.sum())} of {rows} rows: {what}", int(bad.sum()))
        for cause, what, bad in (
            (NULL, "no prediction or no confidence", null),
            (WRONG, "a prediction or confidence that cannot be", wrong),
        )
        if bad.any()
    )
    return Output(answers, stated, ~(null | wrong) if faults else None, faults)


def _of_shape(what: str, values: Any, rows: int) -> npt.NDArray[Any]:
    array = np.asarray(values)
    if array.shape != (rows,):
        raise ModelUnusable(f"{what} have shape {array.shape}, expected ({rows},)", cause=WRONG)
    return array


def _bad_classes(
    answers: npt.NDArray[Any], classes: tuple[str, ...]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    if answers.dtype != object:
        raise ModelUnusable(f"answers are {answers.dtype}, expected text among {list(classes)}", cause=WRONG)
    try:
        known = pd.Series(answers, copy=False).isin(classes).to_numpy()
    except TypeError as error:  # unhashable cells
        raise ModelUnusable(f"answers are not text: {error}", cause=WRONG) from error
    null = np.zeros(len(answers), dtype=bool)
    if not known.all():
        null[~known] = pd.isna(answers[~known])
    return null, ~known & ~null


def _floats(what: str, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if len(values) and kind not in {"floating", "integer", "mixed-integer-float", "empty"}:
        raise ModelUnusable(f"{what} are {kind}, expected numbers", cause=WRONG)
    return np.asarray(values, dtype=np.float64)

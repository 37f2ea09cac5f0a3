"""A model's answers with their confidence, in one pass, in bounded memory and on every core."""

from __future__ import annotations

import os
from functools import partial
from multiprocessing.pool import ThreadPool
from typing import TYPE_CHECKING, Any

import numpy as np

from evenkeel.learning.threads import single_thread

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from evenkeel.learning.confidence import Confidence

_CHUNK_ROWS = 25_000  # scikit-learn copies its input several times over: copies of a chunk, not of a batch


def predict(
    model: Any, inputs: pd.DataFrame, *, task: str, confidence: Confidence
) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    """Return the predictions and their confidences, one per row.

    What the model raises is passed on, and what it answers is not judged: NaN stays NaN.

    Args:
        model: Has string ``classes_`` and ``predict_proba`` for classification, else ``predict``.
        inputs: n rows of :func:`evenkeel.learning.features.model_frame`.
        task: ``binary``, ``multiclass`` or ``regression``.
        confidence: The model's own.

    Returns:
        n predictions (object str, or float64) and n confidences in [0, 1].
    """
    answer = partial(_answer, model, task, confidence)
    with single_thread():
        if len(inputs) <= _CHUNK_ROWS:
            return answer(inputs)
        chunks = [inputs.iloc[s : s + _CHUNK_ROWS] for s in range(0, len(inputs), _CHUNK_ROWS)]
        # One thread a chunk, not one a tree: threads that meet at every tree wait for each other on a busy
        # machine. The pool's are daemons, so a model that hangs does not keep the process from ending.
        with ThreadPool(min(len(chunks), os.cpu_count() or 1), initializer=single_thread) as pool:
            answered = pool.map(answer, chunks)
    return np.concatenate([a[0] for a in answered]), np.concatenate([a[1] for a in answered])


def _answer(
    model: Any, task: str, confidence: Confidence, inputs: pd.DataFrame
) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    if task == "regression":
        predictions = (
            np.asarray(model.predict(inputs), dtype=np.float64) if len(inputs) else np.empty(0, np.float64)
        )
        return predictions, confidence.of_predictions(predictions)
    classes = np.asarray(model.classes_, dtype=object)
    if not len(inputs):
        return np.empty(0, dtype=object), np.empty(0, np.float64)
    probabilities = np.asarray(model.predict_proba(inputs), dtype=np.float64)
    return classes.take(probabilities.argmax(axis=1)), probabilities.max(axis=1)

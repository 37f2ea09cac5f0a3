"""A fitted model with all it needs to answer rows: its columns, its confidence, its task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evenkeel.learning.features import model_frame
from evenkeel.learning.predictor import predict

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd

    from evenkeel.learning.confidence import Confidence
    from evenkeel.learning.trained import Card, Trained
    from evenkeel.settings import Pipeline


@dataclass(frozen=True)
class Scorer:
    """One model of a version, champion or baseline, ready to answer.

    Attributes:
        estimator: Fitted scikit-learn estimator.
        confidence: Turns its output into a confidence in [0, 1].
        columns: Feature columns it rests on, calendar columns not included.
        task: ``binary``, ``multiclass`` or ``regression``.
    """

    estimator: Any
    confidence: Confidence
    columns: tuple[str, ...]
    task: str

    @classmethod
    def of(cls, trained: Trained) -> Scorer:
        """Return the challenger's own model, before it is stored."""
        return cls(trained.model, trained.confidence, trained.card.columns, trained.card.task)

    def answer(
        self, frame: pd.DataFrame, pipeline: Pipeline, kinds: Mapping[str, str]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Answer imputed rows.

        Args:
            frame: Imputed rows with the feature columns and the time.
            pipeline: The prediction problem.
            kinds: Kind of each column.

        Returns:
            Predictions (str or float64) and confidences (float64), each of shape ``(len(frame),)``.
        """
        features = model_frame(frame, pipeline, kinds, columns=self.columns)
        return predict(self.estimator, features, task=self.task, confidence=self.confidence)


def mismatch(card: Card, pipeline: Pipeline, kinds: Mapping[str, str]) -> str:
    """Say in one line why a version made for ``card`` cannot answer for ``pipeline``; empty where it can."""
    if card.task != pipeline.task:
        return f"made for task {card.task}, and the pipeline's is {pipeline.task}"
    for column in card.columns:
        if kinds.get(column) != card.kinds.get(column):
            now = kinds.get(column, "absent")
            return f"column {column} was {card.kinds.get(column, 'absent')} in training and is {now} now"
    if foreign := sorted(set(card.classes) - set(pipeline.target.classes)):
        return f"answers {', '.join(foreign)}, not among target.classes {list(pipeline.target.classes)}"
    return ""

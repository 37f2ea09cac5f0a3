"""What training yields: everything a model version is made of, before it is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from evenkeel.drift.calibration import Calibration
    from evenkeel.learning.confidence import Confidence
    from evenkeel.learning.heuristic import Heuristic
    from evenkeel.quality.imputation import Imputer


@dataclass(frozen=True)
class Card:
    """The facts of a model version, JSON-serialisable, stored with it and shown to people.

    Attributes:
        pipeline: Pipeline name.
        task: ``binary``, ``multiclass`` or ``regression``.
        kinds: Kind of each feature column: numeric, categorical, boolean.
        columns: Feature columns of the champion, calendar columns not included.
        baseline_columns: Feature columns of the baseline.
        classes: Class labels in the model's order; empty for regression.
        estimator: Family of the chosen estimator.
        params: Its chosen parameters.
        metric: Name of the gate metric, larger is better (``accuracy`` or ``neg_mean_absolute_error``).
        metrics: Metric name -> value on the holdout, and the search's scores.
        tolerance: For regression, the error that counts as right, in the target's unit; else None.
        rows: Rows learned from, holdout not included.
        window: ISO times of the first and last row learned from.
        fingerprint: sha256 of the training rows and labels.
        seed: Seed of everything random.
        versions: Library -> version at training.
        code_version: evenkeel's version, with the commit where known.
        notes: What a person should know of this training: candidates dropped and why, calibration left out,
            batches left out.
        batches: The batches that the rows learned from and judged on came in; empty in older versions.
    """

    pipeline: str
    task: str
    kinds: dict[str, str]
    columns: tuple[str, ...]
    baseline_columns: tuple[str, ...]
    classes: tuple[str, ...]
    estimator: str
    params: dict[str, Any]
    metric: str
    metrics: dict[str, float]
    tolerance: float | None
    rows: int
    window: tuple[str, str]
    fingerprint: str
    seed: int
    versions: dict[str, str] = field(default_factory=dict)
    code_version: str = ""
    notes: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trained:
    """A challenger as training leaves it.

    Attributes:
        model: Fitted scikit-learn estimator over :func:`evenkeel.learning.features.model_frame`; calibrated,
            with string ``classes_`` and ``predict_proba`` for classification, ``predict`` for regression.
        baseline: The same over the baseline columns only.
        confidence: Turns the model's output into a confidence in [0, 1].
        baseline_confidence: The same for the baseline.
        imputer: Fitted on the rows learned from.
        heuristic: The lowest rung, from the rows learned from.
        reference: Rows learned from, un-imputed, in time order, bounded: the feature columns, the time
            column and ``__target__``.
        calibration: Drift thresholds for that reference.
        holdout: The newest rows, un-imputed, never learned from: feature columns and time.
        holdout_target: Their labels, same index.
        card: The facts.
        holdout_answers: The model's answers for the holdout, same index: columns ``prediction`` and
            ``confidence``.
    """

    model: Any
    baseline: Any
    confidence: Confidence
    baseline_confidence: Confidence
    imputer: Imputer
    heuristic: Heuristic
    reference: pd.DataFrame
    calibration: Calibration
    holdout: pd.DataFrame
    holdout_target: pd.Series[Any]
    card: Card
    holdout_answers: pd.DataFrame = field(default_factory=pd.DataFrame)

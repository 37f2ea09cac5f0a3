"""Training: from labelled rows to a challenger with everything it needs to be judged, stored and served."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evenkeel.errors import Permanent
from evenkeel.learning.confidence import calibrated, probability_confidence, tolerance_confidence
from evenkeel.learning.features import model_columns, model_frame
from evenkeel.learning.heuristic import fit_heuristic
from evenkeel.learning.metrics import class_metrics, number_metrics
from evenkeel.learning.predictor import predict
from evenkeel.learning.provenance import code_version, fingerprint, library_versions
from evenkeel.learning.resampling import calibration_error
from evenkeel.learning.search import Choice, Found, search
from evenkeel.learning.threads import single_thread
from evenkeel.learning.trained import Card, Trained
from evenkeel.learning.window import Part, Window, cut_window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evenkeel.drift.calibration import Calibration
    from evenkeel.learning.confidence import Confidence
    from evenkeel.learning.heuristic import Heuristic
    from evenkeel.quality.kind import Kind
    from evenkeel.settings import Pipeline

TARGET_COLUMN = "__target__"
_BASELINE = Choice("linear", {})


@dataclass(frozen=True)
class _Fitted:
    model: Any
    confidence: Confidence
    note: str
    metrics: dict[str, float]
    answers: pd.DataFrame


def train(
    examples: pd.DataFrame,
    target: pd.Series[Any],
    pipeline: Pipeline,
    kinds: Mapping[str, Kind],
    *,
    batch_rows: int,
) -> Trained:
    """Make a challenger from labelled rows.

    The newest rows are held out; the rows before them set the confidences; models, imputers and scalers
    are fitted on the rest only. The same input gives the same model.

    Args:
        examples: n accepted rows, un-imputed: features and time.
        target: n labels, same index: str for classes, else numbers.
        pipeline: Says what to train and how.
        kinds: Kind of each column of the schema.
        batch_rows: Rows of a typical batch, which drift thresholds depend on.

    Raises:
        Permanent: Cause ``model.training_fails``: too few usable rows, one label only, or no candidate
            that can be fitted; the message says which.
        UsageError: ``training.candidates`` asks for what an estimator does not take.
    """
    window = cut_window(examples, target, pipeline)
    with single_thread():
        return _trained(window, pipeline, kinds, batch_rows)


def _trained(window: Window, pipeline: Pipeline, kinds: Mapping[str, Kind], batch_rows: int) -> Trained:
    from evenkeel.quality.imputation import fit_imputer

    found = search(window.fit, pipeline, kinds)
    imputer = fit_imputer(window.fit.rows, pipeline, kinds)
    filled = [
        Part(imputer.apply(part.rows, last_good={}).frame, part.target)
        for part in (window.fit, window.calibration, window.holdout)
    ]
    champion = _fit(found.best, filled, pipeline, kinds, columns=pipeline.features.columns)
    baseline = _fit(_BASELINE, filled, pipeline, kinds, columns=pipeline.ladder.baseline_columns)
    learned = window.learned
    heuristic = fit_heuristic(learned.rows, learned.target, pipeline)
    reference = _reference(learned, pipeline)
    return Trained(
        model=champion.model,
        baseline=baseline.model,
        confidence=champion.confidence,
        baseline_confidence=baseline.confidence,
        imputer=imputer,
        heuristic=heuristic,
        reference=reference,
        calibration=_drift_calibration(reference, pipeline, kinds, batch_rows),
        holdout=window.holdout.rows,
        holdout_target=window.holdout.target,
        card=_card(window, found, (champion, baseline, heuristic), pipeline, kinds),
        holdout_answers=champion.answers,
    )


def _fit(
    choice: Choice,
    parts: Sequence[Part],
    pipeline: Pipeline,
    kinds: Mapping[str, Kind],
    *,
    columns: Sequence[str],
) -> _Fitted:
    """Fit on the first part, set the confidence on the second, measure on the third."""
    from evenkeel.learning.estimators import build

    inputs = [model_frame(part.rows, pipeline, kinds, columns=columns) for part in parts]
    labels = [part.target.to_numpy() for part in parts]
    model = build(
        choice.estimator,
        choice.params,
        model_columns(pipeline, kinds, columns=columns),
        classification=pipeline.is_classification,
        seed=pipeline.training.seed,
    )
    try:
        model.fit(inputs[0], labels[0])
    except ValueError as error:
        raise Permanent(
            f"training failed: {choice.name} cannot be fitted: {(str(error).splitlines() or [''])[0]}",
            cause="model.training_fails",
        ) from error
    note = ""
    if pipeline.is_classification:
        model, note = calibrated(model, inputs[1], labels[1])
        confidence = probability_confidence()
    else:
        tolerance = pipeline.target.tolerance or float(np.std(labels[0])) / 2
        confidence = tolerance_confidence(model.predict(inputs[1]), labels[1], tolerance)
    answers, sure = predict(model, inputs[2], task=pipeline.task, confidence=confidence)
    return _Fitted(
        model=model,
        confidence=confidence,
        note=note,
        metrics=_metrics(model, inputs[2], labels[2], (answers, sure), confidence),
        answers=pd.DataFrame({"prediction": answers, "confidence": sure}, index=parts[2].rows.index),
    )


def _metrics(
    model: Any,
    inputs: pd.DataFrame,
    truth: np.ndarray[Any, Any],
    answered: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]],
    confidence: Confidence,
) -> dict[str, float]:
    if confidence.tolerance is None:
        return class_metrics(model.predict_proba(inputs), list(model.classes_), truth)
    answers, sure = answered
    right = np.abs(answers - truth) <= confidence.tolerance
    return number_metrics(answers, truth) | {"expected_calibration_error": calibration_error(sure, right)}


def _reference(learned: Part, pipeline: Pipeline) -> pd.DataFrame:
    """The newest rows learned from, without a gap: drift thresholds draw runs of rows from it."""
    frame = learned.rows.assign(**{TARGET_COLUMN: learned.target})
    return frame.tail(pipeline.training.reference_rows).reset_index(drop=True)


def _drift_calibration(
    reference: pd.DataFrame, pipeline: Pipeline, kinds: Mapping[str, Kind], batch_rows: int
) -> Calibration:
    from evenkeel.drift.calibration import calibrate

    features = {column: kinds[column] for column in pipeline.features.columns}
    return calibrate(reference, features, pipeline.drift, batch_rows=batch_rows, seed=pipeline.training.seed)


def _card(
    window: Window,
    found: Found,
    fitted: tuple[_Fitted, _Fitted, Heuristic],
    pipeline: Pipeline,
    kinds: Mapping[str, Kind],
) -> Card:
    champion, baseline, heuristic = fitted
    learned, holdout = window.learned, window.holdout
    lowest = _heuristic_metrics(heuristic.answer(holdout.rows, pipeline), holdout.target.to_numpy(), pipeline)
    metrics = champion.metrics | {f"baseline_{k}": v for k, v in baseline.metrics.items()}
    metrics |= {f"heuristic_{k}": v for k, v in lowest.items()}
    metrics |= {f"search/{_metric_name(name)}": score for name, score in found.scores.items()}
    metrics |= {
        "fit_rows": float(len(window.fit.rows)),
        "calibration_rows": float(len(window.calibration.rows)),
        "holdout_rows": float(len(holdout.rows)),
        "unusable_rows": float(window.unusable),
    }
    notes = [f"candidate dropped: {name}: {why}" for name, why in found.dropped.items()]
    notes += [
        f"{who}: {fit.note}" for who, fit in (("champion", champion), ("baseline", baseline)) if fit.note
    ]
    times = learned.rows[pipeline.time]
    return Card(
        pipeline=pipeline.pipeline,
        task=pipeline.task,
        kinds={column: kinds[column] for column in pipeline.features.columns},
        columns=pipeline.features.columns,
        baseline_columns=pipeline.ladder.baseline_columns,
        classes=tuple(champion.model.classes_.tolist()) if pipeline.is_classification else (),
        estimator=found.best.estimator,
        params=found.best.params,
        metric="accuracy" if pipeline.is_classification else "neg_mean_absolute_error",
        metrics={name: value for name, value in metrics.items() if np.isfinite(value)},
        tolerance=champion.confidence.tolerance,
        rows=len(learned.rows),
        window=(times.iloc[0].isoformat(), times.iloc[-1].isoformat()),
        fingerprint=fingerprint(learned, pipeline, kinds),
        seed=pipeline.training.seed,
        versions=library_versions(),
        code_version=code_version(),
        notes=tuple(notes),
    )


def _heuristic_metrics(
    answers: np.ndarray[Any, Any], truth: np.ndarray[Any, Any], pipeline: Pipeline
) -> dict[str, float]:
    if pipeline.is_classification:
        return {"accuracy": float(np.mean(answers == truth))}
    return number_metrics(answers, truth)


def _metric_name(name: str) -> str:
    """Return the name in the characters that MLflow takes for a metric."""
    return re.sub(r"[^A-Za-z0-9_.\- ]", "_", name).replace(" ", "/")

"""A stated confidence comes true: on classes, on numbers, and where it cannot be learned it says so."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from evenkeel.learning.confidence import (
    Confidence,
    calibrated,
    probability_confidence,
    tolerance_confidence,
)
from evenkeel.learning.metrics import class_metrics, number_metrics
from evenkeel.learning.predictor import predict


def numbers(seed, n=6000):
    """Answers whose error grows with their size."""
    draw = np.random.default_rng(seed)
    answers = draw.uniform(0, 10, n)
    return answers, answers + draw.normal(size=n) * (0.2 + answers / 4)


def test_confidence_in_numbers_comes_true_on_new_rows():
    confidence = tolerance_confidence(*numbers(0), tolerance=1.0)
    answers, truth = numbers(1)
    stated, right = confidence.of_predictions(answers), np.abs(answers - truth) <= 1.0
    for low, high in ((0, 2), (2, 5), (5, 8), (8, 10)):
        within = (answers >= low) & (answers < high)
        assert stated[within].mean() == pytest.approx(right[within].mean(), abs=0.05)
    assert stated[answers < 1].mean() > 0.95
    assert stated[answers > 9].mean() < 0.4


def test_confidence_is_never_certain_and_takes_any_answer():
    confidence = tolerance_confidence(np.array([1.0, 2.0]), np.array([1.0, 2.0]), tolerance=0.5)
    stated = confidence.of_predictions(np.array([-1e300, np.inf, np.nan]))
    assert np.isnan(stated).tolist() == [False, False, True]
    assert ((stated[:2] > 0) & (stated[:2] < 1)).all()


def test_constant_answers_share_one_bin():
    truth = np.concatenate([np.zeros(300), np.ones(100)])
    confidence = tolerance_confidence(np.zeros(400), truth, tolerance=0.1)
    assert confidence.of_predictions(np.array([0.0]))[0] == pytest.approx(0.75, abs=0.01)


def test_confidence_survives_json():
    for confidence in (probability_confidence(), tolerance_confidence(*numbers(0), tolerance=1.0)):
        assert Confidence.from_json(json.loads(json.dumps(confidence.to_json()))) == confidence


def overconfident(n, seed):
    """Rows on which a logistic regression without a penalty, fitted on few of them, is too sure."""
    draw = np.random.default_rng(seed)
    inputs = pd.DataFrame(draw.normal(size=(n, 25)), columns=[f"x{i}" for i in range(25)])
    labels = np.where(inputs["x0"] + draw.normal(size=n) * 1.5 > 0, "UP", "DOWN").astype(object)
    return inputs, labels


def test_calibration_makes_an_overconfident_model_honest():
    model = LogisticRegression(C=1e6, max_iter=1000).fit(*overconfident(60, 0))
    honest, note = calibrated(model, *overconfident(1000, 1))
    inputs, labels = overconfident(5000, 2)
    before = class_metrics(model.predict_proba(inputs), list(model.classes_), labels)
    after = class_metrics(honest.predict_proba(inputs), list(honest.classes_), labels)
    assert note == ""
    assert honest.classes_.tolist() == ["DOWN", "UP"]
    assert before["expected_calibration_error"] > 0.2
    assert after["expected_calibration_error"] < 0.05


def test_a_class_that_calibration_rows_lack_leaves_the_model_as_it_is():
    inputs, labels = overconfident(200, 0)
    model = LogisticRegression().fit(inputs, labels)
    same, note = calibrated(model, inputs[labels == "UP"], labels[labels == "UP"])
    assert same is model
    assert note == "not calibrated: class 'DOWN' has 0 calibration rows, fewer than 5"


def test_a_class_only_the_calibration_rows_have_is_left_out():
    inputs, labels = overconfident(400, 0)
    model = LogisticRegression().fit(inputs, labels)
    labels[:20] = "SIDEWAYS"
    honest, note = calibrated(model, inputs, labels)
    assert note == ""
    assert honest.classes_.tolist() == ["DOWN", "UP"]


def test_many_rows_get_the_answers_they_would_get_alone():
    inputs, labels = overconfident(500, 0)
    model = LogisticRegression().fit(inputs, labels)
    many = pd.concat([inputs] * 401, ignore_index=True)
    answers, sure = predict(model, many, task="binary", confidence=probability_confidence())
    assert answers.shape == sure.shape == (200_500,)
    assert set(answers) == {"DOWN", "UP"}
    for start in (0, 100_000, 200_000):
        alone, alone_sure = predict(
            model, many.iloc[start : start + 500], task="binary", confidence=probability_confidence()
        )
        assert (answers[start : start + 500] == alone).all()
        np.testing.assert_allclose(sure[start : start + 500], alone_sure, rtol=1e-12)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_no_rows_get_no_answers(task):
    inputs, labels = overconfident(50, 0)
    model = LogisticRegression().fit(inputs, labels)
    confidence = probability_confidence() if task == "binary" else tolerance_confidence(*numbers(0), 1.0)
    answers, sure = predict(model, inputs.iloc[:0], task=task, confidence=confidence)
    assert answers.shape == sure.shape == (0,)
    assert answers.dtype == (object if task == "binary" else np.float64)


def test_metrics_are_what_their_names_say():
    truth = np.array(["DOWN", "UP", "UP", "SIDEWAYS"], dtype=object)
    sure = np.array([[0.8, 0.2], [0.4, 0.6], [0.7, 0.3], [0.5, 0.5]])
    known = class_metrics(sure[:3], ["DOWN", "UP"], truth[:3])
    assert known["accuracy"] == pytest.approx(2 / 3)
    assert known["brier"] == pytest.approx((0.2**2 + 0.4**2 + 0.7**2) / 3)
    assert known["log_loss"] == pytest.approx(-np.log([0.8, 0.6, 0.3]).mean())
    foreign = class_metrics(sure, ["DOWN", "UP"], truth)  # a class the model does not know
    assert foreign["log_loss"] > 8
    assert foreign["brier"] == pytest.approx((2 * (0.2**2 + 0.4**2 + 0.7**2) + 2 * 0.5**2 + 1) / 4 / 2)
    found = number_metrics(np.array([1.0, 2.0, 6.0]), np.array([1.0, 2.0, 3.0]))
    assert found["mean_absolute_error"] == -found["neg_mean_absolute_error"] == pytest.approx(1)
    assert found["root_mean_squared_error"] == pytest.approx(3**0.5)
    assert found["r2"] == pytest.approx(1 - 9 / 2)
    assert "r2" not in number_metrics(np.array([1.0]), np.array([2.0]))

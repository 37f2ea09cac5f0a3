"""Prior drift is told from the answers alone, as rarely by chance as the policy says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evenkeel.drift.prior import measure_prior
from evenkeel.settings.quality import Drift

TWO, THREE = ("no", "yes"), ("a", "b", "c")


def stream(draw, n, level=0.0):
    """A daily rhythm with weather that lasts: what a label follows."""
    noise = np.convolve(draw.normal(size=n + 5), np.ones(6) / 5, mode="valid")
    return level + np.sin(np.arange(n) / 24 * 2 * np.pi) + noise


def classes_of(draw, values, names):
    """Labels drawn from probabilities that a calibrated model would know, and that model's answers."""
    scores = np.exp(np.column_stack([values * i for i in range(len(names))]))
    chances = scores / scores.sum(axis=1, keepdims=True)
    drawn = (chances.cumsum(axis=1) > draw.random((len(values), 1))).argmax(axis=1)
    answers = {"prediction": np.array(names)[chances.argmax(axis=1)], "confidence": chances.max(axis=1)}
    return pd.Series(np.array(names)[drawn]), pd.DataFrame(answers)


@pytest.mark.parametrize("names", [TWO, THREE])
def test_shares_that_stay_raise_no_alarm_and_shares_that_move_do(names):
    draw = np.random.default_rng(1)
    alarms, seen = [], []
    for _ in range(10):
        target, _answers = classes_of(draw, stream(draw, 4800), names)
        for _ in range(10):
            same = classes_of(draw, stream(draw, 48), names)[1]
            alarms.append(bool(measure_prior(same, target, Drift(), names).drifted))
        moved = measure_prior(classes_of(draw, stream(draw, 48, 2.5), names)[1], target, Drift(), names)
        seen.append(names[-1] in moved.drifted)
    assert np.mean(alarms) <= 0.02
    assert np.mean(seen) >= 0.9


def test_a_mean_that_stays_raises_no_alarm_and_one_that_moves_does():
    draw = np.random.default_rng(2)
    alarms, seen = [], []
    for _ in range(10):
        target = pd.Series(stream(draw, 4800) * 50 + 300)
        batches = [_numbers(stream(draw, 48) * 50 + 300) for _ in range(10)]
        alarms += [bool(measure_prior(b, target, Drift(), ()).drifted) for b in batches]
        seen.append(measure_prior(_numbers(stream(draw, 48) * 50 + 500), target, Drift(), ()).drifted)
    assert np.mean(alarms) <= 0.02
    assert seen == [("mean",)] * 10


def test_a_short_batch_or_reference_says_nothing():
    target, answers = classes_of(np.random.default_rng(3), stream(np.random.default_rng(3), 400), TWO)
    assert measure_prior(answers.head(19), target, Drift(), TWO) is None
    assert measure_prior(answers, target.head(100), Drift(), TWO) is None
    assert measure_prior(answers, target, Drift(), TWO) is not None


def _numbers(values):
    return pd.DataFrame({"prediction": values, "confidence": 0.5})

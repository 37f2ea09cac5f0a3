"""A challenger passes the gates when it is as good as the champion; what cannot be computed refuses."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier, DummyRegressor

from evenkeel.learning.bundle import open_bundle, write_parts
from evenkeel.learning.features import model_frame
from evenkeel.learning.gates import judge
from evenkeel.learning.manifest import seal
from evenkeel.learning.resampling import calibration_error, lower_bound

GATES = ("enough_rows", "leakage", "beats_champion", "calibration", "latency", "size", "signature")
SMALL = 100_000


def stored(trained, pipeline, folder):
    write_parts(trained, folder)
    return open_bundle(folder, seal(folder), pipeline)


@pytest.fixture(scope="module")
def champion(market, tmp_path_factory):
    return stored(market.trained, market.pipeline, tmp_path_factory.mktemp("champion") / "1")


def judged(market, trained, champion=None, reason="", *, size=SMALL, fresh=None, **limits):
    gates = market.pipeline.gates.model_copy(update=limits)
    pipeline = market.pipeline.model_copy(update={"gates": gates})
    clock = itertools.count(step=0.01).__next__
    return judge(
        trained, size, champion, reason, pipeline=pipeline, kinds=market.kinds, fresh=fresh, clock=clock
    )


def refused(report):
    return {r.gate for r in report.results if not r.passed}


def result(report, gate):
    return next(r for r in report.results if r.gate == gate)


def dummy(market, model):
    """A challenger whose model looks at no feature."""
    trained = market.trained
    rows = trained.imputer.apply(trained.holdout, last_good={}).frame
    model.fit(model_frame(rows, market.pipeline, market.kinds), trained.holdout_target)
    return replace(trained, model=model)


def test_an_equal_challenger_passes_every_gate(market, champion):
    report = judged(market, market.trained, champion, margin=0.0)
    assert tuple(r.gate for r in report.results) == GATES
    assert report.passed, report.why


def test_a_first_challenger_is_compared_with_its_heuristic(market):
    report = judged(market, market.trained)
    assert report.passed, report.why
    assert "heuristic" in result(report, "beats_champion").observed


def test_a_first_challenger_that_its_heuristic_beats_is_refused_whatever_the_margin(market):
    wrong = dummy(market, DummyClassifier(strategy="constant", constant="UP"))
    assert "beats_champion" in refused(judged(market, wrong, margin=1.0))


def test_a_challenger_that_learned_noise_is_refused(market, champion, shuffled):
    report = judged(market, shuffled, champion)
    assert "beats_champion" in refused(report)
    assert "the champion" in result(report, "beats_champion").why


def test_a_better_challenger_passes_against_a_champion_that_learned_noise(market, shuffled, tmp_path):
    report = judged(market, market.trained, stored(shuffled, market.pipeline, tmp_path / "noise"))
    assert report.passed, report.why


def test_the_margin_is_what_a_worse_challenger_may_lose_at_the_lower_end(market, champion):
    trained = market.trained
    worse = dummy(market, DummyClassifier(strategy="constant", constant="UP"))
    truth = trained.holdout_target
    loss = (trained.holdout_answers["prediction"] == truth).mean() - (truth == "UP").mean()
    assert loss > 0.2
    for margin in (0.0, loss + 0.005):  # the mean alone would pass the second
        assert "beats_champion" in refused(judged(market, worse, champion, margin=margin))
    assert "beats_champion" not in refused(judged(market, worse, champion, margin=loss + 0.2))


def test_a_champion_that_could_not_be_opened_refuses(market):
    report = judged(market, market.trained, None, "model.artifact_corrupt: manifest.json")
    assert refused(report) == {"beats_champion"}
    assert "manifest.json" in result(report, "beats_champion").why


@pytest.mark.parametrize("file", ["model.skops", "imputer.skops"])
def test_a_champion_with_a_damaged_part_refuses(market, tmp_path, file):
    bundle = stored(market.trained, market.pipeline, tmp_path / "1")
    (tmp_path / "1" / file).write_bytes(b"damaged")
    report = judged(market, market.trained, bundle)
    assert refused(report) == {"beats_champion"}
    assert file in result(report, "beats_champion").why


def test_a_constant_challenger_is_refused_though_the_margin_would_allow_it(market, champion):
    constant = dummy(market, DummyClassifier(strategy="most_frequent"))
    report = judged(market, constant, champion, margin=1.0)
    assert "signature" in refused(report)
    assert "only" in result(report, "signature").why


def test_too_few_rows_refuse(market, champion):
    report = judged(market, market.trained, champion, min_holdout_rows=5000)
    assert refused(report) == {"enough_rows", "beats_champion"}
    assert "200 holdout rows" in result(report, "beats_champion").why


def test_an_overconfident_challenger_is_refused(market, champion):
    report = judged(market, dummy(market, DummyClassifier(strategy="uniform", random_state=0)), champion)
    assert result(report, "calibration").passed  # says 0.5, is right half the time
    report = judged(market, dummy(market, DummyClassifier(strategy="stratified", random_state=0)), champion)
    assert "calibration" in refused(report)  # says 1.0, is right half the time


def test_a_slow_or_large_challenger_is_refused(market, champion):
    assert refused(judged(market, market.trained, champion, max_latency=0.005)) == {"latency"}
    assert refused(judged(market, market.trained, champion, size=10**9)) == {"size"}


@pytest.mark.parametrize(
    "change",
    [
        {"columns": ("demand", "transfer")},
        {"kinds": {"demand": "categorical"}},
        {"classes": ("DOWN", "SIDEWAYS")},
        {"task": "regression"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_challenger_made_for_another_problem_is_refused(market, champion, change):
    other = replace(market.trained, card=replace(market.trained.card, **change))
    assert "signature" in refused(judged(market, other, champion))


def leaking(market):
    """The challenger, but transfer tells the label, and demand no longer says much of it."""
    trained, draw = market.trained, np.random.default_rng(2)
    changes = {
        "transfer": lambda y: (y == "UP") * 7.0,
        "demand": lambda y: (y == "UP") + draw.normal(size=len(y)),
    }
    parts = ((trained.reference, trained.reference["__target__"]), (trained.holdout, trained.holdout_target))
    reference, holdout = (r.assign(**{c: f(t) for c, f in changes.items()}) for r, t in parts)
    return replace(trained, reference=reference, holdout=holdout)


def test_a_feature_that_tells_the_label_is_refused_by_name(market, champion):
    report = judged(market, leaking(market), champion, margin=1.0)
    leak = result(report, "leakage")
    assert not leak.passed
    assert leak.why.startswith("transfer alone tells the label, everything else together reaches 0.")
    assert leak.observed == "transfer alone reaches 1.000"
    assert "gates.max_single_feature" in leak.why


def test_a_feature_that_a_person_vouches_for_passes(market, champion):
    honest = leaking(market)
    assert "leakage" not in refused(judged(market, honest, champion, margin=1.0, max_single_feature=1.0))


def test_a_feature_that_stands_empty_until_the_label_comes_is_refused_by_name(market, champion):
    fresh = market.trained.holdout.head(60).assign(demand=np.nan)
    report = judged(market, market.trained, champion, fresh=fresh)
    assert refused(report) == {"leakage"}
    why = "demand: filled in 100% of labelled rows and in 0% of later ones: it is known only after the label"
    assert result(report, "leakage").why.startswith(why)


class Raises(DummyClassifier):
    def predict_proba(self, _):
        raise RuntimeError("boom")


class AnswersNan(DummyRegressor):
    def predict(self, inputs):
        return np.full(len(inputs), np.nan)


def test_a_challenger_that_raises_is_refused_by_every_gate_that_asks_it(market, champion):
    report = judged(market, dummy(market, Raises()), champion)
    assert refused(report) == {"beats_champion", "calibration", "latency", "signature"}
    assert "RuntimeError: boom" in report.why


def test_a_regression_is_gated_in_its_own_unit(load_market, tmp_path):
    champion = stored(load_market.trained, load_market.pipeline, tmp_path / "1")
    report = judged(load_market, load_market.trained, champion, margin=0.0)
    assert report.passed, report.why
    constant = dummy(load_market, DummyRegressor())
    assert {"beats_champion", "signature"} <= refused(judged(load_market, constant, champion, margin=0.1))


def test_a_regression_that_answers_nan_is_refused(load_market, tmp_path):
    champion = stored(load_market.trained, load_market.pipeline, tmp_path / "1")
    broken = dummy(load_market, AnswersNan())
    assert {"beats_champion", "calibration", "signature"} <= refused(judged(load_market, broken, champion))


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=300), st.floats(0.55, 0.95))
def test_the_lower_end_lies_within_the_data_and_falls_with_the_confidence(values, confidence):
    data = np.array(values)
    low = lower_bound(data, confidence=confidence, resamples=100, seed=1)
    lower = lower_bound(data, confidence=0.99, resamples=100, seed=1)
    assert data.min() <= lower <= low + 1e-12 <= data.max() + 2e-12
    assert low == lower_bound(data, confidence=confidence, resamples=100, seed=1)


def test_the_lower_end_covers_the_true_mean_as_often_as_it_says():
    draws = np.random.default_rng(5).normal(0.2, 1.0, size=(1500, 300))
    covered = [lower_bound(d, confidence=0.9, resamples=200, seed=i) <= 0.2 for i, d in enumerate(draws)]
    assert 0.87 <= np.mean(covered) <= 0.92


def test_errors_that_follow_each_other_widen_the_interval():
    noise = np.random.default_rng(5).normal(size=1000)
    trending = np.convolve(noise, np.ones(20) / 20, mode="same")
    mixed = np.random.default_rng(6).permutation(trending)
    bounds = [d.mean() - lower_bound(d, confidence=0.9, resamples=500, seed=0) for d in (trending, mixed)]
    assert bounds[0] > 1.5 * bounds[1]


def test_calibration_error_is_the_gap_between_stated_and_realised():
    right = np.arange(1000) % 10 < 7
    assert calibration_error(np.full(1000, 0.7), right) == pytest.approx(0.0, abs=0.01)
    assert calibration_error(np.full(1000, 0.9), right) == pytest.approx(0.2, abs=0.01)
    opposite = np.where(right, 0.6, 0.8)  # right on average, wrong in each group
    assert calibration_error(opposite, right) > 0.3

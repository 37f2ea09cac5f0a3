"""Training learns from the past only, gives the same model twice, and refuses what it cannot learn."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
import skops.io

from evenkeel.errors import Permanent
from evenkeel.learning.confidence import tolerance_confidence
from evenkeel.learning.features import model_frame
from evenkeel.learning.plots import draw
from evenkeel.learning.predictor import predict
from evenkeel.learning.skops_types import REVIEWED
from evenkeel.learning.training import TARGET_COLUMN, train
from evenkeel.learning.window import cut_window

FAMILIES = ("hist_gradient_boosting", "linear", "random_forest")
TASKS = ("binary", "multiclass", "regression")


def trained(made):
    return train(made.rows, made.target, made.pipeline, made.kinds, batch_rows=24)


def answers(result, made, rows):
    frame = result.imputer.apply(rows, last_good={}).frame
    inputs = model_frame(frame, made.pipeline, made.kinds)
    return predict(result.model, inputs, task=made.pipeline.task, confidence=result.confidence)


def one(family):
    small = {"random_forest": {"n_estimators": [10]}, "hist_gradient_boosting": {"max_iter": [15]}}
    return {"training": {"candidates": [{"estimator": family, "grid": small.get(family, {})}], "folds": 2}}


@pytest.mark.parametrize("task", TASKS)
def test_what_is_learned_beats_the_prior_on_the_holdout(problem, task):
    result = trained(problem(task))
    metric = result.card.metric
    assert metric == ("neg_mean_absolute_error" if task == "regression" else "accuracy")
    assert result.card.metrics[metric] > result.card.metrics[f"heuristic_{metric}"]
    assert result.card.metrics[f"baseline_{metric}"] > result.card.metrics[f"heuristic_{metric}"]
    assert result.card.metrics["expected_calibration_error"] < 0.2
    right = result.holdout_answers["prediction"] == result.holdout_target
    if task != "regression":
        assert right.mean() == pytest.approx(result.card.metrics["accuracy"])
        assert set(result.card.classes) == set(result.model.classes_) == set(problem(task).target)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_after_the_cut_reaches_the_model(problem, task, family):
    made = problem(task, **one(family))
    result = trained(made)
    future = result.holdout.index[0]
    rows, target = made.rows.copy(), made.target.copy()
    rows.loc[future:, ["load", "price"]] = rows.loc[future:, ["load", "price"]] * 1000 - 7
    rows.loc[future:, "region"] = "elsewhere"
    target.loc[future:] = target.loc[future:].to_numpy()[::-1]
    again = trained(replace(made, rows=rows, target=target))
    probe = made.rows.head(100)
    np.testing.assert_array_equal(answers(result, made, probe)[0], answers(again, made, probe)[0])
    np.testing.assert_array_equal(answers(result, made, probe)[1], answers(again, made, probe)[1])
    assert again.heuristic == result.heuristic
    assert again.card.fingerprint == result.card.fingerprint
    pd.testing.assert_frame_equal(again.reference, result.reference)


def test_the_calibration_rows_set_the_confidence_only(problem):
    made = problem("regression")
    window = cut_window(made.rows, made.target, made.pipeline)
    target = made.target.copy()
    target.loc[window.calibration.rows.index] += 50
    rows = made.rows.copy()
    rows.loc[window.calibration.rows.index, "price"] += 30
    result, again = trained(made), trained(replace(made, rows=rows, target=target))
    probe = made.rows.head(100)
    np.testing.assert_array_equal(answers(result, made, probe)[0], answers(again, made, probe)[0])
    assert answers(again, made, probe)[1].max() < 0.05 < answers(result, made, probe)[1].min()
    scores = [{k: v for k, v in r.card.metrics.items() if k.startswith("search/")} for r in (result, again)]
    assert scores[0] == scores[1] != {}


def test_a_leak_that_is_only_in_the_future_does_not_help(problem):
    made = problem()
    window = cut_window(made.rows, made.target, made.pipeline)
    target = pd.Series(np.random.default_rng(5).permutation(made.target.to_numpy()), dtype=object)
    rows = made.rows.copy()
    rows.loc[window.holdout.rows.index, "load"] = np.where(
        target.loc[window.holdout.rows.index] == "UP", 9, -9
    )
    result = trained(replace(made, rows=rows, target=target))
    assert result.card.metrics["accuracy"] < 0.75


@pytest.mark.parametrize("order", ["sorted", "shuffled"])
def test_the_parts_follow_each_other_and_share_no_time(problem, order):
    made = problem(n=700)
    rows = made.rows.assign(at=made.rows["at"].dt.floor("7h"))
    if order == "shuffled":
        rows = rows.sample(frac=1, random_state=1)
    window = cut_window(rows, made.target.loc[rows.index], made.pipeline)
    parts = [window.fit.rows["at"], window.calibration.rows["at"], window.holdout.rows["at"]]
    assert sum(map(len, parts)) == 700
    assert all(part.is_monotonic_increasing for part in parts)
    assert parts[0].max() < parts[1].min()
    assert parts[1].max() < parts[2].min()
    assert len(parts[2]) == pytest.approx(0.25 * 700, abs=7)
    assert len(parts[1]) == pytest.approx(0.15 * 700, abs=7)


def test_only_the_newest_rows_are_learned_from(problem):
    made = problem(n=600, training={"window": 400})
    window = cut_window(made.rows, made.target, made.pipeline)
    assert window.fit.rows["at"].iloc[0] == made.rows["at"].iloc[200]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_input_gives_the_same_bits(problem, family):
    made = problem(**one(family))
    first, second = trained(made), trained(made)
    for one_, other in zip(answers(first, made, made.rows), answers(second, made, made.rows), strict=True):
        np.testing.assert_array_equal(one_, other)
    assert asdict(first.card) == asdict(second.card)
    assert first.calibration == second.calibration


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_stored_model_answers_the_same_and_takes_what_it_never_saw(problem, family, task):
    made = problem(task, **one(family))
    result = trained(made)
    probe = made.rows.head(50).copy()
    probe.loc[:9, "region"] = "a category never seen"
    probe.loc[10:19, "region"] = None
    probe.loc[20:29, ["load", "price"]] = np.nan
    probe.loc[30:39, "holiday"] = None
    inputs = model_frame(probe, made.pipeline, made.kinds)  # un-imputed on purpose
    before = predict(result.model, inputs, task=task, confidence=result.confidence)
    data = skops.io.dumps(result.model)
    assert set(skops.io.get_untrusted_types(data=data)) <= set(REVIEWED)
    loaded = skops.io.loads(data, trusted=list(REVIEWED))
    after = predict(loaded, inputs, task=task, confidence=result.confidence)
    for one_, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one_, other)
    assert np.isfinite(before[1]).all()
    if task == "regression":
        assert np.isfinite(before[0]).all()
    else:
        assert [type(c) for c in loaded.classes_] == [str] * len(loaded.classes_)


@pytest.mark.parametrize("family", FAMILIES)
def test_columns_that_are_empty_or_constant_in_training_are_no_obstacle(problem, family):
    made = problem(**one(family))
    rows = made.rows.assign(price=np.nan, region=None, holiday=True)
    result = trained(replace(made, rows=rows))
    before, sure = answers(result, made, rows)
    after, still_sure = answers(result, made, made.rows)
    assert (before == made.target).mean() > 0.7
    assert (after == made.target).mean() > 0.7
    assert np.isfinite(sure).all()
    assert np.isfinite(still_sure).all()


def test_too_few_rows_are_refused(problem):
    made = problem(n=299)
    with pytest.raises(Permanent, match=r"299 labelled rows .* training needs 300") as raised:
        trained(made)
    assert raised.value.cause == "model.training_fails"


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_one_answer_only_is_refused(problem, task):
    made = problem(task)
    made.target[:] = "UP" if task == "binary" else 4.0
    with pytest.raises(Permanent, match="have the label") as raised:
        trained(made)
    assert raised.value.cause == "model.training_fails"


def test_rows_of_one_time_cannot_be_cut(problem):
    made = problem()
    rows = made.rows.assign(at=made.rows["at"].iloc[0])
    with pytest.raises(Permanent, match="1 distinct times") as raised:
        trained(replace(made, rows=rows))
    assert raised.value.cause == "model.training_fails"


def test_unusable_labels_are_left_out_and_counted(problem):
    made = problem(n=400)
    made.target.iloc[[3, 4]] = ["SIDEWAYS", None]
    assert trained(made).card.metrics["unusable_rows"] == 2
    number = problem("regression", n=400)
    number.target.iloc[[3, 4, 5]] = [np.nan, np.inf, -np.inf]
    assert trained(number).card.metrics["unusable_rows"] == 3


def test_the_reference_is_the_newest_of_what_was_learned_without_a_gap(problem):
    made = problem(training={"reference_rows": 120})
    result = trained(made)
    start = result.holdout.index[0]
    assert len(result.reference) == 120
    assert result.reference["at"].tolist() == made.rows["at"].iloc[start - 120 : start].tolist()
    assert result.reference[TARGET_COLUMN].tolist() == made.target.iloc[start - 120 : start].tolist()
    assert result.reference["price"].isna().any()


def test_the_tolerance_is_half_the_spread_of_the_labels_unless_given(problem):
    made = problem("regression")
    window = cut_window(made.rows, made.target, made.pipeline)
    assert trained(made).card.tolerance == pytest.approx(window.fit.target.std(ddof=0) / 2)
    result = trained(problem("regression", target={"tolerance": 0.25}))
    assert result.card.tolerance == result.confidence.tolerance == 0.25


def test_the_confidence_in_numbers_comes_from_the_calibration_rows(problem):
    made = problem("regression", n=2000)
    result = trained(made)
    part = cut_window(made.rows, made.target, made.pipeline).calibration
    predictions = answers(result, made, part.rows)[0]
    expected = tolerance_confidence(predictions, part.target.to_numpy(), result.card.tolerance)
    assert result.confidence == expected


def test_the_fingerprint_is_of_the_values(problem):
    made = problem()
    own = trained(made).card.fingerprint
    other_index = replace(
        made, rows=made.rows.set_index(np.arange(600) + 9), target=made.target.set_axis(np.arange(600) + 9)
    )
    typed = replace(made, rows=made.rows.assign(holiday=made.rows["holiday"].astype("boolean")))
    assert trained(other_index).card.fingerprint == own
    assert trained(typed).card.fingerprint == own
    rows, target = made.rows.copy(), made.target.copy()
    rows.loc[7, "load"] += 1e-9
    target.loc[7] = "UP" if target.loc[7] == "DOWN" else "DOWN"
    assert (
        len(
            {
                own,
                trained(replace(made, rows=rows)).card.fingerprint,
                trained(replace(made, target=target)).card.fingerprint,
            }
        )
        == 3
    )
    assert re.fullmatch("[0-9a-f]{64}", own)


def test_the_card_is_plain_json_and_its_metrics_suit_the_registry(problem):
    broken = {"estimator": "linear", "grid": {"C": [-1.0, 0.5]}}
    card = trained(problem(training={"candidates": [broken]})).card
    document = json.dumps(asdict(card), allow_nan=False)
    assert json.loads(document)["params"] == {"C": 0.5}
    assert card.metrics["search/linear/C_0.5"] > 0.5
    assert all(re.fullmatch(r"[A-Za-z0-9_.\-/ ]+", name) for name in card.metrics)
    assert card.notes[0].startswith("candidate dropped: linear C=-1.0: ")
    assert card.rows == card.metrics["fit_rows"] + card.metrics["calibration_rows"] == 450
    assert card.window == ("2026-01-05T00:00:00+00:00", "2026-01-23T17:00:00+00:00")
    assert card.code_version.startswith("0.")


def test_a_class_without_calibration_rows_is_noted(problem):
    made = problem("multiclass")
    window = cut_window(made.rows, made.target, made.pipeline)
    rare = window.calibration.rows.index
    made.target.loc[rare] = made.target.loc[rare].replace("high", "low")
    notes = trained(made).card.notes
    assert notes == tuple(
        f"{who}: not calibrated: class 'high' has 0 calibration rows, fewer than 5"
        for who in ("champion", "baseline")
    )


@pytest.mark.parametrize("task", TASKS)
def test_pictures_are_drawn(problem, task, tmp_path):
    drawn = draw(trained(problem(task)), tmp_path)
    middle = "predicted" if task == "regression" else "confusion"
    assert [path.name for path in drawn] == ["calibration.png", f"{middle}.png", "search.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)

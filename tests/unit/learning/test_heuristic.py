"""The lowest rung answers from labels and the clock alone, and survives JSON."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.learning.heuristic import Heuristic, default_heuristic, fit_heuristic
from evenkeel.settings import Pipeline


def heuristic(kind, *season):
    return {"heuristic": {"kind": kind, "season": list(season)}}


def dated(*times):
    return pd.DataFrame({"at": pd.to_datetime(list(times), utc=True)})


def test_prior_is_the_majority_or_the_median(configure):
    rows = dated(*["2026-01-05"] * 5)
    up = fit_heuristic(rows, pd.Series(["UP", "DOWN", "UP", "DOWN", "UP"]), configure())
    assert up.answer(dated("2026-02-01"), configure()).tolist() == ["UP"]
    number = configure("regression")
    median = fit_heuristic(rows, pd.Series([1.0, 2.0, 3.0, 4.0, 100.0]), number)
    answers = median.answer(dated("2026-02-01", "2026-02-02"), number)
    assert answers.tolist() == [3.0, 3.0]
    assert answers.dtype == np.float64


def test_among_equals_the_first_configured_class_is_the_majority(configure):
    tied = fit_heuristic(dated("2026-01-05", "2026-01-06"), pd.Series(["UP", "DOWN"]), configure())
    assert tied.answer_to_all == "DOWN"


def test_last_is_the_newest_label(configure):
    pipeline = configure(ladder=heuristic("last"))
    fitted = fit_heuristic(
        dated("2026-01-05", "2026-01-06", "2026-01-07"), pd.Series(["UP", "UP", "DOWN"]), pipeline
    )
    assert fitted.answer(dated("2026-02-01"), pipeline).tolist() == ["DOWN"]


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_seasonal_answers_by_cell_and_else_the_prior(configure, task):
    pipeline = configure(task, ladder=heuristic("seasonal", "half_hour", "weekend"))
    monday_morning, monday_half_past = ["2026-01-05T08:10"] * 3, ["2026-01-05T08:40"]
    sunday = ["2026-01-04T08:10"] * 2
    rows = dated(*monday_morning, *monday_half_past, *sunday)
    labels = {
        "binary": ["UP", "UP", "DOWN", "DOWN", "DOWN", "DOWN"],
        "regression": [9.0, 10.0, 30.0, 2.0, 1.0, 3.0],
    }[task]
    fitted = fit_heuristic(rows, pd.Series(labels), pipeline)
    asked = pd.concat(
        [dated("2026-01-13T08:29", "2026-01-13T08:30", "2026-01-17T08:00", "2026-01-13T09:00"), dated(None)]
    )
    expected = {
        "binary": ["UP", "DOWN", "DOWN", "DOWN", "DOWN"],
        "regression": [10.0, 2.0, 2.0, 6.0, 6.0],
    }[task]
    assert fitted.answer(asked, pipeline).tolist() == expected


def test_seasonal_answers_the_prior_without_a_clock(configure):
    pipeline = configure(ladder=heuristic("seasonal", "hour"))
    fitted = fit_heuristic(dated("2026-01-05", "2026-01-06"), pd.Series(["UP", "UP"]), pipeline)
    assert fitted.answer(pd.DataFrame({"load": [1.0]}), pipeline).tolist() == ["UP"]


def test_before_anything_was_learned_it_answers_the_default(configure):
    assert default_heuristic(configure()).answer(dated("2026-01-05"), configure()).tolist() == ["DOWN"]
    number = default_heuristic(configure("regression", target={"default": 7})).answer(
        dated("2026-01-05"), configure()
    )
    assert number.tolist() == [7.0]
    assert number.dtype == np.float64


@given(
    st.lists(st.tuples(st.integers(0, 24 * 400), st.sampled_from(["DOWN", "UP"])), min_size=1),
    st.lists(
        st.sampled_from(["half_hour", "hour", "weekday", "day", "month", "weekend"]),
        min_size=1,
        max_size=4,
        unique=True,
    ),
)
def test_a_fitted_cell_answers_its_own_majority_also_after_json(configured_seasonal, examples, season):
    pipeline = configured_seasonal(season)
    rows = pd.DataFrame(
        {"at": pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta([h for h, _ in examples], unit="h")}
    )
    labels = pd.Series([label for _, label in examples])
    fitted = fit_heuristic(rows, labels, pipeline)
    answers = fitted.answer(rows, pipeline)
    again = Heuristic.from_json(json.loads(json.dumps(fitted.to_json())))
    assert again == fitted
    assert again.answer(rows, pipeline).tolist() == answers.tolist()
    day = rows["at"].dt
    parts = {
        "half_hour": day.hour * 2 + day.minute // 30,
        "hour": day.hour,
        "weekday": day.weekday,
        "day": day.day,
        "month": day.month,
        "weekend": day.weekday >= 5,
    }
    cells = list(zip(*(parts[p] for p in season), strict=True))
    for cell, answer in zip(cells, answers, strict=True):
        own = [label for other, label in zip(cells, labels, strict=True) if other == cell]
        assert answer == ("UP" if own.count("UP") > own.count("DOWN") else "DOWN")


@pytest.fixture(scope="module")
def configured_seasonal():
    def configured(season):
        return Pipeline.model_validate(
            {
                "pipeline": "small",
                "task": "binary",
                "target": {"column": "y", "classes": ["DOWN", "UP"], "default": "DOWN"},
                "row_key": ["at"],
                "time": "at",
                "features": {"columns": ["load"]},
                "ladder": {"baseline_columns": ["load"], **heuristic("seasonal", *season)},
            }
        )

    return configured

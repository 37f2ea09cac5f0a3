"""The search picks the better estimator on later rows, knows nothing of the future, and says what failed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.errors import Permanent, UsageError
from evenkeel.learning.search import _folds, choices, search
from evenkeel.learning.window import Part, cut_between

BOOSTING = {"estimator": "hist_gradient_boosting", "grid": {"max_iter": [20]}}
LINEAR = {"estimator": "linear", "grid": {}}


def candidates(*given):
    return {"training": {"candidates": list(given), "folds": 2}}


def found(problem):
    return search(Part(problem.rows, problem.target), problem.pipeline, problem.kinds)


def test_the_better_family_wins_whatever_the_order(problem):
    for order in ([BOOSTING, LINEAR], [LINEAR, BOOSTING]):
        made = problem(**candidates(*order))
        made.target[:] = np.where(made.rows["load"].abs() > 0.7, "UP", "DOWN")
        result = found(made)
        assert result.best.estimator == "hist_gradient_boosting"
        assert result.scores["hist_gradient_boosting max_iter=20"] > 0.9
        assert result.scores["linear"] < 0.7


def test_a_number_is_scored_by_its_negative_absolute_error(problem):
    made = problem("regression", **candidates(LINEAR, BOOSTING))
    result = found(made)
    assert result.best.estimator == "linear"
    assert -0.6 < result.scores["linear"] < -0.3


def test_every_point_of_the_grids_is_tried_in_order(configure):
    pipeline = configure(
        **candidates({"estimator": "linear", "grid": {"C": [1, 2], "tol": [0.1, 0.2]}}, BOOSTING)
    )
    assert [c.name for c in choices(pipeline)] == [
        "linear C=1 tol=0.1",
        "linear C=1 tol=0.2",
        "linear C=2 tol=0.1",
        "linear C=2 tol=0.2",
        "hist_gradient_boosting max_iter=20",
    ]


def test_among_equals_the_first_listed_wins(problem):
    twice = {"estimator": "linear", "grid": {"max_iter": [999, 1000]}}
    assert found(problem(**candidates(twice))).best.params == {"max_iter": 999}


def test_a_candidate_that_fails_is_dropped_with_its_reason(problem):
    broken = {"estimator": "linear", "grid": {"C": [-1.0, 1.0]}}
    result = found(problem(**candidates(broken)))
    assert list(result.scores) == ["linear C=1.0"]
    assert "'C' parameter" in result.dropped["linear C=-1.0"]


def test_without_a_candidate_that_works_training_fails(problem):
    broken = {"estimator": "hist_gradient_boosting", "grid": {"learning_rate": ["fast", -1]}}
    with pytest.raises(Permanent, match="none of 2 candidates") as raised:
        found(problem(**candidates(broken)))
    assert raised.value.cause == "model.training_fails"
    assert "learning_rate" in raised.value.evidence["dropped"]["hist_gradient_boosting learning_rate=fast"]


def test_an_unknown_parameter_is_the_configurations_fault(problem):
    with pytest.raises(UsageError, match=r"'learning_ratee'.*did you mean 'learning_rate'"):
        found(problem(**candidates({"estimator": "hist_gradient_boosting", "grid": {"learning_ratee": [1]}})))
    with pytest.raises(UsageError, match="random_state"):
        found(problem(**candidates({"estimator": "random_forest", "grid": {"random_state": [1]}})))


def test_an_endless_grid_is_refused(configure):
    with pytest.raises(UsageError, match="51 combinations, at most 50"):
        choices(configure(**candidates({"estimator": "linear", "grid": {"C": list(range(1, 52))}})))


def test_no_fold_sees_its_future(problem):
    made = problem()
    part = Part(made.rows, made.target)
    first = _folds(part, made.pipeline, made.kinds)[0]
    seen = len(first.train)
    changed = made.rows.copy()
    changed.loc[seen:, ["load", "price"]] = 1e6
    changed.loc[seen:, "region"] = "elsewhere"
    again = _folds(Part(changed, made.target), made.pipeline, made.kinds)[0]
    assert made.rows.loc[: seen - 1, "price"].isna().any()
    assert first.train["price"].notna().all()
    pd.testing.assert_frame_equal(first.train, again.train)


@given(st.lists(st.integers(0, 20), min_size=2, max_size=60).map(sorted), st.integers(0, 60))
def test_a_cut_never_parts_equal_times_and_is_the_nearest(times, position):
    times = np.array(times)
    allowed = [i for i in range(1, len(times)) if times[i - 1] < times[i]]
    cut = cut_between(times, position)
    if allowed:
        assert cut in allowed
        assert abs(cut - position) == min(abs(i - position) for i in allowed)
    else:
        assert cut == 0

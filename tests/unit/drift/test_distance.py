import gc

import numpy as np
import pandas as pd
import pytest
from evidently import DataDefinition, Dataset, Report
from evidently.metrics import ValueDrift

from evenkeel.drift.calibration import Calibration
from evenkeel.drift.distance import load_distances, values_of
from evenkeel.drift.measurement import measure
from evenkeel.settings.quality import Drift

from .conftest import KINDS


def evidently_says(current: pd.DataFrame, reference: pd.DataFrame, column: str, kind: str) -> float:
    numeric, method = ([column], "wasserstein") if kind == "numeric" else ([], "jensenshannon")
    definition = DataDefinition(numerical_columns=numeric, categorical_columns=[] if numeric else [column])
    run = Report([ValueDrift(column=column, method=method)]).run(
        *(Dataset.from_pandas(f[[column]], definition) for f in (current, reference))
    )
    return float(run.dict()["metrics"][0]["value"])


@pytest.mark.parametrize("column", ["price", "region", "holiday"])
def test_a_verdict_scores_as_evidentlys_own_metric_does_nulls_and_infinities_included(
    reference: pd.DataFrame,
    later_days: list[pd.DataFrame],
    calibration: Calibration,
    config: Drift,
    column: str,
) -> None:
    day = later_days[0].copy()
    day.loc[3, ["region", "holiday"]] = None
    day.loc[3:5, "price"] = [np.nan, np.inf, -np.inf]
    compared = reference.tail(config.sample)

    verdict = measure(day, compared, calibration, config, reference_version="1", seed=0)

    score = next(c.score for c in verdict.columns if c.column == column)
    assert score == pytest.approx(evidently_says(day, compared, column, KINDS[column]), rel=1e-12)


def test_an_encoding_of_the_categories_leaves_their_distance_as_it_is() -> None:
    rng = np.random.default_rng(0)
    reference, current = (rng.choice(np.array(["a", "b", "ü", ""], dtype=object), n) for n in (500, 60))
    distance = load_distances()["categorical"]
    encode = np.vectorize({"a": 7, "b": 0, "ü": 3, "": 1}.get, otypes=[np.int64])

    assert distance(encode(reference), encode(current)) == pytest.approx(
        distance(reference, current), rel=1e-12
    )


@pytest.mark.parametrize(
    ("column", "kind", "expected"),
    [
        (pd.Series([1.0, None, np.inf, -np.inf, 2.0]), "numeric", [1.0, 2.0]),
        (pd.Series([1, None, 2.5], dtype=object), "numeric", [1.0, 2.5]),
        (pd.Series(["x", None, "y"], dtype=object), "categorical", ["x", "y"]),
        (pd.Series(["x", None], dtype="string"), "categorical", ["x"]),
        (pd.Series([True, None, False], dtype=object), "boolean", ["True", "False"]),
        (pd.Series([True, None, False], dtype="boolean"), "boolean", ["True", "False"]),
        (pd.Series([None, None], dtype=object), "categorical", []),
    ],
)
def test_values_are_what_is_left_without_nulls_and_infinities(
    column: pd.Series, kind: str, expected: list[object]
) -> None:
    assert values_of(column, kind).tolist() == expected


def test_an_overflowing_distance_is_finite() -> None:
    distance = load_distances()["numeric"]
    huge = np.array([1.7e308, -1.7e308] * 5)

    assert distance(huge, np.full(10, 1.7e308)) == 1e12


def test_loading_leaves_the_garbage_collector_on() -> None:
    assert gc.isenabled()

    load_distances()

    assert gc.isenabled()

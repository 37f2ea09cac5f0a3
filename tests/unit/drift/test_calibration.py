import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenkeel.drift.calibration import LEAST_THRESHOLD, Calibration, Level, calibrate
from evenkeel.errors import ModelUnusable
from evenkeel.settings.quality import Drift

from .conftest import DAY, KINDS


def test_it_survives_json_exactly(calibration: Calibration) -> None:
    assert Calibration.from_json(json.loads(json.dumps(calibration.to_json()))) == calibration


def test_its_size_is_bounded(calibration: Calibration) -> None:
    assert len(json.dumps(calibration.to_json())) < 10_000


@pytest.mark.parametrize("document", [{}, {"levels": [{"rows": 1}]}, {"levels": [], "sample": 3, "else": 1}])
def test_a_document_that_is_no_calibration_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ModelUnusable, match="drift calibration") as refused:
        Calibration.from_json(document)

    assert refused.value.cause == "model.artifact_corrupt"


def test_only_columns_of_measurable_kinds_are_calibrated(calibration: Calibration) -> None:
    assert list(calibration.kinds) == ["price", "demand", "load", "region", "holiday"]


def test_the_same_seed_gives_the_same_thresholds(reference: pd.DataFrame, calibration: Calibration) -> None:
    again = calibrate(reference, KINDS, Drift(), batch_rows=DAY, seed=3)
    other = calibrate(reference, KINDS, Drift(), batch_rows=DAY, seed=4)

    assert again == calibration
    assert other != calibration


def test_correlated_rows_get_a_wider_threshold_than_independent_ones() -> None:
    rng = np.random.default_rng(0)
    steps = rng.normal(size=4000)
    slow = pd.Series(steps).ewm(alpha=0.2).mean().to_numpy()
    frame = pd.DataFrame({"independent": steps, "correlated": slow / slow.std()})

    found = calibrate(frame, dict.fromkeys(frame, "numeric"), Drift(), batch_rows=DAY, seed=3)

    wide = found.thresholds(0.01, {"independent": DAY, "correlated": DAY})
    assert wide["correlated"] > 1.5 * wide["independent"]


def test_a_short_reference_is_said_and_widens_the_thresholds(
    reference: pd.DataFrame, calibration: Calibration, config: Drift
) -> None:
    week = calibrate(reference.tail(7 * DAY), KINDS, config, batch_rows=DAY, seed=3)

    assert "is short for batches of 48" in week.describe(0.01)
    assert "is short" not in calibration.describe(0.01)
    at_day = dict.fromkeys(["demand", "load"], float(DAY))
    wide, usual = week.thresholds(0.01, at_day), calibration.thresholds(0.01, at_day)
    assert all(wide[column] > usual[column] for column in at_day)


def test_a_distance_too_small_to_matter_is_no_drift_however_sure() -> None:
    sure = Level(rows=48, disjoint=80, center={"x": 0.01}, spread={"x": 0.005}, peaks=(1.0, 2.0, 2.0, 3.0))

    assert sure.thresholds(0.01) == {"x": 0.1}


def test_below_the_shortest_windows_the_threshold_grows_as_for_independent_rows(
    calibration: Calibration,
) -> None:
    shortest = calibration.levels[0]

    whole, quarter = (
        calibration.thresholds(0.01, {"load": rows})["load"] for rows in (shortest.rows, shortest.rows / 4)
    )

    assert quarter == pytest.approx(2 * whole)


@settings(max_examples=60)
@given(
    rows=st.floats(1, 1e7),
    more=st.floats(1, 1e3),
    peaks=st.lists(st.floats(-3, 8), min_size=4, max_size=80),
    spread=st.floats(0.005, 2),
    rates=st.tuples(st.floats(0.001, 0.4), st.floats(0.001, 0.4)),
)
def test_thresholds_never_fall_below_the_least_nor_rise_with_rows_or_with_the_rate(
    rows: float, more: float, peaks: list[float], spread: float, rates: tuple[float, float]
) -> None:
    levels = tuple(
        Level(rows=r, disjoint=20, center={"x": c}, spread={"x": spread}, peaks=tuple(sorted(peaks)))
        for r, c in ((24, 0.4), (48, 0.3))
    )
    found = Calibration({"x": "numeric"}, {"x": 1.0}, levels, 2000, 48, 5000)

    def at(n: float, rate: float) -> float:
        return found.thresholds(rate, {"x": n})["x"]

    strict, loose = sorted(rates)
    assert at(rows, strict) >= LEAST_THRESHOLD - 1e-12
    assert at(rows * more, strict) <= at(rows, strict) + 1e-9
    assert at(rows, loose) <= at(rows, strict) + 1e-9

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from evenkeel.domain.drift import DriftVerdict
from evenkeel.drift.calibration import Calibration, calibrate
from evenkeel.drift.measurement import measure
from evenkeel.settings.quality import Drift

from .conftest import DAY, KINDS, market

Measure = Callable[[pd.DataFrame], DriftVerdict]


@pytest.fixture
def measured(reference: pd.DataFrame, calibration: Calibration, config: Drift) -> Measure:
    def run(batch: pd.DataFrame) -> DriftVerdict:
        return measure(batch, reference, calibration, config, reference_version="4", seed=5)

    return run


def named(verdict: DriftVerdict) -> set[str]:
    return {c.column for c in verdict.columns if c.drifted}


def test_a_hundred_undrifted_days_alarm_no_more_often_than_the_policy_says(
    measured: Measure, later_days: list[pd.DataFrame]
) -> None:
    alarms = sum(measured(day).drifted for day in later_days)

    # At 1% four or more of a hundred happen in one history of fifty.
    assert alarms <= 3


def test_a_looser_policy_alarms_more_often_but_not_more_than_it_says(
    reference: pd.DataFrame, calibration: Calibration, later_days: list[pd.DataFrame]
) -> None:
    loose = Drift(false_alarm=0.2)
    alarms = sum(
        measure(day, reference, calibration, loose, reference_version="4", seed=5).drifted
        for day in later_days
    )

    assert 5 <= alarms <= 30


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("price", lambda v: v * 1000),
        ("demand", lambda v: -v),
        ("load", lambda v: v + 1.5),
        ("region", lambda v: v.replace({"north": "NSW", "south": "VIC", "west": "SA"})),
        ("holiday", lambda v: v | True),
    ],
)
def test_a_changed_column_alarms_and_is_the_one_named(
    measured: Measure,
    later_days: list[pd.DataFrame],
    column: str,
    change: Callable[[pd.Series], pd.Series],
) -> None:
    for day in later_days[:5]:
        before = measured(day)

        after = measured(day.assign(**{column: change(day[column])}))

        assert after.drifted
        assert named(after) == named(before) | {column}


def test_a_batch_that_lost_rows_is_not_taken_for_drift(
    measured: Measure, later_days: list[pd.DataFrame]
) -> None:
    alarms = sum(measured(day.iloc[: DAY // 2]).drifted for day in later_days)

    assert alarms <= 3


def test_the_cost_is_bounded_by_the_sample(
    measured: Measure, later_days: list[pd.DataFrame], config: Drift
) -> None:
    million = pd.concat(later_days, ignore_index=True)
    million = million.loc[np.arange(1_000_000) % len(million)].reset_index(drop=True)

    verdict = measured(million)

    assert verdict.rows == config.sample
    assert len(verdict.columns) == 5


def test_a_sample_cut_after_training_is_judged_as_the_small_batch_that_it_is(
    reference: pd.DataFrame, later_days: list[pd.DataFrame], config: Drift
) -> None:
    weeks = calibrate(reference, KINDS, config, batch_rows=5 * DAY, seed=3)
    batch = pd.concat(later_days[:5], ignore_index=True)

    whole, part = (
        measure(batch, reference, weeks, drift, reference_version="4", seed=5)
        for drift in (config, Drift(sample=50))
    )

    assert (whole.rows, part.rows) == (5 * DAY, 50)
    assert all(p.threshold > w.threshold for p, w in zip(part.columns, whole.columns, strict=True))
    assert not part.drifted


@pytest.mark.parametrize("sampled", ["batch", "reference"])
def test_the_same_seed_gives_the_same_verdict_and_another_seed_another_sample(
    reference: pd.DataFrame, calibration: Calibration, history: pd.DataFrame, config: Drift, sampled: str
) -> None:
    batch, compared = (history, reference.tail(config.sample))
    if sampled == "reference":
        batch, compared = history.tail(DAY), reference

    def run(seed: int) -> DriftVerdict:
        return measure(batch, compared, calibration, config, reference_version="4", seed=seed)

    assert run(1) == run(1)
    assert run(1).columns[0].score != run(2).columns[0].score


def test_a_small_batch_gets_no_verdict_and_says_why(
    measured: Measure, later_days: list[pd.DataFrame]
) -> None:
    verdict = measured(later_days[0].head(19))

    assert not verdict.measured
    assert not verdict.drifted
    assert verdict.reference_version == "4"
    assert "19 rows" in verdict.note
    assert "min_rows 20" in verdict.note


def test_a_column_without_values_is_left_out_and_named_in_the_note(
    measured: Measure, later_days: list[pd.DataFrame]
) -> None:
    day = later_days[0].assign(price=np.nan, region=None).drop(columns="load")

    verdict = measured(day)

    assert {c.column for c in verdict.columns} == {"demand", "holiday"}
    assert "not measured, too few values: price, load, region" in verdict.note
    assert not verdict.drifted


def test_infinities_and_overflows_are_survived_and_scores_stay_finite(
    measured: Measure, later_days: list[pd.DataFrame]
) -> None:
    day = later_days[0].copy()
    day.loc[0, "price"] = np.inf
    day.loc[1, "price"] = -np.inf
    day["demand"] = 1.7e308

    verdict = measured(day)

    assert all(np.isfinite(c.score) for c in verdict.columns)
    assert named(verdict) == {"demand"}


def test_nulls_scattered_over_a_column_are_not_drift(
    measured: Measure, later_days: list[pd.DataFrame]
) -> None:
    rng = np.random.default_rng(0)
    alarms = 0
    for day in later_days:
        gaps = rng.random(len(day)) < 0.8
        alarms += "load" in named(measured(day.assign(load=day["load"].mask(gaps))))

    assert alarms <= 3


def test_as_many_nulls_as_in_the_reference_leave_the_threshold_as_it_is(
    reference: pd.DataFrame, later_days: list[pd.DataFrame], config: Drift
) -> None:
    gappy = reference.assign(load=reference["load"].where(np.arange(len(reference)) % 2 == 0))
    calibration = calibrate(gappy, KINDS, config, batch_rows=DAY, seed=3)
    day = later_days[0].assign(load=later_days[0]["load"].where(np.arange(DAY) % 2 == 0))

    verdict = measure(day, gappy, calibration, config, reference_version="4", seed=5)

    threshold = next(c.threshold for c in verdict.columns if c.column == "load")
    assert threshold == pytest.approx(calibration.levels[-1].thresholds(config.false_alarm)["load"])


def test_a_column_that_was_constant_alarms_only_once_it_varies(
    reference: pd.DataFrame, later_days: list[pd.DataFrame], config: Drift
) -> None:
    still = reference.assign(load=0.0035)
    calibration = calibrate(still, KINDS, config, batch_rows=DAY, seed=3)

    quiet = measure(
        later_days[1].assign(load=0.0035), still, calibration, config, reference_version="4", seed=5
    )
    loud = measure(later_days[1], still, calibration, config, reference_version="4", seed=5)

    assert not quiet.drifted
    assert named(loud) == {"load"}


def test_a_reference_column_without_values_is_not_measured(
    reference: pd.DataFrame, later_days: list[pd.DataFrame], config: Drift
) -> None:
    empty = reference.assign(load=np.nan, region=None)
    calibration = calibrate(empty, KINDS, config, batch_rows=DAY, seed=3)

    verdict = measure(later_days[0], empty, calibration, config, reference_version="4", seed=5)

    assert {c.column for c in verdict.columns} == {"price", "demand", "holiday"}
    assert "load, region" in verdict.note


def test_a_reference_too_short_to_learn_from_gives_no_verdict(config: Drift) -> None:
    short = market(50, seed=1)
    calibration = calibrate(short, KINDS, config, batch_rows=DAY, seed=3)

    verdict = measure(market(DAY, seed=2), short, calibration, config, reference_version="4", seed=5)

    assert not verdict.measured
    assert "reference of 50 rows is too short" in verdict.note

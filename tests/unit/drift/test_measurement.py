from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evenkeel.domain.drift import DriftVerdict
from evenkeel.drift.calibration import Calibration, calibrate
from evenkeel.drift.measurement import measure
from evenkeel.settings.pipeline import Drift

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


def test_a_sample_cut_after_training_judges_the_batch_as_a_small_one(
    reference: pd.DataFrame, calibration: Calibration, measured: Measure, later_days: list[pd.DataFrame]
) -> None:
    week = pd.concat(later_days[:7], ignore_index=True)
    cut = Drift(sample=50, min_rows=10)
    small = replace(calibration, levels=calibration.levels[:1])

    narrow = measure(week, reference, calibration, cut, reference_version="4", seed=5)
    wide = measure(week.iloc[:24], reference, small, cut, reference_version="4", seed=5)

    assert narrow.rows == 50
    assert not narrow.drifted
    assert wide.columns[0].threshold > narrow.columns[0].threshold >= measured(week).columns[0].threshold


def test_the_same_seed_gives_the_same_verdict_and_another_seed_another_sample(
    reference: pd.DataFrame, calibration: Calibration, history: pd.DataFrame, config: Drift
) -> None:
    def run(seed: int) -> DriftVerdict:
        return measure(history, reference, calibration, config, reference_version="4", seed=seed)

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
    alarms = 0
    for day in later_days[:50]:
        gaps = np.random.default_rng(len(day)).random(len(day)) < 0.4
        alarms += measured(day.assign(load=day["load"].mask(gaps))).drifted

    assert alarms <= 2


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

import numpy as np
import pytest

from evenkeel.drift.tail import critical_value, standardise


def test_of_many_normal_columns_the_realised_rate_is_near_the_one_asked_for() -> None:
    rng = np.random.default_rng(0)
    alarms = []
    for _ in range(60):
        center, spread, peaks = standardise(1 + 0.2 * rng.normal(size=(30, 10)))
        fresh = 1 + 0.2 * rng.normal(size=(500, 10))
        reach = critical_value(peaks, 0.05, disjoint=30)
        alarms.append(((fresh - center) / spread > reach).any(axis=1).mean())

    assert np.mean(alarms) == pytest.approx(0.05, abs=0.02)


def test_few_windows_reach_further_than_many() -> None:
    peaks = np.random.default_rng(0).gumbel(3, 1, size=80)

    assert critical_value(peaks, 0.01, disjoint=12) > critical_value(peaks, 0.01, disjoint=80)


def test_a_rare_event_in_one_column_does_not_blind_the_others() -> None:
    distances = np.abs(0.2 + 0.05 * np.random.default_rng(0).normal(size=(60, 5)))
    plain = critical_value(standardise(distances)[2], 0.01, disjoint=60)
    distances[:, 0] = 0.01
    distances[30, 0] = 50.0

    with_event = critical_value(standardise(distances)[2], 0.01, disjoint=60)

    assert with_event < 2 * plain


def test_columns_with_missing_windows_are_standardised_over_those_they_have() -> None:
    distances = np.random.default_rng(0).random((30, 3))
    distances[5:, 1] = np.nan
    distances[:, 2] = np.nan

    center, spread, peaks = standardise(distances)

    assert center[1] == pytest.approx(distances[:5, 1].mean())
    assert spread[1] == pytest.approx(distances[:5, 1].std(ddof=1))
    assert np.isnan(center[2])
    assert len(peaks) == 30
    assert np.isfinite(peaks).all()

"""Axes hold what is drawn, with labels that can be told apart."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.report.axes import label_ticks, scale_of, slot

numbers = st.lists(st.floats(min_value=-1e12, max_value=1e12), min_size=1, max_size=30)


@given(numbers, st.booleans())
def test_a_scale_holds_every_value_between_round_labels(values: list[float], from_zero: bool) -> None:
    scale = scale_of(values, from_zero=from_zero)

    slack = 1e-6 * (scale.high - scale.low)
    assert scale.low - slack <= min(values)
    assert max(values) <= scale.high + slack
    assert 2 <= len(scale.ticks) <= 7
    if from_zero:
        assert scale.low <= 0 <= scale.high


@given(st.lists(st.floats(min_value=0, max_value=1), min_size=1, max_size=30))
def test_a_share_never_gets_a_label_above_a_hundred_percent(values: list[float]) -> None:
    scale = scale_of(values, from_zero=False, ceiling=1.0, percent=True)

    assert scale.high <= 1.0 + 1e-9
    assert scale.low <= min(values) + 1e-9
    labels = [tick.label for tick in scale.ticks]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0, 48, 60], ["0", "20", "40", "60"]),
        ([0.0, 0.25], ["0.0", "0.1", "0.2", "0.3"]),
        ([0, 1], ["0.00", "0.25", "0.50", "0.75", "1.00"]),
        ([0, 1_000_000], ["0", "250,000", "500,000", "750,000", "1,000,000"]),
    ],
)
def test_labels_are_round_and_as_precise_as_they_need_to_be(values: list[float], labels: list[str]) -> None:
    assert [tick.label for tick in scale_of(values, from_zero=True).ticks] == labels


def test_values_that_are_no_numbers_do_not_stretch_the_axis() -> None:
    assert scale_of([1.0, math.nan, math.inf, 3.0], from_zero=True) == scale_of([1.0, 3.0], from_zero=True)


def test_higher_values_stand_higher() -> None:
    scale = scale_of([0.0, 10.0], from_zero=True)

    assert scale.y(10.0) == 0.0
    assert scale.y(0.0) == 100.0
    assert scale.y(7.0) < scale.y(3.0)


@given(st.integers(min_value=1, max_value=2000))
def test_slots_follow_each_other_inside_the_plot(count: int) -> None:
    left, width = slot(count - 1, count)

    assert left + width <= 100.01
    assert slot(0, count)[0] == 0


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (5, 2), (56, 4), (400, 4)])
def test_few_enough_labels_to_read_from_the_first_batch_to_the_last(count: int, expected: int) -> None:
    labels = [f"b{i}" for i in range(count)]

    ticks = label_ticks(labels)

    assert len(ticks) == expected
    assert ticks[0].label == "b0"
    assert count == 1 or ticks[-1].label == labels[-1]


def test_no_batches_no_labels() -> None:
    assert label_ticks([]) == ()

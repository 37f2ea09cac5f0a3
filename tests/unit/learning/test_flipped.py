"""Labels whose classes changed places, or that come in another unit, are told from a model that got worse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.learning.flipped import changed_numbers, flipped_classes

TWO, THREE = ("DOWN", "UP"), ("high", "low", "middle")
SWAPPED = {"UP": "DOWN", "DOWN": "UP"}


def answered(n, accuracy, seed, classes=TWO, *, shares=None, batches=1):
    """Rows whose answers are right as often as said, whatever their class."""
    draw, names = np.random.default_rng(seed), np.array(classes)
    label = draw.choice(len(names), size=n, p=shares)
    wrong = (label + draw.integers(1, len(names), size=n)) % len(names)
    prediction = names[np.where(draw.random(n) < accuracy, label, wrong)]
    label = names[label]
    batch = np.arange(n) * batches // n
    return pd.DataFrame({"prediction": prediction, "label": label, "batch_id": batch, "confidence": accuracy})


@pytest.mark.parametrize("history", [0, 1000])
def test_a_flip_is_found_with_or_without_earlier_labels(history):
    now, before = answered(60, 0.85, 1), answered(history, 0.85, 2, batches=20)

    found = flipped_classes(now.assign(label=now["label"].map(SWAPPED)), before, TWO)

    assert found.transform == "UP->DOWN, DOWN->UP"
    assert found.evidence["agree with the answers"] < 0.3
    assert found.evidence["would agree, put back"] > 0.75
    assert flipped_classes(now, before, TWO) is None


def test_two_of_three_classes_that_changed_places_are_named():
    now, before = answered(120, 0.9, 1, THREE), answered(1000, 0.9, 2, THREE, batches=20)

    swapped = now.assign(label=now["label"].replace({"low": "high", "high": "low"}))

    assert flipped_classes(swapped, before, THREE).transform == "low->high, high->low"


def test_a_flip_of_rare_classes_is_found_and_other_shares_are_no_flip():
    before = answered(2000, 0.9, 2, shares=[0.93, 0.07], batches=20)
    now = answered(200, 0.9, 1, shares=[0.93, 0.07])
    assert flipped_classes(now.assign(label=now["label"].map(SWAPPED)), before, TWO) is not None
    assert flipped_classes(answered(200, 0.9, 3, shares=[0.2, 0.8]), before, TWO) is None


@pytest.mark.parametrize("accuracy", [0.5, 0.42])
def test_a_model_that_got_worse_is_no_flip(accuracy):
    before = answered(1000, 0.85, 2, batches=20)
    for seed in range(50):
        assert flipped_classes(answered(100, accuracy, seed), before, TWO) is None


def test_few_rows_or_one_class_say_nothing():
    before = answered(1000, 0.95, 2, batches=20)
    flip = answered(29, 0.95, 1)
    assert flipped_classes(flip.assign(label=flip["label"].map(SWAPPED)), before, TWO) is None
    one = answered(200, 0.95, 1, shares=[1.0, 0.0]).assign(prediction="UP")
    assert flipped_classes(one, before, TWO) is None


def test_batches_that_vary_by_themselves_ask_for_more():
    draw = np.random.default_rng(4)
    days = [answered(50, draw.choice([0.1, 0.9]), i).assign(batch_id=i) for i in range(40)]
    flip = answered(60, 0.9, 99)
    flip = flip.assign(label=flip["label"].map(SWAPPED))
    assert flipped_classes(flip, pd.concat(days), TWO) is None


@given(st.integers(0, 10**6), st.integers(30, 200), st.floats(0.55, 0.99), st.integers(0, 40))
def test_honest_labels_are_no_flip(seed, rows, accuracy, batches):
    before = answered(batches * 50, accuracy, [seed, 1], batches=max(1, batches))
    assert flipped_classes(answered(rows, accuracy, [seed, 2]), before, TWO) is None


def numbers(n, seed, noise=10.0, batches=1, offset=100.0):
    draw = np.random.default_rng(seed)
    prediction = draw.normal(offset, 20, size=n)
    label = prediction + noise * draw.normal(size=n)
    return pd.DataFrame({"prediction": prediction, "label": label, "batch_id": np.arange(n) * batches // n})


@pytest.mark.parametrize(
    ("change", "transform"),
    [
        (lambda y: -y, "sign turned"),
        (lambda y: 1000 * y, "x1000"),
        (lambda y: y / 60, "x0.0166667"),
        (lambda y: 32 + 1.8 * y, "C to F"),
    ],
    ids=["sign", "thousand", "sixtieth", "Fahrenheit"],
)
def test_numbers_in_another_unit_or_with_their_sign_turned_are_named(change, transform):
    now, before = numbers(60, 1), numbers(500, 2, batches=10)
    assert changed_numbers(now.assign(label=change(now["label"])), before).transform == transform
    assert changed_numbers(now, before) is None
    assert changed_numbers(now.head(29).assign(label=change(now["label"])), before) is None


@pytest.mark.parametrize("noise", [10.0, 30.0, 100.0])
def test_a_model_of_numbers_that_got_worse_is_not_contradicted(noise):
    before = numbers(500, 2, batches=10)
    for seed in range(50):
        assert changed_numbers(numbers(60, seed, noise=noise), before) is None


def test_a_world_that_grew_is_not_another_unit():
    before = numbers(500, 2, batches=10)
    grown = numbers(60, 1)
    assert changed_numbers(grown.assign(label=grown["label"] * 2.5), before) is None

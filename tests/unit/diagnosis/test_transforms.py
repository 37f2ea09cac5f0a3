from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evenkeel.diagnosis import transforms
from tests.unit.diagnosis.feed import SUBJECT, batches, feed

UNITS = {
    "x1000": (1000.0, 0.0),
    "x0.01": (0.01, 0.0),
    "C to F": (1.8, 32.0),
    "x1.60934 (miles to km)": (1.609344, 0.0),
}


def _only(faults):
    (fault,) = faults
    return fault


@pytest.mark.parametrize("rows", [60, 1000])
@pytest.mark.parametrize("words", ["x1000", "x0.01", "C to F"])
@pytest.mark.parametrize("column", ["amount", "temp", "signed"])
def test_a_column_in_another_unit_is_named_and_put_back(column, words, rows):
    past, batch = feed(rows, seed=1)
    factor, offset = UNITS[words]
    broken = batch.assign(**{column: batch[column] * factor + offset})
    fault = _only(transforms.detect(broken, past, SUBJECT))
    assert (fault.cause, fault.columns, fault.rows) == ("data.unit_change", (column,), None)
    assert fault.transform == words
    assert fault.confidence >= 0.95
    np.testing.assert_allclose(fault.repaired[column], batch[column], rtol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_a_sensor_out_of_calibration_is_a_unit_change(seed):
    past, batch = feed(400, seed)
    broken = batch.assign(temp=3 * batch["temp"] + 3 * batch["temp"].std())
    fault = _only(transforms.detect(broken, past, SUBJECT))
    assert (fault.cause, fault.columns) == ("data.unit_change", ("temp",))
    assert np.corrcoef(fault.repaired["temp"], batch["temp"])[0, 1] > 0.999
    assert abs(fault.repaired["temp"].mean() - batch["temp"].mean()) < batch["temp"].std()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("column", ["amount", "signed"])
def test_a_turned_sign_is_seen_even_where_the_column_is_symmetric(column, seed):
    past, batch = feed(300, seed)
    fault = _only(transforms.detect(batch.assign(**{column: -batch[column]}), past, SUBJECT))
    assert (fault.cause, fault.columns) == ("data.sign_flip", (column,))
    pd.testing.assert_series_equal(fault.repaired[column], batch[column])


@pytest.mark.parametrize(("one", "other"), [("amount", "count"), ("temp", "signed")])
def test_columns_that_changed_places_are_put_back(one, other):
    past, batch = feed(300, seed=2)
    broken = batch.assign(**{one: batch[other], other: batch[one]})
    fault = _only(transforms.detect(broken, past, SUBJECT))
    assert fault.cause == "data.columns_swapped"
    assert set(fault.columns) == {one, other}
    assert list(fault.repaired[one]) == list(batch[one])
    assert list(fault.repaired[other]) == list(batch[other])


def test_known_names_that_stand_for_each_other_are_put_back():
    past, batch = feed(400, seed=3)
    turned = batch["region"].map({"north": "south", "south": "east", "east": "north"})
    fault = _only(transforms.detect(batch.assign(region=turned), past, SUBJECT))
    assert (fault.cause, fault.columns) == ("data.category_recoding", ("region",))
    assert fault.transform == "east->north, north->south, south->east"
    assert list(fault.repaired["region"]) == list(batch["region"])


def test_inverted_truth_values_are_put_back():
    past, batch = feed(400, seed=4)
    fault = _only(transforms.detect(batch.assign(member=~batch["member"]), past, SUBJECT))
    assert (fault.cause, fault.columns) == ("data.category_recoding", ("member",))
    pd.testing.assert_series_equal(fault.repaired["member"], batch["member"])


@pytest.mark.parametrize("first", [50, 140])
def test_a_source_that_changed_in_mid_batch_is_put_back_from_there(first):
    past, batch = feed(300, seed=5)
    broken = batch.copy()
    broken.loc[first:, "amount"] *= 1000
    fault = _only(transforms.detect(broken, past, SUBJECT))
    assert fault.columns == ("amount",)
    assert list(fault.rows) == list(range(first, 300))
    np.testing.assert_allclose(fault.repaired["amount"], batch["amount"])


def test_several_at_once_are_told_apart():
    past, batch = feed(300, seed=6)
    broken = batch.assign(
        amount=batch["amount"] * 1000, signed=-batch["signed"], temp=batch["count"], count=batch["temp"]
    )
    found = {(f.cause, frozenset(f.columns)) for f in transforms.detect(broken, past, SUBJECT)}
    assert found == {
        ("data.unit_change", frozenset({"amount"})),
        ("data.sign_flip", frozenset({"signed"})),
        ("data.columns_swapped", frozenset({"temp", "count"})),
    }


@pytest.mark.parametrize("rows", [48, 500])
@pytest.mark.parametrize("growth", [0.0, 0.03])
@pytest.mark.parametrize("seed", range(4))
def test_sound_batches_are_left_alone(seed, growth, rows):
    past, batch = feed(rows, 100 + seed, growth)
    assert transforms.detect(batch, past, SUBJECT) == []


@pytest.mark.parametrize("column", ["amount", "temp", "signed"])
@pytest.mark.parametrize("seed", range(3))
def test_a_world_that_sends_other_rows_is_no_broken_feed(seed, column):
    past, _ = feed(300, seed)
    crowd = pd.concat(batches(34, 300, seed)[30:], ignore_index=True)
    drawn = crowd.nlargest(300, column).sort_index().reset_index(drop=True)
    assert transforms.detect(drawn, past, SUBJECT) == []

"""Another unit stretches the spread with the level; a world on another level does not."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from evenkeel.diagnosis.diagnose import diagnose
from evenkeel.diagnosis.past import Past, Subject

KINDS = {"id": "numeric", "load": "numeric", "at": "time"}
SUBJECT = Subject(KINDS, ("load",), ("id",), "at", frozenset(), datetime(2030, 1, 1, tzinfo=UTC))


def batch(number, level=5000.0):
    draw = np.random.default_rng([5, number])
    at = pd.date_range("2026-01-01", periods=48, freq="30min", tz="UTC") + pd.Timedelta(days=number)
    return pd.DataFrame({"id": np.arange(48.0) + 48 * number, "load": draw.normal(level, 600, 48), "at": at})


PAST = Past(None, tuple(batch(n) for n in range(20)))


@pytest.mark.parametrize("number", [20, 21, 22])
def test_a_higher_level_of_the_same_spread_is_no_other_unit(number):
    diagnosis = diagnose(batch(number, level=8050.0), PAST, SUBJECT)

    assert [f.cause for f in diagnosis.faults] == []


@pytest.mark.parametrize("number", [20, 21, 22])
def test_level_and_spread_together_are_another_unit(number):
    came = batch(number)

    diagnosis = diagnose(came.assign(load=came["load"] * 1000), PAST, SUBJECT)

    assert [(f.cause, f.transform) for f in diagnosis.faults] == [("data.unit_change", "x1000")]

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evenkeel.diagnosis.diagnose import diagnose
from evenkeel.diagnosis.past import Past
from tests.unit.diagnosis.feed import KINDS, SUBJECT, batches, feed


def test_too_little_past_is_said():
    past, batch = feed(48)
    assert "0 good batches" in diagnose(batch, Past(None, ()), SUBJECT).note
    assert "a past of 10 rows" in diagnose(batch, Past(past.recent[0].head(10), ()), SUBJECT).note
    assert diagnose(batch.head(0), past, SUBJECT).note == "an empty batch"


@pytest.mark.parametrize("seed", range(4))
def test_a_sound_batch_has_no_fault_and_has_not_changed(seed):
    past, batch = feed(200, 200 + seed)
    diagnosis = diagnose(batch, past, SUBJECT)
    assert diagnosis.faults == ()
    assert diagnosis.changed == ()


def test_a_changed_world_is_named_apart_from_a_broken_feed():
    past, _ = feed(300, seed=1)
    crowd = pd.concat(batches(35, 300, 1)[30:], ignore_index=True)
    drawn = crowd.nlargest(300, "amount").sort_index().reset_index(drop=True)
    diagnosis = diagnose(drawn, past, SUBJECT)
    assert not {f.cause for f in diagnosis.faults} & {
        "data.unit_change",
        "data.sign_flip",
        "data.columns_swapped",
    }
    assert "amount" in diagnosis.changed


def test_a_faulty_column_is_not_called_changed_and_all_its_faults_are_mended():
    past, batch = feed(300, seed=2)
    broken = batch.assign(amount=batch["amount"] * 1000, region=batch["region"].str.upper())
    broken.loc[::9, "amount"] = -999.0
    diagnosis = diagnose(broken, past, SUBJECT)
    causes = {(f.cause, f.columns) for f in diagnosis.faults}
    assert ("data.unit_change", ("amount",)) in causes
    assert ("data.sentinel_values", ("amount",)) in causes
    assert ("data.category_recoding", ("region",)) in causes
    assert diagnosis.changed == ()
    unit = next(f for f in diagnosis.faults if f.cause == "data.unit_change")
    untouched = np.arange(300) % 9 != 0
    np.testing.assert_allclose(unit.repaired["amount"][untouched], batch["amount"][untouched])


def test_the_same_batch_is_diagnosed_the_same():
    past, batch = feed(300, seed=3)
    broken = batch.assign(temp=batch["temp"] * 1.8 + 32)
    first = diagnose(broken, past, SUBJECT)
    again = diagnose(broken.copy(), Past(past.reference, past.recent), SUBJECT)
    assert [(f.cause, f.confidence, f.evidence) for f in first.faults] == [
        (f.cause, f.confidence, f.evidence) for f in again.faults
    ]


NUMBERS = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))
CELLS = {
    "numeric": NUMBERS,
    "categorical": st.one_of(st.none(), st.sampled_from(["north", "pro", "", "1", "2", "x"])),
    "boolean": st.one_of(st.none(), st.booleans()),
    "time": st.one_of(st.none(), st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1))),  # noqa: DTZ001
}
TYPES = {"numeric": "float64", "categorical": object, "boolean": "boolean", "time": "datetime64[ns, UTC]"}


@st.composite
def frames(draw):
    rows = draw(st.integers(0, 30))
    columns = draw(st.lists(st.sampled_from(sorted(KINDS)), unique=True))
    made = {}
    for name in columns:
        constant = draw(st.booleans())
        cells = CELLS[KINDS[name]]
        values = [draw(cells)] * rows if constant else draw(st.lists(cells, min_size=rows, max_size=rows))
        if KINDS[name] == "time":
            values = [None if v is None else v.replace(tzinfo=UTC) for v in values]
        made[name] = pd.Series(values, dtype=TYPES[KINDS[name]])
    return pd.DataFrame(made, index=pd.RangeIndex(rows))


PAST, _ = feed(60, seed=9)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(batch=frames(), before=st.one_of(st.none(), frames()))
def test_any_typed_frame_is_diagnosed(batch, before):
    past = PAST if before is None else Past(pd.concat([before] * 40, ignore_index=True), (before, before))
    diagnosis = diagnose(batch, past, SUBJECT)
    for fault in diagnosis.faults:
        assert 0.5 <= fault.confidence <= 1
        assert all(len(values) == len(batch) for values in fault.repaired.values())
        assert fault.rows is None or np.all(fault.rows < len(batch))

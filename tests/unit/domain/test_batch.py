"""Batch ids are safe as folders; pins survive their way through the ledger."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.domain.batch import ModelRef, Pins, check_batch_id
from evenkeel.errors import UsageError


@pytest.mark.parametrize("good", ["2026-11-23", "w01", "a.b_c=d+e", "0" * 128])
def test_usual_batch_ids_pass(good):
    assert check_batch_id(good) == good


@pytest.mark.parametrize("bad", ["", "..", "a/b", "a\\b", "../x", "a..b", ".hidden", "a b", "x" * 129, "a\n"])
def test_what_could_leave_the_folder_is_refused(bad):
    with pytest.raises(UsageError, match="cannot be used"):
        check_batch_id(bad)


@given(
    st.none() | st.builds(ModelRef, st.text(), st.text(), st.text()),
    st.lists(st.text()).map(tuple),
    st.datetimes(timezones=st.just(UTC)),
)
def test_pins_come_back_from_json_as_they_were(model, inputs, as_of):
    pins = Pins(model, None, "sha", inputs, as_of, {"column": 1.5})

    assert Pins.from_json(pins.to_json()) == pins


def test_pins_hold_aware_times():
    pins = Pins(None, None, "sha", (), datetime(2026, 1, 1, tzinfo=UTC))

    assert Pins.from_json(pins.to_json()).as_of.tzinfo is not None

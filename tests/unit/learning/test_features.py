"""Training and serving see the same columns, typed for the models, calendar from the row's time."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.learning.features import calendar_part, model_columns, model_frame, utc_times

KINDS = {"at": "time", "load": "numeric", "price": "numeric", "region": "categorical", "holiday": "boolean"}


@given(
    st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), min_size=1)  # noqa: DTZ001
)
def test_calendar_agrees_with_the_standard_library(times):
    index = utc_times(pd.Series(times))
    expected = {
        "half_hour": [t.hour * 2 + t.minute // 30 for t in times],
        "hour": [t.hour for t in times],
        "weekday": [t.weekday() for t in times],
        "day": [t.day for t in times],
        "month": [t.month for t in times],
        "weekend": [int(t.weekday() >= 5) for t in times],
    }
    for part, values in expected.items():
        assert calendar_part(index, part).tolist() == values


@pytest.mark.parametrize("part", ["half_hour", "hour", "weekday", "day", "month", "weekend"])
def test_a_missing_time_has_no_calendar(part):
    values = calendar_part(utc_times(pd.Series([pd.NaT, pd.Timestamp("2026-01-05", tz="UTC")])), part)
    assert np.isnan(values).tolist() == [True, False]


def test_naive_times_are_utc_and_other_zones_are_converted(configure, problem):
    rows = problem(n=60).rows
    naive = rows.assign(at=rows["at"].dt.tz_localize(None))
    sydney = rows.assign(at=rows["at"].dt.tz_convert("Australia/Sydney"))
    expected = model_frame(rows, configure(), KINDS)
    pd.testing.assert_frame_equal(model_frame(naive, configure(), KINDS), expected)
    pd.testing.assert_frame_equal(model_frame(sydney, configure(), KINDS), expected)


def test_every_kind_becomes_what_the_models_take(configure):
    rows = pd.DataFrame(
        {
            "at": pd.to_datetime(["2026-01-05T00:00Z", "2026-01-05T01:00Z", "2026-01-05T02:00Z"]),
            "load": pd.array([1, None, 3], dtype="Int64"),
            "price": [1.5, np.nan, 2.5],
            "region": ["north", None, "south"],
            "holiday": [True, None, False],
        }
    )
    frame = model_frame(rows, configure(), KINDS)
    assert list(frame.columns) == list(model_columns(configure(), KINDS).names)
    np.testing.assert_array_equal(frame["load"], [1.0, np.nan, 3.0])
    np.testing.assert_array_equal(frame["holiday"], [1.0, np.nan, 0.0])
    assert frame["region"].tolist()[::2] == ["north", "south"]
    assert isinstance(frame["region"].iloc[1], float)
    assert {str(frame[c].dtype) for c in frame if c != "region"} == {"float64"}
    booleans = rows.assign(holiday=rows["holiday"].astype("boolean"), region=rows["region"].astype("string"))
    pd.testing.assert_frame_equal(model_frame(booleans, configure(), KINDS), frame)


def test_a_time_among_the_features_becomes_seconds(configure):
    pipeline = configure(features={"columns": ["load", "seen"], "calendar": []})
    rows = pd.DataFrame({"load": [1.0, 2.0], "seen": pd.to_datetime(["1970-01-01T00:01:00.5Z", None])})
    np.testing.assert_array_equal(
        model_frame(rows, pipeline, KINDS | {"seen": "time"})["seen"], [60.5, np.nan]
    )


def test_a_feature_called_like_a_calendar_part_is_kept_apart(configure):
    pipeline = configure(
        features={"columns": ["hour"], "calendar": ["hour"]}, ladder={"baseline_columns": ["hour"]}
    )
    rows = pd.DataFrame({"at": pd.to_datetime(["2026-01-05T07:00Z"]), "hour": [99.0]})
    frame = model_frame(rows, pipeline, {"at": "time", "hour": "numeric"})
    assert frame.iloc[0].to_dict() == {"hour": 99.0, "at.hour": 7.0}


def test_the_chosen_columns_need_no_others(configure, problem):
    rows = problem(n=60).rows[["at", "load"]]
    assert list(model_frame(rows, configure(), KINDS, columns=("load",))) == ["load", "at.hour", "at.weekday"]
    with pytest.raises(KeyError, match="region"):
        model_frame(rows, configure(), KINDS)


def test_input_is_neither_copied_nor_changed(configure, problem):
    rows = problem(n=60).rows
    before = rows.copy()
    frame = model_frame(rows, configure(), KINDS)
    assert np.shares_memory(frame["load"].to_numpy(), rows["load"].to_numpy())
    pd.testing.assert_frame_equal(rows, before)


def test_index_and_order_are_the_rows_own(configure, problem):
    rows = problem(n=60).rows
    mixed = rows.iloc[[5, 3, 40]]
    pd.testing.assert_frame_equal(
        model_frame(mixed, configure(), KINDS), model_frame(rows, configure(), KINDS).iloc[[5, 3, 40]]
    )

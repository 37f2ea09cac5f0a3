"""Each fault of the feed is found in its column and rows; good and drifting batches raise nothing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evenkeel.diagnosis import frozen, future, noise, nulls, outliers, sentinels, stale, times
from evenkeel.diagnosis.past import Past, Subject
from evenkeel.domain.diagnosis import Fault

from .streams import SUBJECT, days, stream

DETECTORS = (nulls, stale, future, times, sentinels, frozen, outliers, noise)


def only(faults: list[Fault]) -> Fault:
    assert len(faults) == 1, faults
    return faults[0]


def with_cells(batch: pd.DataFrame, column: str, rows: object, values: object) -> pd.DataFrame:
    changed = batch.copy()
    changed.loc[rows, column] = values
    return changed


@pytest.mark.parametrize("drift", [0.0, 1.0])
def test_good_and_growing_batches_raise_nothing(drift: float) -> None:
    alarms = []
    for seed in range(15):
        batch, past = stream(seed, drift=drift)
        alarms += [(seed, f.cause, f.columns) for d in DETECTORS for f in d.detect(batch, past, SUBJECT)]

    assert not alarms


def test_no_detector_needs_a_reference() -> None:
    batch, past = stream()
    damaged = with_cells(batch, "price", slice(0, 20), -999.0)

    fault = only(sentinels.detect(damaged, Past(None, past.recent), SUBJECT))

    assert fault.columns == ("price",)


def test_yesterdays_values_under_todays_keys_are_stale() -> None:
    batch, past = stream()
    again = past.recent[-1].assign(at=batch["at"])

    fault = only(stale.detect(again, past, SUBJECT))

    assert fault.cause == "data.stale_feed"
    assert fault.rows is None
    assert fault.transform == "the batch before"
    assert set(fault.columns) == set(SUBJECT.features)
    assert fault.evidence["keys_repeat"] is False
    assert fault.evidence["batches_back"] == 1


def test_an_earlier_file_as_it_was_repeats_its_keys_too() -> None:
    _, past = stream()

    fault = only(stale.detect(past.recent[-3].copy(), past, SUBJECT))

    assert fault.evidence["keys_repeat"] is True
    assert fault.evidence["batches_back"] == 3
    assert "at" in fault.columns


def test_a_run_of_repeated_rows_is_named_by_its_rows() -> None:
    batch, past = stream()
    damaged = batch.copy()
    for column in SUBJECT.features:
        damaged.loc[30:, column] = past.recent[-1].loc[30:, column]

    fault = only(stale.detect(damaged, past, SUBJECT))

    assert fault.rows is not None
    assert fault.rows.tolist() == list(range(30, 48))


def test_few_categories_repeat_without_being_stale() -> None:
    subject = Subject(
        kinds=SUBJECT.kinds,
        features=("site", "open"),
        row_key=("at",),
        time="at",
        whole=frozenset(),
        as_of=SUBJECT.as_of,
    )
    for seed in range(20):
        batch, past = stream(seed)

        assert not stale.detect(batch, past, subject)


@pytest.mark.parametrize("hours", [-10, -3, 1, 5.5, 10])
def test_a_shifted_clock_is_found_and_set_back(hours: float) -> None:
    batch, past = stream()
    shifted = batch.assign(at=batch["at"] + pd.Timedelta(hours=hours))

    fault = only(times.detect(shifted, past, SUBJECT))

    assert fault.cause == "data.time_zone_shift"
    assert fault.transform == f"shift {hours:+g} h"
    assert fault.confidence >= 0.95
    pd.testing.assert_series_equal(fault.repaired["at"], batch["at"])


def test_the_shifted_part_of_a_batch_alone_is_set_back() -> None:
    batch, past = stream()
    shifted = batch.copy()
    shifted.loc[30:, "at"] = batch.loc[30:, "at"] - pd.Timedelta(hours=5)

    fault = only(times.detect(shifted, past, SUBJECT))

    assert fault.rows is not None
    assert fault.rows.tolist() == list(range(30, 48))
    pd.testing.assert_series_equal(fault.repaired["at"], batch["at"])


def test_a_batch_left_out_and_rows_missing_at_the_start_are_no_shift() -> None:
    batch, past = stream()

    assert not times.detect(batch, Past(past.reference, past.recent[:-2]), SUBJECT)
    assert not times.detect(batch.iloc[10:].reset_index(drop=True), past, SUBJECT)


def test_a_feed_in_local_time_may_move_by_an_hour_and_go_on() -> None:
    batch, past = stream()
    hour = pd.Timedelta(hours=1)
    long_day = pd.concat([past.recent[-1], batch.iloc[:2]], ignore_index=True)

    moved = batch.assign(at=batch["at"] + hour)

    assert not times.detect(moved, Past(past.reference, (*past.recent[:-1], long_day)), SUBJECT)


def test_rows_ahead_of_the_clock_or_among_earlier_ones_are_from_the_future() -> None:
    batch, past = stream()
    rows = [3, 17, 40]

    ahead = with_cells(batch, "at", rows, batch["at"].iloc[rows] + pd.Timedelta(days=4000))
    among = with_cells(batch, "at", rows, batch["at"].iloc[rows] + pd.Timedelta(days=40))

    for damaged in (ahead, among):
        fault = only(future.detect(damaged, past, SUBJECT))
        assert fault.cause == "data.future_timestamps"
        assert fault.rows is not None
        assert fault.rows.tolist() == rows


def test_a_feed_that_paused_is_not_from_the_future() -> None:
    batch, past = stream()

    assert not future.detect(batch.assign(at=batch["at"] + pd.Timedelta(days=60)), past, SUBJECT)


@pytest.mark.parametrize(("column", "value"), [("price", -999.0), ("load", 9999.0), ("site", "N/A")])
def test_sentinels_are_found_where_they_stand(column: str, value: object) -> None:
    batch, past = stream()
    rows = [1, 5, 6, 20, 21, 33, 40, 44]

    fault = only(sentinels.detect(with_cells(batch, column, rows, value), past, SUBJECT))

    assert fault.cause == "data.sentinel_values"
    assert fault.columns == (column,)
    assert fault.rows is not None
    assert fault.rows.tolist() == rows


def test_a_sentinel_the_past_always_had_is_no_fault() -> None:
    all_days = [with_cells(day, "price", slice(0, 40, 5), -999.0) for day in days(51, 0)]
    past = Past(pd.concat(all_days[:30], ignore_index=True), tuple(all_days[30:50]))

    assert not sentinels.detect(all_days[50], past, SUBJECT)


def test_a_time_that_stands_for_none_is_a_sentinel() -> None:
    batch, past = stream()

    fault = only(
        sentinels.detect(with_cells(batch, "at", [4], pd.Timestamp("1900-01-01", tz="UTC")), past, SUBJECT)
    )

    assert fault.columns == ("at",)
    assert fault.rows is not None
    assert fault.rows.tolist() == [4]


def test_a_column_that_stands_still_is_frozen() -> None:
    batch, past = stream()

    whole = only(frozen.detect(batch.assign(load=101.37), past, SUBJECT))
    end = only(frozen.detect(with_cells(batch, "load", slice(19, 47), batch["load"].iloc[18]), past, SUBJECT))

    assert whole.cause == end.cause == "data.constant_column"
    assert whole.columns == end.columns == ("load",)
    assert whole.rows is None
    assert end.rows is not None
    assert end.rows.tolist() == list(range(19, 48))


def test_a_column_that_was_often_constant_may_be_so_again() -> None:
    all_days = [day.assign(load=50.0) if i % 3 else day for i, day in enumerate(days(51, 0))]
    past = Past(pd.concat(all_days[:30], ignore_index=True), tuple(all_days[30:50]))

    assert not frozen.detect(all_days[50].assign(load=50.0), past, SUBJECT)


def test_a_cell_far_outside_the_past_is_an_outlier() -> None:
    batch, past = stream()

    fault = only(outliers.detect(with_cells(batch, "load", [7], 2000.0), past, SUBJECT))

    assert fault.cause == "data.outliers"
    assert fault.columns == ("load",)
    assert fault.rows is not None
    assert fault.rows.tolist() == [7]


def test_a_column_that_moved_as_a_whole_holds_no_outliers() -> None:
    batch, past = stream()

    assert not outliers.detect(batch.assign(load=batch["load"] * 20), past, SUBJECT)


def test_heavy_tails_are_no_outliers() -> None:
    random = np.random.default_rng(5)
    alarms = 0
    for _ in range(30):
        columns = {"price": random.pareto(2.5, 51 * 48)}
        all_days = [
            day.assign(price=columns["price"][i * 48 : (i + 1) * 48]) for i, day in enumerate(days(51, 1))
        ]
        past = Past(pd.concat(all_days[:30], ignore_index=True), tuple(all_days[30:50]))
        alarms += bool(outliers.detect(all_days[50], past, SUBJECT))

    assert not alarms


def test_shuffled_values_are_noise_though_each_is_a_good_one() -> None:
    batch, past = stream()
    mixed = np.random.default_rng(1).permutation(batch["load"].to_numpy())

    fault = only(noise.detect(batch.assign(load=mixed), past, SUBJECT))

    assert fault.cause == "data.noise"
    assert fault.columns == ("load",)


def test_added_noise_is_noise() -> None:
    batch, past = stream()
    added = batch["pressure"] + np.random.default_rng(1).normal(0, 3, len(batch))

    fault = only(noise.detect(batch.assign(pressure=added), past, SUBJECT))

    assert fault.columns == ("pressure",)


def test_missing_cells_are_told_by_what_they_go_with() -> None:
    batch, past = stream()
    by_chance = np.random.default_rng(3).permutation(48)[:20]
    load = batch["load"].to_numpy()

    mcar = only(nulls.detect(with_cells(batch, "price", by_chance, np.nan), past, SUBJECT))
    mar = only(nulls.detect(with_cells(batch, "price", load > np.median(load), np.nan), past, SUBJECT))
    price = batch["price"].fillna(0).to_numpy()
    mnar = only(
        nulls.detect(with_cells(batch, "price", price > np.quantile(price, 0.6), np.nan), past, SUBJECT)
    )

    assert mcar.cause == mar.cause == mnar.cause == "data.nulls"
    assert mcar.evidence["mechanism"] == "MCAR"
    assert (mar.evidence["mechanism"], mar.evidence["with"]) == ("MAR", "load")
    assert (mnar.evidence["mechanism"], mnar.evidence["tail"]) == ("MNAR suspected", "upper")
    assert set(by_chance) <= set(mcar.rows if mcar.rows is not None else [])


KINDS = st.sampled_from(["numeric", "categorical", "boolean", "time", "text"])


@st.composite
def typed_frames(draw: st.DrawFn) -> tuple[pd.DataFrame, Past, Subject]:
    kinds = draw(st.lists(KINDS, min_size=1, max_size=5))
    names = [f"c{i}" for i in range(len(kinds))]

    def column(kind: str, rows: int) -> pd.Series:
        how = draw(st.sampled_from(["null", "constant", "varied"]))
        random = np.random.default_rng(draw(st.integers(0, 9)))
        cells = np.zeros(rows, dtype=int) if how == "constant" else random.integers(0, 40, rows)
        gone = np.ones(rows, dtype=bool) if how == "null" else random.random(rows) < 0.1
        if kind == "numeric":
            values = random.choice(np.array([1.5, -999, 0, 1e300, -1e300, np.inf, 1e-300]), rows)
            return pd.Series(np.where(gone, np.nan, values if how == "varied" else 7.0))
        if kind == "boolean":
            return pd.Series(
                pd.array(
                    [None if g else bool(c % 2) for c, g in zip(cells, gone, strict=True)], dtype="boolean"
                )
            )
        if kind == "time":
            moments = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(cells * 1800, unit="s")
            return pd.Series(moments).astype("datetime64[ns, UTC]").mask(gone)
        return pd.Series([None if g else f"n{c}" for c, g in zip(cells, gone, strict=True)], dtype=object)

    def frame(rows: int) -> pd.DataFrame:
        kept = draw(st.lists(st.sampled_from(range(len(names))), unique=True))
        columns = {names[i]: column(kinds[i], rows) for i in kept}
        return pd.DataFrame(columns, index=range(rows))

    sizes = st.sampled_from([0, 1, 2, 30, 130])
    reference = draw(st.none() | sizes)
    recent = draw(st.lists(sizes, max_size=6))
    past = Past(None if reference is None else frame(reference), tuple(frame(rows) for rows in recent))
    time = next((n for n, kind in zip(names, kinds, strict=True) if kind == "time"), "absent")
    subject = Subject(
        kinds=dict(zip(names, kinds, strict=True)) | {"absent": "time"},
        features=tuple(names),
        row_key=(names[0],),
        time=time,
        whole=frozenset(),
        as_of=SUBJECT.as_of,
    )
    return frame(draw(sizes)), past, subject


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(typed_frames())
def test_no_typed_frame_makes_a_detector_raise(given_: tuple[pd.DataFrame, Past, Subject]) -> None:
    batch, past, subject = given_
    for detector in DETECTORS:
        for fault in detector.detect(batch, past, subject):
            assert 0 <= fault.confidence <= 1
            assert set(fault.columns) <= set(batch.columns)
            assert fault.rows is None or (len(fault.rows) and fault.rows.max() < len(batch))

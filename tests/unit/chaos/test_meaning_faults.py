"""Faults of meaning: the input stays as it was, the damage is the same each time, and the truth is told."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.faults.data import FAULTS, SEVERITIES, Damaged, DataFault
from chaos.faults.data.cells import kind_of
from evenkeel.failures.catalogue import catalogue

MEANING = sorted(name for name, fault in FAULTS.items() if not fault.is_file)
BY_KIND = {
    "numeric": ("demand", "price"),
    "categorical": ("region",),
    "boolean": ("holiday",),
    "text": ("note",),
    "time": ("settlement",),
}


def _batch(day: int, rows: int = 60) -> pd.DataFrame:
    random = np.random.default_rng(day)
    start = pd.Timestamp("2026-01-05") + pd.Timedelta(days=2 * day)
    return pd.DataFrame(
        {
            "settlement": pd.date_range(start, periods=rows, freq="30min").strftime("%Y-%m-%dT%H:%M:%SZ"),
            "demand": random.normal(8000, 300, rows).round(1),
            "price": random.gamma(2.0, 20.0, rows).round(2),
            "region": random.choice(["north", "south", "west"], rows),
            "holiday": random.choice(["true", "false"], rows),
            "note": [f"reading {number} of day {day}" for number in range(rows)],
            "label": random.choice(["UP", "DOWN"], rows),
        }
    )


BATCH, BEFORE = _batch(1), _batch(0)
AS_TEXT = pd.read_csv(io.StringIO(BATCH.to_csv(index=False)), dtype=str)
TYPED = BATCH.assign(
    settlement=pd.to_datetime(BATCH["settlement"], utc=True),
    holiday=(BATCH["holiday"] == "true").astype("boolean"),
)


def _columns(fault: DataFault) -> tuple[str, ...]:
    if fault.on == "labels":
        return ("demand", "label") if fault.takes == 2 else ("label",)
    names = tuple(name for kind in sorted(fault.kinds) for name in BY_KIND[kind])
    return names if fault.takes is None else names[: fault.takes]


def _damage(name: str, severity: float, seed: int = 0, frame: pd.DataFrame = BATCH) -> Damaged:
    fault = FAULTS[name]
    before = {"previous": BEFORE} if fault.needs_previous else {}
    return fault.function(frame, severity=severity, columns=_columns(fault), seed=seed, **before)


@pytest.mark.parametrize("frame", [BATCH, AS_TEXT, TYPED], ids=["csv", "text", "typed"])
@pytest.mark.parametrize("name", MEANING)
@settings(max_examples=8, deadline=None)
@given(severity=st.floats(0, 1), seed=st.integers(0, 200))
def test_the_input_stays_and_a_seed_says_all(name: str, frame: pd.DataFrame, severity: float, seed: int):
    before = {"previous": frame} if FAULTS[name].needs_previous else {}
    kept = frame.copy(deep=True)
    runs = [
        FAULTS[name].function(frame, severity=severity, columns=_columns(FAULTS[name]), seed=seed, **before)
        for _ in range(2)
    ]
    pd.testing.assert_frame_equal(frame, kept)
    pd.testing.assert_frame_equal(runs[0].frame, runs[1].frame)
    assert runs[0].transform == runs[1].transform
    assert runs[0].cause in {"", FAULTS[name].cause}


@pytest.mark.parametrize("name", MEANING)
def test_no_severity_no_damage(name: str):
    damaged = _damage(name, 0.0)
    assert damaged.harmless
    pd.testing.assert_frame_equal(damaged.frame, BATCH)


@pytest.mark.parametrize("name", MEANING)
@settings(max_examples=10, deadline=None)
@given(severity=st.floats(0, 1), seed=st.integers(0, 200))
def test_only_the_rows_and_columns_of_the_truth_are_damaged(name: str, severity: float, seed: int):
    damaged = _damage(name, severity, seed)
    if damaged.cause in {
        "data.column_renamed",
        "data.column_missing",
        "data.column_added",
        "data.label_leakage",
    }:
        others = [c for c in BATCH.columns if c not in damaged.columns]
        pd.testing.assert_frame_equal(damaged.frame[others], BATCH[others])
        return
    if len(damaged.frame) != len(BATCH) or name in {"columns_reordered", "column_retyped", "stale_file"}:
        return
    changed = (damaged.frame.astype(object) != BATCH.astype(object)) & ~(damaged.frame.isna() & BATCH.isna())
    told = np.zeros(len(BATCH), dtype=bool)
    if not damaged.harmless:
        told[slice(None) if damaged.rows is None else damaged.rows] = True
    assert set(changed.columns[changed.any()]) <= set(damaged.columns)
    assert not changed.to_numpy()[~told].any()


@pytest.mark.parametrize("name", MEANING)
def test_gross_damage_is_there_and_told(name: str):
    damaged = _damage(name, SEVERITIES["gross"])
    assert damaged.cause == FAULTS[name].cause
    assert not damaged.frame.equals(BATCH)
    if damaged.cause:
        assert damaged.cause in catalogue()
        assert damaged.transform


@pytest.mark.parametrize("name", [n for n in MEANING if FAULTS[n].kinds and FAULTS[n].on != "labels"])
def test_a_column_that_it_cannot_damage_is_refused(name: str):
    fault = FAULTS[name]
    before = {"previous": BEFORE} if fault.needs_previous else {}
    for kind in set(BY_KIND) - fault.kinds:
        columns = BY_KIND[kind][:1] * (fault.takes or 1)
        if not before:
            with pytest.raises(ValueError, match=f"is {kind}; this fault damages"):
                fault.function(BATCH, severity=1.0, columns=columns, seed=0)
    with pytest.raises(ValueError, match=r"no column 'nowhere'|column\(s\)"):
        fault.function(BATCH, severity=1.0, columns=("nowhere",), seed=0, **before)
    with pytest.raises(ValueError, match=r"severity is 1\.5"):
        fault.function(BATCH, severity=1.5, columns=_columns(fault), seed=0, **before)


def test_units():
    assert np.allclose(_damage("unit_x1000", 1.0).frame["demand"], BATCH["demand"] * 1000)
    celsius = _damage("unit_f_to_c", 1.0)
    assert np.allclose(celsius.frame["demand"], (BATCH["demand"] - 32) * 5 / 9)
    assert celsius.transform == "F to C"
    late = _damage("unit_x1000", 0.2)
    assert list(late.rows) == list(range(48, 60))
    off = _damage("unit_miscalibrated", 1.0, seed=3)
    factor, offset = (float(word.strip("x")) for word in off.transform.split())
    assert np.allclose(off.frame["demand"], BATCH["demand"] * factor + offset)


def test_names():
    codes = _damage("category_codes", 1.0)
    assert codes.transform == "north->1, south->2, west->3"
    assert (codes.frame["region"].map({"1": "north", "2": "south", "3": "west"}) == BATCH["region"]).all()
    assert _damage("category_abbreviated", 1.0).transform == "north->N, south->S, west->W"
    mixed = FAULTS["category_permuted"].function(BATCH, severity=1.0, columns=("region",), seed=1)
    assert set(mixed.frame["region"]) == set(BATCH["region"])
    assert (mixed.frame["region"] != BATCH["region"]).all()
    typed = FAULTS["boolean_inverted"].function(TYPED, severity=1.0, columns=("holiday",), seed=1)
    assert (typed.frame["holiday"] == ~TYPED["holiday"]).all()
    assert typed.frame["holiday"].dtype == "boolean"


def test_times():
    shifted = _damage("time_shifted", 1.0, seed=5)
    moved = pd.to_datetime(shifted.frame["settlement"]) - pd.to_datetime(BATCH["settlement"])
    assert f"shift {moved.iloc[0] / pd.Timedelta(hours=1):+g} h" == shifted.transform
    assert (moved == moved.iloc[0]).all()
    assert 10 <= abs(moved.iloc[0] / pd.Timedelta(hours=1)) <= 12
    assert shifted.frame["settlement"].str.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").all()
    future = pd.to_datetime(_damage("time_future", 1.0).frame["settlement"])
    assert (future > pd.Timestamp("2035-01-01", tz="UTC")).all()


def test_swapped_columns_of_two_kinds():
    swapped = FAULTS["columns_swapped"].function(BATCH, severity=1.0, columns=("demand", "region"), seed=0)
    assert list(swapped.frame["demand"]) == list(BATCH["region"])
    assert list(swapped.frame["region"]) == list(BATCH["demand"])
    assert swapped.transform == "demand<->region"


def test_yesterdays_values_come_under_todays_keys():
    stale = FAULTS["stale_values"].function(
        BATCH, severity=1.0, columns=("demand", "region"), seed=0, previous=BEFORE
    )
    assert list(stale.frame["settlement"]) == list(BATCH["settlement"])
    assert list(stale.frame["demand"]) == list(BEFORE["demand"])
    again = FAULTS["stale_file"].function(BATCH, severity=1.0, columns=(), seed=0, previous=BEFORE)
    pd.testing.assert_frame_equal(again.frame, BEFORE)


def test_lost_values():
    lost = FAULTS["nulls_mnar"].function(BATCH, severity=0.3, columns=("demand",), seed=0)
    assert lost.frame["demand"].isna().sum() == 18
    assert BATCH["demand"][lost.rows].mean() > BATCH["demand"].mean() + 200
    sentinel = FAULTS["sentinel_-999"].function(BATCH, severity=0.2, columns=("demand",), seed=0)
    assert (sentinel.frame["demand"].iloc[sentinel.rows] == -999).all()
    assert (
        FAULTS["sentinel_-999"].function(AS_TEXT, severity=1, columns=("demand",), seed=0).frame["demand"]
        == "-999"
    ).all()


def test_a_changed_world_keeps_every_row_whole():
    drifted = FAULTS["covariate_drift"].function(BATCH, severity=1.0, columns=("demand",), seed=0).frame
    assert len(drifted) == 18
    assert drifted["demand"].mean() > BATCH["demand"].mean() + 150
    assert len(drifted.merge(BATCH)) == 18
    prior = FAULTS["prior_drift"].function(BATCH, severity=1.0, columns=("label",), seed=0).frame
    assert prior["label"].value_counts(normalize=True).max() > 0.9


def test_labels():
    flipped = _damage("labels_flipped", 1.0)
    assert (flipped.frame["label"] != BATCH["label"]).all()
    leaked = _damage("label_leak", 1.0).frame
    assert leaked.groupby("label")["demand"].nunique().eq(1).all()


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([1.5, None], "numeric"),
        (["1.5", " 2"], "numeric"),
        ([0, 1, 1], "boolean"),
        (["Yes", "no"], "boolean"),
        ([True, False], "boolean"),
        (["2026-01-05", "2026-01-05T10:00:00Z"], "time"),
        (["north", "south"], "categorical"),
        ([f"remark {n}" for n in range(60)], "text"),
        ([None, None], "text"),
    ],
)
def test_kinds(cells: list[object], kind: str):
    assert kind_of(pd.Series(cells)) == kind

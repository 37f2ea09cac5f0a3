"""The demo's market: the same each time, learnable, and no longer the same after the change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier

from evenkeel.demo.market import DIRT, FEATURES, HALF_HOURS, WEATHER, MarketDay, dirty, generate, write_day

if TYPE_CHECKING:
    from pathlib import Path

CHANGE = 30
NUMERIC = list(FEATURES[:-1])


@pytest.fixture(scope="module")
def days() -> list[MarketDay]:
    return generate(56, seed=0, regime_change=CHANGE)


def _examples(days: list[MarketDay]) -> tuple[pd.DataFrame, pd.Series]:
    rows = pd.concat([d.rows for d in days], ignore_index=True)
    labels = pd.concat([d.labels for d in days], ignore_index=True)["direction"]
    times = pd.to_datetime(rows["settlement"])
    frame = rows[NUMERIC].assign(
        weather=rows["region_weather"].map(WEATHER.index),
        half_hour=times.dt.hour * 2 + times.dt.minute // 30,
        weekday=times.dt.weekday,
    )
    return frame, labels


def _learn(days: list[MarketDay], columns: list[str] | None = None) -> HistGradientBoostingClassifier:
    frame, labels = _examples(days)
    model = HistGradientBoostingClassifier(max_iter=80, max_leaf_nodes=15, random_state=0)
    return model.fit(frame[columns] if columns else frame, labels)


def _accuracy(model: HistGradientBoostingClassifier, days: list[MarketDay]) -> float:
    frame, labels = _examples(days)
    return float(model.score(frame[list(model.feature_names_in_)], labels))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    def written(seed: int, folder: str) -> list[bytes]:
        day = generate(3, seed, CHANGE)[2]
        files = write_day(replace(day, rows=dirty(day, seed)), tmp_path / folder)
        return [f.read_bytes() for f in files]

    first = written(5, "one")
    assert written(5, "two") == first
    assert written(6, "three")[0] != first[0]


def test_a_day_has_48_half_hours_in_order_and_a_label_for_each(days: list[MarketDay]) -> None:
    assert [d.batch_id for d in days[:2]] == ["2026-01-05", "2026-01-06"]
    times = pd.to_datetime(pd.concat([d.rows["settlement"] for d in days], ignore_index=True), utc=True)
    assert (times.diff().dropna() == pd.Timedelta(minutes=30)).all()
    for day in days:
        assert len(day.rows) == HALF_HOURS
        assert day.rows["settlement"].str.startswith(day.batch_id).all()
        assert day.labels["settlement"].equals(day.rows["settlement"])
        assert list(day.rows) == ["settlement", *FEATURES]


def test_the_label_says_whether_the_next_price_is_higher(days: list[MarketDay]) -> None:
    price = pd.concat([d.rows["price"] for d in days], ignore_index=True)
    labels = pd.concat([d.labels["direction"] for d in days], ignore_index=True)
    rises = np.where(price.shift(-1) > price, "UP", "DOWN")
    assert (labels[:-1] == rises[:-1]).all()


@given(seed=st.integers(0, 10_000), count=st.integers(1, 4))
def test_a_shorter_run_is_the_start_of_a_longer_one(seed: int, count: int) -> None:
    for short, long in zip(generate(count, seed, 2), generate(5, seed, 2)[:count], strict=True):
        pd.testing.assert_frame_equal(short.rows, long.rows)
        pd.testing.assert_frame_equal(short.labels, long.labels)


@given(seed=st.integers(0, 10_000), change=st.integers(0, 6))
def test_clean_values_lie_where_the_schema_allows(seed: int, change: int) -> None:
    rows = pd.concat([d.rows for d in generate(4, seed, change)])
    assert rows["price"].between(-150, 15000).all()
    assert rows["neighbour_price"].between(-150, 15000).all()
    assert rows["demand"].between(3000, 16000).all()
    assert rows["neighbour_demand"].between(1000, 16000).all()
    assert rows["transfer"].between(-1500, 1500).all()
    assert set(rows["region_weather"]) <= set(WEATHER)


def test_it_is_learnable_by_the_ladder_in_its_order(days: list[MarketDay]) -> None:
    learn, judge = days[:22], days[22:CHANGE]
    model = _accuracy(_learn(learn), judge)
    baseline = _accuracy(_learn(learn, ["price", "half_hour", "weekday"]), judge)
    frame, labels = _examples(learn)
    usual = labels.groupby(frame["half_hour"]).agg(lambda seen: seen.mode()[0])
    later, truth = _examples(judge)
    seasonal = float((later["half_hour"].map(usual) == truth).mean())
    assert 0.72 < model < 0.88
    assert 0.58 < seasonal < 0.70
    assert model > baseline + 0.04
    assert baseline > 0.60


def test_the_change_costs_the_old_model_and_a_new_one_recovers(days: list[MarketDay]) -> None:
    before, after = days[:22], days[46:]
    old = _learn(before)
    new = _learn(days[CHANGE:46])
    held = _accuracy(old, days[22:CHANGE])
    assert 0.06 < held - _accuracy(old, after) < 0.20
    assert _accuracy(new, after) > _accuracy(old, after) + 0.06
    assert _accuracy(new, after) > 0.72


def test_without_a_change_the_old_model_holds() -> None:
    days = generate(56, seed=0, regime_change=56)
    old = _learn(days[:22])
    assert abs(_accuracy(old, days[22:CHANGE]) - _accuracy(old, days[46:])) < 0.05


def test_dirt_is_modest_and_of_every_kind(days: list[MarketDay]) -> None:
    sent = [dirty(day, seed=0) for day in days]
    every = pd.concat(sent, ignore_index=True)
    features = every[list(FEATURES)]
    assert 0.01 < features.isna().to_numpy().mean() < 0.02
    assert (features == "#ERR").to_numpy().any()
    assert (features == -9999).to_numpy().any()
    assert "fog" in set(every["region_weather"])
    assert every["settlement"].duplicated().any()

    broken = (features[NUMERIC].isin(["#ERR", -9999])).any(axis=1) | (every["region_weather"] == "fog")
    broken |= every["settlement"].duplicated()
    assert 0.005 < broken.mean() < 0.02
    assert max(len(rows) for rows in sent) <= HALF_HOURS + 1


def test_dirt_leaves_the_day_and_the_other_kinds_alone(days: list[MarketDay]) -> None:
    day = days[3]
    before = day.rows.copy()
    assert dirty(day, 0, kinds=()).astype(object).equals(before.astype(object))
    alone = pd.concat([dirty(d, 0, kinds=("missing",)) for d in days])
    together = pd.concat([dirty(d, 0, kinds=tuple(k for k in DIRT if k != "duplicate")) for d in days])
    assert (alone.isna() & ~together.isna()).to_numpy().sum() < 56  # only a later kind fills a gap
    assert day.rows.equals(before)


def test_labels_are_written_where_no_source_takes_them_for_rows(
    days: list[MarketDay], tmp_path: Path
) -> None:
    features, labels = write_day(days[0], tmp_path)
    assert list(tmp_path.glob("*.csv")) == [features]
    assert features.name == labels.name == "2026-01-05.csv"
    assert pd.read_csv(labels)["direction"].isin(["UP", "DOWN"]).all()
    pd.testing.assert_frame_equal(pd.read_csv(features), days[0].rows)

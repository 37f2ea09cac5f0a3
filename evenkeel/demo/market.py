"""Half-hourly electricity-market data, deterministic by seed: seasons, noise, dirt and one change of regime.

The market is made up. Its price returns to a daily and weekly shape and is pulled by demand, weather and a
neighbouring market. Until the change a weak interconnector lets the neighbour's price run ahead of ours: a
dearer neighbour means that ours will rise. Then a strong interconnector opens: large flows push the price
down (imports) or up (exports), and a dearer neighbour, whose price is already in ours, means that ours will
fall. A model of the old market loses about ten points of accuracy, one of the new market wins them back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

HALF_HOURS = 48
FIRST_DAY = date(2026, 1, 5)  # a Monday
FEATURES = ("price", "demand", "neighbour_price", "neighbour_demand", "transfer", "region_weather")
WEATHER = ("mild", "hot", "cold", "storm")
_NUMERIC = FEATURES[:-1]
Dirt = Literal["missing", "garbled", "sentinel", "unseen_category", "duplicate"]
DIRT: tuple[Dirt, ...] = get_args(Dirt)
_DIRTY_DAYS = 0.14
_MISSING_SHARE = 0.015
_WEATHER_SHARES = (0.55, 0.2, 0.17, 0.08)
_SATURDAY = 5
_WEATHER_BLOCK = 8  # half hours between changes of weather
_WEATHER_DEMAND = np.array([0.0, 550.0, 400.0, 250.0])  # MW
_WEATHER_PRICE = np.array([0.0, 7.0, 5.0, 12.0])  # AUD/MWh


@dataclass(frozen=True)
class MarketDay:
    """One day of the market.

    Attributes:
        batch_id: The day, ISO.
        rows: 48 rows: ``settlement`` (ISO UTC, start of the half hour), ``price`` and ``neighbour_price``
            (AUD/MWh), ``demand`` and ``neighbour_demand`` (MW), ``transfer`` (MW, positive is import),
            ``region_weather``.
        labels: 48 rows: ``settlement`` and ``direction``, UP where the next half hour's price is higher than
            this one's, else DOWN. The last row's is known only on the next day.
    """

    batch_id: str
    rows: pd.DataFrame
    labels: pd.DataFrame


@dataclass(frozen=True)
class _Regime:
    """How the market moves: pulls on the next price, per unit, and the interconnector's behaviour."""

    shape: float  # share of the gap to the seasonal shape that closes in a half hour
    neighbour: float  # pull of the neighbour's price over ours
    flow: float  # AUD/MWh per 100 MW of import
    capacity: float  # MW, of the interconnector
    spread: float  # MW of import, besides scheduled flows, per AUD/MWh of price difference
    neighbour_level: float  # AUD/MWh
    neighbour_swing: float  # AUD/MWh, standard deviation of the neighbour's own noise


_WEAK_LINK = _Regime(
    shape=0.3, neighbour=0.35, flow=0.0, capacity=300, spread=5, neighbour_level=0.0, neighbour_swing=17
)
_STRONG_LINK = _Regime(
    shape=0.45, neighbour=-0.13, flow=-2.2, capacity=1200, spread=2, neighbour_level=-14.0, neighbour_swing=26
)
_PRICE_NOISE = 5.0  # AUD/MWh
_FLOOR = -140.0  # AUD/MWh


def generate(days: int, seed: int, regime_change: int) -> list[MarketDay]:
    """Generate consecutive days.

    A shorter run is a prefix of a longer one with the same seed.

    Args:
        days: How many.
        seed: Of everything random.
        regime_change: Index of the first day with the strong interconnector; ``days`` or more for never.
    """
    # The last label needs the first half hour after it.
    rows = _series(days + 1, seed, regime_change)
    price = rows["price"].to_numpy()
    rising = np.append(price[1:] > price[:-1], False)
    labels = pd.DataFrame({"settlement": rows["settlement"], "direction": np.where(rising, "UP", "DOWN")})
    parts = [slice(day * HALF_HOURS, (day + 1) * HALF_HOURS) for day in range(days)]
    return [
        MarketDay(
            batch_id=(FIRST_DAY + timedelta(days=day)).isoformat(),
            rows=rows.iloc[part].reset_index(drop=True),
            labels=labels.iloc[part].reset_index(drop=True),
        )
        for day, part in enumerate(parts)
    ]


def dirty(day: MarketDay, seed: int, kinds: Collection[Dirt] = DIRT) -> pd.DataFrame:
    """Return the day's rows as an untidy source would send them; the day itself is not changed.

    About 1.5 % of the feature cells are missing each day. Each other kind meets one row of about every
    seventh day, so that a little over 1 % of all rows break the schema.

    Args:
        day: The day.
        seed: Of everything random, together with the day.
        kinds: What may happen. Leaving one out changes nothing of the others.

    Returns:
        The rows, object columns where a cell is no longer a number; one row more where one was duplicated.
    """
    rows = day.rows.astype(dict.fromkeys(FEATURES, object))
    days_since = (date.fromisoformat(day.batch_id) - FIRST_DAY).days
    for number, kind in enumerate(DIRT):
        random = np.random.default_rng([seed, days_since, number])
        if kind not in kinds or (kind != "missing" and random.random() > _DIRTY_DAYS):
            continue
        position = int(random.integers(len(day.rows)))
        column = _NUMERIC[int(random.integers(len(_NUMERIC)))]
        if kind == "missing":
            gaps = random.random((len(day.rows), len(FEATURES))) < _MISSING_SHARE
            rows[list(FEATURES)] = rows[list(FEATURES)].mask(gaps, None)
        elif kind == "garbled":
            rows.loc[position, column] = "#ERR"
        elif kind == "sentinel":
            rows.loc[position, column] = -9999
        elif kind == "unseen_category":
            rows.loc[position, "region_weather"] = "fog"
        else:
            rows = pd.concat([rows, rows.iloc[[position]]], ignore_index=True)
    return rows


def write_day(day: MarketDay, folder: Path) -> tuple[Path, Path]:
    """Write a day as two CSV files, byte for byte the same each time.

    Returns:
        ``<folder>/<batch_id>.csv`` and ``<folder>/labels/<batch_id>.csv``: a source that looks for
        ``<folder>/*.csv`` does not take labels for batches.
    """
    features, labels = folder / f"{day.batch_id}.csv", folder / "labels" / f"{day.batch_id}.csv"
    labels.parent.mkdir(parents=True, exist_ok=True)
    for frame, file in ((day.rows, features), (day.labels, labels)):
        file.write_bytes(frame.to_csv(index=False, lineterminator="\n").encode())
    return features, labels


def _series(days: int, seed: int, regime_change: int) -> pd.DataFrame:
    """Return the rows of all days."""
    count = days * HALF_HOURS
    step = np.arange(count)
    half_hour, weekday = step % HALF_HOURS, step // HALF_HOURS % 7
    draws = np.random.default_rng(seed).normal(size=(count, 5))
    weather = _weather(days, seed)
    demand = _demand(half_hour, weekday, weather, _ar(draws[:, 0], 0.9) * 260)
    neighbour_demand = 0.6 * _demand(half_hour, weekday, weather, _ar(draws[:, 1], 0.9) * 320)
    shape = _shape(half_hour, weekday) + (demand - 8000) / 220 + _WEATHER_PRICE[weather]
    own_noise = _ar(draws[:, 2], 0.75)

    price, neighbour, transfer = np.empty(count), np.empty(count), np.empty(count)
    price[0] = shape[0]
    for t in step:
        regime = _WEAK_LINK if t < regime_change * HALF_HOURS else _STRONG_LINK
        level = shape[t] + regime.neighbour_level + (neighbour_demand[t] - 4800) / 300
        neighbour[t] = max(_FLOOR, level + regime.neighbour_swing * own_noise[t])
        wanted = regime.spread * (price[t] - neighbour[t]) + 0.25 * regime.capacity * draws[t, 3]
        transfer[t] = np.clip(wanted, -regime.capacity, regime.capacity)
        if t + 1 == count:
            break
        price[t + 1] = max(
            _FLOOR,
            price[t]
            + regime.shape * (shape[t + 1] - price[t])
            + regime.neighbour * (neighbour[t] - price[t])
            + regime.flow * transfer[t] / 100
            + _PRICE_NOISE * draws[t, 4],
        )
    times = pd.date_range(FIRST_DAY, periods=count, freq="30min").strftime("%Y-%m-%dT%H:%M:%SZ")
    rows = {
        "settlement": times.astype(object),
        "price": price.round(2),
        "demand": demand.round(1),
        "neighbour_price": neighbour.round(2),
        "neighbour_demand": neighbour_demand.round(1),
        "transfer": transfer.round(1),
        "region_weather": np.array(WEATHER, dtype=object)[weather],
    }
    return pd.DataFrame(rows)


def _shape(half_hour: Any, weekday: Any) -> Floats:
    """Return the day's price shape in AUD/MWh: a morning and an evening peak, lower at weekends."""
    hour = half_hour / 2
    peaks = 27 * np.exp(-(((hour - 8) / 1.8) ** 2)) + 46 * np.exp(-(((hour - 18.5) / 2.2) ** 2))
    night = -17 * np.exp(-(((hour - 3) / 2.5) ** 2))
    return np.asarray(48 + peaks * np.where(weekday >= _SATURDAY, 0.55, 1.0) + night)


def _demand(half_hour: Any, weekday: Any, weather: Any, noise: Floats) -> Floats:
    """Return demand in MW."""
    day = 1500 * np.sin((half_hour - 16) / HALF_HOURS * 2 * np.pi)
    weekend = np.where(weekday >= _SATURDAY, -700.0, 0.0)
    return np.asarray(np.clip(8000 + day + weekend + _WEATHER_DEMAND[weather] + noise, 3500, 15500))


def _weather(days: int, seed: int) -> npt.NDArray[np.int64]:
    """Return an index into :data:`WEATHER` for each half hour; it changes every few hours."""
    blocks = days * HALF_HOURS // _WEATHER_BLOCK
    drawn = np.random.default_rng([seed, 1]).choice(len(WEATHER), size=blocks, p=_WEATHER_SHARES)
    return np.repeat(drawn, _WEATHER_BLOCK)


def _ar(noise: Floats, memory: float) -> Floats:
    """Return autoregressive noise of unit variance from white noise of unit variance."""
    out = np.empty_like(noise)
    last = 0.0
    for t, shock in enumerate(noise):
        last = memory * last + (1 - memory**2) ** 0.5 * shock
        out[t] = last
    return out

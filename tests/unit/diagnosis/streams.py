"""A made-up stream of sensor readings, cut into batches, and what the detectors know of it."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd

from evenkeel.diagnosis.past import Past, Subject

DAY = 48
SUBJECT = Subject(
    kinds={
        "at": "time",
        "load": "numeric",
        "pressure": "numeric",
        "price": "numeric",
        "site": "categorical",
        "open": "boolean",
    },
    features=("load", "pressure", "price", "site", "open"),
    row_key=("at",),
    time="at",
    whole=frozenset(),
    as_of=datetime(2030, 1, 1, tzinfo=UTC),
)


def days(count: int, seed: int, *, drift: float = 0.0) -> list[pd.DataFrame]:
    """Half-hourly days: a daily cycle, a column tied to it, a heavy tail, a category, a flag, some nulls.

    Args:
        count: How many.
        seed: Of everything random.
        drift: By how much of its level the load grows over all days.
    """
    random = np.random.default_rng(seed)
    rows = np.arange(count * DAY)
    growth = 1 + drift * rows / len(rows)
    load = (100 + 30 * np.sin(rows / DAY * 2 * np.pi) + random.normal(0, 3, len(rows))) * growth
    pressure = 5 + load / 50 + random.normal(0, 0.05, len(rows))
    price = np.exp(random.normal(3, 0.6, len(rows)))
    frame = pd.DataFrame(
        {
            "at": pd.date_range("2026-01-01", periods=len(rows), freq="30min", tz="UTC"),
            "load": load.round(2),
            "pressure": pressure.round(3),
            "price": np.where(random.random(len(rows)) < 0.02, np.nan, price.round(2)),
            "site": random.choice(np.array(["north", "south", "west"], dtype=object), len(rows)),
            "open": pd.array(random.random(len(rows)) < 0.3, dtype="boolean"),
        }
    )
    return [frame.iloc[d * DAY : (d + 1) * DAY].reset_index(drop=True) for d in range(count)]


def stream(seed: int = 0, *, drift: float = 0.0) -> tuple[pd.DataFrame, Past]:
    """Return a good day and the past before it: a reference of 30 days and 20 recent ones."""
    all_days = days(51, seed, drift=drift)
    return all_days[50], Past(pd.concat(all_days[:30], ignore_index=True), tuple(all_days[30:50]))

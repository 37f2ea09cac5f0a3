"""A made-up feed for the classifier's tests: correlated numbers, skew, counts, categories, a daily rhythm."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd

from evenkeel.diagnosis.past import Past, Subject

KINDS = {
    "amount": "numeric",
    "count": "numeric",
    "temp": "numeric",
    "signed": "numeric",
    "flat": "numeric",
    "region": "categorical",
    "plan": "categorical",
    "member": "boolean",
    "at": "time",
}
SUBJECT = Subject(
    kinds=KINDS,
    features=tuple(name for name in KINDS if name != "at"),
    row_key=("at",),
    time="at",
    whole=frozenset({"count"}),
    as_of=datetime(2030, 1, 1, tzinfo=UTC),
)


def batches(days: int, rows: int, seed: int, growth: float = 0.0) -> list[pd.DataFrame]:
    """Return typed daily batches; the amount's logarithm grows by ``growth`` a day."""
    random = np.random.default_rng(seed)
    found = []
    for day in range(days):
        level = 0.3 * np.sin(2 * np.pi * day / 7) + 0.1 * random.normal()
        hour = np.arange(rows) / rows
        f, g = random.normal(size=rows) + level, random.normal(size=rows)
        region = random.choice(["north", "south", "east"], rows, p=[0.55, 0.3, 0.15])
        pull = pd.Series(region).map({"north": 0.0, "south": 1.0, "east": -1.5}).to_numpy()
        plan = np.where(f + 0.5 * random.normal(size=rows) > 0, "pro", "basic")
        plan = np.where(random.random(rows) < 0.15, "trial", plan)
        at = pd.Timestamp("2026-01-05", tz="UTC") + pd.to_timedelta(day + hour, unit="D")
        found.append(
            pd.DataFrame(
                {
                    "amount": np.exp(
                        3 + growth * day + 0.7 * f + 0.3 * pull + 0.3 * random.normal(size=rows)
                    ),
                    "count": random.poisson(np.exp(1.5 + 0.4 * f)).astype(float),
                    "temp": 15 + 7 * np.sin(2 * np.pi * hour) + 2 * level + 1.5 * random.normal(size=rows),
                    "signed": 2 * g + 0.7 * random.normal(size=rows),
                    "flat": random.uniform(0, 10, rows),
                    "region": region.astype(object),
                    "plan": plan.astype(object),
                    "member": pd.array(g + 0.6 * random.normal(size=rows) > 0.4, dtype="boolean"),
                    "at": pd.Series(at).astype("datetime64[ns, UTC]"),
                }
            )
        )
    return found


def feed(rows: int = 200, seed: int = 0, growth: float = 0.0) -> tuple[Past, pd.DataFrame]:
    """Return a past of 30 days and the batch after it."""
    *before, batch = batches(31, rows, seed, growth)
    return Past(pd.concat(before[:20], ignore_index=True), tuple(before[10:])), batch

"""What the classifier adds to a batch of 100,000 rows x 20 columns, beside the model's own predict."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from evenkeel.diagnosis.diagnose import diagnose
from evenkeel.diagnosis.past import Past, Subject

ROWS, NUMERIC, NAMED = 100_000, 16, 4
_PAST = 20_000
_REPEATS = 3


@dataclass(frozen=True)
class Cost:
    """Seconds, the median of a few runs.

    Attributes:
        classifier: Of the classifier of silent faults.
        predict: Of the model's predict on the same rows.
    """

    classifier: float
    predict: float

    def __str__(self) -> str:
        return (
            f"classifier on {ROWS:,} x {NUMERIC + NAMED}: {self.classifier:.2f} s,"
            f" {self.classifier / self.predict:.2f} of a bare predict ({self.predict:.2f} s)"
        )


def measure() -> Cost:
    """Measure with a reference of 20,000 rows and 20 recent batches of 1,000."""
    reference, recent = _rows(_PAST, 1), [_rows(1000, seed) for seed in range(2, 22)]
    batch = _rows(ROWS, 50)
    kinds = {c: "time" if c == "at" else "numeric" if c[0] in "rx" else "categorical" for c in batch}
    features = tuple(c for c in batch if c not in {"row", "at"})
    as_of = batch["at"].max().to_pydatetime()
    subject = Subject(kinds, features, ("row",), "at", frozenset({"row"}), as_of)
    seconds = []
    for _ in range(_REPEATS):
        past = Past(reference, tuple(recent))
        start = time.perf_counter()
        diagnose(batch, past, subject)
        seconds.append(time.perf_counter() - start)
    numbers = reference[[c for c in features if c[0] == "x"]]
    model = HistGradientBoostingClassifier().fit(numbers, numbers["x00"] > 0)
    predicting = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        model.predict(batch[numbers.columns])
        predicting.append(time.perf_counter() - start)
    return Cost(float(np.median(seconds)), float(np.median(predicting)))


def _rows(count: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(random.normal(size=(count, NUMERIC)), columns=[f"x{i:02d}" for i in range(NUMERIC)])
    for number in range(NAMED):
        names = np.array([f"n{i}" for i in range(4 + number)], dtype=object)
        frame[f"c{number}"] = random.choice(names, count)
    start = pd.Timestamp("2026-01-01", tz="UTC") + pd.Timedelta(days=2 * seed)
    frame.insert(0, "at", start + pd.to_timedelta(np.arange(count), unit="s"))
    frame.insert(0, "row", (np.arange(count) + 1_000_000 * seed).astype(float))
    return frame

"""Small sealed bundles for registry tests."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import skops.io
from sklearn.linear_model import LogisticRegression

from evenkeel.adapters.model_folder import prepare_model_folder
from evenkeel.learning.manifest import seal
from evenkeel.learning.trained import Card

if TYPE_CHECKING:
    from pathlib import Path

CARD = Card(
    pipeline="market",
    task="binary",
    kinds={"price": "numeric", "demand": "numeric"},
    columns=("price", "demand"),
    baseline_columns=("price",),
    classes=("DOWN", "UP"),
    estimator="linear",
    params={"C": 0.5},
    metric="accuracy",
    metrics={"accuracy": 0.8, "search accuracy": 0.79},
    tolerance=None,
    rows=200,
    window=("2026-01-01T00:00:00+00:00", "2026-01-05T00:00:00+00:00"),
    fingerprint="f" * 64,
    seed=7,
    versions={"scikit-learn": "1.9.1"},
    code_version="0.1.0+abc1234",
)


def rows() -> pd.DataFrame:
    """Return 200 rows of the features."""
    numbers = np.random.default_rng(7).normal(size=(200, 2))
    return pd.DataFrame(numbers, columns=["price", "demand"])


def model() -> LogisticRegression:
    """Return a fitted model over :func:`rows`."""
    frame = rows()
    return LogisticRegression().fit(frame, np.where(frame["price"] > 0, "UP", "DOWN"))


def sealed(folder: Path, note: str = "") -> str:
    """Write a sealed bundle and return its digest; another ``note`` makes another version."""
    folder.mkdir(parents=True)
    fitted, frame = model(), rows()
    buffer = io.BytesIO()
    skops.io.dump(fitted, buffer)
    (folder / "model.skops").write_bytes(buffer.getvalue())
    (folder / "card.json").write_text(note)
    frame.to_parquet(folder / "reference.parquet")
    prepare_model_folder(folder, frame.head(20), fitted.predict(frame.head(20)), created=CARD.window[1])
    return seal(folder)

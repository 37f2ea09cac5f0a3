"""Trained versions of a small market, made once: a good one, one of shuffled labels, and a regression."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from evenkeel.learning.training import train
from evenkeel.settings import Pipeline

if TYPE_CHECKING:
    from evenkeel.learning.trained import Trained

KINDS = {
    "settlement": "time",
    "demand": "numeric",
    "transfer": "numeric",
    "region": "categorical",
    "holiday": "boolean",
}
CONFIG: dict[str, Any] = {
    "pipeline": "small",
    "task": "binary",
    "target": {"column": "direction", "classes": ["DOWN", "UP"], "default": "DOWN"},
    "row_key": ["settlement"],
    "time": "settlement",
    "features": {"columns": ["demand", "transfer", "region", "holiday"], "calendar": ["hour"]},
    "ladder": {"baseline_columns": ["demand"], "heuristic": {"kind": "seasonal", "season": ["hour"]}},
    "training": {
        "folds": 2,
        "reference_rows": 200,
        "candidates": [{"estimator": "hist_gradient_boosting", "grid": {"max_iter": [20]}}],
    },
}


@dataclass(frozen=True)
class Market:
    """A prediction problem with labelled rows and the challenger trained on them."""

    pipeline: Pipeline
    kinds: dict[str, str]
    rows: pd.DataFrame
    target: pd.Series[Any]
    trained: Trained

    def retrained(self, target: pd.Series[Any] | None = None, pipeline: Pipeline | None = None) -> Trained:
        """Train again, with other labels or another configuration."""
        labels = self.target if target is None else target
        return train(self.rows, labels, pipeline or self.pipeline, self.kinds, batch_rows=48)


def _market(**changes: Any) -> Market:
    draw, n = np.random.default_rng(11), 800
    rows = pd.DataFrame(
        {
            "settlement": pd.date_range("2026-01-01", periods=n, freq="30min", tz="UTC"),
            "demand": draw.normal(size=n),
            "transfer": draw.normal(size=n),
            "region": draw.choice(np.array(["north", "south", None], dtype=object), size=n),
            "holiday": draw.choice(np.array([True, False, None], dtype=object), size=n),
        }
    )
    level = rows["demand"] + (rows["region"] == "north") + 0.3 * draw.normal(size=n)
    rows.loc[::17, "transfer"] = np.nan
    pipeline = Pipeline.model_validate(CONFIG | changes)
    target: pd.Series[Any] = level
    if pipeline.is_classification:
        target = pd.Series(np.where(level > 0.3, "UP", "DOWN"), dtype=object)
    return Market(pipeline, KINDS, rows, target, train(rows, target, pipeline, KINDS, batch_rows=48))


@pytest.fixture(scope="session")
def market() -> Market:
    """A binary classification."""
    return _market()


@pytest.fixture(scope="session")
def load_market() -> Market:
    """A regression."""
    return _market(task="regression", target={"column": "load", "default": 0.0, "tolerance": 0.5})


@pytest.fixture(scope="session")
def shuffled(market: Market) -> Trained:
    """A challenger that learned from shuffled labels, and is judged on the true ones."""
    noise = pd.Series(np.random.default_rng(3).permutation(market.target.to_numpy()), dtype=object)
    return replace(market.retrained(noise), holdout_target=market.trained.holdout_target)

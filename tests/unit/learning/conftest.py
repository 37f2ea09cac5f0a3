"""Small prediction problems: configuration, rows and labels, made to order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from evenkeel.settings import Pipeline

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = {"at": "time", "load": "numeric", "price": "numeric", "region": "categorical", "holiday": "boolean"}
TARGETS = {
    "binary": {"column": "y", "classes": ["DOWN", "UP"], "default": "DOWN"},
    "multiclass": {"column": "y", "classes": ["low", "middle", "high"], "default": "low"},
    "regression": {"column": "y", "default": 0.0},
}
QUICK = [{"estimator": "hist_gradient_boosting", "grid": {"max_iter": [15]}}]


@dataclass(frozen=True)
class Problem:
    """A pipeline with labelled rows in time order."""

    pipeline: Pipeline
    kinds: dict[str, str]
    rows: pd.DataFrame
    target: pd.Series[Any]


def configured(task: str = "binary", **changes: Any) -> Pipeline:
    base: dict[str, Any] = {
        "pipeline": "small",
        "task": task,
        "target": TARGETS[task],
        "row_key": ["at"],
        "time": "at",
        "features": {"columns": ["load", "price", "region", "holiday"], "calendar": ["hour", "weekday"]},
        "ladder": {"baseline_columns": ["load"]},
        "training": {"candidates": QUICK, "folds": 2},
    }
    for name, change in changes.items():
        base[name] = base[name] | change if isinstance(base.get(name), dict) else change
    return Pipeline.model_validate(base)


def drawn(task: str = "binary", n: int = 600, seed: int = 0, **changes: Any) -> Problem:
    draw = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "at": pd.date_range("2026-01-05", periods=n, freq="h", tz="UTC"),
            "load": draw.normal(size=n),
            "price": draw.normal(size=n),
            "region": draw.choice(np.array(["north", "south", None], dtype=object), size=n),
            "holiday": draw.choice(np.array([True, False, None], dtype=object), size=n),
        }
    )
    rows.loc[::13, "price"] = np.nan
    level = rows["load"] + (rows["region"] == "north") + 0.5 * draw.normal(size=n)
    if task == "binary":
        level = pd.Series(np.where(level > 0.3, "UP", "DOWN"), dtype=object)
    elif task == "multiclass":
        level = pd.Series(
            np.array(["low", "middle", "high"], dtype=object)[np.digitize(level, [-0.4, 1.0])], dtype=object
        )
    return Problem(configured(task, **changes), KINDS, rows, level)


@pytest.fixture
def configure() -> Callable[..., Pipeline]:
    """A pipeline's settings; keyword arguments change sections of it."""
    return configured


@pytest.fixture
def problem() -> Callable[..., Problem]:
    """A problem of the given task, size and seed."""
    return drawn

"""Bounded looks at a batch and at the reference, the same for the same seed."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


class Draw(IntEnum):
    """What a sample is drawn for; each draw has random numbers of its own."""

    CALIBRATION = 0
    BATCH = 1
    REFERENCE = 2


def generator(seed: int, draw: Draw) -> np.random.Generator:
    """Return the random numbers of one draw."""
    return np.random.default_rng([seed, int(draw)])


def sample_rows(frame: pd.DataFrame, limit: int, seed: int, draw: Draw) -> pd.DataFrame:
    """Return at most ``limit`` rows of ``frame``, drawn without replacement, in their order.

    Drawn at random and not every n-th: a step that shares a factor with the day's length would
    only ever meet some hours of the day.
    """
    if len(frame) <= limit:
        return frame
    chosen = generator(seed, draw).choice(len(frame), limit, replace=False, shuffle=False)
    return frame.iloc[np.sort(chosen)]

"""Whether the spread of a column moved with its level: another unit stretches both, the world often but the level."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from evenkeel.diagnosis.runs import cut

if TYPE_CHECKING:
    import pandas as pd

    from evenkeel.diagnosis.past import Past
    from evenkeel.domain.diagnosis import Fault

_FITTED = re.compile(r"^x\S+ [+-]")  # a line that is no known unit, as ``x1.3 +40``
_LEAST_RUNS = 3


def moved_too(fault: Fault, batch: pd.DataFrame, past: Past) -> bool:
    """Say whether the spread of a column in another unit bears the claim out; of any other fault, true.

    The claimed factor must lie nearer to what became of the spread than no factor does, on a logarithmic
    scale. Where the line is merely fitted, the spread must besides lie outside all that runs of the past
    have shown.

    Args:
        fault: What is claimed of the batch.
        batch: The batch as it was when it was claimed.
        past: What it is compared with.
    """
    if fault.cause != "data.unit_change" or fault.rows is not None or len(fault.repaired) != 1:
        return True
    (column,) = fault.repaired
    spreads = np.array([past.rows[column].iloc[run].std() for run in cut(past, len(batch))], dtype=float)
    spreads = spreads[np.isfinite(spreads) & (spreads > 0)]
    own, before = float(batch[column].std()), float(fault.repaired[column].std())
    if len(spreads) < _LEAST_RUNS or not own > 0 or not before > 0:
        return True
    moved, claimed = np.log(own / np.median(spreads)), np.log(own / before)
    if abs(moved - claimed) >= abs(moved):
        return False
    return not _FITTED.match(fault.transform) or not spreads.min() <= own <= spreads.max()

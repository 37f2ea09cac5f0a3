"""The past cut into runs as long as a batch: what they show by chance is what a good batch may show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

    from evenkeel.diagnosis.past import Past, Subject
    from evenkeel.quality.kind import Kind

Floats = npt.NDArray[np.float64]

FEWEST_ROWS = 5
_FEWEST_RUNS = 12


def cut(past: Past, rows: int) -> list[slice]:
    """Return runs of the past as slices of ``past.rows``, oldest first.

    The last good batches are taken as they came. The reference is cut into pieces of ``rows`` rows, or
    shorter ones until 12 fit: shorter runs vary more, which makes a limit learned from them wider.

    Args:
        past: The past.
        rows: Rows of the batch that the runs stand for.
    """
    found: list[slice] = []
    start = 0 if past.reference is None else len(past.reference)
    length = min(rows, start // _FEWEST_RUNS)
    if length >= FEWEST_ROWS:
        found += [slice(at - length, at) for at in range(start, length - 1, -length)][::-1]
    for batch in past.recent:
        if len(batch) >= FEWEST_ROWS:
            found.append(slice(start, start + len(batch)))
        start += len(batch)
    return found


def shared(batch: pd.DataFrame, past: Past, subject: Subject, *kinds: Kind) -> list[str]:
    """Return the features of the given kinds that both the batch and the past have."""
    return [
        name
        for name in subject.features
        if subject.kinds.get(name) in kinds and name in batch.columns and name in past.rows.columns
    ]


def numbers(column: pd.Series[Any]) -> Floats:
    """Return a numeric or boolean column as float64, NaN for what is null or infinite."""
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def sample(rows: int, most: int) -> npt.NDArray[np.intp]:
    """Return at most ``most`` positions out of ``rows``, evenly spread, ascending."""
    if rows <= most:
        return np.arange(rows)
    return np.linspace(0, rows - 1, most).astype(np.intp)

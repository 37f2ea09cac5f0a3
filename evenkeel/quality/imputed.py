"""Rows that were imputed once: which cells, and the rows as they were before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


def names(lists: pd.Series[Any], column: str) -> npt.NDArray[np.bool_]:
    """Return which of n rows have the column in their list of columns."""
    found = np.zeros(len(lists), dtype=np.bool_)
    touched = np.flatnonzero(lists.map(len))
    found[touched] = [column in listed for listed in lists.iloc[touched]]
    return found


def unimputed(rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Empty the cells that were imputed: nobody must learn from, or compare with, the last imputers' guesses.

    Args:
        rows: n rows with ``imputed``, the list of each row's imputed columns, which is left out of the answer.
        columns: The columns to look at.
    """
    frame = rows.drop(columns="imputed")
    ever = {name for listed in rows["imputed"] for name in listed}
    for column in ever.intersection(columns):
        frame[column] = frame[column].mask(names(rows["imputed"], column))
    return frame

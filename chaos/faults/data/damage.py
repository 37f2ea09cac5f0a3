"""The truth about an injected fault, and which rows it meets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

Positions = npt.NDArray[np.intp]
# A Generator's seed and the faults' own tag: two faults with one seed do not draw the same rows.
_TAG = 7919


@dataclass(frozen=True)
class Damaged:
    """A damaged copy of a batch and what was done to it.

    Attributes:
        frame: The batch as the broken source would send it.
        cause: Cause of the failure catalogue; empty where nothing was changed.
        columns: Columns it is in, by the names they had before; empty for faults of whole rows.
        transform: What was done to the values, in the classifier's words: ``x1000``, ``a<->b``.
        rows: Positions of the rows it is in, in ``frame``; None for all of them.
    """

    frame: pd.DataFrame
    cause: str
    columns: tuple[str, ...] = ()
    transform: str = ""
    rows: Positions | None = None

    @property
    def harmless(self) -> bool:
        """Whether nothing was changed."""
        return not self.cause


def untouched(frame: pd.DataFrame) -> Damaged:
    """Return a copy of which nothing was damaged."""
    return Damaged(frame.copy(), cause="")


def truth(
    frame: pd.DataFrame, cause: str, columns: tuple[str, ...], transform: str, rows: Positions
) -> Damaged:
    """Return what was done; ``rows`` is left out where it is every row, and nothing is said of no row."""
    if not len(rows):
        return Damaged(frame, cause="")
    return Damaged(frame, cause, columns, transform, None if len(rows) == len(frame) else rows)


def draw(seed: int, family: int = 0) -> np.random.Generator:
    """Return the random numbers of a fault."""
    return np.random.default_rng([_TAG, family, seed])


def check_severity(severity: float) -> float:
    """Return ``severity``.

    Raises:
        ValueError: It is not within 0 to 1.
    """
    if not 0 <= severity <= 1:
        raise ValueError(f"severity is {severity}; it must lie within 0 (barely visible) and 1 (gross)")
    return severity


def one(columns: Any) -> str:
    """Return the only column named.

    Raises:
        ValueError: Not exactly one is.
    """
    (name,) = several(columns, 1)
    return name


def several(columns: Any, count: int | None = None) -> tuple[str, ...]:
    """Return the columns named.

    Raises:
        ValueError: None is, or another number than ``count``.
    """
    names = tuple(columns)
    if not names or (count is not None and len(names) != count):
        raise ValueError(f"this fault takes {count or 'one or more'} column(s), {len(names)} given: {names}")
    return names


def last_rows(frame: pd.DataFrame, share: float) -> Positions:
    """Return the positions of the last ``share`` of the rows: a source that changed in mid-batch."""
    return np.arange(len(frame) - _count(frame, share), len(frame))


def scattered_rows(frame: pd.DataFrame, share: float, seed: int, family: int = 0) -> Positions:
    """Return the positions of a random ``share`` of the rows, ascending."""
    return np.sort(draw(seed, family).permutation(len(frame))[: _count(frame, share)])


def _count(frame: pd.DataFrame, share: float) -> int:
    return min(len(frame), int(np.ceil(share * len(frame) - 1e-9)))

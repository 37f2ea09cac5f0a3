"""How many decimals a column is written with: what was multiplied no longer fits them, what was not does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from evenkeel.diagnosis.density import Floats

_MOST_DECIMALS = 6
_PRECISION = 1e-9
_NEARLY_ALL = 0.95
SAME_DIGITS_COST = 40.0
OTHER_DIGITS_COST = 6.0


def surprise(past: Floats, came: Floats, before: Floats) -> float:
    """Return how many nats the digits of a column speak against its having been multiplied.

    Values that came with the decimals of the past, and would have others once it is undone, were hardly
    multiplied: only a source that also rounds would send them so.

    Args:
        past: Values of the past.
        came: Values as they came.
        before: The same, undone.
    """
    decimals = _decimals(past)
    if decimals is None or _fit(before, decimals):
        return 0.0
    return SAME_DIGITS_COST if _fit(came, decimals) else OTHER_DIGITS_COST


def _decimals(values: Floats) -> int | None:
    """Return the fewest decimals that hold nearly all values; None where more than six are needed."""
    return next((d for d in range(_MOST_DECIMALS + 1) if _fit(values, d)), None)


def _fit(values: Floats, decimals: int) -> bool:
    known = values[np.isfinite(values)] * 10.0**decimals
    return bool(np.mean(np.abs(known - np.round(known)) <= _PRECISION * np.abs(known) + 1e-6) >= _NEARLY_ALL)

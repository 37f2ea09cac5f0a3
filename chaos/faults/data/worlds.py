"""The world changes and the feed is right: rows are drawn otherwise, and every row drawn is genuine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chaos.faults.data.cells import kind_of, need, numbers
from chaos.faults.data.damage import Damaged, check_severity, draw, one, untouched

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEPT_AT_GROSS = 0.3


def drift_covariates(frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int) -> Damaged:
    """Keep rows with large values of one column rather than others (a category: of one name).

    Rows stay whole, so what goes with what is as it was, and keys stay unique: rows are drawn without putting
    back. At severity 0.2 about six of seven stay, drawn nearly evenly; at 1 three of ten, almost all from the
    top.
    """
    need(frame, name := one(columns), {"numeric", "categorical", "boolean"})
    return _drawn(frame, name, severity, seed, "data.covariate_drift")


def drift_prior(frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int) -> Damaged:
    """Keep rows of some labels rather than others; as :func:`drift_covariates`, by the label's column."""
    need(frame, name := one(columns), {"numeric", "categorical", "boolean"})
    return _drawn(frame, name, severity, seed, "data.prior_drift")


def _drawn(frame: pd.DataFrame, name: str, severity: float, seed: int, cause: str) -> Damaged:
    if not check_severity(severity):
        return untouched(frame)
    random = draw(seed)
    if kind_of(frame[name]) == "numeric":
        rank = pd.Series(numbers(frame, name)).rank(pct=True).fillna(0.5).to_numpy()
    else:
        codes, names = pd.factorize(frame[name].astype(str), sort=True)
        rank = random.permutation(np.linspace(0, 1, max(len(names), 2)))[codes]
    # The Gumbel trick: the largest of log weight + Gumbel noise are a weighted draw without putting back.
    score = 8 * severity * rank + random.gumbel(size=len(frame))
    kept = max(1, round(len(frame) * (1 - (1 - _KEPT_AT_GROSS) * severity)))
    rows = np.sort(np.argsort(-score, kind="stable")[:kept])
    return Damaged(frame.iloc[rows].reset_index(drop=True), cause, (name,), "drawn otherwise")

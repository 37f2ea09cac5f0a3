"""Two categorical columns that have changed places, told by names that are strangers in one and known in the other."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from evenkeel.diagnosis.runs import shared
from evenkeel.domain.diagnosis import Fault

if TYPE_CHECKING:
    import pandas as pd

    from evenkeel.diagnosis.past import Past, Subject

_NEARLY_ALL = 0.95
_FEWEST_CELLS = 3
_LEAST_SHARE = 0.05
_SURE = 0.99


def detect(batch: pd.DataFrame, past: Past, subject: Subject) -> list[Fault]:
    """Find pairs of columns that hold each other's names, in all rows or from some row on."""
    known = {
        column: set(past.rows[column].dropna().unique())
        for column in shared(batch, past, subject, "categorical", "text")
        if not batch[column].isna().all()
    }
    strange = {c: (~batch[c].isin(list(k)) & batch[c].notna()).to_numpy() for c, k in known.items()}
    suspects = [c for c, s in strange.items() if s.sum() >= max(_FEWEST_CELLS, _LEAST_SHARE * len(batch))]
    found = []
    for one, other in combinations(suspects, 2):
        if not _belong(batch[one], strange[one], known[other]):
            continue
        if not _belong(batch[other], strange[other], known[one]):
            continue
        first = int(min(np.argmax(strange[one]), np.argmax(strange[other])))
        faulty = np.arange(len(batch)) >= first
        found.append(
            Fault(
                cause="data.columns_swapped",
                columns=(one, other),
                confidence=_SURE,
                transform=f"{one}<->{other}",
                rows=np.flatnonzero(faulty) if first else None,
                repaired={
                    one: batch[one].mask(faulty, batch[other]),
                    other: batch[other].mask(faulty, batch[one]),
                },
                evidence={"told_by": "names of the other column", "first_row": first},
            )
        )
    return found


def _belong(cells: pd.Series, strange: np.ndarray, known: set[str]) -> bool:
    return bool(cells[strange].isin(list(known)).mean() >= _NEARLY_ALL)

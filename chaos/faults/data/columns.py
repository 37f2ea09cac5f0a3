"""Columns that are renamed, lost, added, put in another order, or spelled as another type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chaos.faults.data.cells import need, numbers, put
from chaos.faults.data.damage import (
    Damaged,
    check_severity,
    draw,
    scattered_rows,
    several,
    truth,
    untouched,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_SLIGHT, _CLEAR = 1 / 3, 2 / 3


def rename(frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int) -> Damaged:
    """Send columns under other names.

    Severity sets how far off: below 1/3 in capitals, below 2/3 cut and numbered (``pri_1``), above a name that
    says nothing (``field_417``).
    """
    if not check_severity(severity):
        return untouched(frame)
    new = {}
    for number, name in enumerate(several(columns)):
        need(frame, name, {"numeric", "categorical", "boolean", "text", "time"})
        if severity < _SLIGHT:
            new[name] = name.upper() if name != name.upper() else name.lower()
        elif severity < _CLEAR:
            new[name] = f"{name[:3]}_{number + 1}"
        else:
            new[name] = f"field_{int(draw(seed, number).integers(100, 1000))}"
    words = ", ".join(f"{came}->{name}" for name, came in new.items())
    damaged = frame.rename(columns=new)
    return truth(damaged, "data.column_renamed", tuple(new), words, np.arange(len(frame)))


def remove(
    frame: pd.DataFrame,
    *,
    severity: float,
    columns: Sequence[str],
    seed: int,
) -> Damaged:
    """Send the batch without some columns. Any severity above 0 does."""
    names = several(columns)
    for name in names:
        need(frame, name, {"numeric", "categorical", "boolean", "text", "time"})
    if not check_severity(severity):
        return untouched(frame)
    return truth(
        frame.drop(columns=list(names)), "data.column_missing", names, "removed", np.arange(len(frame))
    )


def add(
    frame: pd.DataFrame,
    *,
    severity: float,
    columns: Sequence[str] = (),
    seed: int,
) -> Damaged:
    """Send columns that nobody knows: 2 at severity 0.2, 10 at 1; noise and text by turns."""
    random, damaged = draw(seed), frame.copy()
    new = tuple(f"added_{number}" for number in range(1, 1 + round(10 * check_severity(severity))))
    for number, name in enumerate(new):
        values = random.normal(size=len(frame)).round(3)
        damaged.insert(number % (len(frame.columns) + 1), name, values if number % 2 else values.astype(str))
    return truth(damaged, "data.column_added", new, "added", np.arange(len(frame) if new else 0))


def reorder(
    frame: pd.DataFrame,
    *,
    severity: float,
    columns: Sequence[str] = (),
    seed: int,
) -> Damaged:
    """Send the columns in another order, header and all: harmless, and so without a cause.

    Any severity above 0 does.
    """
    if not check_severity(severity):
        return untouched(frame)
    order = list(draw(seed).permutation(len(frame.columns)))
    return Damaged(frame.iloc[:, order].copy(), cause="")


def retype(frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int) -> Damaged:
    """Send numbers or truth values spelled as something else.

    Below 1/3 losslessly (``12.0`` for 12, ``yes`` for true) in every row, which is harmless and so without a
    cause; above, a severity's share of the rows as text that is no number: ``1,234.5 kWh`` or ``oui``.
    """
    check_severity(severity)
    lossless = severity < _SLIGHT
    rows = scattered_rows(frame, 1.0 if lossless and severity else severity, seed)
    damaged = frame.copy()
    for name in several(columns):
        kind = need(frame, name, {"numeric", "boolean"})
        spelled = _numbers(frame, name, lossless) if kind == "numeric" else _truths(frame, name, lossless)
        damaged = put(damaged, name, rows, [spelled[row] for row in rows])
    if lossless:
        return Damaged(damaged, cause="")
    return truth(damaged, "data.column_retyped", tuple(columns), "text", rows)


def _numbers(frame: pd.DataFrame, name: str, lossless: bool) -> list[str | None]:
    return [
        None if np.isnan(value) else f" {value!r}" if lossless else f"{value:,.1f} units"
        for value in numbers(frame, name).tolist()
    ]


def _truths(frame: pd.DataFrame, name: str, lossless: bool) -> list[str | None]:
    yes, no = ("yes", "no") if lossless else ("oui", "non")
    true = {"true", "yes", "1", "1.0"}
    return [
        None if pd.isna(cell) else yes if str(cell).strip().lower() in true else no for cell in frame[name]
    ]

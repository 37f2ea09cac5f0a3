"""Everything that is wrong with the rows of a batch: unreadable cells, broken checks, repeated keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from evenkeel.quality.quarantine import Finding, cells_as_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd

    from evenkeel.quality.coercion import Coerced
    from evenkeel.quality.rules import Broken, Rules


def find(
    frame: pd.DataFrame,
    typed: pd.DataFrame,
    read: dict[str, Coerced],
    rules: Rules,
    row_key: Sequence[str],
    *,
    emptied: Mapping[str, npt.NDArray[np.bool_]],
) -> tuple[list[Finding], list[Broken]]:
    """Return what rows can be blamed for, and what none can.

    Args:
        frame: The batch as it came.
        typed: Its columns as they were read, numbered from 0.
        read: Column -> what reading it found.
        rules: pandera's checks.
        row_key: The columns that identify a row; of rows with one key the first that breaks nothing else
            is kept.
        emptied: Column -> cells that were emptied on purpose.
    """
    findings = [
        Finding(name, check, rows := np.flatnonzero(mask), cells_as_text(frame[name], rows))
        for name, coerced in read.items()
        for check, mask in coerced.flawed.items()
    ]
    unexplained = []
    for broken in excused(rules.broken(typed), emptied):
        if broken.rows is None:
            unexplained.append(broken)
            continue
        rows = broken.rows
        if broken.check == "not_nullable" and broken.column in read:  # an unreadable cell is null only here
            unreadable = read[broken.column].flawed.get("dtype")
            rows = rows if unreadable is None else rows[~unreadable[rows]]
        if len(rows):
            cells = frame[broken.column] if broken.column in frame.columns else _joined(typed, broken.column)
            findings.append(Finding(broken.column, broken.check, rows, cells_as_text(cells, rows)))
    bad = np.zeros(len(frame), dtype=np.bool_)
    for found in findings:
        bad[found.rows] = True
    later = _later_duplicates(typed[list(row_key)], bad)
    if len(later):
        name = ", ".join(row_key)
        findings.append(Finding(name, "unique", later, cells_as_text(_joined(typed, name), later)))
    return findings, unexplained


def excused(broken: Sequence[Broken], emptied: Mapping[str, npt.NDArray[np.bool_]]) -> list[Broken]:
    """Return what is left of broken checks when cells emptied on purpose may be null."""
    left = []
    for found in broken:
        if found.check == "not_nullable" and found.rows is not None and found.column in emptied:
            rows = found.rows[~emptied[found.column][found.rows]]
            left += [replace(found, rows=rows)] if len(rows) else []
        else:
            left.append(found)
    return left


def _later_duplicates(keys: pd.DataFrame, bad: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Return the rows whose key an earlier row has, but for the first row of each key that is not bad."""
    readable = keys.notna().all(axis=1).to_numpy()
    repeated = keys.duplicated(keep="first").to_numpy() & readable
    if not repeated.any():
        return np.flatnonzero(repeated)
    good = readable & ~bad
    kept = good.copy()
    kept[good] = ~keys[good].duplicated(keep="first").to_numpy()
    return np.flatnonzero(repeated & ~kept)


def _joined(typed: pd.DataFrame, names: str) -> pd.Series[Any]:
    """Return the values of several columns as one text."""
    first, *others = (typed[name].astype("string") for name in names.split(", "))
    for other in others:
        first = first.str.cat(other, sep=", ")
    return first

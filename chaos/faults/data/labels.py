"""Labels that are wrong, or known as a feature before their time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chaos.faults.data.cells import kind_of, need, numbers, put, put_numbers
from chaos.faults.data.damage import (
    Damaged,
    check_severity,
    draw,
    one,
    scattered_rows,
    several,
    truth,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_ANY = frozenset({"numeric", "categorical", "boolean"})


def noisy(frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int) -> Damaged:
    """Give rows the labels of other rows. Severity is the share of rows, scattered."""
    need(frame, name := one(columns), _ANY)
    rows = scattered_rows(frame, check_severity(severity), seed)
    source = np.arange(len(frame))
    source[rows] = draw(seed, 1).permutation(rows)
    damaged = frame.copy()
    damaged[name] = frame[name].take(source).to_numpy()
    return truth(damaged, "data.labels_flipped", (name,), "noise", rows if len(rows) > 1 else rows[:0])


def flip(frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int) -> Damaged:
    """Turn labels into their opposite. Severity is the share of rows, scattered.

    A number is mirrored at the middle of the labels; a class becomes the next one in the alphabet's order, of
    two classes the other.
    """
    kind = need(frame, name := one(columns), _ANY)
    rows = scattered_rows(frame, check_severity(severity), seed)
    if kind == "numeric":
        values = numbers(frame, name)
        mirrored = np.nanmin(values) + np.nanmax(values) - values[rows]
        return truth(
            put_numbers(frame, name, rows, mirrored), "data.labels_flipped", (name,), "mirrored", rows
        )
    classes = sorted(frame[name].dropna().unique(), key=str)
    following = dict(zip(classes, [*classes[1:], classes[0]], strict=True))
    cells = frame[name].astype(object).to_numpy()
    damaged = put(frame, name, rows, [following.get(cell, cell) for cell in cells[rows]])
    if frame[name].dtype != object:
        damaged[name] = damaged[name].astype(frame[name].dtype)
    words = ", ".join(f"{old}->{new}" for old, new in following.items())
    return truth(damaged, "data.labels_flipped", (name,), words, rows)


def leak(frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int) -> Damaged:
    """Put the label into a feature, as a column filled after the event does.

    The first column named is the feature, the second the label; a feature the frame lacks is added. A number
    takes the label (or the number of its class) plus noise of ``1 - severity`` standard deviations; severity
    is the share of the label in it, and at 1 it is the label.
    """
    feature, label = several(columns, 2)
    kind = need(frame, label, _ANY)
    share = check_severity(severity)
    known = (
        numbers(frame, label) if kind == "numeric" else pd.factorize(frame[label], sort=True)[0].astype(float)
    )
    spread = float(np.nanstd(known)) or 1.0
    told = share * known + (1 - share) * spread * draw(seed).normal(size=len(frame))
    damaged = frame.copy()
    if feature not in frame.columns:
        damaged[feature] = told
    elif kind_of(frame[feature]) == "numeric":
        old = numbers(frame, feature)
        width, centre = float(np.nanstd(old)) or 1.0, float(np.nanmean(old))
        placed = centre + width * (told - np.nanmean(told)) / (float(np.nanstd(told)) or 1.0)
        damaged = put_numbers(frame, feature, np.arange(len(frame)), placed)
    else:
        raise ValueError(f"{feature} is {kind_of(frame[feature])}; a label leaks into a numeric column only")
    rows = np.arange(len(frame) if share else 0)
    return truth(
        damaged if share else frame.copy(), "data.label_leakage", (feature,), f"{label}->{feature}", rows
    )

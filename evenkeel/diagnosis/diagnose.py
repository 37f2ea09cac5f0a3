"""Which silent faults a batch has: each detector looks at what the ones before it left unexplained."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from evenkeel.diagnosis import (
    frozen,
    future,
    noise,
    nulls,
    outliers,
    recoding,
    sentinels,
    stale,
    swapped_names,
    times,
    transforms,
)
from evenkeel.diagnosis.changed import changed
from evenkeel.diagnosis.spread import moved_too
from evenkeel.domain.diagnosis import Diagnosis, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from evenkeel.diagnosis.past import Past, Subject

    Detector = Callable[[pd.DataFrame, Past, Subject], list[Fault]]

FEWEST_PAST_ROWS = 100
FEWEST_PAST_BATCHES = 2
LEAST_CONFIDENCE = 0.5
"""A fault is named where it is likelier than not; what is done at which confidence is the pipeline's to say."""

DETECTORS: tuple[Detector, ...] = (
    nulls.detect,
    stale.detect,
    future.detect,
    times.detect,
    sentinels.detect,
    frozen.detect,
    swapped_names.detect,
    recoding.detect,
    transforms.detect,
    outliers.detect,
    noise.detect,
)
"""In the order they look: what hides other faults first, what is told by its size alone last."""


def diagnose(batch: pd.DataFrame, past: Past, subject: Subject) -> Diagnosis:
    """Name the faults of the feed in a batch, and the columns that moved with the world.

    The detectors look in turn at a working copy in which the faults found before are mended: repaired values
    put in, or the faulty cells blanked. So a column of another unit with sentinels in it is told as both.
    Where two claim all of one column, the surer one wins.

    Args:
        batch: Every schema column that came, typed, all rows, index 0 to n-1.
        past: What it is compared with.
        subject: What is known of the pipeline.

    Returns:
        Faults, surest first. ``repaired`` of a fault holds its columns with every fault of theirs mended, so
        that the order in which repairs are put in does not matter. Without faults, and with a note that says
        why, where there is too little past to tell.
    """
    if why := _too_little(batch, past):
        return Diagnosis(note=why)
    found, mended = _search(batch, past, subject, DETECTORS)
    faults = [replace(f, repaired={c: mended.get(c, v) for c, v in f.repaired.items()}) for f in found]
    moved = changed(mended, past, subject, {c for fault in faults for c in fault.columns})
    return Diagnosis(faults=tuple(sorted(faults, key=lambda f: -f.confidence)), changed=moved)


def _too_little(batch: pd.DataFrame, past: Past) -> str:
    rows = len(past.rows)
    if batch.empty:
        return "an empty batch"
    if past.reference is None and len(past.recent) < FEWEST_PAST_BATCHES:
        return f"{len(past.recent)} good batches and no reference to compare with, fewer than {FEWEST_PAST_BATCHES}"
    if rows < FEWEST_PAST_ROWS:
        return f"a past of {rows} rows to compare with, fewer than {FEWEST_PAST_ROWS}"
    return ""


def _search(
    batch: pd.DataFrame, past: Past, subject: Subject, detectors: Sequence[Detector]
) -> tuple[list[Fault], pd.DataFrame]:
    """Return the faults that stand, in the order found, and the batch with them mended.

    A claim that contradicts a surer one is dropped; one that contradicts only less sure ones replaces them,
    and the mending starts again from the batch as it came.
    """
    found: list[Fault] = []
    working = batch.copy(deep=False)
    for detect in detectors:
        for claim in detect(working, past, subject):
            rivals = [f for f in found if _contradict(f, claim)]
            if not moved_too(claim, working, past):
                continue
            if claim.confidence < LEAST_CONFIDENCE or any(f.confidence >= claim.confidence for f in rivals):
                continue
            if rivals:
                found = [f for f in found if not any(f is r for r in rivals)]
                working = batch.copy(deep=False)
                for fault in found:
                    _mend(working, fault)
            found.append(claim)
            _mend(working, claim)
    return found, working


def _contradict(one: Fault, other: Fault) -> bool:
    """Tell whether two faults explain one column as a whole: both cannot be the right name for it."""
    return one.rows is None and other.rows is None and not set(one.columns).isdisjoint(other.columns)


def _mend(working: pd.DataFrame, fault: Fault) -> None:
    """Put the repaired values into the working copy, in place; what cannot be repaired is blanked or dropped.

    A column that is lost as a whole is dropped, not blanked: a null in it is no news to the detectors after.
    """
    for column in fault.columns:
        mended = fault.repaired.get(column)
        if column not in working.columns:
            continue
        if fault.rows is None:
            if mended is None:
                del working[column]
            else:
                working[column] = mended
            continue
        faulty = np.zeros(len(working), dtype=bool)
        faulty[fault.rows] = True
        kept = working[column]
        working[column] = kept.mask(faulty) if mended is None else kept.mask(faulty, mended)

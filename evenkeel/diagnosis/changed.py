"""Columns that have moved as the world moves: out of all they have shown, and nothing that breaks explains it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenkeel.diagnosis.profile import learn
from evenkeel.diagnosis.runs import sample
from evenkeel.diagnosis.usual import Usual, row_traits, traits

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd

    from evenkeel.diagnosis.past import Past, Subject

_SAMPLE = 400
_FEWEST_ROWS = 10
_OUT_OF_LINE = 5.0
_TIMES_FARTHEST = 1.4


def changed(batch: pd.DataFrame, past: Past, subject: Subject, faulty: Collection[str]) -> tuple[str, ...]:
    """Return the sound columns that lie outside what the past has shown, farthest first.

    Args:
        batch: The batch, its faults mended.
        past: The past.
        subject: What is known of the pipeline.
        faulty: Columns with a fault: what they show is the fault's.
    """
    profile = learn(past, subject, len(batch))
    if profile is None or len(batch) < _FEWEST_ROWS:
        return ()
    look = profile.look(batch, sample(len(batch), _SAMPLE))
    found = {}
    for column in look.values:
        if column in faulty or (batch[column].isna().all()):
            continue
        usual = Usual.of(profile, column)
        limit = max(_OUT_OF_LINE, _TIMES_FARTHEST * usual.farthest)
        off = usual.out_of_line(traits(row_traits(profile, look, column)))
        if off > limit:
            found[column] = off / limit
    return tuple(sorted(found, key=lambda c: -found[c]))

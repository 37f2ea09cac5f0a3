"""Yesterday's feed again: rows that repeat an earlier batch value for value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from evenkeel.diagnosis.runs import cut, numbers, sample, shared
from evenkeel.domain.diagnosis import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenkeel.diagnosis.past import Past, Subject

Hashes = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.intp]

_FEWEST_ROWS = 8
_LEAST_SHARE = 0.05
_TIMES_USUAL = 4.0
_DISTINCT = 0.5
_NEARLY_ALL = 0.95
_TELLING_NUMBERS = 3
_TELLING = 0.3
_SAMPLE = 1000
_ODD = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


def detect(batch: pd.DataFrame, past: Past, subject: Subject) -> list[Fault]:
    """Find the earlier batch that a batch repeats, whole or in part.

    Only rows count whose values one earlier batch has and no other: what comes every day tells nothing. The
    share of such rows must be several times what any two batches of the past have in common, and most of
    them must differ from each other, so that neither few categories nor a quiet night look like a repetition.

    Returns:
        At most one fault, of all features; and of time and row key where those repeat as well.
        ``evidence["batches_back"]`` is None where it is the reference that is repeated.
    """
    names = shared(batch, past, subject, "numeric", "categorical", "boolean", "text", "time")
    names = [name for name in names if name not in subject.joined]
    runs = _apart(past, subject, cut(past, len(batch)))
    names = _telling(past.rows, names, subject)
    if not names or not runs:
        return []
    known = _Known.of(_hashes(past.rows, names, subject), runs)
    rows = _hashes(batch, names, subject)
    place = known.places(rows)
    owners = np.where(place >= 0, known.owner[place], -1)
    if not (owners >= 0).any():
        return []
    counts = np.bincount(owners[owners >= 0], minlength=len(runs))
    which = int(counts.argmax())
    repeated = owners == which
    elsewhere = known.common(rows)
    share = repeated.sum() / max(1, min(len(rows), runs[which].stop - runs[which].start) - elsewhere.sum())
    distinct = len(np.unique(rows[repeated]))
    if distinct < max(_FEWEST_ROWS, _DISTINCT * repeated.sum()) or share < _limit(known.usual):
        return []
    same = past.rows.iloc[known.row[place[repeated]]]
    keys = _same_keys(batch[repeated], same, [*subject.row_key, subject.time])
    all_of_it = (repeated | elsewhere).mean() >= _NEARLY_ALL
    back = len(runs) - which
    columns = [*subject.features, *keys]
    return [
        Fault(
            cause="data.stale_feed",
            columns=tuple(dict.fromkeys(c for c in columns if c in batch.columns)),
            confidence=0.99 if share > 2 * _limit(known.usual) else 0.95,
            transform="the batch before" if back == 1 else "an earlier batch",
            rows=None if all_of_it else np.flatnonzero(repeated),
            evidence={
                "batches_back": back if back <= len(past.recent) else None,
                "share": round(float(min(share, 1.0)), 4),
                "usual": round(known.usual, 4),
                "keys_repeat": bool(keys),
            },
        )
    ]


def _limit(usual: float) -> float:
    """Return the share of repeated rows beyond which a batch is stale."""
    return max(_LEAST_SHARE, min(_TIMES_USUAL * usual, (4 + usual) / 5))


def _apart(past: Past, subject: Subject, runs: list[slice]) -> list[slice]:
    """Leave out runs of the reference that recent batches have as well: they would repeat themselves."""
    if past.reference is None or not past.recent or subject.time not in past.rows.columns:
        return runs
    edge = len(past.reference)
    times = past.rows[subject.time]
    first = times.iloc[edge:].min()
    return [run for run in runs if run.start >= edge or not (times.iloc[run] >= first).any()]


def _telling(known: pd.DataFrame, names: Sequence[str], subject: Subject) -> list[str]:
    """Return the columns to compare: the numbers alone where they are enough, for names cost more."""
    some = known.iloc[sample(len(known), _SAMPLE)]
    measured = [name for name in names if subject.kinds[name] == "numeric"]
    rich = [name for name in measured if some[name].nunique() > _TELLING * len(some)]
    return measured if len(rich) >= _TELLING_NUMBERS else list(names)


def _hashes(frame: pd.DataFrame, names: Sequence[str], subject: Subject) -> Hashes:
    """Return one number for each row that stands for its values in the columns ``names``."""
    mixed = np.zeros(len(frame), dtype=np.uint64)
    for name in names:
        column: pd.Series[Any] = frame[name]
        if subject.kinds[name] in {"numeric", "boolean"}:
            cells = (numbers(column) + 0.0).view(np.uint64)
        elif subject.kinds[name] == "time":
            cells = column.to_numpy(dtype="datetime64[ns]").view(np.uint64)
        else:
            cells = pd.util.hash_array(column.to_numpy(dtype=object))
        mixed = (mixed ^ cells) * _ODD
        mixed ^= mixed >> _SHIFT
    return mixed


@dataclass(frozen=True)
class _Known:
    """The rows of the past by their hash.

    Attributes:
        hashes: Distinct hashes, ascending.
        owner: The run each is in; -1 where it is in several.
        row: Position in the past of the first row with it.
        usual: The largest share of rows that two runs have in common and no third one.
    """

    hashes: Hashes
    owner: Positions
    row: Positions
    usual: float

    @classmethod
    def of(cls, hashes: Hashes, runs: Sequence[slice]) -> Self:
        """Index the rows of the past."""
        at = np.concatenate([np.arange(run.start, run.stop) for run in runs])
        run_of = np.repeat(np.arange(len(runs)), [run.stop - run.start for run in runs])
        distinct, first, which = np.unique(hashes[at], return_index=True, return_inverse=True)
        pairs = np.unique(which * len(runs) + run_of)
        runs_with = np.bincount(pairs // len(runs), minlength=len(distinct))
        owner = np.where(runs_with == 1, run_of[first], -1)
        two = np.repeat(runs_with, runs_with) == 2  # noqa: PLR2004  # a pair
        together = (pairs % len(runs))[two].reshape(-1, 2)
        counts = np.bincount(together[:, 0] * len(runs) + together[:, 1], minlength=1)
        shortest = min(run.stop - run.start for run in runs)
        return cls(distinct, owner, at[first], float(min(1.0, counts.max() / shortest)))

    def places(self, rows: Hashes) -> Positions:
        """Return where each row's hash stands; -1 for rows that the past does not have."""
        at = np.minimum(np.searchsorted(self.hashes, rows), len(self.hashes) - 1)
        return np.where(self.hashes[at] == rows, at, -1)

    def common(self, rows: Hashes) -> npt.NDArray[np.bool_]:
        """Return which rows several runs have."""
        at = self.places(rows)
        return (at >= 0) & (self.owner[at] < 0)


def _same_keys(ours: pd.DataFrame, theirs: pd.DataFrame, keys: Sequence[str]) -> list[str]:
    """Return the key columns, if most rows have the keys of the rows that they repeat."""
    both = [key for key in keys if key in ours.columns and key in theirs.columns]
    equal = [(ours[key].to_numpy() == theirs[key].to_numpy()).mean() > _DISTINCT for key in both]
    return both if both and all(equal) else []

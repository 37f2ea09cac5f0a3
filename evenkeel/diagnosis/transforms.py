"""Numbers in another unit or with another sign, and columns that have changed places."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit

from evenkeel.diagnosis.fitted import fitted
from evenkeel.diagnosis.hypotheses import (
    Hypothesis,
    explained,
    gains,
    gains_of_column,
    of_one_column,
    swaps,
    traits,
    undone,
)
from evenkeel.diagnosis.profile import Profile, Sample, learn
from evenkeel.diagnosis.runs import numbers, sample
from evenkeel.domain.diagnosis import Fault

if TYPE_CHECKING:
    from evenkeel.diagnosis.density import Floats
    from evenkeel.diagnosis.past import Past, Subject

LEAST_CONFIDENCE = 0.5
_SAMPLE = 400
_MOST_FAULTS = 6
_FEWEST_ROWS = 4
_LEAST_EVIDENCE = 8.0
_FREE_COSTS = 10.0
_TIMES_NULL = 2.0
_STEEP = 3.0
_MOST_WEIGHED = 8
_OUT_OF_LINE = 4.0
_FAR_OUT_OF_LINE = 6.0
_IN_LINE = 4.0
_SMALLEST_SPREAD = 0.1


def detect(batch: pd.DataFrame, past: Past, subject: Subject) -> list[Fault]:
    """Find numbers in another unit or with another sign, and swapped columns, in all rows or from some row on.

    Each hypothesis is weighed by how much better it explains the rows than the batch as it came, see
    :mod:`evenkeel.diagnosis.profile`. One is believed only where the rows as they came lie outside what runs
    of the past show, lie inside it once it is undone, and it explains them far better than it would any run
    of the past. The best is undone and the search goes on, so that several are told apart.
    """
    profile = learn(past, subject, len(batch))
    if profile is None or not len(batch):
        return []
    found: list[Fault] = []
    working = batch.copy(deep=False)
    rows = sample(len(batch), _SAMPLE)
    for _ in range(_MOST_FAULTS):
        look = profile.look(working, rows)
        best = _best(profile, look)
        if best is None:
            break
        fault = _fault(profile, working, look, best)
        found.append(fault)
        for column, values in fault.repaired.items():
            working[column] = values
    return found


@dataclass(frozen=True)
class _Weighed:
    """A hypothesis and what speaks for it.

    Attributes:
        hypothesis: The hypothesis.
        start: Row of the sample it holds from.
        gain: Nats, over the rows.
        evidence: Nats, of rows that count as independent.
        confidence: 0 to 1.
    """

    hypothesis: Hypothesis
    start: int
    gain: float
    evidence: float
    confidence: float = 0.0


def _best(profile: Profile, look: Sample) -> _Weighed | None:
    """Return the hypothesis to believe first; a fitted one only where no known one will do."""
    known: list[_Weighed] = []
    for column in profile.numeric:
        if column in look.values:
            tried = of_one_column(column)
            known += _raised(profile, tried, gains_of_column(profile, look, column, tried))
    for swap in swaps(profile, look):
        known += _raised(profile, [swap], gains(profile, look, swap)[None])
    if (best := _first_believed(profile, look, known)) is not None:
        return best
    free: list[_Weighed] = []
    for column in profile.numeric:
        if column in look.values and (tried := fitted(profile, look, column)):
            free += _raised(profile, tried, gains_of_column(profile, look, column, tried))
    return _first_believed(profile, look, free)


def _first_believed(profile: Profile, look: Sample, raised: list[_Weighed]) -> _Weighed | None:
    raised.sort(key=lambda w: -w.gain)
    for weighed in raised[:_MOST_WEIGHED]:
        confidence = _confidence(profile, look, weighed, raised)
        if confidence > LEAST_CONFIDENCE:
            return replace(weighed, confidence=confidence)
    return None


def _raised(profile: Profile, tried: list[Hypothesis], gain: Floats) -> list[_Weighed]:
    """Return the hypotheses that explain some last rows better, by more than chance alone would."""
    sums = np.cumsum(gain[:, ::-1], axis=1)[:, ::-1]
    sums = sums[:, : max(1, gain.shape[1] - _FEWEST_ROWS)]
    start = np.argmax(sums, axis=1)
    found = []
    for number, hypothesis in enumerate(tried):
        total = float(sums[number, start[number]])
        if total < _LEAST_EVIDENCE:
            continue
        inflation = max(_inflation(profile, c) for c in hypothesis.columns)
        evidence = total / inflation - _FREE_COSTS * hypothesis.free
        if evidence > _LEAST_EVIDENCE:
            found.append(_Weighed(hypothesis, int(start[number]), total, evidence))
    return found


def _inflation(profile: Profile, column: str) -> float:
    """Return how many rows are worth one: the rows of a run are alike, and the evidence of alike rows is one's."""
    rows = explained(profile, profile.past, column)
    means = np.array([rows[run].mean() for run in profile.runs])
    lengths = np.array([run.stop - run.start for run in profile.runs])
    independent = float(np.var(rows)) / np.mean(lengths)
    return float(np.clip(np.var(means) / independent, 1.0, np.mean(lengths) / 4)) if independent > 0 else 1.0


def _confidence(profile: Profile, look: Sample, weighed: _Weighed, raised: list[_Weighed]) -> float:
    """Return how sure a hypothesis is, from its weakest point.

    It needs evidence to spare, rows out of line as they came, the same rows in line once it is undone, far
    more gain than in any run of the past, and more than any rival for a column of its.
    """
    hypothesis, start = weighed.hypothesis, weighed.start
    repaired = profile.replaced(look, undone(profile, look, hypothesis))
    off, left = 0.0, 0.0
    for column in hypothesis.columns:
        usual = _usual(profile, column, 1 - start / len(look.rows))
        off = max(off, _off(traits(profile, look, column, slice(start, None)), usual))
        left = max(left, _off(traits(profile, repaired, column, slice(start, None)), usual))
    before = gains(profile, profile.past, hypothesis)
    null = max(1.0, *(_peak(before[run]) for run in profile.runs))
    rivals = [w.gain for w in raised if _rival(w.hypothesis, hypothesis)]
    odds = min(
        weighed.evidence - _LEAST_EVIDENCE,
        _STEEP * (off - (_FAR_OUT_OF_LINE if hypothesis.free else _OUT_OF_LINE)),
        _STEEP * (_IN_LINE - left),
        _STEEP * (weighed.gain / null - _TIMES_NULL),
        (weighed.gain - max(rivals, default=0.0)) * weighed.evidence / weighed.gain,
    )
    return float(expit(odds))


def _rival(one: Hypothesis, other: Hypothesis) -> bool:
    return set(one.columns) != set(other.columns) and not set(one.columns).isdisjoint(other.columns)


def _peak(gain: Floats) -> float:
    return max(0.0, float(np.cumsum(gain[::-1]).max()))


def _usual(profile: Profile, column: str, share: float) -> tuple[Floats, Floats]:
    """Return center and spread, over the runs of the past, of the traits of their last rows."""
    found = []
    for run in profile.runs:
        length = max(_FEWEST_ROWS, round(share * (run.stop - run.start)))
        found.append(
            traits(profile, profile.past, column, slice(max(run.start, run.stop - length), run.stop))
        )
    known = np.array(found)
    return known.mean(axis=0), np.maximum(known.std(axis=0, ddof=1), _SMALLEST_SPREAD)


def _off(found: Floats, usual: tuple[Floats, Floats]) -> float:
    """Return how many spreads the farthest trait lies off; a likelihood can only be too low."""
    off = np.abs(found - usual[0]) / usual[1]
    off[0] = max(0.0, (usual[0] - found)[0] / usual[1][0])
    return float(off.max())


def _fault(profile: Profile, batch: pd.DataFrame, look: Sample, weighed: _Weighed) -> Fault:
    """Say what was found, with the rows told one by one where the sample left some out."""
    hypothesis = weighed.hypothesis
    start = _first_row(profile, batch, look, weighed)
    faulty = np.arange(len(batch)) >= start
    repaired: dict[str, pd.Series[Any]] = {}
    if hypothesis.cause == "data.columns_swapped":
        one, other = hypothesis.columns
        repaired[one] = batch[one].mask(faulty, batch[other])
        repaired[other] = batch[other].mask(faulty, batch[one])
    else:
        (column,) = hypothesis.columns
        before = np.where(faulty, hypothesis.undo(numbers(batch[column])), numbers(batch[column]))
        repaired[column] = pd.Series(before, index=batch.index)
    return Fault(
        cause=hypothesis.cause,
        columns=hypothesis.columns,
        confidence=weighed.confidence,
        transform=hypothesis.words,
        rows=None if start == 0 else np.flatnonzero(faulty),
        repaired=repaired,
        evidence={"nats": round(weighed.evidence, 1), "first_row": start},
    )


def _first_row(profile: Profile, batch: pd.DataFrame, look: Sample, weighed: _Weighed) -> int:
    """Return the row of the batch from which a hypothesis holds; the sample may have stepped over it."""
    start = weighed.start
    if start == 0:
        return 0
    between = np.arange(look.rows[start - 1] + 1, look.rows[start] + 1)[-_SAMPLE:]
    gain = gains(profile, profile.look(batch, between), weighed.hypothesis)
    return int(between[np.argmax(np.cumsum(gain[::-1])[::-1])])

"""Numbers in another unit or with another sign, and columns that have changed places."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit

from evenkeel.diagnosis.density import NameDensity
from evenkeel.diagnosis.digits import surprise
from evenkeel.diagnosis.fitted import fitted
from evenkeel.diagnosis.hypotheses import (
    Hypothesis,
    gains,
    gains_of_column,
    of_one_column,
    swaps,
    undone,
)
from evenkeel.diagnosis.permuted import chance_gain, joint_gain, rearranged
from evenkeel.diagnosis.profile import Profile, Sample, learn
from evenkeel.diagnosis.runs import numbers, sample
from evenkeel.diagnosis.usual import Usual, row_traits, traits
from evenkeel.domain.diagnosis import Fault

if TYPE_CHECKING:
    import numpy.typing as npt

    from evenkeel.diagnosis.density import Floats
    from evenkeel.diagnosis.past import Past, Subject

LEAST_CONFIDENCE = 0.5
_SAMPLE = 320
_FEW = 60
_MOST_FAULTS = 6
_FEWEST_ROWS = 4
_LEAST_EVIDENCE = 8.0
_TIMES_NULL = 2.0
_STEEP = 3.0
_MOST_WEIGHED = 8
_OUT_OF_LINE = 4.0
_FAR_OUT_OF_LINE = 8.0
_TIMES_FARTHEST = 1.4
_IN_LINE = 4.0
_FORGIVEN = 0.05
_MOST_FORGIVEN = 8.0
_FEW_NATS = 5.0
_FEW_OF_THEM = 0.08
_IN_MID_BATCH = 6.0
_SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)
_LEAST_JOINT = 4.0
_BEYOND_THE_WORLD = 18.0
_FEW_NAMES = 2
_MUCH_EVIDENCE = 16.0
_WELL_IN_LINE = 2.5


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
        facts: What the confidence rests on.
    """

    hypothesis: Hypothesis
    start: int
    gain: float
    evidence: float
    confidence: float = 0.0
    facts: dict[str, float] = field(default_factory=dict)


def _best(profile: Profile, look: Sample) -> _Weighed | None:
    """Return the hypothesis to believe first; a fitted one only where no known one will do."""
    known: list[_Weighed] = []
    for column in profile.numeric:
        if column in look.values:
            tried = of_one_column(column)
            known += _raised(profile, tried, gains_of_column(profile, look, column, tried))
    few = look.thinned(_FEW)
    for swap in swaps(profile, look):
        if _peak(gains(profile, few, swap)) > 0:
            known += _raised(profile, [swap], gains(profile, look, swap)[None])
    for column in profile.nominal:
        if column in look.values and (tried := rearranged(profile, look, column)):
            known += _raised(profile, tried, np.array([gains(profile, look, h) for h in tried]))
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
        if weighed.hypothesis.names and weighed.gain < raised[0].gain / 2:
            continue  # What upsets a number more, and is not understood, upsets what goes with it too.
        judged = _judged(profile, look, weighed, raised)
        if judged.confidence > LEAST_CONFIDENCE:
            return judged
    return None


def _raised(profile: Profile, tried: list[Hypothesis], gain: Floats) -> list[_Weighed]:
    """Return the hypotheses that explain some last rows better, by more than chance alone would."""
    sums = np.cumsum(gain[:, ::-1], axis=1)[:, ::-1]
    sums = sums[:, : max(1, gain.shape[1] - _FEWEST_ROWS)]
    start = np.argmax(sums, axis=1)
    found = []
    for number, hypothesis in enumerate(tried):
        total = float(sums[number, start[number]])
        if _whole(sums[number], int(start[number])):
            start[number] = 0
        if total < _LEAST_EVIDENCE:
            continue
        inflation = max(profile.inflation[c] for c in hypothesis.columns)
        evidence = total / inflation - hypothesis.surprise
        if evidence > _LEAST_EVIDENCE:
            found.append(_Weighed(hypothesis, int(start[number]), evidence * inflation, evidence))
    return found


def _judged(profile: Profile, look: Sample, weighed: _Weighed, raised: list[_Weighed]) -> _Weighed:
    """Return how sure a hypothesis is, from its weakest point, and the facts.

    It needs evidence to spare, rows out of line as they came, the same rows in line once it is undone, far
    more gain than in any run of the past, and more than any rival for a column of its. The farther out of line
    they came, the less it matters that the day itself is a bit unusual.
    """
    hypothesis, start = weighed.hypothesis, weighed.start
    repaired = profile.replaced(look, undone(profile, look, hypothesis))
    off, left, farthest, unlikely = 0.0, 0.0, 0.0, 0.0
    for column in hypothesis.columns:
        usual = Usual.of(profile, column, 1 - start / len(look.rows))
        came = traits(row_traits(profile, look, column)[:, start:])
        off = max(off, usual.out_of_line(came))
        unlikely = max(unlikely, usual.less_likely(came))
        left = max(left, usual.off(traits(row_traits(profile, repaired, column)[:, start:])))
        shares = _SHARES if start else ()
        farthest = max(farthest, usual.farthest, *(Usual.of(profile, column, s).farthest for s in shares))
    least = _FAR_OUT_OF_LINE if hypothesis.free or start else _OUT_OF_LINE
    limit = max(least, _TIMES_FARTHEST * farthest)
    if hypothesis.names:
        null = max(1.0, chance_gain(profile, hypothesis.columns[0]))
    else:
        before = gains(profile, profile.past, hypothesis)
        null = max(1.0, *(_peak(before[run]) for run in profile.runs))
    rivals = [w.gain for w in raised if _rival(w.hypothesis, hypothesis)]
    worth = weighed.evidence / weighed.gain
    odds = min(
        weighed.evidence - _LEAST_EVIDENCE - _surprise(profile, look, weighed),
        _STEEP * (off - limit),
        _STEEP * (_IN_LINE + min(off * _FORGIVEN, _MOST_FORGIVEN) - left),
        _STEEP * (weighed.gain / null - _TIMES_NULL),
        (weighed.gain - max(rivals, default=0.0)) * worth,
    )
    if hypothesis.free:
        odds = min(odds, _STEEP * (unlikely - _OUT_OF_LINE))
    if hypothesis.names:
        joint = joint_gain(profile, look, hypothesis, start) * worth
        support = max(joint - _LEAST_JOINT, _STEEP * (off - _BEYOND_THE_WORLD))
        if len(hypothesis.names) > _FEW_NAMES and joint > -_FEW_NATS:
            # Many shares do not come right again by chance.
            support = max(support, min(weighed.evidence - _MUCH_EVIDENCE, _STEEP * (_WELL_IN_LINE - left)))
        odds = min(odds, support)
    facts = {
        "spreads_off": round(off, 1),
        "farthest_before": round(farthest, 1),
        "spreads_off_once_undone": round(left, 1),
        "nats": round(weighed.evidence, 1),
        "times_chance": round(weighed.gain / null, 1),
    }
    return replace(weighed, confidence=float(expit(odds)), facts=facts)


def _surprise(profile: Profile, look: Sample, weighed: _Weighed) -> float:
    """Return the nats that a change in mid-batch, and the digits of the numbers, speak against a hypothesis."""
    hypothesis, start = weighed.hypothesis, weighed.start
    cost = _IN_MID_BATCH if start else 0.0
    if hypothesis.cause != "data.unit_change":
        return cost
    (column,) = hypothesis.columns
    came = look.values[column][start:]
    return cost + surprise(profile.past.values[column], came, hypothesis.undo(came))


def _rival(one: Hypothesis, other: Hypothesis) -> bool:
    return set(one.columns) != set(other.columns) and not set(one.columns).isdisjoint(other.columns)


def _whole(sums: Floats, start: int) -> bool:
    """Tell whether the few rows before the start may as well belong to the rest."""
    loss = float(sums[start] - sums[0])
    return loss < _FEW_NATS or (start <= _FEW_OF_THEM * len(sums) and loss < _FEW_OF_THEM * sums[start])


def _peak(gain: Floats) -> float:
    return max(0.0, float(np.cumsum(gain[::-1]).max()))


def _fault(profile: Profile, batch: pd.DataFrame, look: Sample, weighed: _Weighed) -> Fault:
    """Say what was found, with the rows told one by one where the sample left some out."""
    hypothesis = weighed.hypothesis
    start = _first_row(profile, batch, look, weighed)
    faulty = np.arange(len(batch)) >= start
    return Fault(
        cause=hypothesis.cause,
        columns=hypothesis.columns,
        confidence=weighed.confidence,
        transform=hypothesis.words,
        rows=None if start == 0 else np.flatnonzero(faulty),
        repaired=_repaired(profile, batch, hypothesis, faulty),
        evidence={**weighed.facts, "first_row": start},
    )


def _repaired(
    profile: Profile, batch: pd.DataFrame, hypothesis: Hypothesis, faulty: npt.NDArray[np.bool_]
) -> dict[str, pd.Series[Any]]:
    """Return the columns of a hypothesis with the faulty rows as they were before."""
    one = hypothesis.columns[0]
    if len(hypothesis.columns) > 1:
        other = hypothesis.columns[1]
        return {one: batch[one].mask(faulty, batch[other]), other: batch[other].mask(faulty, batch[one])}
    density = profile.densities[one]
    if isinstance(density, NameDensity):
        names = list(density.names)
        renamed = batch[one].map({names[came]: names[old] for came, old in enumerate(hypothesis.names)})
        return {one: batch[one].mask(faulty & renamed.notna().to_numpy(), renamed)}
    came = numbers(batch[one])
    return {one: pd.Series(np.where(faulty, hypothesis.undo(came), came), index=batch.index, name=one)}


def _first_row(profile: Profile, batch: pd.DataFrame, look: Sample, weighed: _Weighed) -> int:
    """Return the row of the batch from which a hypothesis holds; the sample may have stepped over it."""
    start = weighed.start
    if start == 0:
        return 0
    between = np.arange(look.rows[start - 1] + 1, look.rows[start] + 1)[-_SAMPLE:]
    gain = gains(profile, profile.look(batch, between), weighed.hypothesis)
    return int(between[np.argmax(np.cumsum(gain[::-1])[::-1])])

"""Cells that are missing far more often than in the past, and whether they are missing by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from evenkeel.diagnosis.runs import cut, numbers, sample, shared
from evenkeel.domain.diagnosis import Fault

if TYPE_CHECKING:
    from evenkeel.diagnosis.past import Past, Subject

Mask = npt.NDArray[np.bool_]

_LEAST_EXCESS = 0.05
_TIMES_USUAL = 2.0
_CHANCE = 1e-5
# Batches differ in their share of missing cells by more than chance; at least this correlation is assumed.
_LEAST_OVERDISPERSION = 0.005
_SAMPLE = 2000
_MAX_NAMES = 50
_ASSOCIATED = 0.3
_CERTAINLY_ASSOCIATED = 0.8
_CHANCE_OF_TIE = 1e-4
_TAIL_LEFT = 0.25


def detect(batch: pd.DataFrame, past: Past, subject: Subject) -> list[Fault]:
    """Find features that miss far more cells than any run of the past did.

    The share of a batch is held against a beta-binomial distribution fitted by moments to the runs of the
    past (Griffiths, *Biometrics* 29, 1973): batches differ by more than chance.

    Returns:
        One fault for each such column, its rows those without the cell. ``evidence["mechanism"]`` is
        ``MCAR``, ``MAR`` (with ``with``, the column it depends on) or ``MNAR suspected``: words of Rubin,
        *Biometrika* 63, 1976. The missing values themselves are not known, so MNAR is only suspected, from
        a tail of the past that no longer comes.
    """
    found: list[Fault] = []
    runs = cut(past, len(batch))
    if not runs or batch.empty:
        return found
    for name in shared(batch, past, subject, "numeric", "categorical", "boolean", "text", "time"):
        gone = batch[name].isna().to_numpy()
        if gone.mean() < _LEAST_EXCESS:
            continue
        before = past.rows[name].isna().to_numpy()
        shares = np.array([before[run].mean() for run in runs])
        usual = float(before.mean())
        limit = max(usual + _LEAST_EXCESS, shares.max() + _LEAST_EXCESS, _TIMES_USUAL * shares.max())
        if gone.mean() <= limit or _chance(int(gone.sum()), len(gone), before, shares) > _CHANCE:
            continue
        evidence = {"share": round(float(gone.mean()), 4), "usual": round(usual, 4)}
        found.append(
            Fault(
                cause="data.nulls",
                columns=(name,),
                confidence=0.99,
                rows=np.flatnonzero(gone),
                evidence=evidence | _mechanism(name, gone, batch, past, subject),
            )
        )
    return found


def _chance(count: int, rows: int, before: Mask, shares: npt.NDArray[np.float64]) -> float:
    """Return the probability of ``count`` or more missing cells in a good batch."""
    from scipy.stats import betabinom

    mean = (before.sum() + 0.5) / (len(before) + 1)
    by_chance = mean * (1 - mean) / rows
    excess = max(0.0, float(shares.var()) - by_chance) / (mean * (1 - mean))
    spread = min(max(excess, _LEAST_OVERDISPERSION), 0.5)
    size = 1 / spread - 1
    return float(betabinom.sf(count - 1, rows, mean * size, (1 - mean) * size))


def _mechanism(name: str, gone: Mask, batch: pd.DataFrame, past: Past, subject: Subject) -> dict[str, Any]:
    """Say what the missing cells of a column go with."""
    if gone.all():
        return {"mechanism": "all missing"}
    rows = sample(len(batch), _SAMPLE)
    ties = {
        other: _tie(gone[rows], batch[other].iloc[rows], subject.kinds[other])
        for other in shared(batch, past, subject, "numeric", "categorical", "boolean")
        if other != name
    }
    strongest = max(ties, key=lambda other: ties[other], default=None)
    strength = 0.0 if strongest is None else ties[strongest]
    by_another = {"mechanism": "MAR", "with": strongest}
    if strength >= _CERTAINLY_ASSOCIATED:
        return by_another
    if subject.kinds[name] == "numeric" and (side := _lost_tail(gone, batch[name], past.rows[name])):
        return {"mechanism": "MNAR suspected", "tail": side}
    return by_another if strength >= _ASSOCIATED else {"mechanism": "MCAR"}


def _tie(gone: Mask, other: pd.Series[Any], kind: str) -> float:
    """Return how far the other column tells missing from present cells, 0 to 1; 0 where chance could do it.

    For numbers this is Somers' D, the Mann-Whitney statistic from -1 to 1; for names Cramer's V.
    """
    from scipy.stats import chi2_contingency, mannwhitneyu
    from scipy.stats.contingency import association

    known = other.notna().to_numpy()
    hit = gone[known]
    if not hit.any() or hit.all():
        return 0.0
    if kind == "numeric":
        values = numbers(other[known])
        test = mannwhitneyu(values[hit], values[~hit], method="asymptotic", nan_policy="omit")
        chance, strength = test.pvalue, abs(2 * test.statistic / (hit.sum() * (~hit).sum()) - 1)
    else:
        table = pd.crosstab(hit, other[known].astype(object).to_numpy()).to_numpy()
        if not 1 < table.shape[1] <= _MAX_NAMES:
            return 0.0
        chance, strength = chi2_contingency(table).pvalue, association(table)
    return float(strength) if chance < _CHANCE_OF_TIE else 0.0


def _lost_tail(gone: Mask, column: pd.Series[Any], before: pd.Series[Any]) -> str:
    """Return which tail of the past no longer comes, ``upper`` or ``lower``; empty for neither or both."""
    from scipy.stats import binom

    share = float(np.clip(gone.mean(), 0.05, 0.5))
    known, present = numbers(before), numbers(column)
    if not np.isfinite(known).any():
        return ""
    low, high = np.nanquantile(known, [share, 1 - share])
    counts = {"lower": int(np.sum(present < low)), "upper": int(np.sum(present > high))}
    expected = share * len(gone)
    lost = [
        side
        for side, count in counts.items()
        if count < _TAIL_LEFT * expected and binom.cdf(count, len(gone), share) < _CHANCE_OF_TIE
    ]
    return lost[0] if len(lost) == 1 else ""

"""Tell labels that contradict the model and every earlier label from a world that has merely changed.

Late labels meet answers that were given before anybody knew them. How the answers used to agree with labels is
known; so for a new file two stories can be set against each other: its labels are what they say, or its classes
have changed places. The likelier exchange of classes is the best assignment, and the two are parted by the
log-likelihood ratio, which no other statistic beats at that (Neyman and Pearson, *Phil. Trans. A* 231, 1933). It
looks at answers given the class; where one class is rare, answers say little, and the shares of the classes may
rule the first story out instead. A file is called flipped only where the first story is as good as impossible
and the second fits: a model that has merely got worse fits neither.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

Numbers = npt.NDArray[np.float64]

FEWEST_ROWS = 30
_FEWEST_EARLIER = 100
_FEWEST_OF_A_CLASS = 5
_FEWEST_BATCHES, _BATCH_ROWS = 5, 10
# Standard deviations: how far a story must lie from the file to be ruled out, and how near to fit.
_RULED_OUT, _FITS = 5.0, 3.0
# Rows of a batch go together, so they count for less than their number; how much less, where nobody knows yet.
_UNKNOWN_SPREAD = 3.0
_CLEAR_CORRELATION = 0.3
_FACTORS = tuple(f for power in (10.0, 100.0, 1000.0, 1e6, 60.0, 3600.0) for f in (power, 1 / power))
_FAR, _NEAR = 3.0, 1.5


@dataclass(frozen=True)
class Contradiction:
    """What is wrong with the labels of a file.

    Attributes:
        transform: What seems to have been done to them: ``DOWN->UP, UP->DOWN``, ``x1000``, ``sign turned``.
        evidence: Facts; JSON-serialisable.
    """

    transform: str
    evidence: dict[str, Any] = field(default_factory=dict)


def flipped_classes(
    answered: pd.DataFrame, earlier: pd.DataFrame, classes: Sequence[str]
) -> Contradiction | None:
    """Say whether the classes of a file's labels have changed places.

    Args:
        answered: Rows of the file that a model had answered: ``prediction``, ``confidence``, ``label``.
        earlier: Rows labelled before: ``prediction``, ``label``, ``batch_id``. With fewer than 100 of them
            the answers' own confidences say what is to be expected.
        classes: All classes.

    Returns:
        What was found; None where nothing was, or where fewer than 30 rows, or one class only, say nothing.
    """
    from scipy.optimize import linear_sum_assignment

    counts = _table(answered, classes)
    per_label = counts.sum(axis=0)
    if counts.sum() < FEWEST_ROWS or np.sum(per_label >= _FEWEST_OF_A_CLASS) < 2:  # noqa: PLR2004 - two classes
        return None
    expected = _table(earlier, classes) if len(earlier) >= _FEWEST_EARLIER else _stated(answered, classes)
    expected = (expected + 1) / (expected + 1).sum(axis=0)
    likelihood = np.log(expected)
    meant = linear_sum_assignment(counts.T @ likelihood, maximize=True)[1]
    moved = [i for i in range(len(classes)) if meant[i] != i and per_label[i]]
    if not moved:
        return None
    ratio = likelihood - likelihood[:, meant]
    found = float((counts * ratio).sum())
    spread = _spread_of_accuracy(earlier)
    as_given = _deviations(found, expected, ratio, per_label, spread)
    as_moved = _deviations(found, expected[:, meant], ratio, per_label, spread)
    shares = [
        _share_deviations(labels, earlier, classes) for labels in (per_label, per_label[np.argsort(meant)])
    ]
    rare = found < 0 and shares[0] > _RULED_OUT and shares[1] <= _FITS
    if as_moved > _FITS or not (rare or as_given < -_RULED_OUT):
        return None
    agree, would = float(np.trace(counts)), float(counts[meant, np.arange(len(classes))].sum())
    return Contradiction(
        ", ".join(f"{classes[meant[i]]}->{classes[i]}" for i in moved),
        {
            "rows": len(answered),
            "agree with the answers": round(agree / len(answered), 4),
            "would agree, put back": round(would / len(answered), 4),
            "agreed before": round(float(np.mean(earlier["prediction"] == earlier["label"])), 4)
            if len(earlier)
            else None,
            "deviations as given": round(as_given, 1),
            "deviations put back": round(as_moved, 1),
            **({} if np.isnan(shares[0]) else {"deviations of the shares": round(shares[0], 1)}),
        },
    )


def changed_numbers(answered: pd.DataFrame, earlier: pd.DataFrame) -> Contradiction | None:
    """Say whether a file's labels come with their sign turned, or in another unit.

    Args:
        answered: Rows of the file that a model had answered: ``prediction``, ``label``.
        earlier: Rows labelled before: ``prediction``, ``label``, ``batch_id``.

    Returns:
        What was found; None where nothing was, or with fewer than 30 rows of either.
    """
    if min(len(answered), len(earlier)) < FEWEST_ROWS:
        return None
    return _against_the_answers(answered, earlier) or _another_unit(answered, earlier)


def _table(rows: pd.DataFrame, classes: Sequence[str]) -> Numbers:
    """Count answers (down) by label (across)."""
    codes = {name: i for i, name in enumerate(classes)}
    pairs = [rows[c].map(codes).to_numpy(dtype=np.float64) for c in ("prediction", "label")]
    known = np.isfinite(pairs[0]) & np.isfinite(pairs[1])
    counts = np.zeros((len(classes), len(classes)))
    np.add.at(counts, (pairs[0][known].astype(int), pairs[1][known].astype(int)), 1)
    return counts


def _stated(answered: pd.DataFrame, classes: Sequence[str]) -> Numbers:
    """Count answers by class as their confidences would have it."""
    counts = np.zeros((len(classes), len(classes)))
    for i, name in enumerate(classes):
        confidences = answered.loc[answered["prediction"] == name, "confidence"].dropna()
        sure = float(confidences.sum())
        counts[i] = (len(confidences) - sure) / (len(classes) - 1)
        counts[i, i] = sure
    return counts


def _deviations(found: float, expected: Numbers, ratio: Numbers, per_label: Numbers, spread: float) -> float:
    """Return how many standard deviations the ratio found lies above what a story expects of it."""
    means = (expected * ratio).sum(axis=0)
    variances = (expected * ratio**2).sum(axis=0) - means**2
    deviation = float(np.sqrt(spread * (per_label * variances).sum()))
    return (found - float((per_label * means).sum())) / deviation if deviation else 0.0


def _batches(earlier: pd.DataFrame) -> list[pd.DataFrame]:
    return [part for _, part in earlier.groupby("batch_id") if len(part) >= _BATCH_ROWS]


def _spread_of_accuracy(earlier: pd.DataFrame) -> float:
    """Return how many times more the accuracy of batches varies than that of independent rows; 1 at the least.

    Accuracy is expected class by class, so that a change of their shares is not taken for a spread.
    """
    batches = _batches(earlier)
    if len(batches) < _FEWEST_BATCHES:
        return _UNKNOWN_SPREAD
    right = earlier["prediction"] == earlier["label"]
    usual = right.groupby(earlier["label"]).mean()
    ratios = []
    for part in batches:
        expected = part["label"].map(usual).to_numpy(dtype=np.float64)
        chance = float((expected * (1 - expected)).sum())
        found = float((part["prediction"] == part["label"]).sum() - expected.sum())
        ratios.append(found**2 / chance if chance else 1.0)
    return max(1.0, float(np.mean(ratios)))


def _share_deviations(answered: Numbers, earlier: pd.DataFrame, classes: Sequence[str]) -> float:
    """Return how many standard deviations of the batches before the shares of the labels lie off; NaN: unknown."""
    batches = _batches(earlier)
    if len(batches) < _FEWEST_BATCHES:
        return float("nan")
    shares = np.array([[np.mean(part["label"] == name) for name in classes] for part in batches])
    usual, rows = shares.mean(axis=0), answered.sum()
    least = np.sqrt(np.maximum(usual * (1 - usual), 1 / rows) / rows)
    return float(np.max(np.abs(answered / rows - usual) / np.maximum(shares.std(axis=0, ddof=1), least)))


def _against_the_answers(answered: pd.DataFrame, earlier: pd.DataFrame) -> Contradiction | None:
    """Compare correlations on Fisher's scale, on which their error hardly depends on their size."""
    usual, now = _fisher(earlier), _fisher(answered)
    parts = [(_fisher(part), len(part) - 3) for part in _batches(earlier)]
    spread = _UNKNOWN_SPREAD
    if len(parts) >= _FEWEST_BATCHES:
        spread = max(1.0, float(np.mean([rows * (z - usual) ** 2 for z, rows in parts])))
    scale = float(np.sqrt((len(answered) - 3) / spread))
    if usual < np.arctanh(_CLEAR_CORRELATION) or (now - usual) * scale > -_RULED_OUT:
        return None
    if (-now - usual) * scale < -_FITS:
        return None
    return Contradiction(
        "sign turned",
        {
            "rows": len(answered),
            "correlation with the answers": round(float(np.tanh(now)), 4),
            "correlation before": round(float(np.tanh(usual)), 4),
        },
    )


def _fisher(rows: pd.DataFrame) -> float:
    answers, labels = (rows[c].to_numpy(dtype=np.float64) for c in ("prediction", "label"))
    if not answers.std() or not labels.std():
        return 0.0
    return float(np.arctanh(np.clip(np.corrcoef(answers, labels)[0, 1], -0.999999, 0.999999)))


def _another_unit(answered: pd.DataFrame, earlier: pd.DataFrame) -> Contradiction | None:
    """Look for the one transform that brings the errors back to where they were in the worst batch before."""
    worst = max(_error(part["label"], part) for part in (_batches(earlier) or [earlier]))
    given = _error(answered["label"], answered)
    if given <= _FAR * worst:
        return None
    labels = answered["label"]
    back = {f"x{f:g}": labels / f for f in _FACTORS}
    back |= {"C to F": (labels - 32) / 1.8, "F to C": labels * 1.8 + 32}
    errors = {name: _error(values, answered) for name, values in back.items()}
    likeliest = min(errors, key=errors.__getitem__)
    if errors[likeliest] > _NEAR * worst:
        return None
    return Contradiction(
        likeliest,
        {
            "rows": len(answered),
            "median error": round(given, 6),
            "put back": round(errors[likeliest], 6),
            "worst batch before": round(worst, 6),
        },
    )


def _error(labels: pd.Series[Any], rows: pd.DataFrame) -> float:
    return float((labels.astype(float) - rows["prediction"].astype(float)).abs().median())

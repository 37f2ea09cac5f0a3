"""How sure a difference between two models is, and how honest a confidence is."""

from __future__ import annotations

import numpy as np

_BINS = 10
_ROWS_PER_BIN = 25


def lower_bound(differences: np.ndarray, *, confidence: float, resamples: int, seed: int) -> float:
    """Return the lower end of a one-sided bootstrap interval of the mean of paired differences.

    The rows of a holdout follow each other in time and their errors with them, so whole blocks of
    neighbouring rows are drawn instead of single rows, which would make the interval too narrow.

    Args:
        differences: Score of the one model minus that of the other on the same row, in time order,
            shape (n,), n at least 1, finite.
        confidence: Level; the true mean lies above the result in this share of samples.
        resamples: Number of bootstrap samples.
        seed: Of the draws.

    Source: percentile interval of Efron & Tibshirani, An Introduction to the Bootstrap (1993), ch. 13;
    circular blocks of Politis & Romano (1992), of length n^(1/3) (Hall, Horowitz & Jing, 1995).
    """
    n = len(differences)
    length = int(np.ceil(n ** (1 / 3)))
    blocks = int(np.ceil(n / length))
    # With running sums a block's total is one subtraction, whatever its length.
    running = np.concatenate([[0.0], np.cumsum(np.concatenate([differences, differences[: length - 1]]))])
    totals = running[length:] - running[:-length]
    starts = np.random.default_rng(seed).integers(0, n, size=(resamples, blocks))
    means = totals[starts].sum(axis=1) / (blocks * length)
    return float(np.quantile(means, 1 - confidence))


def calibration_error(confidences: np.ndarray, right: np.ndarray) -> float:
    """Return the expected calibration error: the mean gap between stated confidence and share right.

    Args:
        confidences: Stated probability of being right, shape (n,), n at least 1.
        right: Whether the answer was right, shape (n,).

    Rows are grouped by confidence into at most 10 groups of equal size, of at least 25 rows, so that
    chance alone does not look like miscalibration on a small holdout.

    Source: Naeini, Cooper & Hauskrecht, AAAI 2015 (with equal-mass instead of equal-width bins, as in
    Nguyen & O'Connor, EMNLP 2015).
    """
    order = np.argsort(confidences, kind="stable")
    groups = np.array_split(order, max(1, min(_BINS, len(order) // _ROWS_PER_BIN)))
    gaps = [abs(float(confidences[g].mean()) - float(right[g].mean())) * len(g) for g in groups]
    return sum(gaps) / len(order)

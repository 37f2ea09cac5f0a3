"""How likely a value is in its column, learned from the past: masses of frequent values, a density between."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

if TYPE_CHECKING:
    from collections.abc import Hashable

Floats = npt.NDArray[np.float64]

_ATOM = 0.02
_BINS = 32
_RANKS = 512
_STRAY = 0.02
_NEAR = 1e-6
_FARTHEST = 1e12
_LEAST_DENSITY = 1e-300
_LARGEST = 1e300


@dataclass(frozen=True)
class NumberDensity:
    """The distribution of one numeric column.

    Values that make up a fiftieth of the rows or more (zeros, codes, small counts) have a mass. The others
    have a density: a histogram of equally filled bins, and a wide Cauchy distribution of a fiftieth's weight
    for what never came before.

    Attributes:
        ranks: Evenly spread order statistics, ascending.
        atoms: The frequent values, ascending.
        masses: Their shares.
        edges: Edges of the bins.
        densities: In the bins, per unit of the value.
        middle: Median.
        width: Of the Cauchy distribution.
    """

    ranks: Floats
    atoms: Floats
    masses: Floats
    edges: Floats
    densities: Floats
    middle: float
    width: float

    @classmethod
    def of(cls, values: Floats) -> Self | None:
        """Learn from the values of the past, NaN for null; None where they do not vary."""
        known = np.sort(values[np.isfinite(values)])
        if not len(known) or known[0] == known[-1]:
            return None
        distinct, first = np.unique(known, return_index=True)
        counts = np.diff(np.append(first, len(known)))
        frequent = counts >= max(_ATOM * len(known), 2)
        rest = known[~np.repeat(frequent, counts)]
        edges, densities = np.zeros(1), np.zeros(0)
        if len(rest):
            bins = min(_BINS, max(1, len(rest) // 8))
            edges = np.unique(rest[np.linspace(0, len(rest) - 1, bins + 1).astype(np.intp)])
            inside = np.histogram(rest, edges)[0] if len(edges) > 1 else np.zeros(0)
            densities = inside / np.diff(edges) / len(known)
        low, middle, high = known[[len(known) // 4, len(known) // 2, 3 * len(known) // 4]]
        return cls(
            ranks=known[np.linspace(0, len(known) - 1, min(_RANKS, len(known))).astype(np.intp)],
            atoms=distinct[frequent],
            masses=counts[frequent] / len(known),
            edges=edges,
            densities=densities,
            middle=float(middle),
            width=float(high - low) / 2 or float(np.std(known)),
        )

    def score(self, values: Floats) -> Floats:
        """Return normal scores: the standard normal quantile of each value's rank in the past; 0 for null."""
        left = np.searchsorted(self.ranks, values)
        ties = self.ranks[np.minimum(left, len(self.ranks) - 1)] == values
        both = 2 * left
        if ties.any():
            both[ties] = left[ties] + np.searchsorted(self.ranks, values[ties], "right")
        scores = _normal_scores(len(self.ranks))[both]
        return np.where(np.isnan(values), 0.0, scores)

    def log_likelihood(self, values: Floats, stretch: Floats | float = 1.0) -> Floats:
        """Return the logarithm of each value's mass or density; 0 for null.

        Args:
            values: Any shape.
            stretch: Factor that the values are believed to have been multiplied by: a density, unlike a mass,
                is per unit and gets thinner by it. Broadcasts.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            off = np.clip((values - self.middle) / self.width, -_FARTHEST, _FARTHEST)
            found = np.maximum(_STRAY / np.pi / self.width / (1 + off * off), _LEAST_DENSITY)
        if len(self.densities):
            at = np.searchsorted(self.edges, values, "right") - 1
            at[values == self.edges[-1]] = len(self.densities) - 1
            inside = (at >= 0) & (at < len(self.densities))
            found[inside] += self.densities[at[inside]]
        logs = np.log(found) - np.log(np.abs(stretch))
        if len(self.atoms):
            near = _NEAR * np.abs(np.clip(values, -_LARGEST, _LARGEST))
            at = np.minimum(np.searchsorted(self.atoms, values - near), len(self.atoms) - 1)
            met = np.abs(self.atoms[at] - values) <= near
            logs[met] = np.log(self.masses[at[met]])
        logs[np.isnan(values)] = 0.0
        return logs

    def value(self, scores: Floats) -> Floats:
        """Return the values that have the given normal scores."""
        found: Floats = np.interp(ndtr(scores), np.linspace(0, 1, len(self.ranks)), self.ranks)
        return found


@dataclass(frozen=True)
class NameDensity:
    """The distribution of one categorical or boolean column.

    Attributes:
        names: Categories by falling share.
        masses: Their shares.
        scores: A number for each that tells best what goes with it in the other columns; mean 0, variance 1.
    """

    names: dict[Hashable, int]
    masses: Floats
    scores: Floats

    def score(self, codes: npt.NDArray[np.intp]) -> Floats:
        """Return the score of each cell; 0 for null (-1) and for names never seen (-2)."""
        found: Floats = np.append(self.scores, (0.0, 0.0))[codes]
        return found

    def log_likelihood(self, codes: npt.NDArray[np.intp]) -> Floats:
        """Return the logarithm of each cell's share; 0 for null; a name never seen counts as very rare."""
        rare = min(1e-3, float(self.masses.min()) / 2)
        found: Floats = np.log(np.append(self.masses, (rare, 1.0)))[codes]
        return found


@cache
def _normal_scores(count: int) -> Floats:
    """Return the normal score for every place that a value may take among ``count`` ranks."""
    scores: Floats = ndtri((np.arange(2 * count + 1) + 1) / (2 * count + 2))
    return scores

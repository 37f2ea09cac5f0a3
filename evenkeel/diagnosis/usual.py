"""What is usual of a column: how far runs of the past lie from each other, and a batch from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from evenkeel.diagnosis.density import Floats
    from evenkeel.diagnosis.profile import Profile, Sample

_LEAST_SPREAD = 0.05
_SMALLEST_SPREADS = np.array([0.04, 0.1, 0.1, 0.1, 0.1])  # of each trait, from run to run
_MOST_TOGETHER = 20.0
_FEWEST_ROWS = 4
_FEWEST_RUNS = 6
_LATELY = 3


def row_traits(profile: Profile, look: Sample, column: str) -> Floats:
    """Return what tells one row's value in a column from another's.

    Returns:
        Three rows: log likelihood given the row's other columns; score; what the others leave unexplained of it.
    """
    density, at = profile.densities[column], profile.order[column]
    own = profile.precision[at, at]
    score, unexplained = look.scores[:, at], look.pull[:, at] / np.sqrt(own)
    together = np.log(own) / 2 + (score * score - unexplained * unexplained) / 2
    likely = density.log_likelihood(look.values[column]) + np.clip(together, -_MOST_TOGETHER, _MOST_TOGETHER)
    return np.array([likely, score, unexplained])


def traits(rows: Floats) -> Floats:
    """Sum up row traits: the three means, and the log spreads of the last two."""
    return np.append(rows.mean(axis=1), np.log(rows[1:].std(axis=1) + _LEAST_SPREAD))


@dataclass(frozen=True)
class Usual:
    """What the last rows of the runs of the past are like, in one column.

    Attributes:
        runs: Runs x traits, oldest first.
    """

    runs: Floats

    @classmethod
    def of(cls, profile: Profile, column: str, share: float = 1.0) -> Usual:
        """Look at the last ``share`` of the rows of every run."""
        rows = profile.past_traits[column]
        found = []
        for run in profile.runs:
            length = max(_FEWEST_ROWS, round(share * (run.stop - run.start)))
            found.append(traits(rows[:, max(run.start, run.stop - length) : run.stop]))
        return cls(np.array(found))

    def off(self, found: Floats) -> float:
        """Return how many spreads the farthest trait lies off the runs; a likelihood can only be too low."""
        return _off(found, self.runs)

    def less_likely(self, found: Floats) -> float:
        """Return by how many spreads the rows are less likely than those of the runs.

        Rows that were drawn otherwise, of a changed world, are as likely one by one as any.
        """
        return float(-_spreads(found, self.runs)[0])

    def out_of_line(self, found: Floats) -> float:
        """Return how many spreads it lies off the runs, or off the step from the last of them if that is less.

        What grows day by day lies off the past as a whole, and near its end.
        """
        if len(self.runs) <= _FEWEST_RUNS:
            return self.off(found)
        lately = np.array(
            [self.runs[at - _LATELY : at].mean(axis=0) for at in range(_LATELY, len(self.runs))]
        )
        steps = self.runs[_LATELY:] - lately
        return min(self.off(found), _off(found - self.runs[-_LATELY:].mean(axis=0), steps))

    @cached_property
    def farthest(self) -> float:
        """How far off those before it the farthest run lay when it came; 0 with too few of them to tell.

        What moves by itself, by season or by regime, has shown it.
        """
        later = range(_FEWEST_RUNS, len(self.runs))
        return max((_off(self.runs[at], self.runs[:at]) for at in later), default=0.0)


def _spreads(found: Floats, runs: Floats) -> Floats:
    off: Floats = (found - runs.mean(axis=0)) / np.maximum(runs.std(axis=0, ddof=1), _SMALLEST_SPREADS)
    return off


def _off(found: Floats, runs: Floats) -> float:
    off = _spreads(found, runs)
    return float(max(-off[0], np.abs(off[1:]).max()))

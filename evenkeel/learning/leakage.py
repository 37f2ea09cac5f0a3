"""Find features that tell the label: too good alone, or known only after it.

A leak of the first kind is a feature from which the label can all but be read off, while everything else
together says far less (Kaufman, Rosset, Perlich and Stitelman, *Leakage in Data Mining*, TKDD 2012, call for
such exploratory checks). Strength alone proves nothing: an honest feature can be strong, and where the label
follows its own past almost anything is. So a suspect is set against a model of all other features, the
calendar and the label before. A leak that is only as strong as an honest feature cannot be told that way.

A leak of the second kind shows in its arrival: it is filled in rows whose label has come, and stands empty, or
still, in rows that wait for theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evenkeel.learning.estimators import build
from evenkeel.learning.features import ModelColumns, model_columns, model_frame
from evenkeel.learning.threads import single_thread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from evenkeel.learning.window import Part
    from evenkeel.settings import Pipeline

    Numbers = np.ndarray[Any, np.dtype[np.float64]]

_ROWS = 4000  # newest rows to fit on, and to score on: a leak shows on few
_BOOSTING = {"max_iter": 30, "learning_rate": 0.3}
_BEFORE = "(the label before)"
_PERFECT = 0.05  # features within this share of what the limit leaves open are judged together
_TIMES_WORSE = 4
_LEAST_GAP = 0.02
_BLOCKS = 10
_FEWEST_ROWS = 30
_STILL, _MOVES = 0.95, 0.5


@dataclass(frozen=True)
class Strength:
    """How much single features say of the label.

    Attributes:
        alone: Column -> score on the holdout: the area under the ROC curve (mean over the classes, each
            against the rest), or R2 of a number. Empty where the holdout has one class only.
        leaking: Columns that tell the label.
        without: Score of everything else together; NaN where there was no suspect.
    """

    alone: dict[str, float]
    leaking: tuple[str, ...] = ()
    without: float = float("nan")


def too_good(
    learned: Part, holdout: Part, pipeline: Pipeline, kinds: Mapping[str, str], *, limit: float
) -> Strength:
    """Score every feature alone on rows that it was not fitted on, and name those too good to be honest.

    A feature leaks if it scores at least ``limit`` and the error of everything else (1 minus the score) is at
    least 4 times as large and at least 0.02. Features that are perfect, or numbers that sum up to the label,
    are judged together, since each of them would vouch for the others.

    Args:
        learned: Rows in time order with their labels, un-imputed.
        holdout: Later rows.
        pipeline: Names the features.
        kinds: Kind of each schema column.
        limit: Score in (0.5, 1) from which a feature is suspect; with 1 nothing is.
    """
    trial = _Trial(_newest(learned), _newest(holdout), pipeline, kinds)
    with single_thread():
        alone = {c: trial.score((c,)) for c in pipeline.features.columns}
        alone = {c: s for c, s in alone.items() if np.isfinite(s)}
        perfect = 1 - (1 - limit) * _PERFECT
        groups: list[tuple[str, ...]] = [(c,) for c, s in alone.items() if limit <= s < perfect]
        groups.append(tuple(c for c, s in alone.items() if s >= perfect))
        if not pipeline.is_classification:
            groups.append(trial.parts_of_the_label(perfect))
        for group in sorted({g for g in groups if g} if limit < 1 else (), key=len, reverse=True):
            told = [alone.get(c, 0.0) for c in group] + ([perfect] if len(group) > 1 else [])
            others = tuple(c for c in pipeline.features.columns if c not in group)
            without = max(trial.score(others, calendar=True, before=True), trial.score((), before=True))
            if 1 - without >= max(_TIMES_WORSE * (1 - max(told)), _LEAST_GAP):
                return Strength(alone, group, without)
    return Strength(alone)


def known_afterwards(labelled: pd.DataFrame, fresh: pd.DataFrame, columns: Sequence[str]) -> dict[str, str]:
    """Name the features that are there in rows whose label has come and not in rows that wait for theirs.

    The newest waiting rows are compared with every run of as many labelled rows: a column that was ever as
    empty, or as still, by itself is no leak. Nothing is said of fewer than 30 rows, or with fewer than 10
    such runs.

    Args:
        labelled: Rows with a label, in time order, un-imputed.
        fresh: Rows without one, in time order, un-imputed.
        columns: The features.

    Returns:
        Column -> what was found, for a person.
    """
    rows = min(len(fresh), len(labelled) // _BLOCKS)
    if rows < _FEWEST_ROWS:
        return {}
    newest = fresh.tail(rows)
    blocks = [labelled.iloc[i : i + rows] for i in range(0, len(labelled) - rows + 1, rows)]
    found = {}
    for column in columns:
        empty = float(newest[column].isna().mean())
        if empty >= _STILL:
            if max(float(b[column].isna().mean()) for b in blocks) <= _MOVES:
                filled = float(labelled[column].notna().mean())
                found[column] = (
                    f"filled in {filled:.0%} of labelled rows and in {1 - empty:.0%} of later ones"
                )
        elif _top_share(newest[column]) >= _STILL and max(_top_share(b[column]) for b in blocks) <= _MOVES:
            value = newest[column].mode().iloc[0]
            found[column] = f"is {value} in nearly all rows without a label, and varies in those with one"
    return found


def _top_share(column: pd.Series[Any]) -> float:
    return float(column.value_counts(normalize=True, dropna=False).iloc[0])


def _newest(part: Part) -> Part:
    return type(part)(part.rows.tail(_ROWS), part.target.tail(_ROWS))


@dataclass(frozen=True)
class _Trial:
    """Small models over some of the columns, fitted on one part and scored on a later one."""

    learned: Part
    holdout: Part
    pipeline: Pipeline
    kinds: Mapping[str, str]

    def score(self, columns: tuple[str, ...], *, calendar: bool = False, before: bool = False) -> float:
        """Score a model of the columns, with the calendar and the label before if asked; NaN: cannot be told."""
        chosen = model_columns(self.pipeline, self.kinds, columns=columns)
        used = ModelColumns(
            chosen.categorical,
            (*chosen.numeric, *((_BEFORE,) if before else ())),
            chosen.calendar if calendar else (),
        )
        inputs = [self._inputs(part, columns, used) for part in (self.learned, self.holdout)]
        model = build(
            "hist_gradient_boosting",
            _BOOSTING,
            used,
            classification=self.pipeline.is_classification,
            seed=self.pipeline.training.seed,
        )
        model.fit(inputs[0], self.learned.target.to_numpy())
        truth = self.holdout.target.to_numpy()
        if not self.pipeline.is_classification:
            return _r2(truth, model.predict(inputs[1]))
        return _auc(truth, model.predict_proba(inputs[1]), list(model.classes_))

    def parts_of_the_label(self, perfect: float) -> tuple[str, ...]:
        """Return the numeric columns whose weighted sum is the label; none where no such sum is."""
        numeric = [c for c in self.pipeline.features.columns if self.kinds[c] == "numeric"]
        if not numeric or self._fits(numeric) < perfect:
            return ()
        return tuple(c for c in numeric if self._fits([n for n in numeric if n != c]) < perfect)

    def _fits(self, columns: list[str]) -> float:
        from sklearn.linear_model import LinearRegression

        def whole(part: Part) -> tuple[Numbers, Numbers]:
            values = part.rows[columns].to_numpy(dtype=np.float64)
            rows = np.isfinite(values).all(axis=1)
            return values[rows], part.target.to_numpy(dtype=np.float64)[rows]

        (inputs, labels), (later, truth) = whole(self.learned), whole(self.holdout)
        if not columns or min(len(inputs), len(later)) < _FEWEST_ROWS:
            return 0.0
        return _r2(truth, LinearRegression().fit(inputs, labels).predict(later))

    def _inputs(self, part: Part, columns: tuple[str, ...], used: ModelColumns) -> pd.DataFrame:
        frame = model_frame(part.rows, self.pipeline, self.kinds, columns=columns)
        if _BEFORE in used.numeric:
            labels = part.target
            if self.pipeline.is_classification:
                codes = {name: float(i) for i, name in enumerate(self.pipeline.target.classes)}
                labels = labels.map(codes)
            frame = frame.assign(**{_BEFORE: labels.astype(np.float64).shift(1).bfill().to_numpy()})
        return frame[list(used.names)]


def _auc(truth: np.ndarray[Any, Any], probabilities: Numbers, classes: list[str]) -> float:
    from sklearn.metrics import roc_auc_score

    known = [i for i, name in enumerate(classes) if 0 < np.sum(truth == name) < len(truth)]
    if not known:
        return float("nan")
    return float(np.mean([roc_auc_score(truth == classes[i], probabilities[:, i]) for i in known]))


def _r2(truth: Numbers, predictions: Numbers) -> float:
    spread = float(((truth - truth.mean()) ** 2).mean())
    return 1 - float(((predictions - truth) ** 2).mean()) / spread if spread else float("nan")

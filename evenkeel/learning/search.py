"""The search: which estimator, by time-ordered cross-validation over the configured grids."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evenkeel.errors import Permanent, UsageError
from evenkeel.learning.features import model_columns, model_frame
from evenkeel.learning.window import Part, cut_between

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    import pandas as pd

    from evenkeel.quality.kind import Kind
    from evenkeel.settings import Pipeline

_MAX_CANDIDATES = 50
_MAX_ROWS = 20_000


@dataclass(frozen=True)
class Choice:
    """One point of the search.

    Attributes:
        estimator: Family.
        params: Its parameters.
    """

    estimator: str
    params: dict[str, Any]

    @property
    def name(self) -> str:
        """The family and its parameters, as ``linear C=0.1``."""
        return " ".join([self.estimator, *(f"{k}={v}" for k, v in self.params.items())])


@dataclass(frozen=True)
class Found:
    """What the search found.

    Attributes:
        best: The choice with the largest score, the first listed among equals.
        scores: Choice -> mean score over the folds, larger is better.
        dropped: Choice -> why it could not be scored.
    """

    best: Choice
    scores: dict[str, float]
    dropped: dict[str, str]


@dataclass(frozen=True)
class _Fold:
    train: pd.DataFrame
    train_target: npt.NDArray[Any]
    test: pd.DataFrame
    test_target: npt.NDArray[Any]


def choices(pipeline: Pipeline) -> list[Choice]:
    """Return every point of the configured grids, in the order they are written.

    Raises:
        UsageError: There are more than 50.
    """
    points = [
        Choice(candidate.estimator, dict(zip(candidate.grid, values, strict=True)))
        for candidate in pipeline.training.candidates
        for values in itertools.product(*candidate.grid.values())
    ]
    if len(points) > _MAX_CANDIDATES:
        raise UsageError(
            f"training.candidates spans {len(points)} combinations, at most {_MAX_CANDIDATES} are searched",
            fix="list fewer values in training.candidates.*.grid",
        )
    return points


def search(part: Part, pipeline: Pipeline, kinds: Mapping[str, Kind]) -> Found:
    """Score every choice on time-ordered folds and return the best.

    Each fold trains on everything before its test rows, and its imputer knows only those rows. At most
    the newest 20,000 rows are searched on.

    Args:
        part: The rows to fit on; nothing later is looked at.
        pipeline: Says what to search, on how many folds.
        kinds: Kind of each feature column.

    Raises:
        UsageError: A grid is too large or names a parameter that its estimator does not take.
        Permanent: Cause ``model.training_fails``: there is no fold, or no choice could be scored.
    """
    from evenkeel.learning.estimators import build

    folds = _folds(part, pipeline, kinds)
    columns = model_columns(pipeline, kinds)
    scores: dict[str, float] = {}
    dropped: dict[str, str] = {}
    best: Choice | None = None
    for choice in choices(pipeline):
        unfitted = [
            build(
                choice.estimator,
                choice.params,
                columns,
                classification=pipeline.is_classification,
                seed=pipeline.training.seed,
            )
            for _ in folds
        ]
        try:
            score = float(np.mean([_score(m, f) for m, f in zip(unfitted, folds, strict=True)]))
        except Exception as error:  # noqa: BLE001 - whatever a candidate trips over, the others may still do
            dropped[choice.name] = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
            continue
        if not np.isfinite(score):
            dropped[choice.name] = f"score is {score}"
            continue
        scores[choice.name] = score
        if best is None or score > scores[best.name]:
            best = choice
    if best is None:
        raise Permanent(
            f"training failed: none of {len(dropped)} candidates could be scored",
            fix="see the evidence for each candidate's reason",
            cause="model.training_fails",
            evidence={"dropped": dropped},
        )
    return Found(best, scores, dropped)


def _score(model: Any, fold: _Fold) -> float:
    """Return the accuracy, or the negative mean absolute error where the labels are numbers."""
    answers = model.fit(fold.train, fold.train_target).predict(fold.test)
    if fold.test_target.dtype == object:
        return float(np.mean(answers == fold.test_target))
    return -float(np.mean(np.abs(answers - fold.test_target)))


def _folds(part: Part, pipeline: Pipeline, kinds: Mapping[str, Kind]) -> list[_Fold]:
    from sklearn.model_selection import TimeSeriesSplit

    rows, target = part.rows.iloc[-_MAX_ROWS:], part.target.iloc[-_MAX_ROWS:]
    times = rows[pipeline.time].to_numpy()
    complete = not rows[list(pipeline.features.columns)].isna().to_numpy().any()
    folds = []
    for _, test in TimeSeriesSplit(pipeline.training.folds).split(times):
        start, stop = cut_between(times, test[0]), test[-1] + 1
        if stop < len(times):
            stop = cut_between(times, stop)
        if 0 < start < stop and (target.iloc[:start] != target.iloc[0]).any():
            folds.append(_fold(rows, target, (start, stop), pipeline, kinds, complete=complete))
    if not folds:
        raise Permanent(
            "training refused: no time-ordered fold has two labels before it",
            fix="wait for more labels, or widen training.window",
            cause="model.training_fails",
        )
    return folds


def _fold(
    rows: pd.DataFrame,
    target: pd.Series[Any],
    bounds: tuple[int, int],
    pipeline: Pipeline,
    kinds: Mapping[str, Kind],
    *,
    complete: bool,
) -> _Fold:
    from evenkeel.quality.imputation import fit_imputer

    start, stop = bounds
    before, after = rows.iloc[:start], rows.iloc[start:stop]
    if not complete:
        imputer = fit_imputer(before, pipeline, kinds)
        before, after = (imputer.apply(part, last_good={}).frame for part in (before, after))
    return _Fold(
        model_frame(before, pipeline, kinds),
        target.iloc[:start].to_numpy(),
        model_frame(after, pipeline, kinds),
        target.iloc[start:stop].to_numpy(),
    )

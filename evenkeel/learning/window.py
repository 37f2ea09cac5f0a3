"""The rows a challenger is made from, cut by time: what it fits on, calibrates on and is judged on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evenkeel.errors import Permanent
from evenkeel.learning.features import utc_times

if TYPE_CHECKING:
    import numpy.typing as npt

    from evenkeel.settings import Pipeline


@dataclass(frozen=True)
class Part:
    """Labelled rows in time order: features and time, un-imputed, and their labels with the same index."""

    rows: pd.DataFrame
    target: pd.Series[Any]


@dataclass(frozen=True)
class Window:
    """The newest labelled rows in three parts, each wholly before the next.

    Attributes:
        fit: What models and imputers are fitted on.
        calibration: What confidences are set by.
        holdout: What the challenger is judged on; never learned from.
        unusable: Labelled rows left out: no time, no label, a label outside ``target.classes`` or not finite.
    """

    fit: Part
    calibration: Part
    holdout: Part
    unusable: int

    @property
    def learned(self) -> Part:
        """Everything before the holdout."""
        return Part(
            pd.concat([self.fit.rows, self.calibration.rows]),
            pd.concat([self.fit.target, self.calibration.target]),
        )


def cut_window(examples: pd.DataFrame, target: pd.Series[Any], pipeline: Pipeline) -> Window:
    """Cut the newest ``training.window`` usable rows into fit, calibration and holdout.

    Rows of equal time never fall on both sides of a cut, so no part knows anything of its own future.

    Args:
        examples: n accepted rows with features and time.
        target: n labels, same index.
        pipeline: Says how many rows, which shares and which classes.

    Raises:
        Permanent: Cause ``model.training_fails``: too few rows or distinct times, or one answer only.
    """
    config = pipeline.training
    rows, labels = _usable(examples, target, pipeline)
    unusable = len(examples) - len(rows)
    if len(rows) < config.min_rows:
        raise _refusal(
            f"{len(rows)} labelled rows ({unusable} more are not usable), training needs {config.min_rows}",
            "wait for more labels, or lower training.min_rows",
        )
    order = np.argsort(rows[pipeline.time].to_numpy(), kind="stable")[-config.window :]
    rows = rows.iloc[order].reset_index(drop=True)
    labels = labels.iloc[order].reset_index(drop=True)
    times = rows[pipeline.time].to_numpy()
    holdout = cut_between(times, round(len(rows) * (1 - config.holdout_share)))
    before = times[:holdout]
    fit = cut_between(
        before, round(len(rows) * (1 - config.holdout_share - config.calibration_share)) if holdout else 0
    )
    if not 0 < fit < holdout:
        raise _refusal(
            f"{len(rows)} labelled rows bear {len(np.unique(times))} distinct times, too few to cut by time",
            f"check the time column {pipeline.time!r}, or wait for labels of later rows",
        )
    window = Window(
        _part(rows, labels, 0, fit),
        _part(rows, labels, fit, holdout),
        _part(rows, labels, holdout, len(rows)),
        unusable,
    )
    if (window.fit.target == window.fit.target.iloc[0]).all():
        raise _refusal(
            f"all {fit} rows to fit on have the label {window.fit.target.iloc[0]!r}, at least 2 are needed",
            "check the labels, or widen training.window",
        )
    return window


def cut_between(times: npt.NDArray[Any], position: int) -> int:
    """Return the cut nearest to ``position`` that parts no equal times; 0 where there is none.

    Args:
        times: n sorted times.
        position: Rows wanted before the cut.
    """
    if len(times) < 2:  # noqa: PLR2004 - one row cannot be cut
        return 0
    cuts = np.flatnonzero(times[1:] != times[:-1]) + 1
    return int(cuts[np.abs(cuts - position).argmin()]) if len(cuts) else 0


def _usable(
    examples: pd.DataFrame, target: pd.Series[Any], pipeline: Pipeline
) -> tuple[pd.DataFrame, pd.Series[Any]]:
    columns = list(dict.fromkeys([*pipeline.features.columns, pipeline.time]))
    times = utc_times(examples[pipeline.time])
    if pipeline.is_classification:
        labels = target.astype(object)
        good = labels.isin(pipeline.target.classes).to_numpy()
    else:
        labels = pd.to_numeric(target, errors="coerce").astype(np.float64)
        good = np.isfinite(labels.to_numpy())
    good &= ~np.asarray(times.isna())
    rows = examples.loc[:, columns].assign(**{pipeline.time: times})
    return rows[good], labels[good]


def _part(rows: pd.DataFrame, labels: pd.Series[Any], start: int, stop: int) -> Part:
    return Part(rows.iloc[start:stop], labels.iloc[start:stop])


def _refusal(message: str, fix: str) -> Permanent:
    return Permanent(f"training refused: {message}", fix=fix, cause="model.training_fails")

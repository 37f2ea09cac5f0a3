"""Fill missing cells with the champion's imputers, and say in each row which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evenkeel.errors import ModelUnusable

if TYPE_CHECKING:
    from evenkeel.domain.batch import Pins
    from evenkeel.learning.bundle import Bundle
    from evenkeel.quality.imputation import Imputer
    from evenkeel.stages.batch_run import BatchRun
    from evenkeel.stages.models import Models
    from evenkeel.stages.validate import Checked


@dataclass(frozen=True)
class Filled:
    """A batch ready to be answered.

    Attributes:
        frame: The accepted rows without missing feature cells (where there was an imputer).
        imputed: Per row, the list of columns that were imputed; same index.
    """

    frame: pd.DataFrame
    imputed: pd.Series[Any]


def impute_batch(run: BatchRun, pins: Pins, checked: Checked, models: Models) -> Filled:
    """Fill the gaps of the accepted rows; what was filled is noted on the run."""
    imputer = _imputer(run, models)
    if imputer is None:
        return Filled(checked.accepted, pd.Series([[]] * len(checked.accepted), index=checked.accepted.index))
    done = imputer.apply(checked.accepted, last_good=pins.last_good)
    if done.counts:
        run.note(
            "data.nulls",
            "impute",
            f"{sum(done.counts.values())} cells imputed",
            cells=done.counts,
            of=len(checked.accepted),
        )
    return Filled(done.frame, done.columns_per_row)


def _imputer(run: BatchRun, models: Models) -> Imputer | None:
    """Return the best intact imputer; an altered one is noted, and the next bundle's is taken."""
    for bundle in models.bundles:
        try:
            _check_columns(run, bundle)
            return bundle.imputer()
        except ModelUnusable as error:
            run.note(error.cause, "impute", "the next model's imputers were used", message=str(error))
    return None


def _check_columns(run: BatchRun, bundle: Bundle) -> None:
    gone = sorted(set(bundle.card().columns) - set(run.workspace.schema.columns))
    if gone:
        raise ModelUnusable(
            f"its imputers need {', '.join(gone)}, which the schema has no more",
            cause="model.wrong_signature",
        )

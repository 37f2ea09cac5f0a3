"""The Evidently page that shows a person what a drift verdict rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from evenkeel.drift.distance import WASSERSTEIN, load_distances
from evenkeel.drift.sampling import Draw, sample_rows
from evenkeel.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from evenkeel.domain.drift import DriftVerdict
    from evenkeel.settings.quality import Drift


def render_html(
    batch: pd.DataFrame,
    reference: pd.DataFrame,
    verdict: DriftVerdict,
    path: Path,
    *,
    config: Drift,
    seed: int,
) -> Path:
    """Write Evidently's page for a verdict: each column's distributions, distance and threshold.

    Takes seconds and about 5 MB, so it is built only when asked for. The page rests on the same rows as the
    verdict when ``config`` and ``seed`` are those that it was measured with.

    Args:
        batch: The batch that was measured.
        reference: The reference it was measured against.
        verdict: The verdict.
        path: The page to write; its folder is made.
        config: The policy.
        seed: Of the sampling.

    Returns:
        ``path``.

    Raises:
        UsageError: The verdict has no columns to show.
    """
    if not verdict.measured:
        raise UsageError(
            f"no drift page for this batch: nothing was measured ({verdict.note})",
            fix="ask for a batch that has a drift verdict",
        )
    load_distances()
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import ValueDrift

    numeric = [c.column for c in verdict.columns if c.method == WASSERSTEIN]
    nominal = [c.column for c in verdict.columns if c.method != WASSERSTEIN]
    definition = DataDefinition(numerical_columns=numeric, categorical_columns=nominal)
    current, compared = (
        Dataset.from_pandas(
            _shown(sample_rows(frame, config.sample, seed, draw), numeric, nominal), definition
        )
        for frame, draw in ((batch, Draw.BATCH), (reference, Draw.REFERENCE))
    )
    metrics = [
        ValueDrift(
            column=c.column,
            method="wasserstein" if c.method == WASSERSTEIN else "jensenshannon",
            threshold=c.threshold,
        )
        for c in verdict.columns
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    Report(metrics).run(current, compared).save_html(str(path))
    return path


def _shown(frame: pd.DataFrame, numeric: list[str], nominal: list[str]) -> pd.DataFrame:
    """Return the measured columns as Evidently wants them: numbers and text."""
    numbers = {c: frame[c].astype("float64") for c in numeric}
    texts = {c: frame[c].map(str, na_action="ignore").astype(object) for c in nominal}
    return pd.DataFrame({**numbers, **texts}).reset_index(drop=True)

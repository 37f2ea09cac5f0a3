"""The drift verdict of one batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenkeel.domain.drift import ColumnDrift, DriftVerdict
from evenkeel.drift.distance import Values, load_distances, method_of, values_of
from evenkeel.drift.sampling import Draw, sample_rows

if TYPE_CHECKING:
    import pandas as pd

    from evenkeel.drift.calibration import Calibration
    from evenkeel.settings.quality import Drift

_FEWEST_VALUES = 5


def measure(
    batch: pd.DataFrame,
    reference: pd.DataFrame,
    calibration: Calibration,
    config: Drift,
    *,
    reference_version: str,
    seed: int,
) -> DriftVerdict:
    """Measure how far each column of a batch lies from the reference, and judge the batch as a whole.

    The batch has drifted where any column exceeds its threshold. The thresholds are set for all columns
    together: an undrifted batch alarms with probability ``config.false_alarm``, see
    :mod:`evenkeel.drift.tail`. The cost is bounded by ``config.sample`` rows of either side.

    Args:
        batch: Accepted rows, typed; a column that it lacks is not measured, and the note says so.
        reference: What the champion learned from.
        calibration: Thresholds for that reference.
        config: The policy.
        reference_version: Model version that the reference belongs to.
        seed: Of the sampling.

    Returns:
        The verdict; without columns, and with a note that says why, where nothing could be measured.
    """

    def unmeasured(why: str) -> DriftVerdict:
        return DriftVerdict(columns=(), drifted=False, rows=0, reference_version=reference_version, note=why)

    if len(batch) < config.min_rows:
        return unmeasured(f"batch of {len(batch)} rows, fewer than drift.min_rows {config.min_rows}")
    if not calibration.levels:
        return unmeasured(calibration.describe(config.false_alarm))
    limit = min(config.sample, calibration.sample)
    looked_at = sample_rows(batch, limit, seed, Draw.BATCH)
    compared = sample_rows(reference, limit, seed, Draw.REFERENCE)
    values, skipped = _values(looked_at, compared, calibration)
    # A sample cut below the calibrated one is judged as the small batch that it is.
    whole = len(batch) if limit == calibration.sample else len(looked_at)
    rows = {c: whole * len(v[0]) / len(looked_at) / calibration.present[c] for c, v in values.items()}
    thresholds = calibration.thresholds(config.false_alarm, rows)
    distances = load_distances()
    columns = []
    for column, threshold in thresholds.items():
        kind = calibration.kinds[column]
        ours, theirs = values[column]
        score = distances[kind](theirs, ours)
        columns.append(
            ColumnDrift(
                column=column,
                method=method_of(kind),
                score=score,
                threshold=threshold,
                drifted=score > threshold,
            )
        )
    skipped += [column for column in values if column not in thresholds]
    note = calibration.describe(config.false_alarm)
    if skipped:
        note += f"; not measured, too few values: {', '.join(skipped)}"
    return DriftVerdict(
        columns=tuple(columns),
        drifted=any(column.drifted for column in columns),
        rows=len(looked_at),
        reference_version=reference_version,
        note=note,
    )


def _values(
    batch: pd.DataFrame, reference: pd.DataFrame, calibration: Calibration
) -> tuple[dict[str, tuple[Values, Values]], list[str]]:
    """Return the values of batch and reference by column, and the columns that have too few of them."""
    values, skipped = {}, []
    for column, kind in calibration.kinds.items():
        if column not in batch.columns or column not in reference.columns:
            skipped.append(column)
            continue
        ours, theirs = values_of(batch[column], kind), values_of(reference[column], kind)
        if min(len(ours), len(theirs)) < _FEWEST_VALUES:
            skipped.append(column)
        else:
            values[column] = (ours, theirs)
    return values, skipped

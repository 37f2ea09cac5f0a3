"""Publish a batch's answers: one commit, made once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from evenkeel.adapters.lake import Table
from evenkeel.domain.batch import BatchState, Counts, Pins
from evenkeel.stages.resolve import resolve_passed

if TYPE_CHECKING:
    import pandas as pd

    from evenkeel.domain.ladder import Answers
    from evenkeel.stages.batch_run import BatchRun
    from evenkeel.stages.impute import Filled
    from evenkeel.stages.validate import Checked


def publish_batch(run: BatchRun, pins: Pins, checked: Checked, filled: Filled, answers: Answers) -> Counts:
    """Write accepted and quarantined rows, then commit the predictions; a repeat commits nothing twice.

    The incidents are opened first: no degraded answer is ever visible without its incident.

    Returns:
        The batch's counts.
    """
    run.open_incidents()
    _write(run, pins, checked, filled, answers)
    scored, quarantined = len(answers.frame), len(checked.quarantined)
    run.counts = Counts(landed=run.landed, scored=scored, quarantined=quarantined)
    run.log("publish").info("batch published", scored=scored, quarantined=quarantined)
    return run.counts


def _write(run: BatchRun, pins: Pins, checked: Checked, filled: Filled, answers: Answers) -> None:
    """Write the three tables; the predictions last, they are the batch's commit."""
    lake, name = run.workspace.lake, run.workspace.name
    metadata = {"run_id": run.run_id, "config_sha256": pins.config_sha256}
    imputed = _lists(filled.imputed)
    with ThreadPoolExecutor(max_workers=1) as aside:
        # The accepted rows are encoded on one core while the answers are put together on another.
        accepted = aside.submit(
            lake.replace_batch,
            name,
            Table.ACCEPTED,
            run.batch_id,
            _accepted(run, checked, filled, imputed),
            revision=pins.revision,
            metadata=metadata,
        )
        refused = _quarantine(run, checked)
        lake.replace_batch(
            name, Table.QUARANTINE, run.batch_id, refused, revision=pins.revision, metadata=metadata
        )
        predictions = _predictions(run, pins.revision, checked, filled, answers)
        accepted.result()
    lake.publish(name, run.batch_id, predictions, revision=pins.revision, metadata=metadata)


def close_if_published(run: BatchRun) -> bool:
    """Close a batch whose answers a crashed run committed, from what the lake holds; say whether it did.

    Answers of an earlier revision do not count: the batch is to be answered again.

    What the batch was judged by may have changed since: nothing is judged or answered again.
    """
    lake, name = run.workspace.lake, run.workspace.name
    record = run.workspace.ledger.batch(name, run.batch_id)
    revision = record.pins.revision if record and record.pins else 1
    if (lake.published(name, run.batch_id) or 0) < revision:
        return False
    scored = lake.counts(name, Table.PREDICTIONS).get(run.batch_id, 0)
    quarantined = lake.counts(name, Table.QUARANTINE).get(run.batch_id, 0)
    run.counts = Counts(landed=scored + quarantined, scored=scored, quarantined=quarantined)
    conclude_batch(run, judged=False)
    return True


def conclude_batch(run: BatchRun, *, judged: bool = True) -> None:
    """Close the batch in the ledger and resolve what it shows to be over.

    Args:
        run: The run.
        judged: Whether this run read and judged the batch; False where it only closes it for a crashed one.
    """
    workspace = run.workspace
    run.open_incidents()  # what was noted after the commit: a step that only watches and failed
    run.state = BatchState.PUBLISHED
    workspace.ledger.advance(
        workspace.name,
        run.batch_id,
        BatchState.PUBLISHED,
        counts=run.counts,
        run_id=run.run_id,
        at=workspace.now(),
    )
    resolve_passed(run, judged=judged)


def _accepted(run: BatchRun, checked: Checked, filled: Filled, imputed: pa.Array) -> pa.Table:
    table = pa.Table.from_pandas(filled.frame, preserve_index=False)
    rows = table.num_rows
    return (
        table.append_column("batch_id", _constant(run.batch_id, rows))
        .append_column("imputed", imputed)
        .append_column("stale", _lists(checked.stale))
        .append_column("repaired", _lists(checked.repaired))
        .append_column("original", pa.array(checked.original.to_numpy(dtype=object), pa.string()))
    )


def _quarantine(run: BatchRun, checked: Checked) -> pa.Table:
    frame = checked.quarantined
    reasons = pa.list_(pa.struct([(name, pa.string()) for name in ("column", "check", "value")]))
    keys = [
        pa.array(frame[k].to_numpy(dtype=object), type=pa.string()) for k in run.workspace.pipeline.row_key
    ]
    return pa.table(
        [
            *keys,
            _constant(run.batch_id, len(frame)),
            pa.array(frame["raw"].tolist(), type=pa.string()),
            pa.array(frame["reasons"].tolist(), type=reasons),
        ],
        names=[*run.workspace.pipeline.row_key, "batch_id", "raw", "reasons"],
    )


def _predictions(
    run: BatchRun, revision: int, checked: Checked, filled: Filled, answers: Answers
) -> pa.Table:
    pipeline = run.workspace.pipeline
    rows = len(answers.frame)
    confidence = answers.frame["confidence"].to_numpy(dtype=float)
    prediction = pa.string() if pipeline.is_classification else pa.float64()
    keys = pa.Table.from_pandas(filled.frame[list(pipeline.row_key)], preserve_index=False)
    columns: dict[str, Any] = {
        "batch_id": _constant(run.batch_id, rows),
        "prediction": pa.array(answers.frame["prediction"], type=prediction),
        "confidence": pa.array(confidence, mask=np.isnan(confidence)),
        "rung": pa.array(answers.frame["rung"]).cast(pa.string()),
        "arm": _constant("champion", rows),
        "model_version": pa.array(answers.frame["model_version"]).cast(pa.string()),
        "imputed": _lists(filled.imputed),
        "stale": _lists(checked.stale),
        "repaired": _lists(checked.repaired),
        "needs_review": pa.array(np.less(confidence, pipeline.review.below)),
        "rule_overrides": _empty_lists(rows),
        "revision": pa.array(np.full(rows, revision, dtype=np.int32)),
        "run_id": _constant(run.run_id, rows),
        "scored_at": pa.array(
            np.full(rows, np.datetime64(run.workspace.now().replace(tzinfo=None), "us"))
        ).cast(pa.timestamp("us", tz="UTC")),
    }
    for name, column in columns.items():
        keys = keys.append_column(name, column)
    return keys


def _constant(value: str, rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), rows)


def _empty_lists(rows: int) -> pa.Array:
    return pa.ListArray.from_arrays(np.zeros(rows + 1, dtype=np.int32), pa.array([], pa.string()))


def _lists(column: pd.Series[Any]) -> pa.Array:
    """Turn a column of string lists into Arrow; a million empty lists cost nothing."""
    lengths = np.fromiter(map(len, column), dtype=np.int32, count=len(column))
    if not lengths.any():
        return _empty_lists(len(column))
    values = [name for names in column.to_numpy()[lengths > 0] for name in names]
    offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(lengths, dtype=np.int32)])
    return pa.ListArray.from_arrays(offsets, pa.array(values, pa.string()))

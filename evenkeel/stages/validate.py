"""Split a batch into accepted and quarantined rows, and judge it as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evenkeel.domain.batch import BatchState
from evenkeel.domain.quality import Severity, SuiteVerdict
from evenkeel.errors import DataRejected
from evenkeel.quality.imputation import refuse_rows
from evenkeel.quality.schema import split
from evenkeel.quality.suite import judge

if TYPE_CHECKING:
    import pandas as pd

    from evenkeel.stages.batch_run import BatchRun


@dataclass(frozen=True)
class Checked:
    """A batch after validation.

    Attributes:
        accepted: Rows to answer, typed by the schema.
        quarantined: Refused rows with ``raw`` and ``reasons`` (see :class:`evenkeel.domain.quality.Split`).
        verdict: The suite's.
    """

    accepted: pd.DataFrame
    quarantined: pd.DataFrame
    verdict: SuiteVerdict


def validate_batch(run: BatchRun, frame: pd.DataFrame) -> Checked:
    """Validate a batch; what it finds is noted on the run.

    Raises:
        DataRejected: Nothing trustworthy can be said about the batch: it must be held.
    """
    workspace = run.workspace
    parted = split(frame, workspace.schema, workspace.pipeline.row_key)
    refused = refuse_rows(parted, frame, workspace.pipeline)
    for cause, rows in refused.causes.items():
        run.note(cause, "validate", f"{rows} rows quarantined", rows=rows, of=len(frame))
    _hold_if_mostly_bad(run, len(refused.quarantined), len(frame))
    verdict = judge(refused.accepted, workspace.suite)
    _settle_suite(run, verdict)
    workspace.ledger.advance(workspace.name, run.batch_id, BatchState.VALIDATED, run_id=run.run_id)
    run.log("validate").info(
        "batch validated", accepted=len(refused.accepted), quarantined=len(refused.quarantined)
    )
    return Checked(accepted=refused.accepted, quarantined=refused.quarantined, verdict=verdict)


def _hold_if_mostly_bad(run: BatchRun, quarantined: int, rows: int) -> None:
    limit = run.workspace.pipeline.quality.max_quarantined_share
    if quarantined > limit * rows or quarantined == rows:
        worst = max(run.notes, key=lambda n: n.evidence["rows"])
        raise DataRejected(
            f"batch {run.batch_id}: {quarantined} of {rows} rows break the schema, at most {limit:.0%} may",
            cause=worst.cause,
            evidence={"quarantined": quarantined, "rows": rows},
        )


def _settle_suite(run: BatchRun, verdict: SuiteVerdict) -> None:
    for failed in (r for r in verdict.results if not r.success and r.severity is not Severity.HOLD):
        run.note(
            failed.cause,
            "validate",
            "answered from rungs that do not need the column"
            if failed.severity is Severity.DEGRADE
            else "answered all the same",
            **{
                failed.expectation: {
                    "columns": list(failed.columns),
                    "severity": failed.severity.value,
                    "observed": failed.observed,
                }
            },
        )
    if verdict.hold:
        holding = verdict.failed(Severity.HOLD)
        raise DataRejected(
            f"batch {run.batch_id}: "
            + "; ".join(
                f"{r.expectation} on {', '.join(r.columns) or 'the table'}: {r.observed}" for r in holding
            ),
            cause=holding[0].cause,
            evidence={"expectations": [r.expectation for r in holding]},
        )

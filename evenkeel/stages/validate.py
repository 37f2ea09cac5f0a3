"""Split a batch into accepted and quarantined rows, and judge it as a whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evenkeel.domain.batch import BatchState
from evenkeel.domain.quality import Severity, SuiteVerdict
from evenkeel.errors import DataRejected
from evenkeel.quality.imputation import refuse_rows
from evenkeel.quality.quarantine import unreadable_rows
from evenkeel.quality.schema import split
from evenkeel.quality.suite import judge
from evenkeel.stages.broken_columns import without_broken_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenkeel.domain.rows import Rows
    from evenkeel.quality.treatment import Treatment
    from evenkeel.stages.batch_run import BatchRun
    from evenkeel.stages.enrich import Enriched


@dataclass(frozen=True)
class Checked:
    """A batch after validation.

    Attributes:
        accepted: Rows to answer, typed by the schema.
        quarantined: Refused rows with ``raw`` and ``reasons`` (see :class:`evenkeel.domain.quality.Split`),
            the lines that are no row among them.
        verdict: The suite's.
        repaired: Per accepted row the list of repaired columns; same index.
        original: Per accepted row what came in its repaired and emptied cells, JSON, or None; same index.
        stale: Per accepted row the list of sources that it lacks or has older rows of; same index.
        distrusted: Columns that no answer may rest on, besides those the suite suspects.
    """

    accepted: pd.DataFrame
    quarantined: pd.DataFrame
    verdict: SuiteVerdict
    repaired: pd.Series[Any]
    original: pd.Series[Any]
    stale: pd.Series[Any]
    distrusted: frozenset[str] = frozenset()

    @property
    def suspect(self) -> frozenset[str]:
        """Columns that no answer may rest on."""
        return self.distrusted | self.verdict.suspect_columns


def validate_batch(run: BatchRun, rows: Rows, enriched: Enriched, treatment: Treatment) -> Checked:
    """Validate a batch; what it finds is noted on the run.

    Raises:
        DataRejected: Nothing trustworthy can be said about the batch: it must be held.
    """
    workspace, frame = run.workspace, rows.frame
    parted = split(frame, workspace.schema, workspace.pipeline.row_key, treatment)
    lessened = without_broken_columns(run, frame, parted, treatment)
    if lessened is not None:
        treatment = lessened
        parted = split(frame, workspace.schema, workspace.pipeline.row_key, treatment)
    refused = refuse_rows(parted, treatment.named(frame), workspace.pipeline)
    unreadable = unreadable_rows(rows.unreadable, workspace.pipeline.row_key)
    quarantined = pd.concat([refused.quarantined, unreadable]) if len(unreadable) else refused.quarantined
    causes = refused.causes | ({"data.unreadable_lines": len(unreadable)} if len(unreadable) else {})
    for cause, count in causes.items():
        run.note(cause, "validate", f"{count} rows quarantined", rows=count, of=rows.landed)
    _hold_if_mostly_bad(run, causes, quarantined, rows.landed)
    verdict = judge(refused.accepted, workspace.suite)
    _settle_suite(run, verdict)
    workspace.ledger.advance(workspace.name, run.batch_id, BatchState.VALIDATED, run_id=run.run_id)
    run.log("validate").info("batch validated", accepted=len(refused.accepted), quarantined=len(quarantined))
    kept = refused.accepted.index
    return Checked(
        accepted=refused.accepted,
        quarantined=quarantined,
        verdict=verdict,
        repaired=treatment.repaired_lists(kept),
        original=treatment.originals(enriched.frame(frame), kept),
        stale=enriched.stale_lists(kept),
        distrusted=treatment.distrusted,
    )


def _hold_if_mostly_bad(
    run: BatchRun, causes: Mapping[str, int], quarantined: pd.DataFrame, rows: int
) -> None:
    limit = run.workspace.pipeline.quality.max_quarantined_share
    if len(quarantined) > limit * rows or len(quarantined) == rows:
        named = Counter(r["column"] for reasons in quarantined["reasons"] for r in reasons)
        columns = [column for column, _ in named.most_common()]
        raise DataRejected(
            f"batch {run.batch_id}: {len(quarantined)} of {rows} rows break the schema, at most {limit:.0%} may",
            cause=max(causes, key=causes.__getitem__),
            evidence={"quarantined": len(quarantined), "rows": rows, "columns": columns},
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
